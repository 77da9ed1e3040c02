"""Whether somebody is of age on a day.

Source: domain model, section 1.3 (X03): a full year of life counts from the day after the birthday.
"""

from __future__ import annotations

from datetime import date

FULL_AGE_YEARS = 18


def birthday(birth: date, years: int) -> date:
    """The day on which somebody has a birthday.

    Args:
        birth: day of birth.
        years: which one.

    Returns:
        that day; for a birth on 29 February in a year that has none, 1 March, because the later day protects.
    """
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


def is_minor(birth: date, on: date) -> bool:
    """Whether somebody born on a day is a minor on another; the eighteenth birthday itself still is."""
    return on <= birthday(birth, FULL_AGE_YEARS)
