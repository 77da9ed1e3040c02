"""The clocks of a file: one at a time, none lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.book import ClockKey, OpenBook
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import (
    Clock,
    change_custody,
    extend_clock,
    find_due,
    resume_clock,
    revise_clock,
    suspend_clock,
)
from gateway.core.clock.due import Counting
from gateway.core.clock.table import load_clock_table
from gateway.core.clock.warning import is_breached
from gateway.core.errors import ErrorCode, GatewayError

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
MARCH = date(2026, 3, 2)
YEAR = {"expected_months": 12}
K22: ClockKey = ("p1", "K22", "")


def refused(act: Callable[[], object]) -> ErrorCode:
    """The code with which an act is refused."""
    with pytest.raises(GatewayError) as refusal:
        act()
    return refusal.value.code


def start(
    book: OpenBook, kind: str, person: str, on: date, facts: dict[str, Any] | None = None, *, custody: bool = True
) -> None:
    """Start a clock with the rule of its day."""
    book.start(TABLE.find(kind, on), person, on, facts, in_custody=custody)


def reviewed() -> OpenBook:
    """A file whose one person waits for the decision of the procuratorate."""
    book = OpenBook(TABLE)
    start(book, "K22", "p1", MARCH, YEAR)
    return book


def test_clock_running_for_a_person_is_not_started_again() -> None:
    """The same clock may run for another person, and for another step, but not twice for one."""
    book = reviewed()
    assert refused(lambda: start(book, "K22", "p1", MARCH, YEAR)) is ErrorCode.CLOCK_ALREADY_RUNNING
    start(book, "K22", "p2", MARCH, YEAR)
    start(book, "K39", "p1", MARCH)
    start(book, "K39", "p1", MARCH, {"step": "REPORT_IN"})
    assert refused(lambda: start(book, "K39", "p1", MARCH)) is ErrorCode.CLOCK_ALREADY_RUNNING
    assert len(book.running) == 4


def test_clock_stopped_may_start_again_from_nothing() -> None:
    """After a re-transfer the limit of review runs anew; the old run is kept."""
    book = reviewed()
    book.stop(K22, date(2026, 3, 9))
    start(book, "K22", "p1", date(2026, 4, 7), YEAR)
    assert [clock.stopped_at for clock in book.ended] == [date(2026, 3, 9)]
    assert refused(lambda: book.stop(("p1", "K23", ""), MARCH)) is ErrorCode.CLOCK_NOT_RUNNING


def test_clock_reset_runs_from_the_new_start_with_the_new_facts() -> None:
    """Bail restarts with each organ; what was known stays, custody too."""
    book = OpenBook(TABLE)
    start(book, "K12", "p1", date(2025, 3, 3), {"measure": "BAIL"}, custody=False)
    book.reset(("p1", "K12", ""), date(2025, 9, 1), {"measure": "RS"})
    [clock] = book.running.values()
    due = find_due(clock, COUNTING)
    assert due is not None
    assert due.at == date(2026, 3, 2)
    assert len(book.ended) == 1


def test_supplementary_investigation_runs_twice_in_all() -> None:
    """The count survives whatever happens between; a third run is refused, and the refusal changes nothing."""
    key, book = ("p1", "K24", ""), OpenBook(TABLE)
    start(book, "K24", "p1", MARCH)
    book.stop(key, date(2026, 3, 20))
    start(book, "K24", "p1", date(2026, 4, 20))
    before = book.close()
    assert refused(lambda: book.reset(key, date(2026, 5, 6))) is ErrorCode.CLOCK_RUNS_EXHAUSTED
    assert book.close() == before
    book.stop(key, date(2026, 5, 6))
    assert refused(lambda: start(book, "K24", "p1", date(2026, 6, 1))) is ErrorCode.CLOCK_RUNS_EXHAUSTED
    start(book, "K24", "p2", date(2026, 6, 1))
    assert book.running


def test_clock_switched_when_the_lane_is_left_keeps_start_custody_and_suspension() -> None:
    """K23 runs from the receipt from which K22 ran; the expertise is not counted in it either."""
    book = reviewed()
    book.change(K22, lambda clock: suspend_clock(clock, "K44", date(2026, 3, 4), COUNTING))
    book.change(K22, lambda clock: resume_clock(clock, date(2026, 3, 9)))
    book.switch(K22, "K23", date(2026, 3, 12))
    [clock] = book.running.values()
    due = find_due(clock, COUNTING)
    assert due is not None
    assert (clock.rule.id, clock.start, due.at) == ("K23", MARCH, date(2026, 4, 7))


def test_book_closed_does_not_change_with_the_open_one() -> None:
    """What was handed on stays as it was; what is written later is in the next one."""
    book = reviewed()
    before = book.close()
    book.stop(K22, MARCH)
    assert list(before.running) == [K22] and not before.ended
    assert not book.close().running


class ClockMachine(RuleBasedStateMachine):
    """Random acts, legal and illegal, on the clocks of two persons; time only goes on."""

    persons = st.sampled_from(["p1", "p2"])
    kinds = st.sampled_from(["K22", "K23", "K24", "K31", "K33"])

    @initialize()
    def begin(self) -> None:
        """An empty file in spring 2025."""
        self.now = datetime(2025, 3, 3, 9, tzinfo=CHINA_TIME)
        self.book = OpenBook(TABLE)
        self.starts: list[tuple[str, str]] = []

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do an act; a refusal must leave everything as it was."""
        before = self.book.close()
        try:
            act()
        except GatewayError:
            assert self.book.close() == before
            return False
        return True

    def attempt_all(self, person: str, act: Callable[[Clock], Clock]) -> bool:
        """Do an act to every running clock of a person."""
        done = True
        for key in [key for key in self.book.running if key[0] == person]:
            done &= self.attempt(lambda key=key: self.book.change(key, act))  # type: ignore[misc]
        return done

    @rule(hours=st.integers(0, 24 * 12))
    def wait(self, hours: int) -> None:
        """Time goes on, but stays within the years that are known."""
        self.now = min(self.now + timedelta(hours=hours), datetime(2026, 6, 1, tzinfo=CHINA_TIME))

    @rule(person=persons, kind=kinds, custody=st.booleans(), months=st.integers(1, 36))
    def start(self, person: str, kind: str, custody: bool, months: int) -> None:
        """Start a clock."""
        runs, was_running = self.starts.count((person, kind)), (person, kind, "") in self.book.running
        facts = {"expected_months": months}
        row = TABLE.find(kind, self.now.date())
        done = self.attempt(lambda: self.book.start(row, person, self.now, facts, in_custody=custody))
        assert done == (not was_running and not (kind == "K24" and runs == 2))
        if done:
            self.starts.append((person, kind))

    @rule(person=persons, kind=kinds)
    def stop(self, person: str, kind: str) -> None:
        """Stop a clock."""
        was_running = (person, kind, "") in self.book.running
        assert self.attempt(lambda: self.book.stop((person, kind, ""), self.now)) == was_running

    @rule(person=persons)
    def suspend(self, person: str) -> None:
        """Order an expertise."""
        self.attempt_all(person, lambda clock: suspend_clock(clock, "K44", self.now, COUNTING))

    @rule(person=persons)
    def resume(self, person: str) -> None:
        """Receive the expertise."""
        stood = [key for key, clock in self.book.running.items() if key[0] == person and clock.is_suspended]
        assert all(self.attempt(lambda key=key: self.book.change(key, self.go_on)) for key in stood)  # type: ignore[misc]

    def go_on(self, clock: Clock) -> Clock:
        """A clock goes on now."""
        return resume_clock(clock, self.now)

    @rule(person=persons, custody=st.booleans())
    def change(self, person: str, custody: bool) -> None:
        """Take into custody, or release."""
        assert self.attempt_all(person, lambda clock: change_custody(clock, self.now, in_custody=custody))

    @rule(person=persons, kind=kinds, name=st.sampled_from(["complex", "at_the_latest", "upper_court"]))
    def extend(self, person: str, kind: str, name: str) -> None:
        """Try to make a limit longer."""
        self.lengthen((person, kind, ""), lambda clock: extend_clock(clock, name, self.now, COUNTING))

    @rule(person=persons, kind=kinds, months=st.integers(1, 36))
    def revise(self, person: str, kind: str, months: int) -> None:
        """Change the proposal."""
        facts = {"expected_months": months}
        self.lengthen((person, kind, ""), lambda clock: revise_clock(clock, facts, self.now, TABLE, COUNTING))

    def lengthen(self, key: ClockKey, act: Callable[[Clock], Clock]) -> None:
        """Do what may lengthen a limit; a limit that has passed stays passed."""
        clock = self.book.running.get(key)
        was_breached = clock is not None and is_breached(clock, find_due(clock, COUNTING), self.now)
        if self.attempt(lambda: self.book.change(key, act)) and was_breached:
            after = self.book.running[key]
            assert is_breached(after, find_due(after, COUNTING), self.now)

    @invariant()
    def one_clock_at_a_time(self) -> None:
        """Every start is running or ended exactly once, and no key runs twice."""
        clocks = [*self.book.running.values(), *self.book.ended]
        assert sorted((clock.person, clock.rule.id) for clock in clocks) == sorted(self.starts)
        assert all(key == clock.key and clock.is_running for key, clock in self.book.running.items())
        assert not any(clock.is_running for clock in self.book.ended)

    @invariant()
    def end_is_never_before_the_start(self) -> None:
        """A limit ends after its start, and a clock that stands still has no end."""
        for clock in self.book.running.values():
            due = find_due(clock, COUNTING)
            assert (due is None) == clock.is_suspended
            assert due is None or due.expires_at > datetime.combine(clock.start, datetime.min.time(), CHINA_TIME)


ClockMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestClockMachine = ClockMachine.TestCase
