"""The Merkle tree of RFC 6962: hashes, right edge, tiles, and proofs made and checked.

A node is named by its level (0 is a leaf hash) and its place in that level; only complete subtrees have a name. What is
cut off at the right edge is folded from complete ones, so that everything can be proved from stored tiles of 256
hashes.

Source: RFC 6962 section 2.1, RFC 9162 section 2.1; tiles as in C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

HASH_BYTES: Final = 32
TILE_LEVELS: Final = 8
TILE_WIDTH: Final = 1 << TILE_LEVELS
EMPTY_ROOT: Final = sha256(b"").digest()


class ProofError(ValueError):
    """A proof that does not prove what it should, or a question for which no proof can exist."""


class Node(NamedTuple):
    """Name of a complete subtree: ``level`` 0 is a leaf hash, ``place`` counts from the left in that level."""

    level: int
    place: int


ReadNode = Callable[[Node], bytes]
"""Gives the 32 bytes of a complete subtree."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent.

    Args:
        left: 32 bytes.
        right: 32 bytes.

    Returns:
        32 bytes, SHA-256 over 0x01 and both (RFC 6962, section 2.1).
    """
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash neighbouring nodes of one level up to the root of their subtree.

    Args:
        hashes: 32 bytes each; their number is a power of two.

    Returns:
        32 bytes.
    """
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def _join(hashes: Sequence[bytes]) -> bytes:
    """Hash complete subtrees of falling size, left to right, into the root above them."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


class Frontier:
    """The right edge of a growing tree: the roots of its largest complete subtrees, left to right.

    Args:
        size: number of leaves.
        hashes: 32 bytes each, one for every bit set in the size, highest first.

    Raises:
        ProofError: the number of hashes does not belong to the size.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if size < 0 or len(self.hashes) != size.bit_count() or any(len(h) != HASH_BYTES for h in self.hashes):
            raise ProofError("the hashes of a frontier do not belong to its size")

    def append(self, leaf_hash: bytes) -> None:
        """Add a leaf.

        Args:
            leaf_hash: 32 bytes.
        """
        size, top = self.size, leaf_hash
        while size & 1:
            top = node_hash(self.hashes.pop(), top)
            size >>= 1
        self.hashes.append(top)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree, 32 bytes."""
        return _join(self.hashes) if self.hashes else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        """The hashes one after the other; ``from_bytes`` reads them back."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read back what ``to_bytes`` wrote.

        Args:
            size: number of leaves.
            data: 32 bytes for every bit set in the size.

        Returns:
            the frontier.

        Raises:
            ProofError: the length does not belong to the size.
        """
        if len(data) != HASH_BYTES * size.bit_count():
            raise ProofError("the hashes of a frontier do not belong to its size")
        return cls(size, to_hashes(data))


def to_hashes(data: bytes) -> list[bytes]:
    """Cut concatenated hashes into pieces of 32 bytes."""
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]


class _Range(NamedTuple):
    start: int
    end: int


def _split(width: int) -> int:
    """Largest power of two below the width (RFC 6962, section 2.1: k < n <= 2k)."""
    return 1 << (width - 1).bit_length() - 1


def _nodes(span: _Range) -> list[Node]:
    """The complete subtrees of a range that begins at a border of the tree."""
    nodes, start = [], span.start
    for level in reversed(range((span.end - span.start).bit_length())):
        if (span.end - span.start) >> level & 1:
            nodes.append(Node(level, start >> level))
            start += 1 << level
    return nodes


def _inclusion_path(index: int, size: int) -> list[_Range]:
    if not 0 <= index < size:
        raise ProofError("the tree has no such leaf")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_Range(middle, end))
            end = middle
        else:
            path.append(_Range(start, middle))
            start = middle
    return path[::-1]


def _consistency_path(first: int, second: int) -> list[_Range]:
    if not 0 <= first <= second:
        raise ProofError("the earlier tree is larger than the later")
    if first in (0, second):
        return []
    path, start, end, is_whole = [], 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_Range(middle, end))
            end = middle
        else:
            path.append(_Range(start, middle))
            start, is_whole = middle, False
    if not is_whole:
        path.append(_Range(start, end))
    return path[::-1]


def root_nodes(size: int) -> list[Node]:
    """Name the nodes that ``root_of`` reads."""
    return _nodes(_Range(0, size))


def root_of(size: int, read: ReadNode) -> bytes:
    """Compute the root of a tree.

    Args:
        size: number of leaves.
        read: gives a node.

    Returns:
        32 bytes.
    """
    return _join([read(node) for node in root_nodes(size)]) if size else EMPTY_ROOT


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """Name the nodes that ``prove_inclusion`` reads."""
    return [node for span in _inclusion_path(index, size) for node in _nodes(span)]


def prove_inclusion(index: int, size: int, read: ReadNode) -> list[bytes]:
    """Make the audit path of a leaf.

    Args:
        index: place of the leaf, from 0.
        size: number of leaves of the tree.
        read: gives a node.

    Returns:
        hashes of 32 bytes, from the leaf upwards.

    Raises:
        ProofError: the tree has no such leaf.

    Source: RFC 6962, section 2.1.1.
    """
    return [_join([read(node) for node in _nodes(span)]) for span in _inclusion_path(index, size)]


def consistency_nodes(first: int, second: int) -> list[Node]:
    """Name the nodes that ``prove_consistency`` reads."""
    return [node for span in _consistency_path(first, second) for node in _nodes(span)]


def prove_consistency(first: int, second: int, read: ReadNode) -> list[bytes]:
    """Prove that the later tree begins with the earlier one.

    Args:
        first: size of the earlier tree.
        second: size of the later tree.
        read: gives a node.

    Returns:
        hashes of 32 bytes; none when the earlier tree is empty or both are the same.

    Raises:
        ProofError: the earlier tree is larger than the later.

    Source: RFC 6962, section 2.1.2.
    """
    return [_join([read(node) for node in _nodes(span)]) for span in _consistency_path(first, second)]


def _require(*, is_met: bool, reason: str) -> None:
    if not is_met:
        raise ProofError(reason)


def _require_hashes(hashes: Sequence[bytes], expected: int) -> None:
    _require(is_met=len(hashes) == expected, reason="the proof has the wrong number of hashes")
    _require(is_met=all(len(h) == HASH_BYTES for h in hashes), reason="a hash of the proof has the wrong length")


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in a tree.

    Args:
        leaf_hash: 32 bytes.
        index: place of the leaf, from 0.
        size: number of leaves of the tree.
        proof: hashes of 32 bytes, from the leaf upwards.
        root: root of the tree, 32 bytes.

    Raises:
        ProofError: the proof does not lead from the leaf to the root.

    Source: RFC 9162, section 2.1.3.2.
    """
    path = _inclusion_path(index, size)
    _require_hashes(proof, len(path))
    _require_hashes((leaf_hash, root), 2)
    computed = leaf_hash
    for span, sibling in zip(path, proof, strict=True):
        computed = node_hash(sibling, computed) if span.start < index else node_hash(computed, sibling)
    _require(is_met=computed == root, reason="the proof does not lead to the root")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a later tree begins with an earlier one.

    Args:
        first: size of the earlier tree.
        second: size of the later tree.
        first_root: root of the earlier tree, 32 bytes.
        second_root: root of the later tree, 32 bytes.
        proof: hashes of 32 bytes.

    Raises:
        ProofError: the proof does not lead to both roots.

    Source: RFC 9162, section 2.1.4.2.
    """
    path = _consistency_path(first, second)
    _require_hashes(proof, len(path))
    _require_hashes((first_root, second_root), 2)
    if first == 0:
        _require(is_met=first_root == EMPTY_ROOT, reason="the root of the empty tree is wrong")
        _require(is_met=second > 0 or second_root == EMPTY_ROOT, reason="the root of the empty tree is wrong")
        return
    if first == second:
        _require(is_met=first_root == second_root, reason="two roots for one size")
        return
    # When the earlier tree is one complete subtree its own root starts both paths (the proof leaves it out).
    is_whole = path[0].start >= first
    left, both = _fold_path(first, path, [first_root, *proof] if is_whole else proof)
    _require(is_met=left == first_root, reason="the proof does not lead to the earlier root")
    _require(is_met=both == second_root, reason="the proof does not lead to the later root")


def _fold_path(first: int, path: Sequence[_Range], hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Roots of the earlier and of the later tree, from the subtree that both have and the hashes beside it."""
    left = both = hashes[0]
    for span, sibling in zip(path[len(path) + 1 - len(hashes) :], hashes[1:], strict=True):
        if span.start >= first:
            both = node_hash(both, sibling)
        else:
            left, both = node_hash(sibling, left), node_hash(sibling, both)
    return left, both


def _prefix_count(first: int, path: Sequence[_Range]) -> int:
    """How many hashes ``prove_prefix`` gives: the subtree that both trees have, and those beside the way."""
    return len(path) + (path[0].start >= first)


def prove_prefix(first: int, second: int, read: ReadNode) -> list[bytes]:
    """Give the hashes that lead to the root of a tree, and to the root that its first leaves have.

    Args:
        first: number of first leaves, at least 1.
        second: size of the tree, larger than first.
        read: gives a node of the tree.

    Returns:
        hashes of 32 bytes: those of the consistency proof, and before them the root of the first leaves when these are
        one complete subtree.

    Raises:
        ProofError: 0 < first < second is not kept.
    """
    path = _consistency_path(first, second)
    _require(is_met=bool(path), reason="the first leaves are none, or all")
    hashes = prove_consistency(first, second, read)
    return [root_of(first, read), *hashes] if _prefix_count(first, path) > len(path) else hashes


def prefix_root(first: int, second: int, hashes: Sequence[bytes], second_root: bytes) -> bytes:
    """Compute the root that the first leaves of a tree have, from hashes that lead to the root of the tree.

    Whoever gives other hashes than those of the tree cannot reach its root, so what comes out is a fact about the tree
    and not a claim of who gave them.

    Args:
        first: number of first leaves, at least 1.
        second: size of the tree, larger than first.
        hashes: of ``prove_prefix``.
        second_root: root of the tree, 32 bytes.

    Returns:
        32 bytes.

    Raises:
        ProofError: they do not lead to the root of the tree.

    Source: RFC 9162, section 2.1.4.
    """
    path = _consistency_path(first, second)
    _require(is_met=bool(path), reason="the first leaves are none, or all")
    _require_hashes(hashes, _prefix_count(first, path))
    left, both = _fold_path(first, path, hashes)
    _require(is_met=both == second_root, reason="the hashes do not lead to the root")
    return left
