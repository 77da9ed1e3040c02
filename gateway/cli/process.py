"""What the long-running commands share: one line when ready, stop on a signal or at the end of standard input."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, NoReturn

import typer

from gateway.cli.exit_code import ExitCode

UntilEof = Annotated[bool, typer.Option("--until-eof", hidden=True, help="Stop when standard input ends.")]
AsJson = Annotated[bool, typer.Option("--json", help="Errors as JSON too.")]


def announce(**fields: str | int) -> None:
    """Print the one line that says that the process is ready."""
    print(json.dumps(fields), flush=True)


_HINTS: Final[Mapping[ExitCode, str]] = {
    ExitCode.USAGE: "set or repair what is named above, and start it again; --help names every setting",
    ExitCode.UNREACHABLE: "check the address in the settings and that the other side runs, then start it again",
    ExitCode.EVIDENCE: "repair nothing: keep state and database as they are, and call who oversees the log",
}


def complain(problem: str, code: ExitCode, *, as_json: bool, hint: str = "") -> NoReturn:
    """Print why the process ends and what to do next, and end it.

    Args:
        problem: what is wrong.
        code: exit status.
        as_json: as one JSON object, {error, hint, exit_code}.
        hint: what to do next; that of the exit status when left out.

    Raises:
        typer.Exit: always.
    """
    following = hint or _HINTS[code]
    if as_json:
        print(json.dumps({"error": problem, "hint": following, "exit_code": int(code)}), file=sys.stderr)
    else:
        print(f"fasttrack: {problem}\n  next: {following}", file=sys.stderr)
    raise typer.Exit(code)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[Any]], *, until_eof: bool) -> None:
    """Run a process; SIGINT, SIGTERM and, if asked for, the end of standard input set its stop event.

    Args:
        work: takes the event.
        until_eof: whether standard input counts.
    """

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        watcher = asyncio.create_task(_stop_at_eof(stop)) if until_eof else None
        try:
            await work(stop)
        finally:
            if watcher is not None:
                watcher.cancel()

    asyncio.run(main())


async def _stop_at_eof(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()
