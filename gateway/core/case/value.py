"""Values of the canonical case that Python has no type for.

Source: agency interfaces, section 3 (canonical values). A date is ``datetime.date``; an instant is an aware
``datetime`` at +08:00; an "instant or date" is a ``date`` when the time is unknown; an amount is an ``int`` of fen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Final

CHINA_TIME: Final = timezone(timedelta(hours=8))
"""Local time of every agency; China has had no summer time since 1991."""


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which only the first parts may be known; all unknown is a value, different from absent.

    Args:
        year: 1-9999, or None when the whole date is unknown.
        month: 1-12, or None; None when the year is.
        day: 1-31, or None; None when the month is.
        approximate: the source says "about".
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    approximate: bool = False

    @property
    def is_full(self) -> bool:
        """Whether year, month and day are all known."""
        return self.day is not None


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a penalty or a probation period; never zero in all parts.

    Args:
        years: 0-99.
        months: 0-99.
        days: 0-99.
    """

    years: int = 0
    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class RawText:
    """The wording of a coded field whose open table lacks the value; never equal to a code, whatever it says.

    Args:
        text: as the sender worded it.
    """

    text: str
