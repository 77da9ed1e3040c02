"""Materials over the wire: seen by their owners and by the receivers of a handoff, by nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest

from gateway.core.digest import sha256_hex
from gateway.core.errors import ErrorCode
from gateway.v1 import material_pb2 as pb
from tests.rpc.conftest import Signers
from tests.support.bundle import new_case_number, sign, to_material, transfer_manifest, transfer_record
from tests.support.wire import Desk, Refused

E = ErrorCode


def _document() -> bytes:
    return f"%PDF-1.4 {uuid4()}".encode()


async def _missing(desk: Desk, *digests: str) -> list[tuple[str, int]]:
    answer = await desk.material.FindMissing(pb.FindMissingRequest(sha256=digests))
    return [(item.sha256, item.received_bytes) for item in answer.missing]


async def _download(desk: Desk, digest: str, offset: int = 0, length: int = 0) -> bytes:
    request = pb.DownloadRequest(sha256=digest, offset=offset, length=length)
    return b"".join([answer.chunk async for answer in desk.material.Download(request)])


async def test_material_travels_with_its_handoff_and_to_nobody_else(
    police: Desk, procuratorate: Desk, court: Desk, refused: Refused, signers: Signers
) -> None:
    """The receiver may read a material from the moment of the submit; a third party cannot even see that it exists."""
    data, case_number = _document(), new_case_number()
    digest = (await police.upload(data)).sha256
    unknown = (E.MATERIAL_UNKNOWN, "sha256")
    await refused(procuratorate, _download(procuratorate, digest), unknown)
    record = transfer_record(case_number, material=data)
    manifest = transfer_manifest(record, case_number, materials=(to_material(data),))
    await police.submit(sign(manifest, signers.police), record)
    assert await _download(procuratorate, digest) == data
    assert await _download(procuratorate, digest, 3, 5) == data[3:8]
    await refused(court, _download(court, digest), unknown)
    assert await _missing(court, digest) == [(digest, 0)]
    assert await _missing(procuratorate, digest) == []


async def test_material_of_another_agency_is_not_a_material_of_the_sender(
    police: Desk, refused: Refused, signers: Signers
) -> None:
    """Who knows a digest does not own the document: a bundle may name only what its sender has shown to have."""
    data, case_number = _document(), new_case_number()
    async with Desk(refused.gateway, "ps:110105") as other:
        await other.upload(data)
    record = transfer_record(case_number, material=data)
    jws = sign(transfer_manifest(record, case_number, materials=(to_material(data),)), signers.police)
    await refused(
        police, police.submit(jws, record), (E.MATERIAL_MISSING, "/materials/0/sha256"), case_number=case_number
    )
    await police.upload(data)
    assert (await police.submit(jws, record)).pair_number > 0


async def test_material_missing_may_be_uploaded_and_the_same_bundle_sent_again(
    police: Desk, refused: Refused, signers: Signers
) -> None:
    """A refusal for a missing material uses nothing up: the same signed bundle goes through afterwards."""
    data, case_number = _document(), new_case_number()
    record = transfer_record(case_number, material=data)
    jws = sign(transfer_manifest(record, case_number, materials=(to_material(data),)), signers.police)
    for _ in range(2):
        await refused(
            police, police.submit(jws, record), (E.MATERIAL_MISSING, "/materials/0/sha256"), case_number=case_number
        )
    await police.upload(data)
    answer = await police.submit(jws, record)
    assert (answer.replayed, bool(answer.receipt.jws)) == (False, True)


UPLOADS: list[tuple[dict[str, Any], tuple[ErrorCode, str]]] = [
    ({"sha256": "0" * 64}, (E.MATERIAL_DIGEST_MISMATCH, "sha256")),
    ({"sha256": "X" * 64}, (E.ARGUMENT_INVALID, "header.sha256")),
    ({"size": 64 * 1024**3 + 1}, (E.MATERIAL_TOO_LARGE, "header.size")),
]


@pytest.mark.parametrize(("changes", "found"), UPLOADS)
async def test_upload_that_is_not_what_it_announces_is_refused(
    changes: dict[str, Any], found: tuple[ErrorCode, str], police: Desk, refused: Refused
) -> None:
    """Nothing becomes a material unless its bytes have the digest and size that were announced."""
    data = _document()
    await refused(police, police.upload(data, **changes), found[0])
    assert await _missing(police, sha256_hex(data)) == [(sha256_hex(data), 0)]


async def test_upload_out_of_order_or_at_a_wrong_place_is_refused(police: Desk, refused: Refused) -> None:
    """The header comes first and once, and an upload goes on exactly where the last one stopped."""
    data = _document()
    digest = sha256_hex(data)
    header = pb.UploadRequest(header=pb.UploadHeader(sha256=digest, size=len(data)))
    chunk = pb.UploadRequest(chunk=data)
    ahead = pb.UploadRequest(header=pb.UploadHeader(sha256=digest, size=len(data), offset=5))
    negative = pb.UploadRequest(header=pb.UploadHeader(sha256=digest, size=len(data), offset=-1))
    await refused(police, police.upload_parts(), (E.ARGUMENT_INVALID, "header"))
    await refused(police, police.upload_parts(chunk), (E.ARGUMENT_INVALID, "header"))
    await refused(police, police.upload_parts(header, header), (E.ARGUMENT_INVALID, "chunk"))
    await refused(police, police.upload_parts(ahead, chunk), E.UPLOAD_OFFSET_WRONG)
    await refused(police, police.upload_parts(negative, chunk), (E.ARGUMENT_OUT_OF_RANGE, "header.offset"))
    await refused(police, police.upload_parts(header, chunk, chunk), E.MATERIAL_SIZE_MISMATCH)


async def test_upload_refused_while_it_is_sent_tells_its_sender_why(police: Desk, refused: Refused) -> None:
    """A client that sends on and on reads the finding all the same, not INTERNAL."""
    data = bytes(4 * 1024 * 1024)
    parts = [pb.UploadRequest(header=pb.UploadHeader(sha256=sha256_hex(data), size=len(data), offset=5))]
    parts += [pb.UploadRequest(chunk=data[at : at + 65536]) for at in range(0, len(data), 65536)]
    for _ in range(10):
        await refused(police, police.upload_parts(*parts), E.UPLOAD_OFFSET_WRONG)


async def test_upload_refused_that_never_ends_is_cut_off(police: Desk) -> None:
    """Nobody keeps the gateway reading: after so many bytes a refused stream is answered, whoever still sends."""
    sent = 0

    async def requests() -> AsyncIterator[pb.UploadRequest]:
        nonlocal sent
        while True:
            sent += 1
            yield pb.UploadRequest(chunk=bytes(512 * 1024))

    with pytest.raises(grpc.aio.AioRpcError):
        await police.material.Upload(requests())
    assert sent < 200


async def test_upload_goes_on_where_it_broke_off(police: Desk) -> None:
    """A broken upload keeps what arrived; the rest completes it."""
    data = _document() * 100_000
    digest, half = sha256_hex(data), 1024 * 1024
    cut = asyncio.Event()

    async def requests(offset: int, end: int) -> AsyncIterator[pb.UploadRequest]:
        yield pb.UploadRequest(header=pb.UploadHeader(sha256=digest, size=len(data), offset=offset))
        for start in range(offset, end, 256 * 1024):
            yield pb.UploadRequest(chunk=data[start : min(start + 256 * 1024, end)])
        if end < len(data):
            await cut.wait()

    broken = police.material.Upload(requests(0, half))
    while not (await _missing(police, digest))[0][1]:
        await asyncio.sleep(0.01)
    broken.cancel()
    received = await _settled(police, digest)
    assert 0 < received <= half
    stored = await police.material.Upload(requests(received, len(data)))
    assert (stored.sha256, stored.size) == (digest, len(data))
    assert await _download(police, digest) == data


async def _settled(desk: Desk, digest: str) -> int:
    """Bytes that the gateway keeps of a broken upload, once it has stopped growing."""
    before, received = -1, 0
    while before != received:
        await asyncio.sleep(0.1)
        before, ((_, received),) = received, await _missing(desk, digest)
    return received
