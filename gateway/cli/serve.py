"""`fasttrack serve`: run the gateway, in one process or in several that share the port."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.process import complain
from gateway.config import PREFIX, Settings, SettingsError, parse_settings
from gateway.core.errors import GatewayError


def command(
    until_eof: Annotated[bool, typer.Option(hidden=True, help="stop when standard input ends")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="errors as JSON too")] = False,
) -> None:
    """Run the gateway; settings come from FASTTRACK_* (see gateway/config.py).

    When it is ready it prints one line {"listening": "host:port"}. Ctrl-C or SIGTERM lets running calls end, commits
    what was taken, and stops. Exit codes: 0 stopped, 2 bad settings, 3 the database or the address cannot be used.
    """
    try:
        settings = parse_settings(os.environ)
    except SettingsError as error:
        complain("; ".join(error.problems), ExitCode.USAGE, as_json=as_json)
    try:
        if settings.workers > 1:
            asyncio.run(_supervise(settings))
        else:
            _run(settings, until_eof=until_eof)
    except (OSError, ValueError, RuntimeError, GatewayError) as error:
        complain(f"cannot serve: {error}", ExitCode.UNREACHABLE, as_json=as_json)


def _announce(listen: str) -> Callable[[int], None]:
    host = listen.rsplit(":", 1)[0]

    def ready(port: int) -> None:
        print(json.dumps({"listening": f"{host}:{port}"}), flush=True)

    return ready


def _run(settings: Settings, *, until_eof: bool) -> None:
    # Imported here: settings errors should not wait for gRPC to load.
    import uvloop  # noqa: PLC0415

    from gateway.app import serve  # noqa: PLC0415
    from gateway.telemetry import set_up_logging  # noqa: PLC0415

    set_up_logging(settings.log_level)

    async def main() -> None:
        stop = _stop_event()
        watcher = asyncio.create_task(_stop_at_eof(stop)) if until_eof else None
        await serve(settings, stop, _announce(settings.listen))
        if watcher is not None:
            watcher.cancel()

    uvloop.run(main())


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _stop_at_eof(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()


async def _supervise(settings: Settings) -> None:
    """Run several workers on one port; they end when this process does, however it ends, because their stdin does."""
    stop = _stop_event()
    reserved = _reserve(settings.listen)
    host = settings.listen.rsplit(":", 1)[0]
    listen = f"{host}:{reserved.getsockname()[1]}"
    environ = {**os.environ, f"{PREFIX}LISTEN": listen, f"{PREFIX}WORKERS": "1"}
    workers = [await _spawn(environ) for _ in range(settings.workers)]
    try:
        for worker in workers:
            if worker.stdout is None or not await worker.stdout.readline():
                raise RuntimeError("a worker did not start; its reason stands above")
        print(json.dumps({"listening": listen}), flush=True)
        ended = [asyncio.create_task(worker.wait()) for worker in workers]
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait([waiting, *ended], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            raise RuntimeError("a worker ended; its reason stands above")
    finally:
        for worker in workers:
            if worker.stdin is not None:
                worker.stdin.close()
        for worker in workers:
            await worker.wait()
        reserved.close()


def _reserve(listen: str) -> socket.socket:
    host, port = listen.rsplit(":", 1)
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    reserved = socket.socket(family, socket.SOCK_STREAM)
    # The socket never listens; it holds the port while every worker listens on it by SO_REUSEPORT.
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind((host.strip("[]"), int(port)))
    return reserved


async def _spawn(environ: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli.main", "serve", "--until-eof",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environ,
        # Ctrl-C goes to the whole terminal group; only the supervisor decides when the workers stop.
        start_new_session=True,
    )  # fmt: skip
