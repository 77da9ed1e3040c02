"""The stamper as a process of its own, against an authority that comes and goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.cli.local_process import LocalProcess
from gateway.core.errors import ErrorCode
from gateway.ledger.checkpoint import CheckpointStore
from gateway.ledger.pool import open_pool
from gateway.ledger.timestamp import TokenStore
from gateway.trust.timestamp import verify_token
from tests.integration.ledger.act import as_role
from tests.integration.seal.conftest import WITNESSES, SealedLog
from tests.support.tsa import LocalTsa, http_reply, rejection, serve

INTERVAL_SECONDS = 0.1


class Authority:
    """A time-stamp authority that a test can take away and bring back.

    Args:
        tsa: makes the tokens.
        is_away: whether it hangs up on whoever asks.
        is_unwilling: whether it answers and gives no token.
        refused: how often it did so.
    """

    def __init__(self) -> None:
        self.tsa = LocalTsa(now=datetime.now(UTC).replace(microsecond=0))
        self.is_away = False
        self.is_unwilling = False
        self.refused = 0

    def reply(self, request: bytes) -> bytes:
        """Every byte of the answer."""
        self.refused += self.is_unwilling
        if self.is_away:
            return b""
        return http_reply(rejection() if self.is_unwilling else self.tsa.answer(request))


def local_stamper(log: SealedLog, authority: Authority, url: str, interval_seconds: float) -> LocalProcess:
    """A stamper that asks an authority at an address, and trusts its CA."""
    roots = log.home / "tsa-roots.pem"
    roots.write_bytes(authority.tsa.ca.certificate.public_bytes(Encoding.PEM))
    environ = {
        "FASTTRACK_DATABASE_URL": log.gateway.database_url,
        "FASTTRACK_TSA_URL": url,
        "FASTTRACK_TSA_ROOTS": str(roots),
        "FASTTRACK_TSA_INTERVAL_SECONDS": str(interval_seconds),
    }
    return LocalProcess("stamper", ["stamper"], environ, log.home / "stamper")


@asynccontextmanager
async def stamping(log: SealedLog, authority: Authority) -> AsyncIterator[LocalProcess]:
    """Run a stamper that asks an authority."""
    async with serve(authority.reply) as url:
        process = local_stamper(log, authority, url, INTERVAL_SECONDS)
        await asyncio.to_thread(process.start)
        try:
            yield process
        finally:
            await asyncio.to_thread(process.stop)


@pytest.fixture
async def pool(log: SealedLog) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool of oversight."""
    url = as_role(log.gateway.dsn, "fasttrack_oversight")
    async with await open_pool(url, max_connections=1) as pool:
        yield pool


async def until(is_so: Callable[[], Any]) -> Any:
    """Wait for something; the test itself ends in time when it never comes."""
    while not (found := await is_so()):
        await asyncio.sleep(0.02)
    return found


async def test_stamper_with_an_authority_away_stops_nothing_and_fills_the_gap(
    log: SealedLog, pool: asyncpg.Pool[Any]
) -> None:
    """Handoffs are sealed meanwhile, the gap is one row, and the first token afterwards covers all of them."""
    authority, tokens, checkpoints = Authority(), TokenStore(pool), CheckpointStore(pool)
    log.start_all(WITNESSES[:2])
    async with stamping(log, authority) as process, log.client() as client:
        first = await log.submit()
        token = await until(lambda: tokens.token_for(1))
        authority.is_away = True
        second = await log.submit()
        gap = await until(tokens.open_gap)
        assert (gap.code, gap.size > token.size) == (ErrorCode.TIMESTAMP_UNAVAILABLE, True)
        third = await log.submit()
        for handoff in (first, second, third):
            assert all((await client.get_receipt(handoff, wait_seconds=20)).sealed)
        authority.is_away, authority.is_unwilling = False, True
        while not authority.refused:
            await asyncio.sleep(0.02)
        assert await tokens.open_gap() == gap
        authority.is_unwilling = False
        await until(lambda: _is_none(tokens.open_gap))
        later = await tokens.token_for(gap.size)
    assert later is not None
    for stored in (token, later):
        note = await checkpoints.of_size(stored.size)
        assert note is not None and stored.digest == sha256(note).digest()
        assert verify_token(stored.token, stored.digest, authority.tsa.roots) == stored.stamped_at
    rows = await pool.fetch("SELECT size, filled_by_size FROM ledger.oversight_timestamp_gap")
    assert [tuple(row) for row in rows] == [(gap.size, later.size)]
    _assert_log(process.log)


async def _is_none(ask: Callable[[], Any]) -> bool:
    return await ask() is None


def _assert_log(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    events = [(line["event"], line.get("code")) for line in lines if line["logger"] == "gateway.stamper"]
    assert ("stamped", None) in events
    assert ("no time stamp", "TIMESTAMP_UNAVAILABLE") in events


async def test_stamper_once_says_whether_there_is_a_token(log: SealedLog, pool: asyncpg.Pool[Any]) -> None:
    """A timer of the operator's own gets status 3 for a gap and 0 for a token."""
    authority = Authority()
    log.signer().start("--init")
    await log.submit()
    await until(CheckpointStore(pool).latest)
    async with serve(authority.reply) as url:
        for is_away, status in ((True, 3), (False, 0), (False, 0)):
            authority.is_away = is_away
            process = local_stamper(log, authority, url, 1)
            await asyncio.to_thread(process.start, "--once")
            assert await asyncio.to_thread(process.wait) == status
    assert len(authority.tsa.requests) == 1
