"""Tiles and bundles of entries as tlog-tiles serves them, from the oversight views."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from gateway.core.log.merkle import HASH_BYTES, TILE_WIDTH
from gateway.core.log.tile_path import TilePath
from gateway.ledger.connection import fetch
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("checkpoint")


class TileSource:
    """Reads tiles; only ask for what a signed tree has.

    Args:
        pool: asyncpg pool of the role ``fasttrack_oversight``.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def tile(self, path: TilePath) -> bytes | None:
        """Read hashes of the tree.

        Args:
            path: a tile, not a bundle of entries.

        Returns:
            32 bytes for each hash; None when they are not all there.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        level = path.level or 0
        rows = await fetch(self._pool, _SQL["tile"], level, path.place)
        if rows:
            data: bytes = rows[0]["data"][: path.width * HASH_BYTES]
            return data
        start = path.place * TILE_WIDTH
        if level == 0:
            found = await fetch(self._pool, _SQL["leaves"], start, start + path.width)
            hashes = [row["leaf_hash"] for row in found]
        else:
            found = await fetch(self._pool, _SQL["tile_roots"], level - 1, start, start + path.width)
            hashes = [row["root"] for row in found]
        return b"".join(hashes) if len(hashes) == path.width else None

    async def entries(self, path: TilePath) -> bytes | None:
        """Read a bundle of entries.

        Args:
            path: place and width.

        Returns:
            leaves, each after its length as two bytes, big-endian; None when they are not all there.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        start = path.place * TILE_WIDTH
        rows = await fetch(self._pool, _SQL["leaves"], start, start + path.width)
        if len(rows) < path.width:
            return None
        return b"".join(len(row["leaf"]).to_bytes(2, "big") + row["leaf"] for row in rows)
