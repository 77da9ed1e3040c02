"""The witness of an agency: it remembers before it signs, and stops when it has forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from gateway.core.log.cosignature import verify_cosignature
from gateway.core.log.note import parse_note, parse_signature_line
from gateway.core.log.witness import WitnessFault, WitnessRefusedError, to_request
from gateway.core.port.seal import MemoryLostError, SeenTree
from gateway.flows.cosign import (
    REFRESH_SECONDS,
    Cosigner,
    LogShrankError,
    LostStateError,
    Offer,
    follow_once,
    run_witness,
)
from tests.support.fake_ledger import FakeClock
from tests.support.fake_seal import FakeMemory
from tests.support.notes import MemoryLog

LOG = MemoryLog.of(9)
KEY = LOG.witnesses[0]


@dataclass(slots=True)
class FakeGateway:
    """Offers a log to a witness; implements ``WitnessGateway``.

    Args:
        log: what is shown.
        size: how much of it.
        lines: cosignatures handed in.
        failure: raised by the next cosignature that is handed in, once.
        waits: polls that wait for ever.
    """

    log: MemoryLog = field(default_factory=lambda: LOG)
    size: int = 9
    lines: dict[int, str] = field(default_factory=dict)
    failure: Exception | None = None
    waits: bool = False

    async def poll_checkpoint(self, witness: str, known_size: int, *, wait_seconds: int) -> Offer:
        """Show the log."""
        if self.waits:
            await asyncio.Event().wait()
        if not self.size:
            return Offer(cosigned_size=max(self.lines, default=0))
        proof = self.log.consistency(known_size, self.size) if known_size <= self.size else []
        return Offer(self.size, self.log.checkpoint(self.size).to_bytes(), tuple(proof), max(self.lines, default=0))

    async def add_cosignature(self, size: int, line: str) -> None:
        """Take a cosignature."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.lines[size] = line


@dataclass(slots=True)
class FakeObserver:
    """Keeps what it is told, and stops the process after so much of it."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[tuple[str, int]] = field(default_factory=list)
    enough: int = 1

    def _keep(self, what: str, size: int) -> None:
        self.told.append((what, size))
        if len(self.told) >= self.enough:
            self.stop.set()

    def cosigned(self, size: int) -> None:
        """Keep it."""
        self._keep("cosigned", size)

    def refused(self, fault: str, size: int) -> None:
        """Keep it."""
        self._keep(fault, size)

    def unavailable(self) -> None:
        """Keep it."""
        self._keep("unavailable", 0)


def make_cosigner(size: int = 0) -> tuple[Cosigner, FakeMemory, FakeClock]:
    """A witness that has seen so many leaves."""
    memory = FakeMemory(SeenTree(LOG.origin, size, LOG.head(size).root))
    clock = FakeClock()
    return Cosigner(memory, KEY, LOG.key.verifier, clock), memory, clock


async def test_witness_cosigns_what_continues_its_tree_and_hands_it_in() -> None:
    """The cosignature verifies, is of now, and the tree is remembered."""
    cosigner, memory, clock = make_cosigner(5)
    gateway = FakeGateway()
    assert await follow_once(cosigner, gateway, wait_seconds=0) == 9
    signature = parse_signature_line(gateway.lines[9].rstrip("\n"))
    assert verify_cosignature(LOG.head().to_text(), signature, KEY.verifier) == int(clock().timestamp())
    assert memory.tree == SeenTree(LOG.origin, 9, LOG.head().root)
    assert len(parse_note(cosigner.latest).signatures) == 2


async def test_witness_without_news_says_nothing_until_it_is_due() -> None:
    """The same tree is cosigned again only after a while, with the new time."""
    cosigner, memory, clock = make_cosigner(5)
    gateway = FakeGateway()
    await follow_once(cosigner, gateway, wait_seconds=0)
    first = gateway.lines[9]
    clock.advance(seconds=REFRESH_SECONDS - 1)
    assert await follow_once(cosigner, gateway, wait_seconds=0) == 0
    clock.advance(seconds=1)
    assert await follow_once(cosigner, gateway, wait_seconds=0) == 9
    assert gateway.lines[9] != first
    assert memory.tree.size == 9


async def test_witness_that_cannot_remember_does_not_sign() -> None:
    """Memory first: a cosignature that was not remembered could be contradicted."""
    cosigner, memory, _ = make_cosigner(5)
    memory.is_broken = True
    gateway = FakeGateway()
    with pytest.raises(MemoryLostError):
        await follow_once(cosigner, gateway, wait_seconds=0)
    assert gateway.lines == {}
    assert cosigner.latest == b""


async def test_witness_killed_before_it_handed_in_does_so_afterwards() -> None:
    """What was remembered and never said is said after the restart."""
    cosigner, memory, clock = make_cosigner(5)
    gateway = FakeGateway(failure=ConnectionError())
    with pytest.raises(ConnectionError):
        await follow_once(cosigner, gateway, wait_seconds=0)
    again = Cosigner(memory, KEY, LOG.key.verifier, clock)
    assert await follow_once(again, gateway, wait_seconds=0) == 9


async def test_witness_older_than_its_own_word_stops() -> None:
    """The gateway has more of this key than it remembers: its state was restored."""
    cosigner, memory, _ = make_cosigner(5)
    with pytest.raises(LostStateError):
        await follow_once(cosigner, FakeGateway(lines={7: "—"}), wait_seconds=0)
    assert memory.swaps == 0


@pytest.mark.parametrize("size", [0, 4])
async def test_witness_shown_a_smaller_log_says_so(size: int) -> None:
    """A log that lost entries is no news to wait for."""
    cosigner, memory, _ = make_cosigner(5)
    with pytest.raises(LogShrankError):
        await follow_once(cosigner, FakeGateway(size=size), wait_seconds=0)
    assert memory.swaps == 0


@pytest.mark.parametrize("size", [5, 9])
async def test_witness_shown_a_fork_refuses(size: int) -> None:
    """Another history under the same key is refused, as large or larger."""
    cosigner, memory, _ = make_cosigner(5)
    gateway = FakeGateway(MemoryLog.of(9, "fork"), size=size, lines={5: "—"})
    with pytest.raises(WitnessRefusedError) as refused:
        await follow_once(cosigner, gateway, wait_seconds=0)
    assert refused.value.fault is WitnessFault.INCONSISTENT
    assert (memory.swaps, gateway.lines) == (0, {5: "—"})


async def test_witness_asked_twice_at_once_cosigns_one_after_the_other() -> None:
    """Two callers cannot make it go back: the second meets the tree that the first left."""
    cosigner, memory, _ = make_cosigner(5)
    made = to_request(5, tuple(LOG.consistency(5, 7)), LOG.checkpoint(7).to_bytes())
    larger = to_request(5, tuple(LOG.consistency(5, 9)), LOG.checkpoint(9).to_bytes())
    results = await asyncio.gather(cosigner.add(larger), cosigner.add(made), return_exceptions=True)
    assert isinstance(results[1], WitnessRefusedError) and results[1].known_size == 9
    assert memory.tree.size == 9


async def test_witness_process_tells_what_it_does_and_stops_when_told() -> None:
    """It goes on after a refusal, and a poll that waits does not keep it."""
    cosigner, _, _ = make_cosigner(5)
    observer = FakeObserver(enough=2)
    gateway = FakeGateway(failure=ConnectionError())
    await run_witness(cosigner, gateway, observer, observer.stop, unreachable=(ConnectionError,), pause_seconds=0.01)
    assert observer.told == [("unavailable", 0), ("cosigned", 9)]
    waiting = FakeGateway(waits=True)
    stop = asyncio.Event()
    running = asyncio.create_task(run_witness(cosigner, waiting, observer, stop, unreachable=()))
    await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_witness_process_raises_the_alarm_for_a_fork_and_ends_when_its_state_is_lost() -> None:
    """A fork is an alarm, again and again; a lost state ends the process."""
    cosigner, memory, _ = make_cosigner(5)
    observer = FakeObserver(enough=2)
    fork = FakeGateway(MemoryLog.of(9, "fork"))
    await run_witness(cosigner, fork, observer, observer.stop, unreachable=(), pause_seconds=0.01)
    assert observer.told == [("inconsistent", 5), ("inconsistent", 5)]
    shrunk = FakeObserver()
    await run_witness(cosigner, replace(fork, size=3), shrunk, shrunk.stop, unreachable=(), pause_seconds=0.01)
    assert shrunk.told == [("smaller_tree", 3)]
    memory.is_broken = True
    lost = FakeObserver()
    with pytest.raises(MemoryLostError):
        await run_witness(cosigner, FakeGateway(), lost, lost.stop, unreachable=(), pause_seconds=0.01)
    assert lost.told == [("state_lost", 5)]
