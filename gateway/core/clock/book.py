"""All clocks of one file: what runs and what has ended.

A clock never runs twice at once for the same person, id and step. What has ended is kept, because some limits count
how often they ran, across changes of jurisdiction too. While facts are counted the book is open and changes in place,
since a case has more facts than books; what is handed on is a ``ClockBook``, which does not change.

Source: domain model, sections 0 (2, 3), 1.6 and 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from gateway.core.clock.clock import Clock, begin_clock, stop_clock
from gateway.core.clock.due import Moment, to_day
from gateway.core.clock.rule import ClockRule
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, GatewayError, refuse

ClockKey: TypeAlias = tuple[str, str, str]
"""Person, id of the rule, and step or ""."""


@dataclass(frozen=True, slots=True)
class ClockBook:
    """The clocks of one file.

    Args:
        running: clocks that were not stopped, suspended ones included.
        ended: clocks that were stopped, in order.
    """

    running: Mapping[ClockKey, Clock] = field(default_factory=lambda: MappingProxyType({}))
    ended: tuple[Clock, ...] = ()


class OpenBook:
    """A book that is being written; an act that is refused leaves it as it was.

    Args:
        table: of clocks.
    """

    __slots__ = ("ended", "running", "table")

    def __init__(self, table: ClockTable) -> None:
        self.table = table
        self.running: dict[ClockKey, Clock] = {}
        self.ended: list[Clock] = []

    def close(self) -> ClockBook:
        """Make the book that does not change any more; what is written afterwards is not in it."""
        return ClockBook(MappingProxyType(dict(self.running)), tuple(self.ended))

    def get(self, key: ClockKey) -> Clock:
        """Find a running clock.

        Args:
            key: person, id and step.

        Returns:
            the clock.

        Raises:
            GatewayError: CLOCK_NOT_RUNNING.
        """
        clock = self.running.get(key)
        if clock is None:
            raise refuse(ErrorCode.CLOCK_NOT_RUNNING, "", f"{key[1]} does not run for this person")
        return clock

    def start(
        self,
        rule: ClockRule,
        person: str,
        start: Moment,
        inputs: Mapping[str, Any] | None = None,
        *,
        in_custody: bool | None = None,
    ) -> None:
        """Start a clock, see ``begin_clock``.

        Raises:
            GatewayError: also CLOCK_ALREADY_RUNNING and CLOCK_RUNS_EXHAUSTED.
        """
        clock = begin_clock(self.table, rule, person, start, inputs, in_custody=in_custody)
        key = clock.key
        if key in self.running or rule.max_runs is not None:
            self._check_new(clock)
        self.running[key] = clock

    def stop(self, key: ClockKey, at: Moment, *, rather: Moment | None = None) -> None:
        """Stop a clock, see ``stop_clock``.

        Args:
            key: of a running clock.
            at: when.
            rather: an earlier moment that counts unless the clock knows of something that happened after it.
        """
        clock = self.get(key)
        if rather is not None and rather != at:
            with suppress(GatewayError):
                return self._end(key, stop_clock(clock, rather))
        return self._end(key, stop_clock(clock, at))

    def reset(self, key: ClockKey, start: Moment, inputs: Mapping[str, Any] | None = None) -> None:
        """Stop a clock and start it again from nothing, with the rule that holds then.

        Args:
            key: of a running clock.
            start: of the new run, and end of the old one.
            inputs: facts that replace those of the old run.

        Raises:
            GatewayError: see ``start`` and ``stop``.
        """
        old = self.get(key)
        rule = self.table.find(old.rule.id, to_day(start))
        facts = {**old.inputs, **(inputs or {})}
        again = begin_clock(self.table, rule, old.person, start, facts, in_custody=old.custody[-1][1])
        self._replace(key, stop_clock(old, start), again)

    def switch(self, key: ClockKey, kind: str, at: Moment, inputs: Mapping[str, Any] | None = None) -> None:
        """Put another clock in the place of one, running from the same start: K23 for K22 when the lane is left.

        Args:
            key: of a running clock; its custody and suspensions go with the other one.
            kind: the other clock.
            at: when.
            inputs: facts beside those of the old clock.

        Raises:
            GatewayError: see ``start`` and ``stop``.

        Source: Supreme People's Procuratorate Rules 273, 351; domain model, T10.
        """
        old = self.get(key)
        rule = self.table.find(kind, to_day(old.start))
        other = begin_clock(self.table, rule, old.person, old.start, {**old.inputs, **(inputs or {})})
        kept = tuple(item for item in old.suspensions if item.by in rule.suspended_by)
        self._replace(key, stop_clock(old, at), other._replace(custody=old.custody, suspensions=kept))

    def change(self, key: ClockKey, act: Callable[[Clock], Clock]) -> None:
        """Do an act of ``gateway.core.clock.clock`` to a running clock, such as an extension.

        Args:
            key: of the clock.
            act: from the clock to the changed clock.

        Raises:
            GatewayError: CLOCK_NOT_RUNNING, and what the act refuses.
        """
        self.running[key] = act(self.get(key))

    def _replace(self, key: ClockKey, stopped: Clock, clock: Clock) -> None:
        self._check_new(clock, stopped)
        self._end(key, stopped)
        self.running[clock.key] = clock

    def _end(self, key: ClockKey, stopped: Clock) -> None:
        del self.running[key]
        self.ended.append(stopped)

    def _check_new(self, clock: Clock, stopped: Clock | None = None) -> None:
        """Refuse a clock that may not run, when another one, if any, is stopped first."""
        key, limit = clock.key, clock.rule.max_runs
        if key in self.running and (stopped is None or stopped.key != key):
            raise refuse(ErrorCode.CLOCK_ALREADY_RUNNING, "", f"{clock.rule.id} runs already for this person")
        if limit is None:
            return
        runs = sum(ended.key == key for ended in (*self.ended, *([stopped] if stopped is not None else ())))
        if runs >= limit:
            message = f"{clock.rule.id} has run {runs} times, and the law allows no more"
            raise refuse(ErrorCode.CLOCK_RUNS_EXHAUSTED, "", message, clock.rule.rule.citation)
