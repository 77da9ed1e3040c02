"""``fasttrack witness``: an agency cosigns the heads of the log that it has followed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.connection import ConnectionSettings, SettingsError
from gateway.cli.exit_code import ExitCode
from gateway.cli.process import AsJson, UntilEof, announce, complain, run_until_stopped


def command(
    *,
    name: Annotated[str, typer.Option(envvar="FASTTRACK_WITNESS_NAME", help="Name of the witness key.")],
    witness_key: Annotated[
        Path, typer.Option(envvar="FASTTRACK_WITNESS_KEY", exists=True, dir_okay=False, help="Its Ed25519 key, PEM.")
    ],
    log_key: Annotated[
        Path, typer.Option(envvar="FASTTRACK_LOG_KEY", exists=True, dir_okay=False, help="Verifier key of the log.")
    ],
    state: Annotated[Path, typer.Option(envvar="FASTTRACK_WITNESS_STATE", help="File that remembers the last tree.")],
    target: Annotated[str | None, typer.Option(envvar="FASTTRACK_TARGET", help="host:port of the gateway.")] = None,
    profile: Annotated[
        Path | None, typer.Option(envvar="FASTTRACK_PROFILE", help="Agency folder of a development PKI.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(envvar="FASTTRACK_CA", help="CA of the gateway's TLS certificate.")] = None,
    cert: Annotated[Path | None, typer.Option(envvar="FASTTRACK_CERT", help="Your TLS certificate.")] = None,
    key: Annotated[Path | None, typer.Option(envvar="FASTTRACK_KEY", help="Its private key.")] = None,
    listen: Annotated[
        str, typer.Option(envvar="FASTTRACK_WITNESS_LISTEN", help="host:port for add-checkpoint over HTTP.")
    ] = "",
    init: Annotated[bool, typer.Option("--init", help="Make the state file, once, for a key never used.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Ask the gateway once; status 4 when it refuses.")] = False,
    until_eof: UntilEof = False,
    is_json: AsJson = False,
) -> None:
    """Follow the log of a gateway and cosign what continues the last tree (C2SP tlog-witness, tlog-cosignature).

    A witness that lost its state does not start: it could cosign a fork without knowing. --init makes the state file
    when the gateway has no cosignature of this key yet.

    When it is ready it prints one line {"witnessing": name, "listening": "host:port"}. Exit codes: 0 stopped, 2 bad
    settings, 3 no gateway (with --init or --once), 4 it refuses.
    """
    from gateway.app_seal import WitnessSettings, run_witness_process  # noqa: PLC0415 - --help stays fast
    from gateway.core.log.witness import WitnessRefusedError  # noqa: PLC0415 - as above
    from gateway.core.port.seal import MemoryLostError  # noqa: PLC0415 - as above
    from gateway.flows.cosign import LogShrankError, LostStateError  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import CallRefused, GatewayUnreachable  # noqa: PLC0415 - as above
    from gateway.telemetry import set_up_logging  # noqa: PLC0415 - as above
    from gateway.trust.tls import channel_credentials  # noqa: PLC0415 - as above

    set_up_logging(os.environ.get("FASTTRACK_LOG_LEVEL", "INFO"))

    async def work(stop: asyncio.Event) -> None:
        connection = ConnectionSettings(target, ca, cert, key).with_profile(profile)
        gateway, *files = connection.require_tls()
        settings = WitnessSettings(name=name, key=witness_key, log=log_key, state=state, listen=listen)
        await run_witness_process(
            settings,
            gateway,
            channel_credentials(*files),
            stop,
            lambda address: announce(witnessing=name, listening=address),
            is_first=init,
            is_once=once,
        )

    try:
        run_until_stopped(work, until_eof=until_eof)
    except SettingsError as error:
        complain(str(error), ExitCode.USAGE, as_json=is_json, hint=error.hint)
    except (OSError, ValueError) as error:
        complain(f"cannot witness: {error}", ExitCode.USAGE, as_json=is_json)
    except (MemoryLostError, LostStateError) as error:
        complain(f"the witness must not go on: {error}", ExitCode.EVIDENCE, as_json=is_json)
    except (WitnessRefusedError, LogShrankError) as error:
        complain(f"the witness refuses: {error}", ExitCode.EVIDENCE, as_json=is_json)
    except (CallRefused, GatewayUnreachable) as error:
        complain(f"the gateway does not answer: {error}", ExitCode.UNREACHABLE, as_json=is_json)
