"""Notices in memory, as the ledger would give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.core.clock.alarm import Parties
from gateway.core.entry import Entry, EntryKind, to_leaf
from gateway.core.port.ledger import Notice


@dataclass(slots=True)
class FakeNotices:
    """Implements ``NoticeReader``.

    Args:
        told: notices of each agency, by index.
        agencies: of every case.
    """

    told: dict[str, list[Notice]] = field(default_factory=dict)
    agencies: Parties = field(default_factory=lambda: Parties({}))

    async def notices(self, agency: str, after: int, limit: int) -> list[Notice]:
        """What an agency was told."""
        return [notice for notice in self.told.get(agency, []) if notice.seq > after][:limit]

    async def parties(self, case: str) -> Parties:
        """Agencies of a case."""
        return self.agencies

    def tell(self, agency: str, index: int, at: datetime, case_number: str, **fields: Any) -> Notice:
        """Tell an agency something; the fields are those of the entry."""
        said = {"clock": "K22", "level": "50%", "due": "2026-03-12", **fields}
        entry = Entry(
            index=index, origin="test.example/log", kind=EntryKind.CLOCK_WARNED, recorded_at=at, actor="gateway",
            act_id="0190aaaa-0000-7000-8000-000000000000", content_sha256="aa" * 32, salt=bytes(32),
            notified=(agency,), **said,
        )  # fmt: skip
        notice = Notice(index, at, case_number, entry, to_leaf(entry))
        self.told.setdefault(agency, []).append(notice)
        return notice
