"""What statutory limits are counted by: the same for the gateway, the scheduler and the commands."""

from __future__ import annotations

from pathlib import Path

from gateway.core.clock.calendar import Calendar, load_calendar, parse_holiday_year
from gateway.core.clock.due import Counting
from gateway.core.clock.table import ClockTable, load_clock_rules, load_clock_table, parse_settings
from gateway.core.rule import parse_yaml


def load_counting(holidays: tuple[Path, ...] = (), readings: Path | None = None) -> tuple[ClockTable, Counting]:
    """Read the table of clocks and the calendar that come with the package.

    Args:
        holidays: files of further years.
        readings: YAML of chosen readings, as ``fasttrack clocks due --settings`` takes it; None for the defaults.

    Returns:
        the table, and what it is counted by.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is no year of holidays, or has no readings (RuleFileError).
    """
    table, calendar = load_clock_table(), load_calendar()
    if readings is not None:
        rules = load_clock_rules()
        chosen = parse_yaml(readings.name, readings.read_bytes())
        table = ClockTable(rules, parse_settings(readings.name, chosen, rules.settings))
    years = [parse_holiday_year(path.name, path.read_bytes()) for path in holidays]
    if years:
        calendar = Calendar([*calendar.years.values(), *years])
    return table, Counting(calendar, table.settings)


def find_years(folder: Path | None) -> tuple[Path, ...]:
    """Find the files of further years of holidays.

    Args:
        folder: with files such as 2027.yaml; None for none.

    Returns:
        the files that end with .yaml, by name.
    """
    return tuple(sorted(folder.glob("*.yaml"))) if folder is not None else ()
