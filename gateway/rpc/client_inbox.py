"""Calls of ExchangeService that list: the inbox, its stream, and the numbers of a direction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.core.entry import HandoffState
from gateway.core.errors import GatewayError
from gateway.core.identity import Agency
from gateway.core.port.ledger import InboxRow, NumberedRow
from gateway.rpc.client_answer import Reconciled
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_receipt import GatewayVerifier
from gateway.rpc.client_wire import from_inbox_item, parse_state, to_states
from gateway.v1 import exchange_pb2 as wire
from gateway.v1.exchange_pb2_grpc import ExchangeServiceStub

if TYPE_CHECKING:
    from gateway.v1.exchange_pb2_grpc import ExchangeServiceAsyncStub


class InboxCalls(Connection):
    """Calls of ExchangeService that list."""

    verifier: GatewayVerifier

    @property
    def _inbox(self) -> ExchangeServiceAsyncStub:
        return ExchangeServiceStub(self.channel)

    async def list_inbox(self, states: Sequence[HandoffState] = (), *, page_size: int = 500) -> AsyncIterator[InboxRow]:
        """Go through the caller's inbox, oldest first, page by page.

        Args:
            states: states wanted; empty for those not decided.
            page_size: 1 to 500.

        Yields:
            one row for each handoff.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no answer.
        """
        token = ""
        while True:
            answer = await self.unary(
                self._inbox.ListInbox,
                wire.ListInboxRequest(states=to_states(states), page_size=page_size, page_token=token),
            )
            for item in answer.items:
                yield from_inbox_item(item)
            token = answer.next_page_token
            if not token:
                return

    async def watch_inbox(self, after_cursor: int = 0) -> AsyncIterator[tuple[InboxRow, int]]:
        """Follow the caller's inbox; a broken stream is taken up again where it broke.

        Args:
            after_cursor: cursor of the last item seen; 0 for the oldest.

        Yields:
            the row and its cursor, without end.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no connection, also after all attempts in a row.
        """

        def request(cursor: int) -> wire.WatchInboxRequest:
            return wire.WatchInboxRequest(after_cursor=cursor)

        async with aclosing(self.follow(self._inbox.WatchInbox, "WatchInbox", request, after_cursor)) as messages:
            async for message in messages:
                yield from_inbox_item(message.item), message.cursor

    async def reconcile(
        self, peer: Agency, *, is_sent: bool, after_number: int = 0, page_size: int = 1000
    ) -> Reconciled:
        """List the numbers of one direction, all pages, and check that there is no gap.

        Args:
            peer: the other agency.
            is_sent: True for caller to peer, False for peer to caller.
            after_number: the last number known.
            page_size: 1 to 1,000.

        Returns:
            every number after the known one.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no answer.
            EvidenceRejected: a number is missing or stands twice, or the gateway's statement does not verify.
        """
        rows: list[NumberedRow] = []
        last = after_number
        while True:
            answer = await self.unary(
                self._inbox.Reconcile,
                wire.ReconcileRequest(
                    peer=str(peer),
                    direction=wire.DIRECTION_SENT if is_sent else wire.DIRECTION_RECEIVED,
                    after_number=last,
                    page_size=page_size,
                ),
            )
            for item in answer.items:
                if item.pair_number != last + 1:
                    raise EvidenceRejected(f"number {last + 1} of this direction is missing")
                last = item.pair_number
                rows.append(_numbered(item))
            if not answer.items or last >= answer.last_number:
                break
        if last < answer.last_number:
            raise EvidenceRejected(f"number {last + 1} of this direction is missing")
        self._verify_statement(answer, peer, is_sent=is_sent)
        return Reconciled(tuple(rows), answer.last_number, answer.statement_jws)

    def _verify_statement(self, answer: wire.ReconcileResponse, peer: Agency, *, is_sent: bool) -> None:
        try:
            claims = self.verifier.verify_reconcile(answer.statement_jws)
        except GatewayError as error:
            raise EvidenceRejected(f"the statement of reconciliation does not verify: {error}") from error
        if claims.get("receiver" if is_sent else "sender") != str(peer) or (
            claims.get("last_number") != answer.last_number
        ):
            raise EvidenceRejected("the statement of reconciliation is for another direction or number")


def _numbered(item: wire.ReconcileItem) -> NumberedRow:
    return NumberedRow(
        item.pair_number,
        UUID(item.handoff_id),
        item.bundle_sha256,
        item.entry_index,
        item.leaf_hash,
        parse_state(item.state),
    )
