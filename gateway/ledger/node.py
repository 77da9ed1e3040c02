"""Nodes of the Merkle tree, read from tiles and remembered: a subtree that is full never changes again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from gateway.core.log.merkle import TILE_LEVELS, TILE_WIDTH, Node
from gateway.core.log.merkle_tile import Tile, node_of_tile, tile_of

MAX_KNOWN: Final = 65_536
"""About 10 MB; the upper nodes of a tree of ten million leaves, which every proof needs, and many lower ones."""


class Nodes:
    """Reads nodes for proofs, all that are not known in one round trip.

    Args:
        fetch: runs ``read.sql`` by name.
        most: how many are remembered; those that were not asked for the longest go first.
    """

    def __init__(self, fetch: Callable[..., Awaitable[list[Any]]], most: int = MAX_KNOWN) -> None:
        self._fetch = fetch
        self._most = most
        self._known: dict[Node, bytes] = {}

    async def read(self, nodes: Sequence[Node], size: int) -> dict[Node, bytes]:
        """Read nodes.

        Args:
            nodes: of full subtrees.
            size: of a tree that has them.

        Returns:
            their hashes, 32 bytes each.

        Raises:
            ProofError: the ledger does not hold one.
            GatewayError: LEDGER_UNAVAILABLE.
        """
        found = {node: self._known[node] for node in nodes if node in self._known}
        missing = [node for node in nodes if node not in found]
        if missing:
            data = await self._tiles(list(dict.fromkeys(tile_of(node) for node in missing)), size)
            found.update((node, node_of_tile(node, data[tile_of(node)])) for node in missing)
        for node, digest in found.items():
            # What was asked for last stands last.
            self._known.pop(node, None)
            self._known[node] = digest
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return found

    def forget(self) -> None:
        """Forget everything: the ledger is not the one that was read."""
        self._known.clear()

    async def _tiles(self, tiles: Sequence[Tile], size: int) -> dict[Tile, bytes]:
        starts = [tile.place * TILE_WIDTH for tile in tiles]
        stops = [
            min(start + TILE_WIDTH, size >> TILE_LEVELS * tile.level) for tile, start in zip(tiles, starts, strict=True)
        ]
        rows = await self._fetch("tiles", [tile.level for tile in tiles], [tile.place for tile in tiles], starts, stops)
        return {Tile(level, place): data or b"" for level, place, data in rows}
