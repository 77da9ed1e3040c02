"""What a handoff does to the persons of its case, and what their tracks do to it.

A file goes on only if all its tracks allow it: nobody who has left may be sent along, nobody may be left behind, and a
judgment on the fast track needs the consent of everybody.

Source: domain model, sections 1.6, 2.1 and 2.3; CPL 223(4), 225; SPC 353, 370; SPP 158.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.identity import Role
from gateway.core.procedure.lifecycle import TAKES_FILE, Act, CaseState, Stage, Step
from gateway.core.procedure.service import PROCURATORATE, is_period_over, serve_file
from gateway.core.procedure.track import IN_CUSTODY, Own, PersonTrack, Tracks
from gateway.core.route import RecordKind

FAST, ORDINARY = "fast", "ordinary"
_FILE_KINDS: Final = frozenset({RecordKind.TRANSFER, RecordKind.RETRANSFER, RecordKind.INDICTMENT})
_TO_REVIEW: Final = frozenset({RecordKind.TRANSFER, RecordKind.RETRANSFER})
_AFTER_JUDGMENT: Final = frozenset(
    {Stage.JUDGED, Stage.APPEALED, Stage.EFFECTIVE, Stage.EXECUTION_SENT, Stage.EXECUTION_RECEIVED, Stage.CLOSED}
)
_Outcome = tuple[Step, Tracks]


def track_submit(
    kind: RecordKind,
    before: CaseState,
    step: Step,
    tracks: Tracks,
    cause: Mapping[str, Any],
    *,
    sequence: int,
    on: date,
) -> _Outcome:
    """Let a handoff that is submitted move the persons that its record names.

    Args:
        kind: of the handoff.
        before: state of the case before it.
        step: what the table of the file makes of it.
        tracks: of the case before it.
        cause: ``persons``, by pseudonym what the record says (``track_cause``), and ``lane``.
        sequence: number of the new entry within the case.
        on: day in China.

    Returns:
        the step, which persons who stay with the file may hold back, and the tracks.

    Raises:
        GatewayError: all of PERSON_HAS_LEFT, PERSON_LEFT_BEHIND and TRACK_NOT_ALLOWED.
    """
    persons: Mapping[str, Mapping[str, Any]] = cause["persons"]
    findings = list(_obstacles(kind, before, tracks, persons, on))
    if findings:
        raise GatewayError(findings)
    changes = {
        name: _with_record(tracks.persons.get(name, PersonTrack()), said, is_new_review=kind in _TO_REVIEW)
        for name, said in persons.items()
    }
    if kind is RecordKind.NON_PROSECUTION:
        return _not_prosecute(before, step, tracks.change(changes), persons, sequence)
    if kind is RecordKind.ASSESSMENT_REQUEST:
        changes = {name: replace(track, assessment="commissioned") for name, track in changes.items()}
    if kind is RecordKind.ASSESSMENT_OPINION:
        word = "late" if before.stage in _AFTER_JUDGMENT else "received"
        changes = {name: _assessed(track, word, persons[name]) for name, track in changes.items()}
    tracks = tracks.change(changes)
    return step, replace(tracks, lane=cause.get("lane", "")) if kind in _TO_REVIEW else tracks


def _obstacles(
    kind: RecordKind, before: CaseState, tracks: Tracks, persons: Mapping[str, Mapping[str, Any]], on: date
) -> Iterator[Finding]:
    if kind in _FILE_KINDS:
        for name in persons:
            track = tracks.persons.get(name)
            # Whoever was at large may come once he is present (SPP 158).
            if track is not None and not track.is_with_file and track.own != Own.NOT_ACCEPTED:
                what = "a person of the record is not with this file any more"
                yield Finding(ErrorCode.PERSON_HAS_LEFT, "/native_record", what, basis="domain model 2.1")
                break
    if kind is RecordKind.INDICTMENT and any(name not in persons for name in tracks.with_file()):
        what = "a person who is with the file is not in the record: split, terminate or do not prosecute first"
        yield Finding(ErrorCode.PERSON_LEFT_BEHIND, "/native_record", what, basis="domain model 2.3 T14")
    with_file = [tracks.persons[name] for name in tracks.with_file()]
    if kind is RecordKind.JUDGMENT and before.stage in (Stage.ACCEPTED, Stage.TRIAL_FAST):
        if any(track.consent == "refused" for track in with_file):
            what = "a defendant does not consent to the fast track: convert first"
            yield Finding(ErrorCode.TRACK_NOT_ALLOWED, "/kind", what, basis="CPL 223(4); SPC 375")
        if any(track.recognizance == "due" for track in with_file):
            what = "the sentence proposal was adjusted and the recognizance is not signed again"
            yield Finding(ErrorCode.TRACK_NOT_ALLOWED, "/kind", what, basis="SPC 353")
    if kind is RecordKind.JUDGMENT and before.stage not in _AFTER_JUDGMENT:
        named = [(tracks.persons.get(name), said) for name, said in persons.items()]
        if any(track is not None and track.assessment == "adverse" and said.get("correction") for track, said in named):
            what = "an adverse assessment is set aside only with a recorded reason: state assessment_set_aside first"
            yield Finding(ErrorCode.TRACK_NOT_ALLOWED, "/kind", what, basis="domain model 2.3 T18")
    if kind is RecordKind.EXECUTION and before.stage is Stage.JUDGED:
        served = [bool(track.served) for track in with_file]
        # A court that states no services answers for the effect itself; one that states some is held to all.
        if any(served) and not all(served):
            what = "the judgment was not served on everybody yet, so it is not effective"
            yield Finding(ErrorCode.TRACK_NOT_ALLOWED, "/kind", what, basis="CPL 230, 259")
        elif any(served) and not is_period_over(with_file, on):
            what = "the appeal period of the last recipient has not passed, so the judgment is not effective"
            yield Finding(ErrorCode.TRACK_NOT_ALLOWED, "/kind", what, basis="CPL 230, 259")


def _assessed(track: PersonTrack, word: str, said: Mapping[str, Any]) -> PersonTrack:
    """An opinion goes to several agencies; a copy of it does not undo what the court has recorded."""
    if track.assessment == "set_aside":
        return track
    return replace(track, assessment="adverse" if word == "received" and said.get("adverse") else word)


def _with_record(track: PersonTrack, said: Mapping[str, Any], *, is_new_review: bool) -> PersonTrack:
    changes: dict[str, Any] = {}
    if "custody" in said:
        changes["custody"] = said["custody"]
    if track.own == Own.NOT_ACCEPTED:
        changes["own"] = ""
    if is_new_review:
        changes |= {"recognizance": "none", "consent": "none"}
    return replace(track, **changes)


def _not_prosecute(
    before: CaseState, step: Step, tracks: Tracks, persons: Mapping[str, Mapping[str, Any]], sequence: int
) -> _Outcome:
    """Some are not prosecuted, and the file stays with the others; with the last one the file itself is ended."""
    named = [name for name, said in persons.items() if said.get("nonprosecuted")] or list(persons)
    changes = {}
    for name in named:
        track = tracks.persons[name]
        if track.is_with_file:
            custody = track.custody if track.custody in ("unknown", "free") else "released"
            changes[name] = replace(track, own=Own.NON_PROSECUTED.value, custody=custody, moved_at=sequence)
    tracks = tracks.change(changes)
    if any(True for _ in tracks.with_file()):
        return Step(replace(step.state, stage=before.stage, moved_at=before.moved_at), step.transitions), tracks
    return step, tracks


def track_decide(
    kind: RecordKind, act: Act, step: Step, tracks: Tracks, *, submitted_sequence: int, receiver: Role, on: date
) -> _Outcome:
    """Let a decision on a handoff, or its withdrawal, move the persons.

    Args:
        kind: of the handoff.
        act: accepted, supplement_asked, refused or withdrawn.
        step: what the table of the file makes of it.
        tracks: of the case before it.
        submitted_sequence: number, within the case, of the entry that submitted the handoff.
        receiver: role of the agency that decides, or whom the handoff was for.
        on: day in China.

    Returns:
        the step, by the lane that the transfer has, and the tracks.
    """
    if act is Act.ACCEPTED:
        if kind in _TO_REVIEW and tracks.lane == ORDINARY and step.state.stage is Stage.REVIEW_FAST:
            step = Step(replace(step.state, stage=Stage.REVIEW_ORDINARY), step.transitions)
        if kind is RecordKind.JUDGMENT and receiver is Role.PROCURATORATE:
            # Whoever takes the judgment over is served with it (CPL 202).
            return step, serve_file(tracks, PROCURATORATE, on.isoformat())
        # To be executed a person in custody changes hands too, from the court to the detention centre of the police.
        is_executed = kind is RecordKind.EXECUTION and receiver is Role.POLICE
        return step, hand_over(tracks) if kind in TAKES_FILE or is_executed else tracks
    if kind is RecordKind.NON_PROSECUTION:
        changes = {
            name: replace(track, own="")
            for name, track in tracks.persons.items()
            if track.own == Own.NON_PROSECUTED and track.moved_at == submitted_sequence
        }
        return step, tracks.change(changes) if changes else tracks
    if kind is RecordKind.ASSESSMENT_REQUEST and act in (Act.REFUSED, Act.WITHDRAWN):
        changes = {
            name: replace(track, assessment="none")
            for name, track in tracks.persons.items()
            if track.assessment == "commissioned"
        }
        return step, tracks.change(changes) if changes else tracks
    return step, tracks


def hand_over(tracks: Tracks) -> Tracks:
    """With the file goes who is in custody: a certificate of the custody transfer (换押) is due for each."""
    changes = {
        name: replace(tracks.persons[name], exchange="due")
        for name in tracks.with_file()
        if tracks.persons[name].custody in IN_CUSTODY
    }
    return tracks.change(changes) if changes else tracks
