"""The clocks of a file: one at a time, none lost, the earliest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.book import ClockBook, ClockKey
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import Clock, extend_clock, find_due, revise_clock
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


def reviewed(start: date = MARCH, *, in_custody: bool = True) -> ClockBook:
    """A file whose one person waits for the decision of the procuratorate."""
    return ClockBook().start(TABLE, "K22", "p1", start, YEAR, in_custody=in_custody)


def test_clock_running_for_a_person_is_not_started_again() -> None:
    """The same clock may run for another person, and for another step, but not twice for one."""
    book = reviewed()
    assert refused(lambda: book.start(TABLE, "K22", "p1", MARCH, YEAR)) is ErrorCode.CLOCK_ALREADY_RUNNING
    book = book.start(TABLE, "K22", "p2", MARCH, YEAR).start(TABLE, "K39", "p1", MARCH)
    book = book.start(TABLE, "K39", "p1", MARCH, {"step": "REPORT_IN"})
    assert refused(lambda: book.start(TABLE, "K39", "p1", MARCH)) is ErrorCode.CLOCK_ALREADY_RUNNING
    assert len(book.running) == 4


def test_clock_stopped_may_start_again_from_nothing() -> None:
    """After a re-transfer the limit of review runs anew; the old run is kept."""
    book = reviewed().stop(K22, date(2026, 3, 9)).start(TABLE, "K22", "p1", date(2026, 4, 7), YEAR, in_custody=True)
    assert [clock.stopped_at for clock in book.ended] == [date(2026, 3, 9)]
    assert refused(lambda: book.stop(("p1", "K23", ""), MARCH)) is ErrorCode.CLOCK_NOT_RUNNING


def test_clock_reset_runs_from_the_new_start_with_the_new_facts() -> None:
    """Bail restarts with each organ; what was known stays, custody too."""
    bail = ClockBook().start(TABLE, "K12", "p1", date(2025, 3, 3), {"measure": "BAIL"}, in_custody=False)
    book = bail.reset(("p1", "K12", ""), TABLE, date(2025, 9, 1), {"measure": "RS"})
    [clock] = book.running.values()
    due = find_due(clock, COUNTING)
    assert due is not None
    assert due.at == date(2026, 3, 2)
    assert len(book.ended) == 1


def test_supplementary_investigation_runs_twice_in_all() -> None:
    """The count survives whatever happens between; a third run is refused."""
    key = ("p1", "K24", "")
    book = ClockBook().start(TABLE, "K24", "p1", MARCH, in_custody=True).stop(key, date(2026, 3, 20))
    book = book.start(TABLE, "K24", "p1", date(2026, 4, 20), in_custody=True)
    assert refused(lambda: book.reset(key, TABLE, date(2026, 5, 6))) is ErrorCode.CLOCK_RUNS_EXHAUSTED
    book = book.stop(key, date(2026, 5, 6))
    assert refused(lambda: book.start(TABLE, "K24", "p1", date(2026, 6, 1))) is ErrorCode.CLOCK_RUNS_EXHAUSTED
    assert book.start(TABLE, "K24", "p2", date(2026, 6, 1)).running


def test_clock_switched_when_the_lane_is_left_keeps_start_custody_and_suspension() -> None:
    """K23 runs from the receipt from which K22 ran; the expertise is not counted in it either."""
    book = reviewed().suspend("p1", "K44", date(2026, 3, 4), COUNTING).resume("p1", "K44", date(2026, 3, 9))
    book = book.switch(K22, "K23", date(2026, 3, 12), TABLE)
    [clock] = book.running.values()
    due = find_due(clock, COUNTING)
    assert due is not None
    assert (clock.rule.id, clock.start, due.at) == ("K23", MARCH, date(2026, 4, 7))


def test_suspension_touches_the_clocks_of_that_person_that_know_it() -> None:
    """The expertise on one person stands still only what it may, and only for that person."""
    book = reviewed().start(TABLE, "K20", "p1", MARCH, in_custody=True)
    book = book.start(TABLE, "K22", "p2", MARCH, YEAR, in_custody=True).suspend("p1", "K44", MARCH, COUNTING)
    assert {clock.key for clock in book.running.values() if clock.is_suspended} == {K22}
    assert not any(clock.is_suspended for clock in book.resume("p1", "K44", MARCH).running.values())


def test_file_is_due_when_the_first_of_its_persons_is() -> None:
    """One suspect in custody, one on bail over the Spring Festival: the file is due with the first."""
    start = date(2026, 2, 5)
    book = reviewed(start).start(TABLE, "K22", "p2", start, YEAR, in_custody=False)
    dues = {key[0]: find_due(clock, COUNTING) for key, clock in book.running.items()}
    assert {person: due.at for person, due in dues.items() if due} == {"p1": date(2026, 2, 15), "p2": date(2026, 2, 24)}
    first = book.find_first_due(COUNTING)
    assert first is not None
    assert (first[0], first[1].at) == (K22, date(2026, 2, 15))
    freed = book.change_custody("p1", date(2026, 2, 10), in_custody=False).find_first_due(COUNTING)
    assert freed is not None
    assert freed[1].at == date(2026, 2, 24)


def test_file_without_a_legal_limit_is_not_due() -> None:
    """A service target and a clock that stands still make nothing due."""
    book = ClockBook().start(TABLE, "K45", "p1", MARCH, in_custody=False).start(TABLE, "K44", "p1", MARCH)
    assert book.find_first_due(COUNTING) is None
    assert reviewed().suspend("p1", "K44", MARCH, COUNTING).find_first_due(COUNTING) is None


def test_hour_and_day_limits_are_compared_by_when_they_expire() -> None:
    """A limit of hours that ends in the evening comes before one that ends with the same day."""
    noon = datetime(2026, 3, 2, 12, tzinfo=CHINA_TIME)
    book = ClockBook().start(TABLE, "K09", "p1", date(2026, 2, 28), in_custody=True)
    book = book.start(TABLE, "K06", "p1", noon, in_custody=True)
    first = book.find_first_due(COUNTING)
    assert first is not None
    assert first[0][1] == "K06"


class ClockMachine(RuleBasedStateMachine):
    """Random acts, legal and illegal, on the clocks of two persons; time only goes on."""

    persons = st.sampled_from(["p1", "p2"])
    kinds = st.sampled_from(["K22", "K23", "K24", "K31", "K33"])

    @initialize()
    def begin(self) -> None:
        """An empty file in spring 2025."""
        self.now = datetime(2025, 3, 3, 9, tzinfo=CHINA_TIME)
        self.book = ClockBook()
        self.starts: list[tuple[str, str]] = []

    def attempt(self, act: Callable[[], ClockBook]) -> bool:
        """Do an act; a refusal must leave everything as it was."""
        before = self.book
        try:
            self.book = act()
        except GatewayError:
            assert self.book is before
            return False
        return True

    @rule(hours=st.integers(0, 24 * 12))
    def wait(self, hours: int) -> None:
        """Time goes on, but stays within the years that are known."""
        self.now = min(self.now + timedelta(hours=hours), datetime(2026, 6, 1, tzinfo=CHINA_TIME))

    @rule(person=persons, kind=kinds, custody=st.booleans(), months=st.integers(1, 36))
    def start(self, person: str, kind: str, custody: bool, months: int) -> None:
        """Start a clock."""
        runs, was_running = self.starts.count((person, kind)), (person, kind, "") in self.book.running
        facts = {"expected_months": months}
        done = self.attempt(lambda: self.book.start(TABLE, kind, person, self.now, facts, in_custody=custody))
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
        self.attempt(lambda: self.book.suspend(person, "K44", self.now, COUNTING))

    @rule(person=persons)
    def resume(self, person: str) -> None:
        """Receive the expertise."""
        assert self.attempt(lambda: self.book.resume(person, "K44", self.now))

    @rule(person=persons, custody=st.booleans())
    def change(self, person: str, custody: bool) -> None:
        """Take into custody, or release."""
        assert self.attempt(lambda: self.book.change_custody(person, self.now, in_custody=custody))

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
