"""The typed client against a real gateway: retries, resumed transfers, and what it refuses to believe."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.cli.connection import open_client
from gateway.cli.draft import DraftRequest, make_draft
from gateway.cli.fetch import read_manifest
from gateway.core.errors import ErrorCode
from gateway.core.identity import parse_agency
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.rpc.client import GatewayClient, SubmittedBundle
from gateway.rpc.client_answer import Decision, Deficiency
from gateway.rpc.client_bundle import BundleDraft, make_bundle
from gateway.rpc.client_call import RetryPolicy
from gateway.rpc.client_error import CallRefused, EvidenceRejected, GatewayUnreachable
from gateway.rpc.client_material import CHUNK_BYTES, digest_file
from gateway.rpc.client_receipt import verify_receipt
from gateway.v1 import common_pb2
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.outbox import Outbox

PS, PR, OV = "ps:110108", "pr:110108", "ov:110000"
PATIENT = RetryPolicy(attempts=100, max_delay_seconds=1.0)
"""For a machine that is busy: the test itself ends in time, whatever it waits for."""


@pytest.fixture(scope="module")
def gateway(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """One gateway for this module."""
    with running_gateway(postgres_server, migrated_template, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """A transfer that nobody has handed over yet."""
    return Outbox(tmp_path)


async def draft_of(outbox: Outbox, client: GatewayClient) -> BundleDraft:
    """The draft of the transfer."""
    request = DraftRequest(outbox.record, parse_agency(PS), folders=[outbox.materials])
    return (await make_draft(request, client))[0]


async def submitted(outbox: Outbox, gateway: RunningGateway) -> SubmittedBundle:
    """The transfer, handed over."""
    async with gateway.client(PS) as client:
        return await client.submit_bundle(await draft_of(outbox, client))


class Line:
    """A TCP line to the gateway that is cut after a number of bytes in one direction, the first times it is used."""

    def __init__(self, target: str, *, cut_up: int = 0, cut_down: int = 0, cuts: int = 1) -> None:
        host, port = target.rsplit(":", 1)
        self._goal = (host, int(port))
        self._limits = (cut_up, cut_down)
        self._cuts = cuts
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.may_cut = threading.Event()
        self.may_cut.set()
        self.connections = 0
        self.passed_down = 0
        self.target = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(self._goal)
            self._sockets += [near, far]
            is_cut = self.connections <= self._cuts
            up, down = self._limits if is_cut else (0, 0)
            threading.Thread(target=self._pump, args=(near, far, up), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, down), kwargs={"is_down": True}, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int, *, is_down: bool = False) -> None:
        passed = 0
        try:
            while data := source.recv(16_384):
                passed += len(data)
                self.passed_down += len(data) if is_down else 0
                if limit and passed > limit:
                    self.may_cut.wait()
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.may_cut.set()
        for end in (self._server, *self._sockets):
            end.close()


@contextmanager
def cut_line(gateway: RunningGateway, **limits: int) -> Iterator[Line]:
    """A line to the gateway that will be cut."""
    line = Line(gateway.target, **limits)
    try:
        yield line
    finally:
        line.close()


def client_over(line: Line, gateway: RunningGateway, agency: str, retry: RetryPolicy | None = None) -> GatewayClient:
    """A client of an agency that calls over a line."""
    return open_client(replace(gateway.settings(agency), target=line.target), retry=retry)


def large_file(folder: Path, size: int) -> Path:
    """A file of a size with bytes that do not repeat."""
    path = folder / "recording.wav"
    path.write_bytes(hashlib.shake_256(str(folder).encode()).digest(size))
    return path


async def test_upload_cut_in_the_middle_goes_on_where_it_broke(gateway: RunningGateway, tmp_path: Path) -> None:
    """After a cut only the rest is sent; the gateway ends with the whole file and its right digest."""
    file = digest_file(large_file(tmp_path, 24 * CHUNK_BYTES))
    seen: list[int] = []
    async with gateway.client(PS, retry=PATIENT) as client:
        with cut_line(gateway, cut_up=12 * CHUNK_BYTES) as line:
            # The line stands still first: a cut before the gateway has put anything away would leave nothing to resume.
            line.may_cut.clear()
            async with client_over(line, gateway, PS, RetryPolicy(attempts=1)) as broken:
                upload = asyncio.create_task(broken.upload(file))
                while not (kept := (await client.find_missing([file.sha256]))[file.sha256]):
                    assert not upload.done()
                    await asyncio.sleep(0.02)
                line.may_cut.set()
                with pytest.raises(GatewayUnreachable):
                    await upload
        # Until the gateway has noticed the cut it refuses the offset, and the client asks again.
        assert await client.upload(file, progress=lambda done, total: seen.append(done)) is True
        assert await client.find_missing([file.sha256]) == {}
    assert 0 < kept <= seen[0] - CHUNK_BYTES
    assert seen[-1] == file.size


async def test_upload_cut_in_the_middle_is_repeated_by_itself(gateway: RunningGateway, tmp_path: Path) -> None:
    """One cut of the line is no failure of the upload."""
    file = digest_file(large_file(tmp_path, 12 * CHUNK_BYTES))
    with cut_line(gateway, cut_up=6 * CHUNK_BYTES) as line:
        async with client_over(line, gateway, PS) as client:
            assert await client.upload(file) is True
            assert await client.find_missing([file.sha256]) == {}
        assert line.connections == 2


async def test_upload_that_is_refused_while_it_is_sent_gives_the_finding(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    """The typed client tells why, not that a connection broke: here the file is longer than it says."""
    file = digest_file(large_file(tmp_path, 4 * CHUNK_BYTES))
    async with gateway.client(PS) as client:
        with pytest.raises(CallRefused) as caught:
            await client.upload(replace(file, size=file.size - CHUNK_BYTES - 1))
    assert [finding.code for finding in caught.value.findings] == [ErrorCode.MATERIAL_SIZE_MISMATCH]


async def test_upload_of_a_file_that_vanished_says_so(gateway: RunningGateway, tmp_path: Path) -> None:
    """A file that cannot be read any more is an error of the file, not of the gateway."""
    file = digest_file(large_file(tmp_path, CHUNK_BYTES))
    file.path.unlink()
    async with gateway.client(PS) as client:
        with pytest.raises(FileNotFoundError):
            await client.upload(file)


async def test_download_cut_in_the_middle_goes_on_where_it_broke(gateway: RunningGateway, tmp_path: Path) -> None:
    """After a cut the download takes the rest; the file appears whole, and nothing else is left beside it."""
    source = large_file(tmp_path, 12 * CHUNK_BYTES)
    file = digest_file(source)
    async with gateway.client(PS) as client:
        await client.upload(file)
    target = tmp_path / "out" / "copy.wav"
    target.parent.mkdir()
    seen: list[int] = []
    with cut_line(gateway, cut_down=6 * CHUNK_BYTES) as line:
        async with client_over(line, gateway, PS) as client:
            await client.download(file.sha256, target, progress=lambda done, total: seen.append(done))
        assert line.connections == 2
    assert target.read_bytes() == source.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["copy.wav"]
    assert seen == sorted(seen)


async def test_download_with_wrong_bytes_kept_from_before_is_thrown_away(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    """A partial file with other bytes cannot become the material: the digest decides, and no file appears."""
    file = digest_file(large_file(tmp_path, CHUNK_BYTES))
    async with gateway.client(PS) as client:
        await client.upload(file)
        target = tmp_path / "copy.wav"
        partial = tmp_path / f".copy.wav.{file.sha256[:16]}.part"
        partial.write_bytes(b"other bytes")
        with pytest.raises(EvidenceRejected):
            await client.download(file.sha256, target)
        assert not target.exists()
        assert not partial.exists()
        assert await client.download(file.sha256, target) == file.size


async def test_submit_whose_answer_is_lost_hands_over_once(gateway: RunningGateway, outbox: Outbox) -> None:
    """The line is cut while the answer is on its way; the client asks again and gets the first receipt."""
    async with gateway.client(PS) as client:
        draft = await draft_of(outbox, client)
        bundle = make_bundle(draft)
        await client.upload(bundle.files[0])
        manifest_jws = client.sign(bundle)
    with cut_line(gateway, cuts=0) as whole:
        async with client_over(whole, gateway, PS) as client:
            await client.find_missing(["0" * 64])
    # What handshake and a small answer bring down passes; the receipt is larger, and does not.
    with cut_line(gateway, cut_down=whole.passed_down + 300) as line:
        async with client_over(line, gateway, PS) as client:
            done = await client.submit(manifest_jws, bundle.record, bundle_id=draft.bundle_id)
        assert line.connections == 2
    assert done.is_replay
    async with gateway.client(OV) as oversight:
        timeline = await oversight.get_case_timeline(outbox.case_number)
    assert [row.entry.kind.value for row in timeline.entries] == ["submitted"]


async def test_watch_over_a_killed_gateway_loses_nothing(gateway: RunningGateway, tmp_path: Path) -> None:
    """A stream outlives kill -9 and restart of the gateway: every handoff comes once, in order."""
    first, second = Outbox(_folder(tmp_path, "first")), Outbox(_folder(tmp_path, "second"))
    wanted = [(await submitted(first, gateway)).submitted.receipt.entry.handoff]
    seen: list[str] = []
    async with gateway.client(PR) as client, aclosing(_watch(client)) as stream:
        while wanted[0] not in seen:
            seen.append(await anext(stream))
        gateway.kill()
        gateway.start()
        wanted.append((await submitted(second, gateway)).submitted.receipt.entry.handoff)
        while wanted[1] not in seen:
            seen.append(await asyncio.wait_for(anext(stream), 30))
    assert len(seen) == len(set(seen))


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


async def _watch(client: GatewayClient) -> AsyncGenerator[str]:
    async for row, _ in client.watch_inbox():
        yield str(row.handoff)


async def test_call_over_a_restart_is_answered_in_the_end(gateway: RunningGateway) -> None:
    """A call made while the gateway is down waits for it within the retry policy."""
    async with gateway.client(PS, retry=RetryPolicy(attempts=40, max_delay_seconds=0.5)) as client:
        await client.find_missing(["0" * 64])
        gateway.kill()
        call = asyncio.create_task(client.find_missing(["0" * 64]))
        await asyncio.to_thread(gateway.start)
        assert await asyncio.wait_for(call, 30) == {"0" * 64: 0}


async def test_call_to_nobody_gives_up_with_the_address(gateway: RunningGateway) -> None:
    """Without anybody there the client gives up after its attempts and says whom it called."""
    settings = replace(gateway.settings(PS), target="127.0.0.1:1")
    async with open_client(settings, retry=RetryPolicy(attempts=2, first_delay_seconds=0.01)) as client:
        with pytest.raises(GatewayUnreachable) as raised:
            await client.find_missing(["0" * 64])
    assert raised.value.target == "127.0.0.1:1"


async def test_act_with_the_same_id_gives_the_same_receipt(gateway: RunningGateway, outbox: Outbox) -> None:
    """Claim, fetch and decision repeated with their id are one entry each."""
    handoff = UUID((await submitted(outbox, gateway)).submitted.receipt.entry.handoff)
    acts = [uuid4() for _ in range(3)]
    receipts: list[list[int]] = []
    async with gateway.client(PR) as client:
        for _ in range(2):
            claimed = await client.claim(handoff, "desk", act_id=acts[0])
            fetched = await client.fetch(handoff, "desk", act_id=acts[1])
            decided = await client.decide(handoff, "desk", Decision.ACCEPT, act_id=acts[2])
            receipts.append([item.entry_index for item in (claimed.receipt, fetched.receipt, decided)])
    assert receipts[0] == receipts[1]
    assert read_manifest(fetched.manifest_jws, handoff).case_number == outbox.case_number


async def test_refusal_carries_all_findings_and_its_entry(gateway: RunningGateway, outbox: Outbox) -> None:
    """A refused decision tells every wrong field at once, and which ledger entry records the refusal."""
    handoff = UUID((await submitted(outbox, gateway)).submitted.receipt.entry.handoff)
    wrong = [Deficiency("D1", "", "x"), Deficiency("", "", " ")]
    async with gateway.client(PR) as client:
        with pytest.raises(CallRefused) as raised:
            await client.decide(handoff, "desk", Decision.ASK_SUPPLEMENT, deficiencies=wrong)
    assert {finding.path for finding in raised.value.findings} == {
        "deficiencies[0].document_code",
        "deficiencies[1].text",
    }
    assert raised.value.is_complete
    async with gateway.client(OV) as oversight:
        proof = await oversight.prove_inclusion(raised.value.entry_index or -1)
    assert proof.entry_index == raised.value.entry_index


async def test_refusal_with_more_findings_than_a_trailer_holds_is_complete(
    gateway: RunningGateway, outbox: Outbox
) -> None:
    """However many findings a submit has, the caller gets all of them: the rest is asked for by Validate."""
    async with gateway.client(PS) as client:
        draft = await draft_of(outbox, client)
        unknown = [hashlib.sha256(f"{outbox.message_no}{number}".encode()).hexdigest() for number in range(300)]
        draft = replace(draft, unchanged=unknown)
        with pytest.raises(CallRefused) as raised:
            await client.submit_bundle(draft)
    codes = [finding.code for finding in raised.value.findings]
    assert codes.count(ErrorCode.MATERIAL_MISSING) == 300


class OtherReceipts:
    """A verifier that finds every signature right, so that only the client's own comparison is left."""

    def verify_receipt(self, jws: str, *, leaf: bytes, is_fresh: bool) -> object:
        return jws

    def verify_reconcile(self, jws: str) -> dict[str, Any]:
        return {}


async def test_receipt_of_another_handoff_is_rejected(gateway: RunningGateway, outbox: Outbox) -> None:
    """A genuine receipt of another handoff is not taken for one's own, even with a right signature."""
    first = await submitted(outbox, gateway)
    receipt = first.submitted.receipt
    message = common_pb2.Receipt(
        jws=receipt.jws, leaf=receipt.leaf, leaf_hash=receipt.leaf_hash, entry_index=receipt.entry_index
    )
    own = UUID(receipt.entry.handoff)
    kinds = [receipt.entry.kind]
    assert verify_receipt(message, OtherReceipts(), handoff=own, kinds=kinds).entry == receipt.entry
    with pytest.raises(EvidenceRejected):
        verify_receipt(message, OtherReceipts(), handoff=uuid4(), kinds=kinds)
    message.entry_index += 1
    with pytest.raises(EvidenceRejected):
        verify_receipt(message, OtherReceipts(), handoff=own, kinds=kinds)
    message.entry_index -= 1
    message.leaf_hash = bytes(32)
    with pytest.raises(EvidenceRejected):
        verify_receipt(message, OtherReceipts(), handoff=own, kinds=kinds)


async def test_reconcile_statement_that_is_not_the_gateways_is_rejected(
    gateway: RunningGateway, outbox: Outbox
) -> None:
    """Numbers without a gateway's signed word for them are not taken for complete."""
    await submitted(outbox, gateway)
    async with gateway.client(PS) as client:
        done = await client.reconcile(parse_agency(PR), is_sent=True)
        assert done.last_number == len(done.rows) > 0
        client.verifier = OtherReceipts()
        with pytest.raises(EvidenceRejected):
            await client.reconcile(parse_agency(PR), is_sent=True)
