"""When a key counts: the order of entries decides, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.core.command import Command
from gateway.core.entry import OWN_KINDS, Entry, EntryKind, from_leaf, to_leaf
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.handoff import CaseHead, Decided, Place, decide_act
from gateway.core.identity import GATEWAY, parse_agency
from gateway.core.log.key_history import (
    KeyHistory,
    KeyMarks,
    RevocationReason,
    Standing,
    judge_key,
    registration_id,
    revocation_id,
)
from gateway.core.log.registration import KeyFacts, register_adapter, register_key, register_rule_set, revoke_key

KEY = KeyFacts("a" * 64, "b" * 64, "ps:999001", "EdDSA", b"certificate")
RENEWED = KeyFacts("c" * 64, "b" * 64, "ps:999001", "EdDSA", b"another certificate")


def decide(command: Command, index: int, key: KeyMarks = KeyMarks()) -> Decided:  # noqa: B008 - a value
    """Decide an act of the gateway at an index."""
    place = Place(index=index, origin="log", at=datetime(2026, 1, 1, tzinfo=UTC), salt=bytes(32))
    return decide_act(command, place, case=CaseHead(), handoff=None, last_pair_number=0, key=key)


def entry(command: Command, index: int) -> Entry:
    """The entry of an act."""
    return decide(command, index).entry


@pytest.mark.parametrize(
    ("marks", "standing"),
    [
        (KeyMarks(), Standing.NOT_REGISTERED),
        (KeyMarks(registered=6), Standing.NOT_REGISTERED),
        (KeyMarks(registered=5), Standing.NOT_REGISTERED),
        (KeyMarks(registered=4), Standing.VALID),
        (KeyMarks(registered=4, revoked=6), Standing.VALID),
        (KeyMarks(registered=4, revoked=4), Standing.REVOKED),
        (KeyMarks(revoked=2), Standing.REVOKED),
    ],
)
def test_judge_key_order_of_entries_decides(marks: KeyMarks, standing: Standing) -> None:
    """A key counts from the entry after its registration to the entry that revokes it."""
    assert judge_key(marks, 5) is standing


def test_key_history_revocation_counts_for_every_certificate_of_the_key() -> None:
    """A leaked key stays revoked under a certificate that was registered beside it."""
    history = KeyHistory.of(
        [
            entry(register_key(KEY), 1),
            entry(register_key(RENEWED), 2),
            entry(register_rule_set("r", "0" * 64), 3),
            entry(revoke_key(KEY, RevocationReason.KEY_COMPROMISE), 5),
        ]
    )
    for key_id in (KEY.key_id, RENEWED.key_id):
        assert history.judge(key_id, 4) is Standing.VALID
        assert history.judge(key_id, 6) is Standing.REVOKED
    assert history.judge("d" * 64, 4) is Standing.NOT_REGISTERED


def test_key_history_entry_before_the_first_key_cannot_be_judged() -> None:
    """A ledger older than its first key does not know; unknown is neither yes nor no."""
    history = KeyHistory.of([entry(register_key(KEY), 9)])
    assert history.judge(KEY.key_id, 3) is Standing.NOT_RECORDED
    assert KeyHistory().judge(KEY.key_id, 3) is Standing.NOT_RECORDED


def test_key_history_first_registration_and_first_revocation_count() -> None:
    """A later entry for the same key cannot move what an earlier one decided."""
    acts = [register_key(KEY), revoke_key(KEY, RevocationReason.SUPERSEDED)]
    history = KeyHistory.of([entry(act, index) for index, act in enumerate(acts * 2)])
    assert history.marks(KEY.key_id) == KeyMarks(0, 1)


def test_act_ids_are_made_of_the_key_and_of_nothing_else() -> None:
    """Two processes ask for the same act; a reason does not make it another one; the ids are UUIDs of version 8."""
    reasons = [revoke_key(KEY, reason) for reason in RevocationReason]
    assert {(act.act_id, act.content_sha256) for act in reasons} == {
        (revocation_id(KEY.public_key_sha256), reasons[0].content_sha256)
    }
    assert register_key(KEY).act_id == registration_id(KEY.key_id) != register_key(RENEWED).act_id
    assert {act.act_id.version for act in (register_key(KEY), reasons[0])} == {8}
    versions = [register_adapter("police 3.2", "1.0", digest * 64) for digest in "01"]
    assert versions[0].act_id != versions[1].act_id


def test_register_key_after_its_revocation_is_refused() -> None:
    """A revocation is for good."""
    with pytest.raises(GatewayError) as refused:
        decide(register_key(RENEWED), 9, KeyMarks(revoked=3))
    assert refused.value.code is ErrorCode.KEY_REVOKED


@pytest.mark.parametrize("kind", sorted(OWN_KINDS))
def test_own_acts_are_the_gateways_alone(kind: EntryKind) -> None:
    """No agency can register or revoke, whatever code calls the ledger."""
    act = Command(kind=kind, actor=parse_agency("ps:999001"), act_id=registration_id("x"), content_sha256="0" * 64)
    with pytest.raises(ValueError, match="only the gateway"):
        decide(act, 1)


def test_leaf_of_a_key_says_whose_it_is_and_holds_no_certificate() -> None:
    """An auditor reads key, agency, algorithm and reason from the leaf; the certificate has its own place."""
    leaf = to_leaf(entry(revoke_key(KEY, RevocationReason.KEY_COMPROMISE), 4))
    read = from_leaf(leaf)
    assert (read.signer_key, read.public_key_sha256, read.agency, read.algorithm, read.reason, read.actor) == (
        KEY.key_id, KEY.public_key_sha256, "ps:999001", "EdDSA", "key_compromise", str(GATEWAY),
    )  # fmt: skip
    assert b"certificate" not in leaf and to_leaf(read) == leaf
