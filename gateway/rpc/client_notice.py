"""Calls of NoticeService: what the caller is told of statutory limits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.core.clock.warning import WarningLevel
from gateway.core.entry import Entry, EntryKind, from_leaf, leaf_hash
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import EvidenceRejected
from gateway.v1 import notice_pb2 as wire
from gateway.v1.notice_pb2_grpc import NoticeServiceStub

if TYPE_CHECKING:
    from gateway.v1.notice_pb2_grpc import NoticeServiceAsyncStub

_KINDS = (EntryKind.CLOCK_WARNED, EntryKind.CLOCK_BREACHED)


@dataclass(frozen=True, slots=True)
class ClockNotice:
    """A notice; what its leaf says was read from the leaf, whose hash was checked.

    Args:
        index: of the entry.
        recorded_at: gateway time, aware UTC.
        case_number: police case number; "" when the records of the case are gone.
        clock: id of the limit.
        step: which of the limits of that id; "" when there is one.
        title: what the limit is.
        article: legal basis.
        owner: system whose duty it is, or ``holder``.
        level: what is said.
        due: last day or last instant; "" when it cannot be counted.
        person_key: "" when there is none or it is not known to the caller.
        person_pseudonym: 32 hexadecimal digits; "" for a limit of the file.
        leaf: canonical bytes of the entry.
        leaf_hash: 32 bytes.
    """

    index: int
    recorded_at: datetime
    case_number: str
    clock: str
    step: str
    title: str
    article: str
    owner: str
    level: WarningLevel
    due: str
    person_key: str
    person_pseudonym: str
    leaf: bytes
    leaf_hash: bytes


class NoticeCalls(Connection):
    """Calls of NoticeService."""

    @property
    def _notices(self) -> NoticeServiceAsyncStub:
        return NoticeServiceStub(self.channel)

    async def list_notices(self, *, page_size: int = 200) -> AsyncIterator[ClockNotice]:
        """Go through the notices to the caller, oldest first, page by page.

        Args:
            page_size: 1 to 500.

        Yields:
            each notice.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no answer.
            EvidenceRejected: a notice and its leaf do not belong together.
        """
        token = ""
        while True:
            answer = await self.unary(
                self._notices.ListNotices, wire.ListNoticesRequest(page_size=page_size, page_token=token)
            )
            for item in answer.items:
                yield verify_notice(item)
            token = answer.next_page_token
            if not token:
                return

    async def watch_notices(self, after_cursor: int = 0) -> AsyncGenerator[tuple[ClockNotice, int], None]:
        """Follow the notices to the caller; a broken stream is taken up again where it broke.

        Args:
            after_cursor: cursor of the last item seen; 0 for the oldest.

        Yields:
            the notice and its cursor, without end.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no connection, also after all attempts in a row.
            EvidenceRejected: a notice and its leaf do not belong together.
        """

        def request(cursor: int) -> wire.WatchNoticesRequest:
            return wire.WatchNoticesRequest(after_cursor=cursor)

        async with aclosing(self.follow(self._notices.WatchNotices, "WatchNotices", request, after_cursor)) as messages:
            async for message in messages:
                yield verify_notice(message.item), message.cursor


def verify_notice(message: wire.NoticeItem) -> ClockNotice:
    """Read a notice from its leaf and check that hash, index and leaf belong together.

    Args:
        message: as the gateway sent it; clock, level, due and person repeat the leaf and are read from there.

    Returns:
        the notice.

    Raises:
        EvidenceRejected: they do not belong together, or the leaf is no entry about a limit.
    """
    if leaf_hash(message.leaf) != message.leaf_hash:
        raise EvidenceRejected(f"notice {message.entry_index}: the hash is not the hash of its leaf")
    try:
        entry = from_leaf(message.leaf)
    except (ValueError, TypeError, KeyError) as error:
        raise EvidenceRejected(f"notice {message.entry_index}: its leaf cannot be read") from error
    if entry.index != message.entry_index or entry.kind not in _KINDS:
        raise EvidenceRejected(f"notice {message.entry_index}: the leaf is that of another entry")
    return ClockNotice(
        index=entry.index,
        recorded_at=entry.recorded_at,
        case_number=message.case_number,
        clock=entry.clock,
        step=entry.step,
        title=message.title,
        article=message.article,
        owner=message.owner,
        level=_level(entry),
        due=entry.due,
        person_key=message.person_key,
        person_pseudonym=entry.person,
        leaf=message.leaf,
        leaf_hash=message.leaf_hash,
    )


def _level(entry: Entry) -> WarningLevel:
    try:
        return WarningLevel(entry.level)
    except ValueError:
        raise EvidenceRejected(f"notice {entry.index}: a level that this client does not know") from None
