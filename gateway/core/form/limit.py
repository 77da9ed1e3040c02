"""Statutory limits that the times of a form must keep: counted by the clock rules, never typed.

Source: domain model, sections 1.4 and 1.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import extend_clock, find_due, start_clock
from gateway.core.clock.due import Counting, Due
from gateway.core.clock.table import ClockTable, load_clock_table
from gateway.core.errors import GatewayError


class Limits(NamedTuple):
    """What forms count limits by: the same as the clocks of cases.

    Args:
        table: of clocks.
        counting: calendar and readings.
    """

    table: ClockTable
    counting: Counting

    def find(
        self,
        kind: str,
        start: date | datetime,
        inputs: Mapping[str, Any] | None = None,
        *,
        extension: str = "",
        in_custody: bool = False,
    ) -> Due | None:
        """Count the limit that a time of a form must keep.

        Args:
            kind: clock, such as "K06".
            start: when it starts.
            inputs: facts on which its length depends.
            extension: one that was granted at the start; "" for none.
            in_custody: whether the person is in custody to the end, so that no holiday moves it.

        Returns:
            the end; None when it cannot be counted (no rule in force, holidays of the year not loaded), so nothing is
            said.
        """
        try:
            clock = start_clock(self.table, kind, "", start, inputs, in_custody=in_custody)
            if extension:
                clock = extend_clock(clock, extension, start, self.counting)
            return find_due(clock, self.counting)
        except GatewayError:
            return None


@cache
def published_limits() -> Limits:
    """The limits as the package counts them, with the default readings."""
    table = load_clock_table()
    return Limits(table, Counting(load_calendar(), table.settings))
