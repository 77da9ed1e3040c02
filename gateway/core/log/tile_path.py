"""Names of tiles as paths: ``tile/<L>/<N>[.p/<W>]`` and ``tile/entries/<N>[.p/<W>]``.

Source: C2SP tlog-tiles, Merkle Tree and Log entries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.core.log.merkle import TILE_LEVELS, TILE_WIDTH

MAX_LEVEL: Final = 63
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<place>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)
_MAX_GROUPS: Final = 7
"""Groups of three digits in a place: more cannot belong to a tree of 2**63 leaves."""


class TilePathError(ValueError):
    """A path that names no tile."""


@dataclass(frozen=True, slots=True)
class TilePath:
    """One tile, or one bundle of entries.

    Args:
        level: 0 to 63; None for entries.
        place: from 0, counted within the level.
        width: hashes or entries in it, 1 to 256; below 256 it is a partial tile.
    """

    level: int | None
    place: int
    width: int = TILE_WIDTH

    def to_text(self) -> str:
        """The path, without a leading slash."""
        digits = str(self.place)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{place}" + (f".p/{self.width}" if self.width < TILE_WIDTH else "")

    def is_in(self, size: int) -> bool:
        """Whether a tree of so many leaves has all hashes of this tile."""
        return (self.place * TILE_WIDTH + self.width) << TILE_LEVELS * (self.level or 0) <= size


def parse_tile_path(text: str) -> TilePath:
    """Read a path.

    Args:
        text: without a leading slash.

    Returns:
        the tile.

    Raises:
        TilePathError: anything but the one spelling of a tile's path.
    """
    match = _PATH.fullmatch(text)
    if match is None:
        raise TilePathError("not the path of a tile")
    groups = match["place"].replace("x", "").split("/")
    level = None if match["level"] == "entries" else int(match["level"])
    width = int(match["width"] or TILE_WIDTH)
    has_leading_group = len(groups) > 1 and groups[0] == "000"
    if (
        len(groups) > _MAX_GROUPS
        or has_leading_group
        or (level or 0) > MAX_LEVEL
        or (match["width"] and width >= TILE_WIDTH)
    ):
        raise TilePathError("not the path of a tile")
    return TilePath(level, int("".join(groups)), width)


def tile_paths(size: int) -> list[TilePath]:
    """Name every tile of a tree, full and partial, lowest level first.

    Args:
        size: number of leaves.

    Returns:
        their paths; none for the empty tree.
    """
    paths, level = [], 0
    while size:
        full, rest = divmod(size, TILE_WIDTH)
        paths += [TilePath(level, place) for place in range(full)]
        if rest:
            paths.append(TilePath(level, full, rest))
        size, level = full, level + 1
    return paths
