"""Every scenario of the domain model has exactly one test."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_scenario_has_exactly_one_test() -> None:
    """The 28 scenarios of section 6 are numbered, and each number is played once."""
    found = [
        int(number)
        for file in sorted(Path(__file__).parent.glob("test_*_scenarios.py"))
        for number in re.findall(r"^async def test_scenario_(\d\d)_", file.read_text("utf-8"), re.MULTILINE)
    ]
    assert sorted(found) == list(range(1, 29))
