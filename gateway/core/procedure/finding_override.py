"""The form ``finding-override``: a named finding of the rules is overridden with a reason and an approver.

Which findings, by whom, for which reasons and with whose approval is data of the rule's row (``override``).

Source: domain model, section 2.5 (manual override requires reason and approver), scenario 17.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding, Severity
from gateway.core.form.book import FormBook
from gateway.core.form.definition import FormKey, FormKind
from gateway.core.form.period import CHINA, to_day, to_instant
from gateway.core.form.register import is_qualified
from gateway.core.identity import Role
from gateway.core.judge.override import NAME
from gateway.core.judge.row import JudgeRule, Override
from gateway.core.judge.rule_set import JudgeRuleSet
from gateway.core.statement import Statement
from gateway.core.statement_form import Register, StatementForm, published_statement_form

_KEY: Final = FormKey(FormKind.STATEMENT, NAME, 1)
_ABOUT: Final = ("officer", "person")


def find_override_problems(
    body: Mapping[str, Any], rules: JudgeRuleSet, register: Register, *, by: Role, at: datetime
) -> Iterator[Finding]:
    """Find why an override cannot count, by the row of its rule and the officers' register of its issuer.

    Args:
        body: that has the form of its schema.
        rules: the rule set.
        register: rows by officer number; an approver who is not in it is not proven.
        by: role of the issuer.
        at: when it is stated, aware.

    Yields:
        OVERRIDE_NOT_ALLOWED, OVERRIDE_NOT_APPROVED, STATEMENT_FIELD_MISSING, STATEMENT_FIELD_INVALID, with paths in the
        body such as ``/approver``.
    """
    on = at.astimezone(CHINA).date()
    row = _find_row(rules, body["rule"], on)
    if row is None or row.override is None:
        what = "the law lets nobody override this rule" if row is not None else "there is no such rule on this day"
        basis = row.rule.citation if row is not None else ""
        yield Finding(ErrorCode.OVERRIDE_NOT_ALLOWED, "/rule", what, basis=basis)
        return
    allowed, basis = row.override, row.rule.citation
    if by not in allowed.by:
        what = "agencies of this role do not override this rule"
        yield Finding(ErrorCode.OVERRIDE_NOT_ALLOWED, "/rule", what, basis=basis)
    if body["reason"] not in allowed.reasons:
        what = f"a reason of this rule is one of {', '.join(sorted(allowed.reasons))}"
        yield Finding(ErrorCode.OVERRIDE_NOT_ALLOWED, "/reason", what, basis=basis)
    for name in _ABOUT:
        if name == allowed.about and name not in body:
            what = "name whom the finding is about"
            yield Finding(ErrorCode.STATEMENT_FIELD_MISSING, f"/{name}", what, basis=basis)
        elif name != allowed.about and name in body:
            what = "findings of this rule are about nobody of this kind"
            yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, f"/{name}", what, basis=basis)
    if to_instant(body["approved_at"]) > at:
        what = "it was approved after it was stated"
        yield Finding(ErrorCode.OVERRIDE_NOT_APPROVED, "/approved_at", what, basis=basis)
    if body["approver"] == body.get("officer"):
        what = "the officer whom the finding is about does not approve"
        yield Finding(ErrorCode.OVERRIDE_NOT_APPROVED, "/approver", what, basis=basis)
    elif not _may_approve(register.get(body["approver"]), allowed, to_day(body["approved_at"])):
        what = f"the register proves no {allowed.post} of level {allowed.least} or more on the day of the approval"
        yield Finding(ErrorCode.OVERRIDE_NOT_APPROVED, "/approver", what, basis=basis)


def _find_row(rules: JudgeRuleSet, rule: str, on: date) -> JudgeRule | None:
    rows = (row for row in (*rules.eligibility, *rules.documents) if row.id == rule and row.rule.is_valid(on))
    return next(rows, None)


def _may_approve(row: Mapping[str, Any] | None, allowed: Override, on: date) -> bool:
    return row is not None and row.get("post") == allowed.post and is_qualified(row, on, allowed.least)


def finding_override_form(book: FormBook, rules: JudgeRuleSet) -> StatementForm:
    """The form of overrides: its published schema, then the row of the rule.

    Args:
        book: the published forms.
        rules: the rule set of today.

    Returns:
        the form as a type of statements.
    """
    published = published_statement_form(book, book.forms[_KEY])

    def check(statement: Statement, register: Register) -> list[Finding]:
        findings = list(published.check(statement, register))
        if all(finding.severity is not Severity.ERROR for finding in findings):
            by, at = statement.issuer.role, statement.occurred_at
            problems = find_override_problems(statement.body, rules, register, by=by, at=at)
            findings += [replace(finding, path=f"/body{finding.path}") for finding in problems]
        return findings

    return replace(published, check=check)
