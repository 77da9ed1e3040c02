"""Decisions of the receiver and the sender's withdrawal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import uuid4

import pytest

from gateway.core.entry import EntryKind, HandoffState
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency
from gateway.core.port.ledger import Appended
from gateway.flows.decide import (
    MAX_DEFICIENCIES,
    MAX_REASONS,
    Deficiency,
    Reason,
    decide_handoff,
    withdraw_handoff,
)
from gateway.flows.reconcile import read_receipt
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, World
from tests.unit.flows.test_fetch import claim, fetch, submitted

E = ErrorCode
SUPPLEMENT = EntryKind.SUPPLEMENT_ASKED


async def _decide(
    world: World,
    handoff: str,
    decision: EntryKind | None = EntryKind.ACCEPTED,
    *,
    caller: Agency = PROCURATORATE,
    consumer: str = "c1",
    deficiencies: Sequence[Deficiency] = (),
    reasons: Sequence[Reason] = (),
    act: str = "",
) -> Appended:
    return await decide_handoff(
        world.parts, caller, handoff_id=handoff, consumer=consumer, act_id=act or str(uuid4()), decision=decision,
        deficiencies=deficiencies, reasons=reasons,
    )  # fmt: skip


async def _fetched(world: World) -> str:
    handoff = await submitted(world)
    await claim(world, handoff)
    await fetch(world, handoff)
    return handoff


@pytest.mark.parametrize(
    ("decision", "deficiencies", "reasons", "state"),
    [
        (EntryKind.ACCEPTED, [], [], HandoffState.ACCEPTED),
        (SUPPLEMENT, [Deficiency("D04", "", "补送立案决定书")], [], HandoffState.SUPPLEMENT_ASKED),
        (EntryKind.REFUSED, [], [Reason("R1", "管辖不符")], HandoffState.REFUSED),
    ],
)
async def test_decision_closes_the_handoff_and_reaches_the_sender(
    decision: EntryKind, deficiencies: list[Deficiency], reasons: list[Reason], state: HandoffState
) -> None:
    """Each of the three decisions ends the handoff; its text goes to the sender and never into the leaf."""
    world = World()
    handoff = await _fetched(world)
    appended = await _decide(world, handoff, decision, deficiencies=deficiencies, reasons=reasons)
    stored = await read_receipt(world.parts, POLICE, handoff)
    assert stored.row.state is state
    assert len(stored.receipts) == 4
    for text in [d.text for d in deficiencies] + [r.text for r in reasons]:
        assert text in stored.detail.decode()
        assert text not in appended.leaf.decode()
    assert bool(world.ledger.entry().detail_sha256) is bool(deficiencies or reasons)


@pytest.mark.parametrize(
    ("decision", "deficiencies", "reasons", "found"),
    [
        (None, [], [], [(E.DECISION_INCOMPLETE, "decision")]),
        (SUPPLEMENT, [], [], [(E.DECISION_INCOMPLETE, "deficiencies")]),
        (EntryKind.REFUSED, [], [], [(E.DECISION_INCOMPLETE, "reasons")]),
        (SUPPLEMENT, [Deficiency("", "", "x")] * (MAX_DEFICIENCIES + 1), [], [(E.DECISION_INCOMPLETE, "deficiencies")]),
        (EntryKind.REFUSED, [], [Reason("a", "x")] * (MAX_REASONS + 1), [(E.DECISION_INCOMPLETE, "reasons")]),
        (
            EntryKind.ACCEPTED,
            [Deficiency("", "", "x")],
            [Reason("a", "x")],
            [(E.ARGUMENT_INVALID, "deficiencies"), (E.ARGUMENT_INVALID, "reasons")],
        ),
        (
            SUPPLEMENT,
            [Deficiency("d4", "张三", " ")],
            [],
            [
                (E.ARGUMENT_INVALID, "deficiencies[0].document_code"),
                (E.ARGUMENT_INVALID, "deficiencies[0].person_key"),
                (E.ARGUMENT_INVALID, "deficiencies[0].text"),
            ],
        ),
        (
            EntryKind.REFUSED,
            [],
            [Reason("管辖", "x" * 2001)],
            [(E.ARGUMENT_INVALID, "reasons[0].code"), (E.ARGUMENT_INVALID, "reasons[0].text")],
        ),
    ],
)
async def test_decision_that_is_not_complete_lists_every_fault(
    decision: EntryKind | None,
    deficiencies: list[Deficiency],
    reasons: list[Reason],
    found: list[tuple[ErrorCode, str]],
) -> None:
    """A decision is complete or it is none, and all that is wrong with it comes at once."""
    world = World()
    handoff = await _fetched(world)
    with pytest.raises(GatewayError) as caught:
        await _decide(world, handoff, decision, deficiencies=deficiencies, reasons=reasons)
    assert [(finding.code, finding.path) for finding in caught.value.findings] == found
    assert str(caught.value.handoff) == handoff
    assert len(world.ledger.entries) == 3


async def test_decision_needs_claim_and_fetch_by_the_same_consumer() -> None:
    """Nobody decides on what it has not read, or while another consumer works on it."""
    world = World()
    handoff = await submitted(world)
    for prepare, consumer, code in (
        (None, "c1", E.NOT_CLAIMED),
        (claim, "c1", E.NOT_FETCHED),
        (fetch, "c2", E.LEASE_HELD),
    ):
        if prepare is not None:
            await prepare(world, handoff)
        with pytest.raises(GatewayError) as caught:
            await _decide(world, handoff, consumer=consumer)
        assert caught.value.code is code
    world.clock.advance(minutes=6)
    with pytest.raises(GatewayError) as caught:
        await _decide(world, handoff)
    assert caught.value.code is E.LEASE_EXPIRED


@pytest.mark.parametrize("caller", [POLICE, COURT])
async def test_decision_of_anybody_but_the_receiver_is_refused(caller: Agency) -> None:
    """Neither the sender nor a third party decides."""
    world = World()
    handoff = await _fetched(world)
    with pytest.raises(GatewayError) as caught:
        await _decide(world, handoff, caller=caller)
    assert caught.value.code is E.NOT_A_PARTY


async def test_decision_twice_is_refused_unless_it_is_the_same_act() -> None:
    """The first decision stands; the same act again gives its receipt, the same id for another act nothing."""
    world = World()
    handoff, act = await _fetched(world), str(uuid4())
    first = await _decide(world, handoff, act=act)
    again = await _decide(world, handoff, act=act)
    assert (again.is_replay, again.receipt_jws) == (True, first.receipt_jws)
    for act_id, code in ((act, E.ACT_ID_REUSED), (str(uuid4()), E.ALREADY_DECIDED)):
        with pytest.raises(GatewayError) as caught:
            await _decide(world, handoff, EntryKind.REFUSED, reasons=[Reason("R1", "x")], act=act_id)
        assert caught.value.code is code


async def test_withdrawal_ends_an_open_handoff_and_only_the_sender_may() -> None:
    """The sender takes back what is not decided; afterwards nobody can do anything with it."""
    world = World()
    handoff = await _fetched(world)
    with pytest.raises(GatewayError) as caught:
        await withdraw_handoff(world.parts, PROCURATORATE, handoff_id=handoff, act_id=str(uuid4()), reason="x")
    assert caught.value.code is E.NOT_A_PARTY
    await withdraw_handoff(world.parts, POLICE, handoff_id=handoff, act_id=str(uuid4()), reason="移送有误")
    stored = await read_receipt(world.parts, PROCURATORATE, handoff)
    assert stored.row.state is HandoffState.WITHDRAWN
    assert json.loads(stored.detail) == {"reason": "移送有误"}
    with pytest.raises(GatewayError) as caught:
        await _decide(world, handoff)
    assert caught.value.code is E.ALREADY_WITHDRAWN


async def test_withdrawal_after_the_decision_or_without_reason_is_refused() -> None:
    """What is decided stays decided, and taking back needs a reason."""
    world = World()
    handoff = await _fetched(world)
    with pytest.raises(GatewayError) as caught:
        await withdraw_handoff(world.parts, POLICE, handoff_id=handoff, act_id=str(uuid4()), reason=" ")
    assert caught.value.code is E.ARGUMENT_INVALID
    await _decide(world, handoff)
    with pytest.raises(GatewayError) as caught:
        await withdraw_handoff(world.parts, POLICE, handoff_id=handoff, act_id=str(uuid4()), reason="x")
    assert caught.value.code is E.ALREADY_DECIDED
