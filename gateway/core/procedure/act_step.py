"""An act of the procedure that is no handoff, decided on the state of its case.

``act_table`` says who may do it, when, and what it sets; ``act_special`` what no row can say.

Source: domain model, sections 1.6 and 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import Agency, Role, parse_agency
from gateway.core.procedure.act_special import SPECIALS, Acting, forbid
from gateway.core.procedure.act_table import UNSEEN, ActRow, Standing, load_acts
from gateway.core.procedure.lifecycle import CaseState, Stage, Step
from gateway.core.procedure.service import DEFENDANT, serve
from gateway.core.procedure.track import MAX_PERSONS, Own, PersonTrack, Tracks

_POLICE_STAGES: Final = UNSEEN | {Stage.LEGAL_REVIEW, Stage.CONCLUDED, Stage.SUPPLEMENTARY_INVESTIGATION}
_ELSEWHERE: Final = "the person is handled in another case: state it there, once that case has taken the person over"
_Outcome = tuple[Step, Tracks]


def do_act(
    state: CaseState, tracks: Tracks, cause: Mapping[str, Any], *, issuer: Agency, sequence: int, is_unseen: bool
) -> _Outcome:
    """Decide an act.

    Args:
        state: of the case before.
        tracks: of the case before.
        cause: ``act``, ``on`` (the day it happened) and, as the act needs them, ``persons`` (pseudonyms), ``ground``,
            ``to_agency``, ``other`` (pseudonym of a case), ``there`` (pseudonyms in it), ``given`` (what it hands on),
            ``until``, ``effective_on``, ``expected_months``, ``recipient`` (of a service; the persons themselves when
            it is left out), ``victims`` (pseudonyms; they have no track).
        issuer: who states it.
        sequence: number of the new entry within the case.
        is_unseen: the case has no entry that moved it.

    Returns:
        the step and the tracks.

    Raises:
        GatewayError: ACT_NOT_BY_ISSUER, FILE_NOT_HELD, TRANSITION_NOT_ALLOWED; or all of PERSON_UNKNOWN and
            TRACK_NOT_ALLOWED; or NOBODY_LEFT, LINK_UNKNOWN.
    """
    row = load_acts()[cause["act"]]
    _require_standing(row, state, tracks, issuer)
    if not state.holder and issuer.role is not Role.POLICE and row.id != "joined":
        what = "a case that was never handed over is the police's"
        raise refuse(ErrorCode.FILE_NOT_HELD, "/issuer", what, "domain model 2.1")
    stages = UNSEEN if is_unseen else {state.stage}
    if not row.sources & stages:
        raise forbid(row, f"{row.id} cannot be done while the case stands at {state.stage.value}")
    if is_unseen and state.stage not in row.sources:
        # The gateway hears of the case only now, and the police know where it stands.
        state = replace(state, stage=min(row.sources & stages))
    moved = replace(state, holder=state.holder or str(issuer))
    if row.target is not None:
        moved = replace(moved, stage=row.target, moved_at=sequence)
    if row.is_of_persons:
        after = _set_persons(row, state, tracks, cause, sequence)
    else:
        after = tracks
        _require_here(row, tracks, cause)
    special = SPECIALS.get(row.id)
    if special is not None:
        acting = Acting(row=row, before=state, moved=moved, tracks=after, cause=cause, issuer=issuer, sequence=sequence)
        moved, after = special(acting)
    for source, target in row.when_all.items():
        named = [after.persons[name] for name in after.with_file()]
        if moved.stage is source and named and all(getattr(track, row.region) == row.value for track in named):
            moved = replace(moved, stage=target, moved_at=sequence)
    return Step(moved, (row.transition,)), after


def _require_standing(row: ActRow, state: CaseState, tracks: Tracks, issuer: Agency) -> None:
    if issuer.role not in row.who:
        raise refuse(ErrorCode.ACT_NOT_BY_ISSUER, "/body/act", "not an act of agencies of this role", row.rule.citation)
    holder = state.holder
    if row.standing is Standing.HOLDER and holder not in ("", str(issuer)):
        what = "another agency has custody of the file"
        raise refuse(ErrorCode.FILE_NOT_HELD, "/issuer", what, "domain model 2.1")
    if row.standing is Standing.SAME_ROLE and holder and parse_agency(holder).role is not issuer.role:
        what = "only the organ that has the file, or one like it, changes the jurisdiction"
        raise refuse(ErrorCode.FILE_NOT_HELD, "/issuer", what, row.rule.citation)
    if row.standing is Standing.NAMED and tracks.passing_to != str(issuer):
        what = "no change of jurisdiction names the issuer"
        raise refuse(ErrorCode.FILE_NOT_HELD, "/issuer", what, row.rule.citation)


def _require_here(row: ActRow, tracks: Tracks, cause: Mapping[str, Any]) -> None:
    """An extension of whoever was handed on would count nowhere."""
    gone = [at for at, name in enumerate(cause.get("persons", ())) if _own(tracks, name) == Own.SPLIT_OFF]
    if gone:
        raise GatewayError(
            [
                Finding(ErrorCode.TRACK_NOT_ALLOWED, f"/body/persons/{at}", _ELSEWHERE, basis=row.rule.citation)
                for at in gone
            ]
        )


def _own(tracks: Tracks, name: str) -> str:
    return tracks.persons[name].own if name in tracks.persons else ""


def _set_persons(row: ActRow, state: CaseState, tracks: Tracks, cause: Mapping[str, Any], sequence: int) -> Tracks:
    findings: list[Finding] = []
    changes: dict[str, PersonTrack] = {}
    for at, name in enumerate(cause["persons"]):
        path = f"/body/persons/{at}"
        track = tracks.persons.get(name)
        if track is None and state.stage not in _POLICE_STAGES:
            findings.append(Finding(ErrorCode.PERSON_UNKNOWN, path, "the case has no such person"))
            continue
        track = track or PersonTrack()
        if track.own == Own.SPLIT_OFF:
            findings.append(Finding(ErrorCode.TRACK_NOT_ALLOWED, path, _ELSEWHERE, basis=row.rule.citation))
            continue
        if not row.region:
            # It only tells the clocks: of one who is not prosecuted too, and of one whom the police name first.
            changes[name] = track
            continue
        value = getattr(track, row.region)
        is_own = row.region == "own"
        if (row.only is not None and value not in row.only) or (not is_own and not track.is_with_file):
            what = f"{row.id} cannot be done to a person whose track stands at {track.own or value}"
            findings.append(Finding(ErrorCode.TRACK_NOT_ALLOWED, path, what, basis=row.rule.citation))
            continue
        if row.region == "served":
            changes[name] = serve(track, cause.get("recipient", DEFENDANT), cause["on"])
            continue
        new: dict[str, Any] = {row.region: row.value}
        changes[name] = replace(track, **new, moved_at=sequence if is_own else track.moved_at)
    if findings:
        raise GatewayError(findings)
    if len(tracks.persons.keys() | changes.keys()) > MAX_PERSONS:
        raise forbid(row, f"a case has at most {MAX_PERSONS} persons", "/body/persons")
    return tracks.change(changes)
