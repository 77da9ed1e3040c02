"""``fasttrack scheduler``: warn of statutory limits and record breaches, with no caller present."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.process import AsJson, UntilEof, announce, complain, run_until_stopped
from gateway.cli.progress import count_progress
from gateway.config import SettingsError, parse_counting, parse_database_url

if TYPE_CHECKING:
    import asyncio


def command(
    *,
    origin: Annotated[str, typer.Option("--origin", envvar="FASTTRACK_ORIGIN", help="Name of the log.")],
    holidays: Annotated[
        list[Path] | None,
        typer.Option("--holidays", help="YAML of a further year; may be given again.", exists=True, dir_okay=False),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            help="YAML of chosen readings of the clocks, instead of FASTTRACK_CLOCK_SETTINGS.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Raise what is due now, and end.")] = False,
    until_eof: UntilEof = False,
    is_json: AsJson = False,
) -> None:
    """Raise warnings at 50, 80 and 100 %, a week before the end in custody, and breaches.

    FASTTRACK_DATABASE_URL as the role fasttrack_gateway. It reads the facts of every case when it starts, follows the
    ledger for new ones, and sleeps until the next moment. Any number may run side by side: each alarm is one entry.
    It counts by the readings of FASTTRACK_CLOCK_SETTINGS and further years of FASTTRACK_HOLIDAYS_DIR, as the gateway
    does; all schedulers and gateways of a ledger are given the same. A limit that cannot be counted because a year of
    holidays is missing is an alarm of its own.

    When it has counted every case it prints one line {"scheduling": origin, "counting": name, "cases": n, "raised": n,
    "failed": n}. ``fasttrack clocks CASE`` shows the same name when the gateway counts alike. A case that cannot be
    counted fails alone: it is logged, and tried again. Exit codes: 0 stopped, 1 with --once when a case could not be
    counted, 2 bad settings, 3 no database.
    """
    from gateway.app_counting import find_years  # noqa: PLC0415 - --help stays fast
    from gateway.app_scheduler import SchedulerSettings, run_scheduler_process  # noqa: PLC0415 - --help stays fast
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.telemetry import set_up_logging  # noqa: PLC0415 - as above

    failed = 0
    set_up_logging(os.environ.get("FASTTRACK_LOG_LEVEL", "INFO"))

    async def work(stop: asyncio.Event) -> None:
        readings, folder = parse_counting(os.environ)
        chosen = SchedulerSettings(
            database_url=parse_database_url(os.environ),
            origin=origin,
            holidays=(*find_years(folder), *(holidays or ())),
            readings=settings or readings,
        )
        with ExitStack() as shown:
            progress = shown.enter_context(count_progress("reading the ledger: {} cases"))

            def ready(totals: Mapping[str, str | int]) -> None:
                # What comes later comes one by one; only the first reading is worth a line.
                nonlocal failed
                shown.close()
                failed = int(totals["failed"])
                announce(scheduling=origin, **totals)

            await run_scheduler_process(chosen, stop, ready, is_once=once, progress=progress)

    try:
        run_until_stopped(work, until_eof=until_eof)
    except SettingsError as error:
        complain("; ".join(error.problems), ExitCode.USAGE, as_json=is_json)
    except ValueError as error:
        complain(f"cannot count: {error}", ExitCode.USAGE, as_json=is_json)
    except (OSError, GatewayError) as error:
        complain(f"the database cannot be reached: {error}", ExitCode.UNREACHABLE, as_json=is_json)
    if once and failed:
        hint = "fasttrack fsck says what is wrong with their rows; the limits of all other cases were raised"
        complain(f"{failed} cases could not be counted", ExitCode.REFUSED, as_json=is_json, hint=hint)
