"""Overrides: an error becomes a warning with a reason, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.dossier import Dossier, Point
from gateway.core.errors import Severity
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.outcome import RuleFinding
from gateway.core.judge.override import to_override
from gateway.core.judge.rule_set import FILES, load_chosen, load_rule_set, read_rule_set
from gateway.core.judge.what_if import apply_setter
from gateway.core.rule import RuleFileError
from tests.support.dossier import make_case, make_dossier
from tests.unit.core.judge.test_judge_rule_set import SOURCES

STRICT = load_chosen({"qualification": "refuse"}, "test")
RULE = "D13.2"
BODY = {"rule": RULE, "officer": "1", "reason": "EMERGENCY", "approver": "9", "note": "x", "approval_no": "1"}


def _expired(**changes: Any) -> Dossier:
    return replace(apply_setter(make_dossier(Point.TRANSFER), "officer[1].valid_to=2026-06-02"), **changes)


def _found(dossier: Dossier) -> list[RuleFinding]:
    return [one for one in judge_dossier(STRICT, dossier).documents if one.rule == RULE]


def test_override_makes_the_error_of_its_officer_a_warning_with_the_reason() -> None:
    """The finding stays and says so; what is overridden is part of the inputs, the approver's number is not."""
    [before] = _found(_expired())
    assert (before.severity, before.is_overridable, before.override) == (Severity.ERROR, True, "")
    shown = to_override(BODY)
    assert shown == {"rule": RULE, "officer": "1", "reason": "EMERGENCY"}
    [after] = _found(_expired(overrides=(shown,)))
    assert (after.severity, after.override, after.field) == (Severity.WARNING, "EMERGENCY", before.field)
    assert after.to_finding(lambda field: field).message.endswith("; overridden: EMERGENCY")
    one, other = (judge_dossier(STRICT, dossier) for dossier in (_expired(), _expired(overrides=(shown,))))
    assert one.inputs_sha256 != other.inputs_sha256
    assert (one.result, one.persons) == (other.result, other.persons)


@pytest.mark.parametrize("changes", [
    {"officer": "2"}, {"reason": "NO_REASON"}, {"rule": "D13.1"}, {"person": "R1"}, {"officer": None},
], ids=str)  # fmt: skip
def test_override_of_something_else_changes_no_finding(changes: dict[str, Any]) -> None:
    """Another officer, reason, rule or owner: what was not named is not overridden."""
    stated = {name: value for name, value in (to_override(BODY) | changes).items() if value is not None}
    assert [one.severity for one in _found(_expired(overrides=(stated,)))] == [Severity.ERROR]


@pytest.mark.parametrize("rule", ["E04", "X03", "X04", "D41", "D43.1"])
def test_override_of_a_condition_or_of_what_the_law_refuses_changes_nothing(rule: str) -> None:
    """No override makes anybody eligible, and none lets an indictment without recognizance through."""
    case = make_case(major_impact=True)
    dossier = make_dossier(Point.INDICTMENT, case=replace(case, documents=()))
    stated = tuple({"rule": rule, **about, "reason": "EMERGENCY"} for about in ({}, {"person": "R1"}))
    one, other = judge_dossier(STRICT, dossier), judge_dossier(STRICT, replace(dossier, overrides=stated))
    assert replace(one, inputs_sha256="") == replace(other, inputs_sha256="")


@pytest.mark.parametrize(("name", "rule", "problem"), [
    ("eligibility", "X04", "nobody overrides"),
    ("documents", "D41", "nobody overrides what the law refuses"),
])  # fmt: skip
def test_rule_set_in_which_a_statutory_refusal_may_be_overridden_is_refused(name: str, rule: str, problem: str) -> None:
    """It cannot even be written down."""
    head = f"  - id: {rule}\n"
    text = SOURCES[name].decode()
    assert head in text
    allowed = "    override: {about: case, by: [ps], post: UNIT_HEAD, least: MEDIUM, reasons: {EMERGENCY: x}}\n"
    with pytest.raises(RuleFileError, match=problem):
        read_rule_set({**SOURCES, name: text.replace(head, head + allowed, 1).encode()})


@pytest.mark.parametrize("wrong", ["least: HIGHEST", "about: animal", "by: [xy]", "reasons: {}"])
def test_row_with_an_override_that_is_not_understood_is_refused(wrong: str) -> None:
    """A word that nobody knows would let nobody, or everybody, approve."""
    text = SOURCES["documents"].decode()
    begin = text.index("    override:\n")
    end = text.index("  - id: D14\n")
    values = {"about": "officer", "by": "[ps]", "post": "UNIT_HEAD", "least": "MEDIUM", "reasons": "{EMERGENCY: x}"}
    values[wrong.partition(":")[0]] = wrong.partition(": ")[2]
    row = "    override: {" + ", ".join(f"{name}: {value}" for name, value in values.items()) + "}\n\n"
    with pytest.raises(RuleFileError, match=RULE):
        read_rule_set({**SOURCES, "documents": (text[:begin] + row + text[end:]).encode()})


def test_only_what_the_domain_names_may_be_overridden() -> None:
    """Scenario 17 is the one place where the law of the domain speaks of an override."""
    rules = load_rule_set()
    assert [row.id for row in (*rules.eligibility, *rules.documents) if row.override] == [RULE]
    assert FILES[0] == "eligibility"
