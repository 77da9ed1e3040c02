"""The scheduler: warns of statutory limits and records that they have passed, with no caller present.

It reads which cases have facts, counts the clocks of one case after the other and remembers of each only its next
moment. So what it holds grows with the open cases by some hundred bytes each, and whatever it forgets by a crash it
counts again. Any number of schedulers may run: the ledger has each alarm once.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.core.clock.alarm import Parties, find_alarms, to_command
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import ClockTable
from gateway.core.command import Command
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.fact import FACT_TOPIC, KnownFact
from gateway.core.port.flow import Clock
from gateway.core.port.ledger import FactRow, InboxWatch, LedgerWriter

PAGE: Final = 1_000
LONGEST_SLEEP: Final = timedelta(minutes=1)
"""It looks at its clock at least so often, so that a clock that was set is noticed."""
AGAIN: Final = timedelta(minutes=10)
"""When a case is counted again that could not be counted: somebody has to look at it, and the others go on."""
_RETRY_SECONDS: Final = 1.0
_PASSING: Final = frozenset({ErrorCode.LEDGER_UNAVAILABLE, ErrorCode.QUEUE_FULL, ErrorCode.SHUTTING_DOWN})
"""Faults of the ledger as a whole; another one is that of a case."""


class ScheduleSource(Protocol):
    """What the scheduler reads."""

    async def rows_after(self, index: int, limit: int) -> Sequence[FactRow]:
        """Entries with facts and index > index, by index."""

    async def case_facts(self, case: str) -> list[KnownFact]:
        """What happened in a case."""

    async def parties(self, case: str) -> Parties:
        """Agencies of a case."""


class ScheduleObserver(Protocol):
    """Is told what the scheduler does; no case and no person."""

    def raised(self, level: str, clock: str, *, is_new: bool) -> None:
        """An alarm is in the ledger."""

    def looked(self, cases: int, waiting: int) -> None:
        """So many cases were read so far, so many have a moment to come."""

    def failed(self, reason: str) -> None:
        """A case could not be counted, for a reason; it is tried again."""

    def unwatched(self, reason: str) -> None:
        """The watch failed, for a reason; until it is started again new facts are found a minute late at most."""

    def unavailable(self, code: ErrorCode) -> None:
        """The ledger does not answer, for a reason."""


@dataclass(slots=True)
class Scheduler:
    """Raises what is due.

    Args:
        source: facts and parties.
        writer: appends to the ledger.
        watch: wakes it when there are new facts.
        clock: time now, aware.
        table: of clocks.
        counting: calendar and readings.
        observe: is told what happens.
    """

    source: ScheduleSource
    writer: LedgerWriter
    watch: InboxWatch
    clock: Clock
    table: ClockTable
    counting: Counting
    observe: ScheduleObserver
    _cursor: int = -1
    _read: int = 0
    _moments: dict[str, datetime] = field(default_factory=dict)
    _heap: list[tuple[datetime, str]] = field(default_factory=list)

    async def catch_up(self) -> None:
        """Read the facts that are new and count their cases.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE and other passing faults; what was not done is done next time. A case that
                cannot be counted is told to the observer, and counted again later.
        """
        while rows := await self.source.rows_after(self._cursor, PAGE):
            for case in dict.fromkeys(row.case for row in rows):
                await self._try(case)
                self._read += 1
            self._cursor = rows[-1].seq
            self.observe.looked(self._read, len(self._moments))

    async def _try(self, case: str) -> None:
        """Count a case; one that cannot be counted must not silence the limits of all others."""
        try:
            await self.count(case)
        except Exception as error:
            if isinstance(error, GatewayError) and error.code in _PASSING:
                raise
            self.observe.failed(error.code.name if isinstance(error, GatewayError) else type(error).__name__)
            self._remember(case, self.clock() + AGAIN)

    async def count(self, case: str) -> None:
        """Count the clocks of a case, raise what is due, and remember when to look again.

        Args:
            case: pseudonym.

        Raises:
            GatewayError: see ``catch_up``; another code, and ValueError, for a case whose facts cannot be counted.
        """
        fold = fold_facts(await self.source.case_facts(case), self.table, self.counting)
        alarms, moment = find_alarms(fold, self.counting, self.clock())
        if alarms:
            parties = await self.source.parties(case)
            try:
                for alarm in alarms:
                    await self._raise(to_command(case, alarm, parties))
            except GatewayError as error:
                if error.code is not ErrorCode.CASE_DESTROYED:
                    raise
                # No limit runs in it any more, whatever its facts say.
                moment = None
        if moment is None:
            self._moments.pop(case, None)
        else:
            self._remember(case, moment)

    def _remember(self, case: str, moment: datetime) -> None:
        self._moments[case] = moment
        heapq.heappush(self._heap, (moment, case))

    async def _raise(self, command: Command) -> None:
        appended = await self.writer.append(command)
        self.observe.raised(command.level, command.clock, is_new=not appended.is_replay)

    async def raise_due(self) -> None:
        """Count the cases whose moment has come.

        Raises:
            GatewayError: see ``catch_up``.
        """
        now = self.clock()
        while self._heap and self._heap[0][0] <= now:
            moment, case = heapq.heappop(self._heap)
            # A moment that a later fact has moved stays in the heap until its time, and then means nothing.
            if self._moments.get(case) != moment:
                continue
            try:
                await self._try(case)
            except BaseException:
                heapq.heappush(self._heap, (moment, case))
                raise

    @property
    def next_moment(self) -> datetime | None:
        """When to look again at the latest; None when no limit runs."""
        return self._heap[0][0] if self._heap else None


async def run_scheduler(scheduler: Scheduler, stop: asyncio.Event, ready: Callable[[], object]) -> None:
    """Raise what is due until told to stop.

    Args:
        scheduler: as built.
        stop: set it to stop.
        ready: called once, when all cases were read.
    """
    wake, is_ready = asyncio.Event(), False
    following = asyncio.create_task(_follow(scheduler, wake), name="facts watch")
    try:
        while not stop.is_set():
            wake.clear()
            try:
                await scheduler.catch_up()
                await scheduler.raise_due()
            except GatewayError as error:
                if error.code not in _PASSING:
                    raise
                scheduler.observe.unavailable(error.code)
                await _sleep(stop, wake, _RETRY_SECONDS)
                continue
            if not is_ready:
                is_ready = True
                ready()
            await _sleep(stop, wake, _seconds_to(scheduler))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(scheduler: Scheduler, wake: asyncio.Event) -> None:
    """Wake the scheduler when there are new facts, until the watch is stopped; one that fails is started again."""
    while True:
        try:
            async with scheduler.watch.subscribe(FACT_TOPIC) as wakes:
                async for _ in wakes():
                    wake.set()
        except Exception as error:
            scheduler.observe.unwatched(type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def _seconds_to(scheduler: Scheduler) -> float:
    moment = scheduler.next_moment
    if moment is None:
        return LONGEST_SLEEP.total_seconds()
    return max(0.0, min((moment - scheduler.clock()), LONGEST_SLEEP).total_seconds())


async def _sleep(stop: asyncio.Event, wake: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in (stop, wake)]
    await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
