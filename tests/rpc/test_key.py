"""Keys over the wire: running gateways follow the ledger, and the ledger decides what they could not know yet."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import grpc
import pytest

from certs.layout import load_authority, write_certificate
from certs.pki import make_pki
from gateway.app_keys import KeyOffice, open_office
from gateway.core.entry import Entry, EntryKind, from_leaf
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.key_history import KeyHistory, RevocationReason, Standing
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.v1 import exchange_pb2 as pb
from tests.support.bundle import PDF, bundle_of, new_case_number
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.pki import Issued, issue
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import Desk, read_refusal

POLICE = "ps:110108"
FOLLOW_SECONDS = 5.0
Pair = tuple[RunningGateway, RunningGateway]


@pytest.fixture(scope="module")
def pair(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Two gateway processes on one ledger, started at the same moment."""
    home: Path = tmp_path_factory.mktemp("keys")
    pki = make_pki(home / "pki", now=datetime.now(UTC))
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        dsn, url = postgres_server.dsn(name), postgres_server.dsn(name, user=GATEWAY_ROLE)
        # They share a folder of materials, as processes of one gateway do.
        one, other = (RunningGateway(pki, dsn, url, home / "gateway") for _ in range(2))

        async def start() -> None:
            await asyncio.gather(asyncio.to_thread(one.start), asyncio.to_thread(other.start))
            async with Desk(one, POLICE) as desk:
                await desk.upload(PDF)

        try:
            asyncio.run(start())
            yield one, other
        finally:
            one.stop()
            other.stop()


@pytest.fixture
async def office(pair: Pair) -> AsyncIterator[KeyOffice]:
    """What the operator does."""
    async with open_office(pair[0].database_url, "") as opened:
        yield opened


@pytest.fixture
async def desks(pair: Pair) -> AsyncIterator[tuple[Desk, Desk]]:
    """The police at both gateways."""
    async with Desk(pair[0], POLICE) as one, Desk(pair[1], POLICE) as other:
        yield one, other


def new_signer(gateway: RunningGateway) -> Issued:
    """A signing certificate of the police that nobody registered yet."""
    authority = load_authority(gateway.pki.signing_ca, gateway.pki.signing_ca.with_suffix(".key"))
    return issue(authority, POLICE, not_before=datetime.now(UTC), validity=timedelta(days=1))


async def read_entries(gateway: RunningGateway) -> list[Entry]:
    """All entries."""
    connection = await asyncpg.connect(gateway.dsn)
    try:
        return [from_leaf(row["leaf"]) for row in await connection.fetch("SELECT leaf FROM ledger.entry ORDER BY seq")]
    finally:
        await connection.close()


async def attempt(desk: Desk, jws: str, record: bytes) -> pb.SubmitResponse | str:
    """Submit; the name of the first code when it is refused."""
    try:
        return await desk.submit(jws, record)
    except grpc.aio.AioRpcError as error:
        return read_refusal(error).reason


async def submit_soon(desk: Desk, signer: Issued) -> tuple[pb.SubmitResponse, str, bytes]:
    """Submit a bundle of a key that was registered a moment ago."""
    _, jws, record = bundle_of(new_case_number(), signer)
    async with asyncio.timeout(FOLLOW_SECONDS):
        while isinstance(answer := await attempt(desk, jws, record), str):
            assert answer == ErrorCode.KEY_NOT_REGISTERED.name
            await asyncio.sleep(0.05)
    return answer, jws, record


async def test_start_of_two_processes_registers_everything_once(pair: Pair) -> None:
    """Each certificate of the folder, each rule set and each adapter is one entry, also after a restart."""
    files = list((pair[0].pki.signers / "registered").glob("*.crt"))

    async def count() -> Counter[EntryKind]:
        return Counter(entry.kind for entry in await read_entries(pair[0]) if not entry.case)

    before = await count()
    assert before[EntryKind.KEY_REGISTERED] >= len(files)
    entries = await read_entries(pair[0])
    assert (
        len({entry.signer_key for entry in entries if entry.kind is EntryKind.KEY_REGISTERED})
        == before[EntryKind.KEY_REGISTERED]
    )
    adapters = [entry.adapter for entry in entries if entry.kind is EntryKind.ADAPTER_REGISTERED]
    assert {"police 3.2", "police 3.3"} < set(adapters) and len(set(adapters)) == len(adapters)
    assert [entry.rule_set for entry in entries if entry.kind is EntryKind.RULE_SET_REGISTERED] == [
        "eligibility/2026.1"
    ]
    await asyncio.to_thread(pair[1].stop)
    await asyncio.to_thread(pair[1].start)
    assert await count() == before


async def test_rotation_needs_no_restart(pair: Pair, office: KeyOffice, desks: tuple[Desk, Desk]) -> None:
    """A new key counts at every process; the old one no longer, but who used it can still ask for its receipt."""
    old, new = new_signer(pair[0]), new_signer(pair[0])
    await office.register(old.certificate)
    first, jws, record = await submit_soon(desks[0], old)
    registered = await office.register(new.certificate)
    await submit_soon(desks[1], new)
    revoked = await office.revoke(old.certificate, RevocationReason.SUPERSEDED)
    assert registered.index < revoked.index
    for desk in desks:
        _, late, late_record = bundle_of(new_case_number(), old)
        assert await attempt(desk, late, late_record) == ErrorCode.KEY_REVOKED.name
        again = await attempt(desk, jws, record)
        assert not isinstance(again, str) and again.receipt == first.receipt
        await submit_soon(desk, new)


async def test_replay_after_a_restart_gives_the_same_receipt(
    pair: Pair, office: KeyOffice, desks: tuple[Desk, Desk]
) -> None:
    """A process that starts after the revocation knows both: that the key ended, and what it signed before."""
    signer = new_signer(pair[0])
    await office.register(signer.certificate)
    first, jws, record = await submit_soon(desks[0], signer)
    await office.revoke(signer.certificate, RevocationReason.KEY_COMPROMISE)
    await asyncio.to_thread(pair[1].stop)
    await asyncio.to_thread(pair[1].start)
    async with Desk(pair[1], POLICE) as desk:
        again = await attempt(desk, jws, record)
        assert not isinstance(again, str) and again.receipt == first.receipt
        _, late, late_record = bundle_of(new_case_number(), signer)
        assert await attempt(desk, late, late_record) == ErrorCode.KEY_REVOKED.name


async def test_revocation_among_64_submits_parts_them_by_index(
    pair: Pair, office: KeyOffice, desks: tuple[Desk, Desk]
) -> None:
    """Over the wire, through two processes: accepted means a smaller index than the revocation's."""
    signer = new_signer(pair[0])
    await office.register(signer.certificate)
    for desk in desks:
        await submit_soon(desk, signer)
    bundles = [bundle_of(new_case_number(), signer) for _ in range(64)]
    running = [
        asyncio.create_task(attempt(desks[place % 2], jws, record)) for place, (_, jws, record) in enumerate(bundles)
    ]
    await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    revoked = await office.revoke(signer.certificate, RevocationReason.KEY_COMPROMISE)
    answers = [await task for task in running]
    accepted = [answer.receipt.entry_index for answer in answers if not isinstance(answer, str)]
    assert accepted and max(accepted) < revoked.index
    assert {answer for answer in answers if isinstance(answer, str)} <= {ErrorCode.KEY_REVOKED.name}
    entries = await read_entries(pair[0])
    history = KeyHistory.of(entries)
    assert {history.judge(e.signer_key, e.index) for e in entries if e.kind is EntryKind.SUBMITTED} == {Standing.VALID}


async def test_key_of_the_folder_that_was_revoked_stays_revoked(pair: Pair, office: KeyOffice) -> None:
    """A file left in registered/ brings no revoked key back at the next start, and registering it is refused."""
    signer = new_signer(pair[0])
    await office.register(signer.certificate)
    await office.revoke(signer.certificate, RevocationReason.KEY_COMPROMISE)
    write_certificate(pair[0].pki.signers / "registered" / "left.crt", signer.certificate)
    await asyncio.to_thread(pair[1].stop)
    await asyncio.to_thread(pair[1].start)
    async with Desk(pair[1], POLICE) as desk:
        _, jws, record = bundle_of(new_case_number(), signer)
        assert await attempt(desk, jws, record) == ErrorCode.KEY_REVOKED.name
    with pytest.raises(GatewayError) as refused:
        await office.register(signer.certificate)
    assert refused.value.code is ErrorCode.KEY_REVOKED
