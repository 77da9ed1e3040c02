"""Composition of the scheduler: the process that warns of statutory limits and records breaches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.core.clock.due import Counting
    from gateway.core.clock.table import ClockTable


def now() -> datetime:
    """The time now, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """Settings of a scheduler; the options of ``fasttrack scheduler``.

    Args:
        database_url: as the role ``fasttrack_gateway``.
        origin: name of the log.
        holidays: files of further years of holidays.
        readings: file of chosen readings of the clocks; None for those of the package.
    """

    database_url: str
    origin: str
    holidays: tuple[Path, ...] = ()
    readings: Path | None = None


def load_counting(holidays: tuple[Path, ...] = (), readings: Path | None = None) -> tuple[ClockTable, Counting]:
    """Read the table of clocks and the calendar that come with the package.

    Args:
        holidays: files of further years.
        readings: YAML of chosen readings, as ``fasttrack clocks due --settings`` takes it; None for the defaults.

    Returns:
        the table, and what it is counted by.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is no year of holidays, or has no readings (RuleFileError).
    """
    from gateway.core.clock.calendar import Calendar, load_calendar, parse_holiday_year  # noqa: PLC0415 - loads yaml
    from gateway.core.clock.due import Counting  # noqa: PLC0415 - as above
    from gateway.core.clock.table import (  # noqa: PLC0415 - as above
        ClockTable,
        load_clock_rules,
        load_clock_table,
        parse_settings,
    )
    from gateway.core.rule import parse_yaml  # noqa: PLC0415 - as above

    table, calendar = load_clock_table(), load_calendar()
    if readings is not None:
        rules = load_clock_rules()
        chosen = parse_yaml(readings.name, readings.read_bytes())
        table = ClockTable(rules, parse_settings(readings.name, chosen, rules.settings))
    years = [parse_holiday_year(path.name, path.read_bytes()) for path in holidays]
    if years:
        calendar = Calendar([*calendar.years.values(), *years])
    return table, Counting(calendar, table.settings)


async def run_scheduler_process(
    settings: SchedulerSettings,
    stop: asyncio.Event,
    ready: Callable[[Mapping[str, Any]], Any],
    *,
    is_once: bool,
    clock: Callable[[], datetime] = now,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Run a scheduler.

    Args:
        settings: of the process.
        stop: set it to stop.
        ready: called once with what was read, when every case was counted.
        is_once: raise what is due now, and end.
        clock: time now, aware.
        progress: told how many cases were read so far.

    Raises:
        OSError: the database cannot be reached, or a file not be read.
        ValueError: a file is no year of holidays.
        GatewayError: with ``is_once``, LEDGER_UNAVAILABLE.
    """
    from gateway.flows.schedule import Scheduler, run_scheduler  # noqa: PLC0415 - --help needs no database driver
    from gateway.ledger.batcher import Batcher  # noqa: PLC0415 - as above
    from gateway.ledger.pool import open_pool  # noqa: PLC0415 - as above
    from gateway.ledger.schedule import ScheduleReader  # noqa: PLC0415 - as above
    from gateway.ledger.watch import Watch  # noqa: PLC0415 - as above
    from gateway.telemetry import ScheduleTelemetry, set_up_exporters  # noqa: PLC0415 - as above

    set_up_exporters()
    telemetry = ScheduleTelemetry(progress=progress)
    table, counting = load_counting(settings.holidays, settings.readings)
    pool = await open_pool(settings.database_url, application_name="fasttrack scheduler")
    # Its entries have no receipts, so it needs no key.
    batcher = Batcher(pool, origin=settings.origin, clock=clock, sign=lambda _: "")
    watch = Watch(settings.database_url)
    scheduler = Scheduler(
        source=ScheduleReader(pool),
        writer=batcher,
        watch=watch,
        clock=clock,
        table=table,
        counting=counting,
        observe=telemetry,
    )
    await batcher.start()
    try:
        if is_once:
            await scheduler.catch_up()
            ready(telemetry.totals)
            return
        await watch.start()
        await run_scheduler(scheduler, stop, lambda: ready(telemetry.totals))
    finally:
        await watch.stop()
        await batcher.stop()
        await pool.close()
