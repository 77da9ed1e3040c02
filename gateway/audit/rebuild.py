"""Rebuilds the lost tail of a ledger from mirrors: which rows were there, bit for bit.

Nothing of a mirror is believed. Leaf hashes count because a checkpoint that the log signed is over them, a leaf because
it hashes to its place, what lies beside it because its digest is in the leaf; the columns of an entry are what
``core.handoff`` decides again from the leaves. What follows from the leaves (tiles, states, grants) is computed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.audit.case_replay import CaseReplay
from gateway.audit.finding import AuditFinding, Findings
from gateway.audit.jws_check import decode_segment, split
from gateway.audit.mirror_check import EntryRefusedError, check_bundle, check_entry
from gateway.audit.mirror_store import MirrorStore
from gateway.core.access.enquiry import STATEMENT_TYPE as PROGRESS_TYPE
from gateway.core.access.enquiry import to_progress
from gateway.core.access.material_request import MATERIAL_REQUEST
from gateway.core.entry import Entry, EntryKind
from gateway.core.log.checkpoint import verify_checkpoint
from gateway.core.log.merkle import Frontier
from gateway.core.log.merkle_tile import TileEdge
from gateway.core.log.mirror import BESIDE, MirroredEntry, SealRow, StoredBundle, has_beside
from gateway.core.log.note import NoteError, VerifierKey
from gateway.core.port.fsck import Row
from gateway.core.procedure.track import from_row
from gateway.core.pseudonym import Pseudonyms

CHUNK: Final = 1_000
"""Entries whose rows are in memory at once."""


class ContradictionError(Exception):
    """Mirrors and database cannot all be true: somebody shows another history. Keep everything, and write nothing."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What is to be rebuilt.

    Args:
        start: size of the tree that the database still has.
        size: size of the largest signed tree of a mirror.
        root: its root, 32 bytes.
        cases: pseudonyms of the cases in the tail.
        missing: what no mirror holds; the rebuild is not possible with these mirrors unless there is none.
    """

    start: int
    size: int
    root: bytes
    cases: frozenset[str]
    missing: tuple[AuditFinding, ...]


@dataclass(slots=True)
class Rows:
    """Rows of a stretch, by table; the columns of each as ``sql/rebuild.sql`` names them."""

    entry: list[Row] = field(default_factory=list)
    receipt: list[Row] = field(default_factory=list)
    bundle: list[Row] = field(default_factory=list)
    detail: list[Row] = field(default_factory=list)
    fact: list[Row] = field(default_factory=list)
    track: list[Row] = field(default_factory=list)
    statement: list[Row] = field(default_factory=list)
    progress: list[Row] = field(default_factory=list)
    signer_key: list[Row] = field(default_factory=list)
    notice: list[Row] = field(default_factory=list)
    material_grant: list[Row] = field(default_factory=list)
    material_withheld: list[Row] = field(default_factory=list)
    case_material: list[Row] = field(default_factory=list)
    tile: list[Row] = field(default_factory=list)
    state: list[Row] = field(default_factory=list)


class Mirrors:
    """Mirrors of several agencies, read together.

    Args:
        stores: open, at least one.
        log: key of the log.
        pseudonyms: of the ledger.

    Raises:
        ContradictionError: a mirror is of another log, or shows no checkpoint signed by it, or another history.
    """

    def __init__(self, stores: Sequence[MirrorStore], log: VerifierKey, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._stores = sorted(stores, key=lambda store: store.tree.size, reverse=True)
        self._longest = self._stores[0]
        self.size = self._longest.tree.size
        if self.size == 0:
            raise ContradictionError("no mirror has followed the log yet")
        for store in self._stores:
            if store.origin != log.name:
                raise ContradictionError(f"the mirror {store.folder} is of another log")
            self._check_head(store, log)
        self.log = log

    def _check_head(self, store: MirrorStore, log: VerifierKey) -> None:
        if store.tree.size == 0:
            return
        try:
            checkpoint, _ = verify_checkpoint(store.last_note(), log)
        except NoteError as error:
            raise ContradictionError(f"the mirror {store.folder} has no checkpoint of the log: {error}") from error
        if (checkpoint.size, checkpoint.root) != (store.tree.size, store.tree.root):
            raise ContradictionError(f"the mirror {store.folder} contradicts its checkpoint")

    def plan(self, start: int, root: bytes) -> Tail:
        """Find out what was lost, and whether the mirrors hold all of it.

        Args:
            start: size of the tree that the database still has.
            root: its root, 32 bytes; that of the empty tree for 0.

        Returns:
            the tail.

        Raises:
            ContradictionError: the database has more than any mirror, or another history; mirrors differ.
        """
        if start > self.size:
            raise ContradictionError(
                f"the database has {start} entries, the longest mirror {self.size}: nothing can be said of the rest"
            )
        ends = {store.tree.size: store.tree.root for store in self._stores if store.tree.size}
        ends.setdefault(start, root)
        frontier, findings = Frontier(), Findings(limit=1_000_000)
        cases: set[str] = set()
        if ends.get(0, frontier.root()) != frontier.root() or ends[start] != root:
            self._differ(start, root)
        for index, leaf_hash in enumerate(self._longest.leaf_hashes()):
            frontier.append(leaf_hash)
            if ends.get(frontier.size, b"") not in (b"", frontier.root()):
                self._differ(frontier.size, root if frontier.size == start else b"")
            if index >= start:
                entry = self._find(index, leaf_hash, findings)
                if entry is not None and entry[0].case:
                    cases.add(entry[0].case)
        if (frontier.size, frontier.root()) != (self.size, self._longest.tree.root):
            raise ContradictionError(f"the mirror {self._longest.folder} is damaged: its hashes give another root")
        return Tail(start, self.size, frontier.root(), frozenset(cases), tuple(findings.kept))

    def _differ(self, size: int, root: bytes) -> None:
        for store in self._stores:
            if store.tree.size >= size and root and store.root_at(size) != root:
                raise ContradictionError(
                    f"the database has another history than the mirror {store.folder}: "
                    f"their trees of {size} entries differ"
                )
        raise ContradictionError(f"the mirrors differ in their trees of {size} entries: the log was forked")

    def _find(
        self, index: int, leaf_hash: bytes, findings: Findings
    ) -> tuple[Entry, MirroredEntry, StoredBundle | None] | None:
        """Put an entry together from all mirrors; what none of them holds becomes a finding."""
        found: MirroredEntry | None = None
        entry: Entry | None = None
        bundle: StoredBundle | None = None
        for store in self._stores:
            for mirrored in store.entries(index, index + 1):
                try:
                    entry = check_entry(mirrored, leaf_hash, self.log.name)
                except EntryRefusedError as error:
                    raise ContradictionError(f"the mirror {store.folder} is damaged: {error}") from error
                found = _merge(found, mirrored)
            if entry is not None and entry.kind is EntryKind.SUBMITTED and bundle is None:
                bundle = _checked(store, entry)
        if found is None or entry is None:
            findings(_missing(index, "entry", "no mirror that was given may see it: name the mirror of a party"))
            return None
        for table, reason in _incomplete(found, entry, bundle):
            findings(_missing(index, table, reason))
        return entry, found, bundle

    def rows(self, tail: Tail, before: Iterable[Row]) -> Iterator[Rows]:
        """Compute every row of the tail, in order.

        Args:
            tail: of ``plan``, nothing missing.
            before: entries that the database still has of the cases in the tail, by index: seq, leaf, leaf hash,
                tracks or None.

        Yields:
            rows of stretches that end with a batch.

        Raises:
            ContradictionError: the rules do not decide the entries from those before, or a batch is not known.
        """
        findings = Findings()
        replay = CaseReplay(findings)
        for seq, leaf, leaf_hash, track in before:
            replay.judge(seq, leaf, leaf_hash, track or b"")
        batches = {batch.size: batch for batch in self._longest.batches(tail.start)}
        if tail.size > tail.start and tail.size not in batches:
            raise ContradictionError(f"the mirror {self._longest.folder} does not say where the last batch ended")
        frontier, edge, rows = Frontier(), TileEdge(), Rows()
        for index, leaf_hash in enumerate(self._longest.leaf_hashes()):
            frontier.append(leaf_hash)
            tiles = edge.append(leaf_hash)
            if index < tail.start:
                continue
            rows.tile += [(full.tile.level, full.tile.place, full.root, full.data) for full in tiles]
            entry = self._add(index, leaf_hash, replay, rows)
            if findings.total:
                raise ContradictionError(f"the entries do not follow from each other: {findings.kept[0].to_text()}")
            if (batch := batches.get(frontier.size)) is not None:
                if batch.receipt_jws:
                    rows.receipt.append((batch.first_index, batch.receipt_jws))
                rows.state.append((frontier.size, entry.recorded_at, frontier.root(), frontier.to_bytes()))
                if len(rows.entry) >= CHUNK or frontier.size == tail.size:
                    yield rows
                    rows = Rows()

    def _add(self, index: int, leaf_hash: bytes, replay: CaseReplay, rows: Rows) -> Entry:
        found = self._find(index, leaf_hash, Findings())
        if found is None:
            raise ContradictionError(f"entry {index} was in a mirror when the tail was planned, and is in none now")
        entry, mirrored, bundle = found
        track = mirrored.beside.get("tracks", b"")
        columns = replay.columns(index, mirrored.leaf, leaf_hash, track)
        if columns is None:
            raise ContradictionError(f"entry {index} cannot be read")
        rows.entry.append((index, *columns, leaf_hash, mirrored.leaf))
        if (detail := mirrored.beside.get("detail")) is not None:
            rows.detail.append((index, detail))
        if (facts := mirrored.beside.get("facts")) is not None:
            rows.fact.append((index, entry.case, facts))
        if track:
            rows.track.append((index, entry.case, from_row(track)[0] is not None, track))
        if (stated := mirrored.beside.get("statement_jws")) is not None:
            rows.statement.append(_to_statement(entry, stated))
            if entry.statement_type == MATERIAL_REQUEST.name:
                rows.material_grant.append((entry.actor, bytes.fromhex(_body_of(stated)["sha256"])))
            if entry.statement_type == PROGRESS_TYPE:
                rows.progress.append(self._to_progress(entry, _body_of(stated)))
        if (certificate := mirrored.beside.get("certificate")) is not None:
            rows.signer_key.append((index, bytes.fromhex(entry.signer_key), certificate))
        rows.notice += [(agency, index) for agency in entry.notified]
        if bundle is not None:
            manifest = json.loads(decode_segment(split(bundle.manifest_jws)[1]))
            rows.bundle.append(
                (entry.handoff, index, entry.sender,
                 self._pseudonyms.message(entry.sender, manifest["idempotency_key"]), manifest["case_number"],
                 bundle.manifest_jws, bundle.record)
            )  # fmt: skip
            held = {one.sha256: one for one in bundle.withheld}
            rows.material_withheld += [(entry.receiver, one.sha256, index, one.view) for one in bundle.withheld]
            for digest in _digests(manifest, is_record_material=not bundle.record):
                rows.material_grant.append((entry.sender, digest))
                if digest not in held or held[digest].is_granted:
                    rows.material_grant.append((entry.receiver, digest))
                rows.case_material.append((digest, entry.case))
        return entry

    def _to_progress(self, entry: Entry, body: dict[str, Any]) -> Row:
        told = to_progress(body)
        token = self._pseudonyms.enquiry(body["subject_token"])
        return entry.index, token, entry.case or None, told.stage, told.since, told.next_remedy, told.remedy_until

    def seals(self) -> Iterator[SealRow]:
        """Every seal that a mirror holds, of trees that are rebuilt; mirrors that hold the same one give it once."""
        seen: set[tuple[Any, ...]] = set()
        for store in self._stores:
            for row in store.seals():
                key = (row.what, row.size, row.at, row.witness)
                if key not in seen:
                    seen.add(key)
                    yield row


def _merge(first: MirroredEntry | None, second: MirroredEntry) -> MirroredEntry:
    """The same entry from two mirrors, each of which may know what the other does not."""
    if first is None:
        return second
    return replace(
        first,
        beside={**second.beside, **first.beside},
    )


def _checked(store: MirrorStore, entry: Entry) -> StoredBundle | None:
    bundle = store.bundle(entry.handoff)
    if bundle is not None:
        try:
            check_bundle(bundle, entry)
        except EntryRefusedError as error:
            raise ContradictionError(f"the mirror {store.folder} is damaged: {error}") from error
    return bundle


def _incomplete(found: MirroredEntry, entry: Entry, bundle: StoredBundle | None) -> Iterator[tuple[str, str]]:
    parties = " or ".join(dict.fromkeys(party for party in (entry.sender, entry.receiver, entry.actor) if party))
    for name, beside in BESIDE.items():
        if has_beside(name, entry) and name not in found.beside:
            yield beside.table, "every mirror should hold it" if beside.is_public else f"name the mirror of {parties}"
    if bundle is None and entry.kind is EntryKind.SUBMITTED:
        yield "bundle", f"name the mirror of {entry.sender}"


def _missing(index: int, table: str, reason: str) -> AuditFinding:
    return AuditFinding("mirror-missing", table, f"seq={index}", reason, index)


def _to_statement(entry: Entry, stated: bytes) -> Row:
    jws = stated.decode("utf-8", "surrogateescape")
    number = json.loads(decode_segment(split(jws)[1])).get("case_number") if entry.case else None
    return entry.index, entry.act_id, entry.actor, entry.statement_type, entry.case or None, number, jws


def _body_of(stated: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(decode_segment(split(stated.decode("utf-8", "surrogateescape"))[1]))["body"]
    return body


def _digests(manifest: dict[str, Any], *, is_record_material: bool) -> list[bytes]:
    digests = [item["sha256"] for item in manifest.get("materials") or ()] + list(manifest.get("unchanged") or ())
    if is_record_material:
        digests.append(manifest["native_record"]["sha256"])
    return [bytes.fromhex(digest) for digest in dict.fromkeys(digests)]
