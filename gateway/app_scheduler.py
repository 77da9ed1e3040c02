"""Composition of the scheduler: the process that warns of statutory limits and records breaches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


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
    from gateway.app_counting import load_counting  # noqa: PLC0415 - loads yaml
    from gateway.core.clock.table import name_counting  # noqa: PLC0415 - as above
    from gateway.flows.schedule import Scheduler, run_scheduler  # noqa: PLC0415 - --help needs no database driver
    from gateway.ledger.batcher import Batcher  # noqa: PLC0415 - as above
    from gateway.ledger.pool import open_pool  # noqa: PLC0415 - as above
    from gateway.ledger.schedule import ScheduleReader  # noqa: PLC0415 - as above
    from gateway.ledger.watch import Watch  # noqa: PLC0415 - as above
    from gateway.telemetry import ScheduleTelemetry, count_by, set_up_exporters  # noqa: PLC0415 - as above

    set_up_exporters()
    table, counting = load_counting(settings.holidays, settings.readings)
    name = name_counting(table, counting)
    count_by(name)
    telemetry = ScheduleTelemetry(progress=progress)
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
            ready({"counting": name, **telemetry.totals})
            return
        await watch.start()
        await run_scheduler(scheduler, stop, lambda: ready({"counting": name, **telemetry.totals}))
    finally:
        await watch.stop()
        await batcher.stop()
        await pool.close()
