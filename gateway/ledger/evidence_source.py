"""Reads what an evidence pack is made from; the ledger's part of ``EvidenceSource``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from gateway.core.evidence_port import CaseBundle, CaseEntry, CaseStatement, EvidenceHead, KeyEntry
from gateway.ledger.connection import fetch
from gateway.ledger.reader import Reader
from gateway.ledger.receipt import to_receipt
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("evidence")
_KEY_SQL: Final = load_statements("key")


class EvidenceReader:
    """Reads one case.

    Args:
        pool: asyncpg pool of a role that may read every table, such as the owner of the schema.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool
        self._reader = Reader(pool)

    async def entries(self, case: str) -> list[CaseEntry]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["entries"], case)
        return [
            CaseEntry(
                row["seq"], row["leaf"], to_receipt(row), row["body"] or b"", row["facts"] or b"", row["tracks"] or b""
            )
            for row in rows
        ]

    async def bundles(self, case: str) -> list[CaseBundle]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["bundles"], case)
        return [CaseBundle(row["handoff"], row["seq"], row["manifest_jws"], row["record"]) for row in rows]

    async def statements(self, case: str) -> list[CaseStatement]:
        """See ``EvidenceSource``."""
        rows = await fetch(self._pool, _SQL["statements"], case)
        return [CaseStatement(row["seq"], row["statement_jws"]) for row in rows]

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
        path, _, _ = await self._reader.inclusion(index, size)
        return path
