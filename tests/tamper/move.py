"""Moves of the DBA game, made from the database's own description of its columns, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from gateway.audit.finding import AuditFinding
from gateway.audit.fsck import Known, check_ledger
from gateway.ledger.fsck_source import DatabaseSource, load_catalogue
from tests.tamper.story import Story

TABLES = tuple(sorted(line.split()[1] for line in load_catalogue() if line.startswith("r ")))
"""Every table that the migrations make: a new one is in the game at once, and fails it until the story has its rows."""
CHANGES: dict[str, Sequence[str]] = {
    # Expressions that give another value of the type: a slight one and a crude one.
    "bigint": ("{c} + 1", "{c} + 100000"),
    "smallint": ("CASE {c} WHEN 7 THEN 0 ELSE {c} + 1 END",),
    "boolean": ("NOT {c}",),
    "integer": ("{c} + 90000",),
    "uuid": ("gen_random_uuid()",),
    "text": (
        "overlay({c} placing chr(ascii(right({c}, 3)) % 10 + 66) from greatest(length({c}) - 2, 1) for 1)",
        "{c} || 'x'",
        "'x'",
    ),
    "bytea": (
        "CASE WHEN length({c}) > 0 THEN set_byte({c}, length({c}) / 2, (get_byte({c}, length({c}) / 2) + 1) % 256) END",
        "'\\x'::bytea",
    ),
    "timestamp with time zone": ("{c} + interval '1 year'", "{c} - interval '1 year'"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    table: str
    name: str
    kind: str
    is_nullable: bool


async def columns(connection: asyncpg.Connection) -> list[Column]:
    """All columns of all tables of the ledger."""
    rows = await connection.fetch(
        "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' AS is_nullable"
        " FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'ledger' AND t.table_type = 'BASE TABLE' ORDER BY 1, c.ordinal_position"
    )
    return [Column(*row) for row in rows]


async def look(connection: asyncpg.Connection, story: Story, known: Known | None = None) -> list[AuditFinding]:
    """What fsck says now, to who knows all of the story or something else."""
    source = DatabaseSource(connection, keys=story.vault)
    return (await check_ledger(source, known or story.known)).findings


class _Rows(DatabaseSource):
    """The rows alone: the schema was opened to change them, so nothing is asked about it."""

    async def catalogue(self) -> list[str]:
        """As if every trigger and constraint still stood."""
        return await self.expected_catalogue()


async def look_at_rows(connection: asyncpg.Connection, story: Story, known: Known | None = None) -> list[AuditFinding]:
    """What fsck says now of the rows, not of the schema that was opened to change them."""
    findings = (await check_ledger(_Rows(connection, keys=story.vault), known or story.known)).findings
    return [finding for finding in findings if finding.where != "schema"]


async def open_table(connection: asyncpg.Connection, table: str) -> None:
    """Switch the triggers and constraints of a table off, as only its owner or a superuser can."""
    await connection.execute(f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL")
    for row in await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('c', 'u', 'p')"
        " ORDER BY contype", f"ledger.{table}",
    ):  # fmt: skip
        await connection.execute(f'ALTER TABLE ledger.{table} DROP CONSTRAINT "{row[0]}" CASCADE')
    for row in await connection.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::regclass AND indisunique",
        f"ledger.{table}",
    ):
        await connection.execute(f"DROP INDEX {row[0]}")
