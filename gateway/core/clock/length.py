"""Lengths of statutory limits, and where a limit of some length ends.

Source: Criminal Procedure Law 105; Supreme People's Court Interpretation 202; domain model, section 1.5.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

HALF_MONTH_DAYS: Final = 15
_HOURS: Final = re.compile(r"(\d{1,4})h")
_WORKING_DAYS: Final = re.compile(r"(\d{1,3})WD")
_MONTHS_DAYS: Final = re.compile(r"(?:(\d{1,3})(\.5)?M)?(?:(?:(?<=M)\+)?(\d{1,3})D)?")


class MonthRule(StrEnum):
    """From which day months are counted; practice differs."""

    SAME_DAY = "same_day"
    """1 March + 2 months = 1 May, the earlier reading."""
    NEXT_DAY = "next_day"
    """1 March + 2 months = 2 May."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a limit is: hours, or working days, or months and days.

    Args:
        months: calendar months.
        days: calendar days, counted after the months.
        working_days: alone.
        hours: alone.
    """

    months: int = 0
    days: int = 0
    working_days: int = 0
    hours: int = 0

    def __add__(self, other: Length) -> Length:
        return Length(
            self.months + other.months,
            self.days + other.days,
            self.working_days + other.working_days,
            self.hours + other.hours,
        )

    def __str__(self) -> str:
        if self.hours:
            return f"{self.hours}h"
        if self.working_days:
            return f"{self.working_days}WD"
        return "+".join([f"{self.months}M"] * bool(self.months) + [f"{self.days}D"] * bool(self.days))

    @property
    def unit(self) -> str:
        """What it is counted in: "h", "WD", or "D" for days and months."""
        return "h" if self.hours else "WD" if self.working_days else "D"

    @property
    def rank(self) -> tuple[int, int, int]:
        """For comparing two lengths of one unit: a month is longer than any days beside it in the table of clocks."""
        return (self.hours or self.working_days, self.months, self.days)


def parse_length(text: str) -> Length:
    """Read a length.

    Args:
        text: "12h", "5WD", "10D", "1M", "1M+15D", or "1.5M" (half a month is 15 days).

    Returns:
        the length, longer than nothing.

    Raises:
        ValueError: another form, or zero.
    """
    length = Length()
    if match := _HOURS.fullmatch(text):
        length = Length(hours=int(match[1]))
    elif match := _WORKING_DAYS.fullmatch(text):
        length = Length(working_days=int(match[1]))
    elif match := _MONTHS_DAYS.fullmatch(text):
        half = HALF_MONTH_DAYS if match[2] else 0
        length = Length(months=int(match[1] or 0), days=int(match[3] or 0) + half)
    if length == Length():
        raise ValueError("a length is written like 12h, 5WD, 10D, 1M, 1M+15D or 1.5M")
    return length


def add_months(start: date, months: int, rule: MonthRule = MonthRule.SAME_DAY) -> date:
    """Go on by calendar months.

    Args:
        start: the day on which the limit starts.
        months: at least 0.
        rule: from which day to count.

    Returns:
        the day of the same number; the month's last day where there is none, or where the start is a month's last day.

    Source: Supreme People's Court Interpretation 202.
    """
    if rule is MonthRule.NEXT_DAY:
        start += timedelta(days=1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    is_last = start.day == monthrange(start.year, start.month)[1]
    return date(year, month + 1, last if is_last else min(start.day, last))


def add_days(start: date, length: Length, rule: MonthRule = MonthRule.SAME_DAY) -> date:
    """Find the last day of a limit of months and days, before any holiday is looked at.

    Args:
        start: not counted itself.
        length: of months and days.
        rule: from which day months are counted.

    Returns:
        the last day.
    """
    day = add_months(start, length.months, rule) if length.months else start
    return day + timedelta(days=length.days)
