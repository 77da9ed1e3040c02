"""Evidence of a fork: what the key of the log proves to anybody, and what nobody can make against an honest log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.log.fork import MAX_FORK_BYTES, find_fork, to_fork_file, verify_fork
from gateway.core.log.merkle import Node, ProofError, prefix_root, prove_prefix
from gateway.core.log.note import NoteError
from tests.support.notes import MemoryLog

LOG, FORK = MemoryLog.of(23), MemoryLog.of(23, "fork")
KEY = LOG.key.verifier


def note(log: MemoryLog, size: int) -> bytes:
    """A signed checkpoint."""
    return log.checkpoint(size).to_bytes()


def unread(_: Node) -> bytes:
    """A tree that must not be looked at."""
    raise AssertionError


@pytest.mark.parametrize("second", range(2, 24))
def test_fork_of_every_pair_of_sizes_is_proved(second: int) -> None:
    """The smaller of one history against the larger of another; whole subtrees and ragged ones."""
    for first in range(1, second):
        evidence = find_fork(note(LOG, first), note(FORK, second), KEY, FORK.read)
        assert evidence is not None
        fork = verify_fork(evidence, KEY)
        assert (fork.smaller, fork.larger) == (LOG.head(first), FORK.head(second))
        assert fork.prefix_root == FORK.head(first).root
        assert find_fork(note(LOG, first), note(LOG, second), KEY, LOG.read) is None


def test_fork_of_one_size_needs_no_tree() -> None:
    """Two roots for one size are evidence by themselves; one root signed twice is none."""
    evidence = find_fork(note(LOG, 9), note(FORK, 9), KEY, unread)
    assert evidence is not None and verify_fork(evidence, KEY).prefix_root == FORK.head(9).root
    assert find_fork(note(LOG, 9), note(LOG, 9), KEY, unread) is None


def test_fork_of_trees_that_begin_alike_is_told_by_the_leaf_that_differs() -> None:
    """A fork of which only the last entries differ: where both have the same leaves there is no contradiction."""
    other = MemoryLog(leaves=[*LOG.leaves[:20], b"another", *LOG.leaves[21:]])
    assert find_fork(note(LOG, 20), note(other, 23), KEY, other.read) is None
    assert find_fork(note(LOG, 21), note(other, 23), KEY, other.read) is not None


def changed(**lies: Any) -> bytes:
    """Evidence of a true fork, with some lies."""
    evidence = to_fork_file(note(LOG, 9), note(FORK, 23), prove_prefix(9, 23, FORK.read))
    return json.dumps(json.loads(evidence) | lies).encode()


HASHES = json.loads(changed())["hashes"]
FALSE = {
    "honest, with its own hashes": to_fork_file(note(LOG, 9), note(LOG, 23), prove_prefix(9, 23, LOG.read)),
    "honest, with hashes of another tree": to_fork_file(note(LOG, 9), note(LOG, 23), prove_prefix(9, 23, FORK.read)),
    "honest, one head twice": to_fork_file(note(LOG, 9), note(LOG, 9)),
    "first hash replaced": changed(hashes=["A" * 43 + "=", *HASHES[1:]]),
    "truncated": changed(hashes=HASHES[:-1]),
    "over-long": changed(hashes=[*HASHES, HASHES[0]]),
    "thousands of hashes": changed(hashes=HASHES * 5_000),
    "turned": changed(hashes=HASHES[::-1]),
    "hash cut": changed(hashes=["AAAA", *HASHES[1:]]),
    "hash no text": changed(hashes=[1, *HASHES[1:]]),
    "no hashes": changed(hashes=[]),
    "hashes not asked for": to_fork_file(note(LOG, 9), note(FORK, 9), prove_prefix(9, 23, FORK.read)),
    "heads turned": changed(smaller=note(FORK, 23).decode(), larger=note(LOG, 9).decode()),
    "root replaced": changed(smaller=note(LOG, 9).decode().replace("\n9\n", "\n8\n")),
    "of a namesake": changed(smaller=MemoryLog.of(9, seed="namesake").checkpoint().to_bytes().decode()),
    "of another log": changed(smaller=MemoryLog.of(9, origin="other.invalid").checkpoint().to_bytes().decode()),
    "the empty tree": changed(smaller=note(LOG, 0).decode(), hashes=[]),
    "another format": changed(format="fasttrack-fork-v2"),
    "another field": changed(more=1),
    "too large": changed(format="x" * MAX_FORK_BYTES),
    "no JSON": b"{",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("lie", FALSE)
def test_evidence_that_was_tampered_with_proves_nothing(lie: str) -> None:
    """An honest log cannot be blamed, and a changed file says nothing about a log that did fork."""
    with pytest.raises(NoteError):
        verify_fork(FALSE[lie], KEY)


def test_comparison_with_nodes_of_another_tree_proves_nothing() -> None:
    """Nodes that do not lead to the signed root are neither evidence nor proof."""
    with pytest.raises(ProofError):
        find_fork(note(LOG, 9), note(LOG, 23), KEY, FORK.read)


@given(st.integers(2, 23).flatmap(lambda second: st.tuples(st.integers(1, second - 1), st.just(second))))
def test_prefix_root_of_a_tree_is_that_of_its_first_leaves(sizes: tuple[int, int]) -> None:
    """Whatever the sizes."""
    first, second = sizes
    hashes = prove_prefix(first, second, LOG.read)
    assert prefix_root(first, second, hashes, LOG.head(second).root) == LOG.head(first).root


@pytest.mark.parametrize(("first", "second"), [(0, 5), (5, 5), (6, 5), (0, 0), (-1, 5)])
def test_prefix_of_nothing_or_all_is_refused(first: int, second: int) -> None:
    """Only a true beginning has hashes of its own."""
    with pytest.raises(ProofError):
        prove_prefix(first, second, LOG.read)
    with pytest.raises(ProofError):
        prefix_root(first, second, [], bytes(32))
