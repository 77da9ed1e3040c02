"""Paths of tiles: the examples of the specification, and one spelling for each tile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.log.tile_path import TilePath, TilePathError, parse_tile_path, tile_paths


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/x001/x234/067", TilePath(0, 1234067)),
        ("tile/0/000", TilePath(0, 0)),
        ("tile/1/999", TilePath(1, 999)),
        ("tile/1/x001/000", TilePath(1, 1000)),
        ("tile/63/000.p/1", TilePath(63, 0, 1)),
        ("tile/0/273.p/112", TilePath(0, 273, 112)),
        ("tile/entries/x001/x234/067.p/255", TilePath(None, 1234067, 255)),
    ],
)
def test_path_names_its_tile(path: str, tile: TilePath) -> None:
    """The examples of C2SP tlog-tiles, both ways."""
    assert parse_tile_path(path) == tile
    assert tile.to_text() == path


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/01/000", "tile/64/000",
        "tile/-1/000", "tile/0/x000/001", "tile/0/x001", "tile/0/001/002", "tile/0/x001/x002/", "tile/0/000.p/0",
        "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/data/000", "/tile/0/000",
        "tile/0/000\n", "tile/0/\u0660\u0661\u0662", "tile/0/../000", "tile/0/" + "x999/" * 7 + "999",
    ],
)  # fmt: skip
def test_path_in_another_spelling_is_refused(path: str) -> None:
    """One tile has one path, so that it is cached once and nothing else can be asked for."""
    with pytest.raises(TilePathError):
        parse_tile_path(path)


@given(st.none() | st.integers(0, 63), st.integers(0, 10**21 - 1), st.integers(1, 256))
def test_path_of_any_tile_round_trips(level: int | None, place: int, width: int) -> None:
    """What is written is read back the same."""
    tile = TilePath(level, place, width)
    assert parse_tile_path(tile.to_text()) == tile


def test_tiles_of_a_tree_are_those_of_the_specification() -> None:
    """70,000 leaves: 273 full tiles and one of 112, one full and one of 17, one of 1."""
    paths = tile_paths(70_000)
    assert len(paths) == 273 + 1 + 1 + 1 + 1
    assert [path for path in paths if path.width < 256] == [
        TilePath(0, 273, 112),
        TilePath(1, 1, 17),
        TilePath(2, 0, 1),
    ]
    assert tile_paths(256) == [TilePath(0, 0), TilePath(1, 0, 1)]
    assert tile_paths(0) == []


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_536, 70_000])
def test_tile_is_in_exactly_the_trees_that_have_its_hashes(size: int) -> None:
    """What a tree has is served from it, and one hash more is not."""
    for path in tile_paths(size):
        assert path.is_in(size)
        assert path.width == 256 or not TilePath(path.level, path.place, path.width + 1).is_in(size)
    assert not TilePath(None, size // 256, 256).is_in(size)
