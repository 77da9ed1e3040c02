"""What the long-running commands share: one line when ready, stop on a signal or at the end of standard input."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import typer

UntilEof = Annotated[bool, typer.Option("--until-eof", hidden=True, help="Stop when standard input ends.")]
AsJson = Annotated[bool, typer.Option("--json", help="Errors as JSON too.")]


def announce(**fields: str | int) -> None:
    """Print the one line that says that the process is ready."""
    print(json.dumps(fields), flush=True)


def complain(problem: str, code: int, *, as_json: bool) -> NoReturn:
    """Print why the process ends, and end it.

    Args:
        problem: one sentence, with what to do.
        code: exit status.
        as_json: as one JSON object.

    Raises:
        typer.Exit: always.
    """
    print(json.dumps({"errors": [problem]}) if as_json else problem, file=sys.stderr)
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
