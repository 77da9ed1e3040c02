"""Acts that the law knows only after a limit has passed, such as asking the police for reasons (SPP 347).

Source: domain model, scenario 14; SPP 347.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.core.clock.clock import find_due
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import ClockTable
from gateway.core.clock.warning import is_breached
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.fact.fact import KnownFact


def judge_overdue(
    known: Iterable[KnownFact], kind: str, at: datetime, table: ClockTable, counting: Counting, *, path: str
) -> list[Finding]:
    """Judge whether a limit of the case has passed, or had passed when it ended.

    Args:
        known: facts of the case.
        kind: id of the clock, such as ``K24``.
        at: when the act is done, aware.
        table: of clocks.
        counting: calendar and readings.
        path: of the act in the statement.

    Returns:
        CLOCK_NOT_PASSED when none has; nothing when one has. A limit that nobody can count has not passed.
    """
    book = fold_facts(known, table, counting).book
    basis = ""
    for clock in (*book.running.values(), *book.ended):
        if clock.rule.id != kind:
            continue
        basis = clock.rule.rule.citation
        try:
            if is_breached(clock, find_due(clock, counting), at):
                return []
        except GatewayError:
            continue
    what = f"{kind} of this case has not passed, so there is nothing to ask yet"
    return [Finding(ErrorCode.CLOCK_NOT_PASSED, path, what, basis=basis)]
