"""All clocks of one file: what runs, what has ended, and which limit comes first.

A clock never runs twice at once for the same person, id and step. What has ended is kept, because some limits count
how often they ran, across changes of jurisdiction too.

Source: domain model, sections 0 (2, 3), 1.6 and 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from gateway.core.clock.clock import (
    Clock,
    change_custody,
    find_due,
    resume_clock,
    start_clock,
    stop_clock,
    suspend_clock,
)
from gateway.core.clock.due import Counting, Due, Moment
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, refuse

ClockKey: TypeAlias = tuple[str, str, str]
"""Person, id of the rule, and step or ""."""


@dataclass(frozen=True, slots=True)
class ClockBook:
    """The clocks of one file; every act returns a new book.

    Args:
        running: clocks that were not stopped, suspended ones included.
        ended: clocks that were stopped, in order.
    """

    running: Mapping[ClockKey, Clock] = field(default_factory=lambda: MappingProxyType({}))
    ended: tuple[Clock, ...] = ()

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
        table: ClockTable,
        kind: str,
        person: str,
        start: Moment,
        inputs: Mapping[str, Any] | None = None,
        *,
        in_custody: bool | None = None,
    ) -> ClockBook:
        """Start a clock, see ``start_clock``.

        Raises:
            GatewayError: also CLOCK_ALREADY_RUNNING and CLOCK_RUNS_EXHAUSTED.
        """
        return self._add(start_clock(table, kind, person, start, inputs, in_custody=in_custody))

    def stop(self, key: ClockKey, at: Moment) -> ClockBook:
        """Stop a clock, see ``stop_clock``."""
        return self._end(stop_clock(self.get(key), at))

    def reset(
        self, key: ClockKey, table: ClockTable, start: Moment, inputs: Mapping[str, Any] | None = None
    ) -> ClockBook:
        """Stop a clock and start it again from nothing, with the rule that holds then.

        Args:
            key: of a running clock.
            table: of clocks.
            start: of the new run, and end of the old one.
            inputs: facts that replace those of the old run.

        Returns:
            the book.

        Raises:
            GatewayError: see ``start`` and ``stop``.
        """
        old = self.get(key)
        facts = {**old.inputs, **(inputs or {})}
        again = start_clock(table, old.rule.id, old.person, start, facts, in_custody=old.custody[-1][1])
        return self.stop(key, start)._add(again)

    def switch(
        self, key: ClockKey, kind: str, at: Moment, table: ClockTable, inputs: Mapping[str, Any] | None = None
    ) -> ClockBook:
        """Put another clock in the place of one, running from the same start: K23 for K22 when the lane is left.

        Args:
            key: of a running clock.
            kind: the other clock.
            at: when.
            table: of clocks.
            inputs: facts beside those of the old clock.

        Returns:
            the book; custody and suspensions go with the clock.

        Raises:
            GatewayError: see ``start`` and ``stop``.

        Source: Supreme People's Procuratorate Rules 273, 351; domain model, T10.
        """
        old = self.get(key)
        facts = {**old.inputs, **(inputs or {})}
        other = start_clock(table, kind, old.person, old.start, facts)
        kept = tuple(item for item in old.suspensions if item.by in other.rule.suspended_by)
        return self.stop(key, at)._add(replace(other, custody=old.custody, suspensions=kept))

    def change(self, key: ClockKey, act: Callable[[Clock], Clock]) -> ClockBook:
        """Do an act of ``gateway.core.clock.clock`` to a running clock, such as an extension.

        Args:
            key: of the clock.
            act: from the clock to the changed clock.

        Returns:
            the book.

        Raises:
            GatewayError: CLOCK_NOT_RUNNING, and what the act refuses.
        """
        clock = act(self.get(key))
        return ClockBook(MappingProxyType({**self.running, key: clock}), self.ended)

    def suspend(self, person: str, by: str, at: Moment, counting: Counting) -> ClockBook:
        """Suspend every running clock of a person that something suspends, see ``suspend_clock``."""
        return self._change_all(
            lambda clock: clock.person == person and by in clock.rule.suspended_by and not clock.is_suspended,
            lambda clock: suspend_clock(clock, by, at, counting),
        )

    def resume(self, person: str, by: str, at: Moment) -> ClockBook:
        """Let every clock of a person go on that something has suspended, see ``resume_clock``."""
        return self._change_all(
            lambda clock: clock.person == person and clock.is_suspended and clock.suspensions[-1].by == by,
            lambda clock: resume_clock(clock, at),
        )

    def change_custody(self, person: str, at: Moment, *, in_custody: bool | None) -> ClockBook:
        """Record a change of custody in every running clock of a person, see ``change_custody``."""
        return self._change_all(
            lambda clock: clock.person == person,
            lambda clock: change_custody(clock, at, in_custody=in_custody),
        )

    def find_first_due(self, counting: Counting) -> tuple[ClockKey, Due] | None:
        """Find the limit of the file: the earliest legal limit of its persons.

        Args:
            counting: calendar and readings.

        Returns:
            the clock and its end; None when no limit runs.

        Raises:
            GatewayError: see ``compute_due``; a limit that cannot be counted may be the earliest one.
        """
        dues = [
            (key, due)
            for key, clock in self.running.items()
            if clock.rule.is_hard and (due := find_due(clock, counting)) is not None
        ]
        return min(dues, key=lambda item: (item[1].expires_at, item[0]), default=None)

    def _add(self, clock: Clock) -> ClockBook:
        key = clock.key
        if key in self.running:
            raise refuse(ErrorCode.CLOCK_ALREADY_RUNNING, "", f"{clock.rule.id} runs already for this person")
        limit = clock.rule.max_runs
        runs = sum(ended.key == key for ended in self.ended) if limit is not None else 0
        if limit is not None and runs >= limit:
            message = f"{clock.rule.id} has run {runs} times, and the law allows no more"
            raise refuse(ErrorCode.CLOCK_RUNS_EXHAUSTED, "", message, clock.rule.rule.citation)
        return ClockBook(MappingProxyType({**self.running, key: clock}), self.ended)

    def _end(self, clock: Clock) -> ClockBook:
        left = dict(self.running)
        left.pop(clock.key, None)
        return ClockBook(MappingProxyType(left), (*self.ended, clock))

    def _change_all(self, applies: Callable[[Clock], bool], act: Callable[[Clock], Clock]) -> ClockBook:
        changed = {key: act(clock) if applies(clock) else clock for key, clock in self.running.items()}
        return replace(self, running=MappingProxyType(changed))
