"""The watch: one connection per process listens for new handoffs and wakes the readers of the inboxes concerned.

A wake-up carries nothing: a reader asks the inbox from its own cursor. So a slow reader costs no memory, a wake-up too
many costs one query, and one that got lost is made up for by the next heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import asyncpg

from gateway.core.identity import Agency
from gateway.telemetry import log_event

CHANNEL: Final = "fasttrack_inbox"
_RECONNECT_SECONDS: Final = 0.2
_log = logging.getLogger(__name__)


class Watch:
    """Wakes readers of inboxes; implements ``InboxWatch``.

    Args:
        dsn: address of the database, as the role ``fasttrack_gateway``.
        heartbeat_seconds: everybody is woken so often, and the connection is tried.

    ``connections`` counts how often it began to listen; more than one means that the connection was lost.
    """

    def __init__(self, dsn: str, *, heartbeat_seconds: float = 5.0) -> None:
        self._dsn = dsn
        self._heartbeat_seconds = heartbeat_seconds
        self._subscribers: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        self.connections = 0

    async def start(self) -> None:
        """Start to listen; a database that is not there yet is tried again and again."""
        if self._task is None:
            self._is_closing = False
            self._task = asyncio.create_task(self._run(), name="inbox watch")

    async def stop(self) -> None:
        """Stop to listen, and end every iterator."""
        self._is_closing = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._wake_all()

    @contextlib.asynccontextmanager
    async def subscribe(self, receiver: Agency | str) -> AsyncIterator[Callable[[], AsyncIterator[None]]]:
        """Follow the inbox of a receiver.

        Args:
            receiver: the agency, or a word that another process notifies.

        Yields:
            a function; its iterator yields at once, and then whenever there may be something new, until the watch
            stops.
        """
        event = asyncio.Event()
        event.set()
        self._subscribers.setdefault(str(receiver), set()).add(event)

        async def wake_ups() -> AsyncIterator[None]:
            event.set()
            while True:
                await event.wait()
                if self._is_closing:
                    return
                # Cleared before the reader looks: what comes while it looks wakes it again.
                event.clear()
                yield

        try:
            yield wake_ups
        finally:
            events = self._subscribers[str(receiver)]
            events.discard(event)
            if not events:
                del self._subscribers[str(receiver)]

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                log_event(_log, logging.WARNING, "the inbox watch lost its connection", reason=type(error).__name__)
            # Without the connection readers are as blind as the watch: they look for themselves.
            self._wake_all()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=5, command_timeout=5, server_settings={"application_name": "fasttrack watch"}
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._hear)
            self.connections += 1
            # What was committed while nobody listened.
            self._wake_all()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), self._heartbeat_seconds)
                await connection.fetchval("SELECT 1")
                self._wake_all()
        finally:
            connection.terminate()

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        for receiver in str(payload).split("\n"):
            for event in self._subscribers.get(receiver, ()):
                event.set()

    def _wake_all(self) -> None:
        for events in self._subscribers.values():
            for event in events:
                event.set()
