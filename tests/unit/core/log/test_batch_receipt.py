"""Receipts of a batch: the small tree is that of RFC 6962, and a receipt has one spelling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.entry import leaf_hash
from gateway.core.log.batch_receipt import (
    MAX_PATH,
    BatchTree,
    join_receipt,
    parse_receipt,
    receipt_of,
    to_claims,
    verify_place,
)
from gateway.core.log.merkle import Frontier, ProofError

HASHES = [leaf_hash(bytes([at])) for at in range(256)]


@pytest.mark.parametrize("size", [*range(1, 34), 100, 255, 256])
def test_batch_tree_of_any_size_is_the_tree_of_rfc_6962(size: int) -> None:
    """Its root is that of the ledger's own tree over the same leaves, and every path leads there."""
    tree, frontier = BatchTree(HASHES[:size]), Frontier()
    for item in HASHES[:size]:
        frontier.append(item)
    assert tree.root == frontier.root()
    for place in range(size):
        verify_place(
            HASHES[place], 7 + place, tree.path(place), first_index=7, tree_size=7 + size, batch_root=tree.root
        )


@given(st.integers(1, 256), st.data())
def test_receipt_made_again_from_what_is_stored_is_the_same_text(size: int, data: st.DataObject) -> None:
    """A replay gives the first receipt, letter by letter, and an index outside of the batch gives none."""
    place = data.draw(st.integers(0, size - 1))
    first = join_receipt("h.p.s", BatchTree(HASHES[:size]).path(place))
    stored = b"".join(HASHES[:size])
    assert receipt_of("h.p.s", 40, stored, 40 + place) == first
    assert receipt_of("h.p.s", 40, stored, 39) == receipt_of("h.p.s", 40, stored, 40 + size) == ""
    assert parse_receipt(first) == ("h.p.s", BatchTree(HASHES[:size]).path(place))


@pytest.mark.parametrize(
    "text", ["h.p.s", "h.p.s~A", "h.p.s~" + "A" * 42, "h.p.s~" + "A" * 42 + "B", "h.p.s~*", "h~s~"]
)
def test_receipt_in_another_form_is_refused(text: str) -> None:
    """No path, half a hash, leftover bits, other letters: none of it is a receipt."""
    with pytest.raises(ProofError):
        parse_receipt(text)


def test_receipt_with_a_path_of_any_length_is_bounded() -> None:
    """Nobody is kept busy by a path without end."""
    assert len(parse_receipt(join_receipt("h.p.s", HASHES[:MAX_PATH]))[1]) == MAX_PATH
    with pytest.raises(ProofError):
        parse_receipt(join_receipt("h.p.s", HASHES[: MAX_PATH + 1]))


def test_claims_name_the_batch_by_first_index_and_tree_size() -> None:
    """What is signed says which indices it is for, and the time as a leaf has it."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    assert to_claims("log", 4, 7, batch_root=b"\x01" * 32, root=b"\x02" * 32, recorded_at=at) == {
        "origin": "log",
        "first_index": 4,
        "tree_size": 7,
        "batch_root": "01" * 32,
        "root_hash": "02" * 32,
        "recorded_at": "2026-03-02T00:00:00.000Z",
    }
