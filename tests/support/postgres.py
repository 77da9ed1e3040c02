"""Making and dropping databases of the embedded server from fixtures."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from gateway.ledger.embedded import EmbeddedPostgres

SETTINGS: Final = {
    # These guard against loss of power, which no test tries; a killed process loses nothing without them.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
}


VAULT: Final = "_vault"
_MEMORY: Final = Path("/dev/shm")
_MEMORY_BYTES: Final = 4 << 30


def data_folder() -> Path | None:
    """Where the server of a test process keeps its data: in memory where there is enough of it.

    Every test copies the template, hundreds of small files, and on many disks that takes longer than the test. What the
    tests try survives a killed server in memory as well as on a disk.

    Returns:
        a folder of the machine; None for the usual one of temporary files.
    """
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES
    return _MEMORY if has_room else None


def create_database(server: EmbeddedPostgres, name: str, template: str = "template1") -> None:
    """Make a database as a copy of another one, to which nobody may be connected."""
    _run(_execute(server.dsn("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))


@contextmanager
def database_dropped(server: EmbeddedPostgres) -> Iterator[str]:
    """Name a database that does not exist yet, and drop it at the end together with the connections left open on it."""
    name = f"test_{uuid.uuid4().hex}"
    try:
        yield name
    finally:
        for there in (name, f"{name}{VAULT}"):
            _run(_execute(server.dsn("postgres"), f'DROP DATABASE IF EXISTS "{there}" WITH (FORCE)'))


def make_vault(dsn: str) -> str:
    """Make the vault that belongs to a ledger's database, if it is not there; it is dropped with that one.

    Args:
        dsn: of the ledger's database, as superuser.

    Returns:
        the vault's DSN.
    """
    from gateway.vault.store import init_vault

    url = urlsplit(dsn)
    vault = urlunsplit(url._replace(path=f"{url.path}{VAULT}"))

    async def make() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            # Of several who ask at once, one makes it.
            with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                await connection.execute(f'CREATE DATABASE "{url.path[1:]}{VAULT}" TEMPLATE template0')
        finally:
            await connection.close()
        await init_vault(vault)

    _run(make())
    return vault


def migrate_database(dsn: str) -> None:
    """Bring a database to the newest schema by the gateway's own migrations."""
    from gateway.ledger.migrate import migrate

    _run(migrate(dsn))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, object]) -> None:
    # A thread of its own: the test's event loop may exist already in this one, and must stay untouched.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()
