"""What the stamping of checkpoints needs from the world, as protocols."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.errors import ErrorCode
from gateway.core.port.seal import StoredCheckpoint


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A time-stamp token for a checkpoint.

    Args:
        size: of the checkpoint.
        digest: SHA-256 of its signed note, 32 bytes: what was stamped.
        stamped_at: time of the authority, aware UTC.
        token: ContentInfo of RFC 3161, DER.
    """

    size: int
    digest: bytes
    stamped_at: datetime
    token: bytes


@dataclass(frozen=True, slots=True)
class TimestampGap:
    """A stretch of checkpoints without a token; the first token of this size or a larger one fills it.

    Args:
        size: of the first checkpoint that got none.
        noticed_at: aware UTC.
        code: TIMESTAMP_UNAVAILABLE, TIMESTAMP_REFUSED or TIMESTAMP_INVALID.
    """

    size: int
    noticed_at: datetime
    code: ErrorCode


class LatestCheckpoint(Protocol):
    """Tells the newest checkpoint."""

    async def latest(self) -> StoredCheckpoint | None:
        """The last checkpoint of the largest size; None when nothing was signed yet."""


class TimestampStore(Protocol):
    """Keeps tokens and gaps."""

    async def stamped_size(self) -> int:
        """The largest size that has a token; 0 for none."""

    async def add_token(self, token: StoredToken) -> None:
        """Store a token; without effect when its size has one."""

    async def add_gap(self, gap: TimestampGap) -> None:
        """Store a gap; without effect when one is there that no token has filled."""
