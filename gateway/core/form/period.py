"""Instants and periods of annexes, after their schema has seen that they can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

CHINA: Final = timezone(timedelta(hours=8))

Period = tuple[datetime, datetime]
"""Start and end; the end is not before the start."""

Span = tuple[float, float]
"""The same in seconds since 1970."""


def to_instant(text: str) -> datetime:
    """Read an instant with offset."""
    return datetime.fromisoformat(text)


def to_day(text: str) -> date:
    """The day in China of an instant, or a day as it is."""
    return date.fromisoformat(text) if len(text) == 10 else to_instant(text).astimezone(CHINA).date()


def to_period(source: Mapping[str, Any], start: str = "start", end: str = "end") -> Period | None:
    """Read a period of two fields; None when one is absent, or the end is before the start."""
    if start not in source or end not in source:
        return None
    first, last = to_instant(source[start]), to_instant(source[end])
    return (first, last) if first <= last else None


def find_overlaps(periods: Sequence[tuple[datetime, datetime, int]]) -> Iterable[int]:
    """Which of some periods begin before an earlier one has ended.

    Args:
        periods: start, end and the number by which it is told; a period that ends as the next starts does not overlap.

    Returns:
        numbers of those that begin too early.
    """
    latest: datetime | None = None
    for start, end, number in sorted(periods):
        if latest is not None and start < latest:
            yield number
        latest = end if latest is None else max(latest, end)


def to_span(period: Period) -> Span:
    """A period in seconds since 1970: thousands of them are sorted, and aware instants compare slowly."""
    return period[0].timestamp(), period[1].timestamp()


def is_covered(wanted: Span, parts: Iterable[Span], tolerance_seconds: float) -> bool:
    """Whether parts, sorted by their start, cover a span without a hole longer than a tolerance."""
    reached, end = wanted
    for start, stop in parts:
        if start > reached + tolerance_seconds:
            break
        reached = max(reached, stop)
        if reached >= end:
            break
    return reached + tolerance_seconds >= end


def cut(whole: Period, holes: Iterable[Period]) -> list[Period]:
    """What remains of a period when holes are cut out."""
    start, end = whole
    rest: list[Period] = []
    for first, last in sorted(holes):
        if first > start:
            rest.append((start, min(first, end)))
        start = max(start, last)
    if start < end:
        rest.append((start, end))
    return rest


def add_months(day: date, months: int) -> date:
    """The day some months later; the last day of a month that has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has a day 28")
