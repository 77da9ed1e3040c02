"""Many callers at once, on one gateway process and on two with one database: one winner, no gap, nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from certs.pki import make_pki
from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode
from gateway.core.identity import parse_agency
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.v1 import common_pb2
from gateway.v1 import exchange_pb2 as pb
from tests.support.audit import audit
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.pki import Issued
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import OVERSIGHT, Desk, Refusal, read_refusal

CALLERS = 64
CONSUMERS = 8
CHANNELS = 8


@pytest.fixture(scope="module")
def processes(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[RunningGateway]]:
    """Run two gateway processes on one database and one material folder."""
    home: Path = tmp_path_factory.mktemp("two")
    pki = make_pki(home / "pki", now=datetime.now(UTC))
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        dsn, url = postgres_server.dsn(name), postgres_server.dsn(name, user=GATEWAY_ROLE)
        with (
            RunningGateway(pki, dsn, url, home / "gateway") as one,
            RunningGateway(pki, dsn, url, home / "gateway") as two,
        ):
            asyncio.run(_upload(one))
            yield [one, two]


async def _upload(gateway: RunningGateway) -> None:
    async with Desk(gateway) as desk:
        await desk.upload(PDF)


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def gateways(request: pytest.FixtureRequest, processes: list[RunningGateway]) -> list[RunningGateway]:
    """One of the two processes, or both."""
    return processes[: request.param]


@pytest.fixture
def signer(processes: list[RunningGateway]) -> Issued:
    """The signer of ps:110108."""
    files = processes[0].pki.agency("ps:110108")
    return load_issued(files.sign_certificate, files.sign_key)


@pytest.fixture
async def desks(gateways: list[RunningGateway]) -> AsyncIterator[Callable[[str], Awaitable[list[Desk]]]]:
    """Opens channels of an agency, in turn to each process."""
    async with AsyncExitStack() as stack:

        async def open_desks(agency: str) -> list[Desk]:
            return [
                await stack.enter_async_context(Desk(gateways[number % len(gateways)], agency))
                for number in range(CHANNELS)
            ]

        yield open_desks


@pytest.fixture
async def oversight(processes: list[RunningGateway]) -> AsyncIterator[Desk]:
    """Desk of oversight at the second process, whoever wrote."""
    async with Desk(processes[1], OVERSIGHT) as desk:
        yield desk


OpenDesks = Callable[[str], Awaitable[list[Desk]]]


async def _outcome(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error)


async def _at_once(desks: list[Desk], calls: list[Callable[[Desk], Awaitable[Any]]]) -> list[Any]:
    return await asyncio.gather(*(_outcome(call(desks[number % len(desks)])) for number, call in enumerate(calls)))


def _submit(jws: str, record: bytes) -> Callable[[Desk], Awaitable[Any]]:
    return lambda desk: desk.submit(jws, record)


async def test_of_64_submits_on_one_case_exactly_one_wins(desks: OpenDesks, signer: Issued, oversight: Desk) -> None:
    """Of 64 who hand over the same case one does; each other is refused, once, on the record."""
    case_number = new_case_number()
    bundles = [bundle_of(case_number, signer) for _ in range(CALLERS)]
    results = await _at_once(await desks("ps:110108"), [_submit(jws, record) for _, jws, record in bundles])
    (winner,) = [result for result in results if isinstance(result, pb.SubmitResponse)]
    losers = [result for result in results if isinstance(result, Refusal)]
    assert Counter(loser.reason for loser in losers) == {"TRANSITION_NOT_ALLOWED": CALLERS - 1}
    entries = await audit(oversight)
    case = entries[winner.receipt.entry_index].case
    of_case = [entry for entry in entries if entry.case == case]
    assert Counter(entry.kind for entry in of_case) == {EntryKind.SUBMITTED: 1, EntryKind.CALL_REFUSED: CALLERS - 1}
    named = {int(loser.metadata["entry_index"]) for loser in losers}
    assert named == {entry.index for entry in of_case if entry.kind is EntryKind.CALL_REFUSED}
    assert {entry.refusal_codes for entry in of_case[1:]} == {(ErrorCode.TRANSITION_NOT_ALLOWED,)}


async def test_64_submits_on_many_cases_get_gapless_numbers(
    desks: OpenDesks, processes: list[RunningGateway], signer: Issued, oversight: Desk
) -> None:
    """Every submit of another case wins, and the numbers of the direction have no gap, by whichever process."""
    before = sum(entry.kind is EntryKind.SUBMITTED for entry in await audit(oversight))
    bundles = [bundle_of(new_case_number(), signer) for _ in range(CALLERS)]
    results = await _at_once(await desks("ps:110108"), [_submit(jws, record) for _, jws, record in bundles])
    assert sorted(result.pair_number for result in results) == list(range(before + 1, before + CALLERS + 1))
    assert len({result.receipt.entry_index for result in results}) == CALLERS
    entries = await audit(oversight)
    for (manifest, _, _), result in zip(bundles, results, strict=True):
        entry = entries[result.receipt.entry_index]
        assert (entry.handoff, entry.pair_number) == (str(manifest.bundle_id), result.pair_number)
    async with processes[0].client("pr:110108") as client:
        # The client refuses a gap and verifies the gateway's statement.
        reconciled = await client.reconcile(parse_agency("ps:110108"), is_sent=False)
    assert reconciled.last_number == before + CALLERS


async def test_one_bundle_sent_by_64_callers_is_one_handoff(desks: OpenDesks, signer: Issued, oversight: Desk) -> None:
    """However often and wherever a bundle is sent at once, it is one handoff with one receipt."""
    manifest, jws, record = bundle_of(new_case_number(), signer)
    results = await _at_once(await desks("ps:110108"), [_submit(jws, record)] * CALLERS)
    assert Counter(result.replayed for result in results) == {False: 1, True: CALLERS - 1}
    assert len({result.receipt.SerializeToString() for result in results}) == 1
    assert [entry.handoff for entry in await audit(oversight)].count(str(manifest.bundle_id)) == 1


async def test_claim_raced_by_eight_consumers_gives_one_lease(
    desks: OpenDesks, signer: Issued, oversight: Desk
) -> None:
    """Of eight consumers one gets the lease; to lose a race is no offence and makes no entry."""
    police, receivers = await desks("ps:110108"), await desks("pr:110108")
    for _ in range(5):
        manifest, jws, record = bundle_of(new_case_number(), signer)
        await police[0].submit(jws, record)
        handoff = manifest.bundle_id
        claims = [receivers[n % CHANNELS].claim(handoff, f"c{n}") for n in range(CONSUMERS)]
        results = await asyncio.gather(*map(_outcome, claims))
        assert sum(isinstance(result, pb.ClaimResponse) for result in results) == 1
        losers = [result for result in results if isinstance(result, Refusal)]
        assert Counter((loser.reason, loser.status) for loser in losers) == {("LEASE_HELD", "ABORTED"): CONSUMERS - 1}
        assert not any("entry_index" in loser.metadata for loser in losers)
        kinds = [entry.kind for entry in await audit(oversight) if entry.handoff == str(handoff)]
        assert kinds == [EntryKind.SUBMITTED, EntryKind.CLAIMED]


async def _drain(desk: Desk, consumer: str, handoffs: set[UUID], accepted: list[UUID]) -> None:
    """Work as a consumer does that knows nothing of the others: take what the inbox shows, until it shows nothing."""
    while True:
        answer = await desk.exchange.ListInbox(pb.ListInboxRequest(page_size=500))
        mine = [item.handoff_id for item in answer.items if UUID(item.handoff_id) in handoffs]
        if not mine:
            return
        for handoff in mine:
            try:
                await desk.accept(handoff, consumer)
            except grpc.aio.AioRpcError as error:
                assert read_refusal(error).reason in ("LEASE_HELD", "ALREADY_DECIDED")
            else:
                accepted.append(UUID(handoff))


async def test_handoffs_drained_by_eight_consumers_are_each_accepted_once(
    desks: OpenDesks, signer: Issued, oversight: Desk
) -> None:
    """Many consumers are safe: each handoff is worked on by one of them and accepted exactly once."""
    bundles = [bundle_of(new_case_number(), signer) for _ in range(24)]
    await _at_once(await desks("ps:110108"), [_submit(jws, record) for _, jws, record in bundles])
    handoffs = {manifest.bundle_id for manifest, _, _ in bundles}
    accepted: list[UUID] = []
    receivers = await desks("pr:110108")
    await asyncio.gather(*(_drain(receivers[n], f"c{n}", handoffs, accepted) for n in range(CONSUMERS)))
    assert Counter(accepted) == Counter(handoffs)
    entries = [entry for entry in await audit(oversight) if entry.kind is EntryKind.ACCEPTED]
    assert Counter(UUID(entry.handoff) for entry in entries if UUID(entry.handoff) in handoffs) == Counter(handoffs)


async def test_withdrawal_racing_the_decision_leaves_one_outcome(
    desks: OpenDesks, signer: Issued, oversight: Desk
) -> None:
    """A handoff is withdrawn or accepted, never both, and the case stands where the winner put it."""
    police, receivers = await desks("ps:110108"), await desks("pr:110108")
    for number in range(8):
        case_number = new_case_number()
        manifest, jws, record = bundle_of(case_number, signer)
        await police[0].submit(jws, record)
        handoff = manifest.bundle_id
        await receivers[0].claim(handoff)
        await receivers[0].fetch(handoff)
        calls = [_outcome(police[number].withdraw(handoff)), _outcome(receivers[-1 - number].decide(handoff))]
        results = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        (loser,) = [result for result in results if isinstance(result, Refusal)]
        is_accepted = loser.reason == "ALREADY_DECIDED"
        assert is_accepted or loser.reason == "ALREADY_WITHDRAWN"
        expected = ("J1", "pr:110108") if is_accepted else ("P4", "ps:110108")
        assert (await oversight.stage(case_number))[:2] == expected


async def test_act_sent_twice_at_once_to_both_processes_is_one_act(
    desks: OpenDesks, signer: Issued, oversight: Desk
) -> None:
    """A retry that overtakes its own first try finds the same receipt."""
    police = await desks("ps:110108")
    manifest, jws, record = bundle_of(new_case_number(), signer)
    await police[0].submit(jws, record)
    act, handoff = str(uuid4()), manifest.bundle_id
    results = await _at_once(police, [lambda desk: desk.withdraw(handoff, act=act)] * CHANNELS)
    assert len({result.receipt.SerializeToString() for result in results}) == 1
    assert (await police[0].receipts(handoff)).state == common_pb2.HANDOFF_STATE_WITHDRAWN
    await audit(oversight)


async def test_page_token_of_one_process_is_good_at_the_other(processes: list[RunningGateway], signer: Issued) -> None:
    """Behind one address callers meet either process and do not notice."""
    async with Desk(processes[0]) as police:
        for _ in range(2):
            _, jws, record = bundle_of(new_case_number(), signer)
            await police.submit(jws, record)
    async with Desk(processes[0], "pr:110108") as one, Desk(processes[1], "pr:110108") as two:
        first = await one.exchange.ListInbox(pb.ListInboxRequest(page_size=1))
        second = await two.exchange.ListInbox(pb.ListInboxRequest(page_size=1, page_token=first.next_page_token))
    assert second.items[0].entry_index > first.items[0].entry_index
