"""Working days and holidays, and who is still a minor on a day.

The days come as yearly data. A year that is not there is refused and never filled with plain weekends: the Spring
Festival alone would put a limit nine days wrong.

Source: Criminal Procedure Law 105; domain model, section 1.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from gateway.core.case.value import PartialDate
from gateway.core.errors import ErrorCode, refuse
from gateway.core.rule import RuleFileError, parse_yaml

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_ADULT_YEARS: Final = 18


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """The announced days of one year.

    Args:
        year: 1-9999.
        holidays: days off, those on a weekend included.
        workdays: days of a weekend on which people work (调休).
        digest: SHA-256 of the file, 32 bytes.
    """

    year: int
    holidays: frozenset[date]
    workdays: frozenset[date]
    digest: bytes = b""


class Calendar:
    """Which days are working days.

    Args:
        years: the announced years; a later one replaces an earlier one of the same number.
    """

    __slots__ = ("_days_off", "_holidays", "years")

    def __init__(self, years: Iterable[HolidayYear]) -> None:
        self.years: Mapping[int, HolidayYear] = MappingProxyType({year.year: year for year in years})
        self._days_off = {number: _find_days_off(year) for number, year in self.years.items()}
        self._holidays = {number: year.holidays for number, year in self.years.items()}

    @property
    def digest(self) -> bytes:
        """SHA-256 over the files of all years in order, 32 bytes: which holidays a limit was counted by."""
        return sha256(b"".join(self.years[number].digest for number in sorted(self.years))).digest()

    def is_working_day(self, day: date) -> bool:
        """Tell whether people work on a day.

        Args:
            day: the day.

        Returns:
            True for a weekday that is no holiday, and for a make-up working day.

        Raises:
            GatewayError: CALENDAR_YEAR_MISSING.
        """
        return day not in self._look_up(self._days_off, day)

    def roll(self, day: date, *, weekend_rolls: bool = True) -> date:
        """Move the last day of a limit past holidays.

        Args:
            day: the last day as counted.
            weekend_rolls: an ordinary weekend counts as a holiday.

        Returns:
            the day itself, or the first day after the holiday.

        Raises:
            GatewayError: CALENDAR_YEAR_MISSING, also when the way to the next working day leads into such a year.

        Source: Criminal Procedure Law 105.
        """
        table = self._days_off if weekend_rolls else self._holidays
        while day in self._look_up(table, day):
            day += _DAY
        return day

    def add_working_days(self, start: date, days: int) -> date:
        """Count working days.

        Args:
            start: not counted itself, whether a working day or not.
            days: at least 1.

        Returns:
            the last of them.

        Raises:
            GatewayError: CALENDAR_YEAR_MISSING.
        """
        day = start
        while days:
            day += _DAY
            days -= self.is_working_day(day)
        return day

    def _look_up(self, table: Mapping[int, frozenset[date]], day: date) -> frozenset[date]:
        try:
            return table[day.year]
        except KeyError:
            raise refuse(
                ErrorCode.CALENDAR_YEAR_MISSING, "", f"the holidays of {day.year} are not loaded", "CPL 105"
            ) from None


def _find_days_off(year: HolidayYear) -> frozenset[date]:
    first = date(year.year, 1, 1)
    days = (first + timedelta(days=at) for at in range((date(year.year, 12, 31) - first).days + 1))
    weekend = {day for day in days if day.weekday() >= _SATURDAY}
    return frozenset(weekend | year.holidays) - year.workdays


def parse_holiday_year(name: str, data: bytes) -> HolidayYear:
    """Read the file of one year.

    Args:
        name: for messages.
        data: YAML with ``year``, ``law``, ``source``, ``holidays`` and ``workdays``.

    Returns:
        the year.

    Raises:
        RuleFileError: another form, a day of another year, a day twice, a working day that is a holiday or no weekend,
            or no holiday at all.
    """
    value = parse_yaml(name, data)
    if not isinstance(value, dict) or value.keys() != {"year", "law", "source", "holidays", "workdays"}:
        raise RuleFileError(name, ["the file must have year, law, source, holidays and workdays, and nothing else"])
    year = value["year"]
    if type(year) is not int or not 1 <= year < 9999:
        raise RuleFileError(name, ["year must be a number"])
    problems: list[str] = []
    holidays = _to_days(value["holidays"], "holidays", year, problems)
    workdays = _to_days(value["workdays"], "workdays", year, problems)
    if not problems and not holidays:
        problems.append("a year without holidays has not been announced yet")
    problems.extend(f"{day} is a holiday and a working day" for day in sorted(holidays & workdays))
    problems.extend(f"{day} is no weekend" for day in sorted(workdays) if day.weekday() < _SATURDAY)
    if problems:
        raise RuleFileError(name, problems)
    return HolidayYear(year, holidays, workdays, sha256(data).digest())


def _to_days(value: Any, key: str, year: int, problems: list[str]) -> frozenset[date]:
    if not isinstance(value, list) or not all(isinstance(day, date) and not isinstance(day, datetime) for day in value):
        problems.append(f"{key} must be a list of dates")
        return frozenset()
    problems.extend(f"{key}: {day} is not of {year}" for day in value if day.year != year)
    if len(set(value)) != len(value):
        problems.append(f"{key}: a day stands twice")
    return frozenset(value)


@cache
def load_calendar() -> Calendar:
    """Read the years that come with the package.

    Returns:
        the calendar; the same object each time.

    Raises:
        RuleFileError: a file is not as it must be.
    """
    folder = files("gateway.core").joinpath("rules", "holidays")
    found = sorted((item for item in folder.iterdir() if item.name.endswith(".yaml")), key=lambda item: item.name)
    years = [parse_holiday_year(item.name, item.read_bytes()) for item in found]
    misnamed = [item.name for item, year in zip(found, years, strict=True) if item.name != f"{year.year}.yaml"]
    if misnamed:
        raise RuleFileError(misnamed[0], ["the file is named after another year"])
    return Calendar(years)


def is_minor(birth: PartialDate | None, on: date) -> bool | None:
    """Tell whether a person is under 18 on a day; on the 18th birthday itself still a minor.

    Args:
        birth: possibly partial; None when nothing is known.
        on: the day.

    Returns:
        True or False; None when it is not certain. A partial date may prove a minor, but never an adult: a bare year
        is too often a filler for "not known".

    Source: Criminal Procedure Law 223(2); domain model, sections 1.3 (X03), 1.5 and 5 (M04).
    """
    if birth is None or birth.year is None or birth.approximate:
        return None
    oldest = (birth.year, birth.month or 1, birth.day or 1)
    # Someone born on 29 February is an adult from 1 March: the last day of the month stands in (Civil Code 202).
    if (on.year - _ADULT_YEARS, on.month, on.day) <= oldest:
        return True
    return False if birth.is_full else None
