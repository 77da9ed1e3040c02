"""What the scheduler reads, and the notices that agencies read of what it raised."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

import asyncpg

from gateway.core.clock.alarm import Parties
from gateway.core.entry import from_leaf
from gateway.core.fact.fact import KnownFact
from gateway.core.identity import SYSTEM_OF_ROLE, parse_agency
from gateway.core.port.ledger import FactRow, Notice
from gateway.ledger.connection import fetch
from gateway.ledger.opened import look_up, open_number
from gateway.ledger.reader import Reader
from gateway.ledger.sealed import Sealer
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("schedule")


class ScheduleReader:
    """Reads facts, parties and notices.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``.
        sealer: opens the case numbers of notices; not needed for the rest.
    """

    def __init__(self, pool: asyncpg.Pool[Any], sealer: Sealer | None = None) -> None:
        self._pool = pool
        self._sealer = sealer
        self._reader = Reader(pool)

    async def rows_after(self, index: int, limit: int) -> list[FactRow]:
        """See ``ScheduleSource``."""
        return [
            FactRow(row["seq"], row["case_id"]) for row in await fetch(self._pool, _SQL["rows_after"], index, limit)
        ]

    async def case_facts(self, case: str) -> list[KnownFact]:
        """See ``ScheduleSource``."""
        return await self._reader.case_facts(case)

    async def parties(self, case: str) -> Parties:
        """See ``ScheduleSource``."""
        agencies = [row["agency"] for row in await fetch(self._pool, _SQL["parties"], case)]
        found = {SYSTEM_OF_ROLE[parse_agency(agency).role]: agency for agency in agencies}
        rows = await fetch(self._pool, _SQL["holder"], case)
        return Parties(found, rows[0]["holder"] or "" if rows else "")

    async def notices(self, agency: str, after: int, limit: int) -> list[Notice]:
        """Read what an agency was told.

        Args:
            agency: short form.
            after: index to go on after; -1 for the beginning.
            limit: notices wanted.

        Returns:
            notices by index; without a case number where it cannot be opened.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["notices"], agency, after, limit)
        seals = await look_up(self._sealer, [row for row in rows if row["handoff_id"] is not None])
        return [
            Notice(
                row["seq"],
                row["recorded_at"].astimezone(UTC),
                open_number(seals[row["case_id"]], row) if row["case_id"] in seals else "",
                from_leaf(row["leaf"]),
                row["leaf"],
            )
            for row in rows
        ]
