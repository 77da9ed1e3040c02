"""ClockService: from message to flow and back, nothing else."""

from __future__ import annotations

from typing import Any

from gateway.core.clock.due import Moment
from gateway.core.clock.view import ClockView
from gateway.core.fact.fact import to_moment_text
from gateway.flows.case_clock import read_case_clocks
from gateway.flows.parts import Parts
from gateway.rpc.chain import caller_of_call
from gateway.rpc.notice import LEVEL
from gateway.rpc.wire import to_timestamp
from gateway.v1 import clock_pb2 as pb
from gateway.v1 import clock_pb2_grpc


class ClockServicer(clock_pb2_grpc.ClockServiceServicer):
    """Limits of a case, see clock.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GetCaseClocks(self, request: pb.GetCaseClocksRequest, context: Any) -> pb.GetCaseClocksResponse:
        """Give the limits of a case."""
        found = await read_case_clocks(self._parts, caller_of_call(), request.case_number)
        return pb.GetCaseClocksResponse(
            clocks=map(_item, found.clocks),
            due=_text(found.due),
            due_clock=found.due_clock,
            problem=found.problem,
            partial=found.is_partial,
            counted_at=to_timestamp(found.now),
            counted_by=found.counted_by,
        )


def _text(moment: Moment | None) -> str:
    return to_moment_text(moment) if moment is not None else ""


def _item(view: ClockView) -> pb.ClockItem:
    return pb.ClockItem(
        person_key=view.person_key,
        person_pseudonym=view.person,
        clock=view.clock,
        step=view.step,
        title=view.title,
        article=view.article,
        owner=view.owner,
        hard=view.is_hard,
        start=_text(view.start),
        due=_text(view.due),
        rolled_from=_text(view.rolled_from),
        stopped_at=_text(view.stopped_at),
        advisory=_text(view.advisory),
        suspended=view.is_suspended,
        breached=view.is_breached,
        suspensions=[
            pb.ClockSuspension(start=_text(item.start), end=_text(item.end), by=item.by) for item in view.suspensions
        ],
        warnings=[pb.ClockWarningPoint(level=LEVEL[item.level], at=to_timestamp(item.at)) for item in view.warnings],
        problem=view.problem,
    )
