"""The decision on one act, given the heads it meets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.command import Bundle, Command
from gateway.core.entry import CLOCK_KINDS, OWN_KINDS, EntryKind, HandoffState, from_leaf, leaf_hash, to_leaf
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.handoff import MAX_LEASE, CaseHead, Decided, HandoffHead, Place, decide_act
from gateway.core.identity import Agency, Role
from gateway.core.procedure.lifecycle import CaseState, Stage
from gateway.core.route import RecordKind

PS, PR, CT = (Agency(role, "999001") for role in (Role.POLICE, Role.PROCURATORATE, Role.COURT))
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HANDOFF = UUID(int=1)
CASE = "c" * 32
ONE, OTHER = "1" * 32, "2" * 32
DECISIONS = [EntryKind.ACCEPTED, EntryKind.SUPPLEMENT_ASKED, EntryKind.REFUSED]


def command(kind: EntryKind, actor: Agency = PR, **fields: Any) -> Command:
    """An act on the handoff."""
    return Command(kind=kind, actor=actor, act_id=UUID(int=99), content_sha256="0" * 64, handoff=HANDOFF, **fields)


SUBMIT = replace(
    command(EntryKind.SUBMITTED, PS),
    case=CASE,
    handoff_kind=RecordKind.TRANSFER,
    sender=PS,
    receiver=PR,
    bundle=Bundle(manifest_jws="h.p.s", record=b"", case_number="A", idempotency_key="k", materials=()),
)


class World:
    """One case and one handoff, moved act by act."""

    def __init__(self) -> None:
        self.case = CaseHead()
        self.handoff: HandoffHead | None = None
        self.at = AT
        self.index = 0

    def act(self, command: Command) -> Decided:
        """Decide an act and take over what comes of it."""
        place = Place(index=self.index, origin="log", at=self.at, salt=b"s" * 32)
        decided = decide_act(command, place, case=self.case, handoff=self.handoff, last_pair_number=4)
        entry = decided.entry
        leaf = to_leaf(entry)
        assert from_leaf(leaf) == entry
        self.index += 1
        if not entry.case:
            return decided
        assert entry.case_state is not None
        assert (entry.case_sequence, entry.case_previous) == (self.case.sequence + 1, self.case.leaf_hash)
        self.case = CaseHead(entry.case_sequence, leaf_hash(leaf).hex(), entry.case_state)
        self.handoff = decided.handoff or self.handoff
        return decided

    def refused(self, command: Command) -> ErrorCode:
        """Try an act that must be refused, and say why it was."""
        with pytest.raises(GatewayError) as refused:
            self.act(command)
        return refused.value.code


@pytest.fixture
def offered() -> World:
    """A case just submitted."""
    world = World()
    world.act(SUBMIT)
    return world


@pytest.fixture
def fetched(offered: World) -> World:
    """A handoff claimed and fetched by consumer ONE."""
    offered.act(command(EntryKind.CLAIMED, consumer=ONE))
    offered.act(command(EntryKind.FETCHED, consumer=ONE))
    return offered


def test_submit_new_bundle_opens_handoff_and_case() -> None:
    """A submit takes the next number of its direction and of its case."""
    decided = World().act(SUBMIT)
    assert decided.handoff is not None
    assert (decided.handoff.state, decided.handoff.pair_number) == (HandoffState.OFFERED, 5)
    assert (decided.entry.case_sequence, decided.entry.transitions) == (1, ("T04", "T05"))
    assert decided.handoff.case_before == CaseState()


def test_submit_known_bundle_id_is_refused(offered: World) -> None:
    """A bundle id stands for one bundle."""
    assert offered.refused(SUBMIT) is ErrorCode.BUNDLE_ID_REUSED


@pytest.mark.parametrize("kind", [EntryKind.CLAIMED, EntryKind.FETCHED, EntryKind.WITHDRAWN, *DECISIONS])
def test_act_unknown_handoff_or_third_party_is_refused(kind: EntryKind, offered: World) -> None:
    """Nobody acts on what is not there, and nobody but a party acts on what is."""
    assert World().refused(command(kind)) is ErrorCode.HANDOFF_UNKNOWN
    assert offered.refused(command(kind, CT)) is ErrorCode.NOT_A_PARTY
    wrong_side = PR if kind is EntryKind.WITHDRAWN else PS
    assert offered.refused(command(kind, wrong_side)) is ErrorCode.NOT_A_PARTY


@pytest.mark.parametrize("kind", DECISIONS)
def test_decide_fetched_handoff_closes_it(kind: EntryKind, fetched: World) -> None:
    """Each decision gives the handoff its state, once."""
    decided = fetched.act(command(kind, consumer=ONE))
    assert decided.handoff is not None and decided.handoff.state.value == kind.value
    assert fetched.case.state.holder == (str(PR) if kind is EntryKind.ACCEPTED else str(PS))
    for again in DECISIONS:
        assert fetched.refused(command(again, consumer=ONE)) is ErrorCode.ALREADY_DECIDED
    assert fetched.refused(command(EntryKind.WITHDRAWN, PS)) is ErrorCode.ALREADY_DECIDED
    assert fetched.refused(command(EntryKind.CLAIMED, consumer=ONE)) is ErrorCode.ALREADY_DECIDED
    assert fetched.act(command(EntryKind.FETCHED, consumer=OTHER)).entry.kind is EntryKind.VIEWED


@pytest.mark.parametrize("kind", [EntryKind.FETCHED, *DECISIONS])
def test_act_without_lease_is_refused(kind: EntryKind, offered: World) -> None:
    """Without a claim nobody fetches or decides; with a claim only its consumer, until the lease ends."""
    assert offered.refused(command(kind, consumer=ONE)) is ErrorCode.NOT_CLAIMED
    offered.act(command(EntryKind.CLAIMED, consumer=ONE, lease=timedelta(minutes=1)))
    assert offered.refused(command(kind, consumer=OTHER)) is ErrorCode.LEASE_HELD
    assert offered.refused(command(EntryKind.CLAIMED, consumer=OTHER)) is ErrorCode.LEASE_HELD
    offered.at += timedelta(minutes=1)
    assert offered.refused(command(kind, consumer=ONE)) is ErrorCode.LEASE_EXPIRED
    assert offered.refused(command(kind, consumer=OTHER)) is ErrorCode.NOT_CLAIMED
    offered.act(command(EntryKind.CLAIMED, consumer=OTHER))
    assert offered.refused(command(kind, consumer=ONE)) is ErrorCode.LEASE_HELD


@pytest.mark.parametrize("kind", DECISIONS)
def test_decide_unfetched_handoff_is_refused(kind: EntryKind, offered: World) -> None:
    """Nobody decides on what it has not seen."""
    offered.act(command(EntryKind.CLAIMED, consumer=ONE))
    assert offered.refused(command(kind, consumer=ONE)) is ErrorCode.NOT_FETCHED


def test_withdraw_offered_handoff_ends_it(offered: World) -> None:
    """The sender takes back what is not decided; the case stands where it stood; nothing more can be done."""
    offered.act(command(EntryKind.WITHDRAWN, PS))
    assert offered.case.state.stage is Stage.INVESTIGATING
    for kind in (EntryKind.CLAIMED, EntryKind.FETCHED, *DECISIONS):
        assert offered.refused(command(kind, consumer=ONE)) is ErrorCode.ALREADY_WITHDRAWN
    assert offered.refused(command(EntryKind.WITHDRAWN, PS)) is ErrorCode.ALREADY_WITHDRAWN


def test_claim_again_renews_the_lease_in_whole_milliseconds(offered: World) -> None:
    """A consumer renews its own lease; no lease is longer than a day or finer than the leaf can say."""
    offered.act(command(EntryKind.CLAIMED, consumer=ONE, lease=timedelta(seconds=1, microseconds=1500)))
    assert offered.handoff is not None and offered.handoff.lease_until == AT + timedelta(milliseconds=1001)
    offered.act(command(EntryKind.CLAIMED, consumer=ONE, lease=timedelta(days=9)))
    assert offered.handoff.lease_until == AT + MAX_LEASE


def test_refused_call_changes_no_state(offered: World) -> None:
    """A refused call is an entry of the case that moves neither case nor handoff."""
    case, handoff = offered.case.state, offered.handoff
    decided = offered.act(command(EntryKind.CALL_REFUSED, CT, method="S/M", refusal_codes=(1004,)))
    assert decided.handoff is None
    assert (offered.case.state, offered.handoff) == (case, handoff)
    assert decided.entry.handoff == str(HANDOFF)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    k
                    for k in EntryKind
                    if k not in {EntryKind.VIEWED, EntryKind.STATED, EntryKind.CASE_DESTROYED, *OWN_KINDS, *CLOCK_KINDS}
                ]
            ),
            st.sampled_from([PS, PR, CT]),
            st.sampled_from([ONE, OTHER]),
            st.integers(0, 200),
        ),
        max_size=25,
    )
)
def test_random_acts_never_break_the_handoff(acts: list[tuple[EntryKind, Agency, str, int]]) -> None:
    """Whatever is tried: one end only, only by its party, after a fetch; what is refused leaves no trace."""
    world = World()
    ended: HandoffState | None = None
    for kind, actor, consumer, seconds in acts:
        world.at += timedelta(seconds=seconds)
        act = SUBMIT if kind is EntryKind.SUBMITTED else command(kind, actor, consumer=consumer)
        before = (world.case, world.handoff)
        try:
            decided = world.act(act)
        except GatewayError:
            assert (world.case, world.handoff) == before
            continue
        if decided.handoff is None or kind in (EntryKind.FETCHED, EntryKind.CLAIMED):
            continue
        assert ended is None
        if kind in DECISIONS:
            assert before[1] is not None and before[1].state is HandoffState.FETCHED
            assert actor == PR and before[1].consumer == consumer
        if kind is not EntryKind.SUBMITTED:
            ended = decided.handoff.state
    assert ended is None or (world.handoff is not None and world.handoff.state is ended)
