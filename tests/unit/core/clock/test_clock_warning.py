"""When a clock warns, and when its limit is broken."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import (
    Clock,
    extend_clock,
    find_due,
    resume_clock,
    start_clock,
    stop_clock,
    suspend_clock,
)
from gateway.core.clock.due import Counting, Moment
from gateway.core.clock.renewal import find_last_request
from gateway.core.clock.table import load_clock_table
from gateway.core.clock.warning import WarningLevel, find_warnings, is_breached

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
SECOND = timedelta(seconds=1)


def clock(kind: str = "K22", start: Moment = date(2026, 3, 2), *, custody: bool = True) -> Clock:
    """A clock; ten days from 2 March to 12 March."""
    return start_clock(TABLE, kind, "p1", start, {"expected_months": 12}, in_custody=custody)


def midnight(month: int, day: int) -> datetime:
    """The beginning of a day of 2026."""
    return datetime(2026, month, day, tzinfo=CHINA_TIME)


def warnings(of: Clock) -> list[tuple[str, datetime]]:
    """Levels and instants."""
    return [(warning.level.value, warning.at) for warning in find_warnings(of, find_due(of, COUNTING))]


def test_day_clock_warns_at_half_four_fifths_and_on_its_last_day() -> None:
    """The last warning comes while there is time left; the limit is broken by the midnight after."""
    assert warnings(clock()) == [
        ("T-7d", midnight(3, 5)),
        ("50%", midnight(3, 7)),
        ("80%", midnight(3, 10)),
        ("100%", midnight(3, 12)),
        ("breach", midnight(3, 13)),
    ]


def test_share_of_an_odd_number_of_days_is_rounded_up() -> None:
    """Half of five days is reached on the third: a warning never comes before its share."""
    found = dict(warnings(clock("K36")))
    assert (found["50%"], found["80%"]) == (midnight(3, 5), midnight(3, 6))


def test_warning_a_week_before_is_for_custody_and_for_limits_above_a_week() -> None:
    """A person who is free, and a limit of seven days, have no such warning."""
    assert "T-7d" not in dict(warnings(clock(custody=False)))
    assert "T-7d" not in dict(warnings(clock("K30")))
    assert "T-7d" in dict(warnings(clock("K32")))


def test_hour_clock_warns_to_the_second() -> None:
    """Half of twelve hours is six hours later; the end itself is still in time."""
    start = datetime(2026, 3, 2, 9, 30, tzinfo=CHINA_TIME)
    found = dict(warnings(clock("K01", start)))
    assert found["50%"] == start + timedelta(hours=6)
    assert found["80%"] == start + timedelta(hours=9, minutes=36)
    assert found["100%"] == start + timedelta(hours=12)
    due = find_due(clock("K01", start), COUNTING)
    assert not is_breached(clock("K01", start), due, start + timedelta(hours=12))
    assert is_breached(clock("K01", start), due, start + timedelta(hours=12) + SECOND)


@pytest.mark.parametrize(
    ("now", "reached"),
    [
        (midnight(3, 5) - SECOND, []),
        (midnight(3, 5), ["T-7d"]),
        (midnight(3, 12), ["T-7d", "50%", "80%", "100%"]),
        (midnight(3, 13) - SECOND, ["T-7d", "50%", "80%", "100%"]),
        (midnight(3, 13), ["T-7d", "50%", "80%", "100%", "breach"]),
    ],
)
def test_warnings_are_reached_in_order_of_time(now: datetime, reached: list[str]) -> None:
    """What is reached grows with time and with nothing else."""
    due = find_due(clock(), COUNTING)
    assert [warning.level.value for warning in find_warnings(clock(), due) if warning.at <= now] == reached
    assert is_breached(clock(), due, now) is ("breach" in reached)


def test_clock_stopped_in_time_is_never_broken_and_one_stopped_late_stays_broken() -> None:
    """Only the stop counts, not when somebody looks."""
    due, later = find_due(clock(), COUNTING), midnight(6, 1)
    in_time = stop_clock(clock(), date(2026, 3, 12))
    assert not is_breached(in_time, due, later)
    late = stop_clock(clock(), date(2026, 3, 13))
    assert is_breached(late, due, later)


def test_clock_that_stands_still_or_has_no_length_does_not_warn() -> None:
    """There is no end to warn of."""
    suspended = suspend_clock(clock(), "K44", date(2026, 3, 5), COUNTING)
    assert warnings(suspended) == []
    assert not is_breached(suspended, find_due(suspended, COUNTING), midnight(6, 1))
    assert warnings(clock("K44")) == []


def test_warnings_move_with_the_days_that_are_not_counted() -> None:
    """A share is one of counted days: what was reached before the expertise is not reached again."""
    suspended = suspend_clock(clock(), "K44", date(2026, 3, 8), COUNTING)
    assert [item for item in warnings(resume_clock(suspended, date(2026, 3, 28))) if item[0] != "T-7d"] == [
        ("50%", midnight(3, 7)),
        ("80%", midnight(3, 30)),
        ("100%", midnight(4, 1)),
        ("breach", midnight(4, 2)),
    ]


def freeze(until: str | None) -> Clock:
    """A frozen account, with the last day of its order."""
    inputs = {"asset": "DEPOSIT", "approver": "COUNTY_HEAD", **({"until": until} if until else {})}
    return start_clock(TABLE, "K42", "account", date(2025, 3, 3), inputs)


@pytest.mark.parametrize(
    ("until", "due", "renewal"),
    [
        (None, date(2025, 9, 3), date(2025, 8, 24)),
        ("2025-06-07", date(2025, 6, 7), date(2025, 5, 28)),
        ("2026-06-30", date(2025, 9, 3), date(2025, 8, 24)),
        ("2025-03-03", date(2025, 9, 3), date(2025, 8, 24)),
    ],
)
def test_freeze_ends_with_its_own_last_day_and_is_renewed_ten_days_before(
    until: str | None, due: date, renewal: date
) -> None:
    """An order for less than six months ends with its own day, a Saturday too; one for more gives no more."""
    clock = freeze(until)
    found = find_due(clock, COUNTING)
    assert found is not None
    assert found.at == due
    warned = {warning.level: warning.at for warning in find_warnings(clock, found)}
    assert warned[WarningLevel.REQUEST] == datetime.combine(renewal, time(), CHINA_TIME)


def test_freeze_renewed_ends_with_the_day_of_the_renewal() -> None:
    """What the renewal names counts, at most as long again as the law allows; a renewed freeze may be renewed again."""
    clock = extend_clock(freeze("2025-06-07"), "renewed", date(2025, 5, 20), COUNTING, until="2025-11-30")
    found = find_due(clock, COUNTING)
    assert found is not None
    assert found.at == date(2025, 11, 30)
    assert find_last_request(clock, found) == date(2025, 11, 20)


def test_request_is_warned_of_only_while_an_extension_can_follow() -> None:
    """In custody the police ask seven days before; after the last extension there is nothing left to ask for."""
    clock = start_clock(TABLE, "K11", "p1", date(2025, 3, 3), in_custody=True)
    last = [date(2025, 4, 26), date(2025, 5, 27), date(2025, 7, 27), None]
    for name, expected in zip(("complex", "four_kinds", "ten_years", ""), last, strict=True):
        found = find_due(clock, COUNTING)
        assert found is not None
        assert find_last_request(clock, found) == expected
        if name:
            clock = extend_clock(clock, name, date(2025, 4, 1), COUNTING)
