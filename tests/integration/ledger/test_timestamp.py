"""Tokens and gaps in a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from gateway.core.errors import ErrorCode
from gateway.core.port.seal import StoredCheckpoint
from gateway.core.port.timestamp import StoredToken, TimestampGap
from gateway.flows.timestamp import Stamper
from gateway.ledger.checkpoint import CheckpointStore, SignerLedger
from gateway.ledger.pool import open_pool
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
    async with await open_pool(as_role(database_url, "fasttrack_gateway"), max_connections=2) as pool:
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


async def test_stamper_on_a_real_database_stamps_the_newest_checkpoint(
    database_url: str, pool: asyncpg.Pool[Any]
) -> None:
    """What the signer stored is what is stamped, and the token is found for every size below."""
    async with await open_pool(as_role(database_url, "fasttrack_signer"), max_connections=1) as signer:
        for size in (3, 7):
            await SignerLedger(signer).add_checkpoint(StoredCheckpoint(size, b"note %d" % size, NOW))

    async def request_token(digest: bytes) -> bytes:
        return b"token " + digest

    stamper = Stamper(
        checkpoints=CheckpointStore(pool),
        store=TokenStore(pool),
        request_token=request_token,
        verify_token=lambda _token, _digest: NOW,
        clock=lambda: NOW,
    )
    digest = sha256(b"note 7").digest()
    assert await stamper.stamp() == StoredToken(7, digest, NOW, b"token " + digest)
    assert await stamper.stamp() is None
    found = await TokenStore(pool).token_for(3)
    assert found is not None and found.size == 7


async def test_token_store_of_oversight_reads_and_writes_nothing(database_url: str, pool: asyncpg.Pool[Any]) -> None:
    """Oversight sees tokens and gaps, and adds none."""
    await TokenStore(pool).add_token(token_of(5))
    async with await open_pool(as_role(database_url, "fasttrack_oversight"), max_connections=1) as reader:
        store = TokenStore(reader)
        assert await store.token_for(1) == token_of(5)
        assert await store.open_gap() is None
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await store.add_token(token_of(6))
