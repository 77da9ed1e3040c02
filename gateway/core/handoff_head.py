"""What a decision stands on and what it makes: the heads of case and handoff, the place, and the new entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.core.command import Command
from gateway.core.entry import OWN_KINDS, Entry, EntryKind, HandoffState
from gateway.core.procedure.lifecycle import INITIAL, CaseState, Step
from gateway.core.procedure.track import NO_TRACKS, Tracks
from gateway.core.route import RecordKind


@dataclass(frozen=True, slots=True)
class CaseHead:
    """The last entry of a case.

    Args:
        sequence: its number within the case; 0 when there is none.
        leaf_hash: its leaf hash, hexadecimal; "" when there is none.
        state: state of the case after it.
        tracks: of its persons after it.
    """

    sequence: int = 0
    leaf_hash: str = ""
    state: CaseState = INITIAL
    tracks: Tracks = NO_TRACKS


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffHead:
    """Where a handoff stands.

    Args:
        handoff: its id.
        kind: record kind.
        sender: agency, short form.
        receiver: agency, short form.
        pair_number: its number in the direction.
        case: pseudonym of its case.
        state: where it stands.
        case_before: state of the case before it was submitted.
        submitted_sequence: number, within the case, of the entry that submitted it.
        consumer: pseudonym of the consumer of the last claim; "" when there was none.
        lease_until: end of the last lease; None when there was none.
    """

    handoff: str
    kind: RecordKind
    sender: str
    receiver: str
    pair_number: int
    case: str
    state: HandoffState
    case_before: CaseState
    submitted_sequence: int
    consumer: str = ""
    lease_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the ledger has to write.

    Args:
        entry: the new entry.
        handoff: the handoff afterwards; None for a refused call.
        tracks: of the case afterwards; None when it did not change them.
        track_row: what is kept of them beside the entry; empty for nothing.
    """

    entry: Entry
    handoff: HandoffHead | None
    tracks: Tracks | None = None
    track_row: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the ledger gives to a new entry.

    Args:
        index: its place in the ledger.
        origin: name of the log.
        at: gateway time, aware UTC, never before the entry before.
        salt: 32 random bytes.
    """

    index: int
    origin: str
    at: datetime
    salt: bytes


def write_entry(command: Command, place: Place, case: CaseHead, step: Step, handoff: HandoffHead | None) -> Entry:
    """Write the entry of an act that was decided.

    A refused call names its handoff only when that exists: an id that a caller made up proves nothing.

    Args:
        command: what the caller asked.
        place: index, time and salt.
        case: head of the case before.
        step: what the act did to the case.
        handoff: head of the handoff afterwards; None for none.

    Returns:
        the entry.
    """
    case_id = handoff.case if handoff is not None else command.case
    return Entry(
        index=place.index,
        origin=place.origin,
        kind=command.kind,
        recorded_at=place.at,
        actor=str(command.actor),
        act_id=str(command.act_id),
        content_sha256=command.content_sha256,
        salt=place.salt,
        case=case_id,
        case_sequence=case.sequence + 1 if case_id else 0,
        case_previous=case.leaf_hash,
        case_state=step.state if case_id else None,
        transitions=step.transitions,
        handoff=handoff.handoff if handoff is not None else "",
        handoff_kind=handoff.kind.value if handoff is not None else "",
        handoff_state=handoff.state if handoff is not None else None,
        sender=handoff.sender if handoff is not None else "",
        receiver=handoff.receiver if handoff is not None else "",
        pair_number=handoff.pair_number if handoff is not None else 0,
        consumer=command.consumer,
        lease_until=handoff.lease_until if handoff is not None and command.kind is EntryKind.CLAIMED else None,
        bundle_sha256=command.bundle_sha256,
        bundle_sm3=command.bundle_sm3,
        signer_key=command.signer_key,
        rule_set=command.rule_set,
        rule_result=command.rule_result,
        inputs_sha256=command.inputs_sha256,
        mapping_version=command.mapping_version,
        rendition_sha256=command.rendition_sha256,
        report_sha256=command.report_sha256,
        detail_sha256=command.detail_sha256,
        method=command.method,
        refusal_codes=command.refusal_codes,
        # A submit names its key by the certificate alone, which the entry of the registration resolves.
        public_key_sha256=command.public_key_sha256 if command.kind in OWN_KINDS else "",
        agency=command.agency,
        algorithm=command.algorithm,
        reason=command.reason,
        adapter=command.adapter,
        definition_sha256=command.definition_sha256,
        facts_sha256=command.facts_sha256,
        clock=command.clock,
        step=command.step,
        person=command.person,
        level=command.level,
        due=command.due,
        notified=command.notified,
        statement_type=command.statement_type,
        statement_sha256=command.statement_sha256,
        statement_sm3=command.statement_sm3,
        withheld_sha256=command.withheld_sha256,
    )
