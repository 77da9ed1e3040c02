"""The leaf: what is written comes back, and always fits."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.entry import MAX_LEAF_BYTES, Entry, EntryKind, HandoffState, from_leaf, leaf_hash, to_leaf
from gateway.core.errors import ErrorCode
from gateway.core.procedure.lifecycle import Assessment, CaseState, Stage

HEX64 = st.text("0123456789abcdef", min_size=64, max_size=64)
HEX32 = st.text("0123456789abcdef", min_size=32, max_size=32)
COUNT = st.integers(0, 2**63 - 1)
AGENCY = st.from_regex(r"(ps|pr|ct|ja|ov):[0-9]{6}", fullmatch=True)
INSTANT = st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
STATE = st.builds(
    CaseState,
    stage=st.sampled_from(Stage),
    holder=st.just("") | AGENCY,
    returns=COUNT,
    assessment=st.sampled_from(Assessment),
    moved_at=COUNT,
)
NAME = st.text(st.characters(codec="utf-8"), max_size=64)
ENTRY = st.builds(
    Entry,
    index=COUNT,
    origin=NAME.filter(bool),
    kind=st.sampled_from(EntryKind),
    recorded_at=INSTANT,
    actor=AGENCY,
    act_id=st.uuids().map(str),
    content_sha256=HEX64,
    salt=st.binary(min_size=32, max_size=32),
    case=st.just("") | HEX32,
    case_sequence=COUNT,
    case_previous=st.just("") | HEX64,
    case_state=st.none() | STATE,
    transitions=st.lists(st.from_regex(r"T[0-9]{2}", fullmatch=True), max_size=4).map(tuple),
    handoff=st.just("") | st.uuids().map(str),
    handoff_kind=st.just("") | st.just("ASSESSMENT_REQUEST"),
    handoff_state=st.none() | st.sampled_from(HandoffState),
    sender=st.just("") | AGENCY,
    receiver=st.just("") | AGENCY,
    pair_number=COUNT,
    consumer=st.just("") | HEX32,
    lease_until=st.none() | INSTANT,
    bundle_sha256=st.just("") | HEX64,
    bundle_sm3=st.just("") | HEX64,
    signer_key=st.just("") | HEX64,
    rule_set=NAME,
    rule_result=st.sampled_from(["", "ELIGIBLE", "INELIGIBLE", "UNKNOWN", "NOT_EVALUATED"]),
    mapping_version=st.just("") | st.just("police-1.0.0/court-1.0.0"),
    rendition_sha256=st.just("") | HEX64,
    report_sha256=st.just("") | HEX64,
    detail_sha256=st.just("") | HEX64,
    facts_sha256=st.just("") | HEX64,
    clock=st.just("") | st.just("K22"),
    step=st.just("") | st.just("NOTICE"),
    person=st.just("") | HEX32,
    level=st.sampled_from(["", "50%", "T-7d", "breach"]),
    due=st.sampled_from(["", "2026-02-15", "2026-02-15T09:30:00+08:00"]),
    notified=st.lists(AGENCY, max_size=3).map(tuple),
    method=st.just("") | st.just("ExchangeService/WatchInbox"),
    refusal_codes=st.lists(st.sampled_from([int(code) for code in ErrorCode]), unique=True).map(tuple),
)


@settings(deadline=None)
@given(ENTRY)
def test_leaf_any_entry_comes_back_the_same(entry: Entry) -> None:
    """What is written as a leaf is read back field by field, and written again gives the same bytes."""
    leaf = to_leaf(entry)
    assert from_leaf(leaf) == entry
    assert to_leaf(from_leaf(leaf)) == leaf


@settings(deadline=None)
@given(ENTRY)
def test_leaf_any_entry_fits_and_is_canonical(entry: Entry) -> None:
    """A leaf is ASCII, sorted, without white space, and never over its limit, whatever the fields."""
    leaf = to_leaf(entry)
    assert len(leaf) <= MAX_LEAF_BYTES
    assert leaf.isascii()
    assert json.dumps(json.loads(leaf), sort_keys=True, separators=(",", ":")).encode() == leaf
    assert leaf_hash(leaf) == sha256(b"\x00" + leaf).digest()


def test_leaf_empty_fields_are_left_out() -> None:
    """A leaf names only what its kind has, and always its index, even the first."""
    entry = Entry(
        index=0,
        origin="log.example",
        kind=EntryKind.CALL_REFUSED,
        recorded_at=datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
        actor="ps:999001",
        act_id="00000000-0000-4000-8000-000000000001",
        content_sha256="0" * 64,
        salt=b"\x01" * 32,
        refusal_codes=(1101, 1203),
    )
    leaf = json.loads(to_leaf(entry))
    assert leaf["index"] == 0
    assert leaf["recorded_at"] == "2026-01-02T03:04:05.678Z"
    assert leaf["refusal_codes"] == [1101, 1203]
    assert "handoff" not in leaf and "case" not in leaf


def test_leaf_salt_alone_changes_the_hash() -> None:
    """Two equal entries with different salt have different hashes, so nobody can test a guess against a hash."""
    fields = {
        "index": 1,
        "origin": "o",
        "kind": EntryKind.VIEWED,
        "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
        "actor": "pr:999001",
        "act_id": "a",
        "content_sha256": "b",
    }
    one, other = (Entry(**fields, salt=bytes([place]) * 32) for place in (1, 2))  # type: ignore[arg-type]
    assert leaf_hash(to_leaf(one)) != leaf_hash(to_leaf(other))
