"""The call of EnquiryService, for party self-service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.core.access.enquiry import Progress
from gateway.rpc.client_call import Connection
from gateway.v1 import enquiry_pb2 as wire
from gateway.v1.enquiry_pb2_grpc import EnquiryServiceStub

if TYPE_CHECKING:
    from gateway.v1.enquiry_pb2_grpc import EnquiryServiceAsyncStub

_NONE: Final = "UNSPECIFIED"


class EnquiryCalls(Connection):
    """Calls of EnquiryService."""

    @property
    def _enquiry(self) -> EnquiryServiceAsyncStub:
        return EnquiryServiceStub(self.channel)

    async def get_progress(self, code: str) -> Progress:
        """Ask how a case stands.

        Args:
            code: as it stands on the receipt.

        Returns:
            all that is told.

        Raises:
            CallRefused: ENQUIRY_UNKNOWN, ENQUIRY_TOO_OFTEN, ARGUMENT_INVALID; METHOD_NOT_ALLOWED for an agency.
            GatewayUnreachable: no answer.
        """
        answer = await self.unary(self._enquiry.GetProgress, wire.GetProgressRequest(code=code))
        remedy = wire.ProgressRemedy.Name(answer.next_remedy).removeprefix("PROGRESS_REMEDY_")
        return Progress(
            stage=wire.ProgressStage.Name(answer.stage).removeprefix("PROGRESS_STAGE_"),
            since=answer.on,
            next_remedy="" if remedy == _NONE else remedy,
            remedy_until=answer.remedy_until,
        )
