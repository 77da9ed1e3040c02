"""A wire between the gateway and PostgreSQL that breaks at the worst moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal


class Wire:
    """Forwards bytes, and cuts the connection when the client says something, if told to.

    Args:
        port: TCP port of the server on 127.0.0.1.
        mark: bytes by which the message is known.
    """

    def __init__(self, port: int, mark: bytes) -> None:
        self._port = port
        self._mark = mark
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut: Literal["", "before", "after"] = ""
        self.cuts = 0
        self.is_cut_always = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one client to the server until either goes, or the wire is cut."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        down = asyncio.create_task(self._pump(up_reader, writer))
        try:
            while data := await reader.read(65536):
                if self.cut and self._mark in data:
                    how = self.cut
                    self.cut = how if self.is_cut_always else ""
                    self.cuts += 1
                    if how == "after":
                        await self._swallow_answer(data, down, reader, up_reader, up_writer)
                    return
                up_writer.write(data)
                await up_writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            down.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await down
            for side in (up_writer, writer):
                side.close()
            self._tasks.discard(task)

    async def _swallow_answer(
        self,
        data: bytes,
        down: asyncio.Task[None],
        reader: asyncio.StreamReader,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        """Forward the rest of the message; when the server answers it has committed, and the answer goes nowhere."""
        down.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await down
        up_writer.write(data)
        rest = asyncio.create_task(self._pump(reader, up_writer))
        await up_reader.read(1)
        rest.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await rest

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

    async def close(self) -> None:
        """End every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def wire_to(port: int, mark: bytes) -> AsyncIterator[tuple[Wire, int]]:
    """Lay a wire to the server, and give it with the port where it begins."""
    wire = Wire(port, mark)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    try:
        yield wire, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await wire.close()
