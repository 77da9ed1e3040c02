"""``fasttrack mirror``: an agency keeps its own full copy of the log, and of the entries that it may see."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.connection import ConnectionSettings, SettingsError
from gateway.cli.exit_code import ExitCode
from gateway.cli.process import UntilEof, complain, run_until_stopped

if TYPE_CHECKING:
    from gateway.audit.mirror import Followed


def command(
    *,
    folder: Annotated[
        Path, typer.Option("--dir", envvar="FASTTRACK_MIRROR_DIR", help="Folder of the mirror, for its owner alone.")
    ],
    target: Annotated[str | None, typer.Option(envvar="FASTTRACK_TARGET", help="host:port of the gateway.")] = None,
    profile: Annotated[
        Path | None, typer.Option(envvar="FASTTRACK_PROFILE", help="Agency folder of a development PKI.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(envvar="FASTTRACK_CA", help="CA of the gateway's TLS certificate.")] = None,
    cert: Annotated[Path | None, typer.Option(envvar="FASTTRACK_CERT", help="Your TLS certificate.")] = None,
    key: Annotated[Path | None, typer.Option(envvar="FASTTRACK_KEY", help="Its private key.")] = None,
    witness_policy: Annotated[
        Path | None,
        typer.Option(envvar="FASTTRACK_WITNESS_POLICY", help="Keys of the log and its witnesses, TOML."),
    ] = None,
    init: Annotated[bool, typer.Option("--init", help="Make the mirror, once.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Copy up to the newest checkpoint, and end.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until stopped; this is what it does anyway.")] = False,
    until_eof: UntilEof = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each round; errors too.")] = False,
) -> None:
    """Keep hashes of the whole log, its checkpoints, and every entry that your agency may see.

    Each round is verified against a checkpoint that the log signed, and kept as a whole or not at all. What was kept is
    never overwritten; what can be read of a case goes when the log says that the case was destroyed. A folder without a
    mirror is refused unless --init is given.

    Exit codes: 0 stopped, or up to date with --once; 2 bad settings; 3 with --once: no gateway; 4 the log forked,
    shrank or gave what does not hash to its place (evidence is in DIR/evidence), or the mirror is lost or damaged.
    """
    from gateway.app_mirror import run_mirror  # noqa: PLC0415 - --help stays fast
    from gateway.audit.mirror import MirrorRefusedError  # noqa: PLC0415 - as above
    from gateway.core.log.witness_policy import PolicyError, parse_policy  # noqa: PLC0415 - as above
    from gateway.core.port.seal import MemoryLostError  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import CallRefused, GatewayUnreachable  # noqa: PLC0415 - as above
    from gateway.telemetry import set_up_logging  # noqa: PLC0415 - as above
    from gateway.trust.tls import channel_credentials  # noqa: PLC0415 - as above

    set_up_logging(os.environ.get("FASTTRACK_LOG_LEVEL", "INFO"))
    if once and follow:
        complain("--once or --follow, not both", ExitCode.USAGE, as_json=is_json)

    async def work(stop: asyncio.Event) -> None:
        connection = ConnectionSettings(target, ca, cert, key, witness_policy=witness_policy).with_profile(profile)
        gateway, *files = connection.require_tls("witness_policy")
        await run_mirror(
            folder,
            connection.agency,
            parse_policy((connection.witness_policy or Path()).read_text(encoding="utf-8")),
            gateway,
            channel_credentials(*files),
            stop,
            lambda followed: _print(followed, folder, is_json=is_json),
            is_first=init,
            is_once=once,
        )

    try:
        run_until_stopped(work, until_eof=until_eof)
    except SettingsError as error:
        complain(str(error), ExitCode.USAGE, as_json=is_json, hint=error.hint)
    except (OSError, PolicyError) as error:
        complain(f"cannot keep a mirror: {error}", ExitCode.USAGE, as_json=is_json)
    except MemoryLostError as error:
        complain(f"the mirror cannot go on: {error}; --init makes a new one", ExitCode.EVIDENCE, as_json=is_json)
    except MirrorRefusedError as error:
        files = "".join(f"\n  {path}" for path in error.evidence)
        complain(f"the mirror refuses: {error}{files}", ExitCode.EVIDENCE, as_json=is_json)
    except (CallRefused, GatewayUnreachable) as error:
        complain(f"the gateway does not answer: {error}", ExitCode.UNREACHABLE, as_json=is_json)


def _print(followed: Followed, folder: Path, *, is_json: bool) -> None:
    if is_json:
        fields = {
            "mirrored": followed.size, "entries": followed.entries, "bundles": followed.bundles,
            "seals": followed.seals, "dir": str(folder),
        }  # fmt: skip
        print(json.dumps(fields), flush=True)
        return
    print(
        f"{followed.size:,} entries of the log mirrored; new: {followed.entries:,} entries that you may see, "
        f"{followed.bundles:,} bundles, {followed.seals:,} seals",
        flush=True,
    )
