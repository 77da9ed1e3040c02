"""Time-stamp tokens in the database; implements ``TimestampStore``."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

import asyncpg

from gateway.core.errors import ErrorCode
from gateway.core.port.timestamp import StoredToken, TimestampGap
from gateway.ledger.connection import fetch
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("timestamp")


class TokenStore:
    """Tokens and gaps as the gateway writes them and oversight reads them.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``, or of ``fasttrack_oversight`` to read only.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def stamped_size(self) -> int:
        """Read the largest size that has a token; 0 for none.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["stamped_size"])
        return rows[0]["size"] if rows else 0

    async def token_for(self, size: int) -> StoredToken | None:
        """Read the token that says the most of a size: that of the smallest checkpoint which contains it.

        Args:
            size: number of leaves.

        Returns:
            the token; None when none is that large yet.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["token"], size)
        if not rows:
            return None
        row = rows[0]
        return StoredToken(row["size"], row["note_sha256"], row["stamped_at"].astimezone(UTC), row["token"])

    async def open_gap(self) -> TimestampGap | None:
        """Read the gap that no token has filled yet.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["open_gap"])
        if not rows:
            return None
        row = rows[0]
        return TimestampGap(row["size"], row["noticed_at"].astimezone(UTC), ErrorCode(row["code"]))

    async def add_token(self, token: StoredToken) -> None:
        """Store a token; without effect when its size has one.

        Args:
            token: verified.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        await fetch(self._pool, _SQL["add_token"], token.size, token.stamped_at, token.digest, token.token)

    async def add_gap(self, gap: TimestampGap) -> None:
        """Store a gap; without effect when one is there that no token has filled.

        Args:
            gap: where it begins.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        await fetch(self._pool, _SQL["add_gap"], gap.size, gap.noticed_at, int(gap.code))
