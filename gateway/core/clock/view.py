"""What is shown of the limits of a case at a time, and to whom.

The supervising procuratorate and the holder of the file see all limits of a case, others those that are their duty.

Source: domain model, section 3 (statutory time limits: owner organ, supervision by the procuratorate).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from gateway.core.clock.alarm import PROCURATORATE, Parties
from gateway.core.clock.clock import Clock, find_due
from gateway.core.clock.due import Counting, Due, Moment, Suspension, to_latest
from gateway.core.clock.fold import Fold
from gateway.core.clock.rule import ClockRule
from gateway.core.clock.warning import ClockWarning, find_warnings, is_breached
from gateway.core.errors import GatewayError
from gateway.core.identity import Agency


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """A limit as it is shown.

    Args:
        person: pseudonym of the person or account; "" for a limit of the file.
        person_key: key of the person; "" when it is none, or not known to who looks.
        clock: id.
        step: which of the limits of that id, with the recipient; "" when there is one.
        title: what it is.
        article: legal basis.
        owner: system whose duty it is, or ``holder``.
        is_hard: a legal limit; False for a service target.
        start: day or instant of its start, which is not counted.
        due: its end; None for a limit without length, while it stands still, and when it cannot be counted.
        rolled_from: the day as counted, when holidays moved it.
        advisory: of a limit of hours, its end if the hour of the start is not counted; nothing is decided by it.
        stopped_at: when it ended; None while it runs.
        is_suspended: whether it stands still.
        is_breached: whether it ran on past its end.
        suspensions: times that are not counted.
        warnings: when it warns, and the breach; past and to come.
        problem: name of the code for which it cannot be counted; "" when it can.
    """

    person: str
    person_key: str = ""
    clock: str
    step: str = ""
    title: str
    article: str
    owner: str
    is_hard: bool
    start: Moment
    due: Moment | None = None
    rolled_from: date | None = None
    advisory: datetime | None = None
    stopped_at: Moment | None = None
    is_suspended: bool = False
    is_breached: bool = False
    suspensions: tuple[Suspension, ...] = ()
    warnings: tuple[ClockWarning, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """The limits of a case, as one agency may see them.

    Args:
        clocks: those of the file first, then by person and start; ended ones too.
        due: end of the earliest legal limit that runs, of those that are shown; None when none runs, or when one cannot
            be counted and may be the earliest.
        due_clock: id of that limit; "" without one.
        problem: name of the code for which the end of the file cannot be told; "" when it can.
        is_partial: whether the case has limits that are not shown.
        now: gateway time, aware.
        counted_by: name of readings and holidays, see ``name_counting``.
    """

    clocks: tuple[ClockView, ...]
    due: Moment | None
    due_clock: str
    problem: str
    is_partial: bool
    now: datetime
    counted_by: str = ""


def may_see(rule: ClockRule, viewer: Agency, parties: Parties) -> bool:
    """Whether an agency is shown a limit.

    Args:
        rule: of the limit.
        viewer: a party of the case.
        parties: agencies of the case.
    """
    name = str(viewer)
    if name in (parties.by_system.get(PROCURATORATE), parties.holder):
        return True
    return name == (parties.by_system.get(rule.owner) or parties.holder)


def view_clocks(fold: Fold, counting: Counting, viewer: Agency, parties: Parties, now: datetime) -> CaseClocks:
    """Show the limits of a case.

    Args:
        fold: its limits.
        counting: calendar and readings.
        viewer: a party of the case.
        parties: agencies of the case.
        now: gateway time, aware.

    Returns:
        what the viewer may see.
    """
    every = (*fold.book.running.values(), *fold.book.ended)
    shown = [clock for clock in every if may_see(clock.rule, viewer, parties)]
    due, due_clock, problem = _find_file_due(shown, counting)
    views = sorted((_view(clock, counting, now) for clock in shown), key=_order)
    return CaseClocks(tuple(views), due, due_clock, problem, len(shown) < len(every), now)


def _find_file_due(shown: Iterable[Clock], counting: Counting) -> tuple[Moment | None, str, str]:
    dues: list[tuple[datetime, str, Moment]] = []
    bounds: list[tuple[datetime, str]] = []
    for clock in shown:
        if not (clock.is_running and clock.rule.is_hard):
            continue
        try:
            if (due := find_due(clock, counting)) is not None:
                dues.append((due.expires_at, clock.rule.id, due.at))
        except GatewayError as error:
            bounds.append((_find_bound(clock, counting), error.code.name))
    first = min(dues, default=None)
    for bound, problem in bounds:
        # What cannot be counted may be the earliest one, unless it ends later even without its holidays.
        if first is None or bound < first[0]:
            return None, "", problem
    return (first[2], first[1], "") if first is not None else (None, "", "")


def _find_bound(clock: Clock, counting: Counting) -> datetime:
    """Before when a limit does not end: holidays only move it later."""
    try:
        due = find_due(clock._replace(custody=((clock.start, True),)), counting)
    except GatewayError:
        due = None
    return due.expires_at if due is not None else to_latest(clock.start)


def _order(view: ClockView) -> tuple[str, datetime, str, str]:
    return view.person, to_latest(view.start), view.clock, view.step


def _view(clock: Clock, counting: Counting, now: datetime) -> ClockView:
    due: Due | None = None
    problem = ""
    try:
        due = find_due(clock, counting)
    except GatewayError as error:
        problem = error.code.name
    rule = clock.rule
    return ClockView(
        person=clock.person,
        clock=rule.id,
        step=clock.key[2],
        title=rule.title,
        article=rule.rule.citation,
        owner=rule.owner,
        is_hard=rule.is_hard,
        start=clock.start,
        due=due.at if due is not None else None,
        rolled_from=due.rolled_from if due is not None else None,
        advisory=due.advisory if due is not None else None,
        stopped_at=clock.stopped_at,
        is_suspended=clock.is_suspended,
        is_breached=is_breached(clock, due, now),
        suspensions=clock.suspensions,
        warnings=find_warnings(clock, due),
        problem=problem,
    )
