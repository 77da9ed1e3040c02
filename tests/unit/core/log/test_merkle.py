"""The Merkle tree against the known vectors of RFC 6962 logs, against pymerkle, and against forged proofs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree  # type: ignore[import-untyped]

from gateway.core.entry import leaf_hash
from gateway.core.log.merkle import (
    EMPTY_ROOT,
    TILE_WIDTH,
    Frontier,
    Node,
    ProofError,
    consistency_nodes,
    inclusion_nodes,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root_nodes,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from gateway.core.log.merkle_tile import Tile, TileEdge, edge_widths, node_of_tile, tile_of

# Inputs and outputs of the reference implementation of Certificate Transparency (merkle tree tests).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def reader(hashes: list[bytes]) -> Callable[[Node], bytes]:
    """Compute any complete subtree from the leaf hashes alone, the slow and obvious way."""

    @cache
    def read(node: Node) -> bytes:
        if node.level == 0:
            return hashes[node.place]
        return node_hash(read(Node(node.level - 1, 2 * node.place)), read(Node(node.level - 1, 2 * node.place + 1)))

    return read


def known(size: int) -> tuple[list[bytes], Callable[[Node], bytes], bytes]:
    """Leaf hashes of the known tree, its nodes, its root."""
    hashes = [leaf_hash(data) for data in INPUTS[:size]]
    return hashes, reader(hashes), bytes.fromhex(ROOTS[size])


@pytest.mark.parametrize("size", range(9))
def test_root_known_inputs_equals_reference(size: int) -> None:
    """Frontier and node-wise root give the roots of the reference implementation."""
    hashes, read, root = known(size)
    frontier = Frontier()
    for digest in hashes:
        frontier.append(digest)
    assert frontier.root() == root
    assert root_of(size, read) == root


@pytest.mark.parametrize(("place", "path"), INCLUSION.items())
def test_inclusion_known_tree_equals_reference(place: tuple[int, int], path: list[str]) -> None:
    """Audit paths are those of the reference implementation, and verify."""
    index, size = place
    hashes, read, root = known(size)
    proof = prove_inclusion(index, size, read)
    assert [digest.hex() for digest in proof] == path
    verify_inclusion(hashes[index], index, size, proof, root)


@pytest.mark.parametrize(("sizes", "path"), CONSISTENCY.items())
def test_consistency_known_tree_equals_reference(sizes: tuple[int, int], path: list[str]) -> None:
    """Consistency proofs are those of the reference implementation, and verify."""
    first, second = sizes
    _, read, root = known(second)
    proof = prove_consistency(first, second, read)
    assert [digest.hex() for digest in proof] == path
    verify_consistency(first, second, bytes.fromhex(ROOTS[first]), root, proof)


@settings(deadline=None)
@given(data=st.data(), size=st.integers(1, 300))
def test_proofs_random_trees_agree_with_pymerkle(data: st.DataObject, size: int) -> None:
    """Roots and audit paths of random trees are those of pymerkle; consistency is proved between its roots."""
    leaves = [data.draw(st.binary(max_size=3)) + place.to_bytes(2, "big") for place in range(min(size, 12))]
    leaves += [place.to_bytes(2, "big") for place in range(len(leaves), size)]
    peer = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        peer.append_entry(leaf)
    read = reader([leaf_hash(leaf) for leaf in leaves])
    root = root_of(size, read)
    assert root == peer.get_root(size)
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(index, size, read)
    # pymerkle's path begins with the leaf hash itself.
    path = [bytes.fromhex(text) for text in peer.prove_inclusion(index + 1, size).serialize()["path"]]
    assert sorted(path) == sorted([leaf_hash(leaves[index]), *proof])
    verify_inclusion(leaf_hash(leaves[index]), index, size, proof, root)
    first = data.draw(st.integers(1, size))
    verify_consistency(first, size, peer.get_root(first), peer.get_root(size), prove_consistency(first, size, read))


@settings(deadline=None)
@given(size=st.integers(1, 200), data=st.data())
def test_inclusion_any_change_is_refused(size: int, data: st.DataObject) -> None:
    """A proof for another leaf, place, size or root, or with a hash changed, lost or added, proves nothing."""
    hashes = [leaf_hash(bytes([place])) for place in range(size)]
    read, index = reader(hashes), data.draw(st.integers(0, size - 1))
    proof, root = prove_inclusion(index, size, read), root_of(size, read)
    wrong = leaf_hash(b"wrong")
    forged = [
        (wrong, index, size, proof, root),
        (hashes[index], index, size, proof, wrong),
        (hashes[index], index, size, [*proof, wrong], root),
        (hashes[index], size, size, proof, root),
        (hashes[index], -1, size, proof, root),
        (hashes[index][:-1], index, size, proof, root),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        forged += [
            (hashes[index], index, size, [*proof[:at], wrong, *proof[at + 1 :]], root),
            (hashes[index], index, size, proof[:-1], root),
            (hashes[index], index ^ 1, size, proof, root),
            (hashes[index], index, size, [*proof[:at], proof[at] + b"x", *proof[at + 1 :]], root),
        ]
    for case in forged:
        with pytest.raises(ProofError):
            verify_inclusion(*case)


@settings(deadline=None)
@given(second=st.integers(1, 200), data=st.data())
def test_consistency_any_change_is_refused(second: int, data: st.DataObject) -> None:
    """A consistency proof with another size, root or hash proves nothing."""
    read = reader([leaf_hash(bytes([place])) for place in range(second)])
    first = data.draw(st.integers(0, second))
    old, new, proof = root_of(first, read), root_of(second, read), prove_consistency(first, second, read)
    wrong = leaf_hash(b"wrong")
    verify_consistency(first, second, old, new, proof)
    forged = [(first, second, wrong, new, proof), (second + 1, second, old, new, proof), (-1, second, old, new, proof)]
    forged.append((first, second, old, new, [*proof, wrong]))
    if first:
        forged.append((first, second, old, wrong, proof))
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        forged.append((first, second, old, new, [*proof[:at], wrong, *proof[at + 1 :]]))
        forged.append((first, second, old, new, proof[:-1]))
    for case in forged:
        with pytest.raises(ProofError):
            verify_consistency(*case)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, TILE_WIDTH * TILE_WIDTH + 300])
def test_tiles_any_size_hold_every_node(size: int) -> None:
    """Full tiles and the edge together give every node that root and proofs need."""
    edge, frontier, tiles = TileEdge(), Frontier(), {}
    for place in range(size):
        digest = leaf_hash(place.to_bytes(4, "big"))
        frontier.append(digest)
        for full in edge.append(digest):
            tiles[full.tile] = full.data
            assert node_of_tile(Node(7, 2 * full.tile.place), full.data) if full.tile.level == 0 else True
    assert [len(row) for row in edge.rows] == edge_widths(size)
    for level, row in enumerate(edge.rows):
        tiles[Tile(level, size >> 8 * (level + 1))] = b"".join(row)

    def read(node: Node) -> bytes:
        return node_of_tile(node, tiles[tile_of(node)])

    assert root_of(size, read) == frontier.root()
    for index in {0, size // 2, size - 1}:
        proof = prove_inclusion(index, size, read)
        verify_inclusion(leaf_hash(index.to_bytes(4, "big")), index, size, proof, frontier.root())
        assert len(inclusion_nodes(index, size)) < 64
    first = max(1, size // 3)
    verify_consistency(first, size, root_of(first, read), frontier.root(), prove_consistency(first, size, read))
    assert len(consistency_nodes(first, size)) + len(root_nodes(size)) < 64


def test_frontier_bytes_come_back_the_same() -> None:
    """A frontier survives being stored, and one of another size is refused."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for place in range(21):
        frontier.append(leaf_hash(bytes([place])))
    again = Frontier.from_bytes(21, frontier.to_bytes())
    assert (again.size, again.root()) == (21, frontier.root())
    with pytest.raises(ProofError):
        Frontier.from_bytes(22 + 1, frontier.to_bytes()[:-1])
    with pytest.raises(ProofError):
        Frontier(4, frontier.hashes)
    with pytest.raises(ProofError):
        TileEdge(3, [[EMPTY_ROOT]])
    with pytest.raises(ProofError):
        node_of_tile(Node(0, 3), EMPTY_ROOT)
