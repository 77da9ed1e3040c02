"""The receiver's side: inbox, lease, original and rendition."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from gateway.core.digest import sha256_hex
from gateway.core.entry import EntryKind, HandoffState
from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity
from gateway.core.identity import Agency
from gateway.core.lineage import report_sha256
from gateway.core.port.ledger import Appended
from gateway.flows.fetch import Fetched, claim_handoff, fetch_handoff, list_inbox, watch_inbox
from gateway.flows.submit import submit_bundle
from gateway.flows.told import Told
from tests.support.bundle import new_case_number, to_native_record
from tests.support.fake_ledger import FakeWatch
from tests.support.fake_parts import (
    COURT,
    POLICE,
    PROCURATORATE,
    StrictProcedure,
    Unjudged,
    World,
    fake_record,
    fake_sign,
)

E = ErrorCode


async def submitted(world: World) -> str:
    """Submit a bundle of a new case and give the id of its handoff."""
    manifest, record = world.bundle(new_case_number())
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    return str(manifest.bundle_id)


async def claim(
    world: World, handoff: str, *, consumer: str = "c1", caller: Agency = PROCURATORATE, seconds: int = 0, act: str = ""
) -> Appended:
    """Claim a handoff."""
    appended, _ = await claim_handoff(
        world.parts, caller, handoff_id=handoff, consumer=consumer, lease_seconds=seconds, act_id=act or str(uuid4())
    )
    return appended


async def fetch(
    world: World, handoff: str, *, consumer: str = "c1", caller: Agency = PROCURATORATE, act: str = ""
) -> Fetched:
    """Fetch a handoff."""
    return await fetch_handoff(world.parts, caller, handoff_id=handoff, consumer=consumer, act_id=act or str(uuid4()))


async def _pages(world: World, size: int, states: Sequence[HandoffState] = ()) -> list[list[UUID]]:
    pages, token = [], ""
    while True:
        rows, token = await list_inbox(world.parts, PROCURATORATE, states, size, token)
        pages.append([row.handoff for row in rows])
        if not token:
            return pages


async def test_inbox_pages_hold_every_open_handoff_once_in_order() -> None:
    """Paging neither skips nor repeats, and a full last page is not followed by an empty one."""
    world = World()
    handoffs = [UUID(await submitted(world)) for _ in range(5)]
    assert await _pages(world, 2) == [handoffs[:2], handoffs[2:4], handoffs[4:]]
    assert await _pages(world, 5) == [handoffs]


async def test_inbox_token_of_other_states_or_caller_is_refused() -> None:
    """A token is worth nothing for another query or another agency."""
    world = World()
    for _ in range(3):
        await submitted(world)
    _, token = await list_inbox(world.parts, PROCURATORATE, (), 1, "")
    for caller, states in ((PROCURATORATE, [HandoffState.OFFERED]), (COURT, [])):
        with pytest.raises(GatewayError) as caught:
            await list_inbox(world.parts, caller, states, 1, token)
        assert caught.value.code is E.PAGE_TOKEN_INVALID


async def test_watch_gives_what_was_there_and_what_comes_without_repeating() -> None:
    """Every handoff comes exactly once, whether it was offered before or during the stream."""
    world = World(watch=FakeWatch(wakes=3))
    handoffs = [await submitted(world)]

    async def offer(number: int) -> None:
        if number:
            handoffs.append(await submitted(world))

    world.watch.before_wake = offer
    rows = [row async for row in watch_inbox(world.parts, PROCURATORATE, 0)]
    assert [str(row.handoff) for row in rows] == handoffs
    resumed = [row async for row in watch_inbox(world.parts, PROCURATORATE, rows[0].index + 1)]
    assert [row.handoff for row in resumed[:2]] == [row.handoff for row in rows[1:]]


async def test_watch_from_a_negative_cursor_is_out_of_range() -> None:
    """A cursor is an index plus one and never negative."""
    with pytest.raises(GatewayError) as caught:
        await anext(watch_inbox(World().parts, PROCURATORATE, -1))
    assert caught.value.code is E.ARGUMENT_OUT_OF_RANGE


async def test_fetch_gives_original_and_rendition_and_records_their_digests() -> None:
    """The entry commits to the very rendition and report that the receiver got."""
    world = World()
    handoff = await submitted(world)
    await claim(world, handoff)
    fetched = await fetch(world, handoff)
    entry = world.ledger.entry()
    assert entry.kind is EntryKind.FETCHED
    assert fetched.rendition.data == b"RENDERED"
    assert entry.rendition_sha256 == fetched.rendition_sha256 == sha256_hex(b"RENDERED")
    assert entry.report_sha256 == report_sha256(fetched.rendition.report)
    assert fetched.stored.manifest_jws.endswith(".sig")


async def test_fetch_of_a_large_record_reads_it_from_the_materials() -> None:
    """A record that did not travel in the call is rendered like any other."""
    world = World()
    case_number = new_case_number()
    record = fake_record(case_number) + b" " * (1024 * 1024)
    await world.give(POLICE, record)
    manifest, _ = world.bundle(case_number, native_record=to_native_record(record))
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), b"")
    await claim(world, str(manifest.bundle_id))
    fetched = await fetch(world, str(manifest.bundle_id))
    assert fetched.rendition.data == b"RENDERED"
    assert fetched.stored.record == b""


async def test_fetch_again_with_the_same_act_gives_the_first_receipt() -> None:
    """A lost reply of a fetch makes no second entry."""
    world = World()
    handoff, act = await submitted(world), str(uuid4())
    await claim(world, handoff)
    first = await fetch(world, handoff, act=act)
    again = await fetch(world, handoff, act=act)
    assert again.appended.is_replay
    assert again.appended.receipt_jws == first.appended.receipt_jws


async def test_claim_by_a_second_consumer_waits_for_the_end_of_the_lease() -> None:
    """Of two consumers one works; when its lease has run out the other may take over."""
    world = World()
    handoff = await submitted(world)
    await claim(world, handoff, seconds=60)
    with pytest.raises(GatewayError) as caught:
        await claim(world, handoff, consumer="c2")
    assert caught.value.code is E.LEASE_HELD
    assert caught.value.handoff == UUID(handoff)
    world.clock.advance(seconds=61)
    await claim(world, handoff, consumer="c2")
    with pytest.raises(GatewayError) as caught:
        await fetch(world, handoff, consumer="c1")
    assert caught.value.code is E.LEASE_HELD


@pytest.mark.parametrize(
    ("caller", "handoff", "consumer", "seconds", "code"),
    [
        (PROCURATORATE, "0" * 32, "c1", 0, E.ARGUMENT_INVALID),
        (PROCURATORATE, "", "bad name", 0, E.ARGUMENT_INVALID),
        (PROCURATORATE, "", "c1", -1, E.ARGUMENT_OUT_OF_RANGE),
        (PROCURATORATE, "", "c1", 86_401, E.ARGUMENT_OUT_OF_RANGE),
        (PROCURATORATE, "0195c1d2-7b7e-7a3a-8f00-0000000000ff", "c1", 0, E.HANDOFF_UNKNOWN),
        (COURT, "", "c1", 0, E.NOT_A_PARTY),
        (POLICE, "", "c1", 0, E.NOT_A_PARTY),
    ],
)
async def test_claim_with_a_wrong_argument_or_caller_is_refused(
    caller: Agency, handoff: str, consumer: str, seconds: int, code: ErrorCode
) -> None:
    """Each fault has its code, and none makes an entry."""
    world = World()
    offered = await submitted(world)
    with pytest.raises(GatewayError) as caught:
        await claim(world, handoff or offered, consumer=consumer, caller=caller, seconds=seconds)
    assert caught.value.code is code
    assert len(world.ledger.entries) == 1


@pytest.mark.parametrize("caller", [COURT, POLICE])
async def test_fetch_by_anybody_but_the_receiver_is_refused_and_names_the_handoff(caller: Agency) -> None:
    """Only the receiver reads the content through Fetch; the attempt is recorded with its handoff."""
    world = World()
    handoff = await submitted(world)
    with pytest.raises(GatewayError) as caught:
        await fetch(world, handoff, caller=caller)
    assert (caught.value.code, caught.value.handoff) == (E.NOT_A_PARTY, UUID(handoff))


async def test_fetch_of_an_unknown_handoff_is_refused() -> None:
    """An id that stands for nothing gives nothing away."""
    with pytest.raises(GatewayError) as caught:
        await fetch(World(), str(uuid4()))
    assert caught.value.code is E.HANDOFF_UNKNOWN


async def test_consumer_stands_in_the_ledger_as_a_pseudonym() -> None:
    """Names of consumers may be names of people, so the ledger never sees them."""
    world = World()
    handoff = await submitted(world)
    appended = await claim(world, handoff, consumer="li.si")
    assert b"li.si" not in appended.leaf
    assert world.ledger.entry().consumer == world.parts.pseudonyms.consumer("pr:110108", "li.si")


async def test_fetch_tells_the_receiver_what_the_rules_said_only_when_it_is_what_the_entry_says() -> None:
    """Findings come with the result of the entry; another rule set of today has nothing to say of then."""
    procedure = StrictProcedure((Finding(E.DOCUMENT_MISSING, "document", "x", Severity.WARNING),))
    world = World(procedure=procedure)
    handoff = await submitted(world)
    await claim(world, handoff)
    told = (await fetch(world, handoff)).told
    assert (told.rule_set, told.result, told.is_complete) == ("strict/1", "INELIGIBLE", True)
    assert [(one.code, one.path) for one in told.findings] == [(E.DOCUMENT_MISSING, "document")]
    world.procedure = Unjudged()
    assert (await fetch(world, handoff)).told == Told("strict/1", "INELIGIBLE")


async def test_fetch_of_a_record_that_nobody_judged_tells_nothing_of_the_rules() -> None:
    """NOT_EVALUATED without inputs is no judgement."""
    world = World()
    handoff = await submitted(world)
    await claim(world, handoff)
    assert (await fetch(world, handoff)).told == Told()
