"""`fasttrack monitor`: follow a log from outside, keep every checkpoint, and shout when they contradict each other."""

from __future__ import annotations

import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.output import print_json

if TYPE_CHECKING:
    from gateway.audit.monitor import Look

_TIMEOUT_SECONDS: Final = 20.0


def command(
    url: Annotated[str, typer.Argument(help="Where the log is served, http:// or https://; see `fasttrack tiles`.")],
    *,
    policy: Annotated[
        Path, typer.Option("--policy", exists=True, help="Witness policy: keys of the log and its witnesses.")
    ],
    state: Annotated[Path, typer.Option("--state", help="Folder that keeps every checkpoint seen.")],
    seen: Annotated[
        list[Path] | None,
        typer.Option("--seen", exists=True, help="A checkpoint, or a proof of logging, that somebody else was given."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    interval_seconds: Annotated[float, typer.Option("--interval", min=0.1, help="Seconds between two looks.")] = 60.0,
    stop_after_seconds: Annotated[
        float, typer.Option("--stop-after", min=1, help="Seconds without anything new until the log counts as stopped.")
    ] = 1800.0,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a look.")] = False,
) -> None:
    """Follow a log; the first look that shows a fork, a shrunken or a false head ends it, the evidence is kept.

    With --seen, two who were given checkpoints of one log find out whether it is one log. Of a fork, a file .fork.json
    in the state folder proves it to anybody: `fasttrack verify-fork`.

    Exit codes: 0 the log is consistent, 2 bad options, 3 with --once: no answer, or nothing new for too long,
    4 the log contradicts itself (the files that prove it are named).
    """
    from gateway.audit.monitor import ALARMS, Monitor, Verdict  # noqa: PLC0415 - --help stays fast
    from gateway.audit.monitor_memory import Memory  # noqa: PLC0415 - as above
    from gateway.core.log.note import NoteError  # noqa: PLC0415 - as above
    from gateway.core.log.witness_policy import PolicyError, parse_policy  # noqa: PLC0415 - as above

    if not url.startswith(("http://", "https://")):
        hint = "give the address that `fasttrack tiles` serves"
        fail(ExitCode.USAGE, "the address of a log begins with http:// or https://", hint, is_json=is_json)
    try:
        trusted = parse_policy(policy.read_text(encoding="utf-8"))
        monitor = Monitor(
            Memory(state), trusted.log, trusted.witnesses, stop_after=timedelta(seconds=stop_after_seconds)
        )
        for path in seen or ():
            monitor.hear(_note_of(path.read_bytes()))
        while True:
            look = monitor.look(lambda path, most: _fetch(url, path, most), datetime.now(UTC))
            _print(look, is_json=is_json)
            if look.verdict in ALARMS:
                raise typer.Exit(ExitCode.EVIDENCE)
            if once:
                is_quiet = look.verdict in (Verdict.UNREACHABLE, Verdict.STOPPED)
                raise typer.Exit(ExitCode.UNREACHABLE if is_quiet else ExitCode.OK)
            time.sleep(interval_seconds)
    except (OSError, PolicyError, NoteError) as error:
        hint = "check --policy, --seen and the folder of --state; the folder keeps what was seen, never empty it"
        fail(ExitCode.USAGE, f"cannot follow the log: {error}", hint, is_json=is_json)
    except KeyboardInterrupt as error:
        raise typer.Exit(ExitCode.INTERRUPTED) from error


def _note_of(data: bytes) -> bytes:
    """The checkpoint of a file, which may be a proof of logging."""
    from gateway.core.log.tlog_proof import HEADER, parse_tlog_proof  # noqa: PLC0415 - --help stays fast

    return parse_tlog_proof(data).checkpoint if data.startswith(HEADER.encode()) else data


def _fetch(url: str, path: str, most_bytes: int) -> bytes:
    # The scheme was checked to be http or https.
    request = urllib.request.Request(f"{url.rstrip('/')}/{path}", headers={"Accept": "*/*"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            data: bytes = answer.read(most_bytes + 1)
    except ValueError as error:
        raise OSError("not an address") from error
    if len(data) > most_bytes:
        raise OSError("the answer is too long")
    return data


def _print(look: Look, *, is_json: bool) -> None:
    if is_json:
        print_json(
            {
                "verdict": look.verdict.value,
                "size": look.size,
                "reason": look.reason,
                "evidence": [str(path) for path in look.evidence],
            }
        )
        return
    files = "".join(f"\n  {path}" for path in look.evidence)
    print(f"{look.verdict}: size {look.size}, {look.reason}{files}", flush=True)
