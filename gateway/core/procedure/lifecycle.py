"""How a case moves: stages, and which act of which handoff takes it from one to the next.

The table is data, the code below it only looks things up. Acts inside one agency (a recognizance signed, consent asked
in court) are not handoffs but statements, see ``act_table``; where this table passes through their stages, the ids of
the skipped steps are named too. What persons do to it, ``track_step`` says.

Source: domain model, sections 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.route import RecordKind


class Stage(StrEnum):
    """Where a case stands; names of the domain model, section 2.2."""

    INTAKE = "P1"
    CASE_ACCEPTED = "P2"
    FILED = "P3"
    NOT_FILED = "P3x"
    INVESTIGATING = "P4"
    LEGAL_REVIEW = "P5"
    CONCLUDED = "P6"
    IN_TRANSFER_PR = "H1"
    INTAKE_CHECK = "J0"
    INTAKE_SUPPLEMENT_ASKED = "J0s"
    INTAKE_REFUSED = "J0r"
    REVIEW_FAST = "J1"
    REVIEW_ORDINARY = "J1o"
    RECOGNIZED = "J2"
    SUPPLEMENTARY_INVESTIGATION = "J3"
    NON_PROSECUTED = "J4"
    IN_TRANSFER_CT = "H3"
    COURT_SUPPLEMENT_ASKED = "C0s"
    COURT_RETURNED = "C0r"
    ACCEPTED = "C1"
    TRIAL_FAST = "C2"
    TRIAL_SUMMARY = "C3"
    TRIAL_ORDINARY = "C4"
    JUDGED = "C5"
    PROSECUTION_WITHDRAWN = "C5w"
    APPEALED = "C6"
    EFFECTIVE = "C7"
    EXECUTION_SENT = "E1"
    EXECUTION_RECEIVED = "E2"
    CLOSED = "Z"
    CASE_WITHDRAWN = "PX"
    MERGED = "M"
    DESTROYED = "X"
    """Nothing of the case can be read any more, and nothing can be done with it; no move leads here or away."""


class Assessment(StrEnum):
    """The community-correction assessment, a region beside the stage."""

    NONE = "none"
    COMMISSIONED = "commissioned"
    RECEIVED = "received"


class Act(StrEnum):
    """What may be done to a handoff that can move its case."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    SUPPLEMENT_ASKED = "supplement_asked"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CaseState:
    """Where a case stands after an entry.

    Args:
        stage: stage of the file.
        holder: agency that has custody of the file; "" before the first handoff.
        returns: how often it was returned for supplementary investigation; never reset (SPP 350).
        assessment: region of the assessment.
        moved_at: number, within the case, of the entry that last changed the stage; 0 before any did.
    """

    stage: Stage = Stage.INVESTIGATING
    holder: str = ""
    returns: int = 0
    assessment: Assessment = Assessment.NONE
    moved_at: int = 0

    def to_leaf(self) -> dict[str, Any]:
        """The state as it stands in a leaf."""
        return {
            "assessment": self.assessment.value,
            "holder": self.holder,
            "moved_at": self.moved_at,
            "returns": self.returns,
            "stage": self.stage.value,
        }

    @classmethod
    def from_leaf(cls, leaf: Mapping[str, Any]) -> CaseState:
        """Read back what ``to_leaf`` wrote."""
        return cls(
            Stage(leaf["stage"]), leaf["holder"], leaf["returns"], Assessment(leaf["assessment"]), leaf["moved_at"]
        )


INITIAL: Final = CaseState()
"""A case that the gateway has not seen: under investigation, nobody's file yet."""


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table.

    Args:
        sources: stages it may start from.
        target: stage it leads to; None leaves the stage.
        transitions: ids of the domain model that it stands for.
    """

    sources: frozenset[Stage]
    target: Stage | None
    transitions: tuple[str, ...]


def _move(sources: str, target: str | None, *transitions: str) -> Move:
    return Move(frozenset(Stage(name) for name in sources.split()), Stage(target) if target else None, transitions)


_T, _R, _I = RecordKind.TRANSFER, RecordKind.RETRANSFER, RecordKind.INDICTMENT
_PRETRIAL = "P3 P4 P6 H1 J0 J0s J0r J1 J1o J2 J3 H3 C0s C0r C1 C2"

TABLE: Final[Mapping[tuple[RecordKind, Act], tuple[Move, ...]]] = {
    (_T, Act.SUBMITTED): (_move("P3 P4", "H1", "T04", "T05"), _move("P6 J0s J0r", "H1", "T05")),
    (_T, Act.ACCEPTED): (_move("H1", "J1", "T06"),),
    (_T, Act.SUPPLEMENT_ASKED): (_move("H1", "J0s", "T07"),),
    (_T, Act.REFUSED): (_move("H1", "J0r", "T07"),),
    (_R, Act.SUBMITTED): (_move("J3 J0s J0r", "J0", "T12"),),
    (_R, Act.ACCEPTED): (_move("J0", "J1", "T06"),),
    (_R, Act.SUPPLEMENT_ASKED): (_move("J0", "J0s", "T07"),),
    (_R, Act.REFUSED): (_move("J0", "J0r", "T07"),),
    (_I, Act.SUBMITTED): (_move("J1 J1o", "H3", "T09", "T14"), _move("J2 C0s C0r C5w", "H3", "T14")),
    (_I, Act.ACCEPTED): (_move("H3", "C1", "T15"),),
    (_I, Act.SUPPLEMENT_ASKED): (_move("H3", "C0s", "T15"),),
    (_I, Act.REFUSED): (_move("H3", "C0r", "T15"),),
    (RecordKind.RETURN, Act.SUBMITTED): (_move("J1 J1o", "J3", "T11"),),
    (RecordKind.NON_PROSECUTION, Act.SUBMITTED): (_move("J1 J1o J2 C5w", "J4", "T13"), _move("J4", None)),
    (RecordKind.JUDGMENT, Act.SUBMITTED): (
        _move("C1", "C5", "T16", "T18"),
        _move("C2 C3 C4", "C5", "T18"),
        _move("C5 C7 E1 E2", None),
    ),
    (RecordKind.EXECUTION, Act.SUBMITTED): (
        _move("C5", "E1", "T19", "T20"),
        _move("C7", "E1", "T20"),
        _move("E1 E2", None, "T20"),
    ),
    (RecordKind.ASSESSMENT_REQUEST, Act.SUBMITTED): (_move(_PRETRIAL, None, "T21", "T22"),),
}
"""What is not here leaves the stage as it is (a notice accepted) or, for a refusal or withdrawal, puts it back."""

TAKES_FILE: Final = frozenset({_T, _R, _I, RecordKind.RETURN})
_NEEDS_FILE: Final = frozenset(RecordKind) - {RecordKind.ASSESSMENT_OPINION}
MAX_RETURNS: Final = 2
"""CPL 175: supplementary investigation is limited to two times."""


@dataclass(frozen=True, slots=True)
class Step:
    """Outcome of an act.

    Args:
        state: state of the case afterwards.
        transitions: ids of the domain model; empty when the case does not move.
    """

    state: CaseState
    transitions: tuple[str, ...]


def _forbid(kind: RecordKind, act: Act, state: CaseState) -> GatewayError:
    return GatewayError(
        Finding(
            ErrorCode.TRANSITION_NOT_ALLOWED,
            "/kind",
            f"{kind.value} cannot be {act.value} while the case stands at {state.stage.value}",
            basis="domain model 2.3",
        )
    )


def submit(kind: RecordKind, state: CaseState, *, sender: str, case_sequence: int) -> Step:
    """Move a case by a handoff that is submitted.

    Args:
        kind: kind of the handoff.
        state: state of the case before.
        sender: agency that submits.
        case_sequence: number of the new entry within the case, from 1.

    Returns:
        the new state and the transitions.

    Raises:
        GatewayError: FILE_NOT_HELD when another agency has custody of the file; TRANSITION_NOT_ALLOWED when the stage
            does not allow it, a third return is tried (CPL 175) or an opinion comes that nobody commissioned.
    """
    if kind in _NEEDS_FILE and state.holder not in ("", sender):
        raise GatewayError(
            Finding(
                ErrorCode.FILE_NOT_HELD, "/sender", "another agency has custody of the file", basis="domain model 2.1"
            )
        )
    if kind is RecordKind.ASSESSMENT_OPINION:
        if state.assessment is Assessment.NONE:
            raise _forbid(kind, Act.SUBMITTED, state)
        return Step(replace(state, assessment=Assessment.RECEIVED), ("T22",))
    if kind is RecordKind.RETURN and state.returns >= MAX_RETURNS:
        raise _forbid(kind, Act.SUBMITTED, state)
    step = _apply(kind, Act.SUBMITTED, state, case_sequence)
    changes: dict[str, Any] = {"holder": state.holder or sender}
    if kind is RecordKind.ASSESSMENT_REQUEST:
        changes["assessment"] = Assessment.COMMISSIONED
    if kind is RecordKind.RETURN:
        changes["returns"] = state.returns + 1
    return Step(replace(step.state, **changes), step.transitions)


def decide(
    kind: RecordKind,
    act: Act,
    state: CaseState,
    *,
    receiver: str,
    case_sequence: int,
    before: CaseState,
    submitted_sequence: int,
) -> Step:
    """Move a case by a decision on a handoff, or by its withdrawal.

    Args:
        kind: kind of the handoff.
        act: accepted, supplement_asked, refused or withdrawn.
        state: state of the case now.
        receiver: agency that received the handoff.
        case_sequence: number of the new entry within the case.
        before: state of the case before the handoff was submitted.
        submitted_sequence: number, within the case, of the entry that submitted it.

    Returns:
        the new state and the transitions.

    Raises:
        GatewayError: TRANSITION_NOT_ALLOWED when the stage does not allow it.
    """
    if (kind, act) in TABLE:
        step = _apply(kind, act, state, case_sequence)
    elif act is Act.ACCEPTED:
        step = _accept_notice(kind, state, receiver, case_sequence)
    elif state.moved_at == submitted_sequence:
        # Nothing else has moved the case since, so it goes back to where the submit found it.
        step = Step(replace(state, stage=before.stage, moved_at=case_sequence), ())
    else:
        step = Step(state, ())
    if act is Act.ACCEPTED and kind in TAKES_FILE:
        return Step(replace(step.state, holder=receiver), step.transitions)
    if act is not Act.ACCEPTED and kind is RecordKind.ASSESSMENT_REQUEST:
        return Step(replace(step.state, assessment=before.assessment), step.transitions)
    return step


def _accept_notice(kind: RecordKind, state: CaseState, receiver: str, case_sequence: int) -> Step:
    if kind is RecordKind.EXECUTION and receiver.startswith("ja:") and state.stage is Stage.EXECUTION_SENT:
        return Step(replace(state, stage=Stage.EXECUTION_RECEIVED, moved_at=case_sequence), ("T20",))
    return Step(state, ())


def _apply(kind: RecordKind, act: Act, state: CaseState, case_sequence: int) -> Step:
    for move in TABLE[kind, act]:
        if state.stage in move.sources:
            if move.target is None:
                return Step(state, move.transitions)
            return Step(replace(state, stage=move.target, moved_at=case_sequence), move.transitions)
    raise _forbid(kind, act, state)
