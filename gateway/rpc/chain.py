"""What every call passes, in this order, whatever its service; there is no other way in.

1. span and clock; 2. identity: the agency of the TLS certificate; 3. policy: default deny; 4. servicer; 5. a refusal
is recorded in the ledger before the caller hears of it; 6. whatever else goes wrong is INTERNAL with an id, its
detail stays in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import partial
from inspect import isawaitable
from typing import Any, Final
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status
from opentelemetry.trace import Span

from gateway.core.access.policy import WITHOUT_IDENTITY, authorize
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import Agency
from gateway.rpc.errors import STATUS_OF, to_status
from gateway.telemetry import Telemetry, log_event

_LOG: Final = logging.getLogger(__name__)
_SECURITY: Final = logging.getLogger("gateway.security")
_CALLER: Final[ContextVar[Agency]] = ContextVar("caller")
_CERTIFICATE: Final = "x509_pem_cert"
_MAX_DRAINED_BYTES: Final = 16 * 1024 * 1024
_DRAIN_SECONDS: Final = 2.0
"""How much of a refused stream is read, so that its sender is done sending when the refusal arrives."""

Refuse = Callable[[Agency, str, GatewayError], Awaitable[int]]
Identify = Callable[[bytes], Agency]
Context = grpc.aio.ServicerContext[Any, Any]


def caller_of_call() -> Agency:
    """The agency that makes the current call; only inside a servicer."""
    return _CALLER.get()


class Chain:
    """Wraps method handlers so that no call reaches a servicer unidentified or unauthorised.

    Args:
        telemetry: spans and metrics.
        identify: agency of a client certificate, PEM; raises CALLER_UNIDENTIFIED.
        record_refusal: writes a refusal to the ledger and gives the index of its entry.
    """

    def __init__(self, telemetry: Telemetry, identify: Identify, record_refusal: Refuse) -> None:
        self._telemetry = telemetry
        self._identify = identify
        self._record_refusal = record_refusal

    def wrap(self, method: str, handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
        """Wrap one handler.

        Args:
            method: service/name.
            handler: as the generated code made it.

        Returns:
            a handler of the same shape.
        """
        # The bytes are read inside the chain: who may not call costs no parsing; what is no message is refused there.
        codec = (None, handler.response_serializer)
        read = _Reader(handler)
        if handler.response_streaming:
            make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else (
                grpc.unary_stream_rpc_method_handler
            )  # fmt: skip
            behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream
            return make(self._stream(method, behaviour, read), *codec)
        make = grpc.stream_unary_rpc_method_handler if handler.request_streaming else (
            grpc.unary_unary_rpc_method_handler
        )  # fmt: skip
        behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary
        return make(self._unary(method, behaviour, read), *codec)

    def _unary(self, method: str, behaviour: Any, read: _Reader) -> Callable[[Any, Context], Awaitable[Any]]:
        async def call(request: Any, context: Context) -> Any:
            started = time.perf_counter()
            with self._telemetry.call(method, context.invocation_metadata() or ()) as span:
                caller = None
                try:
                    caller = self._admit(method, context)
                    answer = await behaviour(read(request), context)
                except Exception as error:
                    rest = partial(read.drain, request)
                    await self._fail(method, caller, error, context, span=span, started=started, drain=rest)
                    raise
                self._telemetry.end_call(
                    span, method, caller.role if caller else "", "OK", time.perf_counter() - started
                )
                return answer

        return call

    def _stream(self, method: str, behaviour: Any, read: _Reader) -> Callable[[Any, Context], AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            started = time.perf_counter()
            with self._telemetry.call(method, context.invocation_metadata() or ()) as span:
                caller = None
                try:
                    caller = self._admit(method, context)
                    answers = behaviour(read(request), context)
                    if isawaitable(answers):
                        await answers
                    else:
                        async for answer in answers:
                            yield answer
                except Exception as error:
                    rest = partial(read.drain, request)
                    await self._fail(method, caller, error, context, span=span, started=started, drain=rest)
                    raise
                self._telemetry.end_call(
                    span, method, caller.role if caller else "", "OK", time.perf_counter() - started
                )

        return call

    def _admit(self, method: str, context: Context) -> Agency | None:
        if method in WITHOUT_IDENTITY:
            return None
        certificates = context.auth_context().get(_CERTIFICATE) or [b""]
        caller = self._identify(bytes(next(iter(certificates))))
        _CALLER.set(caller)
        try:
            authorize(caller, method)
        except GatewayError as error:
            raise _UnauthorisedError(caller, error) from error
        return caller

    async def _fail(
        self,
        method: str,
        caller: Agency | None,
        error: Exception,
        context: Context,
        *,
        span: Span,
        started: float,
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        if isinstance(error, (grpc.aio.AbortError, grpc.RpcError, asyncio.CancelledError)):
            return
        if isinstance(error, _UnauthorisedError):
            caller, error = error.caller, error.refusal
        index: int | None = None
        if not isinstance(error, GatewayError):
            error = _internal(method, error)
        elif caller is None:
            log_event(_SECURITY, logging.WARNING, "caller without identity", method=method, code=error.code.name)
        elif error.is_recorded:
            try:
                index = await self._record_refusal(caller, method, error)
            except GatewayError as unrecorded:
                error = unrecorded
        self._telemetry.refused(method, error.code.name)
        self._telemetry.end_call(
            span, method, caller.role if caller else "", STATUS_OF[error.code].name, time.perf_counter() - started
        )
        if caller is not None:
            await drain()
        await context.abort_with_status(rpc_status.to_status(to_status(error, index)))


class _Reader:
    """Reads the messages of one method from their bytes."""

    def __init__(self, handler: grpc.RpcMethodHandler[Any, Any]) -> None:
        self._parse: Callable[[bytes], Any] = handler.request_deserializer or (lambda data: data)
        self._is_streaming = handler.request_streaming

    def __call__(self, request: Any) -> Any:
        """Read the request, or give the stream of requests that is read as it comes."""
        return self._stream(request) if self._is_streaming else self._one(request)

    def _one(self, data: bytes) -> Any:
        try:
            return self._parse(data)
        except DecodeError as error:
            raise refuse(ErrorCode.ARGUMENT_INVALID, message="the bytes are not a message of this method") from error

    async def _stream(self, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        async for data in requests:
            yield self._one(data)

    async def drain(self, request: Any) -> None:
        """Read what a refused caller still sends, within bounds, and throw it away.

        grpc clients lose the findings of a refusal that arrives while they send, and report INTERNAL instead.
        """
        if not self._is_streaming:
            return
        rest = _MAX_DRAINED_BYTES
        # A caller that stops sending, or never does, is answered all the same.
        with contextlib.suppress(TimeoutError, grpc.RpcError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for data in request:
                    rest -= len(data)
                    if rest <= 0:
                        return


class _UnauthorisedError(Exception):
    """A refusal of a caller whose identity is known although it was not admitted."""

    def __init__(self, caller: Agency, refusal: GatewayError) -> None:
        super().__init__(str(refusal))
        self.caller = caller
        self.refusal = refusal


def _internal(method: str, error: Exception) -> GatewayError:
    error_id = uuid4().hex
    log_event(_LOG, logging.ERROR, "unexpected error", exc_info=True, method=method, error_id=error_id)
    del error
    return GatewayError(Finding(ErrorCode.INTERNAL, message=f"unexpected; quote {error_id} to the operator"))


class HandlerCollector:
    """Stands in for a server while generated code registers its handlers, so that each can be wrapped first."""

    def __init__(self) -> None:
        self.handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """Ignore the generic form; the registered form names the methods."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Keep the handlers of a service."""
        for name, handler in handlers.items():
            self.handlers[f"{service}/{name}"] = handler


class ChainedHandlers(grpc.GenericRpcHandler):
    """All wrapped methods of a server.

    Args:
        chain: wraps them.
        handlers: by service/name.
    """

    def __init__(self, chain: Chain, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]) -> None:
        self._handlers = {f"/{method}": chain.wrap(method, handler) for method, handler in handlers.items()}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Find the wrapped handler of a call; None makes it UNIMPLEMENTED."""
        return self._handlers.get(handler_call_details.method)
