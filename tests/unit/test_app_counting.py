"""What gateway, scheduler and commands count by."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.app import load_forms
from gateway.app_counting import find_years, load_counting
from gateway.core.clock.length import MonthRule
from gateway.core.clock.table import load_clock_table, name_counting
from gateway.core.form.limit import Limits


def test_counting_without_files_is_that_of_the_package() -> None:
    """Nobody has to choose a reading."""
    table, counting = load_counting()
    assert table is load_clock_table() and counting.settings is table.settings


def test_counting_by_readings_takes_them_for_table_and_days(tmp_path: Path) -> None:
    """The start of K31 and the rule of months are those of the file, the rest stays."""
    readings = tmp_path / "readings.yaml"
    readings.write_text("month_rule: next_day\ntrial_start: acceptance\n")
    table, counting = load_counting(readings=readings)
    assert counting.settings.month_rule is MonthRule.NEXT_DAY
    assert table.find("K31", date(2025, 3, 3)).starts == ("ct_accepted",)
    assert counting.settings.weekend_rolls is load_clock_table().settings.weekend_rolls


def test_counting_by_a_file_without_readings_is_refused(tmp_path: Path) -> None:
    """A misspelt reading never counts as the default."""
    readings = tmp_path / "readings.yaml"
    readings.write_text("month_rules: next_day\n")
    with pytest.raises(ValueError, match=r"readings\.yaml"):
        load_counting(readings=readings)


def write_year(folder: Path, number: int, first: str = "01-01") -> Path:
    """The file of a year with one holiday."""
    path = folder / f"{number}.yaml"
    path.write_text(f"year: {number}\nlaw: x\nsource: x\nholidays: [{number}-{first}]\nworkdays: []\n")
    return path


def test_name_of_counting_tells_other_readings_and_other_holidays_apart(tmp_path: Path) -> None:
    """The same files give the same name, whatever their order; any other reading or day is another name."""
    readings = tmp_path / "readings.yml"
    readings.write_text("month_rule: next_day\n")
    folder = tmp_path / "years"
    folder.mkdir()
    names = [name_counting(*load_counting()), name_counting(*load_counting(readings=readings))]
    for first in ("01-01", "01-02"):
        years = [write_year(folder, 2027, first), write_year(folder, 2028)]
        (folder / "README").write_text("no year")
        assert find_years(folder) == tuple(years)
        names.append(name_counting(*load_counting(find_years(folder))))
        assert name_counting(*load_counting(tuple(reversed(years)))) == names[-1]
    assert len(set(names)) == 4
    assert find_years(None) == ()
    for length in ("8h", "12h"):
        readings.write_text(f"lengths: {{K46: {length}}}\n")
        names.append(name_counting(*load_counting(readings=readings)))
    assert len(set(names)) == 6 and all(name.startswith("clocks/") for name in names)


def test_forms_count_by_the_chosen_readings(tmp_path: Path) -> None:
    """The checks of forms are given the limits of the gateway, so that no two parts of it tell other days."""
    readings = tmp_path / "readings.yaml"
    readings.write_text("month_rule: next_day\n")
    limits = Limits(*load_counting(readings=readings))
    book = load_forms(None, limits)
    day, found = date(2025, 3, 3), []
    for chosen in (book.limits, load_forms(None).limits):
        due = chosen.find("K23", day, in_custody=True)
        assert due is not None
        found.append(due.at)
    assert found == [date(2025, 4, 4), date(2025, 4, 3)]
