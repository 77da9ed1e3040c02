"""What no row of the acts can say: a split leaves somebody, a judgment is effective only after the last service.

Source: domain model, sections 1.6 and 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.identity import Agency, parse_agency
from gateway.core.procedure.act_table import ActRow
from gateway.core.procedure.lifecycle import CaseState, Stage
from gateway.core.procedure.service import is_period_over, is_served, unserve
from gateway.core.procedure.track import Own, PersonTrack, Tracks, from_track, to_track
from gateway.core.procedure.track_step import hand_over

MAX_FAST_MONTHS: Final = 36
"""CPL 222: no more than three years of imprisonment on the fast track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """An act as its row has decided it.

    Args:
        row: of the act.
        before: state of the case before.
        moved: state after what the row says.
        tracks: tracks after what the row says.
        cause: see ``act_step.do_act``.
        issuer: who states it.
        sequence: number of the new entry within the case.
    """

    row: ActRow
    before: CaseState
    moved: CaseState
    tracks: Tracks
    cause: Mapping[str, Any]
    issuer: Agency
    sequence: int


Moved = tuple[CaseState, Tracks]
Special = Callable[[Acting], Moved]


def forbid(row: ActRow, what: str, path: str = "/body/act") -> GatewayError:
    """Build the refusal of an act that the state of its case does not allow."""
    return refuse(ErrorCode.TRANSITION_NOT_ALLOWED, path, what, f"{row.rule.citation}; domain model 2.3")


def _require_left(row: ActRow, tracks: Tracks) -> None:
    if not any(True for _ in tracks.with_file()):
        what = "nobody would be left with the file"
        raise refuse(ErrorCode.NOBODY_LEFT, "/body/persons", what, row.rule.citation)


def _absent(act: Acting) -> Moved:
    """In a joint case those who are present must be accepted; where nobody is, the handoff itself is refused."""
    moved, tracks = act.moved, act.tracks
    _require_left(act.row, tracks)
    return moved, tracks


def _terminated(act: Acting) -> Moved:
    """With the last person the case itself is withdrawn."""
    moved, tracks = act.moved, act.tracks
    if any(True for _ in tracks.with_file()):
        return moved, tracks
    return replace(moved, stage=Stage.CASE_WITHDRAWN, moved_at=act.sequence), tracks


def _reopened(act: Acting) -> Moved:
    """Only a non-prosecution for a minor offence is revoked, and the others' review goes on as it was."""
    moved, tracks = act.moved, act.tracks
    if act.cause["ground"] != "177-2":
        raise forbid(act.row, "only a non-prosecution under 177(2) is reopened after a retraction", "/body/ground")
    if act.before.stage is Stage.NON_PROSECUTED:
        return moved, tracks
    return replace(moved, stage=act.before.stage, moved_at=act.before.moved_at), tracks


def _adjusted(act: Acting) -> Moved:
    moved, tracks = act.moved, act.tracks
    if act.cause["expected_months"] > MAX_FAST_MONTHS:
        raise forbid(act.row, "above three years the fast track is left, not adjusted", "/body/expected_months")
    if act.before.stage is Stage.RECOGNIZED:
        moved = replace(moved, stage=Stage.REVIEW_FAST, moved_at=act.sequence)
    return moved, tracks


def _effective(act: Acting) -> Moved:
    """The last recipient's period has passed, and nobody has appealed."""
    moved, tracks = act.moved, act.tracks
    with_file = [tracks.persons[name] for name in tracks.with_file()]
    if not with_file or not is_served(with_file):
        raise forbid(act.row, "the judgment was not served on every defendant and on the procuratorate yet")
    if not is_period_over(with_file, date.fromisoformat(act.cause["effective_on"])):
        raise forbid(act.row, "the appeal period of the last recipient has not passed", "/body/effective_on")
    return moved, tracks


def _second_instance(act: Acting) -> Moved:
    """The appeals are over; after a remand the new judgment will be served anew."""
    moved, tracks = act.moved, act.tracks
    changes: dict[str, PersonTrack] = {}
    for name in tracks.with_file():
        track = tracks.persons[name]
        own = "" if track.own == Own.APPEALED else track.own
        is_remanded = act.row.target is Stage.TRIAL_ORDINARY
        changes[name] = replace(unserve(track) if is_remanded else track, own=own)
    return moved, tracks.change(changes)


def _jurisdiction_changed(act: Acting) -> Moved:
    moved, tracks = act.moved, act.tracks
    to = parse_agency(act.cause["to_agency"])
    if to.role is not act.issuer.role or str(to) == (act.before.holder or str(act.issuer)):
        raise forbid(act.row, "the case goes to another organ of the same kind", "/body/to_agency")
    # Custody moves only when the other has received the file (domain model 0, fact 5).
    return replace(moved, holder=act.before.holder or str(act.issuer)), replace(tracks, passing_to=str(to))


def _jurisdiction_received(act: Acting) -> Moved:
    """The count of returns goes along (SPP 350)."""
    moved, tracks = act.moved, act.tracks
    return replace(moved, holder=str(act.issuer)), hand_over(replace(tracks, passing_to=""))


def _split(act: Acting) -> Moved:
    moved, tracks = act.moved, act.tracks
    if act.row.target is None:
        _require_left(act.row, tracks)
    elif any(True for _ in tracks.with_file()):
        raise refuse(ErrorCode.PERSON_LEFT_BEHIND, "/body/persons", "name everybody who is with the file")
    if act.cause["other"] in tracks.handed_on:
        raise forbid(act.row, "persons were handed on to this case already", "/body/other_case")
    persons = {
        there: to_track(replace(tracks.persons[here], own="", moved_at=0))
        for here, there in zip(act.cause["persons"], act.cause["there"], strict=True)
    }
    given = {
        "assessment": act.before.assessment.value, "holder": act.before.holder or str(act.issuer), "persons": persons,
        "returns": act.before.returns, "stage": act.before.stage.value,
    }  # fmt: skip
    return moved, replace(tracks, handed_on={**tracks.handed_on, act.cause["other"]: given})


def _joined(act: Acting) -> Moved:
    """Clocks stay with the persons, and who was returned twice stays returned twice."""
    moved, tracks = act.moved, act.tracks
    given = act.cause["given"]
    if given["holder"] != str(act.issuer):
        raise refuse(ErrorCode.FILE_NOT_HELD, "/issuer", "the persons were handed on by another agency")
    if act.cause["other"] in tracks.joined:
        raise forbid(act.row, "these persons have joined already", "/body/other_case")
    if any(name in tracks.persons for name in given["persons"]):
        raise refuse(ErrorCode.TRACK_NOT_ALLOWED, "/body/other_case", "a person is in this case already")
    stage = Stage(given["stage"])
    if act.before.holder == "" and act.before.moved_at == 0:
        moved = replace(
            moved, stage=stage, moved_at=act.sequence, assessment=type(act.before.assessment)(given["assessment"])
        )
    elif act.before.stage is not stage:
        raise forbid(act.row, "both cases must stand at the same stage", "/body/other_case")
    persons = {name: from_track(track) for name, track in given["persons"].items()}
    moved = replace(moved, returns=max(moved.returns, given["returns"]))
    return moved, replace(tracks.change(persons), joined=(*tracks.joined, act.cause["other"]))


def _withdrawn(act: Acting) -> Moved:
    moved, tracks = act.moved, act.tracks
    if not tracks.withdrawal_asked_by:
        raise forbid(act.row, "the procuratorate has not asked to withdraw the prosecution")
    # The file goes back to who asked, who may indict again only with new facts (SPC 219(6)).
    return replace(moved, holder=tracks.withdrawal_asked_by), replace(tracks, withdrawal_asked_by="")


def _withdrawal_asked(act: Acting) -> Moved:
    return act.moved, replace(act.tracks, withdrawal_asked_by=str(act.issuer))


def _file_field(name: str, value: Any, source: str = "") -> Special:
    def change(act: Acting) -> Moved:
        until = {"frozen_until": act.cause[source]} if source else {}
        return act.moved, replace(act.tracks, **{name: value}, **until)

    return change


def _reasons_given(act: Acting) -> Moved:
    if act.tracks.reasons != "asked":
        raise forbid(act.row, "the procuratorate has not asked for reasons")
    return act.moved, replace(act.tracks, reasons="given")


SPECIALS: Final[Mapping[str, Special]] = {
    "absent_refused": _absent,
    "terminated": _terminated,
    "nonprosecution_reopened": _reopened,
    "proposal_adjusted": _adjusted,
    "judgment_effective": _effective,
    "appeal_decided": _second_instance,
    "remanded": _second_instance,
    "jurisdiction_changed": _jurisdiction_changed,
    "jurisdiction_received": _jurisdiction_received,
    "split": _split,
    "merged": _split,
    "joined": _joined,
    "withdrawal_asked": _withdrawal_asked,
    "prosecution_withdrawn": _withdrawn,
    "recording_asked": _file_field("recordings", "asked"),
    "recording_delivered": _file_field("recordings", "delivered"),
    "recording_not_delivered": _file_field("recordings", "not_delivered"),
    "reasons_asked": _file_field("reasons", "asked"),
    "reasons_given": _reasons_given,
    "property_listed": _file_field("property", "listed"),
    "property_transferred": _file_field("property", "transferred"),
    "property_disposed": _file_field("property", "disposed"),
    "funds_frozen": _file_field("property", "frozen", "until"),
}
"""By the id of the act."""
