"""What can happen to one clock, and what cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import (
    Clock,
    change_custody,
    extend_clock,
    find_due,
    resume_clock,
    revise_clock,
    start_clock,
    stop_clock,
    suspend_clock,
)
from gateway.core.clock.due import Counting, Moment
from gateway.core.clock.length import parse_length
from gateway.core.clock.renewal import find_request_day
from gateway.core.clock.table import load_clock_table
from gateway.core.errors import ErrorCode, GatewayError

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)


def start(kind: str = "K22", on: Moment = date(2026, 3, 2), *, in_custody: bool | None = True, **inputs: Any) -> Clock:
    """A clock of a person; ten days of K22 when nothing else is asked for."""
    facts = inputs or ({"expected_months": 12} if kind == "K22" else {})
    return start_clock(TABLE, kind, "p1", on, facts, in_custody=in_custody)


def last_day(clock: Clock) -> Moment | None:
    """The end."""
    due = find_due(clock, COUNTING)
    return due.at if due else None


def refused(act: Callable[[], object]) -> ErrorCode:
    """The code with which an act is refused."""
    with pytest.raises(GatewayError) as refusal:
        act()
    return refusal.value.code


def at(month: int, day: int, hour: int = 12) -> datetime:
    """An instant of 2026 in China."""
    return datetime(2026, month, day, hour, tzinfo=CHINA_TIME)


def test_hour_clock_keeps_the_lenient_end_as_advice() -> None:
    """The exact end counts; the one from the next full hour is shown beside it."""
    due = find_due(start("K01", datetime(2026, 3, 2, 9, 30, tzinfo=CHINA_TIME)), COUNTING)
    assert due is not None
    assert (due.at, due.advisory) == (at(3, 2, 21).replace(minute=30), at(3, 2, 22))
    full = find_due(start("K01", at(3, 2, 9)), COUNTING)
    assert full is not None and full.advisory == at(3, 2, 22)
    days = find_due(start("K22", at(3, 2, 9)), COUNTING)
    assert days is not None and days.advisory is None


def test_clock_of_hours_without_an_instant_is_refused() -> None:
    """A day, or an instant without offset, proves no hour."""
    assert refused(lambda: start("K06", date(2026, 3, 2))) is ErrorCode.CLOCK_START_INVALID
    assert refused(lambda: start("K06", datetime(2026, 3, 2, 9))) is ErrorCode.CLOCK_START_INVALID
    assert refused(lambda: start("K22", datetime(2026, 3, 2, 9))) is ErrorCode.CLOCK_START_INVALID


def test_clock_before_its_law_is_refused() -> None:
    """A start before the rule held is not counted by it."""
    assert refused(lambda: start("K22", date(2018, 10, 25))) is ErrorCode.CLOCK_NOT_IN_FORCE
    assert last_day(start("K22", date(2018, 10, 26))) == date(2018, 11, 5)


def test_custody_that_is_not_known_is_neither_yes_nor_no() -> None:
    """Without custody the last day cannot be named; a clock of the file has no custody to know."""
    assert refused(lambda: last_day(start(in_custody=None))) is ErrorCode.CLOCK_INPUT_MISSING
    assert last_day(start("K42", in_custody=None, asset="DEPOSIT")) == date(2026, 9, 2)


@pytest.mark.parametrize(
    ("changed_on", "expected"),
    [
        (date(2026, 2, 14), date(2026, 2, 24)),
        (date(2026, 2, 15), date(2026, 2, 24)),
        (date(2026, 2, 16), date(2026, 2, 15)),
    ],
)
def test_custody_on_the_last_day_as_counted_decides(changed_on: date, expected: date) -> None:
    """A release up to that day moves the end past the holidays; a later one cures nothing."""
    clock = start(on=date(2026, 2, 5))
    assert last_day(clock) == date(2026, 2, 15)
    assert last_day(change_custody(clock, changed_on, in_custody=False)) == expected


def test_clock_stopped_cannot_be_changed() -> None:
    """Nothing happens to a clock that has ended."""
    clock = stop_clock(start(), at(3, 5))
    acts: list[Callable[[], object]] = [
        lambda: stop_clock(clock, at(3, 6)),
        lambda: suspend_clock(clock, "K44", at(3, 6), COUNTING),
        lambda: resume_clock(clock, at(3, 6)),
        lambda: extend_clock(clock, "complex", at(3, 6), COUNTING),
        lambda: change_custody(clock, at(3, 6), in_custody=False),
        lambda: revise_clock(clock, {"expected_months": 13}, at(3, 6), TABLE, COUNTING),
    ]
    assert {refused(act) for act in acts} == {ErrorCode.CLOCK_NOT_RUNNING}


def test_act_before_the_one_before_it_is_refused() -> None:
    """Time runs one way, from the start on."""
    assert refused(lambda: stop_clock(start(), at(3, 1))) is ErrorCode.CLOCK_ACT_OUT_OF_ORDER
    suspended = suspend_clock(start(), "K44", at(3, 5), COUNTING)
    assert refused(lambda: resume_clock(suspended, at(3, 4))) is ErrorCode.CLOCK_ACT_OUT_OF_ORDER
    released = change_custody(start(), at(3, 5), in_custody=False)
    assert refused(lambda: stop_clock(released, at(3, 4))) is ErrorCode.CLOCK_ACT_OUT_OF_ORDER


def test_suspended_clock_has_no_end_and_goes_on_with_the_days_that_were_left() -> None:
    """Days of the expertise are not counted, the one on which it was ordered is."""
    suspended = suspend_clock(start(), "K44", date(2026, 3, 5), COUNTING)
    assert last_day(suspended) is None
    resumed = resume_clock(suspended, date(2026, 3, 25))
    assert last_day(resumed) == date(2026, 4, 1)
    again = resume_clock(suspend_clock(resumed, "K44", date(2026, 3, 30), COUNTING), date(2026, 4, 2))
    assert last_day(again) == date(2026, 4, 4)
    # The festival moves the end only of a person who is free.
    free = change_custody(again, date(2026, 4, 3), in_custody=False)
    assert last_day(free) == date(2026, 4, 7)


def test_suspension_after_a_limit_that_became_shorter_does_not_lengthen_it() -> None:
    """An expertise ordered on day twelve is no excuse for a limit of ten days."""
    clock = start(expected_months=14)
    resumed = resume_clock(suspend_clock(clock, "K44", at(3, 14), COUNTING), at(3, 24))
    assert last_day(resumed) == date(2026, 3, 27)
    shorter = revise_clock(resumed, {"expected_months": 12}, at(3, 25), TABLE, COUNTING)
    assert last_day(shorter) == date(2026, 3, 12)


def test_suspension_that_the_rule_does_not_know_is_refused() -> None:
    """Only the clocks of review and trial stand still, only for the expertise, and only once at a time."""
    assert refused(lambda: suspend_clock(start("K30"), "K44", at(3, 5), COUNTING)) is ErrorCode.CLOCK_ACT_NOT_ALLOWED
    assert refused(lambda: suspend_clock(start(), "K24", at(3, 5), COUNTING)) is ErrorCode.CLOCK_ACT_NOT_ALLOWED
    twice = suspend_clock(start(), "K44", at(3, 5), COUNTING)
    assert refused(lambda: suspend_clock(twice, "K44", at(3, 6), COUNTING)) is ErrorCode.CLOCK_ACT_NOT_ALLOWED
    assert refused(lambda: resume_clock(start(), at(3, 6))) is ErrorCode.CLOCK_ACT_NOT_ALLOWED
    assert refused(lambda: suspend_clock(start(), "K44", at(3, 13), COUNTING)) is ErrorCode.CLOCK_ACT_TOO_LATE


@pytest.mark.parametrize(
    ("moment", "code"), [(at(4, 2, 23), None), (date(2026, 4, 2), None), (at(4, 3, 0), 1), (date(2026, 4, 3), 1)]
)
def test_extension_counts_until_the_last_day_has_ended(moment: Moment, code: int | None) -> None:
    """An extension recorded on the last day holds, one recorded after midnight is refused."""
    clock = start("K23")
    if code is None:
        assert last_day(extend_clock(clock, "complex", moment, COUNTING)) == date(2026, 4, 17)
    else:
        assert refused(lambda: extend_clock(clock, "complex", moment, COUNTING)) is ErrorCode.CLOCK_ACT_TOO_LATE


def test_extension_of_hours_with_a_day_only_is_taken_as_the_end_of_that_day() -> None:
    """Nothing proves that it came before the hour had passed."""
    clock = start("K01", at(3, 2, 9))
    assert refused(lambda: extend_clock(clock, "complex", date(2026, 3, 2), COUNTING)) is ErrorCode.CLOCK_ACT_TOO_LATE
    assert last_day(extend_clock(clock, "complex", at(3, 2, 21), COUNTING)) == at(3, 3, 9)


def test_extension_outside_its_rule_is_refused() -> None:
    """Unknown names, wrong order, twice, without or with a wrong length: none makes a limit longer."""
    custody = start("K11")
    request = start("K09")
    not_allowed: list[Callable[[], object]] = [
        lambda: extend_clock(custody, "unheard_of", at(3, 3), COUNTING),
        lambda: extend_clock(custody, "four_kinds", at(3, 3), COUNTING),
        lambda: extend_clock(extend_clock(custody, "complex", at(3, 3), COUNTING), "complex", at(3, 3), COUNTING),
        lambda: extend_clock(custody, "complex", at(3, 3), COUNTING, parse_length("2M")),
        lambda: extend_clock(request, "special", at(3, 3), COUNTING, parse_length("5D")),
        lambda: extend_clock(request, "special", at(3, 3), COUNTING, parse_length("4h")),
        lambda: extend_clock(
            extend_clock(start("K03"), "county_head", at(3, 3), COUNTING), "leads_checked", at(3, 3), COUNTING
        ),
        lambda: extend_clock(start("K44"), "complex", at(3, 3), COUNTING),
    ]
    assert {refused(act) for act in not_allowed} == {ErrorCode.CLOCK_ACT_NOT_ALLOWED}
    assert refused(lambda: extend_clock(request, "special", at(3, 3), COUNTING)) is ErrorCode.CLOCK_INPUT_MISSING


def test_freeze_may_be_renewed_again_and_says_by_when_to_ask() -> None:
    """A renewal adds the first length each time; the request is due ten days before the end."""
    clock = start("K42", date(2024, 3, 4), asset="DEPOSIT")
    due = find_due(clock, COUNTING)
    assert due is not None
    assert find_request_day(clock, "renewed", due) == date(2024, 8, 25)
    assert find_request_day(start("K23"), "complex", due) is None
    once = extend_clock(clock, "renewed", date(2024, 8, 20), COUNTING)
    assert last_day(extend_clock(once, "renewed", date(2025, 2, 20), COUNTING)) == date(2025, 9, 4)


def test_proposal_above_one_year_lengthens_only_until_the_tenth_day_has_ended() -> None:
    """The trap of K22: a change recorded on day ten counts, on day eleven the limit has passed."""
    clock = start()
    longer = revise_clock(clock, {"expected_months": 14}, at(3, 12, 23), TABLE, COUNTING)
    assert last_day(longer) == date(2026, 3, 17)
    late = refused(lambda: revise_clock(clock, {"expected_months": 14}, at(3, 13, 0), TABLE, COUNTING))
    assert late is ErrorCode.CLOCK_ACT_TOO_LATE
    assert last_day(revise_clock(longer, {"expected_months": 11}, at(3, 16), TABLE, COUNTING)) == date(2026, 3, 12)


def test_revision_keeps_extensions_and_refuses_what_it_cannot_judge() -> None:
    """What was granted stays; an unknown fact gives no length; another step is another clock."""
    assert refused(lambda: revise_clock(start(), {"expected_months": None}, at(3, 3), TABLE, COUNTING)) is (
        ErrorCode.CLOCK_INPUT_MISSING
    )
    assert refused(lambda: revise_clock(start(), {"expected_months": -1}, at(3, 3), TABLE, COUNTING)) is (
        ErrorCode.CLOCK_INPUT_INVALID
    )
    assert refused(lambda: revise_clock(start("K39"), {"step": "DOCUMENTS"}, at(3, 3), TABLE, COUNTING)) is (
        ErrorCode.CLOCK_ACT_NOT_ALLOWED
    )
    fast = start("K41", fast_track=True)
    agreed = extend_clock(fast, "agreed", at(3, 3), COUNTING, parse_length("1WD"))
    assert last_day(agreed) == date(2026, 3, 10)
    assert last_day(revise_clock(agreed, {"fast_track": False}, at(3, 4), TABLE, COUNTING)) == date(2026, 3, 17)
