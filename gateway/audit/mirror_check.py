"""What a mirror believes of an entry: nothing that does not hash to its place in the tree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256

from gateway.audit.jws_check import JwsError, decode_segment, split
from gateway.audit.leaf_form import parse_entry
from gateway.core.access.restriction import restrictions_sha256
from gateway.core.entry import Entry, leaf_hash
from gateway.core.identity import Agency
from gateway.core.log.batch_receipt import BatchTree
from gateway.core.log.mirror import (
    BESIDE,
    BatchRow,
    EntryRow,
    MirroredEntry,
    StoredBundle,
    brings_bundle,
    has_beside,
    may_read,
)


class MirrorFault(StrEnum):
    """Why a mirror refuses what the log shows."""

    FALSE = "false"
    """A checkpoint or cosignature is malformed, of another log, or not signed by who it says."""
    FORK = "fork"
    """Two signed checkpoints that cannot both be true."""
    SHRUNK = "shrunk"
    """The log shows a smaller tree than before."""
    UNPROVEN = "unproven"
    """Nothing proves that the new checkpoint continues the old one."""
    HASHES = "hashes"
    """The leaf hashes that were given do not lead to the signed root."""
    ENTRY = "entry"
    """An entry does not hash to its place, or what lies beside it has another digest."""
    WITHHELD = "withheld"
    """Something that the agency may see was not given."""


class PageRefusedError(ValueError):
    """What came for a stretch of the log is not what the tree, or the log's promise to its parties, demands.

    Args:
        fault: what kind of thing is wrong.
        reason: in words, without anything of a case.
    """

    def __init__(self, fault: MirrorFault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class EntryRefusedError(PageRefusedError):
    """An entry that is not what its place in the tree demands.

    Args:
        index: of the entry.
        reason: in words, without anything of a case.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(MirrorFault.ENTRY, f"entry {index}: {reason}")


def check_entry(mirrored: MirroredEntry, hashed: bytes, origin: str) -> Entry:
    """Check a leaf and what lies beside it.

    1. The leaf hashes to its place. 2. It is canonical, and of this index and log. 3. What lies beside it has the
    digest in the leaf.

    Args:
        mirrored: as the gateway gave it.
        hashed: the leaf hash at its place, 32 bytes.
        origin: name of the log.

    Returns:
        the entry.

    Raises:
        EntryRefusedError: a step failed.
    """
    index = mirrored.index
    # 1
    if leaf_hash(mirrored.leaf) != hashed:
        raise EntryRefusedError(index, "the leaf does not hash to its place in the tree")
    # 2
    entry = parse_entry(mirrored.leaf)
    if entry is None:
        raise EntryRefusedError(index, "the leaf is not what a gateway writes")
    if (entry.index, entry.origin) != (index, origin):
        raise EntryRefusedError(index, "the leaf was written for another place or log")
    # 3
    for name, body in mirrored.beside.items():
        if not has_beside(name, entry) or sha256(body).hexdigest() != getattr(entry, BESIDE[name].digest):
            raise EntryRefusedError(index, f"its {name} is not that whose digest is in the leaf")
    return entry


def check_bundle(bundle: StoredBundle, submitted: Entry) -> None:
    """Check a bundle against the entry that submitted it.

    Args:
        bundle: manifest and record, and what its receiver may not simply read.
        submitted: the entry.

    Raises:
        EntryRefusedError: it is of another handoff, or a digest differs.
    """
    index = submitted.index
    if str(bundle.handoff) != submitted.handoff:
        raise EntryRefusedError(index, "the bundle is of another handoff")
    if restrictions_sha256((one.sha256.hex(), one.view) for one in bundle.withheld) != submitted.withheld_sha256:
        raise EntryRefusedError(index, "what the receiver may not read is not what has its digest in the leaf")
    if sha256(bundle.manifest_jws.encode("utf-8", "surrogateescape")).hexdigest() != submitted.bundle_sha256:
        raise EntryRefusedError(index, "the manifest is not the one whose digest is in the leaf")
    try:
        manifest = json.loads(decode_segment(split(bundle.manifest_jws)[1]))
        said = str(manifest["native_record"]["sha256"])
    except (JwsError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise EntryRefusedError(index, "the manifest cannot be read") from error
    if bundle.record and sha256(bundle.record).hexdigest() != said:
        raise EntryRefusedError(index, "the record is not the one whose digest is signed")


def to_row(entry: Entry, leaf: bytes, hashed: bytes) -> EntryRow:
    """The row by which is asked who may see what."""
    return EntryRow(entry.index, leaf, hashed, entry.kind, entry.actor, entry.sender, entry.receiver)


def goes_with_case(name: str) -> bool:
    """Whether something of ``find_withheld`` can no longer be given when its case was destroyed."""
    return name == "bundle" or BESIDE[name].goes_with_case


def find_withheld(mirrored: MirroredEntry, entry: Entry, row: EntryRow, agency: Agency) -> list[str]:
    """What a gateway owes an agency with an entry and did not give.

    Args:
        mirrored: as it came.
        entry: its leaf.
        row: of ``to_row``.
        agency: whose mirror it is.

    Returns:
        the names of what is missing.
    """
    is_reader = may_read(row, agency)
    missing = []
    for name, beside in BESIDE.items():
        if (is_reader or beside.is_public) and has_beside(name, entry) and name not in mirrored.beside:
            missing.append(name)
    if mirrored.bundle is None and brings_bundle(row, agency):
        missing.append("bundle")
    return missing


def check_batch(batch: BatchRow, origin: str, leaf_hashes: Sequence[bytes], root: bytes) -> None:
    """Check what was signed for the receipts of a batch against the tree.

    Args:
        batch: as the gateway gave it.
        origin: name of the log.
        leaf_hashes: of its entries, 32 bytes each.
        root: of the tree after it, 32 bytes.

    Raises:
        EntryRefusedError: it ends elsewhere, or what was signed speaks of something else.
    """
    if batch.size - batch.first_index != len(leaf_hashes):
        raise EntryRefusedError(batch.first_index, "a batch is missing, or given twice")
    if not batch.receipt_jws:
        return
    said: dict[str, object] = {}
    with suppress(JwsError, ValueError, RecursionError):
        said = dict(json.loads(decode_segment(split(batch.receipt_jws)[1])))
    expected = {
        "origin": origin,
        "first_index": batch.first_index,
        "tree_size": batch.size,
        "batch_root": BatchTree(leaf_hashes).root.hex(),
        "root_hash": root.hex(),
    }
    if {name: said.get(name) for name in expected} != expected:
        raise EntryRefusedError(batch.first_index, "what was signed for its batch speaks of something else")
