"""A time-stamp token for each new checkpoint. The authority may be away: nothing waits for it, and the gap is recorded.

A tree contains every tree before it, so a token for a later checkpoint says of all the earlier ones too that they
existed by then. That is how the next token fills a gap, and why a checkpoint that was passed over is never stamped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.port.flow import Clock
from gateway.core.port.timestamp import LatestCheckpoint, StoredToken, TimestampGap, TimestampStore

FAULTS: Final = frozenset(
    {ErrorCode.TIMESTAMP_UNAVAILABLE, ErrorCode.TIMESTAMP_REFUSED, ErrorCode.TIMESTAMP_INVALID},
)
MAX_PAUSE_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamper:
    """Stamps the checkpoints of one ledger.

    Args:
        checkpoints: tells the newest one.
        store: keeps tokens and gaps.
        request_token: asks the authority for a token for a SHA-256 digest.
        verify_token: gives the time of a token for a digest, or raises.
        clock: time now.
    """

    checkpoints: LatestCheckpoint
    store: TimestampStore
    request_token: Callable[[bytes], Awaitable[bytes]]
    verify_token: Callable[[bytes, bytes], datetime]
    clock: Clock

    async def stamp(self) -> StoredToken | TimestampGap | None:
        """Stamp the newest checkpoint, once.

        Returns:
            the stored token; the gap when the authority gave none; None when there is nothing to stamp.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        checkpoint = await self.checkpoints.latest()
        if checkpoint is None or checkpoint.size <= await self.store.stamped_size():
            return None
        digest = sha256(checkpoint.note).digest()
        try:
            token = await self.request_token(digest)
            stamped_at = self.verify_token(token, digest)
        except GatewayError as error:
            if error.code not in FAULTS:
                raise
            gap = TimestampGap(checkpoint.size, self.clock(), error.code)
            await self.store.add_gap(gap)
            return gap
        stored = StoredToken(checkpoint.size, digest, stamped_at, token)
        await self.store.add_token(stored)
        return stored


class StampObserver(Protocol):
    """Told what becomes of the stamping."""

    def stamped(self, size: int) -> None:
        """A token was stored; every gap up to this size is filled."""

    def missed(self, code: ErrorCode, size: int) -> None:
        """The authority gave no token; it is asked again."""

    def unavailable(self) -> None:
        """The database cannot be reached; it is tried again."""


async def run_stamper(
    stamper: Stamper, observer: StampObserver, stop: asyncio.Event, *, interval_seconds: float
) -> None:
    """Stamp until told to stop.

    Args:
        stamper: stamps.
        observer: is told.
        stop: set it to stop.
        interval_seconds: pause between two looks at the ledger; after each failure in a row it doubles, up to five
            minutes, so that an authority that is in trouble is left in peace.
    """
    pause_seconds = interval_seconds
    while not stop.is_set():
        try:
            result = await stamper.stamp()
        except GatewayError:
            observer.unavailable()
            result = None
        if isinstance(result, TimestampGap):
            observer.missed(result.code, result.size)
            pause_seconds = min(2 * pause_seconds, max(MAX_PAUSE_SECONDS, interval_seconds))
        else:
            pause_seconds = interval_seconds
        if isinstance(result, StoredToken):
            observer.stamped(result.size)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_seconds)
