"""Laws of every judgement: what is missing never helps, order and repetition change nothing."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.case.case import Case, PartialDate, Person, Term
from gateway.core.dossier import Carried, Dossier, Point
from gateway.core.errors import Severity
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.inputs import digest_inputs
from gateway.core.judge.outcome import Result, join_results
from gateway.core.judge.rule_set import load_rule_set
from tests.support.dossier import make_case, make_dossier, make_org, make_person

RULES = load_rule_set()
POINTS: Final = st.sampled_from([point for point in Point if point is not Point.OTHER])
FLAG = st.sampled_from([True, True, True, False, None])
CHANGES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "birth": st.sampled_from(
        [PartialDate(1990, 3, 7), PartialDate(2008, 6, 17), PartialDate(2008, 6, 16), PartialDate(1990), PartialDate()]
    ),
    "birth_basis": st.sampled_from(["ID", "SELF", "BONE", None]),
    "nation": st.sampled_from(["CHN", "NGA", None]),
    "health_deaf": st.sampled_from([False, False, True, None]),
    "health_mental": st.sampled_from([False, False, True, None]),
    "plea_guilty": FLAG,
    "plea_accepts": FLAG,
    "plea_consents": FLAG,
    "plea_on": st.sampled_from([date(2026, 6, 14), date(2026, 6, 30), None]),
    "proposal_term": st.sampled_from([Term(months=2), Term(years=3), Term(years=3, days=1), None]),
    "proposal_penalty": st.sampled_from(["DETENTION", "IMPRISONMENT", None]),
    "decision_term": st.sampled_from([Term(months=2), Term(years=4), None]),
    "decision_penalty": st.sampled_from(["IMPRISONMENT", "FINE", "ACQUITTAL", None]),
}
PERSONS = st.fixed_dictionaries({}, optional=CHANGES)


@st.composite
def dossiers(draw: st.DrawFn) -> Dossier:
    """A case with one to three defendants in which some things are otherwise, at any point."""
    persons = tuple(make_person(number, **draw(PERSONS)) for number in range(1, draw(st.integers(1, 3)) + 1))
    orgs = draw(st.sampled_from([(), (), (), (make_org(),)]))
    victims = tuple(replace(victim, settled=draw(FLAG)) for victim in make_case().victims)
    case = replace(make_case(len(persons)), persons=persons, orgs=orgs, victims=victims)
    case = replace(case, category=draw(st.sampled_from(["020790", "020790", "010000", None])))
    case = replace(case, major_impact=draw(st.sampled_from([False, False, True, None])))
    return make_dossier(draw(POINTS), case=case)


def _without(draw: st.DrawFn | Any, case: Case) -> Case:
    """The case with one thing of it unsaid: a field, a list of a person, a document, all documents."""
    kind = draw(st.sampled_from(["person", "person", "person", "case", "document"]))
    if kind == "document":
        code = draw(st.sampled_from([None, *sorted({document.code for document in case.documents})]))
        kept = tuple(one for one in case.documents if code is not None and one.code != code)
        return replace(case, documents=kept)
    if kind == "case":
        names = ["major_impact", "procedure", "occurred_at", "filed_on", "indicted_on", "judgment_on", "category"]
        unsaid: dict[str, Any] = {draw(st.sampled_from(names)): None}
        return replace(case, **unsaid)
    at = draw(st.integers(0, len(case.persons) - 1))
    optional = [item.name for item in fields(Person) if item.name not in ("key", "name")]
    name = draw(st.sampled_from(optional))
    unsaid = {name: () if isinstance(getattr(case.persons[at], name), tuple) else None}
    person = replace(case.persons[at], **unsaid)
    return replace(case, persons=(*case.persons[:at], person, *case.persons[at + 1 :]))


@given(dossiers(), st.data())
def test_taking_data_away_never_makes_anybody_eligible(dossier: Dossier, data: st.DataObject) -> None:
    """Silence is worth less than any statement: nobody becomes ELIGIBLE because something is not said."""
    before = judge_dossier(RULES, dossier)
    for _ in range(data.draw(st.integers(1, 4))):
        dossier = replace(dossier, case=_without(data.draw, dossier.case))
    after = judge_dossier(RULES, dossier)
    assert not (after.result is Result.ELIGIBLE and before.result is not Result.ELIGIBLE)
    for old, new in zip(before.persons, after.persons, strict=True):
        assert not (new.result is Result.ELIGIBLE and old.result is not Result.ELIGIBLE)


@given(dossiers(), st.randoms(use_true_random=False))
def test_order_of_the_persons_is_irrelevant(dossier: Dossier, shuffle: Any) -> None:
    """Who stands first in a file is no better for it."""
    persons = list(dossier.case.persons)
    shuffle.shuffle(persons)
    other = judge_dossier(RULES, replace(dossier, case=replace(dossier.case, persons=tuple(persons))))
    first = judge_dossier(RULES, dossier)
    assert first.result is other.result
    assert {one.key: one.result for one in first.persons} == {one.key: one.result for one in other.persons}
    assert sorted(one.rule for one in first.documents) == sorted(one.rule for one in other.documents)


@given(dossiers())
def test_same_dossier_gives_the_same_outcome_and_digest(dossier: Dossier) -> None:
    """A judgement that could come out otherwise could not be replayed."""
    first, second = judge_dossier(RULES, dossier), judge_dossier(RULES, replace(dossier))
    assert first == second
    assert first.inputs_sha256 == digest_inputs(dossier)


@given(dossiers())
def test_case_is_what_its_worst_defendant_is_and_unknown_never_refuses(dossier: Dossier) -> None:
    """ELIGIBLE needs every defendant; what is only not known is a warning."""
    outcome = judge_dossier(RULES, dossier)
    assert outcome.result is join_results(person.result for person in outcome.persons)
    assert (outcome.result is Result.ELIGIBLE) == all(one.result is Result.ELIGIBLE for one in outcome.persons)
    assert all(finding.severity is Severity.WARNING for finding in outcome.findings if finding.is_missing)


@pytest.mark.parametrize(("found", "result"), [
    ([], Result.UNKNOWN),
    ([Result.ELIGIBLE], Result.ELIGIBLE),
    ([Result.ELIGIBLE, Result.UNKNOWN], Result.UNKNOWN),
    ([Result.UNKNOWN, Result.INELIGIBLE, Result.ELIGIBLE], Result.INELIGIBLE),
])  # fmt: skip
def test_results_are_joined_to_the_worst(found: list[Result], result: Result) -> None:
    """A case without defendants is not eligible either."""
    assert join_results(found) is result


@pytest.mark.parametrize(("procedure", "severity", "told"), [("FAST", "error", True), ("SUMMARY", "warning", False),
                                                            ("NOT_FAST", "warning", False)])  # fmt: skip
def test_other_lane_is_neither_refused_nor_told_what_the_fast_track_would_need(
    procedure: str, severity: str, told: bool
) -> None:
    """An indictment by another procedure has its result in the entry, and no findings of eligibility for the sender."""
    case = make_case(procedure=procedure, major_impact=True)
    outcome = judge_dossier(RULES, make_dossier(case=case))
    assert outcome.result is Result.INELIGIBLE
    [finding] = outcome.persons[0].findings
    assert finding.severity.value == severity
    assert (finding in outcome.findings) == told


def test_transfer_is_never_refused_for_eligibility() -> None:
    """The clocks of a person in custody would suffer for it; the receiver decides on the lane."""
    outcome = judge_dossier(RULES, make_dossier(Point.TRANSFER, case=make_case(major_impact=True)))
    assert outcome.result is Result.INELIGIBLE
    assert all(finding.severity is Severity.WARNING for finding in outcome.findings)


def test_digest_changes_with_every_field_of_the_dossier() -> None:
    """Nothing that the rules may look at can be changed without being seen."""
    dossier = make_dossier()
    changed = [
        replace(dossier, point=Point.HEARING),
        replace(dossier, on=date(2026, 6, 18)),
        replace(dossier, register={"1": {"level": "BASIC"}}),
        replace(dossier, reviews=({"object": "TRANSFER"},)),
        replace(dossier, overrides=({"rule": "D13.2"},)),
        replace(dossier, carried=(Carried(path="/unchanged/0", document=dossier.case.documents[0]),)),
        replace(dossier, case=replace(dossier.case, major_impact=None)),
        replace(dossier, case=replace(dossier.case, major_impact=True)),
        replace(dossier, case=replace(dossier.case, persons=(make_person(plea_guilty=False),))),
    ]
    digests = {digest_inputs(one) for one in (dossier, *changed)}
    assert len(digests) == len(changed) + 1
