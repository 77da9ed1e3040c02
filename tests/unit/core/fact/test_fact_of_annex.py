"""What annexes tell of a case: the published examples, and the forms that bind them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gateway.core.form
from gateway.core.annex import Annex
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.fact.fact import INPUTS, Fact, KnownFact
from gateway.core.fact.of_annex import read_annex_facts
from gateway.core.fact.order import WORDS

FOLDER = Path(gateway.core.form.__file__).with_name("annex")


def load(name: str) -> dict[str, Any]:
    """The published example of a form."""
    data: dict[str, Any] = json.loads((FOLDER / f"{name}.v1.example.json").read_text("utf-8"))
    return data


def read(name: str, data: dict[str, Any]) -> list[Fact]:
    """Facts of an annex."""
    facts = read_annex_facts([Annex(name=name, version=1, path="", data=data)])
    assert {fact.kind for fact in facts} <= set(WORDS)
    assert all(INPUTS[key](value) for fact in facts for key, value in fact.inputs.items())
    return facts


def test_case_centre_log_tells_the_times_that_prove_the_hours() -> None:
    """Summons, detention, delivery and first interrogation with their times."""
    told = {fact.kind: fact.at.isoformat() for fact in read("case-centre-log", load("case-centre-log"))}
    assert told == {
        "summons_arrived": "2024-06-02T10:10:00+08:00",
        "summons_ended": "2024-06-02T16:00:00+08:00",
        "detained": "2024-06-02T16:00:00+08:00",
        "detention_centre_received": "2024-06-02T18:30:00+08:00",
        "interrogation_begun": "2024-06-02T11:00:00+08:00",
    }


def test_case_centre_log_tells_a_summons_that_was_extended() -> None:
    """Twenty-four hours only when the log says so."""
    data = load("case-centre-log")
    data["visits"][0]["summons"]["extended"] = True
    [extended] = [fact for fact in read("case-centre-log", data) if fact.kind == "extended"]
    assert extended.inputs == {"clock": "K01", "extension": "complex"}


def test_freeze_list_tells_each_account_with_what_its_limit_depends_on() -> None:
    """Asset and approver decide the length, a whole account is verified."""
    facts = [fact for fact in read("freeze-list", load("freeze-list")) if fact.kind == "frozen"]
    assert len({fact.person for fact in facts}) == len(facts)
    about = {"asset": "DEPOSIT", "approver": "COUNTY_HEAD", "whole_account": False, "until": "2024-12-02"}
    assert facts[0].inputs == about
    assert facts[1].inputs["whole_account"] is True


def test_annex_of_another_form_tells_nothing() -> None:
    """A recorder manifest starts no limit."""
    assert read("recorder-manifest", load("recorder-manifest")) == []


def test_reception_tells_what_registration_and_filing_review_run_from() -> None:
    """K02 and K03 have their times from the form."""
    data = {**load("reception"), "emergency": {"handling_ended_at": "2024-06-02T08:30:00+08:00"}}
    assert [(fact.kind, str(fact.at)) for fact in read("reception", data)] == [
        ("emergency_handled", "2024-06-02 08:30:00+08:00"),
        ("report_registered", "2024-06-02 09:12:00+08:00"),
        ("report_accepted", "2024-06-02"),
    ]


def test_owner_chain_tells_of_lack_of_jurisdiction_and_of_no_other_change() -> None:
    """K05 runs from the finding; who refuses takes nothing over."""
    data = load("owner-chain")
    assert read("owner-chain", data) == []
    change = {**data["changes"][0], "reason": "JURISDICTION", "jurisdiction_found_at": "2024-06-02T09:20:00+08:00"}
    assert [fact.kind for fact in read("owner-chain", {**data, "changes": [change]})] == [
        "no_jurisdiction_found", "case_transferred",
    ]  # fmt: skip
    refused = {**change, "refused_at": "2024-06-02T09:50:00+08:00"}
    assert [fact.kind for fact in read("owner-chain", {**data, "changes": [refused]})] == ["no_jurisdiction_found"]


def test_assessment_routing_tells_receipt_with_lane_and_opinion() -> None:
    """K41 is counted from what the correction agency received, not from the commission."""
    assert [
        (fact.kind, str(fact.at), fact.inputs) for fact in read("assessment-routing", load("assessment-routing"))
    ] == [
        ("assessment_commission_received", "2024-06-05 15:00:00+08:00", {"fast_track": True}),
        ("assessment_given", "2024-06-12 10:00:00+08:00", {}),
    ]


def test_legal_review_tells_submission_and_opinion() -> None:
    """K46 is the same in an annex and in a statement."""
    assert [fact.kind for fact in read("legal-review", load("legal-review"))] == [
        "legal_review_asked", "legal_review_given",
    ]  # fmt: skip


def test_freeze_list_tells_verification_and_lifting() -> None:
    """Unrelated funds that were lifted end their own limit, not the freeze."""
    data = load("freeze-list")
    freeze = {
        **data["freezes"][1], "verification_continued": True, "verified_at": "2024-07-20T09:00:00+08:00",
        "unrelated_found_at": "2024-07-18T09:00:00+08:00", "unrelated_lifted_at": "2024-07-19T09:00:00+08:00",
    }  # fmt: skip
    facts = read("freeze-list", {**data, "freezes": [freeze]})
    assert [fact.kind for fact in facts] == [
        "frozen", "extended", "freeze_verified", "unrelated_found", "unrelated_lifted",
    ]  # fmt: skip
    table = load_clock_table()
    known = [KnownFact(fact, datetime(2024, 6, 20, tzinfo=UTC)) for fact in facts]
    fold = fold_facts(known, table, Counting(load_calendar(), table.settings))
    assert [key[1] for key in fold.book.running] == ["K42"]
    assert [clock.inputs["step"] for clock in fold.book.ended] == ["LIFT_UNRELATED", "VERIFY"]
    assert [clock.granted[0].name for clock in fold.book.ended if clock.granted] == ["continued"]
