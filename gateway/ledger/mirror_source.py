"""The ledger as it is read for mirrors; implements ``MirrorSource``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

import asyncpg

from gateway.core.entry import CLOCK_KINDS, EntryKind, from_leaf
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.mirror import (
    BESIDE,
    MAX_PAGE_BYTES,
    BatchRow,
    EntryRow,
    EntryRows,
    SealRow,
    StoredBundle,
    WithheldMaterial,
)
from gateway.ledger.connection import fetch
from gateway.ledger.sealed import COMMON, CaseSeal, Sealer
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("mirror")
_COLUMNS: Final = {"detail": "detail.body", "statement_jws": "statement.statement_jws"}
"""What of ``BESIDE`` is sealed, and under which name."""


class MirrorReader:
    """Reads what mirrors copy; who may see what is decided by the flow that asks.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``.
        sealer: opens what lies beside entries.
        most_bytes: what a stretch has beside its entries, whoever may see it; it ends with the entry that goes beyond.
    """

    def __init__(self, pool: asyncpg.Pool[Any], sealer: Sealer, *, most_bytes: int = MAX_PAGE_BYTES) -> None:
        self._pool = pool
        self._sealer = sealer
        self._most_bytes = most_bytes

    async def stretch(self, first: int, stop: int) -> EntryRows:
        """Read entries.

        Args:
            first: index of the first.
            stop: index after the last.

        Returns:
            those that are there, by index, as many as the bytes allow and at least one, with the batches that ended
            before ``stop``; of destroyed cases without what went with the case.

        Raises:
            GatewayError: CASE_KEY_MISSING, SEAL_BROKEN when content cannot be opened; LEDGER_UNAVAILABLE,
                VAULT_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["stretch"], first, stop, self._most_bytes)
        batches = await fetch(self._pool, _SQL["batches"], first, stop)
        sealed = [row["case_id"] or COMMON for row in rows if any(row[name] is not None for name in _COLUMNS)]
        seals = await self._sealer.look(sealed, [row["case_id"] for row in rows if row["is_destroyed"]])
        return EntryRows(tuple(_to_row(row, seals) for row in rows), tuple(BatchRow(*row) for row in batches))

    async def bundle(self, handoff: UUID) -> StoredBundle | None:
        """Read a bundle; None when there is none, or when its case was destroyed.

        Raises:
            GatewayError: as ``stretch``.
        """
        rows = await fetch(self._pool, _SQL["bundle"], handoff)
        if not rows:
            return None
        case, manifest_jws, record, is_destroyed = rows[0]
        seal = _usable((await self._sealer.look([case], [case] if is_destroyed else []))[case])
        if seal is None:
            return None
        withheld = await fetch(self._pool, _SQL["withheld"], handoff)
        place = str(handoff)
        manifest = seal.open("bundle.manifest_jws", place, manifest_jws).decode()
        opened = seal.open("bundle.record", place, record)
        return StoredBundle(handoff, manifest, opened, tuple(WithheldMaterial(*row) for row in withheld))

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


def _usable(seal: CaseSeal | GatewayError) -> CaseSeal | None:
    """The seal, or None for a destroyed case; another refusal is raised."""
    if isinstance(seal, CaseSeal):
        return seal
    if seal.code is not ErrorCode.CASE_DESTROYED:
        raise seal
    return None


def _beside(row: Any, seals: Mapping[str, CaseSeal | GatewayError]) -> dict[str, bytes]:
    found = {name: row[name] for name in BESIDE if row[name] is not None}
    for name in _COLUMNS.keys() & found.keys():
        seal = _usable(seals[row["case_id"] or COMMON])
        if seal is None:
            del found[name]
        else:
            found[name] = seal.open(_COLUMNS[name], str(row["seq"]), found[name])
    return found


def _to_row(row: Any, seals: Mapping[str, CaseSeal | GatewayError]) -> EntryRow:
    return EntryRow(
        index=row["seq"],
        leaf=row["leaf"],
        leaf_hash=row["leaf_hash"],
        kind=EntryKind(row["kind"]),
        actor=row["actor"],
        sender=row["sender"] or "",
        receiver=row["receiver"] or "",
        handoff=row["handoff_id"],
        case=row["case_id"] or "",
        beside=_beside(row, seals),
        notified=from_leaf(row["leaf"]).notified if row["kind"] in CLOCK_KINDS else (),
    )
