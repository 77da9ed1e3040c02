"""What annexes and the register of officers tell the rules beside the record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.annex import Annex
from gateway.core.dossier import Dossier, Point
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.rule_set import load_rule_set
from gateway.core.judge.what_if import apply_setter
from tests.support.dossier import make_case, make_dossier

RULES = load_rule_set()
OFFICER = {"level": "BASIC", "status": "VALID", "obtained_on": "2022-01-01", "valid_to": "2026-06-03"}


def _found(dossier: Dossier, rule: str) -> list[tuple[str, bool]]:
    outcome = judge_dossier(RULES, dossier)
    listed = [one for person in outcome.persons for one in person.findings] + list(outcome.documents)
    return [(one.field, one.is_missing) for one in listed if one.rule == rule]


def _annex(name: str, **data: Any) -> tuple[Annex, ...]:
    return (Annex(name=name, version=1, path="/materials/3", data=data),)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"valid_to": "2026-06-02"}, [("officer[1].no", False)]),
        ({"obtained_on": "2026-06-04"}, [("officer[1].no", False)]),
        ({"status": "SUSPENDED"}, [("officer[1].no", False)]),
        ({"level": "AUXILIARY"}, [("officer[1].no", False)]),
    ],
)
def test_register_decides_on_the_day_of_the_act_whatever_the_record_says(
    changes: dict[str, str], found: list[tuple[str, bool]]
) -> None:
    """Scenario 17: qualified until the day before the interrogation is not qualified; an auxiliary never is."""
    register = {"1": {**OFFICER, **changes}, "2": OFFICER}
    assert _found(make_dossier(Point.TRANSFER, register=register), "D13.2") == found


def test_officer_who_is_not_in_the_register_is_not_proven_qualified() -> None:
    """What the record says of its own officers is no proof where there is a register."""
    dossier = make_dossier(Point.TRANSFER, register={"1": OFFICER})
    assert _found(dossier, "D13.2") == [("officer[2].no", True)]


def test_profile_of_the_operator_decides_whether_a_missing_qualification_refuses() -> None:
    """A warning by default; with the other profile the transfer is refused."""
    from gateway.core.judge.rule_set import load_chosen

    dossier = apply_setter(make_dossier(Point.TRANSFER), "officer[1].valid_to=2026-06-02")
    for chosen, severity in ((None, "warning"), ({"qualification": "refuse"}, "error")):
        rules = load_chosen(chosen, "test")
        [finding] = [one for one in judge_dossier(rules, dossier).documents if one.rule == "D13.2"]
        assert finding.severity.value == severity


@pytest.mark.parametrize("missing", ["review_id", "county_approval", "city_approval"])
def test_mass_freeze_needs_review_and_both_approvals(missing: str) -> None:
    """Scenario 18: 230 accounts at once; each of the three proofs is needed, one list has them all."""
    freeze = make_case().freezes[0]
    case = make_case(freezes=tuple(replace(freeze, account=str(number)) for number in range(230)))
    proofs = {"review_id": "1", "county_approval": {"no": "1"}, "city_approval": {"no": "2"}}
    dossier = make_dossier(Point.TRANSFER, case=case)
    assert _found(dossier, "D17.3") == [("freeze", False)]
    assert _found(replace(dossier, annexes=_annex("freeze-list", **proofs)), "D17.3") == []
    del proofs[missing]
    assert _found(replace(dossier, annexes=_annex("freeze-list", **proofs)), "D17.3") == [("freeze", False)]


def test_counsel_who_signed_after_the_indictment_makes_the_recognizance_late() -> None:
    """Scenario 10: the record's own date is in time, the lawyer's presence was a day after the indictment."""
    presence = {"person": "R1", "signing_to": "2026-06-17T18:00:00+08:00"}
    dossier = make_dossier(annexes=_annex("duty-lawyer", presences=[presence]))
    assert _found(dossier, "D41.2") == []
    late = {**presence, "signing_to": "2026-06-17T17:00:00Z"}
    dossier = make_dossier(annexes=_annex("duty-lawyer", presences=[{**late, "person": "R2"}, late]))
    assert _found(dossier, "D41.2") == [("/materials/3#/presences/1/signing_to", False)]


def test_presence_in_the_annex_names_counsel_that_the_record_does_not() -> None:
    """The lawyer who was there counts wherever he is named; one who was with somebody else does not."""
    dossier = apply_setter(make_dossier(), "person[1].recognizance.lawyer=none")
    assert _found(dossier, "D41.1") == [("person[1].recognizance.lawyer", False)]
    there = _annex("duty-lawyer", presences=[{"person": "R1"}])
    assert _found(replace(dossier, annexes=there), "D41.1") == []
    elsewhere = _annex("duty-lawyer", presences=[{"person": "R2"}])
    assert len(_found(replace(dossier, annexes=elsewhere), "D41.1")) == 1


@pytest.mark.parametrize(
    ("code", "name", "data"),
    [
        ("D42", "hearing-recording", {"recordings": [{"person": "R1"}]}),
        ("D30", "custody-transfer", {"kind": "TRANSFER", "person": "R1"}),
    ],
)
def test_annex_about_the_person_is_as_good_as_the_paper(code: str, name: str, data: dict[str, Any]) -> None:
    """Some papers travel as data; those of somebody else do not count."""
    dossier = apply_setter(make_dossier(), f"document.{code}=missing")
    dossier = apply_setter(dossier, "person[1].measure[2].kind=ARREST")
    assert _found(dossier, code) == [("person[1]", False)]
    assert _found(replace(dossier, annexes=_annex(name, **data)), code) == []
    other = {**data, "person": "R2"} if "person" in data else {"recordings": [{"person": "R2"}]}
    assert _found(replace(dossier, annexes=_annex(name, **other)), code) == [("person[1]", False)]


def test_notice_of_a_changed_term_is_no_custody_transfer() -> None:
    """With the file the person changes hands, which a notice about an extension does not say (T08)."""
    dossier = apply_setter(apply_setter(make_dossier(), "document.D30=missing"), "person[1].measure[2].kind=ARREST")
    changed = _annex("custody-transfer", kind="TERM_CHANGE", reason="EXTENSION", person="R1")
    assert _found(replace(dossier, annexes=changed), "D30") == [("person[1]", False)]


def test_recorder_manifest_is_the_list_of_recordings() -> None:
    """D22 may be a document, the record's own list or the annex."""
    dossier = apply_setter(apply_setter(make_dossier(Point.TRANSFER), "document.D22=missing"), "recording=none")
    assert _found(dossier, "D22") == [("document", False)]
    assert _found(replace(dossier, annexes=_annex("recorder-manifest")), "D22") == []


def test_review_that_disagrees_with_the_transfer_is_against_the_evidence() -> None:
    """A review of a freeze says nothing of the evidence; changes that were asked for are not a refusal."""
    for data, found in (
        ({"object": "TRANSFER", "opinion": "DISAGREE"}, [("/materials/3#/opinion", False)]),
        ({"object": "TRANSFER", "opinion": "AGREE_WITH_CHANGES"}, []),
        ({"object": "FREEZE", "opinion": "DISAGREE"}, []),
    ):
        annexes = _annex("legal-review", reviewed_at="2026-06-02T10:00:00+08:00", **data)
        assert _found(make_dossier(Point.TRANSFER, annexes=annexes), "E03") == found


def test_consent_that_the_court_did_not_ask_for_is_not_known() -> None:
    """At the hearing the flags of the record stand only if the court asked and verified; other cases do not count."""
    number = make_case().police_no
    hearings = [
        {"case_number": "A0", "consent_asked": False},
        {"case_number": number, "consent_asked": False, "voluntariness_verified": True},
    ]
    dossier = make_dossier(Point.HEARING, annexes=_annex("court-session", hearings=hearings))
    assert _found(dossier, "E04") == [("/materials/3#/hearings/1/consent_asked", True)]
    assert _found(replace(dossier, point=Point.INDICTMENT), "E04") == []
