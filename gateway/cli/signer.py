"""``fasttrack signer``: sign the heads of the ledger, in a process and with a key of its own."""

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
    origin: Annotated[str, typer.Option(envvar="FASTTRACK_ORIGIN", help="Name of the log.")],
    key: Annotated[
        Path, typer.Option(envvar="FASTTRACK_SIGNER_KEY", exists=True, dir_okay=False, help="Its Ed25519 key, PEM.")
    ],
    state: Annotated[Path, typer.Option(envvar="FASTTRACK_SIGNER_STATE", help="File that remembers the last tree.")],
    init: Annotated[bool, typer.Option("--init", help="Make the state file, once, for a log never signed.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Look at the ledger once; status 4 when it refuses.")] = False,
    interval_seconds: Annotated[float, typer.Option("--interval", min=0.05, help="Seconds between two looks.")] = 1.0,
    until_eof: UntilEof = False,
    is_json: AsJson = False,
) -> None:
    """Sign the heads of the ledger; FASTTRACK_DATABASE_URL names it, as the role fasttrack_signer.

    It re-hashes every new entry from its record and signs only what continues the last tree it signed. A restored,
    shortened or forked database is refused: a log line says why, and the metric fasttrack.seal.alarm is 1.

    When it is ready it prints one line {"signing": origin}. Exit codes: 0 stopped, 2 bad settings, 3 no database,
    4 it refuses.
    """
    from gateway.app_seal import SignerSettings, run_signer_process  # noqa: PLC0415 - --help stays fast
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.core.port.seal import MemoryLostError  # noqa: PLC0415 - as above
    from gateway.flows.seal import SealRefusedError  # noqa: PLC0415 - as above
    from gateway.telemetry import set_up_logging  # noqa: PLC0415 - as above

    set_up_logging(os.environ.get("FASTTRACK_LOG_LEVEL", "INFO"))

    async def work(stop: asyncio.Event) -> None:
        settings = SignerSettings(
            database_url=parse_database_url(os.environ),
            origin=origin,
            key=key,
            state=state,
            interval_seconds=interval_seconds,
        )
        ready = lambda: announce(signing=origin)  # noqa: E731
        await run_signer_process(settings, stop, ready, is_first=init, is_once=once)

    try:
        run_until_stopped(work, until_eof=until_eof)
    except SettingsError as error:
        complain("; ".join(error.problems), ExitCode.USAGE, as_json=is_json)
    except ValueError as error:
        complain(f"cannot sign: {error}", ExitCode.USAGE, as_json=is_json)
    except MemoryLostError as error:
        complain(f"the signer does not start: {error}", ExitCode.EVIDENCE, as_json=is_json)
    except SealRefusedError as error:
        complain(f"the signer refuses: {error}", ExitCode.EVIDENCE, as_json=is_json)
    except (OSError, GatewayError) as error:
        complain(f"the database cannot be reached: {error}", ExitCode.UNREACHABLE, as_json=is_json)
