"""The statement by which a finding is overridden: which rule, which reason, whose approval."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.core.errors import Severity
from gateway.core.form.book import load_form_book
from gateway.core.form.period import CHINA
from gateway.core.judge.rule_set import load_rule_set
from gateway.core.procedure.finding_override import finding_override_form
from gateway.core.statement_form import StatementForm
from tests.support.bundle import make_statement

NUMBER = "A1101080000002024060012"
AT = datetime(2024, 6, 10, 9, tzinfo=CHINA)
HEAD = {
    "post": "UNIT_HEAD",
    "level": "MEDIUM",
    "status": "VALID",
    "obtained_on": "2022-01-01",
    "valid_to": "2026-12-31",
}
OFFICER = {**HEAD, "post": "OFFICER", "level": "BASIC"}
REGISTER = {"110001": OFFICER, "110005": HEAD}
BODY = {
    "rule": "D13.2", "officer": "110001", "reason": "EMERGENCY", "approver": "110005",
    "approved_at": "2024-06-08T09:30:00+08:00", "approval_no": "1",
}  # fmt: skip


def _form() -> StatementForm:
    return finding_override_form(load_form_book(), load_rule_set())


def _found(
    body: dict[str, Any], register: dict[str, Any] | None = None, issuer: str = "ps:110108"
) -> list[tuple[str, str]]:
    said = {name: value for name, value in (BODY | body).items() if value is not None}
    statement = make_statement(
        said, NUMBER, type="finding-override", issuer=issuer, created_at=AT, occurred_at=AT
    )  # fmt: skip
    findings = _form().check(statement, REGISTER if register is None else register)
    return [(one.code.name, one.path) for one in findings if one.severity is Severity.ERROR]


def test_override_approved_by_a_head_of_the_register_is_right() -> None:
    """It names the rule, the officer, a reason of the row and an approver of sufficient rank."""
    assert _found({}) == []
    form = _form()
    assert (form.names_officers, form.most_of_case) == (True, 64)


@pytest.mark.parametrize(("body", "found"), [
    ({"rule": "X01"}, [("OVERRIDE_NOT_ALLOWED", "/body/rule")]),
    ({"rule": "D41"}, [("OVERRIDE_NOT_ALLOWED", "/body/rule")]),
    ({"rule": "D99"}, [("OVERRIDE_NOT_ALLOWED", "/body/rule")]),
    ({"reason": "WE_WANT_TO"}, [("OVERRIDE_NOT_ALLOWED", "/body/reason")]),
    ({"officer": None}, [("STATEMENT_FIELD_MISSING", "/body/officer")]),
    ({"person": "R1"}, [("STATEMENT_FIELD_INVALID", "/body/person")]),
    ({"approver": "110001"}, [("OVERRIDE_NOT_APPROVED", "/body/approver")]),
    ({"approver": "110009"}, [("OVERRIDE_NOT_APPROVED", "/body/approver")]),
    ({"approved_at": "2024-06-10T09:00:01+08:00"}, [("OVERRIDE_NOT_APPROVED", "/body/approved_at")]),
    ({"approved_at": "2021-06-08T09:30:00+08:00"}, [("OVERRIDE_NOT_APPROVED", "/body/approver")]),
    ({"approval_no": None}, [("FORM_FIELD_MISSING", "/body/approval_no")]),
    ({"rule": "D13.2", "reason": "NO", "approver": "110009"},
     [("OVERRIDE_NOT_ALLOWED", "/body/reason"), ("OVERRIDE_NOT_APPROVED", "/body/approver")]),
])  # fmt: skip
def test_override_that_cannot_count_is_refused_with_everything_that_is_wrong(
    body: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    """A statutory exclusion, an unknown rule, a reason of one's own, an approval too late or by the wrong one."""
    assert _found(body) == found


@pytest.mark.parametrize("row", [
    {"post": "OFFICER"}, {"level": "BASIC"}, {"status": "SUSPENDED"}, {"valid_to": "2024-06-07"}, None,
], ids=str)  # fmt: skip
def test_approver_whose_rank_the_register_does_not_prove_approves_nothing(row: dict[str, Any] | None) -> None:
    """No head, too low a level, not valid on that day, or nobody stated a register at all."""
    register = {} if row is None else {**REGISTER, "110005": {**HEAD, **row}}
    assert _found({}, register) == [("OVERRIDE_NOT_APPROVED", "/body/approver")]


def test_override_by_an_agency_of_another_role_is_not_allowed() -> None:
    """The organ whose act it is takes it on itself, and no other."""
    assert _found({}, issuer="pr:110108") == [("OVERRIDE_NOT_ALLOWED", "/body/rule")]
