"""What the flows need of the ledger: what it stores, as its readers see it, and how it is written and watched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from gateway.core.access.enquiry import Progress
from gateway.core.command import Command
from gateway.core.entry import Entry, EntryKind, HandoffState
from gateway.core.fact.fact import KnownFact
from gateway.core.identity import Agency
from gateway.core.procedure.track import Tracks
from gateway.core.route import RecordKind

if TYPE_CHECKING:
    from gateway.core.clock.alarm import Parties


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
        """Statements of a case, an issuer, or both, with index > after_index, by index; "" is any of them."""

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
