"""Puts a lost tail back, in one transaction; the rows come from elsewhere, this module knows where they go.

It runs as the owner of the schema: checkpoints are the signer's to write and entries the gateway's, and nobody else may
write both. It inserts only. A row that is there already stays, and must be the very row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from gateway.core.entry import from_leaf
from gateway.core.log.merkle import EMPTY_ROOT
from gateway.core.port.fsck import Row
from gateway.core.port.ledger import TreeHead
from gateway.core.port.vault import CaseKeys
from gateway.ledger.fsck_source import DatabaseSource
from gateway.ledger.sealed import COMMON, Sealer, seal_row
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("rebuild")


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns of a table, in the order of ``rebuild.sql``, and which of them name a row."""

    columns: str
    key: str

    @property
    def width(self) -> int:
        return len(self.columns.split())


TABLES: Final[Mapping[str, _Table]] = {
    "entry": _Table(
        "seq recorded_at act_id handoff_id case_seq pair_number submitted_seq lease_until kind actor sender receiver"
        " case_id handoff_kind handoff_state lease_consumer case_state case_before content_sha256 bundle_sha256"
        " leaf_hash leaf",
        "seq",
    ),
    "receipt": _Table("seq jws", "seq"),
    "bundle": _Table("handoff_id seq sender idempotency_key case_number manifest_jws record", "handoff_id"),
    "detail": _Table("seq body", "seq"),
    "fact": _Table("seq case_id body", "seq"),
    "track": _Table("seq case_id is_changed body", "seq"),
    "statement": _Table("seq statement_id issuer statement_type case_id case_number statement_jws", "seq"),
    "progress": _Table("seq token case_id stage since next_remedy remedy_until", "seq"),
    "signer_key": _Table("seq key_id certificate", "seq"),
    "notice": _Table("agency seq", "agency seq"),
    "material_grant": _Table("agency sha256", "agency sha256"),
    "material_withheld": _Table("agency sha256 seq view", "seq sha256"),
    "case_material": _Table("sha256 case_id", "sha256 case_id"),
    "tile": _Table("level place root data", "level place"),
    "state": _Table("size recorded_at root frontier", "size"),
    "checkpoint": _Table("size signed_at note", "size signed_at"),
    "cosignature": _Table("size witness cosigned_at line", "size witness cosigned_at"),
    "timestamp_token": _Table("size stamped_at note_sha256 token", "size"),
    "timestamp_gap": _Table("size noticed_at code", "size"),
}
"""Tables that are put back, in the order of writing."""
LEFT_ALONE: Final = frozenset({"schema_migration"})
"""Tables that are not put back: what ``migrate`` wrote."""


class UnknownTableError(Exception):
    """The ledger has tables that this version does not put back; it would lose their rows without a word.

    Args:
        names: of the tables.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"this version cannot put back the tables {', '.join(names)}; use the version of the ledger")


class RowDiffersError(Exception):
    """A row is there that is not what the mirrors say.

    Args:
        name: of the table.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"ledger.{name} holds a row with other content than the mirrors")


class TailWriter:
    """A ledger that is held while its tail is put back.

    Args:
        connection: inside the transaction.
        source: the same transaction, for ``fsck``.
        keys: the vault.
    """

    def __init__(self, connection: asyncpg.Connection[Any], source: DatabaseSource, keys: CaseKeys) -> None:
        self._connection = connection
        self._keys = keys
        self.source = source

    async def standing(self) -> TreeHead:
        """Read the last tree whose entries are all there; the empty one when there is none."""
        row = await self._connection.fetchrow(_SQL["standing"])
        return TreeHead(row["size"], row["root"]) if row else TreeHead(0, EMPTY_ROOT)

    async def before(self, cases: Sequence[str], size: int) -> list[Row]:
        """Read the entries of cases that are there: seq, leaf and leaf hash, by index.

        Args:
            cases: pseudonyms.
            size: only entries of the tree of this size.
        """
        return [tuple(row) for row in await self._connection.fetch(_SQL["before"], list(cases), size)]

    async def write(self, rows: Mapping[str, Sequence[Row]]) -> dict[str, int]:
        """Insert rows that are not there.

        Args:
            rows: by table, their columns in the order of ``rebuild.sql``; what is sealed, in the clear.

        Returns:
            how many were inserted, by table.

        Raises:
            RowDiffersError: a row is there already, with other content.
            GatewayError: CASE_DESTROYED, CASE_KEY_MISSING or VAULT_UNAVAILABLE when content cannot be sealed as it was.
        """
        rows = await self._seal(rows)
        inserted = {}
        for name in TABLES:
            wanted = rows.get(name) or ()
            if not wanted:
                continue
            columns = list(zip(*wanted, strict=True))
            made = await self._connection.execute(_insert(name), *columns)
            inserted[name] = int(made.rsplit(" ", 1)[1])
            if await self._connection.fetchval(_differing(name), *columns):
                raise RowDiffersError(name)
        return inserted

    async def _seal(self, rows: Mapping[str, Sequence[Row]]) -> Mapping[str, Sequence[Row]]:
        """The key of a case gives the very bytes that were lost; a key is never made here."""
        entries = {row[0]: from_leaf(row[-1]) for row in rows.get("entry", ())}
        if not entries:
            return rows
        place = {"bundle": 1, "detail": 0, "statement": 0}
        cases = {entries[row[at]].case or COMMON for name, at in place.items() for row in rows.get(name, ())}
        origin = next(iter(entries.values())).origin
        seals = await Sealer(origin, self._keys).prepare(dict.fromkeys(sorted(cases), False))
        sealed = dict(rows)
        for name, at in place.items():
            sealed[name] = [seal_row(name, row, seals[entries[row[at]].case or COMMON]) for row in rows.get(name, ())]
        return sealed

    async def end_writing(self) -> None:
        """Let PostgreSQL plan freely again, for what is read before the commit."""
        await self._connection.execute(_SQL["end_writing"])


# The names in these statements are those of TABLES; everything from elsewhere is a parameter.


def _insert(name: str) -> str:
    columns = ", ".join(TABLES[name].columns.split())
    return f"INSERT INTO ledger.{name} ({columns}) {_SQL[f'{name}_rows']} ON CONFLICT DO NOTHING"


def _differing(name: str) -> str:
    table = TABLES[name]
    here, wanted = (", ".join(f"{row}.{column}" for column in table.columns.split()) for row in "tw")
    key = " AND ".join(f"t.{column} = w.{column}" for column in table.key.split())
    return (
        f"SELECT count(*) FROM ({_SQL[f'{name}_rows']}) AS w WHERE NOT EXISTS ("  # noqa: S608
        f"SELECT FROM ledger.{name} AS t WHERE {key} AND ROW({here}) IS NOT DISTINCT FROM ROW({wanted}))"
    )


def _require_known(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in TABLES and name not in LEFT_ALONE]:
        raise UnknownTableError(unknown)


@asynccontextmanager
async def open_tail(dsn: str, keys: CaseKeys, *, is_kept: bool = True) -> AsyncIterator[TailWriter]:
    """Hold a ledger in one transaction; an error inside, or one that is not to be kept, leaves it as it was.

    Args:
        dsn: address of the database, as the owner of the schema.
        keys: the vault.
        is_kept: False rolls everything back at the end.

    Yields:
        the writer.

    Raises:
        OSError: nobody listens there.
        asyncpg.PostgresError: the server refuses.
        UnknownTableError: the ledger has tables that would be lost.
    """
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": "fasttrack rebuild"}, timeout=10, statement_cache_size=0
    )
    try:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(_SQL["settings"])
            _require_known([row["relname"] for row in await connection.fetch(_SQL["tables"])])
            yield TailWriter(connection, DatabaseSource(connection, keys=keys), keys)
        except BaseException:
            await transaction.rollback()
            raise
        await (transaction.commit() if is_kept else transaction.rollback())
    finally:
        await connection.close()
