"""Serves an ASGI application inside a process that has a loop and signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

_STOP_SECONDS = 5


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), int(port)))
    except BaseException:
        listening.close()
        raise
    return listening


@asynccontextmanager
async def serving(app: Starlette, address: str) -> AsyncIterator[str]:
    """Serve while the block runs.

    Args:
        app: the application.
        address: host:port; port 0 takes a free one.

    Yields:
        host:port.

    Raises:
        OSError, ValueError: the address cannot be bound.
    """
    listening = _listen(address)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=60,
            timeout_graceful_shutdown=_STOP_SECONDS,
            h11_max_incomplete_event_size=16 * 1024,
            limit_concurrency=500,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        waiting = asyncio.create_task(server.ready.wait())
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        yield f"{address.rpartition(':')[0]}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listening.close()
