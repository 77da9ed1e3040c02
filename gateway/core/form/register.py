"""The register of officers' qualifications: who held which level on which day.

Source: domain model, section 3 (officer qualification 执法资格).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

LEVELS: Final = ("BASIC", "MEDIUM", "HIGH")
"""From the lowest; an auxiliary has none."""


def is_qualified(row: Mapping[str, Any] | None, on: date, least: str = "BASIC") -> bool:
    """Whether an officer held a valid level on the day of an act.

    Args:
        row: of the register; None when the officer is not in it.
        on: day of the act.
        least: lowest level that is enough.

    Returns:
        False for nobody, an auxiliary, a suspended or withdrawn level, and a day outside its validity. A level without
        ``valid_to`` has none that the register knows, so it does not count.
    """
    if row is None or row.get("level") not in LEVELS or row.get("status") != "VALID":
        return False
    if LEVELS.index(row["level"]) < LEVELS.index(least):
        return False
    start, end = row.get("obtained_on"), row.get("valid_to")
    return bool(start and end) and date.fromisoformat(str(start)) <= on <= date.fromisoformat(str(end))


def to_register(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The lookup of a register.

    Args:
        body: of a statement ``qualification-register``.

    Returns:
        its rows by officer number.
    """
    return {row["officer_no"]: row for row in body["officers"]}
