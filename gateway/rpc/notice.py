"""NoticeService: from message to flow and back, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from gateway.core.clock.warning import WarningLevel
from gateway.core.entry import leaf_hash
from gateway.flows import notice
from gateway.flows.parts import Parts
from gateway.rpc.chain import caller_of_call
from gateway.rpc.wire import to_timestamp
from gateway.v1 import notice_pb2 as pb
from gateway.v1 import notice_pb2_grpc

LEVEL: Final = {level: pb.NoticeLevel.Value(f"NOTICE_LEVEL_{level.name}") for level in WarningLevel}


class NoticeServicer(notice_pb2_grpc.NoticeServiceServicer):
    """Notices of limits, see notice.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListNotices(self, request: pb.ListNoticesRequest, context: Any) -> pb.ListNoticesResponse:
        """List a page of notices."""
        items, token = await notice.list_notices(self._parts, caller_of_call(), request.page_size, request.page_token)
        return pb.ListNoticesResponse(items=map(_item, items), next_page_token=token)

    async def WatchNotices(
        self, request: pb.WatchNoticesRequest, context: Any
    ) -> AsyncIterator[pb.WatchNoticesResponse]:
        """Stream notices."""
        async for told in notice.watch_notices(self._parts, caller_of_call(), request.after_cursor):
            yield pb.WatchNoticesResponse(item=_item(told), cursor=told.notice.seq + 1)


def _item(told: notice.Told) -> pb.NoticeItem:
    row, rule, entry = told.notice, told.rule, told.notice.entry
    return pb.NoticeItem(
        entry_index=row.seq,
        recorded_at=to_timestamp(row.recorded_at),
        case_number=row.case_number,
        clock=entry.clock,
        step=entry.step,
        title=rule.title if rule is not None else "",
        article=rule.rule.citation if rule is not None else "",
        owner=rule.owner if rule is not None else "",
        level=LEVEL[WarningLevel(entry.level)],
        due=entry.due,
        person_key=told.person_key,
        person_pseudonym=entry.person,
        leaf=row.leaf,
        leaf_hash=leaf_hash(row.leaf),
    )
