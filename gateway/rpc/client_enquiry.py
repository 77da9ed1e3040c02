"""The call of EnquiryService, for party self-service."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from gateway.core.access.enquiry import Progress
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import EvidenceRejected
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
            EvidenceRejected: the answer is none that this client knows.
        """
        return read_progress(await self.unary(self._enquiry.GetProgress, wire.GetProgressRequest(code=code)))


def read_progress(answer: wire.GetProgressResponse) -> Progress:
    """Read an answer.

    Args:
        answer: as it came.

    Returns:
        all that is told.

    Raises:
        EvidenceRejected: a stage or remedy that this client does not know, or what should be a day is none.
    """
    try:
        stage = wire.ProgressStage.Name(answer.stage).removeprefix("PROGRESS_STAGE_")
        remedy = wire.ProgressRemedy.Name(answer.next_remedy).removeprefix("PROGRESS_REMEDY_")
        days = [date.fromisoformat(day).isoformat() for day in (answer.on, answer.remedy_until) if day]
    except ValueError as error:
        raise EvidenceRejected(f"the gateway sent an answer that this client does not know: {error}") from error
    if stage == _NONE or not answer.on:
        raise EvidenceRejected("the gateway sent an answer without stage or day")
    until = days[1] if answer.remedy_until else ""
    return Progress(stage=stage, since=days[0], next_remedy="" if remedy == _NONE else remedy, remedy_until=until)
