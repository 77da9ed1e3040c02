"""Reads what an evidence pack is made from; the ledger's part of ``EvidenceSource``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from gateway.core.errors import ErrorCode
from gateway.core.port.evidence import CaseBundle, CaseEntry, CaseStatement, EvidenceHead, KeyEntry
from gateway.ledger.connection import fetch
from gateway.ledger.reader import Reader
from gateway.ledger.receipt import to_receipt
from gateway.ledger.sealed import CaseSeal, Sealer
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("evidence")
_KEY_SQL: Final = load_statements("key")


class EvidenceReader:
    """Reads one case.

    Args:
        pool: asyncpg pool of a role that may read every table, such as the owner of the schema.
        sealer: opens what the case holds.

    ``reader`` reads the same ledger beyond the case.
    """

    def __init__(self, pool: asyncpg.Pool[Any], sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer
        self.reader = Reader(pool, sealer)

    async def _seal(self, case: str) -> CaseSeal | None:
        """The seal of a case; None when it was destroyed."""
        seal = (await self._sealer.look([case]))[case]
        if isinstance(seal, CaseSeal):
            return seal
        if seal.code is not ErrorCode.CASE_DESTROYED:
            raise seal
        return None

    async def entries(self, case: str) -> list[CaseEntry]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["entries"], case)
        # A case that never held anything has no key, and needs none.
        seal = await self._seal(case) if any(row["body"] for row in rows) else None
        return [
            CaseEntry(
                row["seq"],
                row["leaf"],
                to_receipt(row),
                seal.open("detail.body", str(row["seq"]), row["body"]) if seal and row["body"] else b"",
                row["facts"] or b"",
                row["tracks"] or b"",
            )
            for row in rows
        ]

    async def bundles(self, case: str) -> list[CaseBundle]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["bundles"], case)
        seal = await self._seal(case) if rows else None
        if seal is None:
            return [CaseBundle(row["handoff"], row["seq"], "", b"") for row in rows]
        return [
            CaseBundle(
                row["handoff"],
                row["seq"],
                seal.open("bundle.manifest_jws", row["handoff"], row["manifest_jws"]).decode(),
                seal.open("bundle.record", row["handoff"], row["record"]),
            )
            for row in rows
        ]

    async def statements(self, case: str) -> list[CaseStatement]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["statements"], case)
        seal = await self._seal(case) if rows else None
        if seal is None:
            return [CaseStatement(row["seq"], "") for row in rows]
        column = "statement.statement_jws"
        return [CaseStatement(row["seq"], seal.open(column, str(row["seq"]), row[1]).decode()) for row in rows]

    async def keys(self) -> list[KeyEntry]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _KEY_SQL["key_entries"], -1)
        return [KeyEntry(row["seq"], row["leaf"], row["certificate"] or b"") for row in rows]

    async def head(self, size: int) -> EvidenceHead:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["checkpoint"], size)
        if not rows:
            state = (await fetch(self._pool, _SQL["state"], size))[0]
            return EvidenceHead(state["size"], state["root"])
        row = rows[0]
        lines = await fetch(self._pool, _SQL["cosignatures"], row["size"])
        return EvidenceHead(
            row["size"], row["root"], row["note"].encode(), tuple(line["line"] for line in lines), row["token"] or b""
        )

    async def proof(self, index: int, size: int) -> Sequence[bytes]:
        """See ``EvidenceSource``."""
        path, _, _ = await self.reader.inclusion(index, size)
        return path
