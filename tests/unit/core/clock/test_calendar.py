"""Holidays, working days and the day on which a person is of age."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway.core.rules.holidays
from gateway.core.case.value import PartialDate
from gateway.core.clock.calendar import Calendar, is_minor, load_calendar, parse_holiday_year
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.rule import RuleFileError
from tests.support.holiday_year import write_year, years

FOLDER = Path(gateway.core.rules.holidays.__file__).parent
YEAR = "year: 2030\nlaw: notice\nsource: gazette\nholidays: [2030-01-01]\nworkdays: [2030-01-05]\n"


@pytest.mark.parametrize("year", years())
def test_year_of_holidays_says_the_same_as_the_package(year: int) -> None:
    """Each day of each year is a working day for both or for neither."""
    calendar, day = load_calendar(), date(year, 1, 1)
    while day.year == year:
        assert calendar.is_working_day(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_year_file_is_what_the_generator_writes() -> None:
    """Nobody has edited a day by hand; only the line with the version of the package may differ."""

    def days(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("source:")]

    for year in years():
        assert days((FOLDER / f"{year}.yaml").read_text("utf-8")) == days(write_year(year))


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2027, 1, 1), date(2027, 1, 2)])
def test_calendar_without_the_year_refuses(day: date) -> None:
    """A year that was not announced is refused, on a weekday and on a weekend alike."""
    with pytest.raises(GatewayError) as refusal:
        load_calendar().is_working_day(day)
    assert refusal.value.code is ErrorCode.CALENDAR_YEAR_MISSING
    with pytest.raises(GatewayError):
        load_calendar().roll(day)


def test_calendar_with_another_year_has_another_digest() -> None:
    """Whoever keeps the digest can tell later which holidays were known."""
    calendar = load_calendar()
    more = Calendar([*calendar.years.values(), parse_holiday_year("2030", YEAR.encode())])
    assert len(calendar.digest) == 32
    assert calendar.digest == Calendar(reversed(list(calendar.years.values()))).digest != more.digest


def test_calendar_rolling_into_a_missing_year_refuses() -> None:
    """A weekend at the end of the last year leads into a year of which nothing is known."""
    year = parse_holiday_year("2033", YEAR.replace("2030", "2033").replace("2033-01-05", "2033-01-08").encode())
    assert date(2033, 12, 31).weekday() == 5
    with pytest.raises(GatewayError) as refusal:
        Calendar([year]).roll(date(2033, 12, 31))
    assert refusal.value.code is ErrorCode.CALENDAR_YEAR_MISSING


@given(day=st.dates(date(2004, 1, 1), date(2026, 12, 30)))
def test_day_rolled_is_the_next_working_day(day: date) -> None:
    """Rolling never goes back, ends on a working day and skips none."""
    calendar = load_calendar()
    last = calendar.roll(day)
    assert calendar.is_working_day(last)
    assert not any(calendar.is_working_day(day + timedelta(days=at)) for at in range((last - day).days))


def test_weekend_that_does_not_roll_stays_while_a_holiday_moves() -> None:
    """With the narrow reading an ordinary Sunday is a last day, one of the Spring Festival is not."""
    calendar = load_calendar()
    assert calendar.roll(date(2026, 3, 8), weekend_rolls=False) == date(2026, 3, 8)
    assert calendar.roll(date(2026, 2, 15), weekend_rolls=False) == date(2026, 2, 24)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("holidays: [2030-01-01]", "holidays: []"), "has not been announced"),
        (("2030-01-01", "2031-01-01"), "not of 2030"),
        (("[2030-01-05]", "[2030-01-07]"), "no weekend"),
        (("[2030-01-01]", "[2030-01-01, 2030-01-01]"), "stands twice"),
        (("[2030-01-01]", "[2030-01-05]"), "a holiday and a working day"),
        (("[2030-01-01]", "[1 January]"), "list of dates"),
        (("law: notice\n", ""), "and nothing else"),
        (("year: 2030", "year: next"), "must be a number"),
    ],
)
def test_year_file_that_cannot_be_right_is_refused(change: tuple[str, str], problem: str) -> None:
    """A file is taken whole or not at all."""
    assert parse_holiday_year("2030", YEAR.encode()).year == 2030
    with pytest.raises(RuleFileError, match=problem):
        parse_holiday_year("2030", YEAR.replace(*change).encode())


BORN = PartialDate(2008, 11, 23)


@pytest.mark.parametrize(
    ("birth", "on", "minor"),
    [
        (BORN, date(2026, 11, 22), True),
        (BORN, date(2026, 11, 23), True),
        (BORN, date(2026, 11, 24), False),
        (PartialDate(2008, 2, 29), date(2026, 2, 28), True),
        (PartialDate(2008, 2, 29), date(2026, 3, 1), False),
        (PartialDate(2008, 2, 29), date(2028, 2, 29), False),
        (None, date(2026, 11, 23), None),
        (PartialDate(), date(2026, 11, 23), None),
        (PartialDate(1990), date(2026, 11, 23), None),
        (PartialDate(2008, 11), date(2026, 11, 2), None),
        (PartialDate(2008, 11), date(2026, 11, 1), True),
        (PartialDate(2012), date(2026, 11, 23), True),
        (PartialDate(2012, 1, 1, approximate=True), date(2026, 11, 23), None),
        (PartialDate(1990, 1, 1, approximate=True), date(2026, 11, 23), None),
    ],
)
def test_person_is_minor_until_the_day_after_the_birthday(
    birth: PartialDate | None, on: date, minor: bool | None
) -> None:
    """The birthday itself still protects; a partial date may prove a minor, never an adult."""
    assert is_minor(birth, on) is minor
