"""Calls of MirrorService, beside those of a witness; implements ``MirrorGateway``. The mirror verifies what comes."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.core.log.mirror import BESIDE, BatchRow, LogPage, MirroredEntry, SealRow, StoredBundle, WithheldMaterial
from gateway.rpc.client_witness import WitnessClient
from gateway.v1 import mirror_pb2 as wire
from gateway.v1.mirror_pb2_grpc import MirrorServiceStub

if TYPE_CHECKING:
    from gateway.v1.mirror_pb2_grpc import MirrorServiceAsyncStub


class MirrorClient(WitnessClient):
    """Asks for checkpoints, entries and seals."""

    @property
    def _mirror(self) -> MirrorServiceAsyncStub:
        return MirrorServiceStub(self.channel)

    async def list_entries(self, first_index: int, tree_size: int) -> LogPage:
        """Ask for a stretch of the log.

        Args:
            first_index: of the first entry wanted.
            tree_size: of the tree that is copied.

        Returns:
            the page.

        Raises:
            CallRefused: the ledger has no such tree, or the caller may not ask.
            GatewayUnreachable: no answer.
            ValueError: the answer names a handoff that is none.
        """
        request = wire.ListEntriesRequest(first_index=first_index, tree_size=tree_size)
        answer = await self.unary(self._mirror.ListEntries, request)
        entries = tuple(_from_entry(message) for message in answer.entries)
        batches = tuple(BatchRow(one.first_index, one.tree_size, one.receipt_jws) for one in answer.batches)
        return LogPage(tuple(answer.leaf_hashes), entries, batches)

    async def list_seals(self, from_size: int, skip: int) -> list[SealRow]:
        """Ask for seals.

        Args:
            from_size: smallest size wanted.
            skip: seals of that size that are known.

        Returns:
            at most 1,000, by size and time.

        Raises:
            CallRefused: the caller may not ask.
            GatewayUnreachable: no answer.
        """
        answer = await self.unary(self._mirror.ListSeals, wire.ListSealsRequest(from_size=from_size, skip=skip))
        return [_from_seal(message) for message in answer.seals]


def _from_entry(message: wire.MirroredEntry) -> MirroredEntry:
    bundle = None
    if message.bundle_handoff_id:
        withheld = tuple(WithheldMaterial(one.sha256, one.view, one.is_granted) for one in message.withheld)
        bundle = StoredBundle(UUID(message.bundle_handoff_id), message.manifest_jws, message.native_record, withheld)
    beside = {name: body for name in BESIDE if (body := getattr(message, name))}
    return MirroredEntry(message.index, message.leaf, beside, bundle)


def _from_seal(message: wire.Seal) -> SealRow:
    at = message.at.ToDatetime(tzinfo=UTC)
    match message.WhichOneof("what"):
        case "checkpoint":
            return SealRow(what="checkpoint", size=message.size, at=at, text=message.checkpoint)
        case "cosignature":
            said = message.cosignature
            return SealRow(what="cosignature", size=message.size, at=at, witness=said.witness, text=said.line)
        case "token":
            stamp = message.token
            return SealRow(
                what="timestamp_token", size=message.size, at=at, digest=stamp.note_sha256, token=stamp.token
            )
        case _:
            return SealRow(what="timestamp_gap", size=message.size, at=at, code=message.gap_code)
