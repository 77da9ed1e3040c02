"""LedgerService: what oversight may read."""

from __future__ import annotations

from typing import Any

from gateway.core.errors import ErrorCode, refuse
from gateway.flows.oversee import Query, prove_consistency, prove_inclusion, query_entries, read_timeline
from gateway.flows.parts import Parts
from gateway.rpc import wire
from gateway.v1 import ledger_pb2 as pb
from gateway.v1 import ledger_pb2_grpc


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    """Entries and proofs, see ledger.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def QueryEntries(self, request: pb.QueryEntriesRequest, context: Any) -> pb.QueryEntriesResponse:
        """List a page of entries."""
        page = await query_entries(self._parts, _query(request.filter), request.page_size, request.page_token)
        return pb.QueryEntriesResponse(
            entries=[wire.to_entry(entry) for entry in page.entries],
            next_page_token=page.next_page_token,
            tree_size=page.head.size,
        )

    async def GetCaseTimeline(self, request: pb.GetCaseTimelineRequest, context: Any) -> pb.GetCaseTimelineResponse:
        """Give the entries of a case."""
        timeline = await read_timeline(self._parts, request.case_number, request.page_size, request.page_token)
        return pb.GetCaseTimelineResponse(
            entries=[wire.to_entry(entry) for entry in timeline.entries],
            case_stage=timeline.stage,
            file_holder=timeline.holder,
            next_page_token=timeline.next_page_token,
        )

    async def GetProof(self, request: pb.GetProofRequest, context: Any) -> pb.GetProofResponse:
        """Give a proof."""
        which = request.WhichOneof("proof")
        if which == "inclusion":
            proof = await prove_inclusion(self._parts, request.inclusion.entry_index, request.inclusion.tree_size)
        elif which == "consistency":
            query = request.consistency
            proof = await prove_consistency(self._parts, query.first_size, query.second_size)
        else:
            raise refuse(ErrorCode.ARGUMENT_INVALID, "proof", "ask for inclusion or consistency")
        return pb.GetProofResponse(
            hashes=proof.hashes,
            tree_size=proof.tree_size,
            root_hash=proof.root_hash,
            leaf_hash=proof.leaf_hash,
            first_size=proof.first_size,
            first_root_hash=proof.first_root_hash,
        )


def _query(message: pb.EntryFilter) -> Query:
    return Query(
        kinds=wire.parse_entry_kinds(message.kinds),
        sender=message.sender,
        receiver=message.receiver,
        actor=message.actor,
        case_number=message.case_number,
        handoff_id=message.handoff_id,
        recorded_from=wire.parse_timestamp(message, "recorded_from"),
        recorded_to=wire.parse_timestamp(message, "recorded_to"),
        index_from=message.index_from,
        index_to=message.index_to,
    )
