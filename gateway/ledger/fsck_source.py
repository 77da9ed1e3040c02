"""Reads a ledger's database for ``fsck``; implements ``FsckSource``. It only ever reads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

import asyncpg

from gateway.core.entry import from_leaf
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.port.fsck import Head, Pages, Row, Unread
from gateway.core.port.vault import CaseKeys
from gateway.ledger.migrate import load_migrations
from gateway.ledger.sealed import CaseSeal, Sealer
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("fsck")
_PAGE: Final = 2_000
_BUNDLE_PAGE: Final = 128
"""A bundle holds a record of up to 1 MiB."""
_NO_END: Final = 2**63 - 1
_BUNDLE_COLUMNS: Final = ("bundle.case_number", "bundle.manifest_jws", "bundle.record")
_STATEMENT_COLUMNS: Final = ("statement.case_number", "statement.statement_jws")
_READ: Final = frozenset(
    {
        "entry", "receipt", "bundle", "detail", "material_grant", "case_material", "tile", "state", "checkpoint",
        "cosignature", "schema_migration", "timestamp_token", "timestamp_gap", "signer_key", "fact", "statement",
        "material_withheld", "progress", "track", "notice",
    }
)  # fmt: skip
_EVENT_TRIGGER: Final = "event trigger "
_SETTINGS: Final = (
    # Nothing in the database may choose which function or operator answers us, or which rows we see.
    "SET search_path = pg_catalog",
    "SET row_security = off",
    "SET statement_timeout = 0",
    "SET jit = off",
    "SET cursor_tuple_fraction = 1.0",
    "SET idle_in_transaction_session_timeout = 0",
)


class DatabaseSource:
    """One picture of a ledger.

    Args:
        connection: inside a transaction that sees one snapshot.
        snapshot: its name, with which other connections see the same; "" when there is none.
        keys: the vault; None when content is not to be opened.
    """

    def __init__(self, connection: asyncpg.Connection[Any], snapshot: str = "", keys: CaseKeys | None = None) -> None:
        self._connection = connection
        self._keys = keys
        self._sealer: Sealer | None = None
        self.snapshot = snapshot

    async def _pages(self, name: str, *arguments: object, page: int = _PAGE) -> Pages:
        cursor = await self._connection.cursor(_SQL[name], *arguments)
        while rows := await cursor.fetch(page):
            yield rows

    async def head(self) -> Head:
        """See ``FsckSource``."""
        size, root, seq = (await self._connection.fetch(_SQL["head"]))[0]
        return Head(size or 0, root or b"", -1 if seq is None else seq)

    async def first_leaf(self) -> bytes | None:
        """See ``FsckSource``."""
        leaf: bytes | None = await self._connection.fetchval(_SQL["first_leaf"])
        return leaf

    async def boundaries(self, parts: int) -> list[int]:
        """See ``FsckSource``."""
        size = (await self.head()).size
        return [row[0] for row in await self._connection.fetch(_SQL["boundaries"], parts, size)]

    async def frontier(self, size: int) -> bytes | None:
        """See ``FsckSource``."""
        frontier: bytes | None = await self._connection.fetchval(_SQL["frontier"], size)
        return frontier

    def entries(self, part: int, parts: int) -> Pages:
        """See ``FsckSource``; pseudonyms are hexadecimal digits, evenly spread."""
        edges = [None, *(f"{0x10000 * at // parts:04x}" for at in range(1, parts)), None]
        return self._pages("entries", edges[part], edges[part + 1])

    def tree(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("tree", start, _NO_END if stop is None else stop)

    def batches(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("batches", start, _NO_END if stop is None else stop, page=64)

    async def count_entries(self, start: int, stop: int | None) -> int:
        """See ``FsckSource``."""
        count: int = await self._connection.fetchval(_SQL["count_entries"], start, _NO_END if stop is None else stop)
        return count

    async def count_receipts(self, start: int, stop: int | None) -> int:
        """See ``FsckSource``."""
        count: int = await self._connection.fetchval(_SQL["count_receipts"], start, _NO_END if stop is None else stop)
        return count

    def receipts(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("receipts", start, _NO_END if stop is None else stop, page=256)

    def states(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("states", start, _NO_END if stop is None else stop)

    def tiles(self, level: int, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("tiles", level, start, _NO_END if stop is None else stop, page=256)

    async def bundles(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        async for page in self._pages("bundles", start, _NO_END if stop is None else stop, page=_BUNDLE_PAGE):
            seals = await self._look(row[6] for row in page)
            yield [
                (*row[:6], *_open(seals, row[6], row[2] or "", dict(zip(_BUNDLE_COLUMNS, row[7:], strict=True))))
                for row in page
            ]

    async def statements(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        async for page in self._pages("statements", start, _NO_END if stop is None else stop, page=_BUNDLE_PAGE):
            seals = await self._look(row[9] for row in page)
            yield [
                (*row[:7], *_open(seals, row[9], str(row[0]), dict(zip(_STATEMENT_COLUMNS, row[7:9], strict=True))))
                for row in page
            ]

    async def progress(self, indices: Sequence[int]) -> list[Row]:
        """See ``FsckSource``."""
        return [tuple(row) for row in await self._connection.fetch(_SQL["progress"], indices)]

    async def details(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        async for page in self._pages("details", start, _NO_END if stop is None else stop, page=_BUNDLE_PAGE):
            seals = await self._look(row[2] for row in page)
            yield [(*row[:2], *_open(seals, row[2], str(row[0]), {"detail.body": row[3]})) for row in page]

    async def _look(self, cases: Iterable[str | None]) -> Mapping[str, CaseSeal | GatewayError]:
        if self._keys is None:
            return {}
        if self._sealer is None:
            leaf = await self.first_leaf()
            try:
                origin = from_leaf(leaf).origin if leaf else ""
            except (ValueError, TypeError, KeyError):
                origin = ""
            self._sealer = Sealer(origin, self._keys)
        return await self._sealer.look(case for case in cases if case)

    async def destroyed_cases(self) -> dict[str, int]:
        """See ``FsckSource``."""
        return {case: seq for case, seq in await self._connection.fetch(_SQL["destroyed_cases"]) if case is not None}

    async def remaining_keys(self, cases: Sequence[str]) -> list[str]:
        """See ``FsckSource``."""
        if self._keys is None:
            return []
        return [case for case, key in (await self._keys.find(cases)).items() if key is not None]

    async def missing_materials(self, materials: Sequence[tuple[bytes, str]]) -> list[int]:
        """See ``FsckSource``."""
        digests, cases = [digest for digest, _ in materials], [case for _, case in materials]
        return [row[0] - 1 for row in await self._connection.fetch(_SQL["missing_materials"], digests, cases)]

    def facts(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("facts", start, _NO_END if stop is None else stop, page=_BUNDLE_PAGE)

    def notices(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("notices")

    async def missing_grants(self, grants: Sequence[tuple[str, bytes, int]]) -> list[int]:
        """See ``FsckSource``."""
        columns = ([grant[at] for grant in grants] for at in range(3))
        return [row[0] - 1 for row in await self._connection.fetch(_SQL["missing_grants"], *columns)]

    def restrictions(self, start: int, stop: int | None) -> Pages:
        """See ``FsckSource``."""
        return self._pages("restrictions", start, _NO_END if stop is None else stop, page=_BUNDLE_PAGE)

    def grants(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("grants")

    def numbering_errors(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("numbering_errors")

    def repeated_acts(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("repeated_acts")

    def stray_rows(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("stray_rows")

    def signer_keys(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("signer_keys", page=256)

    def checkpoints(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("checkpoints", page=256)

    def cosignatures(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("cosignatures", page=256)

    def timestamp_tokens(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("timestamp_tokens", page=256)

    def timestamp_gaps(self) -> Pages:
        """See ``FsckSource``."""
        return self._pages("timestamp_gaps", page=256)

    async def catalogue(self) -> list[str]:
        """See ``FsckSource``."""
        return sorted(row["line"] for row in await self._connection.fetch(_SQL["catalogue"]))

    async def expected_catalogue(self) -> list[str]:
        """See ``FsckSource``; without the guard against schema changes where its owner could not set it up."""
        lines = load_catalogue()
        if await self._connection.fetchval(_SQL["owner_is_superuser"]):
            return lines
        return [line for line in lines if not line.startswith(_EVENT_TRIGGER)]

    async def migrations(self) -> tuple[list[tuple[str, bytes]], list[Row]]:
        """See ``FsckSource``."""
        rows = await self._connection.fetch(_SQL["migrations"])
        return [(migration.name, migration.digest) for migration in load_migrations()], [tuple(row) for row in rows]

    async def unread_tables(self) -> list[str]:
        """See ``FsckSource``."""
        rows = await self._connection.fetch(_SQL["tables"])
        return [row["relname"] for row in rows if row["relname"] not in _READ]


def _open(
    seals: Mapping[str, CaseSeal | GatewayError], case: str | None, row: str, columns: Mapping[str, bytes | None]
) -> tuple[bytes | str | None, ...]:
    """Open the columns of one row; after them why not, and then the columns are empty."""
    seal = seals.get(case or "")
    if isinstance(seal, CaseSeal):
        opened: list[bytes | None] = []
        for column, sealed in columns.items():
            try:
                opened.append(None if sealed is None else seal.open(column, row, sealed))
            except GatewayError:
                return (*_nothing(columns), column)
        return (*opened, "")
    if seal is None:
        return (*_nothing(columns), Unread.NO_VAULT)
    is_destroyed = seal.code is ErrorCode.CASE_DESTROYED
    return (*_nothing(columns), Unread.DESTROYED if is_destroyed else Unread.KEY_MISSING)


def _nothing(columns: Mapping[str, bytes | None]) -> list[bytes | None]:
    """What is not there stays told apart from what cannot be read."""
    return [None if sealed is None else b"" for sealed in columns.values()]


def load_catalogue() -> list[str]:
    """Read the schema as the migrations of this version make it; a test keeps the file up to date."""
    lines: list[str] = json.loads((files("gateway.ledger") / "sql" / "catalogue.json").read_text(encoding="utf-8"))
    return lines


@asynccontextmanager
async def open_source(dsn: str, snapshot: str = "", keys: CaseKeys | None = None) -> AsyncIterator[DatabaseSource]:
    """Open one picture of a ledger, read only.

    Args:
        dsn: address of the database, as a role that may read all tables of the ledger.
        snapshot: name of a snapshot that another source exported and still holds; "" for a new one.
        keys: the vault; None when content is not to be opened.

    Yields:
        the source.

    Raises:
        OSError: nobody listens there.
        asyncpg.PostgresError: the server refuses.
    """
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": "fasttrack fsck"}, timeout=10, statement_cache_size=0
    )
    try:
        for setting in _SETTINGS:
            await connection.execute(setting)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            if snapshot:
                # The name comes from PostgreSQL itself; SET takes no parameters.
                quoted = snapshot.replace("'", "''")
                await connection.execute(f"SET TRANSACTION SNAPSHOT '{quoted}'")
            else:
                snapshot = await connection.fetchval(_SQL["snapshot"])
            yield DatabaseSource(connection, snapshot, keys)
    finally:
        await connection.close()
