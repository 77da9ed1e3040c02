"""The signer's steps and its loop, without a database: order of remembering and signing, pulse, alarm."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from gateway.core.entry import Entry as LedgerEntry
from gateway.core.entry import EntryKind, leaf_hash, to_leaf
from gateway.core.errors import ErrorCode, refuse
from gateway.core.log.checkpoint import verify_checkpoint
from gateway.core.log.merkle import Frontier
from gateway.core.port.ledger import StoredEntry, TreeHead
from gateway.core.port.seal import SeenTree
from gateway.flows.seal import Sealer, SealFault, SealRefusedError, run_sealer
from gateway.telemetry import METRIC_SEAL_ALARM, SealTelemetry
from tests.support.fake_ledger import FakeClock
from tests.support.fake_seal import FakeMemory, FakeSealLedger
from tests.support.notes import ORIGIN, make_key

KEY = make_key(ORIGIN)


@dataclass(slots=True)
class Rig:
    """A signer over fakes."""

    ledger: FakeSealLedger = field(default_factory=FakeSealLedger)
    memory: FakeMemory = field(default_factory=lambda: FakeMemory(SeenTree(ORIGIN)))
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def sealer(self) -> Sealer:
        """The signer."""
        return Sealer(ledger=self.ledger, memory=self.memory, key=KEY, clock=self.clock)

    def grow(self, count: int) -> None:
        """Append entries and state the new head."""
        for index in range(len(self.ledger.entries), len(self.ledger.entries) + count):
            leaf = to_leaf(
                LedgerEntry(
                    index=index, origin=ORIGIN, kind=EntryKind.CALL_REFUSED, recorded_at=self.clock(), actor="a",
                    act_id=str(index), content_sha256="0" * 64, salt=bytes(32),
                )
            )  # fmt: skip
            self.ledger.entries.append(StoredEntry(index, leaf, leaf_hash(leaf)))
        frontier = Frontier()
        for entry in self.ledger.entries:
            frontier.append(entry.leaf_hash)
        self.ledger.present = TreeHead(frontier.size, frontier.root())


@dataclass(slots=True)
class Observer:
    """Keeps what it is told, and stops the loop after so much of it."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[tuple[str, int]] = field(default_factory=list)
    enough: int = 1

    def refused(self, fault: str, size: int) -> None:
        """Keep it."""
        self.told.append((fault, size))
        if len(self.told) >= self.enough:
            self.stop.set()

    def sealed(self, size: int) -> None:
        """Keep it."""
        self.refused("sealed", size)

    def unavailable(self) -> None:
        """Keep it."""
        self.refused("unavailable", 0)


async def test_head_is_remembered_before_it_is_signed() -> None:
    """A signer that cannot remember signs nothing."""
    rig = Rig()
    rig.grow(3)
    rig.memory.is_broken = True
    with pytest.raises(SealRefusedError) as refused:
        await rig.sealer.seal()
    assert refused.value.fault is SealFault.STATE_LOST
    assert rig.ledger.checkpoints == []
    rig.memory.is_broken = False
    checkpoint = await rig.sealer.seal()
    assert checkpoint is not None
    assert verify_checkpoint(checkpoint.note, KEY.verifier)[0].root == rig.memory.tree.root


async def test_head_without_news_is_stored_again_as_a_pulse() -> None:
    """Every ten minutes, not earlier, and with no change of the memory."""
    rig = Rig()
    rig.grow(3)
    await rig.sealer.seal()
    rig.clock.advance(seconds=599)
    assert await rig.sealer.seal() is None
    rig.clock.advance(seconds=1)
    again = await rig.sealer.seal()
    assert again is not None
    assert again.note == rig.ledger.checkpoints[0].note
    assert again.signed_at - rig.ledger.checkpoints[0].signed_at == timedelta(minutes=10)
    assert rig.memory.swaps == 1


async def test_entry_of_another_log_is_refused() -> None:
    """A leaf says which log it is of."""
    rig = Rig()
    rig.grow(2)
    rig.memory.tree = SeenTree("other.invalid")
    with pytest.raises(SealRefusedError) as refused:
        await Sealer(ledger=rig.ledger, memory=rig.memory, key=make_key("other.invalid"), clock=rig.clock).seal()
    assert (refused.value.fault, refused.value.size) == (SealFault.ENTRY_MISMATCH, 0)


async def test_loop_goes_on_after_refusals_and_a_database_that_is_away() -> None:
    """A refusal is told as long as its cause is there; a lost connection is only tried again."""
    rig = Rig()
    rig.grow(3)
    observer = Observer(enough=4)
    right, calls = rig.ledger.present, iter(range(100))

    class Failing(FakeSealLedger):
        async def head(self) -> TreeHead:
            match next(calls):
                case 0:
                    raise refuse(ErrorCode.LEDGER_UNAVAILABLE)
                case 1 | 2:
                    return TreeHead(3, bytes(32))
                case _:
                    return right

    ledger = Failing(rig.ledger.entries)
    sealer = Sealer(ledger=ledger, memory=rig.memory, key=KEY, clock=rig.clock)
    await run_sealer(sealer, observer, observer.stop, interval_seconds=0.001)
    assert observer.told == [("unavailable", 0), ("fork", 3), ("fork", 3), ("sealed", 3)]


def test_alarm_says_its_reason_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the reason and the size, and does not drown in repetitions."""
    with caplog.at_level(logging.INFO):
        telemetry = SealTelemetry(logging.getLogger("test"), "signer")
        for _ in range(3):
            telemetry.refused(SealFault.FORK, 7)
        telemetry.sealed(8)
        telemetry.unavailable()
    lines = [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]
    assert lines == [
        ("refused to sign", {"reason": "fork", "size": 7}),
        ("sealed", {"size": 8}),
        ("cannot be reached", {"reason": "unavailable", "size": 0}),
    ]


def test_alarm_metric_is_up_while_refused_and_down_once_signed() -> None:
    """Whoever watches the metric sees the refusal, until something is signed again."""
    reader = InMemoryMetricReader()
    meter = MeterProvider(metric_readers=[reader]).get_meter("test")
    telemetry = SealTelemetry(logging.getLogger("test"), "signer", meter=meter)

    def alarm() -> float:
        data = reader.get_metrics_data()
        assert data is not None
        metrics = {m.name: m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}
        point = metrics[METRIC_SEAL_ALARM].data.data_points[0]
        assert isinstance(point, NumberDataPoint)
        return point.value

    assert alarm() == 0
    telemetry.refused("fork", 7)
    assert alarm() == 1
    telemetry.unavailable()
    assert alarm() == 1
    telemetry.sealed(8)
    assert alarm() == 0
