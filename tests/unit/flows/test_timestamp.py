"""Stamping checkpoints: each gets a token, and an authority that is away stops nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

import pytest

from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.port.seal import StoredCheckpoint
from gateway.core.port.timestamp import StoredToken, TimestampGap
from gateway.flows.timestamp import FAULTS, Stamper, run_stamper
from gateway.trust.timestamp import TimestampAuthority, verify_token
from tests.support.pki import NOW
from tests.support.tsa import LocalTsa, http_reply, serve


@dataclass
class FakeLedger:
    """Checkpoints, tokens and gaps in memory."""

    size: int = 0
    tokens: list[StoredToken] = field(default_factory=list)
    gaps: list[TimestampGap] = field(default_factory=list)
    is_away: bool = False

    async def latest(self) -> StoredCheckpoint | None:
        """The checkpoint of the present size."""
        if self.is_away:
            raise refuse(ErrorCode.LEDGER_UNAVAILABLE)
        return StoredCheckpoint(self.size, b"note %d" % self.size, NOW) if self.size else None

    async def stamped_size(self) -> int:
        """The largest size with a token."""
        return max((token.size for token in self.tokens), default=0)

    async def add_token(self, token: StoredToken) -> None:
        """Keep a token."""
        self.tokens.append(token)

    async def add_gap(self, gap: TimestampGap) -> None:
        """Keep a gap unless one is open."""
        if not self.gaps or self.gaps[-1].size <= await self.stamped_size():
            self.gaps.append(gap)


@dataclass
class FakeAuthority:
    """An authority that gives a token, or fails with a code."""

    fault: ErrorCode | None = None
    asked: int = 0

    async def request_token(self, digest: bytes) -> bytes:
        """A token that repeats the digest."""
        self.asked += 1
        if self.fault is not None:
            raise refuse(self.fault)
        return b"token " + digest

    def verify_token(self, token: bytes, digest: bytes) -> datetime:
        """The time of a token of ours."""
        if token != b"token " + digest:
            raise refuse(ErrorCode.TIMESTAMP_INVALID)
        return NOW + timedelta(seconds=1)


def stamper_of(ledger: FakeLedger, authority: FakeAuthority) -> Stamper:
    """A stamper of both."""
    return Stamper(
        checkpoints=ledger,
        store=ledger,
        request_token=authority.request_token,
        verify_token=authority.verify_token,
        clock=lambda: NOW,
    )


async def test_stamp_new_checkpoint_gets_one_token() -> None:
    """Each size is stamped once, over the SHA-256 of its note; without news nobody is asked."""
    ledger, authority = FakeLedger(), FakeAuthority()
    stamper = stamper_of(ledger, authority)
    assert await stamper.stamp() is None
    ledger.size = 7
    digest = sha256(b"note 7").digest()
    assert await stamper.stamp() == StoredToken(7, digest, NOW + timedelta(seconds=1), b"token " + digest)
    assert await stamper.stamp() is None
    ledger.size = 9
    await stamper.stamp()
    assert [token.size for token in ledger.tokens] == [7, 9]
    assert authority.asked == 2


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_stamp_authority_that_fails_leaves_one_gap_that_the_next_token_fills(fault: ErrorCode) -> None:
    """A gap is recorded where it begins, once, and ends with the next token; another failure begins another gap."""
    ledger, authority = FakeLedger(size=7), FakeAuthority(fault)
    stamper = stamper_of(ledger, authority)
    assert await stamper.stamp() == TimestampGap(7, NOW, fault)
    ledger.size = 8
    await stamper.stamp()
    assert [gap.size for gap in ledger.gaps] == [7]
    authority.fault = None
    ledger.size = 9
    assert isinstance(await stamper.stamp(), StoredToken)
    authority.fault = fault
    ledger.size = 10
    await stamper.stamp()
    assert [gap.size for gap in ledger.gaps] == [7, 10]
    assert [token.size for token in ledger.tokens] == [9]


async def test_stamp_token_that_does_not_verify_is_not_stored() -> None:
    """What the authority sends is judged before it is kept."""
    ledger, authority = FakeLedger(size=7), FakeAuthority()
    wrong = partial(authority.verify_token, b"other")
    stamper = replace(stamper_of(ledger, authority), verify_token=lambda _token, digest: wrong(digest))
    assert await stamper.stamp() == TimestampGap(7, NOW, ErrorCode.TIMESTAMP_INVALID)
    assert ledger.tokens == []


async def test_stamp_other_fault_is_not_a_gap() -> None:
    """A database that is away says nothing about the authority."""
    ledger = FakeLedger(size=7, is_away=True)
    with pytest.raises(GatewayError):
        await stamper_of(ledger, FakeAuthority()).stamp()
    assert ledger.gaps == []


@dataclass
class Observer:
    """Writes down what it is told; after each step the world goes on, and stops after the last."""

    ledger: FakeLedger
    authority: FakeAuthority
    stop: asyncio.Event
    told: list[tuple[str, int]] = field(default_factory=list)

    def stamped(self, size: int) -> None:
        """The end."""
        self.told.append(("stamped", size))
        self.stop.set()

    def missed(self, code: ErrorCode, size: int) -> None:
        """Then the database goes away."""
        self.told.append((code.name, size))
        self.ledger.is_away = True

    def unavailable(self) -> None:
        """Then everything is well again, and the ledger has grown meanwhile."""
        self.told.append(("unavailable", 0))
        self.ledger.is_away, self.authority.fault, self.ledger.size = False, None, 12


async def test_run_stamper_goes_on_through_every_outage_until_it_is_stopped() -> None:
    """Authority and database may be away, one after the other; the loop goes on, and the gap is filled."""
    ledger, authority, stop = FakeLedger(size=7), FakeAuthority(ErrorCode.TIMESTAMP_UNAVAILABLE), asyncio.Event()
    observer = Observer(ledger, authority, stop)
    await asyncio.wait_for(run_stamper(stamper_of(ledger, authority), observer, stop, interval_seconds=0.001), 30)
    assert observer.told == [("TIMESTAMP_UNAVAILABLE", 7), ("unavailable", 0), ("stamped", 12)]
    assert [gap.size for gap in ledger.gaps] == [7]


async def test_stamp_with_a_real_authority_stores_a_token_that_verifies() -> None:
    """Over HTTP, with real tokens, what is stored is evidence for the note."""
    ledger, tsa = FakeLedger(size=7), LocalTsa()
    async with serve(lambda request: http_reply(tsa.answer(request))) as url:
        stamper = Stamper(
            checkpoints=ledger,
            store=ledger,
            request_token=TimestampAuthority(url, tsa.roots).request_token,
            verify_token=partial(verify_token, roots=tsa.roots),
            clock=lambda: NOW,
        )
        stored = await stamper.stamp()
    assert isinstance(stored, StoredToken)
    assert verify_token(stored.token, sha256(b"note 7").digest(), tsa.roots) == stored.stamped_at == NOW
