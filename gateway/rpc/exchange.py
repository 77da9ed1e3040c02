"""ExchangeService: from message to flow and back, nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, refuse
from gateway.flows import decide, fetch, reconcile, state
from gateway.flows.check import check_bundle
from gateway.flows.parts import Parts
from gateway.flows.submit import submit_bundle
from gateway.flows.witness import read_sealed
from gateway.rpc import wire
from gateway.rpc.chain import caller_of_call
from gateway.v1 import exchange_pb2 as pb
from gateway.v1 import exchange_pb2_grpc

_DECISION: Final = {
    pb.DECISION_ACCEPT: EntryKind.ACCEPTED,
    pb.DECISION_ASK_SUPPLEMENT: EntryKind.SUPPLEMENT_ASKED,
    pb.DECISION_REFUSE: EntryKind.REFUSED,
}
_DIRECTION: Final = {pb.DIRECTION_SENT: True, pb.DIRECTION_RECEIVED: False}


class ExchangeServicer(exchange_pb2_grpc.ExchangeServiceServicer):
    """The way of a handoff, see exchange.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def Validate(self, request: pb.ValidateRequest, context: Any) -> pb.ValidateResponse:
        """Check a bundle and tell all findings."""
        checked = await check_bundle(self._parts, caller_of_call(), request.manifest_jws, request.record)
        return pb.ValidateResponse(acceptable=checked.is_acceptable, findings=wire.to_findings(checked.findings))

    async def Submit(self, request: pb.SubmitRequest, context: Any) -> pb.SubmitResponse:
        """Commit a bundle."""
        submitted = await submit_bundle(self._parts, caller_of_call(), request.manifest_jws, request.record)
        return pb.SubmitResponse(
            receipt=wire.to_receipt(submitted.appended),
            pair_number=submitted.pair_number,
            warnings=wire.to_findings(submitted.warnings),
            replayed=submitted.appended.is_replay,
        )

    async def ListInbox(self, request: pb.ListInboxRequest, context: Any) -> pb.ListInboxResponse:
        """List a page of the inbox."""
        rows, token = await fetch.list_inbox(
            self._parts, caller_of_call(), wire.parse_states(request.states), request.page_size, request.page_token
        )
        return pb.ListInboxResponse(items=[wire.to_inbox_item(row) for row in rows], next_page_token=token)

    async def WatchInbox(self, request: pb.WatchInboxRequest, context: Any) -> AsyncIterator[pb.WatchInboxResponse]:
        """Stream the inbox."""
        async for row in fetch.watch_inbox(self._parts, caller_of_call(), request.after_cursor):
            yield pb.WatchInboxResponse(item=wire.to_inbox_item(row), cursor=row.index + 1)

    async def Claim(self, request: pb.ClaimRequest, context: Any) -> pb.ClaimResponse:
        """Take a lease."""
        appended, until = await fetch.claim_handoff(
            self._parts,
            caller_of_call(),
            handoff_id=request.handoff_id,
            consumer=request.consumer,
            lease_seconds=request.lease_seconds,
            act_id=request.act_id,
        )
        return pb.ClaimResponse(receipt=wire.to_receipt(appended), lease_until=wire.to_timestamp(until))

    async def Fetch(self, request: pb.FetchRequest, context: Any) -> pb.FetchResponse:
        """Give original and rendition."""
        fetched = await fetch.fetch_handoff(
            self._parts,
            caller_of_call(),
            handoff_id=request.handoff_id,
            consumer=request.consumer,
            act_id=request.act_id,
        )
        return wire.to_fetch_response(fetched)

    async def Decide(self, request: pb.DecideRequest, context: Any) -> pb.DecideResponse:
        """Record a decision."""
        appended = await decide.decide_handoff(
            self._parts,
            caller_of_call(),
            handoff_id=request.handoff_id,
            consumer=request.consumer,
            act_id=request.act_id,
            decision=_DECISION.get(request.decision),
            deficiencies=[
                decide.Deficiency(item.document_code, item.person_key, item.text) for item in request.deficiencies
            ],
            reasons=[decide.Reason(item.code, item.text) for item in request.reasons],
        )
        return pb.DecideResponse(receipt=wire.to_receipt(appended))

    async def Withdraw(self, request: pb.WithdrawRequest, context: Any) -> pb.WithdrawResponse:
        """Take a handoff back."""
        appended = await decide.withdraw_handoff(
            self._parts,
            caller_of_call(),
            handoff_id=request.handoff_id,
            act_id=request.act_id,
            reason=request.reason,
        )
        return pb.WithdrawResponse(receipt=wire.to_receipt(appended))

    async def GetReceipt(self, request: pb.GetReceiptRequest, context: Any) -> pb.GetReceiptResponse:
        """Give the receipts of a handoff, or that of a statement."""
        if request.statement_id:
            if request.handoff_id:
                raise refuse(ErrorCode.ARGUMENT_INVALID, "statement_id", "name a handoff or a statement, not both")
            statement = await state.read_statement(self._parts, caller_of_call(), request.statement_id)
            receipts = (statement.appended,)
            proofs = await read_sealed(self._parts, receipts, request.wait_seconds)
            return pb.GetReceiptResponse(receipts=map(wire.to_receipt, receipts), sealed_proofs=proofs)
        stored = await reconcile.read_receipt(self._parts, caller_of_call(), request.handoff_id)
        return wire.to_receipt_response(stored, await read_sealed(self._parts, stored.receipts, request.wait_seconds))

    async def Reconcile(self, request: pb.ReconcileRequest, context: Any) -> pb.ReconcileResponse:
        """List the numbers of a direction."""
        done = await reconcile.reconcile(
            self._parts,
            caller_of_call(),
            peer=request.peer,
            is_sent=_DIRECTION.get(request.direction),
            after_number=request.after_number,
            page_size=request.page_size,
        )
        return pb.ReconcileResponse(
            items=[wire.to_reconcile_item(row) for row in done.rows],
            last_number=done.last_number,
            statement_jws=done.statement_jws,
        )
