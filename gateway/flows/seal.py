"""The signer: it signs a head of the ledger only when it has followed every entry to it.

It keeps the right edge of the tree itself and re-hashes each new entry from its record, so that the new tree begins
with the old one by construction. What it is to sign must then be what the ledger states. A fork, a smaller tree or a
restored backup meets another root, and is refused for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from gateway.core.entry import from_leaf, leaf_hash
from gateway.core.errors import GatewayError
from gateway.core.log.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from gateway.core.log.merkle import Frontier
from gateway.core.log.note import NoteError, NoteKey, parse_note
from gateway.core.port.flow import Clock
from gateway.core.port.ledger import StoredEntry, TreeHead
from gateway.core.port.seal import MemoryLostError, SealLedger, SeenTree, StoredCheckpoint, TreeMemory


class SealFault(StrEnum):
    """Why the signer refuses; words of its log line and of the alarm metric, never renamed."""

    SMALLER_TREE = "smaller_tree"
    FORK = "fork"
    ENTRY_MISSING = "entry_missing"
    ENTRY_MISMATCH = "entry_mismatch"
    STATE_OLD = "state_old"
    STATE_LOST = "state_lost"
    CHECKPOINT_INVALID = "checkpoint_invalid"


class SealRefusedError(Exception):
    """The signer signs nothing.

    Args:
        fault: why.
        size: tree or entry that it is about.
    """

    def __init__(self, fault: SealFault, size: int) -> None:
        super().__init__(f"{fault} at {size}")
        self.fault = fault
        self.size = size


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Signs heads of one ledger.

    Args:
        ledger: what is read and where checkpoints go.
        memory: the last tree that was signed.
        key: of the log; its name is the origin.
        clock: time now.
        refresh: a head is stored again after so long without a new one.
    """

    ledger: SealLedger
    memory: TreeMemory
    key: NoteKey
    clock: Clock
    refresh: timedelta = timedelta(minutes=10)

    async def seal(self) -> StoredCheckpoint | None:
        """Sign the present head, once.

        1. What was signed before is not newer than the memory. 2. The ledger has not become smaller. 3. Its new entries
        hash to the root that it states. 4. The memory is durable. 5. Only then it is signed and stored.

        Returns:
            the checkpoint; None when there is nothing to say.

        Raises:
            SealRefusedError: a step failed.
            GatewayError: LEDGER_UNAVAILABLE.
        """
        tree = self.memory.tree
        last = await self.ledger.last_checkpoint()
        self._require_newest(tree, last)
        head = await self.ledger.head()
        if head.size < tree.size:
            raise SealRefusedError(SealFault.SMALLER_TREE, head.size)
        if head.size == tree.size:
            if head.root != tree.root:
                raise SealRefusedError(SealFault.FORK, head.size)
            if head.size == 0 or not self._is_due(tree, last):
                return None
        else:
            frontier = await self._extend(tree, head)
            new = SeenTree(self.key.name, frontier.size, frontier.root(), frontier.to_bytes())
            try:
                await self.memory.swap(tree, new)
            except MemoryLostError as error:
                raise SealRefusedError(SealFault.STATE_LOST, tree.size) from error
        note = sign_checkpoint(Checkpoint(self.key.name, head.size, head.root), self.key)
        checkpoint = StoredCheckpoint(head.size, note.to_bytes(), self.clock())
        await self.ledger.add_checkpoint(checkpoint)
        return checkpoint

    def _require_newest(self, tree: SeenTree, last: StoredCheckpoint | None) -> None:
        """A memory restored from an older copy would let a fork pass, so the ledger's own word is asked too."""
        if last is None:
            return
        if last.size > tree.size:
            raise SealRefusedError(SealFault.STATE_OLD, last.size)
        try:
            signed = parse_checkpoint(parse_note(last.note).text)
        except NoteError as error:
            raise SealRefusedError(SealFault.CHECKPOINT_INVALID, last.size) from error
        if (signed.origin, signed.size) != (self.key.name, last.size):
            raise SealRefusedError(SealFault.CHECKPOINT_INVALID, last.size)
        if last.size == tree.size and signed.root != tree.root:
            raise SealRefusedError(SealFault.FORK, last.size)

    def _is_due(self, tree: SeenTree, last: StoredCheckpoint | None) -> bool:
        """Whether a head that was signed before is stored (again): after a crash before it was, or to show a pulse."""
        return last is None or last.size < tree.size or self.clock() - last.signed_at >= self.refresh

    async def _extend(self, tree: SeenTree, head: TreeHead) -> Frontier:
        frontier = Frontier.from_bytes(tree.size, tree.frontier)
        async for entry in self.ledger.leaves(tree.size, head.size):
            if entry.index != frontier.size:
                raise SealRefusedError(SealFault.ENTRY_MISSING, frontier.size)
            frontier.append(self._leaf_hash(entry))
        if frontier.size != head.size:
            raise SealRefusedError(SealFault.ENTRY_MISSING, frontier.size)
        if frontier.root() != head.root:
            raise SealRefusedError(SealFault.FORK, head.size)
        return frontier

    def _leaf_hash(self, entry: StoredEntry) -> bytes:
        digest = leaf_hash(entry.leaf)
        try:
            record = from_leaf(entry.leaf)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SealRefusedError(SealFault.ENTRY_MISMATCH, entry.index) from error
        if digest != entry.leaf_hash or (record.index, record.origin) != (entry.index, self.key.name):
            raise SealRefusedError(SealFault.ENTRY_MISMATCH, entry.index)
        return digest


class SealObserver(Protocol):
    """Told what the signer does."""

    def sealed(self, size: int) -> None:
        """A checkpoint was stored."""

    def refused(self, fault: str, size: int) -> None:
        """Nothing is signed: the alarm."""

    def unavailable(self) -> None:
        """The database cannot be reached; it is tried again."""


async def run_sealer(sealer: Sealer, observer: SealObserver, stop: asyncio.Event, *, interval_seconds: float) -> None:
    """Sign until told to stop; a refusal is repeated as long as its cause is there, for the alarm must not go out.

    Args:
        sealer: signs.
        observer: is told.
        stop: set it to stop.
        interval_seconds: pause between two looks at the ledger.
    """
    while not stop.is_set():
        try:
            checkpoint = await sealer.seal()
            if checkpoint is not None:
                observer.sealed(checkpoint.size)
        except SealRefusedError as refusal:
            observer.refused(refusal.fault, refusal.size)
        except GatewayError:
            observer.unavailable()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_seconds)
