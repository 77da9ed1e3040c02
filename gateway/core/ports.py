"""What the flows need from the world, as protocols that `gateway/app.py` fills with real parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from gateway.core.dossier import Dossier
from gateway.core.enquiry import Progress
from gateway.core.entry import Entry, EntryKind, HandoffState
from gateway.core.fact import KnownFact
from gateway.core.handoff import Command
from gateway.core.identity import Agency
from gateway.core.judge.outcome import RuleOutcome
from gateway.core.manifest import Manifest
from gateway.core.route import RecordKind
from gateway.core.statement import Statement
from gateway.core.track import Tracks

if TYPE_CHECKING:
    from gateway.core.case import Reading, Rendition
    from gateway.core.clock_alarm import Parties
    from gateway.core.schema_register import Schema

Clock = Callable[[], datetime]
"""Gives the time now, aware UTC."""


@dataclass(frozen=True, slots=True)
class Appended:
    """An entry that the database has committed.

    Args:
        index: place in the ledger.
        leaf: canonical bytes of the entry.
        leaf_hash: 32 bytes.
        recorded_at: gateway time.
        receipt_jws: the receipt signed by the gateway; "" for a refused call.
        is_replay: True when the act had been recorded before and this is its first receipt again.
    """

    index: int
    leaf: bytes
    leaf_hash: bytes
    recorded_at: datetime
    receipt_jws: str
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A handoff as its receiver sees it before fetching; see ``InboxItem`` in exchange.proto.

    The case number is empty when it cannot be read, as in a case that was destroyed.
    """

    handoff: UUID
    kind: str
    sender: str
    receiver: str
    case_number: str
    pair_number: int
    state: HandoffState
    index: int
    offered_at: datetime
    bundle_sha256: str
    lease_until: datetime | None


@dataclass(frozen=True, slots=True)
class StoredHandoff:
    """A handoff with what its two parties may read.

    Args:
        row: as in the inbox.
        manifest_jws: the sender's signed manifest.
        record: the native record; empty when it travels as a material.
        receipts: its entries that have a receipt, in order.
        detail: text of the last decision or withdrawal, JSON; empty when there is none.
        detail_kind: entry kind that the detail belongs to; None when there is none.
        is_destroyed: True when the case was destroyed: manifest, record, case number and detail are then empty.
    """

    row: InboxRow
    manifest_jws: str
    record: bytes
    receipts: tuple[Appended, ...]
    detail: bytes = b""
    detail_kind: EntryKind | None = None
    is_destroyed: bool = False


@dataclass(frozen=True, slots=True)
class StoredProgress:
    """What a party may be told.

    Args:
        token: keyed digest of the enquiry token, 32 bytes.
        case: pseudonym of the case; "" when the statement named none.
        progress: what is told.
    """

    token: bytes
    case: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement with what those may read who may read it at all.

    Args:
        statement_id: its id.
        issuer: agency, short form.
        type: name of its form.
        case: pseudonym of its case; "" when it concerns none.
        case_number: police case number; "" when it concerns none.
        statement_jws: as it was signed.
        appended: its entry and receipt.
        is_destroyed: True when the case was destroyed: case number and JWS are then empty.
    """

    statement_id: UUID
    issuer: str
    type: str
    case: str
    case_number: str
    statement_jws: str
    appended: Appended
    is_destroyed: bool = False


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """One number of a direction; see ``ReconcileItem`` in exchange.proto."""

    pair_number: int
    handoff: UUID
    bundle_sha256: str
    index: int
    leaf_hash: bytes
    state: HandoffState


@dataclass(frozen=True, slots=True)
class HandoffFacts:
    """What the submit of a handoff told.

    Args:
        kind: of the handoff.
        is_fetched: whether its receiver has fetched it.
        facts: with the pseudonyms of the persons.
    """

    kind: RecordKind
    is_fetched: bool
    facts: tuple[KnownFact, ...]


class FactRow(NamedTuple):
    """That an entry brought facts.

    Args:
        seq: index of the entry.
        case: pseudonym.
    """

    seq: int
    case: str


class Notice(NamedTuple):
    """An entry about a limit, as an agency that it is a notice to reads it.

    Args:
        seq: index of the entry.
        recorded_at: aware UTC.
        case_number: police case number; "" when nobody knows it any more.
        entry: what it says.
        leaf: canonical bytes of the entry.
    """

    seq: int
    recorded_at: datetime
    case_number: str
    entry: Entry
    leaf: bytes


class NoticeReader(Protocol):
    """Reads notices."""

    async def notices(self, agency: str, after: int, limit: int) -> list[Notice]:
        """What an agency (short form) was told after an index, by index."""

    async def parties(self, case: str) -> Parties:
        """Agencies of a case (pseudonym), by which it is known whose a limit is."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as the ledger holds it: leaf bytes, their hash and the index."""

    index: int
    leaf: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Conditions that an entry must meet all of; empty ones do not count. Ranges are [from, to)."""

    kinds: tuple[EntryKind, ...] = field(default=())
    sender: str = ""
    receiver: str = ""
    actor: str = ""
    case: str = ""
    handoff: UUID | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    index_from: int = 0
    index_to: int | None = None


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size and root of the tree.

    Args:
        size: number of entries.
        root: root hash, 32 bytes.
    """

    size: int
    root: bytes


class LedgerWriter(Protocol):
    """Appends entries; the answer comes after the commit."""

    async def append(self, command: Command) -> Appended:
        """Append one act.

        Raises:
            GatewayError: what ``handoff.decide_act`` refuses, BUNDLE_ID_REUSED, ACT_ID_REUSED or
                IDEMPOTENCY_KEY_REUSED for an id that stands for other content, QUEUE_FULL, LEDGER_UNAVAILABLE.
        """


class LedgerReader(Protocol):
    """Reads the ledger; pages are by key, ``after`` is exclusive."""

    async def inbox(
        self, receiver: Agency, states: Sequence[HandoffState], *, after_index: int, limit: int
    ) -> list[InboxRow]:
        """Handoffs to a receiver with index > after_index, by index."""

    async def handoff(self, handoff: UUID) -> StoredHandoff | None:
        """One handoff, or None."""

    async def statements_of_id(self, statement_id: UUID) -> list[StoredStatement]:
        """Statements of an id, by index; two issuers may have chosen the same."""

    async def statements(
        self, *, case: str, issuer: str, type_name: str, after_index: int, limit: int
    ) -> list[StoredStatement]:
        """Statements of a case, or with case "" of an issuer, with index > after_index, by index; "" is any type."""

    async def progress(self, token: bytes) -> StoredProgress | None:
        """The newest thing that may be told for the digest of an enquiry token, or None."""

    async def is_party(self, case: str, agency: Agency) -> bool:
        """Whether an agency sent or received a handoff of a case, or has custody of its file."""

    async def is_case_open(self, case: str) -> bool:
        """Whether a handoff of the case has been submitted yet."""

    async def tracks(self, case: str) -> Tracks:
        """Where the persons of a case stand; no tracks for a case that has none."""

    async def pair(
        self, sender: Agency, receiver: Agency, *, after_number: int, limit: int
    ) -> tuple[list[NumberedRow], int]:
        """Numbers of a direction after the given one, and the last number given out (0 when none)."""

    async def case_facts(self, case: str) -> list[KnownFact]:
        """What happened in a case (pseudonym), by the entries that brought it."""

    async def handoff_facts(self, handoff: UUID) -> HandoffFacts | None:
        """What the submit of a handoff said; None when there is no such handoff, or it brought no facts."""

    async def entries(self, condition: EntryFilter, *, after_index: int, limit: int) -> list[StoredEntry]:
        """Entries that match with index > after_index, by index."""

    async def head(self) -> TreeHead:
        """The present tree."""

    async def inclusion(self, index: int, size: int) -> tuple[list[bytes], bytes, bytes]:
        """Path of an entry in the tree of a size, the root of that tree, the leaf hash."""

    async def consistency(self, first: int, second: int) -> tuple[list[bytes], bytes, bytes]:
        """Proof between two sizes, the root of the first, the root of the second."""


class InboxWatch(Protocol):
    """Wakes readers of an inbox, or of another topic."""

    def subscribe(self, receiver: Agency | str) -> AbstractAsyncContextManager[Callable[[], AsyncIterator[None]]]:
        """Give a function whose iterator yields whenever there may be something new for the receiver, at least once."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A material that a bundle brought and that its receiver may not read as it is.

    Args:
        case: pseudonym of the case.
        view: how it may be seen, a value of ``visibility.View``.
    """

    case: str
    view: str


class MaterialGrants(Protocol):
    """Who may see which material."""

    async def granted(self, agency: Agency, digests: Sequence[str]) -> set[str]:
        """Those of the digests that the agency uploaded or got by a handoff."""

    async def withheld(self, agency: Agency, digests: Sequence[str]) -> dict[str, Withheld]:
        """Those of the digests that a bundle brought the agency and that it may not read as they are."""

    async def grant(self, agency: Agency, sha256: str) -> None:
        """Record that the agency uploaded a material."""


@dataclass(frozen=True, slots=True)
class StoredMaterial:
    """A complete material.

    Args:
        sha256: 64 hexadecimal digits.
        sm3: 64 hexadecimal digits.
        size: bytes.
    """

    sha256: str
    sm3: str
    size: int


class MaterialUpload(Protocol):
    """One running upload."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""

    async def finish(self) -> StoredMaterial:
        """Sync, check the digest and make the material visible."""


class MaterialStore(Protocol):
    """Content-addressed store."""

    async def info(self, sha256: str) -> StoredMaterial | None:
        """A complete material, or None."""

    async def received_bytes(self, owner: str, sha256: str) -> int:
        """Bytes of a broken upload of this owner."""

    def open_upload(
        self, owner: str, sha256: str, size: int, offset: int
    ) -> AbstractAsyncContextManager[MaterialUpload]:
        """Start or resume an upload."""

    def read(self, sha256: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Bytes of a complete material."""


class SignedManifest(Protocol):
    """A manifest whose signature, chain and key were verified."""

    @property
    def manifest(self) -> Manifest:
        """What was signed."""

    @property
    def payload(self) -> bytes:
        """The signed bytes."""

    @property
    def signer(self) -> Agency:
        """Agency of the signing certificate."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the signing certificate, hexadecimal."""

    @property
    def public_key_sha256(self) -> str:
        """SHA-256 of its public key, hexadecimal."""


class BundleVerifier(Protocol):
    """Verifies a bundle's signature."""

    def __call__(self, jws: str, *, now: datetime, is_recorded: bool = False) -> SignedManifest:
        """Verify a compact JWS; with ``is_recorded`` a key that was revoked since is no fault.

        Raises:
            GatewayError: one of the signature or manifest codes.
        """


class SignedStatement(Protocol):
    """A statement whose signature, chain and key were verified."""

    @property
    def statement(self) -> Statement:
        """What was signed."""

    @property
    def payload(self) -> bytes:
        """The signed bytes."""

    @property
    def signer(self) -> Agency:
        """Agency of the signing certificate."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the signing certificate, hexadecimal."""

    @property
    def public_key_sha256(self) -> str:
        """SHA-256 of its public key, hexadecimal."""


class StatementVerifier(Protocol):
    """Verifies a statement's signature."""

    def __call__(self, jws: str, *, now: datetime, is_recorded: bool = False) -> SignedStatement:
        """Verify a compact JWS; with ``is_recorded`` a key that was revoked since is no fault.

        Raises:
            GatewayError: one of the signature or statement codes.
        """


class Procedure(Protocol):
    """Guards of the procedure that need rules; called for every submit, before the ledger."""

    def definitions(self) -> Mapping[str, str]:
        """SHA-256 of the rules of each rule set that an outcome may name, hexadecimal, by the id of the rule set."""

    def judge(self, dossier: Dossier | None) -> RuleOutcome:
        """Judge a dossier; None is a record that is of no point, and has the result NOT_EVALUATED."""


class Adapters(Protocol):
    """The adapters of all agency systems, by system name."""

    def read(self, data: bytes, *, sender: str, receiver: str, version: str = "") -> Reading:
        """Read a native record by a version of the sender's schema, "" for the published one."""

    def render(self, reading: Reading, *, receiver: str, version: str = "") -> Rendition:
        """Write a reading in a version of the receiver's schema, "" for the published one."""

    def locate(self, reading: Reading, field: str) -> str:
        """Path in the sender's own file of a canonical field such as ``person[1].plea.guilty``."""

    def schema_of(self, agency: str) -> Schema:
        """The schema that an agency (short form) is registered with, else the published one of its system."""

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of a schema, the published one first; none for a schema that there is not."""

    def encoding(self, name: str) -> str:
        """Encoding of a system's files."""


class StatementSigner(Protocol):
    """Signs what the gateway states."""

    def sign(self, claims: dict[str, str | int], typ: str) -> str:
        """Sign claims as a compact JWS of a type."""
