"""Tiles: rows of 256 hashes in which a tree is stored, and the edge of those that are not full yet.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.core.log.merkle import HASH_BYTES, TILE_LEVELS, TILE_WIDTH, Node, ProofError, fold, to_hashes


class Tile(NamedTuple):
    """Name of a tile: level 0 holds leaf hashes, level L the nodes of tree level 8 L; places count from the left."""

    level: int
    place: int


@dataclass(frozen=True, slots=True)
class FullTile:
    """A tile that will never change again.

    Args:
        tile: its name.
        data: 8,192 bytes, 256 hashes.
        root: the one hash above them, 32 bytes.
    """

    tile: Tile
    data: bytes
    root: bytes


class TileEdge:
    """The hashes that do not fill a tile yet, level by level.

    Args:
        size: number of leaves.
        rows: for each tile level, from 0, the hashes after its last full tile.

    Raises:
        ProofError: the number of hashes does not belong to the size.
    """

    __slots__ = ("rows", "size")

    def __init__(self, size: int = 0, rows: Iterable[Iterable[bytes]] = ()) -> None:
        self.size = size
        self.rows = [list(row) for row in rows]
        if [len(row) for row in self.rows] != edge_widths(size):
            raise ProofError("the hashes of a tile edge do not belong to its size")

    def append(self, leaf_hash: bytes) -> list[FullTile]:
        """Add a leaf.

        Args:
            leaf_hash: 32 bytes.

        Returns:
            tiles that it filled, lowest level first.
        """
        self.size += 1
        full: list[FullTile] = []
        top: bytes = leaf_hash
        for level in range(len(self.rows) + 1):
            if level == len(self.rows):
                self.rows.append([])
            row = self.rows[level]
            row.append(top)
            if len(row) < TILE_WIDTH:
                break
            top = fold(row)
            place = (self.size >> TILE_LEVELS * (level + 1)) - 1
            full.append(FullTile(Tile(level, place), b"".join(row), top))
            row.clear()
        return full


def edge_widths(size: int) -> list[int]:
    """How many hashes stand after the last full tile, for each tile level of a tree.

    Args:
        size: number of leaves.

    Returns:
        widths from 0 to 255, level 0 first; empty for the empty tree.
    """
    widths = []
    while size:
        widths.append(size % TILE_WIDTH)
        size >>= TILE_LEVELS
    return widths


def tile_of(node: Node) -> Tile:
    """Name the tile from which a node can be computed.

    Args:
        node: the node.

    Returns:
        the tile at the highest level that is not above the node.
    """
    level, above = divmod(node.level, TILE_LEVELS)
    return Tile(level, (node.place << above) >> TILE_LEVELS)


def node_of_tile(node: Node, data: bytes) -> bytes:
    """Compute a node from its tile.

    Args:
        node: the node.
        data: the tile of ``tile_of``, full or cut off at the right, 32 bytes a hash.

    Returns:
        32 bytes.

    Raises:
        ProofError: the tile does not reach that far.
    """
    above = node.level % TILE_LEVELS
    first = ((node.place << above) % TILE_WIDTH) * HASH_BYTES
    end = first + (HASH_BYTES << above)
    if len(data) < end:
        raise ProofError("the tile does not hold this node")
    return fold(to_hashes(data[first:end]))
