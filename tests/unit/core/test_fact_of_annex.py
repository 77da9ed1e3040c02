"""What annexes tell of a case: the published examples, and the forms that bind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gateway.core.form
from gateway.core.annex import Annex
from gateway.core.fact import INPUTS, Fact
from gateway.core.fact_of_annex import read_annex_facts
from gateway.core.fact_order import WORDS

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
    facts = read("freeze-list", load("freeze-list"))
    assert len({fact.person for fact in facts}) == len(facts)
    assert facts[0].inputs == {"asset": "DEPOSIT", "approver": "COUNTY_HEAD", "whole_account": False}
    assert facts[1].inputs["whole_account"] is True


def test_annex_of_another_form_tells_nothing() -> None:
    """A recorder manifest starts no limit."""
    assert read("recorder-manifest", load("recorder-manifest")) == []
