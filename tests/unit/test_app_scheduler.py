"""What the scheduler counts by."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.app_scheduler import load_counting
from gateway.core.clock.length import MonthRule
from gateway.core.clock.table import load_clock_table


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
