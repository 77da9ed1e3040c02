"""The scheduler: what is due is said once, at its time, whoever looks and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.alarm import Parties
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.table import load_clock_table
from gateway.core.command import Command
from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.port.ledger import Appended, FactRow
from gateway.flows import schedule
from gateway.flows.schedule import AGAIN, Scheduler, run_scheduler
from tests.support.fake_ledger import FakeClock, FakeWatch

TABLE = load_clock_table()
P = "a" * 32
PARTIES = Parties({"police": "ps:999001", "procuratorate": "pr:999001", "court": "ct:999001"}, "pr:999001")


def china(day: str, hour: int = 9) -> datetime:
    """An instant of a day in China."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=CHINA_TIME)


@dataclass(slots=True)
class World:
    """Cases with facts, and a ledger that takes an act once.

    Args:
        clock: time of the schedulers.
        cases: facts by case.
        acts: by act id.
        asked: how many acts were asked for.
        failures: appends that fail before one succeeds.
        is_destroyed: every case was destroyed.
        unreadable: a case whose facts somebody has changed; "" for none.
        failed: what cases could not be counted for.
        unwatched: what the watch failed for.
    """

    clock: FakeClock
    cases: dict[str, list[KnownFact]] = field(default_factory=dict)
    acts: dict[object, Command] = field(default_factory=dict)
    rows: list[FactRow] = field(default_factory=list)
    asked: int = 0
    failures: int = 0
    is_destroyed: bool = False
    unreadable: str = ""
    failed: list[str] = field(default_factory=list)
    unwatched: list[str] = field(default_factory=list)
    raised: list[tuple[str, str, bool]] = field(default_factory=list)

    def tell(self, case: str, kind: str, at: datetime | date, person: str = P, **inputs: Any) -> None:
        """Something happens in a case, and is known at once."""
        fact = Fact(kind=kind, at=at, person=person, inputs=inputs)
        self.cases.setdefault(case, []).append(KnownFact(fact, self.clock(), len(self.rows)))
        self.rows.append(FactRow(len(self.rows), case))

    async def rows_after(self, index: int, limit: int) -> Sequence[FactRow]:
        """Entries with facts."""
        return [row for row in self.rows if row.seq > index][:limit]

    async def case_facts(self, case: str) -> list[KnownFact]:
        """Facts of a case."""
        if case == self.unreadable:
            raise ValueError("the facts are not in canonical form")
        return self.cases[case]

    async def parties(self, case: str) -> Parties:
        """Agencies of every case."""
        del case
        return PARTIES

    async def append(self, command: Command) -> Appended:
        """Take an act once."""
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise refuse(ErrorCode.LEDGER_UNAVAILABLE)
        if self.is_destroyed:
            raise refuse(ErrorCode.CASE_DESTROYED)
        is_replay = command.act_id in self.acts
        self.acts.setdefault(command.act_id, command)
        return Appended(0, b"", b"", self.clock(), "", is_replay)

    def _observed(self, level: str, clock: str, *, is_new: bool) -> None:
        self.raised.append((level, clock, is_new))

    def scheduler(self) -> Scheduler:
        """A scheduler that has just started."""

        class Observer:
            """Takes what is said."""

            raised = staticmethod(self._observed)
            failed = staticmethod(self.failed.append)
            unwatched = staticmethod(self.unwatched.append)

            @staticmethod
            def looked(cases: int, waiting: int) -> None:
                """Counts nothing."""

            @staticmethod
            def unavailable(code: ErrorCode) -> None:
                """Says nothing."""

        return Scheduler(
            source=self, writer=self, watch=FakeWatch(), clock=self.clock, table=TABLE,
            counting=Counting(load_calendar(), TABLE.settings), observe=Observer(),
        )  # fmt: skip

    def said(self, clock: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """Level, due and agencies of what the ledger has of a clock."""
        return [(act.level, act.due, act.notified) for act in self.acts.values() if act.clock == clock]


@pytest.fixture
def world() -> World:
    """Nothing has happened yet; it is the morning of 2 March 2026."""
    return World(FakeClock(china("2026-03-02").astimezone(UTC)))


async def run_to(world: World, scheduler: Scheduler, until: datetime) -> None:
    """Let the scheduler wake at each of its moments until a time."""
    await scheduler.catch_up()
    while (moment := scheduler.next_moment) is not None and moment <= until:
        world.clock.at = max(moment, world.clock.at).astimezone(UTC)
        await scheduler.raise_due()
    world.clock.at = until.astimezone(UTC)


async def test_scheduler_police_late_with_a_supplement_is_a_breach_for_the_procuratorate(world: World) -> None:
    """Scenario 14: K24 from 2 March ends on 2 April; on day 31 the breach is there, for police and procuratorate."""
    world.tell("c", "bailed", date(2026, 3, 1))
    world.tell("c", "ps_return_received", china("2026-03-02"))
    await run_to(world, world.scheduler(), china("2026-04-03", 10))
    assert world.said("K24") == [
        ("50%", "2026-04-02", ("ps:999001",)),
        ("80%", "2026-04-02", ("ps:999001",)),
        ("100%", "2026-04-02", ("ps:999001",)),
        ("breach", "2026-04-02", ("pr:999001", "ps:999001")),
    ]


async def test_scheduler_custody_warns_the_holder_a_week_before_the_end(world: World) -> None:
    """SPP 615: in custody the holder of the file hears of it seven days before."""
    world.tell("c", "arrested", china("2026-03-02"))
    await run_to(world, world.scheduler(), china("2026-04-26"))
    assert ("T-7d", "2026-05-02", ("pr:999001", "ps:999001")) in world.said("K11")


async def test_scheduler_started_again_says_nothing_twice(world: World) -> None:
    """A restart counts every case again; each act is the same act."""
    world.tell("c", "pr_received", china("2026-03-02"))
    await run_to(world, world.scheduler(), china("2026-03-20"))
    before = dict(world.acts)
    for _ in range(3):
        await run_to(world, world.scheduler(), china("2026-03-21"))
    assert world.acts == before
    assert world.asked > len(before)


async def test_scheduler_two_side_by_side_say_each_thing_once(world: World) -> None:
    """Replicas wake at the same moments and make the same acts."""
    world.tell("c", "pr_received", china("2026-03-02"))
    first, second = world.scheduler(), world.scheduler()
    for day in range(2, 31):
        for scheduler in (first, second):
            await run_to(world, scheduler, china(f"2026-03-{day:02}"))
    said = world.said("K23")
    assert len(said) == len(set(said))
    assert [level for level, _, _ in said] == ["50%", "T-7d", "80%"]


async def test_scheduler_that_slept_says_the_last_share_only(world: World) -> None:
    """After a week without a scheduler nobody needs to hear of 50 percent; a breach alone stands for all before it."""
    world.tell("c", "pr_received", china("2026-03-02"))
    world.clock.at = china("2026-03-28").astimezone(UTC)
    await world.scheduler().catch_up()
    assert [level for level, _, _ in world.said("K23")] == ["T-7d", "80%"]
    assert [level for level, _, _ in world.said("K20")] == ["breach"]


async def test_scheduler_new_fact_moves_or_ends_what_was_to_come(world: World) -> None:
    """An indictment before the end ends it: nothing more is said of the limit."""
    world.tell("c", "pr_received", china("2026-03-02"))
    scheduler = world.scheduler()
    await run_to(world, scheduler, china("2026-03-04"))
    world.tell("c", "indicted", china("2026-03-04"))
    await run_to(world, scheduler, china("2026-06-01"))
    assert world.said("K23") == []


async def test_scheduler_limit_stopped_after_its_end_is_still_a_breach(world: World) -> None:
    """Nobody looked while the limit passed, and what came too late does not hide it."""
    world.tell("c", "pr_received", china("2026-03-02"))
    world.tell("c", "counsel_right_notified", china("2026-03-10"))
    world.clock.at = china("2026-03-11").astimezone(UTC)
    await world.scheduler().catch_up()
    assert [level for level, _, _ in world.said("K20")] == ["breach"]


async def test_scheduler_year_of_holidays_missing_is_an_alarm_and_the_others_go_on(world: World) -> None:
    """Scenario 26: bail into 2027 cannot be counted, which is said once; the detention of the same case is."""
    world.tell("c", "bailed", china("2026-03-02"))
    world.tell("c", "judgment_pronounced", china("2026-03-02"))
    await run_to(world, world.scheduler(), china("2026-03-11"))
    assert world.said("K12") == [("uncounted", "", ("pr:999001",))]
    assert [level for level, _, _ in world.said("K36")][-1] == "breach"


async def test_scheduler_ledger_that_is_away_is_asked_again(world: World) -> None:
    """What could not be recorded stays due."""
    world.tell("c", "pr_received", china("2026-03-02"))
    scheduler = world.scheduler()
    await scheduler.catch_up()
    world.clock.at = china("2026-03-06").astimezone(UTC)
    world.failures = 2
    for _ in range(2):
        with pytest.raises(GatewayError, match="LEDGER_UNAVAILABLE"):
            await scheduler.raise_due()
    await scheduler.raise_due()
    assert [level for level, _, _ in world.said("K20")] == ["breach"]


async def test_case_destroyed_has_no_limits_any_more(world: World) -> None:
    """A case whose facts are still there is let go of when the ledger refuses its warning; the scheduler goes on."""
    world.tell("gone", "detained", china("2026-02-02"))
    world.is_destroyed = True
    scheduler = world.scheduler()
    await scheduler.catch_up()
    assert world.asked == 1 and not world.acts
    world.clock.at = china("2026-06-01").astimezone(UTC)
    await scheduler.raise_due()
    assert world.asked == 1


async def test_scheduler_case_that_cannot_be_counted_fails_alone_and_is_tried_again(world: World) -> None:
    """Whoever spoils the rows of one case silences no other, and once they are right again it is said what is due."""
    for case in ("spoilt", "whole"):
        world.tell(case, "pr_received", china("2026-03-02"))
    world.unreadable = "spoilt"
    scheduler = world.scheduler()
    await run_to(world, scheduler, china("2026-03-06"))
    whole = [level for level, _, _ in world.said("K20")]
    assert whole[-1] == "breach"
    assert set(world.failed) == {"ValueError"}
    world.unreadable = ""
    world.clock.at += AGAIN
    await scheduler.raise_due()
    # It slept over the warnings of that case.
    assert [level for level, _, _ in world.said("K20")] == [*whole, "breach"]


async def test_scheduler_whose_watch_fails_says_so_and_watches_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that died in silence would let every new fact wait for the next minute."""
    monkeypatch.setattr(schedule, "_RETRY_SECONDS", 0)
    scheduler, stop = world.scheduler(), asyncio.Event()
    watch = FakeWatch(wakes=2)
    calls: list[int] = []

    def before(number: int) -> None:
        calls.append(number)
        if len(calls) == 2:
            raise OSError("the connection is gone")
        if len(calls) == 4:
            stop.set()

    watch.before_wake = before
    scheduler.watch = watch
    await run_scheduler(scheduler, stop, lambda: None)
    assert (calls, world.unwatched) == ([0, 1, 0, 1], ["OSError"])
