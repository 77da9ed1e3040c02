"""When a limit ends: from rule, start and length to the last day or the last instant.

Source: Criminal Procedure Law 105; domain model, section 1.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple, TypeAlias

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.calendar import Calendar
from gateway.core.clock.length import Length, add_days
from gateway.core.clock.rule import ClockRule, ClockSettings
from gateway.core.errors import ErrorCode, refuse

Moment: TypeAlias = date | datetime
"""A day, when the time is not known, or an aware instant."""

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_INSTANT: Final = timedelta(microseconds=1)
_MIDNIGHT: Final = time()


@dataclass(frozen=True, slots=True)
class Counting:
    """What limits are counted by.

    Args:
        calendar: holidays.
        settings: chosen readings.
    """

    calendar: Calendar
    settings: ClockSettings


class Due(NamedTuple):
    """The end of a limit.

    Args:
        at: the last day, or for hours the last instant at +08:00.
        rolled_from: the day as counted, when holidays moved it; None otherwise.
    """

    at: Moment
    rolled_from: date | None = None

    @property
    def expires_at(self) -> datetime:
        """The first instant at which the limit has passed; for a day the midnight that ends it, at +08:00."""
        if isinstance(self.at, datetime):
            return self.at + _INSTANT
        return datetime.combine(self.at + _DAY, _MIDNIGHT, CHINA_TIME)

    @property
    def advisory(self) -> datetime | None:
        """For hours, the end if the hour of the start is not counted; nothing is decided by it. None for days.

        Source: Criminal Procedure Law 105 (the hour in which a period starts is not counted); domain model, 1.5 (1).
        """
        if not isinstance(self.at, datetime):
            return None
        # The length is of whole hours, so the full hour after the end is that after the start, and the length.
        return self.at.replace(minute=0, second=0, microsecond=0) + _HOUR

    def is_past(self, moment: Moment) -> bool:
        """Whether the limit has passed; a day without a time counts as its end, as nothing proves an earlier one."""
        if isinstance(self.at, datetime):
            return to_latest(moment) > self.at
        return to_day(moment) > self.at


@dataclass(frozen=True, slots=True)
class Suspension:
    """A time that is not counted.

    Args:
        start: from when.
        end: until when; None while it lasts.
        by: the clock that suspends, "K44".
    """

    start: Moment
    end: Moment | None
    by: str

    @property
    def days(self) -> int:
        """Days that are not counted: those after the first, up to and with the last."""
        return (to_day(self.end) - to_day(self.start)).days if self.end is not None else 0


def to_day(moment: Moment) -> date:
    """The day of a moment in China."""
    return moment.astimezone(CHINA_TIME).date() if isinstance(moment, datetime) else moment


def to_latest(moment: Moment) -> datetime:
    """The last instant that a moment may mean."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time.max, CHINA_TIME)


def is_before(moment: Moment, other: Moment) -> bool:
    """Whether a moment is certainly before another one."""
    if isinstance(moment, datetime) and isinstance(other, datetime):
        return moment < other
    return to_day(moment) < to_day(other)


def to_start(rule: ClockRule, start: Moment) -> Moment:
    """Bring a start into the form that the rule counts from.

    Args:
        rule: of the clock.
        start: a day or an aware instant.

    Returns:
        a day for days, an instant at +08:00 for hours.

    Raises:
        GatewayError: CLOCK_START_INVALID: a day for a clock of hours, whose end nobody could then prove; or an instant
            without offset.
    """
    if isinstance(start, datetime) and start.tzinfo is None:
        raise refuse(ErrorCode.CLOCK_START_INVALID, "/start", "an instant needs its offset, such as +08:00", "CPL 105")
    if rule.unit != "h":
        return to_day(start)
    if not isinstance(start, datetime):
        message = f"{rule.id} counts hours: give the instant, such as 2026-02-05T09:30:00+08:00"
        raise refuse(ErrorCode.CLOCK_START_INVALID, "/start", message, rule.rule.citation)
    return start.astimezone(CHINA_TIME)


def compute_due(
    rule: ClockRule,
    length: Length,
    start: Moment,
    in_custody: bool | Sequence[tuple[Moment, bool | None]] | None,
    counting: Counting,
    *,
    suspensions: Iterable[Suspension] = (),
) -> Due:
    """Count a limit.

    Args:
        rule: of the clock.
        length: with all extensions.
        start: as ``to_start`` gives it; never counted itself.
        in_custody: whether the person is in custody, None when not known; or every change of it in order.
        counting: calendar and readings.
        suspensions: that are over.

    Returns:
        the end.

    Raises:
        GatewayError: CALENDAR_YEAR_MISSING; CLOCK_INPUT_MISSING when custody decides and is not known.

    Source: Criminal Procedure Law 105; domain model, section 1.5.
    """
    if isinstance(start, datetime):
        return Due(start + timedelta(hours=length.hours))
    if length.working_days:
        return Due(counting.calendar.add_working_days(start, length.working_days))
    counted = add_days(start, length, counting.settings.month_rule)
    for suspension in suspensions:
        if to_day(suspension.start) <= counted:
            counted += timedelta(days=suspension.days)
    if not rule.rolls:
        return Due(counted)
    custody = in_custody if isinstance(in_custody, bool) or in_custody is None else _find_custody(in_custody, counted)
    if custody is None and rule.is_of_person:
        message = "holidays move the last day unless the person is in custody: say which"
        raise refuse(ErrorCode.CLOCK_INPUT_MISSING, "/custody", message, "CPL 105")
    if custody:
        return Due(counted)
    last = counting.calendar.roll(counted, weekend_rolls=counting.settings.weekend_rolls)
    return Due(last, rolled_from=counted if last != counted else None)


def _find_custody(changes: Sequence[tuple[Moment, bool | None]], day: date) -> bool | None:
    for moment, in_custody in reversed(changes):
        if to_day(moment) <= day:
            return in_custody
    return changes[0][1] if changes else None
