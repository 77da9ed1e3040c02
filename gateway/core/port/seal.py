"""What signer, witnesses and the reading of checkpoints need from the world, as protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.log.merkle import EMPTY_ROOT
from gateway.core.port.ledger import StoredEntry, TreeHead


@dataclass(frozen=True, slots=True)
class SeenTree:
    """The last tree that a signer signed, or a witness cosigned: what it must never contradict.

    Args:
        origin: name of the log.
        size: number of leaves.
        root: root hash, 32 bytes.
        frontier: hashes of the right edge, one after the other; empty where only the root is kept.
    """

    origin: str
    size: int = 0
    root: bytes = EMPTY_ROOT
    frontier: bytes = b""


class TreeMemory(Protocol):
    """Keeps the last tree through crashes, for one process alone."""

    @property
    def tree(self) -> SeenTree:
        """The last tree."""

    async def swap(self, known: SeenTree, new: SeenTree) -> None:
        """Replace the last tree durably before returning.

        Args:
            known: what the caller took for the last tree.
            new: what it is to be.

        Raises:
            MemoryLostError: what is kept is not what the caller knew, or it cannot be written.
        """


class MemoryLostError(Exception):
    """What a signer or witness remembers is gone, was changed under it, or belongs to another process."""


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint of the ledger.

    Args:
        size: number of leaves.
        note: the signed note.
        signed_at: aware UTC.
    """

    size: int
    note: bytes
    signed_at: datetime


class SealLedger(Protocol):
    """What the signer sees of the ledger."""

    async def head(self) -> TreeHead:
        """The present tree as the ledger states it."""

    def leaves(self, start: int, stop: int) -> AsyncIterator[StoredEntry]:
        """Entries from start, inclusive, to stop, exclusive, in order."""

    async def last_checkpoint(self) -> StoredCheckpoint | None:
        """The last checkpoint of the largest size."""

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Store a checkpoint."""


class Checkpoints(Protocol):
    """Checkpoints and cosignatures as the gateway stores and gives them."""

    async def latest(self) -> StoredCheckpoint | None:
        """The last checkpoint of the largest size."""

    async def of_size(self, size: int) -> bytes | None:
        """The signed note of a size."""

    async def cosignatures(self, size: int, witnesses: Sequence[str]) -> list[str]:
        """The newest signature line of each witness for a size."""

    async def cosigned_size(self, witness: str) -> int:
        """The largest size that a witness cosigned; 0 for none."""

    async def quorum_size(self, witnesses: Sequence[str], quorum: int) -> int:
        """The largest size that so many of the witnesses cosigned; 0 for none."""

    async def add_cosignature(self, size: int, witness: str, timestamp: int, line: str) -> None:
        """Store a cosignature, seconds since 1970; without effect when it is there."""
