"""Signer, witness and checkpoints in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from gateway.core.log.merkle import EMPTY_ROOT
from gateway.core.port.ledger import StoredEntry, TreeHead
from gateway.core.port.seal import MemoryLostError, SeenTree, StoredCheckpoint


@dataclass(slots=True)
class FakeMemory:
    """A memory that can be made to fail; implements ``TreeMemory``.

    Args:
        tree: the last tree.
        is_broken: the next swap fails.
        swaps: how often it was swapped.
    """

    tree: SeenTree
    is_broken: bool = False
    swaps: int = 0

    async def swap(self, known: SeenTree, new: SeenTree) -> None:
        """Replace the tree."""
        if self.is_broken or known != self.tree:
            raise MemoryLostError
        self.tree = new
        self.swaps += 1


@dataclass(slots=True)
class FakeSealLedger:
    """A ledger as the signer sees it; implements ``SealLedger``.

    Args:
        entries: all of them.
        present: what it states as its head.
        checkpoints: what was signed.
    """

    entries: list[StoredEntry] = field(default_factory=list)
    present: TreeHead = field(default_factory=lambda: TreeHead(0, EMPTY_ROOT))
    checkpoints: list[StoredCheckpoint] = field(default_factory=list)

    async def head(self) -> TreeHead:
        """The present tree."""
        return self.present

    async def leaves(self, start: int, stop: int) -> AsyncIterator[StoredEntry]:
        """Entries of a range."""
        for entry in self.entries:
            if start <= entry.index < stop:
                yield entry

    async def last_checkpoint(self) -> StoredCheckpoint | None:
        """The last one of the largest size."""
        return max(self.checkpoints, key=lambda item: (item.size, item.signed_at), default=None)

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep one."""
        self.checkpoints.append(checkpoint)


@dataclass(slots=True)
class FakeCheckpoints:
    """Checkpoints as the gateway has them; implements ``Checkpoints``.

    Args:
        notes: by size.
        lines: size, witness, time and line of each cosignature.
    """

    notes: dict[int, StoredCheckpoint] = field(default_factory=dict)
    lines: list[tuple[int, str, int, str]] = field(default_factory=list)

    async def latest(self) -> StoredCheckpoint | None:
        """The largest."""
        return self.notes[max(self.notes)] if self.notes else None

    async def of_size(self, size: int) -> bytes | None:
        """One."""
        return self.notes[size].note if size in self.notes else None

    async def cosignatures(self, size: int, witnesses: Sequence[str]) -> list[str]:
        """The newest of each witness."""
        newest = {name: line for at, name, _, line in sorted(self.lines) if at == size and name in witnesses}
        return list(newest.values())

    async def cosigned_size(self, witness: str) -> int:
        """The largest of a witness."""
        return max((size for size, name, _, _ in self.lines if name == witness), default=0)

    async def quorum_size(self, witnesses: Sequence[str], quorum: int) -> int:
        """The largest of enough witnesses."""
        found: dict[int, set[str]] = {}
        for size, name, _, _ in self.lines:
            if name in witnesses:
                found.setdefault(size, set()).add(name)
        return max((size for size, names in found.items() if len(names) >= quorum), default=0)

    async def add_cosignature(self, size: int, witness: str, timestamp: int, line: str) -> None:
        """Keep one."""
        self.lines.append((size, witness, timestamp, line))
