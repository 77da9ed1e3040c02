"""``fasttrack stamper``: get a time-stamp token of an outside authority for each new checkpoint."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.process import AsJson, UntilEof, announce, complain, run_until_stopped
from gateway.config import SettingsError, parse_database_url


def command(
    *,
    url: Annotated[
        str, typer.Option("--tsa-url", envvar="FASTTRACK_TSA_URL", help="Time-stamp authority, http(s)://host/path.")
    ],
    roots: Annotated[
        Path,
        typer.Option("--tsa-roots", envvar="FASTTRACK_TSA_ROOTS", exists=True, dir_okay=False, help="Its CAs, PEM."),
    ],
    interval_seconds: Annotated[
        float,
        typer.Option(
            "--interval", envvar="FASTTRACK_TSA_INTERVAL_SECONDS", min=0.05, help="Seconds between two looks."
        ),
    ] = 60.0,
    once: Annotated[
        bool, typer.Option("--once", help="Look at the ledger once; status 3 when there is no token.")
    ] = False,
    until_eof: UntilEof = False,
    is_json: AsJson = False,
) -> None:
    """Get an RFC 3161 token for each new checkpoint; FASTTRACK_DATABASE_URL as the role fasttrack_gateway.

    An authority that is away, refuses or answers wrongly leaves a gap in the ledger, which the next token fills: its
    tree contains the trees before it. Nothing else waits for it. The metric fasttrack.timestamp.gap is 1 meanwhile.

    When it is ready it prints one line {"stamping": url}. Exit codes: 0 stopped, 2 bad settings, 3 no database, or with
    --once no token.
    """
    from gateway.app_timestamp import StamperSettings, run_stamper_process  # noqa: PLC0415 - --help stays fast
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.core.port.timestamp import TimestampGap  # noqa: PLC0415 - as above
    from gateway.telemetry import set_up_logging  # noqa: PLC0415 - as above

    set_up_logging(os.environ.get("FASTTRACK_LOG_LEVEL", "INFO"))
    gaps: list[TimestampGap] = []

    async def work(stop: asyncio.Event) -> None:
        settings = StamperSettings(
            database_url=parse_database_url(os.environ), url=url, roots=roots, interval_seconds=interval_seconds
        )
        gap = await run_stamper_process(settings, stop, lambda: announce(stamping=url), is_once=once)
        gaps.extend([gap] if gap is not None else [])

    try:
        run_until_stopped(work, until_eof=until_eof)
    except SettingsError as error:
        complain("; ".join(error.problems), ExitCode.USAGE, as_json=is_json)
    except ValueError as error:
        complain(f"cannot stamp: {error}", ExitCode.USAGE, as_json=is_json)
    except (OSError, GatewayError) as error:
        complain(f"the database cannot be reached: {error}", ExitCode.UNREACHABLE, as_json=is_json)
    if gaps:
        complain(f"no token: {gaps[0].code.name}; the gap is recorded", ExitCode.UNREACHABLE, as_json=is_json)
