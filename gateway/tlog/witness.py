"""A witness over HTTP: add-checkpoint for logs that push, and the last cosigned checkpoint for monitors.

Source: C2SP tlog-witness.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.core.log.note import Signature
from gateway.core.log.witness import (
    MAX_BODY_BYTES,
    AddCheckpoint,
    WitnessFault,
    WitnessRefusedError,
    parse_add_checkpoint,
)
from gateway.core.port.seal import MemoryLostError


class Witness(Protocol):
    """What cosigns."""

    @property
    def latest(self) -> bytes:
        """The last checkpoint with its cosignature; empty for none."""

    async def add(self, request: AddCheckpoint) -> Signature:
        """Judge, remember, cosign."""


def witness_app(witness: Witness, origin: str) -> Starlette:
    """Build the application.

    Args:
        witness: what cosigns.
        origin: name of the log.

    Returns:
        the ASGI application.
    """
    origin_hash = sha256(origin.encode()).hexdigest()

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _refusal(WitnessRefusedError(WitnessFault.MALFORMED))
        try:
            signature = await witness.add(parse_add_checkpoint(bytes(body)))
        except WitnessRefusedError as refusal:
            return _refusal(refusal)
        except MemoryLostError:
            return PlainTextResponse("the witness cannot remember\n", 500)
        return PlainTextResponse(signature.to_line())

    async def checkpoint(request: Request) -> Response:
        if request.path_params["origin_hash"] != origin_hash or not witness.latest:
            return PlainTextResponse("not found\n", 404)
        return Response(witness.latest, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "max-age=1"})

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
        ]
    )


def _refusal(refusal: WitnessRefusedError) -> Response:
    if refusal.fault is WitnessFault.STALE:
        # As a header: a media type would get a charset added, and the specification names it bare.
        headers = {"Content-Type": "text/x.tlog.size"}
        return Response(f"{refusal.known_size}\n", int(refusal.fault), headers=headers)
    return PlainTextResponse(f"{refusal}\n", int(refusal.fault))
