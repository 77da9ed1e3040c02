"""How the client takes up a stream again that nobody broke."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import grpc

from gateway.rpc.client_call import Connection, RetryPolicy


class AskedEnoughError(Exception):
    """Ends the test."""


@dataclass(frozen=True, slots=True)
class Pauses(RetryPolicy):
    """Writes down the pauses and takes none."""

    taken: list[int] = field(default_factory=list)

    def pause_seconds(self, number: int) -> float:
        """Which pause in a row it is."""
        self.taken.append(number)
        return 0.0


class Proxy:
    """Ends every stream with OK: after nothing, nothing, a message, nothing."""

    def __init__(self) -> None:
        self.cursors: list[int] = []

    def __call__(self, cursor: int, **_: Any) -> Any:
        """Open a stream."""
        self.cursors.append(cursor)
        if len(self.cursors) > 4:
            raise AskedEnoughError

        class Stream:
            """One stream."""

            messages = [SimpleNamespace(cursor=7)] if len(self.cursors) == 3 else []

            async def __aiter__(self) -> AsyncIterator[Any]:
                for message in self.messages:
                    yield message

            def cancel(self) -> None:
                """Nothing to end."""

        return Stream()


async def test_stream_that_ends_without_error_is_taken_up_after_a_pause() -> None:
    """Each end in a row makes the next pause longer; a message makes it short again."""
    retry, proxy = Pauses(), Proxy()
    connection = Connection("localhost:1", grpc.local_channel_credentials(), retry=retry)
    seen = []
    with suppress(AskedEnoughError):
        async with aclosing(connection.follow(proxy, "Watch", lambda cursor: cursor, 0)) as stream:
            async for message in stream:
                seen.append(message.cursor)
    assert (seen, proxy.cursors, retry.taken) == ([7], [0, 0, 0, 7, 7], [1, 2, 1, 2])


def test_pause_is_bounded_whatever_the_number() -> None:
    """A stream that ended ten thousand times is still asked every two seconds."""
    assert 1.0 <= RetryPolicy().pause_seconds(10_000) <= 2.0
