"""From the messages of the wire to the types of the core, on the side of the client.

A value that a newer gateway may send and this client does not know is never guessed: a state that is not understood
must not pass for one that is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.core.entry import Entry, EntryKind, HandoffState, from_leaf, leaf_hash
from gateway.core.errors import ErrorCode, Finding, Severity
from gateway.core.port.ledger import InboxRow
from gateway.core.route import RecordKind
from gateway.rpc.client_error import EvidenceRejected
from gateway.v1 import common_pb2, exchange_pb2, ledger_pb2

_T = TypeVar("_T")
_HANDOFF_STATE = "HANDOFF_STATE_"
_HANDOFF_KIND = "HANDOFF_KIND_"
_ENTRY_KIND = "ENTRY_KIND_"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """An entry as oversight reads it; its hash was checked against its leaf.

    Args:
        entry: the leaf, read.
        leaf: canonical bytes.
        leaf_hash: 32 bytes.
    """

    entry: Entry
    leaf: bytes
    leaf_hash: bytes


def from_timestamp(message: Timestamp) -> datetime:
    """Read an instant.

    Args:
        message: seconds and nanoseconds since 1970.

    Returns:
        aware UTC.
    """
    return message.ToDatetime(tzinfo=UTC)


def to_timestamp(at: datetime | None) -> Timestamp | None:
    """Write an instant.

    Args:
        at: aware instant; None for none.

    Returns:
        the message, or None.
    """
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at.astimezone(UTC))
    return message


def parse_state(number: int) -> HandoffState:
    """Read the state of a handoff.

    Args:
        number: value of the wire enum.

    Returns:
        the state.

    Raises:
        EvidenceRejected: no state of this version.
    """
    return _parsed(HandoffState, common_pb2.HandoffState.items(), _HANDOFF_STATE, number)


def to_states(states: Iterable[HandoffState]) -> list[common_pb2.HandoffState.ValueType]:
    """Write states.

    Args:
        states: any number of them.

    Returns:
        values of the wire enum.
    """
    return [common_pb2.HandoffState.Value(f"{_HANDOFF_STATE}{state.name}") for state in states]


def to_entry_kinds(kinds: Iterable[EntryKind]) -> list[ledger_pb2.EntryKind.ValueType]:
    """Write kinds of entries.

    Args:
        kinds: any number of them.

    Returns:
        values of the wire enum.
    """
    return [ledger_pb2.EntryKind.Value(f"{_ENTRY_KIND}{kind.name}") for kind in kinds]


def _parsed(enum: type[_T], items: Iterable[tuple[str, int]], prefix: str, number: int) -> _T:
    name = next((name for name, value in items if value == number), prefix).removeprefix(prefix)
    try:
        return enum[name]  # type: ignore[index,no-any-return]
    except KeyError:
        raise EvidenceRejected(f"the gateway sent a value that this client does not know: {prefix}{number}") from None


def from_findings(messages: Iterable[common_pb2.Finding]) -> tuple[Finding, ...]:
    """Read findings.

    Args:
        messages: as the gateway sent them.

    Returns:
        findings in the same order; a code that this client does not know becomes INTERNAL with its name in the message.
    """
    return tuple(_finding(message) for message in messages)


def _finding(message: common_pb2.Finding) -> Finding:
    severity = Severity.WARNING if message.severity == common_pb2.SEVERITY_WARNING else Severity.ERROR
    try:
        return Finding(ErrorCode(message.code), message.path, message.message, severity, message.basis)
    except ValueError:
        text = f"{message.name} ({message.code}): {message.message}"
        return Finding(ErrorCode.INTERNAL, message.path, text, severity, message.basis)


def from_inbox_item(message: exchange_pb2.InboxItem) -> InboxRow:
    """Read a handoff of the inbox.

    Args:
        message: as the gateway sent it.

    Returns:
        the row.
    """
    kind: RecordKind = _parsed(RecordKind, common_pb2.HandoffKind.items(), _HANDOFF_KIND, message.kind)
    return InboxRow(
        handoff=UUID(message.handoff_id),
        kind=kind.value,
        sender=message.sender,
        receiver=message.receiver,
        case_number=message.case_number,
        pair_number=message.pair_number,
        state=parse_state(message.state),
        index=message.entry_index,
        offered_at=from_timestamp(message.offered_at),
        bundle_sha256=message.bundle_sha256,
        lease_until=from_timestamp(message.lease_until) if message.HasField("lease_until") else None,
    )


def verify_entry(message: ledger_pb2.Entry) -> LedgerEntry:
    """Read an entry from its leaf and check that the hash is the leaf's.

    Args:
        message: as the gateway sent it; only leaf and hash are believed, the other fields repeat the leaf.

    Returns:
        the entry.

    Raises:
        EvidenceRejected: hash and leaf, or index and leaf, do not belong together.
    """
    if leaf_hash(message.leaf) != message.leaf_hash:
        raise EvidenceRejected(f"entry {message.index}: the hash is not the hash of its leaf")
    entry = from_leaf(message.leaf)
    if entry.index != message.index:
        raise EvidenceRejected(f"entry {message.index}: the leaf is that of entry {entry.index}")
    return LedgerEntry(entry, message.leaf, message.leaf_hash)
