"""A second opinion: every clock, on every start day of three years, against a counter that walks day by day.

The counter shares nothing with the gateway: lengths are written down here, and holidays are asked of the package they
were taken from.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import chinese_calendar
import pytest

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.request import answer_request
from gateway.core.clock.table import load_clock_table
from gateway.core.errors import ErrorCode, GatewayError

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
DAY = timedelta(days=1)
LENGTHS: list[tuple[str, dict[str, Any], int, str]] = [
    ("K01", {}, 12, "hours"),
    *((kind, {}, 24, "hours") for kind in ("K02", "K05", "K06", "K07", "K08", "K15", "K46")),
    *((kind, {}, 48, "hours") for kind in ("K13", "K14")),
    *((kind, {}, 3, "days") for kind in ("K03", "K04", "K09", "K16", "K20", "K34")),
    *((kind, {}, 5, "days") for kind in ("K21", "K36", "K39")),
    *((kind, {}, 7, "days") for kind in ("K10", "K30", "K35")),
    *((kind, {}, 10, "days") for kind in ("K37", "K38", "K40")),
    *(
        (kind, {"expected_months": months}, days, "days")
        for kind in ("K22", "K31")
        for months, days in ((12, 10), (13, 15))
    ),
    ("K25", {"step": "POLICE_RECONSIDERATION"}, 7, "days"),
    ("K25", {"step": "PR_RECONSIDERATION"}, 30, "days"),
    ("K32", {"expected_months": 36}, 20, "days"),
    ("K32", {"expected_months": 40}, 1, "months and a half"),
    ("K45", {}, 30, "days"),
    *((kind, {}, 1, "months") for kind in ("K23", "K24", "K43")),
    *((kind, {}, 2, "months") for kind in ("K11", "K33")),
    ("K12", {"measure": "BAIL"}, 12, "months"),
    ("K12", {"measure": "RS"}, 6, "months"),
    ("K42", {"asset": "DEPOSIT"}, 6, "months"),
    ("K42", {"asset": "SECURITIES"}, 24, "months"),
    ("K41", {"fast_track": True}, 5, "working days"),
    ("K41", {"fast_track": False}, 10, "working days"),
]


def start_days() -> Iterator[date]:
    """Every day of the three years."""
    day = FIRST
    while day <= LAST:
        yield day
        day += DAY


@cache
def is_day_off(day: date) -> bool:
    """Ask the package; it knows nothing of a year that was not announced."""
    return bool(chinese_calendar.is_holiday(day))


def is_last_of_month(day: date) -> bool:
    """Whether the next day is in another month."""
    return (day + DAY).month != day.month


def walk_months(start: date, months: int) -> date:
    """Walk until the month has changed often enough, and on to the same number or the end of the month."""
    day, changes = start, 0
    while changes < months:
        changes += is_last_of_month(day)
        day += DAY
    while not is_last_of_month(day) and (is_last_of_month(start) or day.day != start.day):
        day += DAY
    return day


@cache
def walk(start: date, count: int, unit: str) -> date:
    """Walk to the last day, one day at a time."""
    if unit.startswith("months"):
        day = walk_months(start, count)
        return walk(day, 15, "days") if unit == "months and a half" else day
    day = start
    while count:
        day += DAY
        if unit == "days" or not is_day_off(day):
            count -= 1
    return day


@cache
def walk_past_holidays(day: date) -> date:
    """Walk to the first day that is no holiday."""
    while is_day_off(day):
        day += DAY
    return day


def expect(start: date, count: int, unit: str, *, custody: bool) -> str:
    """The end according to the counter, or "refused" when a year of holidays is missing on the way."""
    if unit == "hours":
        end = datetime(start.year, start.month, start.day, 22, 40, tzinfo=CHINA_TIME)
        for _ in range(count):
            end += timedelta(hours=1)
        return end.isoformat()
    try:
        day = walk(start, count, unit)
        return (day if custody or unit == "working days" else walk_past_holidays(day)).isoformat()
    except NotImplementedError:
        return "refused"


def ask(kind: str, start: date, inputs: dict[str, Any], unit: str, *, custody: bool) -> str:
    """The end according to the gateway."""
    text = f"{start}T22:40:00+08:00" if unit == "hours" else start.isoformat()
    request = {"kind": kind, "start": text, "custody": custody, "inputs": inputs}
    try:
        due = answer_request(request, TABLE, COUNTING).due
    except GatewayError as error:
        assert error.code is ErrorCode.CALENDAR_YEAR_MISSING
        return "refused"
    assert due is not None
    return due.at.isoformat()


@pytest.mark.parametrize("custody", [True, False], ids=["in", "out"])
@pytest.mark.parametrize(
    ("kind", "inputs", "count", "unit"), LENGTHS, ids=lambda value: str(value) if not isinstance(value, dict) else ""
)
def test_clock_agrees_with_a_walk_day_by_day(
    kind: str, inputs: dict[str, Any], count: int, unit: str, custody: bool
) -> None:
    """On each of 1,096 start days both name the same end, and refuse the same unannounced years."""
    for start in start_days():
        expected = expect(start, count, unit, custody=custody)
        assert ask(kind, start, inputs, unit, custody=custody) == expected, f"{kind} from {start}"


def test_second_opinion_covers_every_clock_that_has_a_length() -> None:
    """A new clock gets its second opinion too."""
    assert {kind for kind, *_ in LENGTHS} == {row.id for row in TABLE.rows if row.choices}
