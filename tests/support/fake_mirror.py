"""The ledger as it is read for mirrors, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from gateway.core.log.mirror import BatchRow, EntryRow, EntryRows, SealRow, StoredBundle


@dataclass(slots=True)
class FakeMirrorSource:
    """Rows and bundles; implements ``MirrorSource``."""

    rows: list[EntryRow] = field(default_factory=list)
    bundles: dict[UUID, StoredBundle] = field(default_factory=dict)
    rows_of_seals: list[SealRow] = field(default_factory=list)
    batches: tuple[BatchRow, ...] = ()

    async def stretch(self, first: int, stop: int) -> EntryRows:
        """Rows of a range."""
        batches = tuple(batch for batch in self.batches if first < batch.size <= stop)
        return EntryRows(tuple(row for row in self.rows if first <= row.index < stop), batches)

    async def bundle(self, handoff: UUID) -> StoredBundle | None:
        """A bundle."""
        return self.bundles.get(handoff)

    async def seals(self, from_size: int, skip: int, limit: int) -> list[SealRow]:
        """Seals of a size or larger ones."""
        return [row for row in self.rows_of_seals if row.size >= from_size][skip : skip + limit]
