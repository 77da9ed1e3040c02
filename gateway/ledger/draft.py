"""A batch in memory: each act decided on the heads as the acts before it left them, and the rows that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gateway.core.command import Command
from gateway.core.entry import MAX_LEAF_BYTES, WITHOUT_RECEIPT, Entry, EntryKind, leaf_hash, to_leaf
from gateway.core.errors import ErrorCode, refuse
from gateway.core.fact.fact import FACT_TOPIC, notice_topic
from gateway.core.handoff import CaseHead, Decided, HandoffHead, Place, decide_act
from gateway.core.log.batch_receipt import BatchTree, to_claims
from gateway.core.log.merkle_tile import FullTile, TileEdge
from gateway.ledger.head import Heads, to_state_text
from gateway.ledger.sealed import COMMON, Seals, seal_row

_EMPTY_CASE: Final = CaseHead()
KEY_TOPIC: Final = "signer_keys"
"""Topic of the watch that is woken when a signer key is registered or revoked."""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that waits for its commit.

    Args:
        index: place in the ledger.
        leaf: canonical bytes.
        leaf_hash: 32 bytes.
        kind: what it records.
    """

    index: int
    leaf: bytes
    leaf_hash: bytes
    kind: EntryKind


@dataclass(frozen=True, slots=True)
class Recorded:
    """An act that is in the ledger already.

    Args:
        index: place in the ledger.
    """

    index: int


@dataclass(slots=True)
class Draft:
    """The batch so far.

    Args:
        origin: name of the log.
        at: gateway time of the batch, aware UTC, whole milliseconds.
        heads: what the batch starts from; changed by every act.
        edge: the tree's tiles in the making; changed by every act.
        written: the new entries, in order.
        entries: their rows.
        bundles: case, and row, of what was submitted, in the clear.
        details: case, and index and text, of decisions, in the clear.
        grants: agency and digest, 32 bytes, of materials that bundles bring.
        progress: what parties may be told, by the digest of their enquiry code.
        withheld: receiver, digest, index and view of materials that bundles bring and it may not simply read.
        materials: digest, 32 bytes, and case of the same materials.
        sealed: cases whose seals the batch needs; True for one that has had none so far.
        tiles: tiles that became full.
        certificates: index, key id and DER of signer keys that were registered or revoked.
        facts: index, case and canonical bytes of what happened.
        statements: rows of what was stated, in the clear.
        tracks: index, case, whether they changed, and what acts did to the tracks of persons.
        notices: agencies that are told of a limit, and index.
        receivers: agencies that have something new in their inbox, and other topics that have news.
    """

    origin: str
    at: datetime
    heads: Heads
    edge: TileEdge
    written: list[Written] = field(default_factory=list)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    bundles: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    details: list[tuple[str, tuple[int, bytes]]] = field(default_factory=list)
    grants: dict[tuple[str, bytes], None] = field(default_factory=dict)
    progress: list[tuple[Any, ...]] = field(default_factory=list)
    withheld: list[tuple[str, bytes, int, str]] = field(default_factory=list)
    materials: dict[tuple[bytes, str], None] = field(default_factory=dict)
    sealed: dict[str, bool] = field(default_factory=dict)
    tiles: list[FullTile] = field(default_factory=list)
    certificates: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    facts: list[tuple[int, str, bytes]] = field(default_factory=list)
    statements: list[tuple[Any, ...]] = field(default_factory=list)
    tracks: list[tuple[int, str, bool, bytes]] = field(default_factory=list)
    notices: list[tuple[str, int]] = field(default_factory=list)
    receivers: dict[str, None] = field(default_factory=dict)

    def add(self, command: Command, salt: bytes) -> Written | Recorded:
        """Decide one act and take its entry into the batch.

        Args:
            command: the act.
            salt: 32 random bytes.

        Returns:
            the new entry, or where the act is recorded already (then nothing was added).

        Raises:
            GatewayError: the act is refused, and the batch is as it was before.
        """
        actor = str(command.actor)
        if (recorded := self.heads.acts.get((command.act_id, actor))) is not None:
            return _replay(command, recorded)
        self._require_unused_key(command)
        handoff = self.heads.handoffs.get(str(command.handoff)) if command.handoff is not None else None
        case = self.heads.cases.get(handoff.case if handoff is not None else command.case, _EMPTY_CASE)
        pair = (str(command.sender), str(command.receiver))
        decided = decide_act(
            command,
            Place(index=self.heads.size, origin=self.origin, at=self.at, salt=salt),
            case=case,
            handoff=handoff,
            last_pair_number=self.heads.pairs.get(pair, 0),
            key=self.heads.key_of(command),
        )
        leaf = to_leaf(decided.entry)
        if len(leaf) > MAX_LEAF_BYTES:
            raise refuse(ErrorCode.INTERNAL, message="the entry would be larger than a leaf may be")
        written = Written(decided.entry.index, leaf, leaf_hash(leaf), decided.entry.kind)
        head = decided.handoff if decided.handoff is not None else handoff
        # Everything that can fail comes before the first change, so that a refused act leaves no trace in the batch.
        row = _to_row(decided.entry, command, written, head)
        materials = tuple(map(bytes.fromhex, command.bundle.materials)) if command.bundle is not None else ()
        if command.has_content:
            # A case gets its key with the first content that anybody hands over.
            self.sealed.setdefault(decided.entry.case or COMMON, not case.state.holder)
        self._take_tracks(decided, written, case)
        self._take(command, decided.entry, written, head, materials)
        self.entries.append(row)
        return written

    def _require_unused_key(self, command: Command) -> None:
        if command.bundle is None:
            return
        holder = self.heads.keys.get((str(command.sender), command.bundle.idempotency_key))
        if holder is not None and holder != str(command.handoff):
            raise refuse(
                ErrorCode.IDEMPOTENCY_KEY_REUSED, "/idempotency_key", "this idempotency key stands for another bundle"
            )

    def _take_tracks(self, decided: Decided, written: Written, case: CaseHead) -> None:
        entry, row = decided.entry, decided.track_row
        if entry.case and entry.case_state is not None:
            tracks = case.tracks if decided.tracks is None else decided.tracks
            leaf_hash_hex = written.leaf_hash.hex()
            self.heads.cases[entry.case] = CaseHead(entry.case_sequence, leaf_hash_hex, entry.case_state, tracks)
        if row:
            self.tracks.append((written.index, entry.case, decided.tracks is not None, row))

    def _take(
        self, command: Command, entry: Entry, written: Written, head: HandoffHead | None, materials: tuple[bytes, ...]
    ) -> None:
        heads = self.heads
        heads.acts[command.act_id, entry.actor] = (written.index, command.content_sha256)
        heads.size += 1
        heads.frontier.append(written.leaf_hash)
        self.tiles += self.edge.append(written.leaf_hash)
        self.written.append(written)
        if command.detail:
            self.details.append((entry.case, (written.index, command.detail)))
        if command.facts:
            self.facts.append((written.index, entry.case, command.facts))
            self.receivers[FACT_TOPIC] = None
        for agency in entry.notified:
            self.notices.append((agency, written.index))
            self.receivers[notice_topic(agency)] = None
        if command.certificate:
            self.certificates.append((written.index, bytes.fromhex(command.signer_key), command.certificate))
            self.receivers[KEY_TOPIC] = None
        if command.statement is not None:
            stated = command.statement
            self.statements.append(
                (
                    written.index,
                    command.act_id,
                    entry.actor,
                    command.statement_type,
                    entry.case or None,
                    stated.case_number or None,
                    stated.statement_jws,
                )
            )
            if stated.progress is not None:
                told = stated.progress
                self.progress.append(
                    (
                        written.index, stated.enquiry, entry.case or None,
                        told.stage, told.since, told.next_remedy, told.remedy_until,
                    )
                )  # fmt: skip
            self.grants.update(((entry.actor, bytes.fromhex(digest)), None) for digest in stated.materials)
        if head is None:
            return
        heads.handoffs[head.handoff] = head
        if command.bundle is None:
            return
        bundle = command.bundle
        heads.pairs[head.sender, head.receiver] = head.pair_number
        heads.keys[head.sender, bundle.idempotency_key] = head.handoff
        self.bundles.append(
            (
                entry.case,
                (
                    command.handoff,
                    written.index,
                    head.sender,
                    bundle.idempotency_key,
                    bundle.case_number,
                    bundle.manifest_jws,
                    bundle.record,
                ),
            )
        )
        self.receivers[head.receiver] = None
        for digest in materials:
            self.grants[head.sender, digest] = None
            if digest.hex() not in bundle.withheld:
                self.grants[head.receiver, digest] = None
            self.materials[digest, entry.case] = None
        self.withheld += [
            (head.receiver, bytes.fromhex(digest), written.index, view) for digest, view in bundle.restrictions
        ]

    def arguments(self, receipt: str, seals: Seals) -> list[Any]:
        """Write the batch as arguments of the statement ``write``; content of a case is sealed here.

        Args:
            receipt: JWS of the batch; "" when nobody is owed a receipt.
            seals: of every case in ``sealed``.

        Returns:
            the columns of each table one after the other.
        """
        frontier = self.heads.frontier
        return [
            *_columns(self.entries, 22),
            *_columns([seal_row("bundle", bundle, seals[case]) for case, bundle in self.bundles], 7),
            *_columns([seal_row("detail", detail, seals[case]) for case, detail in self.details], 2),
            *_columns(list(self.grants), 2),
            *_columns([(full.tile.level, full.tile.place, full.root, full.data) for full in self.tiles], 4),
            [self.written[0].index] if receipt else [],
            [receipt] if receipt else [],
            frontier.size,
            self.at,
            frontier.root(),
            frontier.to_bytes(),
            "\n".join(self.receivers),
            *_columns(self.certificates, 3),
            *_columns(self.facts, 3),
            *_columns(list(self.materials), 2),
            *_columns([seal_row("statement", row, seals[row[4] or COMMON]) for row in self.statements], 7),
            *_columns(self.withheld, 4),
            *_columns(self.tracks, 4),
            *_columns(self.notices, 2),
            *_columns(self.progress, 7),
        ]

    def is_receipt_owed(self) -> bool:
        """Whether somebody is owed a receipt; ``WITHOUT_RECEIPT`` says for what nobody is."""
        return any(written.kind not in WITHOUT_RECEIPT for written in self.written)

    def claims(self, tree: BatchTree) -> dict[str, str | int]:
        """What the gateway signs for the batch.

        Args:
            tree: over the leaf hashes of the batch.

        Returns:
            the claims.
        """
        root = self.heads.frontier.root()
        return to_claims(
            self.origin, self.written[0].index, self.heads.size, batch_root=tree.root, root=root, recorded_at=self.at
        )


def _to_row(entry: Entry, command: Command, written: Written, head: HandoffHead | None) -> tuple[Any, ...]:
    """Columns of ``ledger.entry``, in the order of the statement ``write``."""
    of_handoff: tuple[Any, ...] = (None,) * 10
    if head is not None:
        of_handoff = (
            command.handoff,
            head.pair_number,
            head.submitted_sequence,
            head.lease_until,
            head.sender,
            head.receiver,
            head.kind.value,
            head.state.value,
            head.consumer,
            to_state_text(head.case_before),
        )
    handoff, number, submitted, lease, sender, receiver, kind, state, consumer, before = of_handoff
    return (
        entry.index,
        entry.recorded_at,
        command.act_id,
        handoff,
        entry.case_sequence or None,
        number,
        submitted,
        lease,
        entry.kind.value,
        entry.actor,
        sender,
        receiver,
        entry.case or None,
        kind,
        state,
        consumer,
        to_state_text(entry.case_state) if entry.case_state is not None else None,
        before,
        bytes.fromhex(entry.content_sha256),
        bytes.fromhex(entry.bundle_sha256) if entry.bundle_sha256 else None,
        written.leaf_hash,
        written.leaf,
    )


def _replay(command: Command, recorded: tuple[int, str]) -> Recorded:
    index, content_sha256 = recorded
    if content_sha256 != command.content_sha256:
        if command.kind is EntryKind.SUBMITTED:
            raise refuse(ErrorCode.BUNDLE_ID_REUSED, "/bundle_id", "this bundle id stands for another bundle")
        if command.kind is EntryKind.STATED:
            raise refuse(ErrorCode.STATEMENT_ID_REUSED, "/statement_id", "this id stands for another statement")
        raise refuse(ErrorCode.ACT_ID_REUSED, "act_id", "this act id stands for another act")
    return Recorded(index)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width
