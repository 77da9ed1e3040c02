"""Calls of LedgerService for oversight; every proof is verified here, nothing is believed."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.core.entry import EntryKind
from gateway.core.identity import Agency
from gateway.core.log.merkle import ProofError, verify_consistency, verify_inclusion
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_wire import LedgerEntry, to_entry_kinds, to_timestamp, verify_entry
from gateway.v1 import ledger_pb2 as wire
from gateway.v1.ledger_pb2_grpc import LedgerServiceStub

if TYPE_CHECKING:
    from gateway.v1.ledger_pb2_grpc import LedgerServiceAsyncStub


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Conditions that an entry must meet all of; empty ones do not count. Ranges are [from, to).

    Args:
        kinds: what the entry records.
        sender: sending agency.
        receiver: receiving agency.
        actor: agency that acted.
        case_number: police case number; the gateway matches it by pseudonym.
        handoff: the handoff.
        recorded_from: earliest gateway time, aware.
        recorded_to: latest gateway time, aware.
        index_from: lowest index.
        index_to: highest index; 0 for the end.
    """

    kinds: tuple[EntryKind, ...] = ()
    sender: Agency | None = None
    receiver: Agency | None = None
    actor: Agency | None = None
    case_number: str = ""
    handoff: UUID | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    index_from: int = 0
    index_to: int = 0


@dataclass(frozen=True, slots=True)
class CaseTimeline:
    """All entries of one case.

    Args:
        entries: in order.
        stage: where the case stands, for example C1.
        file_holder: agency that holds the file; "" when nobody accepted it yet.
    """

    entries: tuple[LedgerEntry, ...]
    stage: str
    file_holder: str


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Evidence, verified, that an entry is in a tree.

    Args:
        entry_index: from 0.
        leaf_hash: 32 bytes.
        tree_size: entries of the tree.
        root_hash: 32 bytes.
        hashes: path of RFC 6962, 32 bytes each.
    """

    entry_index: int
    leaf_hash: bytes
    tree_size: int
    root_hash: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """Evidence, verified, that a later tree extends an earlier one.

    Args:
        first_size: entries of the earlier tree.
        first_root_hash: its root, 32 bytes.
        second_size: entries of the later tree.
        second_root_hash: its root, 32 bytes.
        hashes: path of RFC 6962, 32 bytes each.
    """

    first_size: int
    first_root_hash: bytes
    second_size: int
    second_root_hash: bytes
    hashes: tuple[bytes, ...]


class LedgerCalls(Connection):
    """Calls of LedgerService."""

    @property
    def _ledger(self) -> LedgerServiceAsyncStub:
        return LedgerServiceStub(self.channel)

    async def query_entries(
        self, query: EntryQuery | None = None, *, page_size: int = 1000
    ) -> AsyncIterator[LedgerEntry]:
        """Go through the entries that match, by index, page by page.

        Args:
            query: which; None for all.
            page_size: 1 to 1,000.

        Yields:
            entries whose hash was checked against their leaf.

        Raises:
            CallRefused: the caller may not ask, or the filter is wrong.
            GatewayUnreachable: no answer.
            EvidenceRejected: an entry does not match its hash.
        """
        condition = _filter(query or EntryQuery())
        token = ""
        while True:
            answer = await self.unary(
                self._ledger.QueryEntries,
                wire.QueryEntriesRequest(filter=condition, page_size=page_size, page_token=token),
            )
            for message in answer.entries:
                yield verify_entry(message)
            token = answer.next_page_token
            if not token:
                return

    async def get_case_timeline(self, case_number: str) -> CaseTimeline:
        """Read one case and check its chain.

        Args:
            case_number: police case number.

        Returns:
            all its entries, each naming the hash of the one before.

        Raises:
            CallRefused: the caller may not ask, or there is no such case.
            GatewayUnreachable: no answer.
            EvidenceRejected: an entry does not match its hash, or the chain has a gap.
        """
        entries: list[LedgerEntry] = []
        token, previous = "", ""
        while True:
            answer = await self.unary(
                self._ledger.GetCaseTimeline, wire.GetCaseTimelineRequest(case_number=case_number, page_token=token)
            )
            for message in answer.entries:
                row = verify_entry(message)
                if row.entry.case_sequence != len(entries) + 1 or row.entry.case_previous != previous:
                    raise EvidenceRejected(f"entry {row.entry.index} does not follow the one before it in the case")
                previous = row.leaf_hash.hex()
                entries.append(row)
            token = answer.next_page_token
            if not token:
                return CaseTimeline(tuple(entries), answer.case_stage, answer.file_holder)

    async def prove_inclusion(
        self, entry_index: int, *, tree_size: int = 0, leaf_hash: bytes | None = None
    ) -> InclusionProof:
        """Get and verify a proof that an entry is in a tree.

        Args:
            entry_index: from 0.
            tree_size: size of the tree; 0 for the present one.
            leaf_hash: hash that the entry must have, as a receipt names it; None to take the gateway's word for it.

        Returns:
            the proof.

        Raises:
            CallRefused: there is no such entry or tree.
            GatewayUnreachable: no answer.
            EvidenceRejected: the path does not lead from the leaf to the root.
        """
        answer = await self.unary(
            self._ledger.GetProof,
            wire.GetProofRequest(inclusion=wire.InclusionQuery(entry_index=entry_index, tree_size=tree_size)),
        )
        if leaf_hash is not None and not hmac.compare_digest(leaf_hash, answer.leaf_hash):
            raise EvidenceRejected(f"entry {entry_index} of the ledger is not the one of the receipt")
        if tree_size and answer.tree_size != tree_size:
            raise EvidenceRejected("the proof is for a tree of another size")
        proof = InclusionProof(entry_index, answer.leaf_hash, answer.tree_size, answer.root_hash, tuple(answer.hashes))
        try:
            verify_inclusion(proof.leaf_hash, proof.entry_index, proof.tree_size, proof.hashes, proof.root_hash)
        except ProofError as error:
            raise EvidenceRejected(f"the proof does not lead from entry {entry_index} to the root") from error
        return proof

    async def prove_consistency(
        self, first_size: int, *, second_size: int = 0, first_root: bytes | None = None
    ) -> ConsistencyProof:
        """Get and verify a proof that a later tree extends an earlier one.

        Args:
            first_size: size of the earlier tree, at least 1.
            second_size: size of the later tree; 0 for the present one.
            first_root: root that the earlier tree must have, as it was seen before; None to take the gateway's word.

        Returns:
            the proof.

        Raises:
            CallRefused: there are no such trees.
            GatewayUnreachable: no answer.
            EvidenceRejected: the later tree does not extend the earlier one, or that is not the one that was seen.
        """
        answer = await self.unary(
            self._ledger.GetProof,
            wire.GetProofRequest(consistency=wire.ConsistencyQuery(first_size=first_size, second_size=second_size)),
        )
        if answer.first_size != first_size or (second_size and answer.tree_size != second_size):
            raise EvidenceRejected("the proof is for trees of other sizes")
        if first_root is not None and not hmac.compare_digest(first_root, answer.first_root_hash):
            raise EvidenceRejected("the earlier tree has another root than the one that was seen")
        proof = ConsistencyProof(
            answer.first_size, answer.first_root_hash, answer.tree_size, answer.root_hash, tuple(answer.hashes)
        )
        try:
            verify_consistency(
                proof.first_size, proof.second_size, proof.first_root_hash, proof.second_root_hash, proof.hashes
            )
        except ProofError as error:
            raise EvidenceRejected("the later tree does not extend the earlier one") from error
        return proof


def _filter(query: EntryQuery) -> wire.EntryFilter:
    return wire.EntryFilter(
        kinds=to_entry_kinds(query.kinds),
        sender=str(query.sender or ""),
        receiver=str(query.receiver or ""),
        actor=str(query.actor or ""),
        case_number=query.case_number,
        handoff_id=str(query.handoff or ""),
        recorded_from=to_timestamp(query.recorded_from),
        recorded_to=to_timestamp(query.recorded_to),
        index_from=query.index_from,
        index_to=query.index_to,
    )
