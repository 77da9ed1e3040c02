"""How an act becomes an entry: the pure decision that the ledger takes inside its transaction.

The ledger reads the heads (last entry of the case, last state of the handoff, last number of the pair), asks
``decide_act`` and writes what comes back. Everything that can be refused for the state of things is refused here, with
the state read under the ledger's lock, so that of two racing callers exactly one wins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from gateway.core.act_step import do_act
from gateway.core.command import DEFAULT_LEASE, Bundle, Command
from gateway.core.entry import CLOCK_KINDS, OPEN_STATES, OWN_KINDS, Entry, EntryKind, HandoffState
from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import GATEWAY, Agency
from gateway.core.key_history import NO_MARKS, KeyMarks, Standing, judge_key
from gateway.core.lifecycle import INITIAL, Act, CaseState, Step, decide, submit
from gateway.core.route import RecordKind
from gateway.core.track import MAX_TRACK_BYTES, NO_TRACKS, Tracks, row_sha256, to_row
from gateway.core.track_step import track_decide, track_submit

__all__ = [
    "DEFAULT_LEASE",
    "MAX_LEASE",
    "Bundle",
    "CaseHead",
    "Command",
    "Decided",
    "HandoffHead",
    "Place",
    "decide_act",
]

MAX_LEASE: Final = timedelta(days=1)


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


_ACTS: Final = {
    EntryKind.ACCEPTED: (Act.ACCEPTED, HandoffState.ACCEPTED),
    EntryKind.SUPPLEMENT_ASKED: (Act.SUPPLEMENT_ASKED, HandoffState.SUPPLEMENT_ASKED),
    EntryKind.REFUSED: (Act.REFUSED, HandoffState.REFUSED),
    EntryKind.WITHDRAWN: (Act.WITHDRAWN, HandoffState.WITHDRAWN),
}


def decide_act(
    command: Command,
    place: Place,
    *,
    case: CaseHead,
    handoff: HandoffHead | None,
    last_pair_number: int,
    key: KeyMarks = NO_MARKS,
) -> Decided:
    """Decide one act on the state read under the ledger's lock.

    Args:
        command: what the caller asks.
        place: index, time and salt of the new entry.
        case: head of the case; the empty head when it has no entry or the command belongs to none.
        handoff: head of the handoff; None when there is none of this id.
        last_pair_number: last number of the direction; used by a submit only.
        key: where the ledger speaks of the signer key that the command names with ``public_key_sha256``.

    Returns:
        the entry to write and the handoff afterwards.

    Raises:
        GatewayError: KEY_REVOKED, KEY_NOT_REGISTERED, HANDOFF_UNKNOWN, NOT_A_PARTY, ALREADY_DECIDED,
            ALREADY_WITHDRAWN, NOT_CLAIMED, LEASE_EXPIRED, LEASE_HELD, NOT_FETCHED, BUNDLE_ID_REUSED, or what
            ``lifecycle`` refuses.
    """
    if command.kind is EntryKind.CALL_REFUSED:
        return Decided(_entry(command, place, case, Step(case.state, ()), handoff), None)
    if command.kind in OWN_KINDS | CLOCK_KINDS:
        return _own(command, place, key) if command.kind in OWN_KINDS else _warn(command, place, case)
    if command.kind in (EntryKind.SUBMITTED, EntryKind.STATED):
        _require_key(command, place, key)
        is_statement = command.kind is EntryKind.STATED
        return (
            _state(command, place, case) if is_statement else _submit(command, place, case, handoff, last_pair_number)
        )
    if handoff is None:
        raise refuse(ErrorCode.HANDOFF_UNKNOWN, "handoff_id", "there is no handoff with this id")
    if command.kind is EntryKind.WITHDRAWN:
        _require_party(command, handoff.sender)
        _require_open(handoff)
        return _close(command, place, case, handoff)
    _require_party(command, handoff.receiver)
    if command.kind in (EntryKind.CLAIMED, EntryKind.FETCHED):
        act = _claim if command.kind is EntryKind.CLAIMED else _fetch
        return act(command, place, case, handoff)
    _require_open(handoff)
    _require_lease(command, handoff, place.at)
    if handoff.state is not HandoffState.FETCHED:
        raise refuse(ErrorCode.NOT_FETCHED, "handoff_id", "fetch the handoff before you decide on it")
    return _close(command, place, case, handoff)


def _own(command: Command, place: Place, key: KeyMarks) -> Decided:
    if command.actor != GATEWAY or command.handoff is not None or command.case:
        raise ValueError("only the gateway registers and revokes, and not for a case")
    if command.kind is EntryKind.KEY_REGISTERED and key.revoked is not None:
        raise refuse(ErrorCode.KEY_REVOKED, "certificate", "this key was revoked; it cannot be registered again")
    return Decided(_entry(command, place, CaseHead(), Step(INITIAL, ()), None), None)


def _warn(command: Command, place: Place, case: CaseHead) -> Decided:
    if command.actor != GATEWAY or command.handoff is not None or not case.sequence or not command.clock:
        raise ValueError("only the gateway warns, of a limit of a case that has entries")
    return Decided(_entry(command, place, case, Step(case.state, ()), None), None)


def _require_key(command: Command, place: Place, key: KeyMarks) -> None:
    """Of a revocation and a signed act that race, the order of their entries decides, not the order of their checks."""
    if not command.public_key_sha256:
        return
    match judge_key(key, place.index):
        case Standing.REVOKED:
            raise refuse(ErrorCode.KEY_REVOKED, "header/x5c", "the signing key was revoked")
        case Standing.NOT_REGISTERED:
            raise refuse(ErrorCode.KEY_NOT_REGISTERED, "header/x5c", "the signing certificate is not registered")


def _submit(
    command: Command, place: Place, case: CaseHead, handoff: HandoffHead | None, last_pair_number: int
) -> Decided:
    if handoff is not None:
        raise refuse(ErrorCode.BUNDLE_ID_REUSED, "/bundle_id", "this bundle id stands for another bundle")
    if command.handoff_kind is None or command.sender is None or command.receiver is None or command.handoff is None:
        raise ValueError("a submit names kind, sender, receiver and handoff")
    sequence, sender = case.sequence + 1, str(command.sender)
    step = submit(command.handoff_kind, case.state, sender=sender, case_sequence=sequence)
    head = HandoffHead(
        handoff=str(command.handoff),
        kind=command.handoff_kind,
        sender=sender,
        receiver=str(command.receiver),
        pair_number=last_pair_number + 1,
        case=command.case,
        state=HandoffState.OFFERED,
        case_before=case.state,
        submitted_sequence=sequence,
    )
    tracks = case.tracks
    if command.cause is not None:
        step, tracks = track_submit(command.handoff_kind, case.state, step, tracks, command.cause, sequence=sequence)
    return _tracked(command, place, case, (step, tracks), head)


def _state(command: Command, place: Place, case: CaseHead) -> Decided:
    if command.handoff is not None or not command.statement_type:
        raise ValueError("a statement has a type and belongs to no handoff")
    if command.cause is None:
        return Decided(_entry(command, place, case, Step(case.state, ()), None), None)
    if not isinstance(command.actor, Agency):
        raise TypeError("an act of the procedure is an agency's")
    step, tracks = do_act(
        case.state,
        case.tracks,
        command.cause,
        issuer=command.actor,
        sequence=case.sequence + 1,
        is_unseen=case.state.moved_at == 0,
    )
    return _tracked(command, place, case, (step, tracks), None)


def _tracked(
    command: Command, place: Place, case: CaseHead, outcome: tuple[Step, Tracks], handoff: HandoffHead | None
) -> Decided:
    """The entry with the digest of what it did to the persons, where it did or could have done something."""
    step, tracks = outcome
    is_changed = tracks is not case.tracks and tracks != case.tracks
    if command.cause is None and not is_changed:
        return Decided(_entry(command, place, case, step, handoff), handoff)
    row = to_row(tracks if is_changed else None, command.cause or {})
    if len(row) > MAX_TRACK_BYTES:
        raise refuse(ErrorCode.TRACK_NOT_ALLOWED, "", "the case has more persons than its tracks can hold")
    entry = replace(_entry(command, place, case, step, handoff), tracks_sha256=row_sha256(row))
    return Decided(entry, handoff, tracks if is_changed else None, row)


def _require_party(command: Command, agency: str) -> None:
    if str(command.actor) != agency:
        raise refuse(ErrorCode.NOT_A_PARTY, "handoff_id", "the caller may not do this to this handoff")


def _require_open(handoff: HandoffHead) -> None:
    if handoff.state is HandoffState.WITHDRAWN:
        raise refuse(ErrorCode.ALREADY_WITHDRAWN, "handoff_id", "the sender has withdrawn this handoff")
    if handoff.state not in OPEN_STATES:
        raise refuse(ErrorCode.ALREADY_DECIDED, "handoff_id", "this handoff is decided already")


def _require_lease(command: Command, handoff: HandoffHead, at: datetime) -> None:
    if handoff.lease_until is None:
        raise refuse(ErrorCode.NOT_CLAIMED, "handoff_id", "claim the handoff first")
    if handoff.consumer != command.consumer:
        if handoff.lease_until > at:
            raise refuse(ErrorCode.LEASE_HELD, "consumer", "another consumer holds the lease")
        raise refuse(ErrorCode.NOT_CLAIMED, "consumer", "this consumer has not claimed the handoff")
    if handoff.lease_until <= at:
        raise refuse(ErrorCode.LEASE_EXPIRED, "consumer", "the lease has run out; claim the handoff again")


def _claim(command: Command, place: Place, case: CaseHead, handoff: HandoffHead) -> Decided:
    _require_open(handoff)
    if handoff.lease_until is not None and handoff.lease_until > place.at and handoff.consumer != command.consumer:
        raise refuse(ErrorCode.LEASE_HELD, "handoff_id", "another consumer holds the lease")
    until = place.at + min(command.lease, MAX_LEASE)
    # The leaf has whole milliseconds, and the lease ends when the leaf says.
    until = until.replace(microsecond=until.microsecond // 1000 * 1000)
    head = replace(handoff, consumer=command.consumer, lease_until=until)
    return Decided(_entry(command, place, case, Step(case.state, ()), head), head)


def _fetch(command: Command, place: Place, case: CaseHead, handoff: HandoffHead) -> Decided:
    if handoff.state is HandoffState.WITHDRAWN:
        raise refuse(ErrorCode.ALREADY_WITHDRAWN, "handoff_id", "the sender has withdrawn this handoff")
    if handoff.state is HandoffState.OFFERED:
        _require_lease(command, handoff, place.at)
        head = replace(handoff, state=HandoffState.FETCHED)
        return Decided(_entry(command, place, case, Step(case.state, ()), head), head)
    if handoff.state is HandoffState.FETCHED:
        _require_lease(command, handoff, place.at)
    viewed = replace(command, kind=EntryKind.VIEWED)
    return Decided(_entry(viewed, place, case, Step(case.state, ()), handoff), handoff)


def _close(command: Command, place: Place, case: CaseHead, handoff: HandoffHead) -> Decided:
    act, state = _ACTS[command.kind]
    step = decide(
        handoff.kind,
        act,
        case.state,
        receiver=handoff.receiver,
        case_sequence=case.sequence + 1,
        before=handoff.case_before,
        submitted_sequence=handoff.submitted_sequence,
    )
    head = replace(handoff, state=state)
    step, tracks = track_decide(handoff.kind, act, step, case.tracks, submitted_sequence=handoff.submitted_sequence)
    return _tracked(command, place, case, (step, tracks), head)


def _entry(command: Command, place: Place, case: CaseHead, step: Step, handoff: HandoffHead | None) -> Entry:
    """A refused call names its handoff only when that exists: an id that a caller made up proves nothing."""
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
    )
