"""What oversight may ask, and what both sides may prove to each other."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency
from gateway.flows.oversee import Query, prove_consistency, prove_inclusion, query_entries, read_timeline
from gateway.flows.reconcile import read_receipt, reconcile
from gateway.flows.submit import submit_bundle
from tests.support.bundle import new_case_number
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, World, fake_sign
from tests.unit.flows.test_fetch import claim, submitted

E = ErrorCode


async def test_query_pages_hold_every_entry_once_and_the_present_tree() -> None:
    """Oversight reads all pages and knows how far the ledger reaches."""
    world = World()
    for _ in range(5):
        await submitted(world)
    first = await query_entries(world.parts, Query(), 3, "")
    second = await query_entries(world.parts, Query(), 3, first.next_page_token)
    assert [entry.index for entry in first.entries + second.entries] == list(range(5))
    assert (second.next_page_token, second.head.size) == ("", 5)


@pytest.mark.parametrize(
    ("query", "token"),
    [(Query(actor="ps:110108"), None), (Query(), "AAAA"), (Query(), "not base64!"), (Query(), "é")],
)
async def test_query_with_a_token_of_another_query_or_none_at_all_is_refused(query: Query, token: str | None) -> None:
    """A token continues the query that gave it; one that the gateway did not make continues nothing."""
    world = World()
    for _ in range(2):
        await submitted(world)
    page = await query_entries(world.parts, Query(), 1, "")
    with pytest.raises(GatewayError) as caught:
        await query_entries(world.parts, query, 1, token or page.next_page_token)
    assert caught.value.code is E.PAGE_TOKEN_INVALID


async def test_query_with_several_wrong_conditions_names_them_all() -> None:
    """All findings of a filter come at once, each at its field."""
    world = World()
    now = world.clock()
    query = Query(
        sender="police", receiver="pr:1", actor="zz:110108", handoff_id="7", index_from=-1, recorded_from=now,
        recorded_to=now - timedelta(seconds=1),
    )  # fmt: skip
    with pytest.raises(GatewayError) as caught:
        await query_entries(world.parts, query, 0, "")
    assert [(finding.code, finding.path) for finding in caught.value.findings] == [
        (E.ARGUMENT_INVALID, "filter.sender"),
        (E.ARGUMENT_INVALID, "filter.receiver"),
        (E.ARGUMENT_INVALID, "filter.actor"),
        (E.ARGUMENT_INVALID, "filter.handoff_id"),
        (E.ARGUMENT_OUT_OF_RANGE, "filter.index_from"),
        (E.ARGUMENT_OUT_OF_RANGE, "filter.recorded_to"),
    ]


async def test_query_by_case_number_asks_the_ledger_by_pseudonym() -> None:
    """The case number never reaches the ledger."""
    world = World()
    case_number = new_case_number()
    await query_entries(world.parts, Query(case_number=case_number, kinds=[EntryKind.SUBMITTED] * 2), 0, "")
    (asked,) = world.reader.asked
    assert asked.case == world.parts.pseudonyms.case(case_number)
    assert asked.kinds == (EntryKind.SUBMITTED,)
    assert case_number not in repr(asked)


async def test_timeline_tells_entries_stage_and_holder_of_one_case() -> None:
    """A case's timeline holds its own entries only and says where it stands."""
    world = World()
    await submitted(world)
    case_number = new_case_number()
    manifest, record = world.bundle(case_number)
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    timeline = await read_timeline(world.parts, case_number, 0, "")
    assert [entry.index for entry in timeline.entries] == [1]
    assert (timeline.stage, timeline.holder) == ("H1", "ps:110108")
    assert (await read_timeline(world.parts, new_case_number(), 0, "")).entries == []
    with pytest.raises(GatewayError) as caught:
        await read_timeline(world.parts, "", 0, "")
    assert caught.value.code is E.ARGUMENT_INVALID


@pytest.mark.parametrize(("index", "size"), [(2, 0), (-1, 0), (0, 3), (0, -1), (1, 1)])
async def test_inclusion_outside_the_tree_is_out_of_range(index: int, size: int) -> None:
    """There is no proof of what is not there."""
    world = World()
    for _ in range(2):
        await submitted(world)
    with pytest.raises(GatewayError) as caught:
        await prove_inclusion(world.parts, index, size)
    assert caught.value.code is E.ARGUMENT_OUT_OF_RANGE
    assert (await prove_inclusion(world.parts, 1, 0)).tree_size == 2


@pytest.mark.parametrize(("first", "second"), [(0, 0), (-1, 1), (2, 1), (1, 3), (1, -1)])
async def test_consistency_of_trees_that_do_not_exist_is_out_of_range(first: int, second: int) -> None:
    """Two trees exist, the smaller first, or there is nothing to prove."""
    world = World()
    for _ in range(2):
        await submitted(world)
    with pytest.raises(GatewayError) as caught:
        await prove_consistency(world.parts, first, second)
    assert caught.value.code is E.ARGUMENT_OUT_OF_RANGE
    assert (await prove_consistency(world.parts, 1, 0)).tree_size == 2


async def test_reconcile_states_the_last_number_of_a_direction_signed() -> None:
    """Both sides see the same numbers, and the gateway signs the last one with its tree."""
    world = World()
    for _ in range(3):
        await submitted(world)
    sent = await reconcile(world.parts, POLICE, peer="pr:110108", is_sent=True, after_number=1, page_size=0)
    got = await reconcile(world.parts, PROCURATORATE, peer="ps:110108", is_sent=False, after_number=0, page_size=2)
    assert ([row.pair_number for row in sent.rows], sent.last_number) == ([2, 3], 3)
    assert ([row.pair_number for row in got.rows], got.last_number) == ([1, 2], 3)
    claims = json.loads(sent.statement_jws)
    assert (claims["sender"], claims["receiver"], claims["last_number"]) == ("ps:110108", "pr:110108", 3)
    assert (claims["tree_size"], claims["origin"]) == (3, "test.example/log")


@pytest.mark.parametrize(
    ("peer", "is_sent", "after", "size", "code"),
    [
        ("nobody", True, 0, 0, E.ARGUMENT_INVALID),
        ("pr:110108", None, 0, 0, E.ARGUMENT_INVALID),
        ("pr:110108", True, -1, 0, E.ARGUMENT_OUT_OF_RANGE),
        ("pr:110108", True, 0, 1001, E.ARGUMENT_OUT_OF_RANGE),
        ("pr:110108", True, 0, -1, E.ARGUMENT_OUT_OF_RANGE),
    ],
)
async def test_reconcile_with_a_wrong_argument_is_refused(
    peer: str, is_sent: bool | None, after: int, size: int, code: ErrorCode
) -> None:
    """Each fault has its code."""
    with pytest.raises(GatewayError) as caught:
        await reconcile(World().parts, POLICE, peer=peer, is_sent=is_sent, after_number=after, page_size=size)
    assert caught.value.code is code


@pytest.mark.parametrize("caller", [POLICE, PROCURATORATE])
async def test_receipts_are_shown_to_both_parties(caller: Agency) -> None:
    """Sender and receiver read the same receipts, in order."""
    world = World()
    handoff = await submitted(world)
    await claim(world, handoff)
    stored = await read_receipt(world.parts, caller, handoff)
    assert [appended.receipt_jws for appended in stored.receipts] == ["receipt-0", "receipt-1"]


async def test_receipts_of_others_or_of_nothing_are_refused() -> None:
    """A third party learns nothing, and the attempt names the handoff."""
    world = World()
    handoff = await submitted(world)
    for caller, wanted, code in ((COURT, handoff, E.NOT_A_PARTY), (POLICE, str(uuid4()), E.HANDOFF_UNKNOWN)):
        with pytest.raises(GatewayError) as caught:
            await read_receipt(world.parts, caller, wanted)
        assert caught.value.code is code
