"""EnquiryService: from message to flow and back, nothing else."""

from __future__ import annotations

from typing import Any

from gateway.flows.enquiry import read_progress
from gateway.flows.parts import Parts
from gateway.rpc.chain import caller_of_call
from gateway.v1 import enquiry_pb2 as pb
from gateway.v1 import enquiry_pb2_grpc


class EnquiryServicer(enquiry_pb2_grpc.EnquiryServiceServicer):
    """The progress of a case, see enquiry.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GetProgress(self, request: pb.GetProgressRequest, context: Any) -> pb.GetProgressResponse:
        """Tell how a case stands."""
        told = await read_progress(self._parts, caller_of_call(), request.code)
        remedy = f"PROGRESS_REMEDY_{told.next_remedy}" if told.next_remedy else "PROGRESS_REMEDY_UNSPECIFIED"
        return pb.GetProgressResponse(
            stage=pb.ProgressStage.Value(f"PROGRESS_STAGE_{told.stage}"),
            on=told.since,
            next_remedy=pb.ProgressRemedy.Value(remedy),
            remedy_until=told.remedy_until,
        )
