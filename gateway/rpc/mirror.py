"""MirrorService: the log for agencies that keep a copy."""

from __future__ import annotations

from typing import Any

from gateway.core.log.mirror import BatchRow, MirroredEntry, SealRow
from gateway.flows.mirror import list_entries, list_seals
from gateway.flows.parts import Parts
from gateway.rpc import wire
from gateway.rpc.chain import caller_of_call
from gateway.v1 import mirror_pb2 as pb
from gateway.v1 import mirror_pb2_grpc


class MirrorServicer(mirror_pb2_grpc.MirrorServiceServicer):
    """Stretches of the log and its seals, see mirror.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListEntries(self, request: pb.ListEntriesRequest, context: Any) -> pb.ListEntriesResponse:
        """Give a stretch of the log."""
        page = await list_entries(
            self._parts, caller_of_call(), request.first_index, request.tree_size, request.page_size
        )
        return pb.ListEntriesResponse(
            leaf_hashes=page.leaf_hashes,
            entries=[_to_entry(entry) for entry in page.entries],
            batches=[_to_batch(batch) for batch in page.batches],
        )

    async def ListSeals(self, request: pb.ListSealsRequest, context: Any) -> pb.ListSealsResponse:
        """Give seals."""
        rows = await list_seals(self._parts, request.from_size, request.skip, request.page_size)
        return pb.ListSealsResponse(seals=[_to_seal(row) for row in rows])


def _to_batch(batch: BatchRow) -> pb.MirroredBatch:
    return pb.MirroredBatch(first_index=batch.first_index, tree_size=batch.size, receipt_jws=batch.receipt_jws)


def _to_entry(entry: MirroredEntry) -> pb.MirroredEntry:
    message = pb.MirroredEntry(
        index=entry.index,
        leaf=entry.leaf,
    )
    for name, body in entry.beside.items():
        setattr(message, name, body)
    if entry.bundle is not None:
        message.bundle_handoff_id = str(entry.bundle.handoff)
        message.manifest_jws = entry.bundle.manifest_jws
        message.native_record = entry.bundle.record
        for one in entry.bundle.withheld:
            message.withheld.add(sha256=one.sha256, view=one.view, is_granted=one.is_granted)
    return message


def _to_seal(row: SealRow) -> pb.Seal:
    message = pb.Seal(size=row.size, at=wire.to_timestamp(row.at))
    match row.what:
        case "checkpoint":
            message.checkpoint = row.text
        case "cosignature":
            message.cosignature.CopyFrom(pb.SealCosignature(witness=row.witness, line=row.text))
        case "timestamp_token":
            message.token.CopyFrom(pb.SealToken(note_sha256=row.digest, token=row.token))
        case _:
            message.gap_code = row.code
    return message
