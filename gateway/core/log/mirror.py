"""What an agency's mirror may keep, and the ports between the log and its mirrors.

Hashes of the tree are for everybody. A leaf is for the parties of its handoff and for whoever acted, because it holds
salt, and without the salt a published hash says nothing. What the gateway itself brought into force is public. A
statement is for those whom its form lets read it; that decision is StatementService's (``core.statement_form``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from gateway.core.entry import OWN_KINDS, Entry, EntryKind
from gateway.core.identity import Agency, Role

MAX_PAGE: Final = 256
MAX_SEALS: Final = 1_000
MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
"""A page ends with the entry whose content goes beyond it, so it is at most this and one entry with its bundle."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Something that lies beside an entry in a table of its own, and whose digest is in the leaf.

    Args:
        table: of the ledger.
        digest: field of ``Entry``, SHA-256.
        kinds: kinds of entries that have it when the field is filled; none for all.
        is_public: whether everybody may read it who sees the entry.
        goes_with_case: whether it can no longer be read when the case is destroyed.
    """

    table: str
    digest: str
    kinds: frozenset[EntryKind] = frozenset()
    is_public: bool = False
    goes_with_case: bool = False


BESIDE: Final[Mapping[str, Beside]] = {
    "detail": Beside("detail", "detail_sha256", goes_with_case=True),
    "facts": Beside("fact", "facts_sha256"),
    "tracks": Beside("track", "tracks_sha256"),
    "statement_jws": Beside("statement", "statement_sha256", goes_with_case=True),
    "certificate": Beside(
        "signer_key",
        "signer_key",
        frozenset({EntryKind.KEY_REGISTERED, EntryKind.KEY_REVOKED}),
        is_public=True,
    ),
}
"""By the name that it has in mirror.proto."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry as the ledger gives it, before anybody asked who may see it.

    Args:
        index: place in the ledger.
        leaf: canonical bytes.
        leaf_hash: 32 bytes.
        kind: what it records.
        actor: who acted, short form or ``gateway``.
        sender: agency, short form; "" without a handoff.
        receiver: agency, short form; "" without a handoff.
        handoff: id; None without a handoff.
        beside: what lies beside it, by the names of ``BESIDE``.
        notified: agencies that it is a notice to.
        case: pseudonym; "" without a case.
    """

    index: int
    leaf: bytes
    leaf_hash: bytes
    kind: EntryKind
    actor: str
    sender: str = ""
    receiver: str = ""
    handoff: UUID | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)
    notified: tuple[str, ...] = ()
    case: str = ""


@dataclass(frozen=True, slots=True)
class WithheldMaterial:
    """A material that the receiver of a bundle may not simply download; see mirror.proto."""

    sha256: bytes
    view: str
    is_granted: bool


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """What a sender submitted.

    Args:
        handoff: its id.
        manifest_jws: compact JWS.
        record: native record; empty when it travels as a material.
        withheld: materials of its case that its receiver may not simply download.
    """

    handoff: UUID
    manifest_jws: str
    record: bytes
    withheld: tuple[WithheldMaterial, ...] = ()


@dataclass(frozen=True, slots=True)
class MirroredEntry:
    """An entry as a mirror keeps it; see ``MirroredEntry`` in mirror.proto.

    Args:
        index: place in the ledger.
        leaf: canonical bytes.
        beside: what lies beside it, by the names of ``BESIDE``.
        bundle: what comes with it; None for nothing.
    """

    index: int
    leaf: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)
    bundle: StoredBundle | None = None

    @property
    def content_bytes(self) -> int:
        """How much lies beside it and comes with it; the leaf does not count."""
        bundle = self.bundle
        brought = len(bundle.record) + len(bundle.manifest_jws) if bundle is not None else 0
        return brought + sum(map(len, self.beside.values()))


@dataclass(frozen=True, slots=True)
class BatchRow:
    """Entries that were committed together.

    Args:
        first_index: of its first entry.
        size: of the tree after it.
        receipt_jws: what was signed for its receipts, compact JWS; "" when nobody was owed one.
    """

    first_index: int
    size: int
    receipt_jws: str = ""


@dataclass(frozen=True, slots=True)
class LogPage:
    """A stretch of the log; see ``ListEntriesResponse`` in mirror.proto."""

    leaf_hashes: tuple[bytes, ...] = ()
    entries: tuple[MirroredEntry, ...] = ()
    batches: tuple[BatchRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """One thing that was said about a tree; the rows of four tables, of which each fills its own fields.

    Args:
        what: name of the table: checkpoint, cosignature, timestamp_token or timestamp_gap.
        size: number of leaves.
        at: aware UTC, microseconds.
        witness: name of the key, of a cosignature.
        text: note of a checkpoint, or line of a cosignature.
        digest: SHA-256 of the note, of a token; 32 bytes.
        token: DER.
        code: of a gap.
    """

    what: str
    size: int
    at: datetime
    witness: str = ""
    text: str = ""
    digest: bytes = b""
    token: bytes = b""
    code: int = 0


@dataclass(frozen=True, slots=True)
class EntryRows:
    """Rows of a stretch, and the batches that ended in it."""

    rows: tuple[EntryRow, ...] = ()
    batches: tuple[BatchRow, ...] = ()


class MirrorSource(Protocol):
    """The ledger as it is read for mirrors."""

    async def stretch(self, first: int, stop: int) -> EntryRows:
        """Entries with first <= index < stop, by index: the first ones when all would be too large to read at once."""

    async def bundle(self, handoff: UUID) -> StoredBundle | None:
        """A bundle; None when there is none."""

    async def seals(self, from_size: int, skip: int, limit: int) -> list[SealRow]:
        """Seals of a size or larger ones, by size, time, table and witness, without the first so many."""


class LogOffer(Protocol):
    """What the gateway offers to whoever follows; see ``GetCheckpointResponse`` in witness.proto."""

    @property
    def size(self) -> int:
        """Of the newest checkpoint; 0 when nothing was signed yet."""

    @property
    def checkpoint(self) -> bytes:
        """Its note."""

    @property
    def proof(self) -> tuple[bytes, ...]:
        """Consistency proof from the size that was named."""


class MirrorGateway(Protocol):
    """The gateway as a mirror calls it."""

    async def poll_checkpoint(self, witness: str, known_size: int, *, wait_seconds: int) -> LogOffer:
        """Ask for a checkpoint, as nobody's witness."""

    async def list_entries(self, first_index: int, tree_size: int) -> LogPage:
        """Ask for a stretch."""

    async def list_seals(self, from_size: int, skip: int) -> Sequence[SealRow]:
        """Ask for seals."""


def is_seen_by(row: EntryRow, agency: Agency) -> bool:
    """Whether an agency may see a leaf.

    Args:
        row: the entry.
        agency: who asks.

    Returns:
        True for the parties of its handoff, for who acted, for whom it is a notice to, for an act of the gateway about
        a key, a rule set or an adapter, for the destruction of a case, so that no mirror keeps what is gone, and for
        oversight, which may query every entry.
    """
    is_for_all = row.kind in OWN_KINDS or row.kind is EntryKind.CASE_DESTROYED
    return may_read(row, agency) or str(agency) in row.notified or is_for_all or agency.role is Role.OVERSIGHT


def may_read(row: EntryRow, agency: Agency) -> bool:
    """Whether an agency may read what lies beside an entry: it is sender or receiver, or it acted."""
    return str(agency) in (row.sender, row.receiver, row.actor)


def readable(row: EntryRow, agency: Agency, *, is_statement_reader: bool = False) -> dict[str, bytes]:
    """What of that which lies beside an entry an agency may read, by the names of ``BESIDE``.

    Args:
        row: the entry.
        agency: who asks.
        is_statement_reader: whether the form of the statement lets it read the signed statement, though it did not
            issue it; what the gateway made of it, facts and tracks, stays with the issuer.
    """
    return {
        name: body
        for name, body in row.beside.items()
        if body
        and (BESIDE[name].is_public or may_read(row, agency) or (is_statement_reader and name == "statement_jws"))
    }


def has_beside(name: str, entry: Entry) -> bool:
    """Whether an entry has something of a name of ``BESIDE`` beside it."""
    beside = BESIDE[name]
    return bool(getattr(entry, beside.digest)) and (not beside.kinds or entry.kind in beside.kinds)


def brings_bundle(row: EntryRow, agency: Agency) -> bool:
    """Whether the bundle of an entry's handoff comes with it: with a submit, for its sender.

    A receiver reads by ``Fetch``, which holds back what it may not see, and whose first call is an act with an entry.
    """
    return row.kind is EntryKind.SUBMITTED and row.sender == str(agency)
