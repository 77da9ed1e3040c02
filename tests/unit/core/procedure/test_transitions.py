"""T01 to T25 of the domain model, one row each: who carries it, an example that is allowed and one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency, Role
from gateway.core.procedure.act_step import do_act
from gateway.core.procedure.act_table import load_acts
from gateway.core.procedure.lifecycle import TABLE, Act, CaseState, Stage, Step, decide, submit
from gateway.core.procedure.track import PersonTrack, Tracks
from gateway.core.route import RecordKind

K, A = RecordKind, Act
ONE, TWO = "1" * 32, "2" * 32
NOTHING: Mapping[str, Any] = MappingProxyType({})
Carrier = str | tuple[RecordKind, Act]


class Example(NamedTuple):
    """An example of a transition.

    Args:
        carrier: id of an act, or kind of a handoff and what is done to it.
        allowed: stage from which it may be done.
        then: stage of the file after it.
        forbidden: stage from which it may not.
        track: fields of the person's track that the act asks for.
        wrong: fields of the track by which it is refused, when every stage allows it.
    """

    carrier: Carrier
    allowed: str
    then: str
    forbidden: str
    track: Mapping[str, Any] = NOTHING
    wrong: Mapping[str, Any] = NOTHING


SERVED = {"served": "2026-01-05", "served_pr": "2026-01-05", "served_last": "2026-01-05"}
EXAMPLES: dict[str, list[Example]] = {
    "T01": [Example("report_accepted", "P1", "P2", "P3")],
    "T02": [Example("case_filed", "P2", "P3", "P1"), Example("case_not_filed", "P2", "P3x", "P3")],
    "T03": [Example("detained", "P4", "P4", "J1"), Example("arrested", "J1", "J1", "P1")],
    "T04": [
        Example("legal_review_asked", "P4", "P5", "P6"),
        Example("investigation_concluded", "P5", "P6", "P4"),
        Example((K.TRANSFER, A.SUBMITTED), "P4", "H1", "P5"),
    ],
    "T05": [Example((K.TRANSFER, A.SUBMITTED), "P6", "H1", "P1"), Example("property_listed", "P6", "P6", "")],
    "T06": [Example((K.TRANSFER, A.ACCEPTED), "H1", "J1", "J1"), Example((K.RETRANSFER, A.ACCEPTED), "J0", "J1", "H1")],
    "T07": [
        Example((K.TRANSFER, A.SUPPLEMENT_ASKED), "H1", "J0s", "J1"),
        Example((K.RETRANSFER, A.REFUSED), "J0", "J0r", "J1"),
        Example("absent_refused", "H1", "H1", "J2"),
    ],
    "T08": [
        Example("exchange_filed", "J1", "J1", "", {"exchange": "due"}, {"exchange": "none"}),
        Example("exchange_confirmed", "J1", "J1", "", {"exchange": "filed"}, {"exchange": "due"}),
    ],
    "T09": [Example("recognized", "J1", "J1", "J3"), Example((K.INDICTMENT, A.SUBMITTED), "J1", "H3", "J0")],
    "T10": [Example("left_lane", "J1", "J1o", "C1")],
    "T11": [Example((K.RETURN, A.SUBMITTED), "J1", "J3", "J2")],
    "T12": [
        Example((K.RETRANSFER, A.SUBMITTED), "J3", "J0", "J1"),
        Example("reasons_asked", "J3", "J3", "C1"),
        Example("case_withdrawn", "J3", "PX", "J1"),
        Example("terminated", "J3", "J3", "J1"),
    ],
    "T13": [
        Example((K.NON_PROSECUTION, A.SUBMITTED), "J1", "J4", "J3"),
        Example("nonprosecution_reopened", "J4", "J1o", "C1", {"own": "J4"}),
    ],
    "T14": [Example((K.INDICTMENT, A.SUBMITTED), "J2", "H3", "J3")],
    "T15": [
        Example((K.INDICTMENT, A.ACCEPTED), "H3", "C1", "C1"),
        Example((K.INDICTMENT, A.REFUSED), "H3", "C0r", "J1"),
        Example("withdrawal_asked", "C2", "C2", "C5"),
    ],
    "T16": [
        Example("consent_given", "C1", "C1", "C2"),
        Example("consent_withdrawn", "C2", "C2", "C3", {"consent": "given"}),
        Example((K.JUDGMENT, A.SUBMITTED), "C1", "C5", "H3"),
    ],
    "T17": [Example("converted_summary", "C2", "C3", "C4"), Example("converted_ordinary", "C3", "C4", "C5")],
    "T18": [
        Example("assessment_set_aside", "C1", "C1", "J1", {"assessment": "adverse"}, {"assessment": "received"}),
        Example((K.JUDGMENT, A.SUBMITTED), "C4", "C5", "J1"),
        Example("judgment_served", "C5", "C5", "C4"),
    ],
    "T19": [
        Example("appealed", "C5", "C6", "C7"),
        Example("judgment_effective", "C5", "C7", "C6", SERVED),
        Example((K.EXECUTION, A.SUBMITTED), "C5", "E1", "C6"),
    ],
    "T20": [Example((K.EXECUTION, A.SUBMITTED), "C7", "E1", "C4"), Example("execution_confirmed", "E1", "E2", "C7")],
    "T21": [
        Example("counsel_assigned", "J1", "J1", "", {"legal_aid": "requested"}, {"legal_aid": "assigned"}),
        Example((K.ASSESSMENT_REQUEST, A.SUBMITTED), "J1", "J1", "C5"),
    ],
    "T22": [
        Example((K.ASSESSMENT_REQUEST, A.SUBMITTED), "J2", "J2", "C3"),
        Example("assessment_waived", "J1", "J1", "C5", {"assessment": "commissioned"}),
    ],
    "T23": [Example("jurisdiction_changed", "J1", "J1", "H1"), Example("jurisdiction_received", "J1", "J1", "H3")],
    "T24": [Example("split", "J1", "J1", "H1"), Example("joined", "J1", "J1", "C5")],
    "T25": [Example("recording_asked", "J1", "J1", "P4"), Example("recording_delivered", "C1", "C1", "C5")],
}
CASES = [(name, example) for name, examples in EXAMPLES.items() for example in examples]
IDS = [f"{name}-{e.carrier if isinstance(e.carrier, str) else '-'.join(e.carrier)}" for name, e in CASES]


def do(example: Example, stage: Stage, track: Mapping[str, Any]) -> Step:
    """Do what an example says, as who may."""
    if isinstance(example.carrier, tuple):
        kind, act = example.carrier
        sender = "ps:999001" if kind in (K.TRANSFER, K.RETRANSFER) else "pr:999001"
        state = CaseState(stage=stage, holder=sender, moved_at=5)
        if act is A.SUBMITTED:
            return submit(kind, state, sender=sender, case_sequence=9)
        return decide(kind, act, state, receiver="pr:999001", case_sequence=9, before=CaseState(), submitted_sequence=5)
    row = load_acts()[example.carrier]
    # Whoever handed the file over is the holder of those acts that the receiver does as a party.
    issuer = Agency(sorted(row.who & {Role.PROCURATORATE} or row.who)[0], "999001")
    state = CaseState(stage=stage, holder=str(issuer), moved_at=5)
    person = replace(PersonTrack(), **track)
    tracks = Tracks(persons={ONE: person, TWO: person}, passing_to=str(issuer))
    given = {"assessment": "none", "holder": str(issuer), "persons": {"9" * 32: {}}, "returns": 0, "stage": stage.value}
    cause: dict[str, Any] = {
        "act": row.id, "on": "2026-01-06", "ground": "177-2", "effective_on": "2026-02-01", "expected_months": 14,
        "to_agency": f"{issuer.role}:999002", "other": "c" * 32, "there": ["8" * 32], "given": given,
        "until": "2026-09-01",
    }  # fmt: skip
    if row.is_of_persons:
        cause["persons"] = [ONE]
    return do_act(state, tracks, cause, issuer=issuer, sequence=9, is_unseen=False)[0]


@pytest.mark.parametrize(("name", "example"), CASES, ids=IDS)
def test_transition_is_done_where_it_may_be(name: str, example: Example) -> None:
    """The allowed example leads where the table of the domain model says, and its entry names the transition."""
    step = do(example, Stage(example.allowed), example.track)
    assert step.state.stage.value == example.then
    assert name in step.transitions


@pytest.mark.parametrize(("name", "example"), CASES, ids=IDS)
def test_transition_is_refused_where_it_may_not_be(name: str, example: Example) -> None:
    """The forbidden example is refused for the stage of the file, or for where the person stands."""
    if not example.forbidden and not example.wrong:
        assert load_acts()[str(example.carrier)].sources == frozenset(Stage), name
        return
    stage = Stage(example.forbidden or example.allowed)
    with pytest.raises(GatewayError) as refused:
        do(example, stage, example.wrong or example.track)
    assert refused.value.code in (ErrorCode.TRANSITION_NOT_ALLOWED, ErrorCode.TRACK_NOT_ALLOWED)


def test_transitions_of_the_domain_model_each_have_a_row_and_an_example() -> None:
    """T01 to T25 are carried by a handoff or an act, and each has an example both allowed and forbidden."""
    names = {f"T{number:02d}" for number in range(1, 26)}
    carried = {name for moves in TABLE.values() for move in moves for name in move.transitions}
    carried |= {row.transition for row in load_acts().values()}
    assert carried == names
    assert EXAMPLES.keys() == names
    assert all(any(e.forbidden or e.wrong for e in examples) for examples in EXAMPLES.values())
