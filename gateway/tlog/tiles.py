"""The log as static resources: checkpoint, tiles and entry bundles, so that public tools can follow it.

What is served never goes beyond the newest checkpoint, so every answer but the checkpoint itself is for ever.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.core.errors import GatewayError
from gateway.core.log.note import parse_note, parse_signature_line
from gateway.core.log.tile_path import TilePath, TilePathError, parse_tile_path
from gateway.core.port.seal import StoredCheckpoint

IMMUTABLE: Final = "public, max-age=31536000, immutable"
MUTABLE: Final = "public, max-age=1"


class Tiles(Protocol):
    """Where tiles come from."""

    async def tile(self, path: TilePath) -> bytes | None:
        """Hashes, or None."""

    async def entries(self, path: TilePath) -> bytes | None:
        """An entry bundle, or None."""


class Heads(Protocol):
    """Where checkpoints come from."""

    async def latest(self) -> StoredCheckpoint | None:
        """The newest checkpoint."""

    async def cosignatures(self, size: int, witnesses: Sequence[str]) -> list[str]:
        """Its cosignatures."""


def tile_app(tiles: Tiles, heads: Heads, *, has_entries: bool) -> Starlette:
    """Build the application.

    Args:
        tiles: where tiles come from.
        heads: where checkpoints come from.
        has_entries: whether leaves are served; they name agencies, handoffs and pseudonyms of cases, never a person.

    Returns:
        the ASGI application.
    """

    async def checkpoint(request: Request) -> Response:
        latest = await heads.latest()
        if latest is None:
            return _absent()
        lines = await heads.cosignatures(latest.size, ())
        note = parse_note(latest.note).with_signatures([parse_signature_line(line.rstrip("\n")) for line in lines])
        return Response(note.to_bytes(), media_type="text/plain; charset=utf-8", headers={"Cache-Control": MUTABLE})

    async def tile(request: Request) -> Response:
        try:
            # The path as it was sent: an escaped spelling of it would be a second name of the same tile.
            path = parse_tile_path(request.scope["raw_path"].decode("ascii", "replace").removeprefix("/"))
        except TilePathError:
            return _absent()
        latest = await heads.latest()
        if latest is None or not path.is_in(latest.size) or (path.level is None and not has_entries):
            return _absent()
        data = await (tiles.entries(path) if path.level is None else tiles.tile(path))
        if data is None:
            return _absent()
        return Response(data, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})

    return Starlette(
        routes=[Route("/checkpoint", checkpoint), Route("/tile/{rest:path}", tile)],
        middleware=[Middleware(GZipMiddleware, minimum_size=1024)],
        exception_handlers={GatewayError: _unavailable},
    )


def _absent() -> Response:
    return PlainTextResponse("not found\n", 404, headers={"Cache-Control": "no-store"})


async def _unavailable(request: Request, error: Exception) -> Response:
    return PlainTextResponse("the ledger cannot be reached\n", 503, headers={"Retry-After": "1"})
