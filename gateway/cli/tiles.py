"""``fasttrack tiles``: serve the log to public tools, over HTTP."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.process import AsJson, UntilEof, announce, complain, run_until_stopped
from gateway.config import SettingsError, parse_database_url


def command(
    *,
    listen: Annotated[str, typer.Option(envvar="FASTTRACK_TILES_LISTEN", help="host:port.")] = "127.0.0.1:8480",
    hashes_only: Annotated[bool, typer.Option("--hashes-only", help="Serve no entries, only their hashes.")] = False,
    until_eof: UntilEof = False,
    is_json: AsJson = False,
) -> None:
    """Serve checkpoint and tiles (C2SP tlog-tiles); FASTTRACK_DATABASE_URL as the role fasttrack_oversight.

    Entries are the leaves of the ledger: agencies, ids and pseudonyms, never a record. It speaks plain HTTP; put a
    reverse proxy with TLS before it.

    When it is ready it prints one line {"listening": "host:port"}. Exit codes: 0 stopped, 2 bad settings, 3 the
    database or the address cannot be used.
    """
    from gateway.app_seal import serve_tiles  # noqa: PLC0415 - --help stays fast
    from gateway.telemetry import set_up_logging  # noqa: PLC0415 - as above

    set_up_logging(os.environ.get("FASTTRACK_LOG_LEVEL", "INFO"))

    async def work(stop: asyncio.Event) -> None:
        url = parse_database_url(os.environ)
        ready = lambda address: announce(listening=address)  # noqa: E731
        await serve_tiles(url, listen, stop, ready, has_entries=not hashes_only)

    try:
        run_until_stopped(work, until_eof=until_eof)
    except SettingsError as error:
        complain("; ".join(error.problems), ExitCode.USAGE, as_json=is_json)
    except (OSError, ValueError) as error:
        complain(f"cannot serve: {error}", ExitCode.UNREACHABLE, as_json=is_json)
