"""The witness of an agency: it remembers the last tree, and cosigns only what continues it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.core.log.cosignature import cosign
from gateway.core.log.note import NoteKey, Signature, VerifierKey
from gateway.core.log.witness import AddCheckpoint, WitnessRefusedError, judge_checkpoint, to_request
from gateway.core.port.flow import Clock
from gateway.core.port.seal import MemoryLostError, SeenTree, TreeMemory

REFRESH_SECONDS: Final = 600
_BREATH_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Offer:
    """What the gateway offers to a witness.

    Args:
        size: of the newest checkpoint; 0 when nothing was signed yet.
        checkpoint: its note.
        proof: consistency proof from the size that the witness named.
        cosigned_size: largest size for which the gateway has a cosignature of this witness; 0 for none.
    """

    size: int = 0
    checkpoint: bytes = b""
    proof: tuple[bytes, ...] = ()
    cosigned_size: int = 0


class WitnessGateway(Protocol):
    """The gateway as a witness calls it."""

    async def poll_checkpoint(self, witness: str, known_size: int, *, wait_seconds: int) -> Offer:
        """Ask for a checkpoint."""

    async def add_cosignature(self, size: int, line: str) -> None:
        """Hand a cosignature in."""


class LostStateError(Exception):
    """The witness must not go on: what it remembers is older than what it said, or gone.

    Args:
        cosigned_size: what it cosigned, as the gateway has it.
        known_size: what it remembers.
    """

    def __init__(self, cosigned_size: int, known_size: int) -> None:
        super().__init__(f"cosigned {cosigned_size}, remembers {known_size}")
        self.cosigned_size = cosigned_size
        self.known_size = known_size


class LogShrankError(Exception):
    """The log shows a smaller tree than the one that was cosigned.

    Args:
        size: what it shows.
        known_size: what was cosigned.
    """

    def __init__(self, size: int, known_size: int) -> None:
        super().__init__(f"shows {size}, showed {known_size}")
        self.size = size
        self.known_size = known_size


class Cosigner:
    """Cosigns checkpoints of one log, one at a time.

    Args:
        memory: the last tree that was cosigned.
        key: of the witness.
        log: key of the log.
        clock: time now.
    """

    def __init__(self, memory: TreeMemory, key: NoteKey, log: VerifierKey, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._lock = asyncio.Lock()
        self.key = key
        self.log = log
        self.latest: bytes = b""
        """The last checkpoint with its cosignature; empty until one was cosigned by this process."""
        self.cosigned_at = 0
        """Seconds since 1970 of the last cosignature of this process."""

    @property
    def tree(self) -> SeenTree:
        """The last tree that was cosigned."""
        return self._memory.tree

    @property
    def is_busy(self) -> bool:
        """Whether a checkpoint is just being judged, remembered and cosigned."""
        return self._lock.locked()

    def check(self, request: AddCheckpoint) -> None:
        """Judge a checkpoint without cosigning it.

        Raises:
            WitnessRefusedError: it may not be cosigned.
        """
        judge_checkpoint(request, self._memory.tree, self.log)

    async def add(self, request: AddCheckpoint) -> Signature:
        """Judge, remember, then cosign; never in another order.

        Args:
            request: the checkpoint.

        Returns:
            the cosignature.

        Raises:
            WitnessRefusedError: it may not be cosigned.
            MemoryLostError: it could not be remembered; nothing was signed.
        """
        async with self._lock:
            seen = self._memory.tree
            new = judge_checkpoint(request, seen, self.log)
            # Also for the same tree: the swap finds out whether the file is still the one we know.
            await self._memory.swap(seen, new)
            timestamp = int(self._clock().timestamp())
            signature = cosign(request.note.text, self.key, timestamp)
            self.cosigned_at = timestamp
            log_lines = [line for line in request.note.signatures if self.log.is_named_by(line)]
            self.latest = type(request.note)(request.note.text, (*log_lines, signature)).to_bytes()
            return signature

    def is_refresh_due(self) -> bool:
        """Whether the last cosignature is so old that it should be made again."""
        return int(self._clock().timestamp()) - self.cosigned_at >= REFRESH_SECONDS


async def follow_once(cosigner: Cosigner, gateway: WitnessGateway, *, wait_seconds: int) -> int:
    """Ask the gateway once, and cosign what it offers.

    Args:
        cosigner: the witness.
        gateway: of the log.
        wait_seconds: how long the gateway may wait for news.

    Returns:
        size that was cosigned and handed in; 0 when there was nothing to say.

    Raises:
        LostStateError: the gateway has a cosignature of a larger tree than the witness remembers.
        LogShrankError: the log shows a smaller tree.
        WitnessRefusedError: the checkpoint is not of this log, not signed by it, or a fork.
        MemoryLostError: the state file was changed or cannot be written.
    """
    seen = cosigner.tree.size
    offer = await gateway.poll_checkpoint(cosigner.key.name, seen, wait_seconds=wait_seconds)
    if cosigner.tree.size != seen:
        # Somebody else (the HTTP endpoint) was faster; what was offered is for the tree before.
        return 0
    if offer.cosigned_size > seen:
        raise LostStateError(offer.cosigned_size, seen)
    if offer.size < seen:
        raise LogShrankError(offer.size, seen)
    if offer.size == 0:
        return 0
    request = to_request(seen, offer.proof, offer.checkpoint)
    cosigner.check(request)
    size = request.checkpoint.size
    if size == seen == offer.cosigned_size and not cosigner.is_refresh_due():
        return 0
    signature = await cosigner.add(request)
    await gateway.add_cosignature(size, signature.to_line())
    return size


async def _unless_stopped(cosigner: Cosigner, work: Coroutine[Any, Any, int], stop: asyncio.Event) -> int:
    """Give a poll up when the process is told to stop, but never what has begun to be remembered and cosigned."""
    following, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([following, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not following.done() and not cosigner.is_busy:
        following.cancel()
        await asyncio.wait([following])
        return 0
    return await following


class WitnessObserver(Protocol):
    """Told what the witness does."""

    def cosigned(self, size: int) -> None:
        """A cosignature was handed in."""

    def refused(self, fault: str, size: int) -> None:
        """Nothing is cosigned: the alarm."""

    def unavailable(self) -> None:
        """The gateway cannot be reached; it is tried again."""


async def run_witness(
    cosigner: Cosigner,
    gateway: WitnessGateway,
    observer: WitnessObserver,
    stop: asyncio.Event,
    *,
    unreachable: tuple[type[Exception], ...],
    pause_seconds: float = 1.0,
    wait_seconds: int = 20,
) -> None:
    """Follow a log until told to stop.

    Args:
        cosigner: the witness.
        gateway: of the log.
        observer: is told.
        stop: set it to stop.
        unreachable: what the gateway raises when it does not answer or refuses.
        pause_seconds: before the next attempt after anything went wrong.
        wait_seconds: how long the gateway may wait for news.

    Raises:
        LostStateError: the witness must not run on; somebody has to look.
        MemoryLostError: the same.
    """
    while not stop.is_set():
        pause = pause_seconds
        try:
            size = await _unless_stopped(cosigner, follow_once(cosigner, gateway, wait_seconds=wait_seconds), stop)
            # The gateway has waited already; this only keeps one that does not wait from being asked all the time.
            pause = _BREATH_SECONDS
            if size:
                observer.cosigned(size)
        except WitnessRefusedError as refusal:
            observer.refused(refusal.fault.name.lower(), cosigner.tree.size)
        except LogShrankError as shrank:
            observer.refused("smaller_tree", shrank.size)
        except (LostStateError, MemoryLostError) as lost:
            observer.refused("state_lost", cosigner.tree.size)
            raise lost from None
        except unreachable:
            observer.unavailable()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
