"""When a clock warns, and whether its limit was broken.

A day clock warns as its days begin: 100 % is the beginning of the last day, when there is still time to act. A limit
is broken after that, by the midnight that ends its last day or the instant that ends its last hour.

Source: domain model, section 3 (statutory time limits); Supreme People's Procuratorate Rules 612-618.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.clock import Clock
from gateway.core.clock.due import Due, to_day
from gateway.core.clock.renewal import find_last_request

CUSTODY_DAYS: Final = 7


class WarningLevel(StrEnum):
    """What a warning says; a clock raises each once."""

    HALF = "50%"
    MOST = "80%"
    LAST = "100%"
    WEEK_BEFORE = "T-7d"
    REQUEST = "request"
    """The last day on which the extension can be asked for, such as the renewal of a freeze."""
    BREACH = "breach"
    UNCOUNTED = "uncounted"


_SHARES: Final = ((WarningLevel.HALF, 50), (WarningLevel.MOST, 80), (WarningLevel.LAST, 100))


@dataclass(frozen=True, slots=True)
class ClockWarning:
    """A warning of a clock.

    Args:
        level: what it says.
        at: from when it is due, at +08:00.
    """

    level: WarningLevel
    at: datetime


def find_warnings(clock: Clock, due: Due | None) -> tuple[ClockWarning, ...]:
    """List the warnings of a clock, past and future ones.

    Args:
        clock: the clock.
        due: its end; None for a clock that stands still or has no length, which does not warn.

    Returns:
        in order of time: 50, 80 and 100 percent, one week before the end for a person in custody if the limit is longer
        than a week, the last day on which an extension can be asked for where the rule names one, and the breach.
    """
    if due is None:
        return ()
    found = [ClockWarning(level, _find_share(clock, due, percent)) for level, percent in _SHARES]
    if clock.custody[-1][1] and not isinstance(due.at, datetime):
        before = due.at - timedelta(days=CUSTODY_DAYS)
        if before > to_day(clock.start):
            found.append(ClockWarning(WarningLevel.WEEK_BEFORE, _begin(before)))
    request = find_last_request(clock, due)
    if request is not None and request > to_day(clock.start):
        found.append(ClockWarning(WarningLevel.REQUEST, _begin(request)))
    found.append(ClockWarning(WarningLevel.BREACH, due.expires_at))
    return tuple(sorted(found, key=lambda warning: warning.at))


def is_breached(clock: Clock, due: Due | None, now: datetime) -> bool:
    """Tell whether a limit was broken.

    Args:
        clock: running or stopped.
        due: its end; None for a clock that stands still or has no length.
        now: aware.

    Returns:
        True when it ran on past its end.
    """
    if due is None:
        return False
    return due.is_past(now) if clock.stopped_at is None else due.is_past(clock.stopped_at)


def _find_share(clock: Clock, due: Due, percent: int) -> datetime:
    if isinstance(clock.start, datetime) and isinstance(due.at, datetime):
        return clock.start + (due.at - clock.start) * percent / 100
    first, last = to_day(clock.start), to_day(due.at)
    stood = sum(suspension.days for suspension in clock.suspensions)
    # Rounded up: half of five days is reached on the third.
    day = first + timedelta(days=-(-((last - first).days - stood) * percent // 100))
    for suspension in clock.suspensions:
        if to_day(suspension.start) < day:
            day += timedelta(days=suspension.days)
    return _begin(min(day, last))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA_TIME)
