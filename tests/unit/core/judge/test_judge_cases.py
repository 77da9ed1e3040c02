"""Every rule by hand: a case in which it holds, one in which it does not, one in which nobody can know.

The setters are those of ``fasttrack rules whatif``; each row spoils the case of ``tests/support/dossier.py``, in which
nothing is wrong, and says what the rule must find where.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.core.annex import Annex
from gateway.core.case.case import Charge, Freeze, LegalHelp, Officer, Property
from gateway.core.dossier import Dossier, Point
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.outcome import Result, RuleFinding
from gateway.core.judge.rule_set import load_rule_set
from gateway.core.judge.view import SUITABLE_ANNEX
from gateway.core.judge.what_if import apply_setter
from tests.support.dossier import ON, make_case, make_dossier, make_org

TR, IN, AC, HE, EX = Point.TRANSFER, Point.INDICTMENT, Point.COURT_ACCEPTANCE, Point.HEARING, Point.OTHER
RULES = load_rule_set()
OWN_PRESENCE = {rule.id for rule in RULES.documents if rule.name in {"document", "recorded"}}

Row = tuple[str, str, Point, str, str]
"""Rule; holds, fails or unknown; point; setters separated by blanks; canonical fields separated by blanks."""

ELIGIBILITY: list[Row] = [
    ("E01", "holds", IN, "case.category=050100", ""),
    ("E01", "fails", IN, "case.category=010000", "case.category"),
    ("E01", "unknown", IN, "case.category=none", "case.category"),
    ("E01", "holds", HE, "case.category=none", ""),
    ("E01", "unknown", IN, "person[1].charge[2].law=0", "person[1].charge[2].law"),
    ("E01", "unknown", TR, "person[1].charge=none", "person[1].charge"),
    ("E02", "holds", IN, "person[1].proposal=3Y", ""),
    ("E02", "fails", IN, "person[1].proposal=3Y1D", "person[1].proposal.term"),
    ("E02", "fails", IN, "person[1].proposal=3Y1M", "person[1].proposal.term"),
    ("E02", "unknown", TR, "person[1].proposal=none", "person[1].proposal.penalty"),
    ("E02", "unknown", IN, "person[1].proposal=3Y person[1].proposal.term=none", "person[1].proposal.term"),
    ("E02", "holds", HE, "person[1].proposal=none", ""),
    ("E02", "fails", HE, "person[1].decision.penalty=IMPRISONMENT person[1].decision.term=4Y",
     "person[1].decision.term"),
    ("E02", "unknown", HE, "person[1].decision.penalty=ACQUITTAL", "person[1].decision.penalty"),
    ("E03", "holds", TR, "document.D44=missing", ""),
    ("E03", "unknown", TR, "document.D20=missing", "document"),
    ("E03", "unknown", IN, "document.D44=missing", "document"),
    ("E03", "unknown", HE, "document.D50=missing", "document"),
    ("E04", "holds", IN, "person[1].plea=full", ""),
    ("E04", "fails", IN, "person[1].plea.guilty=no", "person[1].plea.guilty"),
    ("E04", "fails", IN, "person[1].plea.accepts=no", "person[1].plea.accepts"),
    ("E04", "fails", IN, "person[1].plea.consents=no", "person[1].plea.consents"),
    ("E04", "fails", HE, "person[1].plea=withdrawn",
     "person[1].plea.guilty person[1].plea.accepts person[1].plea.consents"),
    ("E04", "unknown", TR, "person[1].plea.consents=none", "person[1].plea.consents"),
    ("E04", "unknown", TR, "person[1].plea.on=none", "person[1].plea.on"),
    ("E04", "unknown", TR, "person[1].plea.on=2026-06-18", "person[1].plea.on"),
    ("X01", "holds", IN, "person[1].health.deaf=no", ""),
    ("X01", "fails", IN, "person[1].health.blind=yes", "person[1].health.blind"),
    ("X01", "fails", TR, "person[1].health.deaf=yes", "person[1].health.deaf"),
    ("X01", "fails", HE, "person[1].health.mute=yes", "person[1].health.mute"),
    ("X01", "unknown", AC, "person[1].health.deaf=none", "person[1].health.deaf"),
    ("X02", "holds", IN, "person[1].health.mental=no", ""),
    ("X02", "fails", IN, "person[1].health.mental=yes", "person[1].health.mental"),
    ("X02", "unknown", IN, "person[1].health.mental=none", "person[1].health.mental"),
    ("X03", "fails", IN, "person[1].birth=2008-11-23 on=2026-11-23", "person[1].birth"),
    ("X03", "holds", IN, "person[1].birth=2008-11-23 on=2026-11-24", ""),
    ("X03", "fails", IN, "person[1].birth=2008-02-29 on=2026-03-01", "person[1].birth"),
    ("X03", "holds", IN, "person[1].birth=2008-02-29 on=2026-03-02", ""),
    ("X03", "unknown", IN, "person[1].birth=1990", "person[1].birth"),
    ("X03", "unknown", IN, "person[1].birth=1990-03", "person[1].birth"),
    ("X03", "unknown", IN, "person[1].birth=~1990-03-07", "person[1].birth"),
    ("X03", "unknown", IN, "person[1].birth=none", "person[1].birth"),
    ("X03", "holds", IN, "person[1].birth_basis=SELF", ""),  # the citizen id says the same day
    ("X03", "unknown", IN, "person[1].birth_basis=SELF person[1].id_doc[1].kind=414", "person[1].birth_basis"),
    ("X03", "unknown", IN, "person[1].birth_basis=none person[1].id_doc=none", "person[1].birth_basis"),
    ("X04", "holds", IN, "case.major_impact=no", ""),
    ("X04", "fails", IN, "case.major_impact=yes", "case.major_impact"),
    ("X04", "unknown", IN, "case.major_impact=none", "case.major_impact"),
    ("X06", "holds", IN, "victim[1].settled=yes", ""),
    ("X06", "holds", IN, "victim=none", ""),  # drunk driving has no victim by its nature
    ("X06", "fails", IN, "victim[1].settled=no", "victim[1].settled"),
    ("X06", "unknown", IN, "victim[1].settled=none", "victim[1].settled"),
    ("X06", "unknown", IN, "victim[1].settled_on=2026-06-18", "victim[1].settled_on"),
    ("X06", "unknown", IN, "victim=none person[1].charge[2].law=264", "victim"),
    ("X07", "holds", IN, "person[1].legal[1].opinion=不作无罪辩护", ""),
    ("X07", "fails", IN, "person[1].legal[1].opinion=作无罪辩护", "person[1].legal[1].opinion"),
    ("X07", "fails", AC, "person[1].legal[1].kind=RETAINED person[1].legal[1].opinion=其行为不构成犯罪",
     "person[1].legal[1].opinion"),
    ("X07", "holds", IN, "person[1].legal[1].kind=DUTY person[1].legal[1].opinion=none", ""),
    ("X07", "unknown", IN, "person[1].legal[1].opinion=none", "person[1].legal[1].opinion"),
    ("X07", "unknown", IN, "person[1].legal=none", "person[1].legal"),
    ("X07", "holds", HE, "person[1].legal=none", ""),
    ("X07", "unknown", HE, "case.procedure=none", "case.procedure"),
    ("X08", "holds", IN, "person[1].nation=CHN", ""),
    ("X08", "unknown", IN, "person[1].nation=NGA", "person[1].nation"),
    ("X08", "unknown", IN, "person[1].nation=XXA", "person[1].nation"),
    ("X08", "unknown", IN, "person[1].nation=none", "person[1].nation"),
    ("X08", "unknown", IN, "person[1].id_doc=none", "person[1].id_doc"),
]  # fmt: skip

DOCUMENTS: list[Row] = [
    ("D01.1", "holds", TR, "", ""),
    ("D01.1", "fails", TR, "document[1].no=none", "document[1].no"),
    ("D04.1", "holds", TR, "person[1].measure[1].start=2026-06-02", ""),
    ("D04.1", "fails", TR, "person[1].measure[1].start=2026-06-01", "person[1].measure[1].start"),
    ("D04.1", "fails", TR, "freeze[1].from=2026-06-01", "freeze[1].from"),
    ("D04.1", "fails", IN, "document[5].on=2026-05-31", "document[5].on"),
    ("D04.1", "unknown", TR, "document.D04=missing case.filed_on=none", "case.filed_on"),
    ("D10.1", "holds", TR, "person[1].measure[2].start=2026-06-03", ""),  # of bail the day is enough
    ("D10.1", "fails", TR, "person[1].measure[1].start=2026-06-02", "person[1].measure[1].start"),
    ("D12.1", "holds", TR, "document[19].on=2026-06-02", ""),
    ("D12.1", "fails", TR, "document[19].on=2026-06-04", "document[19].on"),
    ("D12.1", "unknown", TR, "document[19].on=none", "document[19].on"),
    ("D13.1", "holds", TR, "officer[2].role=none", ""),
    ("D13.1", "fails", TR, "officer[2].role=REVIEW", "officer"),
    ("D13.1", "fails", TR, "officer[2].no=1", "officer"),
    ("D13.1", "unknown", TR, "officer=none", "officer"),
    ("D13.2", "holds", TR, "officer[1].valid_to=2026-06-03", ""),
    ("D13.2", "fails", TR, "officer[1].valid_to=2026-06-02", "officer[1].valid_to"),
    ("D13.2", "fails", TR, "officer[1].level=TRAINEE", "officer[1].level"),
    ("D13.2", "unknown", TR, "officer[1].valid_to=none", "officer[1].valid_to"),
    ("D13.2", "unknown", TR, "officer[2].level=none", "officer[2].level"),
    ("D13.2", "holds", TR, "officer[2].role=REVIEW officer[2].valid_to=2020-01-01", ""),
    ("D15.1", "holds", TR, "document.D22=missing", ""),  # the record itself lists the recording
    ("D15.1", "fails", TR, "document.D15=missing", "person[1].charge[2].law"),
    ("D15.1", "fails", TR, "document.D22=missing recording=none", "person[1].charge[2].law"),
    ("D17.1", "holds", IN, "freeze[1].to=2026-07-02", ""),
    ("D17.1", "fails", IN, "freeze[1].to=2026-07-01", "freeze[1].to"),
    ("D17.2", "holds", IN, "property.total=none property=none", ""),
    ("D17.2", "fails", IN, "property.total=101", "property.total"),
    ("D17.2", "fails", IN, "freeze[1].amount=201", "freeze.total"),
    ("D17.2", "unknown", IN, "freeze.total=none", "freeze.total"),
    ("D18.1", "holds", IN, "freeze=none", ""),
    ("D18.1", "fails", IN, "freeze=none property=none", "property"),
    ("D20.1", "holds", IN, "case.occurred_at=2011-05-01", ""),
    ("D20.1", "fails", IN, "case.occurred_at=2011-04-30", "person[1].charge[2].law"),
    ("D20.1", "fails", IN, "person[1].charge[2].law=277(5) case.occurred_at=2021-02-28", "person[1].charge[2].law"),
    ("D20.1", "unknown", IN, "case.occurred_at=none", "case.occurred_at"),
    ("D41.1", "holds", IN, "", ""),
    ("D41.1", "fails", IN, "person[1].recognizance.lawyer=none", "person[1].recognizance.lawyer"),
    ("D41.2", "holds", IN, "person[1].recognizance.on=2026-06-17", ""),
    ("D41.2", "fails", IN, "person[1].recognizance.on=2026-06-18", "person[1].recognizance.on"),
    ("D41.2", "fails", IN, "document[24].on=2026-06-18", "document[24].on"),
    ("D41.2", "unknown", IN, "case.indicted_on=none", "case.indicted_on"),
    ("D41.2", "unknown", IN, "person[1].recognizance.on=none document[24].on=none", "person[1].recognizance.on"),
    ("D41.3", "holds", IN, "person[1].proposal.on=2026-06-13", ""),
    ("D41.3", "fails", IN, "person[1].proposal.on=2026-06-15", "person[1].proposal.on"),
    ("D41.3", "unknown", IN, "person[1].proposal.on=none", "person[1].proposal.on"),
    ("D43.1", "holds", IN, "person[1].proposal.term=6M", ""),
    ("D43.1", "fails", IN, "person[1].proposal.term=7M", "person[1].proposal.term"),
    ("D43.1", "fails", IN, "person[1].proposal.term=29D", "person[1].proposal.term"),
    ("D43.1", "fails", IN, "person[1].proposal=10M", "person[1].proposal.penalty"),  # 133-1 has no imprisonment
    ("D43.1", "fails", IN, "person[1].proposal=13M person[1].charge[2].law=291-2", "person[1].proposal.term"),
    ("D43.1", "holds", IN, "person[1].proposal=12M person[1].charge[2].law=291-2", ""),
    ("D43.1", "holds", IN, "person[1].proposal=3Y6M person[1].charge[2].law=264", ""),  # there is a higher bracket
    ("D43.1", "unknown", IN, "person[1].proposal.term=none", "person[1].proposal.term"),
    ("D43.2", "holds", IN, "person[1].proposal.probation=1Y", ""),
    ("D43.2", "fails", IN, "person[1].proposal.probation=1Y1M", "person[1].proposal.probation"),
    ("D43.2", "fails", IN, "person[1].proposal.probation=1M", "person[1].proposal.probation"),
    ("D43.2", "fails", IN, "person[1].proposal.term=5M", "person[1].proposal.probation"),  # shorter than the term
    ("D43.2", "fails", IN, "person[1].proposal.penalty=CONTROL", "person[1].proposal.probation"),
    ("D43.2", "fails", IN, "person[1].proposal=3Y1M person[1].proposal.probation=5Y", "person[1].proposal.probation"),
    ("D43.2", "unknown", IN, "person[1].proposal.term=none", "person[1].proposal.term"),
]  # fmt: skip

PRESENCE: list[Row] = [
    *((code, "fails", point, f"document.{code}=missing", field) for code, point, field in (
        ("D01", TR, "document"), ("D02", TR, "document"), ("D04", TR, "document"), ("D04", IN, "document"),
        ("D10", TR, "person[1]"), ("D12", TR, "person[1]"), ("D13", TR, "person[1]"), ("D16", TR, "person[1]"),
        ("D17", TR, "document"), ("D18", TR, "document"), ("D19", TR, "document"), ("D20", TR, "document"),
        ("D23", IN, "document"), ("D40", IN, "person[1]"), ("D41", IN, "person[1]"), ("D41", AC, "person[1]"),
        ("D42", IN, "person[1]"), ("D44", IN, "document"), ("D45", IN, "document"), ("D46", IN, "document"),
        ("D50", EX, "document"), ("D51", EX, "document"), ("D52", EX, "document"), ("D53", EX, "document"),
    )),
    ("D10", "holds", TR, "document.D10=missing person[1].measure=none", ""),
    ("D11", "fails", TR, "person[1].measure[1].kind=SUMMON", "person[1]"),
    ("D11", "holds", TR, "", ""),
    ("D17", "holds", TR, "document.D17=missing property=none freeze=none property.total=none freeze.total=none", ""),
    ("D18", "holds", TR, "document.D18=missing property[1].disposal=HOLD", ""),
    ("D19", "holds", TR, "document.D19=missing victim=none", ""),
    ("D22", "holds", TR, "document.D22=missing", ""),
    ("D22", "fails", TR, "document.D22=missing recording=none", "document"),
    ("D23", "holds", IN, "document.D23=missing person[1].legal[1].kind=DUTY", ""),
    ("D30", "fails", IN, "document.D30=missing person[1].measure[2].kind=ARREST", "person[1]"),
    ("D30", "holds", IN, "document.D30=missing", ""),
    ("D31", "fails", IN, "return.round=1", "document"),
    ("D31", "holds", IN, "", ""),
    ("D32", "fails", TR, "case.kind=RETRANSFER", "document"),
    ("D32", "holds", TR, "", ""),
    ("D40", "holds", IN, "document.D40=missing case.procedure=SUMMARY", ""),
    ("D41", "holds", IN, "document.D41=missing case.procedure=SUMMARY", ""),
    ("D43", "fails", IN, "document.D43=missing person[1].proposal=none", "person[1]"),
    ("D43", "holds", IN, "document.D43=missing", ""),  # the proposal stands in the indictment
    ("D45", "holds", IN, "document.D45=missing case.procedure=NOT_FAST", ""),
    ("D46", "holds", IN, "document.D46=missing person[1].proposal.probation=none", ""),
    ("D53", "holds", EX, "document.D53=missing property=none freeze=none property.total=none freeze.total=none", ""),
]  # fmt: skip

BY_HAND = {
    "X05": "test_co_defendant_who_objects_takes_the_whole_case_out",
    "D17.3": "test_mass_freeze_without_approval_is_refused",
    "D20.2": "test_transfer_needs_a_legal_review_that_agrees_before_the_opinion_for_prosecution",
}
"""Rules whose cases need more than setters, with the test that has them."""
NOT_TESTABLE = {"D03": "optional everywhere", "D14": "optional everywhere", "D15": "asked for by its charge, D15.1"}


def findings_of(dossier: Dossier, rule: str) -> list[RuleFinding]:
    """What one rule finds."""
    outcome = judge_dossier(RULES, dossier)
    listed = [finding for person in outcome.persons for finding in person.findings] + list(outcome.documents)
    return [finding for finding in listed if finding.rule == rule]


@pytest.mark.parametrize(
    ("rule", "state", "point", "setters", "wanted"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-{row[2]}-{row[3]}") for row in [*ELIGIBILITY, *DOCUMENTS, *PRESENCE]],
)
def test_rule_on_a_spoiled_case_finds_exactly_what_is_wrong(
    rule: str, state: str, point: Point, setters: str, wanted: str
) -> None:
    """The field, whether it is wrong or only not known, and nothing beside it."""
    dossier = make_dossier(point)
    for setter in setters.split():
        dossier = apply_setter(dossier, setter)
    found = findings_of(dossier, rule)
    assert [finding.field for finding in found] == wanted.split()
    assert all(finding.is_missing == (state == "unknown") for finding in found)
    assert bool(found) == (state != "holds")


def test_every_rule_has_a_case_that_holds_one_that_fails_and_one_that_nobody_knows() -> None:
    """A rule that no test has seen fail proves nothing; presence of a paper is never unknown."""
    states: dict[str, set[str]] = {}
    for rule, state, *_ in [*ELIGIBILITY, *DOCUMENTS, *PRESENCE]:
        states.setdefault(rule, set()).add(state)
    never_fails, never_unknown = {"E03", "X08"}, {"D01.1", "D10.1", "D15.1", "D17.1", "D18.1", "D41.1"}
    for row in (*RULES.eligibility, *RULES.documents):
        if row.id in BY_HAND or row.id in NOT_TESTABLE:
            continue
        wanted = {"fails"} if row.id in OWN_PRESENCE else {"holds", "fails", "unknown"}
        wanted -= {"fails"} if row.id in never_fails else set()
        wanted -= {"unknown"} if row.id in never_unknown else set()
        assert wanted <= states.get(row.id, set()), row.id
    assert all(name in globals() for name in BY_HAND.values())


@pytest.mark.parametrize("flag", ["guilty", "accepts", "consents"])
def test_co_defendant_who_objects_takes_the_whole_case_out(flag: str) -> None:
    """One of three withdraws one flag: the others are out by X05, and so is the case."""
    dossier = make_dossier(Point.HEARING, case=make_case(3))
    assert judge_dossier(RULES, dossier).result is Result.ELIGIBLE
    outcome = judge_dossier(RULES, apply_setter(dossier, f"person[2].plea.{flag}=no"))
    assert outcome.result is Result.INELIGIBLE
    told = [[(one.rule, one.field, one.is_missing) for one in person.findings] for person in outcome.persons]
    field = f"person[2].plea.{flag}"
    assert told == [[("X05", field, False)], [("E04", field, False)], [("X05", field, False)]]
    unknown = judge_dossier(RULES, apply_setter(dossier, f"person[2].plea.{flag}=none"))
    assert [person.result for person in unknown.persons] == [Result.UNKNOWN] * 3


def test_alone_nobody_is_a_co_defendant() -> None:
    """A single defendant who objects is out by E04 and not a second time."""
    assert findings_of(apply_setter(make_dossier(), "person[1].plea=withdrawn"), "X05") == []


ATTESTED = {"key": "R1", "suitable": True}


def _attest(**said: object) -> tuple[Annex, ...]:
    return (Annex(name=SUITABLE_ANNEX, version=1, path="/materials/0", data={"persons": [{**ATTESTED, **said}]}),)


def test_foreigner_is_unknown_until_an_official_attests_and_out_when_he_denies() -> None:
    """X08 is a gate that only a person opens."""
    dossier = apply_setter(make_dossier(), "person[1].nation=NGA")
    assert judge_dossier(RULES, dossier).result is Result.UNKNOWN
    assert judge_dossier(RULES, replace(dossier, annexes=_attest())).result is Result.ELIGIBLE
    assert judge_dossier(RULES, replace(dossier, annexes=_attest(key="R2"))).result is Result.UNKNOWN
    denied = replace(dossier, annexes=_attest(suitable=False))
    assert [(one.field, one.is_missing) for one in findings_of(denied, "X08")] == [("person[1]", False)]


def test_review_that_denies_the_evidence_counts_against_the_document_that_asserts_it() -> None:
    """E03 fails when an official says that the evidence is not sufficient."""
    denied = make_dossier(annexes=_attest(evidence_sufficient=False))
    assert [(one.field, one.is_missing) for one in findings_of(denied, "E03")] == [("person[1]", False)]


def test_organisation_whose_plea_is_attested_is_eligible() -> None:
    """What the litigation representative said reaches the rules as an attestation."""
    annexes = _attest(key="O1", guilty=True, accepts=True, consents=True)
    case = make_case(orgs=(make_org(),))
    assert judge_dossier(RULES, make_dossier(case=case, annexes=annexes)).result is Result.ELIGIBLE
    refused = _attest(key="O1", guilty=True, accepts=True, consents=False)
    assert judge_dossier(RULES, make_dossier(case=case, annexes=refused)).result is Result.INELIGIBLE


def test_victims_are_asked_one_by_one() -> None:
    """A settlement with one victim says nothing of the other."""
    case = make_case()
    second = replace(case.victims[0], key="V2", settled=False)
    dossier = make_dossier(case=replace(case, victims=(*case.victims, second)))
    assert [finding.field for finding in findings_of(dossier, "X06")] == ["victim[2].settled"]


def test_charge_counts_at_its_latest_stage_only() -> None:
    """What the police named and the procuratorate renamed is the procuratorate's."""
    dossier = apply_setter(make_dossier(), "person[1].charge[1].law=0")
    assert findings_of(dossier, "E01") == []


def test_organisation_has_rules_of_its_own() -> None:
    """It has no health and no age; its plea is not in the record, so nobody knows it until it is attested."""
    outcome = judge_dossier(RULES, make_dossier(case=make_case(orgs=(make_org(),))))
    person, org = outcome.persons
    assert [(one.rule, one.field) for one in org.findings] == [("E04", "org[1]")] * 3
    assert {one.rule for one in person.findings} == {"X05"}
    assert outcome.result is Result.UNKNOWN
    silent = judge_dossier(RULES, make_dossier(case=make_case(orgs=(make_org(proposed_fine=None),))))
    assert "org[1].proposed_fine" in {one.field for one in silent.persons[1].findings}


def _frozen(accounts: int, kind: str = "LIMIT") -> tuple[Freeze, ...]:
    freeze = make_case().freezes[0]
    return tuple(replace(freeze, account=str(number), kind=kind) for number in range(accounts))


@pytest.mark.parametrize(("accounts", "kind", "refused"), [(199, "LIMIT", 0), (200, "LIMIT", 1), (99, "WHOLE", 0),
                                                          (100, "WHOLE", 1)])  # fmt: skip
def test_mass_freeze_without_approval_is_refused(accounts: int, kind: str, refused: int) -> None:
    """From 200 accounts, or 100 whole ones, the city's approval must be proven."""
    found = findings_of(make_dossier(Point.TRANSFER, case=make_case(freezes=_frozen(accounts, kind))), "D17.3")
    assert [(one.field, one.severity.value) for one in found] == [("freeze", "error")] * refused


def test_documents_of_one_person_do_not_count_for_another() -> None:
    """Of two defendants each needs a recognizance; a paper that names nobody is nobody's."""
    dossier = apply_setter(make_dossier(case=make_case(2)), "document.D41[2]=missing")
    assert [finding.field for finding in findings_of(dossier, "D41")] == ["person[2]"]
    both = apply_setter(dossier, "document.D41=present")
    assert [finding.field for finding in findings_of(both, "D41")] == ["person[2]"]


def test_several_charges_have_the_limits_of_combined_penalties() -> None:
    """Two charges of which each has six months of detention may give a year together."""
    person = make_case().persons[0]
    two = (*person.charges, Charge(stage="PR", law="280-1"))
    dossier = make_dossier(case=make_case(persons=1))
    dossier = replace(dossier, case=replace(dossier.case, persons=(replace(person, charges=two),)))
    assert findings_of(apply_setter(dossier, "person[1].proposal.term=1Y"), "D43.1") == []
    assert len(findings_of(apply_setter(dossier, "person[1].proposal.term=1Y1D"), "D43.1")) == 1


def test_items_without_value_leave_the_total_alone() -> None:
    """A total that cannot be compared is not wrong."""
    case = make_case(properties=(Property(name="x"), Property(name="y", value=1)))
    assert findings_of(make_dossier(case=case), "D17.2") == []


def test_legal_help_of_a_second_defender_is_looked_at_too() -> None:
    """One defender pleads guilty, the other does not."""
    dossier = make_dossier()
    [person] = dossier.case.persons
    person = replace(person, legals=(*person.legals, LegalHelp(kind="RETAINED", name="z", opinion="无罪")))
    dossier = replace(dossier, case=replace(dossier.case, persons=(person,)))
    assert [finding.field for finding in findings_of(dossier, "X07")] == ["person[1].legal[2].opinion"]


def test_same_officer_twice_is_one_investigator() -> None:
    """Two names for one badge are one officer."""
    officers = (Officer(no="1", role="LEAD"), Officer(no="1", role="ASSIST"))
    assert len(findings_of(make_dossier(Point.TRANSFER, case=make_case(officers=officers)), "D13.1")) == 1
    assert make_dossier().on == ON


def _review(reviewed_at: str, opinion: str = "AGREE", of: str = "TRANSFER") -> dict[str, str]:
    return {"review_id": "1", "object": of, "opinion": opinion, "reviewed_at": f"2026-06-{reviewed_at}:00+08:00"}


@pytest.mark.parametrize(
    ("reviews", "is_told"),
    [
        ([], True),
        # The opinion for prosecution (D20) of the case is of 3 June: its whole day counts, the next one does not.
        ([_review("03T23:59")], False),
        ([_review("04T00:00")], True),
        ([_review("02T10:00", "AGREE_WITH_CHANGES")], False),
        ([_review("02T10:00", "DISAGREE")], True),
        # A review of something else says nothing of the transfer.
        ([_review("02T10:00", of="FILING")], True),
        ([_review("02T10:00", "DISAGREE"), _review("03T10:00")], False),
        ([_review("02T10:00"), _review("03T10:00", "DISAGREE")], True),
        ([_review("03T10:00"), _review("02T10:00", "DISAGREE")], False),
        ([_review("03T10:00"), _review("04T10:00", "DISAGREE")], False),
    ],
)
def test_transfer_needs_a_legal_review_that_agrees_before_the_opinion_for_prosecution(
    reviews: list[dict[str, str]], is_told: bool
) -> None:
    """D20.2: attested by an annex or a statement, the last review before the opinion counts; missing it is told."""
    wanted = [("document", "LEGAL_REVIEW_MISSING", "warning", "MPS 283-286")] if is_told else []
    annexes = tuple(
        Annex(name="legal-review", version=1, path=f"/materials/{at}", data=data) for at, data in enumerate(reviews)
    )
    halves = [({"annexes": annexes[:1], "reviews": tuple(reviews[1:])})] if len(reviews) > 1 else []
    for given in ({"annexes": annexes, "reviews": ()}, {"reviews": tuple(reviews)}, *halves):
        found = findings_of(make_dossier(TR, **given), "D20.2")  # type: ignore[arg-type]
        assert [(one.field, one.code.name, one.severity.value, one.basis) for one in found] == wanted


def test_legal_review_is_measured_by_the_transfer_when_the_opinion_has_no_day_and_asked_for_there_only() -> None:
    """Without D20 the day of the transfer, 17 June, is the last; an indictment is not the police's to review."""
    for setter in ("document[8].on=none", "document.D20=missing"):
        dossier = apply_setter(make_dossier(TR, reviews=(_review("17T09:00"),)), setter)
        assert findings_of(dossier, "D20.2") == []
    assert findings_of(make_dossier(IN), "D20.2") == []
