"""Write a year of holidays: ``python -m tests.support.holiday_year 2027 > gateway/core/rules/holidays/2027.yaml``.

The days are those of the ``chinesecalendar`` package, which follows the yearly notice of the State Council. Whoever
adds a year reads the notice beside it: the file, not the package, is what the gateway counts by.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from itertools import groupby

from chinese_calendar import constants

LAW = "State Council, Measures on Public Holidays for National Festivals and Memorial Days, and the notice of the year"


def years() -> list[int]:
    """The years that the package has."""
    return sorted({day.year for day in constants.holidays})


def write_year(year: int) -> str:
    """Write a year as YAML.

    Args:
        year: one of ``years()``.

    Returns:
        the text of the file.
    """
    lines = [f"year: {year}", f"law: {LAW}", f"source: chinesecalendar {version('chinesecalendar')}"]
    for key, table in (("holidays", constants.holidays), ("workdays", constants.workdays)):
        days = sorted(day for day in table if day.year == year)
        lines.append(f"{key}:" if days else f"{key}: []")
        for name, group in groupby(days, key=lambda day: table[day]):
            lines.append(f"  # {name}")
            lines.extend(f"  - {day}" for day in group)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    [wanted] = sys.argv[1:] or ["none"]
    if not wanted.isdigit() or int(wanted) not in years():
        sys.exit(f"give one year of {years()[0]} to {years()[-1]}; for a later one wait for a newer chinesecalendar")
    sys.stdout.write(write_year(int(wanted)))
