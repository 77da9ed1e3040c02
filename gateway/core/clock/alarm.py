"""What is to be said of the clocks of a case at a time: warnings and breaches, each with an id of its own.

The act id is made of case, clock, run, level and due date: any number of schedulers and restarts make one entry of it.
After a time in which nobody looked, the last share that was reached stands for those before it; a week before the end
in custody, the last day of a request and a breach are always said.

Source: domain model, section 3 (statutory time limits); Supreme People's Procuratorate Rules 612-618.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from gateway.core.clock.clock import Clock, find_due
from gateway.core.clock.due import Counting, Due
from gateway.core.clock.fold import Fold
from gateway.core.clock.warning import WarningLevel, find_warnings, is_breached
from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.errors import GatewayError
from gateway.core.fact.fact import to_moment_text
from gateway.core.identity import GATEWAY
from gateway.core.log.key_history import derive_id

PROCURATORATE: Final = "procuratorate"
_BEFORE: Final = (WarningLevel.WEEK_BEFORE, WarningLevel.REQUEST)
"""Warnings that are a task of their own, beside the shares."""
_ALWAYS: Final = frozenset({*_BEFORE, WarningLevel.BREACH})


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to say of a clock.

    Args:
        clock: the clock.
        level: what.
        due: its end; None when it cannot be counted, because a year of holidays is missing.
        origin: case in which the limit began and the person's pseudonym there; None when it began where it runs.
    """

    clock: Clock
    level: WarningLevel
    due: Due | None
    origin: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Parties:
    """Agencies of a case, by which notices find their way.

    Args:
        by_system: the agency of each system that had to do with the case last.
        holder: who has custody of the file; "" for nobody.
    """

    by_system: Mapping[str, str]
    holder: str = ""

    def find_notified(self, alarm: Alarm) -> tuple[str, ...]:
        """Whom an alarm is a notice to.

        Args:
            alarm: of a clock of the case.

        Returns:
            the owner of the clock, or the holder of the file where the owner is not known; for a breach also the
            supervising procuratorate, for the week before an end in custody and the last day of a request also the
            holder. Sorted, short forms.
        """
        owner = self.by_system.get(alarm.clock.rule.owner) or self.holder
        found = {owner}
        if alarm.level is WarningLevel.BREACH:
            found.add(self.by_system.get(PROCURATORATE, ""))
        if alarm.level in _BEFORE:
            found.add(self.holder)
        return tuple(sorted(found - {""}))


def find_alarms(fold: Fold, counting: Counting, now: datetime) -> tuple[list[Alarm], datetime | None]:
    """Find what is to be said of the clocks of a case.

    Args:
        fold: its clocks.
        counting: calendar and readings.
        now: aware.

    Returns:
        what is due by now, and the next moment at which more will be; None when nothing will.
    """
    alarms: list[Alarm] = []
    moments: list[datetime] = []
    for clock in (*fold.book.running.values(), *fold.book.ended):
        origin = fold.origins.get(clock.person)
        try:
            due = find_due(clock, counting)
        except GatewayError:
            if clock.is_running:
                alarms.append(Alarm(clock, WarningLevel.UNCOUNTED, None, origin))
            continue
        if not clock.is_running:
            alarms += [Alarm(clock, WarningLevel.BREACH, due, origin)] * is_breached(clock, due, now)
            continue
        warnings = find_warnings(clock, due)
        reached = [warning.level for warning in warnings if warning.at <= now]
        alarms += [Alarm(clock, level, due, origin) for level in _choose(reached)]
        moments += [warning.at for warning in warnings if warning.at > now]
    return alarms, min(moments, default=None)


def _choose(reached: list[WarningLevel]) -> Iterator[WarningLevel]:
    shares = [level for level in reached if level not in _ALWAYS]
    if WarningLevel.BREACH in reached:
        yield WarningLevel.BREACH
        return
    yield from (level for level in reached if level in _BEFORE)
    yield from shares[-1:]


def to_command(case: str, alarm: Alarm, parties: Parties) -> Command:
    """Make the act of an alarm.

    Args:
        case: pseudonym of the case.
        alarm: of one of its clocks.
        parties: agencies of the case.

    Returns:
        the act; the same alarm is the same act, whoever asks for it and whomever it is a notice to. What was said of
            a limit before another case took its person over is not said again there.
    """
    clock = alarm.clock
    _, kind, step = clock.key
    due = "" if alarm.due is None else to_moment_text(alarm.due.at)
    about = (*(alarm.origin or (case, clock.person)), kind, step, to_moment_text(clock.start), alarm.level.value, due)
    return Command(
        kind=EntryKind.CLOCK_BREACHED if alarm.level is WarningLevel.BREACH else EntryKind.CLOCK_WARNED,
        actor=GATEWAY,
        act_id=derive_id("clock", *about),
        content_sha256=sha256("\n".join(about).encode()).hexdigest(),
        case=case,
        clock=kind,
        step=step,
        person=clock.person,
        level=alarm.level.value,
        due=due,
        notified=parties.find_notified(alarm),
    )
