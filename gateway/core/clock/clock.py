"""One clock of one person: how it starts and what can happen to it.

Every function takes a clock and the time of the act and returns a new clock, or refuses. What a limit depends on may
change while it runs, but nothing makes a limit longer once it has passed: a breach is never cured afterwards.

Source: domain model, sections 1.4 to 1.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from gateway.core.clock.due import Counting, Due, Moment, Suspension, compute_due, is_before, to_day, to_start
from gateway.core.clock.length import Length, add_days
from gateway.core.clock.rule import RECIPIENT, STEP, UNTIL, ClockRule, Extension
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, GatewayError, refuse


@dataclass(frozen=True, slots=True)
class Granted:
    """An extension that was granted.

    Args:
        name: of the rule's extension.
        length: what it adds, or the whole length that it leads to.
        at: when it was recorded.
    """

    name: str
    length: Length
    at: Moment


class Clock(NamedTuple):
    """A limit of one person.

    Args:
        person: key of the person track; "" for a clock of the file.
        rule: the row that held when it started; a later amendment does not touch it.
        start: day or instant, as ``to_start`` gives it.
        inputs: facts on which the length depends.
        length: with all extensions; None for a clock without length.
        custody: the state at the start, and for a limit of days every change of it since.
        suspensions: times that are not counted, in order; only the last one may be open.
        granted: extensions, in order.
        stopped_at: when it was stopped; None while it runs.
    """

    person: str
    rule: ClockRule
    start: Moment
    inputs: Mapping[str, Any]
    length: Length | None
    custody: tuple[tuple[Moment, bool | None], ...]
    suspensions: tuple[Suspension, ...] = ()
    granted: tuple[Granted, ...] = ()
    stopped_at: Moment | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Person, id and step (with the recipient, if there is one): what may run only once at a time."""
        if not self.inputs:
            return self.person, self.rule.id, ""
        return self.person, self.rule.id, name_part(self.inputs.get(STEP, ""), self.inputs.get(RECIPIENT, ""))

    @property
    def is_running(self) -> bool:
        """Whether it was not stopped; a suspended clock runs, it only stands still."""
        return self.stopped_at is None

    @property
    def is_suspended(self) -> bool:
        """Whether it stands still."""
        return bool(self.suspensions) and self.suspensions[-1].end is None


def name_part(step: str, recipient: str) -> str:
    """Name what tells the clocks of one row and person apart: step, recipient, or both as ``JUDGMENT/VICTIM``."""
    return f"{step}/{recipient}" if step and recipient else step or recipient


def start_clock(
    table: ClockTable,
    kind: str,
    person: str,
    start: Moment,
    inputs: Mapping[str, Any] | None = None,
    *,
    in_custody: bool | None = None,
) -> Clock:
    """Start a clock.

    Args:
        table: of clocks.
        kind: id, such as "K22".
        person: key of the person track; "" for a clock of the file.
        start: the day or instant of the event that starts it.
        inputs: facts; those of other clocks are left out.
        in_custody: whether the person is in custody at the start; None when not known.

    Returns:
        the clock.

    Raises:
        GatewayError: CLOCK_UNKNOWN, CLOCK_NOT_IN_FORCE, CLOCK_START_INVALID, CLOCK_INPUT_INVALID, CLOCK_INPUT_MISSING.
    """
    return begin_clock(table, table.find(kind, to_day(start)), person, start, inputs, in_custody=in_custody)


def begin_clock(
    table: ClockTable,
    rule: ClockRule,
    person: str,
    start: Moment,
    inputs: Mapping[str, Any] | None = None,
    *,
    in_custody: bool | None = None,
) -> Clock:
    """Start a clock of which the row is known, see ``start_clock``.

    Args:
        table: of clocks.
        rule: that holds on the day of the start.
        person: key of the person track; "" for a clock of the file.
        start: the day or instant of the event that starts it.
        inputs: facts; those of other clocks are left out.
        in_custody: whether the person is in custody at the start; None when not known.

    Returns:
        the clock.

    Raises:
        GatewayError: CLOCK_START_INVALID, CLOCK_INPUT_INVALID, CLOCK_INPUT_MISSING.
    """
    begun = to_start(rule, start)
    known = {**rule.assume, **table.check_inputs(rule, inputs)} if inputs else rule.assume
    return Clock(person, rule, begun, known, rule.fixed or rule.choose_length(known), ((begun, in_custody),))


def find_due(clock: Clock, counting: Counting) -> Due | None:
    """Count when a clock ends.

    Args:
        clock: running or stopped.
        counting: calendar and readings.

    Returns:
        the end; None for a clock without length, and while it is suspended.

    Raises:
        GatewayError: see ``compute_due``.
    """
    if clock.length is None or clock.is_suspended:
        return None
    until = clock.inputs.get(UNTIL)
    if until is not None:
        # What was ordered for less than the law allows ends with its own last day, which no holiday moves.
        first, last = to_day(clock.start), date.fromisoformat(until)
        if first < last <= add_days(first, clock.length, counting.settings.month_rule):
            return Due(last)
    return compute_due(clock.rule, clock.length, clock.start, clock.custody, counting, suspensions=clock.suspensions)


def stop_clock(clock: Clock, at: Moment) -> Clock:
    """Stop a clock.

    Args:
        clock: running; stopping a clock after its end is allowed, and it stays breached.
        at: when.

    Returns:
        the stopped clock.

    Raises:
        GatewayError: CLOCK_NOT_RUNNING, CLOCK_ACT_OUT_OF_ORDER.
    """
    _check(clock, at)
    return clock._replace(stopped_at=at)


def suspend_clock(clock: Clock, by: str, at: Moment, counting: Counting) -> Clock:
    """Let a clock stand still.

    Args:
        clock: running.
        by: id of the clock that suspends it, "K44".
        at: when.
        counting: calendar and readings.

    Returns:
        the suspended clock.

    Raises:
        GatewayError: CLOCK_NOT_RUNNING, CLOCK_ACT_OUT_OF_ORDER; CLOCK_ACT_NOT_ALLOWED: the rule knows no such
            suspension, or it stands still already; CLOCK_ACT_TOO_LATE.
    """
    _check(clock, at)
    if by not in clock.rule.suspended_by or clock.is_suspended:
        raise _not_allowed(clock, "nothing of this kind suspends the clock, or it is suspended already")
    _check_in_time(clock, at, counting)
    return clock._replace(suspensions=(*clock.suspensions, Suspension(at, None, by)))


def resume_clock(clock: Clock, at: Moment) -> Clock:
    """Let a suspended clock go on.

    Args:
        clock: suspended.
        at: when.

    Returns:
        the clock; the days between are not counted.

    Raises:
        GatewayError: CLOCK_NOT_RUNNING, CLOCK_ACT_OUT_OF_ORDER; CLOCK_ACT_NOT_ALLOWED: it does not stand still.
    """
    _check(clock, at)
    if not clock.is_suspended:
        raise _not_allowed(clock, "the clock is not suspended")
    *before, last = clock.suspensions
    return clock._replace(suspensions=(*before, replace(last, end=at)))


def extend_clock(
    clock: Clock,
    name: str,
    at: Moment,
    counting: Counting,
    length: Length | None = None,
    *,
    until: str | None = None,
) -> Clock:
    """Make a limit longer, before it has passed.

    Args:
        clock: running.
        name: of the rule's extension.
        at: when it is recorded; that counts, not when it was asked for.
        counting: calendar and readings.
        length: how much, where the rule leaves a choice; None otherwise.
        until: last day that the extension names; None when it names none.

    Returns:
        the longer clock; it ends with the last day that was named, where that is earlier than the law allows.

    Raises:
        GatewayError: CLOCK_NOT_RUNNING, CLOCK_ACT_OUT_OF_ORDER; CLOCK_ACT_NOT_ALLOWED: no such extension, granted
            before, its predecessor is missing, or outside its range; CLOCK_INPUT_MISSING: how much;
            CLOCK_ACT_TOO_LATE.
    """
    _check(clock, at)
    extension = clock.rule.extensions.get(name)
    names = [granted.name for granted in clock.granted]
    if extension is None or clock.length is None:
        raise _not_allowed(clock, "the rule knows no such extension")
    if (name in names and not extension.repeats) or (extension.after and extension.after not in names):
        raise _not_allowed(clock, "the extension was granted before, or the one that precedes it was not")
    added = _choose_extension(clock, extension, length)
    longer = _lengthen(clock.length, extension, added)
    if longer.rank <= clock.length.rank:
        raise _not_allowed(clock, "the extension would not make the limit longer")
    _check_in_time(clock, at, counting)
    inputs = {key: value for key, value in clock.inputs.items() if key != UNTIL}
    if until is not None:
        inputs[UNTIL] = until
    return clock._replace(length=longer, granted=(*clock.granted, Granted(name, added, at)), inputs=inputs)


def revise_clock(clock: Clock, inputs: Mapping[str, Any], at: Moment, table: ClockTable, counting: Counting) -> Clock:
    """Take a changed fact into account, such as a proposal that has risen above one year.

    Args:
        clock: running.
        inputs: the facts that changed; None for one that is not known any more.
        at: when the change is recorded.
        table: of clocks.
        counting: calendar and readings.

    Returns:
        the clock; a shorter limit counts at once.

    Raises:
        GatewayError: CLOCK_NOT_RUNNING, CLOCK_ACT_OUT_OF_ORDER, CLOCK_INPUT_INVALID, CLOCK_INPUT_MISSING;
            CLOCK_ACT_TOO_LATE: the limit would become longer, and it has passed.

    Source: domain model, section 1.4, trap of K22.
    """
    _check(clock, at)
    if inputs.get(STEP, clock.inputs.get(STEP)) != clock.inputs.get(STEP):
        raise _not_allowed(clock, "another step is another clock")
    kept = {name: value for name, value in clock.inputs.items() if name not in inputs}
    known = {**kept, **table.check_inputs(clock.rule, inputs)}
    length = clock.rule.choose_length(known)
    for granted in clock.granted:
        if length is not None:
            length = _lengthen(length, clock.rule.extensions[granted.name], granted.length)
    if length is not None and clock.length is not None and length.rank > clock.length.rank:
        _check_in_time(clock, at, counting)
    return clock._replace(inputs=known, length=length)


def change_custody(clock: Clock, at: Moment, *, in_custody: bool | None) -> Clock:
    """Record that the person was taken into custody or released.

    Args:
        clock: running.
        at: when.
        in_custody: from then on; None when it is not known any more.

    Returns:
        the clock; only custody on the last day as counted decides about holidays.

    Raises:
        GatewayError: CLOCK_NOT_RUNNING, CLOCK_ACT_OUT_OF_ORDER.
    """
    _check(clock, at)
    return clock._replace(custody=(*clock.custody, (at, in_custody)))


def _choose_extension(clock: Clock, extension: Extension, length: Length | None) -> Length:
    whole = extension.to or extension.by or clock.rule.choose_length(clock.inputs)
    if whole is None:
        raise _not_allowed(clock, "the rule knows no such extension")
    if extension.at_least is None:
        if length not in (None, whole):
            raise _not_allowed(clock, "the law fixes the length of this extension")
        return whole
    if length is None:
        path, message = "/inputs/extensions", f"{extension.name} may be {extension.at_least} to {whole}: say how much"
        raise refuse(ErrorCode.CLOCK_INPUT_MISSING, path, message, clock.rule.rule.citation)
    if length.unit != whole.unit or not extension.at_least.rank <= length.rank <= whole.rank:
        raise _not_allowed(clock, f"{extension.name} may be {extension.at_least} to {whole}")
    return length


def _lengthen(length: Length, extension: Extension, added: Length) -> Length:
    return max(length, added, key=lambda item: item.rank) if extension.to else length + added


def _check(clock: Clock, at: Moment) -> None:
    if not clock.is_running:
        raise refuse(ErrorCode.CLOCK_NOT_RUNNING, "", f"{clock.rule.id} was stopped before")
    marks = [clock.start, clock.custody[-1][0]]
    if clock.granted:
        marks.append(clock.granted[-1].at)
    if clock.suspensions:
        last = clock.suspensions[-1]
        marks.append(last.start if last.end is None else last.end)
    for mark in marks:
        if is_before(at, mark):
            message = f"the act is earlier than the one before it ({clock.rule.id})"
            raise refuse(ErrorCode.CLOCK_ACT_OUT_OF_ORDER, "", message)


def _check_in_time(clock: Clock, at: Moment, counting: Counting) -> None:
    due = find_due(clock, counting)
    if due is not None and due.is_past(at):
        message = f"the limit of {clock.rule.id} has passed; nothing makes it longer afterwards"
        raise refuse(ErrorCode.CLOCK_ACT_TOO_LATE, "", message, clock.rule.rule.citation)


def _not_allowed(clock: Clock, message: str) -> GatewayError:
    return refuse(ErrorCode.CLOCK_ACT_NOT_ALLOWED, "", f"{clock.rule.id}: {message}", clock.rule.rule.citation)
