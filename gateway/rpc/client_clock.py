"""The call of ClockService: how the limits of a case run."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from gateway.core.clock.due import Moment, Suspension
from gateway.core.clock.view import CaseClocks, ClockView
from gateway.core.clock.warning import ClockWarning, WarningLevel
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_wire import from_timestamp
from gateway.v1 import clock_pb2 as wire
from gateway.v1 import notice_pb2
from gateway.v1.clock_pb2_grpc import ClockServiceStub

if TYPE_CHECKING:
    from gateway.v1.clock_pb2_grpc import ClockServiceAsyncStub

_DAY_CHARACTERS = 10
_LEVEL = {notice_pb2.NoticeLevel.Value(f"NOTICE_LEVEL_{level.name}"): level for level in WarningLevel}


class ClockCalls(Connection):
    """Calls of ClockService."""

    @property
    def _clocks(self) -> ClockServiceAsyncStub:
        return ClockServiceStub(self.channel)

    async def get_case_clocks(self, case_number: str) -> CaseClocks:
        """Ask how the limits of a case run.

        Args:
            case_number: police case number.

        Returns:
            the limits that the caller may see.

        Raises:
            CallRefused: the caller is no party of the case.
            GatewayUnreachable: no answer.
            EvidenceRejected: a value that this client does not know.
        """
        answer = await self.unary(self._clocks.GetCaseClocks, wire.GetCaseClocksRequest(case_number=case_number))
        return CaseClocks(
            clocks=tuple(_view(item) for item in answer.clocks),
            due=_moment(answer.due),
            due_clock=answer.due_clock,
            problem=answer.problem,
            is_partial=answer.partial,
            now=from_timestamp(answer.counted_at),
            counted_by=answer.counted_by,
        )


def _moment(text: str) -> Moment | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) == _DAY_CHARACTERS else datetime.fromisoformat(text)
    except ValueError:
        raise EvidenceRejected("the gateway sent a time that this client cannot read") from None


def _required(text: str) -> Moment:
    moment = _moment(text)
    if moment is None:
        raise EvidenceRejected("the gateway sent a limit without a start")
    return moment


def _warning(item: wire.ClockWarningPoint) -> ClockWarning:
    if item.level not in _LEVEL:
        raise EvidenceRejected(f"the gateway sent a level that this client does not know: {item.level}")
    return ClockWarning(_LEVEL[item.level], from_timestamp(item.at))


def _view(item: wire.ClockItem) -> ClockView:
    rolled, advisory = _moment(item.rolled_from), _moment(item.advisory)
    return ClockView(
        person=item.person_pseudonym,
        person_key=item.person_key,
        clock=item.clock,
        step=item.step,
        title=item.title,
        article=item.article,
        owner=item.owner,
        is_hard=item.hard,
        start=_required(item.start),
        due=_moment(item.due),
        rolled_from=rolled.date() if isinstance(rolled, datetime) else rolled,
        advisory=advisory if isinstance(advisory, datetime) else None,
        stopped_at=_moment(item.stopped_at),
        is_suspended=item.suspended,
        is_breached=item.breached,
        suspensions=tuple(Suspension(_required(one.start), _moment(one.end), one.by) for one in item.suspensions),
        warnings=tuple(map(_warning, item.warnings)),
        problem=item.problem,
    )
