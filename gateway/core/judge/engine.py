"""Judging a dossier by a rule set: plain evaluation of rows that were read once.

Source: domain model, sections 1.3 and 2.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.core.dossier import Dossier, Point
from gateway.core.errors import ErrorCode, Severity
from gateway.core.judge.inputs import digest_inputs
from gateway.core.judge.outcome import PersonOutcome, Result, RuleFinding, RuleOutcome, join_results
from gateway.core.judge.override import override_finding
from gateway.core.judge.row import Check, Condition, Effect, Hit, JudgeRule
from gateway.core.judge.rule_set import JudgeRuleSet
from gateway.core.judge.view import WHOLE_CASE, Subject, View

_CASE: Final = (WHOLE_CASE,)
_CLOSED_LANES: Final = frozenset({"NOT_FAST", "SUMMARY", "ORDINARY"})


def judge_dossier(rules: JudgeRuleSet, dossier: Dossier) -> RuleOutcome:
    """Judge a case: each defendant, then the case, then documents and acts.

    1. Each rule of eligibility that is valid on the day is asked about each defendant. What is against the defendant
    makes INELIGIBLE, what is not known UNKNOWN, nothing of both ELIGIBLE. 2. The case is what the worst defendant is.
    3. The rules of documents are asked, and overrides count for their findings alone. 4. The sender is told everything
    once; of eligibility nothing when the record itself takes another lane.

    Args:
        rules: the rule set.
        dossier: what is judged.

    Returns:
        the outcome; NOT_EVALUATED for a record that is of no point, whose documents are looked at all the same.
    """
    view = View(dossier, rules.settings, rules.charges)
    point = view.point
    plan = _plan(rules, point, view.on)
    persons: list[PersonOutcome] = []
    told: dict[tuple[str, str, ErrorCode], RuleFinding] = {}
    is_open = dossier.case.procedure not in _CLOSED_LANES
    if point is not Point.OTHER:
        for subject in view.subjects:
            asked = plan.of_person if subject.person is not None else plan.of_org
            found = tuple(_ask(view, subject, asked))
            persons.append(PersonOutcome(subject.key, _to_result(found), found))
            if is_open:
                for one in found:
                    told[one.rule, one.field, one.code] = one
    documents: list[RuleFinding] = []
    for rule, check, condition, is_of_person in plan.of_documents:
        for subject in view.persons if is_of_person else _CASE:
            if condition is None or condition(view, subject):
                for hit in check(view, subject, rule):
                    documents.append(override_finding(view, rule, _tell(view, rule, hit, is_eligibility=False)))
    for one in documents:
        told[one.rule, one.field, one.code] = one
    result = Result.NOT_EVALUATED if point is Point.OTHER else join_results(person.result for person in persons)
    return RuleOutcome(
        rules.id, result, tuple(told.values()), digest_inputs(dossier), tuple(persons), tuple(documents)
    )  # fmt: skip


class _Plan(NamedTuple):
    """The rules that are asked at a point on a day."""

    of_person: tuple[tuple[JudgeRule, Check], ...]
    of_org: tuple[tuple[JudgeRule, Check], ...]
    of_documents: tuple[tuple[JudgeRule, Check, Condition | None, bool], ...]


@lru_cache(maxsize=1024)
def _plan(rules: JudgeRuleSet, point: Point, on: date) -> _Plan:
    """Most records of a day are judged at few points, so what holds on it is worked out once."""
    valid = [rule for rule in rules.eligibility_at[point] if rule.rule.is_valid(on)]
    papers = [rule for rule in rules.documents_at[point] if rule.rule.is_valid(on)]
    return _Plan(
        tuple((rule, rule.check) for rule in valid if "person" in rule.subjects),
        tuple((rule, rule.check) for rule in valid if "org" in rule.subjects),
        tuple((rule, rule.check, rule.when.get(point), "person" in rule.subjects) for rule in papers),
    )


def _to_result(findings: tuple[RuleFinding, ...]) -> Result:
    if not findings:
        return Result.ELIGIBLE
    return Result.UNKNOWN if all(finding.is_missing for finding in findings) else Result.INELIGIBLE


def _ask(view: View, subject: Subject, asked: Iterable[tuple[JudgeRule, Check]]) -> Iterator[RuleFinding]:
    for rule, check in asked:
        for hit in check(view, subject, rule):
            yield _tell(view, rule, hit, is_eligibility=True)


def _tell(view: View, rule: JudgeRule, hit: Hit, *, is_eligibility: bool) -> RuleFinding:
    part = rule.parts[hit.part]
    if hit.is_missing:
        code = ErrorCode.ELIGIBILITY_UNKNOWN if is_eligibility else ErrorCode.PROOF_MISSING
        message = f"not known, because {hit.field or 'the record'} is not stated ({rule.title})"
        return RuleFinding(
            rule.id,
            code,
            Severity.WARNING,
            hit.field,
            message,
            rule.rule.citation,
            f"state {hit.field}; {part.cure}",
            is_missing=True,
        )
    return RuleFinding(
        rule.id, part.code, _severity(view, rule, is_eligibility=is_eligibility), hit.field, part.message,
        rule.rule.citation, part.cure,
    )  # fmt: skip


def _severity(view: View, rule: JudgeRule, *, is_eligibility: bool) -> Severity:
    """Not being eligible refuses only what proposes the fast track; the law does not forbid the file itself."""
    refuses = rule.effect is Effect.REFUSE and view.point in rule.refuse_at and (view.is_fast or not is_eligibility)
    return Severity.ERROR if refuses else Severity.WARNING
