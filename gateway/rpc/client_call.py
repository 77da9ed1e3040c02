"""How every call of the client is made: one channel, one deadline, one place for metadata, one rule for trying again.

A write carries its own id (``bundle_id``, ``act_id``) and the gateway gives the same receipt for the same id again. So
a call that was cut may be repeated even when nobody knows whether it had been done; a method without such an id must
not be called through this module.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

import grpc

from gateway.rpc.client_error import CallRefused, GatewayUnreachable, to_exception
from gateway.telemetry import trace_metadata

Metadata = Sequence[tuple[str, str]]
_Answer = TypeVar("_Answer")
_Answer_co = TypeVar("_Answer_co", covariant=True)

Stream = AsyncGenerator[Any, None]
"""Messages of a stream."""
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_CHANNEL_OPTIONS: Final = (
    # A fetch carries record, rendition and report in one message.
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # The rule below knows which calls may be repeated; gRPC does not.
    ("grpc.enable_retries", 0),
)


class Unary(Protocol[_Answer_co]):
    """A method of a generated stub with one request and one answer."""

    def __call__(self, request: Any, *, timeout: float | None, metadata: Metadata | None) -> Awaitable[_Answer_co]:
        """Start the call."""


class Streaming(Protocol[_Answer_co]):
    """A method of a generated stub that answers with a stream."""

    def __call__(self, request: Any, *, timeout: float | None, metadata: Metadata | None) -> AsyncIterator[_Answer_co]:
        """Start the call."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a call is made again.

    Args:
        attempts: calls in all, the first included.
        first_delay_seconds: pause before the second; doubled each time, with jitter.
        max_delay_seconds: longest pause; a gateway that asks for a longer one is not called again.
    """

    attempts: int = 8
    first_delay_seconds: float = 0.1
    max_delay_seconds: float = 2.0

    def delay_seconds(self, attempt: int, error: CallRefused | GatewayUnreachable) -> float | None:
        """Decide on a failed call.

        Args:
            attempt: number of the call that failed, from 1.
            error: how it failed.

        Returns:
            seconds to wait before the next call; None to give up.
        """
        if attempt >= self.attempts:
            return None
        if isinstance(error, CallRefused):
            asked = error.retry_after_seconds
            if asked is not None:
                return asked if asked <= self.max_delay_seconds else None
            if not error.is_passing:
                return None
        elif not error.is_transient:
            return None
        return self.pause_seconds(attempt)

    def pause_seconds(self, number: int) -> float:
        """How long to wait before the next call.

        Args:
            number: of calls in a row that came to nothing, from 1.

        Returns:
            seconds, doubled each time, with jitter.
        """
        # The exponent is bounded because a float is.
        longest = min(self.first_delay_seconds * 2.0 ** min(number - 1, 64), self.max_delay_seconds)
        # Without jitter all clients of a gateway that comes back would call in the same instant.
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


class Connection:
    """A channel to one gateway.

    Args:
        target: host:port.
        credentials: mutual TLS of the caller.
        retry: when a call is made again.
        timeout_seconds: deadline of each call that is not a stream.
        metadata: gives the metadata of each call; None for the W3C trace context of the current span.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials,
        *,
        retry: RetryPolicy | None = None,
        timeout_seconds: float = 30.0,
        metadata: Callable[[], Metadata] | None = None,
    ) -> None:
        self.target = target
        self.retry = retry or RetryPolicy()
        self.timeout_seconds = timeout_seconds
        self.metadata: Callable[[], Metadata] = metadata or trace_metadata
        self._credentials = credentials
        self._channel: grpc.aio.Channel | None = None

    async def __aenter__(self) -> Self:
        self._channel = grpc.aio.secure_channel(self.target, self._credentials, options=_CHANNEL_OPTIONS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    @property
    def channel(self) -> grpc.aio.Channel:
        """The open channel.

        Raises:
            RuntimeError: outside ``async with``.
        """
        if self._channel is None:
            raise RuntimeError("use the client as: async with GatewayClient(...) as client")
        return self._channel

    async def unary(self, method: Unary[_Answer], request: Any) -> _Answer:
        """Call a method with one answer.

        Args:
            method: of a stub on this channel.
            request: its message.

        Returns:
            the answer.

        Raises:
            CallRefused: the gateway refused.
            GatewayUnreachable: no answer, also after all attempts.
        """

        async def call() -> _Answer:
            return await method(request, timeout=self.timeout_seconds, metadata=self.metadata())

        return await self.attempt(call, type(request).__name__)

    async def attempt(self, call: Callable[[], Awaitable[_Answer]], name: str) -> _Answer:
        """Do something until it succeeds or the retry policy gives up.

        Args:
            call: one attempt; may raise grpc's error.
            name: of the method, for the error.

        Returns:
            what the call gives.

        Raises:
            CallRefused: the gateway refused.
            GatewayUnreachable: no answer, also after all attempts.
        """
        number = 0
        while True:
            number += 1
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                failure = to_exception(error, target=self.target, method=name)
                delay = self.retry.delay_seconds(number, failure)
                if delay is None:
                    raise failure from error
            await asyncio.sleep(delay)

    async def follow(self, method: Callable[..., Any], name: str, request: Callable[[int], Any], cursor: int) -> Stream:
        """Follow a stream whose messages have a cursor; one that broke or ended is taken up again where it was.

        Args:
            method: of a stub on this channel.
            name: of the method, for the error.
            request: its message, given the cursor to go on after.
            cursor: of the last message seen; 0 for the oldest.

        Yields:
            the messages, without end.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no connection, also after all attempts in a row.
        """
        failures = ends = 0
        while True:
            stream = method(request(cursor), metadata=self.metadata())
            try:
                async for message in stream:
                    cursor, failures, ends = message.cursor, 0, 0
                    yield message
                # A proxy that ends every stream at once must not be asked in a loop.
                ends += 1
                await asyncio.sleep(self.retry.pause_seconds(ends))
            except grpc.aio.AioRpcError as error:
                failure = to_exception(error, target=self.target, method=name)
                failures += 1
                delay = self.retry.delay_seconds(failures, failure)
                if delay is None:
                    raise failure from error
                await asyncio.sleep(delay)
            finally:
                stream.cancel()
