"""The fast reading of leaves agrees with the slow one on every entry, and takes nothing that the slow one refuses."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit.leaf_form import FIELDS, parse_entry, parse_fields, parse_origin
from gateway.core.entry import Entry, EntryKind, HandoffState, from_leaf, to_leaf
from gateway.core.procedure.lifecycle import Assessment, CaseState, Stage

TEXT = st.text(max_size=20)
HEX = st.sampled_from(["", "a" * 64, "0123456789abcdef" * 4])
TIME = st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
STATE = st.builds(
    CaseState,
    st.sampled_from(Stage),
    st.sampled_from(["", "ps:999001"]),
    st.integers(0, 9),
    st.sampled_from(Assessment),
    st.integers(0, 10**6),
)
STRATEGIES: dict[str, st.SearchStrategy[Any]] = {
    "index": st.integers(0, 10**12),
    "origin": st.sampled_from(["a", "log.example/fasttrack"]),
    "kind": st.sampled_from(EntryKind),
    "recorded_at": TIME,
    "actor": st.sampled_from(["ps:999001", "gateway"]),
    "act_id": st.uuids().map(str),
    "content_sha256": st.just("c" * 64),
    "salt": st.binary(min_size=32, max_size=32),
    "case_sequence": st.integers(0, 10**6),
    "case_state": st.none() | STATE,
    "transitions": st.lists(st.sampled_from(["T04", "T05"])).map(tuple),
    "handoff_state": st.none() | st.sampled_from(HandoffState),
    "pair_number": st.integers(0, 10**6),
    "lease_until": st.none() | TIME,
    "notified": st.lists(st.sampled_from(["ps:999001", "pr:999001"])).map(tuple),
    "refusal_codes": st.lists(st.integers(1, 9999)).map(tuple),
}
ENTRIES = st.builds(Entry, **{item.name: STRATEGIES.get(item.name, HEX | TEXT) for item in fields(Entry)})
USUAL = st.builds(Entry, **{item.name: STRATEGIES.get(item.name, HEX) for item in fields(Entry)})


# Some forty fields take their time to be drawn on a busy machine; that says nothing of the leaf.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ENTRIES)
def test_leaf_read_fast_is_canonical(entry: Entry) -> None:
    """Whatever the fast way takes, the slow way takes too, with the same fields."""
    leaf = to_leaf(entry)
    assert parse_entry(leaf) == entry
    read = parse_fields(leaf)
    if read is not None:
        texts = {name: text for name, text in zip(FIELDS, read, strict=True) if text is not None}
        assert texts["index"] == str(entry.index) and texts["actor"] == entry.actor
        assert texts.get("rule_set", "") == entry.rule_set


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(USUAL)
def test_leaf_of_the_usual_form_is_read_fast(entry: Entry) -> None:
    """Leaves as the gateway writes them do not take the slow way, and no field is lost."""
    read = parse_fields(to_leaf(entry))
    assert read is not None
    assert {name for name, text in zip(FIELDS, read, strict=True) if text is not None} == {
        name for name in FIELDS if getattr(entry, name) or name == "index"
    }


@given(USUAL, st.data())
def test_leaf_changed_anywhere_is_canonical_or_refused(entry: Entry, data: st.DataObject) -> None:
    """A byte that is changed gives another canonical leaf, or none: never a second spelling of one entry."""
    leaf = bytearray(to_leaf(entry))
    leaf[data.draw(st.integers(0, len(leaf) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(leaf)
    if parse_fields(changed) is not None:
        try:
            assert to_leaf(from_leaf(changed)) == changed
        except ValueError:
            # An instant such as the 31st of February has the form; the replay refuses it.
            assert parse_entry(changed) is None


@pytest.mark.parametrize(
    "leaf",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"index":0}', b"{" * 100_000, b'{"salt":"","kind":"","recorded_at":1}'],
)
def test_leaf_that_is_none_is_refused(leaf: bytes) -> None:
    """Anything but a leaf is refused, without an error of another kind."""
    assert parse_fields(leaf) is None
    assert parse_entry(leaf) is None
    assert parse_origin(leaf) == ""


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(USUAL)
def test_leaf_spelled_otherwise_is_refused(entry: Entry) -> None:
    """White space, another order of keys, an empty field or a repeated one: each is a second spelling."""
    leaf = to_leaf(entry)
    for other in (leaf + b" ", b" " + leaf, leaf.replace(b":", b": ", 1), leaf[:-1] + b',"zzz":""}', leaf[:-1] + b",}"):
        assert parse_fields(other) is None and parse_entry(other) is None
