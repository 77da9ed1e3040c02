"""What the two signed payloads, the manifest of a bundle and a statement, write in the same way."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clock of a signer may be ahead of the gateway's."""
CASE_NUMBER: Final = re.compile(r"A[0-9]{12}[0-9]{4}(?:0[1-9]|1[0-2])[0-9]{4}", re.ASCII)
"""A police case number: A, 12 digits, year, month, 4 digits."""
INSTANT_TEXT: Final = "an instant with offset, 2026-01-02T03:04:05+08:00"
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_YEARS: Final = range(1900, 2200)
"""Those of the forms. At both ends of the calendar neither a limit nor an offset can be added."""


def parse_instant(value: Any) -> datetime:
    """Read an instant.

    Args:
        value: text as of RFC 3339 with an offset, up to microseconds.

    Returns:
        the aware instant.

    Raises:
        ValueError, TypeError: another form, no day of the calendar, or a year before 1900 or after 2199.
    """
    if _INSTANT.fullmatch(value) is None:
        raise ValueError("not an instant")
    found = datetime.fromisoformat(value)
    if found.year not in _YEARS:
        raise ValueError("a year before 1900 or after 2199")
    return found


def parse_uuid7(value: Any) -> UUID:
    """Read an id.

    Args:
        value: UUIDv7 in lower case with hyphens.

    Returns:
        the id.

    Raises:
        ValueError, TypeError: another form or version.
    """
    if not isinstance(value, str):
        raise TypeError("not a text")
    found = UUID(value)
    if str(found) != value or found.version != 7:
        raise ValueError("not a UUIDv7")
    return found
