"""Tokens and gaps in a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.core.errors import ErrorCode
from gateway.core.timestamp_port import StoredToken, TimestampGap
from gateway.ledger.timestamp import TokenStore
from tests.integration.ledger.act import as_role

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def token_of(size: int, text: bytes = b"token") -> StoredToken:
    """A token for a size."""
    return StoredToken(size, bytes(32), NOW + timedelta(seconds=size), text)


def gap_of(size: int) -> TimestampGap:
    """A gap from a size on."""
    return TimestampGap(size, NOW, ErrorCode.TIMESTAMP_UNAVAILABLE)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool of the gateway's role."""
    async with asyncpg.create_pool(as_role(database_url, "fasttrack_gateway"), min_size=1, max_size=2) as pool:
        yield pool


async def test_token_store_gives_the_smallest_token_that_covers_a_size(pool: asyncpg.Pool[Any]) -> None:
    """A size between two tokens is covered by the later one; the first token of a size stays."""
    store = TokenStore(pool)
    assert await store.stamped_size() == 0
    assert await store.token_for(1) is None
    for token in (token_of(5), token_of(9), token_of(5, b"another")):
        await store.add_token(token)
    assert await store.stamped_size() == 9
    assert await store.token_for(5) == token_of(5)
    assert await store.token_for(6) == token_of(9)
    assert await store.token_for(10) is None


async def test_token_store_keeps_one_gap_until_a_token_fills_it(pool: asyncpg.Pool[Any]) -> None:
    """An outage is one row, however often it is noticed, and is filled by the next token."""
    store = TokenStore(pool)
    for size in (3, 4, 5):
        await store.add_gap(gap_of(size))
    assert await store.open_gap() == gap_of(3)
    await store.add_token(token_of(6))
    assert await store.open_gap() is None
    await store.add_gap(gap_of(8))
    assert await store.open_gap() == gap_of(8)
    rows = await pool.fetch("SELECT size, filled_by_size FROM ledger.oversight_timestamp_gap ORDER BY size")
    assert [tuple(row) for row in rows] == [(3, 6), (8, None)]


async def test_token_store_of_oversight_reads_and_writes_nothing(database_url: str, pool: asyncpg.Pool[Any]) -> None:
    """Oversight sees tokens and gaps, and adds none."""
    await TokenStore(pool).add_token(token_of(5))
    async with asyncpg.create_pool(as_role(database_url, "fasttrack_oversight"), min_size=1, max_size=1) as reader:
        store = TokenStore(reader)
        assert await store.token_for(1) == token_of(5)
        assert await store.open_gap() is None
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await store.add_token(token_of(6))
