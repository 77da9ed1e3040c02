"""How an act becomes an entry: the pure decision that the ledger takes inside its transaction.

The ledger reads the heads (last entry of the case, last state of the handoff, last number of the pair), asks
``decide_act`` and writes what comes back. Everything that can be refused for the state of things is refused here, with
the state read under the ledger's lock, so that of two racing callers exactly one wins.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from gateway.core.case.value import CHINA_TIME
from gateway.core.command import Command
from gateway.core.entry import CLOCK_KINDS, OPEN_STATES, OWN_KINDS, EntryKind, HandoffState
from gateway.core.errors import ErrorCode, refuse
from gateway.core.handoff_head import CaseHead, Decided, HandoffHead, Place, write_entry
from gateway.core.identity import GATEWAY, Agency, parse_agency
from gateway.core.log.key_history import NO_MARKS, KeyMarks, Standing, judge_key
from gateway.core.procedure.act_step import do_act
from gateway.core.procedure.lifecycle import INITIAL, Act, Stage, Step, decide, submit
from gateway.core.procedure.track import MAX_TRACK_BYTES, Tracks, row_sha256, to_row
from gateway.core.procedure.track_step import track_decide, track_submit

__all__ = [
    "MAX_LEASE",
    "CaseHead",
    "Decided",
    "HandoffHead",
    "Place",
    "decide_act",
]

MAX_LEASE: Final = timedelta(days=1)


_ACTS: Final = {
    EntryKind.ACCEPTED: (Act.ACCEPTED, HandoffState.ACCEPTED),
    EntryKind.SUPPLEMENT_ASKED: (Act.SUPPLEMENT_ASKED, HandoffState.SUPPLEMENT_ASKED),
    EntryKind.REFUSED: (Act.REFUSED, HandoffState.REFUSED),
    EntryKind.WITHDRAWN: (Act.WITHDRAWN, HandoffState.WITHDRAWN),
}


def decide_act(  # noqa: PLR0911 - one way out for each kind of act
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
        GatewayError: CASE_DESTROYED, CASE_UNKNOWN, KEY_REVOKED, KEY_NOT_REGISTERED, HANDOFF_UNKNOWN, NOT_A_PARTY,
            ALREADY_DECIDED, ALREADY_WITHDRAWN, NOT_CLAIMED, LEASE_EXPIRED, LEASE_HELD, NOT_FETCHED, BUNDLE_ID_REUSED,
            or what ``lifecycle`` refuses.
    """
    if command.kind is EntryKind.CALL_REFUSED:
        return Decided(write_entry(command, place, case, Step(case.state, ()), handoff), None)
    if command.kind in OWN_KINDS | CLOCK_KINDS:
        return _own(command, place, key) if command.kind in OWN_KINDS else _warn(command, place, case)
    if command.kind is EntryKind.CASE_DESTROYED:
        return _destroy(command, place, case)
    if command.kind in (EntryKind.SUBMITTED, EntryKind.STATED):
        _require_key(command, place, key)
        is_statement = command.kind is EntryKind.STATED
        return (
            _state(command, place, case) if is_statement else _submit(command, place, case, handoff, last_pair_number)
        )
    if handoff is None:
        raise refuse(ErrorCode.HANDOFF_UNKNOWN, "handoff_id", "there is no handoff with this id")
    _require_whole(case, "handoff_id")
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
    return Decided(write_entry(command, place, CaseHead(), Step(INITIAL, ()), None), None)


def _warn(command: Command, place: Place, case: CaseHead) -> Decided:
    if command.actor != GATEWAY or command.handoff is not None or not case.sequence or not command.clock:
        raise ValueError("only the gateway warns, of a limit of a case that has entries")
    _require_whole(case, "case_number")
    return Decided(write_entry(command, place, case, Step(case.state, ()), None), None)


def _destroy(command: Command, place: Place, case: CaseHead) -> Decided:
    """The last act on a case; what its key has sealed is gone soon after, its entries stay."""
    if command.actor != GATEWAY or command.handoff is not None or not command.case:
        raise ValueError("only the gateway destroys, and a case as a whole")
    if case.sequence == 0:
        raise refuse(ErrorCode.CASE_UNKNOWN, "case_number", "the ledger has no entry of this case")
    state = replace(case.state, stage=Stage.DESTROYED, moved_at=case.sequence + 1)
    return Decided(write_entry(command, place, case, Step(state, ()), None), None)


def _require_whole(case: CaseHead, path: str) -> None:
    if case.state.stage is Stage.DESTROYED:
        raise refuse(ErrorCode.CASE_DESTROYED, path, "the case was destroyed; nothing more can be done with it")


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
    _require_whole(case, "/case_number")
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
        step, tracks = track_submit(
            command.handoff_kind, case.state, step, tracks, command.cause, sequence=sequence, on=_china_day(place)
        )
    return _tracked(command, place, case, (step, tracks), head)


def _state(command: Command, place: Place, case: CaseHead) -> Decided:
    if command.handoff is not None or not command.statement_type:
        raise ValueError("a statement has a type and belongs to no handoff")
    _require_whole(case, "/case_number")
    if command.cause is None:
        return Decided(write_entry(command, place, case, Step(case.state, ()), None), None)
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
        return Decided(write_entry(command, place, case, step, handoff), handoff)
    row = to_row(tracks if is_changed else None, command.cause or {})
    if len(row) > MAX_TRACK_BYTES:
        raise refuse(ErrorCode.TRACK_NOT_ALLOWED, "", "the case has more persons than its tracks can hold")
    entry = replace(write_entry(command, place, case, step, handoff), tracks_sha256=row_sha256(row))
    return Decided(entry, handoff, tracks if is_changed else None, row)


def _china_day(place: Place) -> date:
    return place.at.astimezone(CHINA_TIME).date()


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
    return Decided(write_entry(command, place, case, Step(case.state, ()), head), head)


def _fetch(command: Command, place: Place, case: CaseHead, handoff: HandoffHead) -> Decided:
    if handoff.state is HandoffState.WITHDRAWN:
        raise refuse(ErrorCode.ALREADY_WITHDRAWN, "handoff_id", "the sender has withdrawn this handoff")
    if handoff.state is HandoffState.OFFERED:
        _require_lease(command, handoff, place.at)
        head = replace(handoff, state=HandoffState.FETCHED)
        return Decided(write_entry(command, place, case, Step(case.state, ()), head), head)
    if handoff.state is HandoffState.FETCHED:
        _require_lease(command, handoff, place.at)
    viewed = replace(command, kind=EntryKind.VIEWED)
    return Decided(write_entry(viewed, place, case, Step(case.state, ()), handoff), handoff)


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
    step, tracks = track_decide(
        handoff.kind,
        act,
        step,
        case.tracks,
        submitted_sequence=handoff.submitted_sequence,
        receiver=parse_agency(handoff.receiver).role,
        on=_china_day(place),
    )
    return _tracked(command, place, case, (step, tracks), head)
