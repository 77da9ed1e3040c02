"""MaterialService: streams of bytes in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from gateway.core.errors import ErrorCode, refuse
from gateway.flows.material import find_missing, open_download, upload_material
from gateway.flows.parts import Parts
from gateway.flows.pull import verify_recording
from gateway.rpc.chain import caller_of_call
from gateway.rpc.wire import to_findings
from gateway.v1 import material_pb2 as pb
from gateway.v1 import material_pb2_grpc


class MaterialServicer(material_pb2_grpc.MaterialServiceServicer):
    """Documents and recordings, see material.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def FindMissing(self, request: pb.FindMissingRequest, context: Any) -> pb.FindMissingResponse:
        """Tell what is still to be uploaded."""
        missing = await find_missing(self._parts, caller_of_call(), list(request.sha256))
        return pb.FindMissingResponse(
            missing=[pb.MissingMaterial(sha256=digest, received_bytes=received) for digest, received in missing]
        )

    async def Upload(self, request_iterator: AsyncIterator[pb.UploadRequest], context: Any) -> pb.UploadResponse:
        """Take a material."""
        requests = aiter(request_iterator)
        first = await anext(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise refuse(ErrorCode.ARGUMENT_INVALID, "header", "the first message is the header")
        header = first.header
        stored = await upload_material(
            self._parts,
            caller_of_call(),
            sha256=header.sha256,
            size=header.size,
            offset=header.offset,
            chunks=_chunks(requests),
        )
        return pb.UploadResponse(sha256=stored.sha256, sm3=stored.sm3, size=stored.size)

    async def Download(self, request: pb.DownloadRequest, context: Any) -> AsyncIterator[pb.DownloadResponse]:
        """Send a material."""
        info, chunks = await open_download(
            self._parts, caller_of_call(), request.sha256, request.offset, request.length
        )
        yield pb.DownloadResponse(size=info.size)
        async for chunk in chunks:
            yield pb.DownloadResponse(chunk=chunk)

    async def VerifyRecording(self, request: pb.VerifyRecordingRequest, context: Any) -> pb.VerifyRecordingResponse:
        """Compare a recording with what its bundle says of it."""
        done = await verify_recording(
            self._parts, caller_of_call(), handoff_id=request.handoff_id, sha256=request.sha256
        )
        return pb.VerifyRecordingResponse(verified=done.is_verified, findings=to_findings(done.findings))


async def _chunks(requests: AsyncIterator[pb.UploadRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise refuse(ErrorCode.ARGUMENT_INVALID, "chunk", "after the header only chunks are expected")
        yield request.chunk
