"""By when the extension of a limit is to be asked for, where the law names a time before its end.

Source: domain model, section 1.4 (K11, K42); Criminal Procedure Law 156-159; MPS 148, 239-245.
"""

from __future__ import annotations

from datetime import date, timedelta

from gateway.core.clock.clock import Clock
from gateway.core.clock.due import Due, to_day


def find_last_request(clock: Clock, due: Due) -> date | None:
    """Find by when the next extension is to be asked for, such as the renewal of a freeze.

    Args:
        clock: running.
        due: its end.

    Returns:
        the latest such day among the extensions that may be granted now; None when no rule names one.
    """
    names = {granted.name for granted in clock.granted}
    days = [
        day
        for name, extension in clock.rule.extensions.items()
        if (extension.repeats or name not in names)
        and (not extension.after or extension.after in names)
        and (day := find_request_day(clock, name, due)) is not None
    ]
    return max(days, default=None)


def find_request_day(clock: Clock, name: str, due: Due) -> date | None:
    """Find by when an extension is to be asked for.

    Args:
        clock: the clock.
        name: of the rule's extension.
        due: its end.

    Returns:
        the last day for the request; None when the rule names none.
    """
    extension = clock.rule.extensions.get(name)
    if extension is None or extension.request_before is None:
        return None
    return to_day(due.at) - timedelta(days=extension.request_before.days)
