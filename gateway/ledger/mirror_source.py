"""The ledger as it is read for mirrors; implements ``MirrorSource``."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final
from uuid import UUID

import asyncpg

from gateway.core.entry import CLOCK_KINDS, EntryKind, from_leaf
from gateway.core.mirror import BESIDE, BatchRow, EntryRow, EntryRows, SealRow, StoredBundle, WithheldMaterial
from gateway.ledger.connection import fetch
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("mirror")


class MirrorReader:
    """Reads what mirrors copy; who may see what is decided by the flow that asks.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def stretch(self, first: int, stop: int) -> EntryRows:
        """Read entries.

        Args:
            first: index of the first.
            stop: index after the last.

        Returns:
            those that are there, by index, with the batches that ended among them.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["stretch"], first, stop)
        batches = await fetch(self._pool, _SQL["batches"], first, stop)
        return EntryRows(tuple(_to_row(row) for row in rows), tuple(BatchRow(*row) for row in batches))

    async def bundle(self, handoff: UUID) -> StoredBundle | None:
        """Read a bundle; None when there is none.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["bundle"], handoff)
        if not rows:
            return None
        withheld = await fetch(self._pool, _SQL["withheld"], handoff)
        found, manifest_jws, record = rows[0]
        return StoredBundle(found, manifest_jws, record, tuple(WithheldMaterial(*row) for row in withheld))

    async def seals(self, from_size: int, skip: int, limit: int) -> list[SealRow]:
        """Read seals.

        Args:
            from_size: smallest size.
            skip: how many to leave out.
            limit: how many to read.

        Returns:
            them, by size, time, table and witness.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["seals"], from_size, skip, limit)
        return [SealRow(**{**dict(row), "at": row["at"].astimezone(UTC)}) for row in rows]


def _to_row(row: Any) -> EntryRow:
    return EntryRow(
        index=row["seq"],
        leaf=row["leaf"],
        leaf_hash=row["leaf_hash"],
        kind=EntryKind(row["kind"]),
        actor=row["actor"],
        sender=row["sender"] or "",
        receiver=row["receiver"] or "",
        handoff=row["handoff_id"],
        beside={name: row[name] for name in BESIDE if row[name] is not None},
        notified=from_leaf(row["leaf"]).notified if row["kind"] in CLOCK_KINDS else (),
    )
