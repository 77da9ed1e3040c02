"""Calls of MaterialService: only what is missing is sent, and a broken transfer goes on where it broke."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import grpc

from gateway.core.errors import Finding
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import CallRefused, EvidenceRejected, to_exception
from gateway.rpc.client_wire import from_findings
from gateway.v1 import material_pb2 as wire
from gateway.v1.material_pb2_grpc import MaterialServiceStub

if TYPE_CHECKING:
    from gateway.v1.material_pb2_grpc import MaterialServiceAsyncStub

CHUNK_BYTES: Final = 256 * 1024
MAX_DIGESTS: Final = 1000
Progress = Callable[[int, int], None]
"""Told bytes done and bytes in all, often."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What identifies a file.

    Args:
        path: the file.
        size: bytes.
        sha256: 64 hexadecimal digits.
        sm3: 64 hexadecimal digits.
    """

    path: Path
    size: int
    sha256: str
    sm3: str


def digest_file(path: Path) -> FileDigest:
    """Read a file once and compute both digests.

    Args:
        path: the file.

    Returns:
        size and digests.

    Raises:
        OSError: it cannot be read.

    Source: FIPS 180-4; GB/T 32905-2016.
    """
    sha256, sm3, size = hashlib.sha256(), hashlib.new("sm3"), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
            sm3.update(chunk)
            size += len(chunk)
    return FileDigest(path, size, sha256.hexdigest(), sm3.hexdigest())


class MaterialCalls(Connection):
    """Calls of MaterialService."""

    @property
    def _materials(self) -> MaterialServiceAsyncStub:
        return MaterialServiceStub(self.channel)

    async def find_missing(self, digests: Sequence[str]) -> dict[str, int]:
        """Ask which materials the caller still has to upload.

        Args:
            digests: SHA-256, 64 hexadecimal digits each; any number.

        Returns:
            for each missing digest the bytes that an earlier broken upload left at the gateway.

        Raises:
            CallRefused: a digest has another form.
            GatewayUnreachable: no answer.
        """
        missing: dict[str, int] = {}
        for start in range(0, len(digests), MAX_DIGESTS):
            answer = await self.unary(
                self._materials.FindMissing,
                wire.FindMissingRequest(sha256=digests[start : start + MAX_DIGESTS]),
            )
            missing.update((item.sha256, item.received_bytes) for item in answer.missing)
        return missing

    async def upload(self, file: FileDigest, *, progress: Progress | None = None) -> bool:
        """Upload a material unless the gateway has it; after a broken stream only the rest is sent.

        Args:
            file: the file and its digests.
            progress: told how far it is.

        Returns:
            False when nothing had to be sent.

        Raises:
            CallRefused: digest or size are not those of the file, and others.
            GatewayUnreachable: no answer; run it again to go on.
            EvidenceRejected: the gateway stored something else.
        """
        is_sent = False
        unreadable: list[OSError] = []

        async def once() -> bool:
            nonlocal is_sent
            missing = await self.find_missing([file.sha256])
            if file.sha256 not in missing:
                return is_sent
            is_sent = True
            call = self._materials.Upload(
                _upload_requests(file, missing[file.sha256], progress, unreadable), metadata=self.metadata()
            )
            try:
                stored = await call
            except (grpc.aio.AioRpcError, asyncio.CancelledError):
                # What goes wrong while the file is read reaches gRPC only as a cancelled call.
                if unreadable:
                    raise unreadable[0] from None
                raise
            finally:
                call.cancel()
            if (stored.sha256, stored.sm3, stored.size) != (file.sha256, file.sm3, file.size):
                raise EvidenceRejected("the gateway stored something else than the file")
            return True

        result = await self.attempt(once, "Upload")
        if progress is not None:
            progress(file.size, file.size)
        return result

    async def verify_recording(self, handoff: UUID, sha256: str) -> tuple[bool, tuple[Finding, ...]]:
        """Ask whether a recording that was asked for is what its bundle says of it.

        Args:
            handoff: that brought it.
            sha256: of the recording, 64 hexadecimal digits.

        Returns:
            whether it is verified, and why not.

        Raises:
            CallRefused: HANDOFF_UNKNOWN, NOT_A_PARTY, MATERIAL_UNKNOWN, MATERIAL_ON_REQUEST.
            GatewayUnreachable: no answer.
        """
        request = wire.VerifyRecordingRequest(handoff_id=str(handoff), sha256=sha256)
        answer = await self.unary(self._materials.VerifyRecording, request)
        return answer.verified, from_findings(answer.findings)

    async def download(self, sha256: str, target: Path, *, progress: Progress | None = None) -> int:
        """Download a material to a file, which appears only when it is complete and its digest is right.

        What a broken download left beside the target (``.part``) is used again.

        Args:
            sha256: of the material, 64 hexadecimal digits.
            target: the file; replaced if it exists.
            progress: told how far it is.

        Returns:
            size in bytes.

        Raises:
            CallRefused: MATERIAL_UNKNOWN when the caller may not see it or it does not exist.
            GatewayUnreachable: no answer; run it again to go on.
            EvidenceRejected: the bytes have another digest; nothing is left at the target.
            OSError: the file cannot be written.
        """
        partial = target.with_name(f".{target.name}.{sha256[:16]}.part")
        with partial.open("ab") as file:
            number = 0
            while True:
                number += 1
                before = file.tell()
                try:
                    await self._receive(sha256, file.fileno(), before, progress)
                    break
                except grpc.aio.AioRpcError as error:
                    file.seek(0, os.SEEK_END)
                    # Bytes that arrived are progress: the count of attempts begins again.
                    number = number if file.tell() == before else 1
                    failure = to_exception(error, target=self.target, method="Download")
                    delay = self.retry.delay_seconds(number, failure)
                    if delay is None:
                        if isinstance(failure, CallRefused):
                            partial.unlink()
                        raise failure from error
                await asyncio.sleep(delay)
            os.fsync(file.fileno())
        digest = await asyncio.to_thread(digest_file, partial)
        if digest.sha256 != sha256:
            partial.unlink()
            raise EvidenceRejected("the material has another digest than it is named by; it was thrown away")
        partial.replace(target)
        return digest.size

    async def _receive(self, sha256: str, descriptor: int, offset: int, progress: Progress | None) -> None:
        size = 0
        call = self._materials.Download(wire.DownloadRequest(sha256=sha256, offset=offset), metadata=self.metadata())
        try:
            async for message in call:
                size = size or message.size
                os.write(descriptor, message.chunk)
                offset += len(message.chunk)
                if progress is not None:
                    progress(offset, size)
        finally:
            call.cancel()


async def _upload_requests(
    file: FileDigest, offset: int, progress: Progress | None, unreadable: list[OSError]
) -> AsyncIterator[wire.UploadRequest]:
    yield wire.UploadRequest(header=wire.UploadHeader(sha256=file.sha256, size=file.size, offset=offset))
    try:
        with file.path.open("rb") as source:
            source.seek(offset)
            while chunk := source.read(CHUNK_BYTES):
                yield wire.UploadRequest(chunk=chunk)
                offset += len(chunk)
                if progress is not None:
                    progress(offset, file.size)
    except OSError as error:
        unreadable.append(error)
        raise
