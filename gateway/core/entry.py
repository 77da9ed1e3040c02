"""The ledger entry: one act, written as the canonical bytes that become a leaf of the Merkle tree.

A leaf holds digests, ids and codes; no name, number or text of a case. Its 32 random bytes of salt keep anybody who can
guess the rest from testing guesses against a published leaf hash.

Source: RFC 6962 section 2.1 (leaf hash); RFC 8785 (the JSON form, restricted to strings, integers, lists and objects).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from gateway.core.procedure.lifecycle import CaseState

MAX_LEAF_BYTES: Final = 4096
SALT_BYTES: Final = 32


class EntryKind(StrEnum):
    """What an entry records."""

    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    FETCHED = "fetched"
    VIEWED = "viewed"
    ACCEPTED = "accepted"
    SUPPLEMENT_ASKED = "supplement_asked"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CALL_REFUSED = "call_refused"
    KEY_REGISTERED = "key_registered"
    KEY_REVOKED = "key_revoked"
    RULE_SET_REGISTERED = "rule_set_registered"
    ADAPTER_REGISTERED = "adapter_registered"
    STATED = "stated"
    CASE_DESTROYED = "case_destroyed"
    CLOCK_WARNED = "clock_warned"
    CLOCK_BREACHED = "clock_breached"


OWN_KINDS: Final = frozenset(
    {
        EntryKind.KEY_REGISTERED,
        EntryKind.KEY_REVOKED,
        EntryKind.RULE_SET_REGISTERED,
        EntryKind.ADAPTER_REGISTERED,
    }
)
"""Acts of the gateway itself; they concern no case and no handoff."""
CLOCK_KINDS: Final = frozenset({EntryKind.CLOCK_WARNED, EntryKind.CLOCK_BREACHED})
"""What the gateway says of the limits of a case when their time has come; nobody asked for it."""
WITHOUT_RECEIPT: Final = OWN_KINDS | CLOCK_KINDS | {EntryKind.CALL_REFUSED, EntryKind.CASE_DESTROYED}
"""Kinds for which the gateway owes nobody a receipt: refusals, and acts of its own."""


class HandoffState(StrEnum):
    """Where a handoff stands."""

    OFFERED = "offered"
    FETCHED = "fetched"
    ACCEPTED = "accepted"
    SUPPLEMENT_ASKED = "supplement_asked"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN_STATES: Final = frozenset({HandoffState.OFFERED, HandoffState.FETCHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record of the ledger; fields without meaning for its kind are empty.

    Args:
        index: place in the ledger, from 0.
        origin: name of the log, the first line of its checkpoints.
        kind: what it records.
        recorded_at: aware UTC, milliseconds.
        actor: agency that acted, or ``gateway`` for what its operator brought into force.
        act_id: idempotency id, a UUID; unique for the actor.
        content_sha256: SHA-256 of what was asked, 64 hexadecimal digits, to tell a replay from a reuse.
        salt: 32 random bytes.
        case: pseudonym of the case, 32 hexadecimal digits.
        case_sequence: number within the case, from 1.
        case_previous: leaf hash of the case's entry before, 64 hexadecimal digits.
        case_state: state of the case afterwards.
        transitions: ids of the domain model.
        handoff: id of the handoff, a UUID.
        handoff_kind: record kind.
        handoff_state: state of the handoff afterwards.
        sender: agency that sends.
        receiver: agency that receives.
        pair_number: gapless number in the direction, from 1.
        consumer: pseudonym of the consumer that holds the lease, 32 hexadecimal digits.
        lease_until: aware UTC end of the lease.
        bundle_sha256: SHA-256 of the manifest JWS.
        bundle_sm3: SM3 of the manifest JWS.
        signer_key: SHA-256 of the signer's certificate; of a submit, or of the key registered or revoked.
        rule_set: id of the rule set that judged it.
        rule_result: what it said.
        inputs_sha256: SHA-256 of everything that the rule set looked at.
        mapping_version: mapping that made the rendition.
        rendition_sha256: SHA-256 of the rendition.
        report_sha256: SHA-256 of the mapping report.
        detail_sha256: SHA-256 of the decision's text, which is kept beside the ledger.
        method: RPC that was refused, Service/Method.
        refusal_codes: numbers of the error codes, each once, in order of the findings.
        public_key_sha256: SHA-256 of the public key (SubjectPublicKeyInfo) that was registered or revoked.
        agency: whose key it is, short form.
        algorithm: the one JWS algorithm that the key may be used with.
        reason: why it was revoked or destroyed, a code of ``RevocationReason`` or ``DestructionReason``.
        adapter: adapter name and schema version that came into force, ``police 3.2``.
        definition_sha256: SHA-256 of what defines the rule set or adapter.
        facts_sha256: SHA-256 of the facts that it brought, which are kept beside the ledger.
        clock: id of the limit, ``K22``.
        step: which of the limits of that id; "" when there is one.
        person: pseudonym of the person whose limit it is, 32 hexadecimal digits; "" for the file.
        level: what is said of it, a ``clock.warning.WarningLevel``.
        due: end of the limit, a day or an instant; "" when it cannot be counted.
        notified: agencies to whom it is a notice, sorted.
        statement_type: name of the form of a statement.
        statement_sha256: SHA-256 of the statement JWS.
        statement_sm3: SM3 of the statement JWS.
        tracks_sha256: SHA-256 of what it did to the person tracks, which is kept beside the ledger.
        withheld_sha256: SHA-256 of what the receiver may not simply read of a bundle (``restriction``), for a submit.
    """

    index: int
    origin: str
    kind: EntryKind
    recorded_at: datetime
    actor: str
    act_id: str
    content_sha256: str
    salt: bytes
    case: str = ""
    case_sequence: int = 0
    case_previous: str = ""
    case_state: CaseState | None = None
    transitions: tuple[str, ...] = field(default=())
    handoff: str = ""
    handoff_kind: str = ""
    handoff_state: HandoffState | None = None
    sender: str = ""
    receiver: str = ""
    pair_number: int = 0
    consumer: str = ""
    lease_until: datetime | None = None
    bundle_sha256: str = ""
    bundle_sm3: str = ""
    signer_key: str = ""
    rule_set: str = ""
    rule_result: str = ""
    inputs_sha256: str = ""
    mapping_version: str = ""
    rendition_sha256: str = ""
    report_sha256: str = ""
    detail_sha256: str = ""
    method: str = ""
    refusal_codes: tuple[int, ...] = field(default=())
    public_key_sha256: str = ""
    agency: str = ""
    algorithm: str = ""
    reason: str = ""
    adapter: str = ""
    definition_sha256: str = ""
    facts_sha256: str = ""
    clock: str = ""
    step: str = ""
    person: str = ""
    level: str = ""
    due: str = ""
    notified: tuple[str, ...] = field(default=())
    statement_type: str = ""
    statement_sha256: str = ""
    statement_sm3: str = ""
    tracks_sha256: str = ""
    withheld_sha256: str = ""


_FIELDS: Final = tuple(Entry.__slots__)
_values: Final = attrgetter(*_FIELDS)
_encode = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def to_instant(at: datetime) -> str:
    """Write an instant as a leaf has it: UTC, milliseconds, ``2026-01-02T03:04:05.678Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_PLAIN: Final[dict[str, Callable[[Any], Any]]] = {
    "kind": str,
    "recorded_at": to_instant,
    "salt": bytes.hex,
    "case_state": CaseState.to_leaf,
    "transitions": list,
    "handoff_state": str,
    "lease_until": to_instant,
    "refusal_codes": list,
    "notified": list,
}
"""How a field is written that JSON does not know."""


def to_leaf(entry: Entry) -> bytes:
    """Write an entry as its canonical leaf.

    Args:
        entry: the entry.

    Returns:
        ASCII JSON, keys sorted, no white space, empty fields left out; at most 4,096 bytes.
    """
    values = {name: value for name, value in zip(_FIELDS, _values(entry), strict=True) if value or name == "index"}
    for name, plain in _PLAIN.items():
        if name in values:
            values[name] = plain(values[name])
    return _encode(values).encode("ascii")


def from_leaf(leaf: bytes) -> Entry:
    """Read back what ``to_leaf`` wrote.

    Args:
        leaf: bytes of a leaf.

    Returns:
        the entry.
    """
    values = json.loads(leaf)
    for name in ("recorded_at", "lease_until"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in ("transitions", "refusal_codes", "notified"):
        if name in values:
            values[name] = tuple(values[name])
    values["salt"] = bytes.fromhex(values["salt"])
    values["kind"] = EntryKind(values["kind"])
    if "case_state" in values:
        values["case_state"] = CaseState.from_leaf(values["case_state"])
    if "handoff_state" in values:
        values["handoff_state"] = HandoffState(values["handoff_state"])
    return Entry(**values)


def pair_number_of(leaf: bytes) -> int:
    """Read the number of the handoff from a leaf; 0 when it has none."""
    number: int = json.loads(leaf).get("pair_number", 0)
    return number


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf.

    Args:
        leaf: bytes of the leaf.

    Returns:
        32 bytes, SHA-256 over 0x00 and the leaf (RFC 6962, section 2.1).
    """
    return sha256(b"\x00" + leaf).digest()
