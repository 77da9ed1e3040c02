"""kill -9 of the gateway while it works: what it acknowledged is there and verifies, and nothing is there twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import grpc
import pytest
from cryptography import x509

from certs.pki import make_pki
from gateway.core.entry import Entry, EntryKind
from gateway.core.log.merkle import verify_inclusion
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.trust.receipt import verify_receipt
from gateway.v1 import common_pb2, ledger_pb2, material_pb2
from tests.support.audit import audit, merkle_root
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.pki import Issued
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import OVERSIGHT, Desk, read_refusal

ROUNDS = 10
CALLERS = 16
BUNDLES = 400


@dataclass(slots=True)
class Load:
    """What callers sent and what they heard.

    Args:
        bundles: JWS and record by handoff.
        acknowledged: receipt by handoff, as it came.
        sent: handoffs that were sent at least once.
    """

    bundles: dict[UUID, tuple[str, bytes]]
    acknowledged: dict[UUID, common_pb2.Receipt] = field(default_factory=dict)
    sent: set[UUID] = field(default_factory=set)

    @property
    def unacknowledged(self) -> set[UUID]:
        """Sent, and nobody knows what became of it."""
        return self.sent - self.acknowledged.keys()


@pytest.fixture(scope="module")
def gateway(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """Run a gateway to kill; each test leaves it running and looks at its own handoffs only."""
    home: Path = tmp_path_factory.mktemp("crash")
    pki = make_pki(home / "pki", now=datetime.now(UTC))
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        dsn, url = postgres_server.dsn(name), postgres_server.dsn(name, user=GATEWAY_ROLE)
        with RunningGateway(pki, dsn, url, home / "gateway") as gateway:
            yield gateway


@pytest.fixture
def signer(gateway: RunningGateway) -> Issued:
    """The signer of ps:110108."""
    files = gateway.pki.agency("ps:110108")
    return load_issued(files.sign_certificate, files.sign_key)


def _bundles(signer: Issued, count: int) -> dict[UUID, tuple[str, bytes]]:
    made = (bundle_of(new_case_number(), signer) for _ in range(count))
    return {manifest.bundle_id: (jws, record) for manifest, jws, record in made}


async def _submit_until_killed(gateway: RunningGateway, load: Load, after: int) -> None:
    """Send what is not acknowledged from many callers, and kill the gateway after so many answers."""
    waiting = iter([handoff for handoff in load.bundles if handoff not in load.acknowledged])
    answers = 0

    async def caller(desk: Desk) -> None:
        nonlocal answers
        for handoff in waiting:
            load.sent.add(handoff)
            try:
                answer = await desk.submit(*load.bundles[handoff])
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE, error
                return
            load.acknowledged[handoff] = answer.receipt
            answers += 1
            if answers == after:
                gateway.kill()

    async with Desk(gateway) as desk:
        await asyncio.gather(*(caller(desk) for _ in range(CALLERS)))
    assert answers >= after


def _by_handoff(entries: list[Entry], load: Load) -> dict[UUID, Entry]:
    submitted = [entry for entry in entries if entry.kind is EntryKind.SUBMITTED]
    assert Counter(entry.handoff for entry in submitted).most_common(1)[0][1] == 1
    return {handoff: entry for entry in submitted if (handoff := UUID(entry.handoff)) in load.bundles}


async def _assert_acknowledged(gateway: RunningGateway, oversight: Desk, load: Load, entries: list[Entry]) -> None:
    """Every receipt verifies: its signature, its leaf, its root, and its place in the tree of now."""
    signing_ca = x509.load_pem_x509_certificate(gateway.pki.signing_ca.read_bytes())
    hashes = [entry.leaf_hash for entry in await oversight.entries()]
    roots: dict[int, bytes] = {}
    placed = _by_handoff(entries, load)
    for handoff, receipt in load.acknowledged.items():
        claims = verify_receipt(receipt.jws, leaf=receipt.leaf, signing_ca=signing_ca, now=datetime.now(UTC))
        index = placed[handoff].index
        assert claims.entry_index == receipt.entry_index == index
        assert sha256(b"\x00" + receipt.leaf).digest() == receipt.leaf_hash == hashes[index]
        size = claims.tree_size
        roots.setdefault(size, merkle_root(hashes[:size]))
        assert claims.root_hash == roots[size].hex()
    for receipt in random.sample(list(load.acknowledged.values()), 5):
        request = ledger_pb2.GetProofRequest(inclusion=ledger_pb2.InclusionQuery(entry_index=receipt.entry_index))
        proof = await oversight.ledger.GetProof(request)
        verify_inclusion(
            receipt.leaf_hash, receipt.entry_index, proof.tree_size, list(proof.hashes), merkle_root(hashes)
        )


async def test_gateway_killed_in_the_middle_of_submits_loses_and_doubles_nothing(
    gateway: RunningGateway, signer: Issued
) -> None:
    """Ten times kill -9 under load: acknowledged is there for ever, unacknowledged is there once or not at all."""
    load = Load(_bundles(signer, BUNDLES))
    async with Desk(gateway) as desk:
        await desk.upload(PDF)
    in_doubt = 0
    for number in range(ROUNDS):
        await _submit_until_killed(gateway, load, after=5 + 3 * number)
        in_doubt += len(load.unacknowledged)
        gateway.start()
        async with Desk(gateway, OVERSIGHT) as oversight, Desk(gateway) as desk:
            entries = await audit(oversight)
            placed = _by_handoff(entries, load)
            assert load.acknowledged.keys() <= placed.keys() <= load.sent
            await _assert_acknowledged(gateway, oversight, load, entries)
            for handoff in load.unacknowledged:
                answer = await desk.submit(*load.bundles[handoff])
                assert answer.replayed is (handoff in placed)
                again = await desk.submit(*load.bundles[handoff])
                assert again.receipt.SerializeToString() == answer.receipt.SerializeToString()
                load.acknowledged[handoff] = answer.receipt
            handoff, receipt = random.choice(list(load.acknowledged.items()))
            again = await desk.submit(*load.bundles[handoff])
            assert (again.replayed, again.receipt) == (True, receipt)
    assert in_doubt, "no kill met a call on its way; the rounds proved nothing"
    async with Desk(gateway, OVERSIGHT) as oversight:
        entries = await audit(oversight)
        await _assert_acknowledged(gateway, oversight, load, entries)
    assert _by_handoff(entries, load).keys() == load.acknowledged.keys()


async def test_gateway_killed_between_acts_of_a_handoff_goes_on_where_it_was(
    gateway: RunningGateway, signer: Issued
) -> None:
    """Lease, fetch and decision outlive the process; an act repeated after the kill gives its first receipt."""
    ((handoff, bundle),) = _bundles(signer, 1).items()
    async with Desk(gateway) as police:
        await police.upload(PDF)
        await police.submit(*bundle)
    acts = {name: str(uuid4()) for name in ("claim", "fetch", "decide")}
    receipts: dict[str, bytes] = {}
    for name, act in acts.items():
        async with Desk(gateway, "pr:110108") as desk:
            answer = await getattr(desk, name)(handoff, act=act)
            receipts[name] = answer.receipt.SerializeToString()
        gateway.kill()
        gateway.start()
        async with Desk(gateway, "pr:110108") as desk:
            for done, receipt in receipts.items():
                again = await getattr(desk, done)(handoff, act=acts[done])
                assert again.receipt.SerializeToString() == receipt
    async with Desk(gateway, OVERSIGHT) as oversight:
        kinds = [entry.kind for entry in await audit(oversight) if entry.handoff == str(handoff)]
    assert kinds == [EntryKind.SUBMITTED, EntryKind.CLAIMED, EntryKind.FETCHED, EntryKind.ACCEPTED]


async def test_gateway_killed_during_an_upload_keeps_no_false_material(gateway: RunningGateway) -> None:
    """A material is whole or it is not there; after the kill the upload goes on and completes."""
    data = random.Random(1).randbytes(6 * 1024 * 1024)
    digest = sha256(data).hexdigest()
    async with Desk(gateway) as desk:
        header = material_pb2.UploadRequest(header=material_pb2.UploadHeader(sha256=digest, size=len(data)))
        call = desk.material.Upload()
        await call.write(header)
        for start in range(0, 4 * 1024 * 1024, 512 * 1024):
            await call.write(material_pb2.UploadRequest(chunk=data[start : start + 512 * 1024]))
        gateway.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    gateway.start()
    async with Desk(gateway) as desk:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [part async for part in desk.material.Download(material_pb2.DownloadRequest(sha256=digest))]
        assert read_refusal(caught.value).reason == "MATERIAL_UNKNOWN"
        (missing,) = (await desk.material.FindMissing(material_pb2.FindMissingRequest(sha256=[digest]))).missing
        rest = material_pb2.UploadHeader(sha256=digest, size=len(data), offset=missing.received_bytes)
        call = desk.material.Upload()
        await call.write(material_pb2.UploadRequest(header=rest))
        for start in range(missing.received_bytes, len(data), 512 * 1024):
            await call.write(material_pb2.UploadRequest(chunk=data[start : start + 512 * 1024]))
        await call.done_writing()
        assert (await call).size == len(data)
        got = [part.chunk async for part in desk.material.Download(material_pb2.DownloadRequest(sha256=digest))]
    assert b"".join(got) == data


async def test_watch_of_the_client_goes_on_after_the_gateway_was_killed(
    gateway: RunningGateway, signer: Issued
) -> None:
    """A consumer on our client does not notice a kill except by waiting: each handoff comes once."""
    bundles = _bundles(signer, 6)
    handoffs = list(bundles)
    async with Desk(gateway) as desk:
        await desk.upload(PDF)
    seen: list[UUID] = []

    async def submit(part: list[UUID]) -> None:
        async with Desk(gateway) as desk:
            for handoff in part:
                await desk.submit(*bundles[handoff])

    async with gateway.client("pr:110108") as client:
        async with Desk(gateway, OVERSIGHT) as oversight:
            stream = client.watch_inbox(after_cursor=len(await oversight.entries()))
        await submit(handoffs[:3])
        seen += [(await anext(stream))[0].handoff for _ in range(3)]
        gateway.kill()
        waiting = asyncio.ensure_future(anext(stream))
        gateway.start()
        await submit(handoffs[3:])
        seen.append((await waiting)[0].handoff)
        seen += [(await anext(stream))[0].handoff for _ in range(2)]
        await stream.aclose()  # type: ignore[attr-defined]
    assert seen == handoffs


async def test_gateway_told_to_stop_answers_what_it_has_taken(gateway: RunningGateway, signer: Issued) -> None:
    """SIGTERM under load: every call is answered or was never begun, and exactly what was answered is there."""
    load = Load(_bundles(signer, 60))
    async with Desk(gateway) as desk:
        await desk.upload(PDF)

        async def caller(handoff: UUID) -> None:
            load.sent.add(handoff)
            try:
                load.acknowledged[handoff] = (await desk.submit(*load.bundles[handoff])).receipt
            except grpc.aio.AioRpcError as error:
                # gRPC itself ends calls that reached a stopping server but no handler; it says one or the other.
                assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)

        calls = [asyncio.create_task(caller(handoff)) for handoff in load.bundles]
        while not load.acknowledged:
            await asyncio.sleep(0)
        await asyncio.to_thread(gateway.stop)
        await asyncio.gather(*calls)
    gateway.start()
    async with Desk(gateway, OVERSIGHT) as oversight:
        placed = _by_handoff(await audit(oversight), load)
    # An orderly stop leaves nothing in doubt: what was not acknowledged was not done.
    assert placed.keys() == load.acknowledged.keys()
