"""Migrations: numbered SQL files, each applied once, in its own transaction, and remembered with its digest.

A file ``NNNN_pre_name.sql`` runs before new gateway processes start and must leave the old ones working;
``NNNN_post_name.sql`` runs when no old one is left.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal

import asyncpg

from gateway.telemetry import log_event

Phase = Literal["pre", "post", "all"]

_NAME: Final = re.compile(r"([0-9]{4})_(pre|post)_[a-z0-9_]+\.sql", re.ASCII)
_LOCK: Final = 0x66617374_6D696772
"""Key of the advisory lock: two migrations of one database wait for each other."""
_TABLE: Final = """
CREATE TABLE ledger.schema_migration (
    name       text PRIMARY KEY,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
_log = logging.getLogger(__name__)


class MigrationError(RuntimeError):
    """The migrations of this version do not fit the database."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file.

    Args:
        name: file name.
        phase: pre or post.
        script: its SQL.
    """

    name: str
    phase: str
    script: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the script, 32 bytes."""
        return sha256(self.script.encode()).digest()


def load_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Read the migrations of this version.

    Args:
        folder: where they are; None for those of the package.

    Returns:
        them, by number.

    Raises:
        MigrationError: a file has another kind of name, or two have the same number.
    """
    found: dict[str, Migration] = {}
    folder = folder if folder is not None else files("gateway.ledger") / "migrations"
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is not named NNNN_pre_name.sql or NNNN_post_name.sql")
        if match[1] in found:
            raise MigrationError(f"{path.name} and {found[match[1]].name} have the same number")
        found[match[1]] = Migration(path.name, match[2], path.read_text(encoding="utf-8"))
    return list(found.values())


async def migrate(dsn: str, *, phase: Phase = "all", folder: Traversable | None = None) -> list[str]:
    """Bring a database to the schema of this version; without effect when it is there already.

    Args:
        dsn: address of the database, as the role that is to own the schema.
        phase: which files to apply.
        folder: where the files are; None for those of the package.

    Returns:
        names of the files that were applied now, in order.

    Raises:
        MigrationError: a file changed after it was applied, the database has one that this version does not know, or a
            post file comes before a pre file that is not applied yet.
    """
    migrations = load_migrations(folder)
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "fasttrack migrate"})
    try:
        connection.add_log_listener(_warn)
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        applied = await _applied(connection)
        _check(migrations, applied, phase)
        done: list[str] = []
        for migration in migrations:
            if migration.name not in applied and phase in ("all", migration.phase):
                await _apply(connection, migration, is_first=not applied and not done)
                done.append(migration.name)
        return done
    finally:
        # Ends the lock with the session, also after an error.
        await connection.close()


async def _applied(connection: asyncpg.Connection[Any]) -> dict[str, bytes]:
    if await connection.fetchval("SELECT to_regclass('ledger.schema_migration')") is None:
        return {}
    rows = await connection.fetch("SELECT name, sha256 FROM ledger.schema_migration")
    return {row["name"]: row["sha256"] for row in rows}


def _check(migrations: list[Migration], applied: dict[str, bytes], phase: Phase) -> None:
    unknown = sorted(applied.keys() - {migration.name for migration in migrations})
    if unknown:
        raise MigrationError(f"the database is newer than this version: it has {', '.join(unknown)}")
    for migration in migrations:
        if migration.name in applied and applied[migration.name] != migration.digest:
            raise MigrationError(f"{migration.name} was changed after it had been applied")
    if phase == "post":
        missing = [m.name for m in migrations if m.phase == "pre" and m.name not in applied]
        if missing:
            raise MigrationError(f"apply the phase pre first: {', '.join(missing)}")


async def _apply(connection: asyncpg.Connection[Any], migration: Migration, *, is_first: bool) -> None:
    async with connection.transaction():
        # The guard against schema changes lets this transaction pass.
        await connection.execute("SET LOCAL fasttrack.migration = 'on'")
        if is_first:
            await connection.execute("CREATE SCHEMA IF NOT EXISTS ledger")
            await connection.execute(_TABLE)
        await connection.execute(migration.script)
        await connection.execute(
            "INSERT INTO ledger.schema_migration (name, sha256) VALUES ($1, $2)", migration.name, migration.digest
        )
    log_event(_log, logging.INFO, "migration applied", migration=migration.name)


def _warn(_connection: object, message: asyncpg.PostgresLogMessage) -> None:
    if message.severity_en == "WARNING":
        _log.warning("PostgreSQL warns: %s", message.message)
