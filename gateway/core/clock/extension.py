"""Extensions of limits as agencies state them: who may grant and state one, and whether the limit still runs.

The fold decides for good, by when the ledger knew of the extension; what is found here is told to the issuer at once,
so that nobody believes a limit longer that has passed.

Source: domain model, sections 0 (3) and 1.4 (column extension); Criminal Procedure Law 91, 119, 156-159, 172, 208.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from gateway.core.clock.due import Counting, to_day
from gateway.core.clock.fold import Problem, fold_facts
from gateway.core.clock.rule import ClockRule, Extension
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.identity import parse_agency
from gateway.core.statement import Statement

EXTENDED: Final = "extended"
_CUSTODY_NOTICES: Final = "1999 and 2014 notices on 换押"
_WORDING: Final = {
    ErrorCode.CLOCK_NOT_RUNNING: "the ledger knows of no such limit that runs; the extension counts if it did by then",
    ErrorCode.CLOCK_ACT_TOO_LATE: "the limit has passed; nothing makes it longer afterwards",
    ErrorCode.CLOCK_ACT_NOT_ALLOWED: "it was granted before, or the one that precedes it was not, or it is too long",
    ErrorCode.CLOCK_ACT_OUT_OF_ORDER: "it is earlier than what happened to the limit before",
    ErrorCode.CLOCK_INPUT_MISSING: "the law leaves a choice: say how much in /body/length",
}


def find_extension_problems(statement: Statement, table: ClockTable) -> Iterator[Finding]:
    """Find what is wrong with an extension by the row of its clock.

    Args:
        statement: a procedural act that has all fields that its row needs.
        table: of clocks.

    Yields:
        CLOCK_UNKNOWN or CLOCK_NOT_IN_FORCE or CLOCK_ACT_NOT_ALLOWED, alone; otherwise all of ACT_NOT_BY_ISSUER,
        STATEMENT_FIELD_MISSING and STATEMENT_FIELD_INVALID.
    """
    body = statement.body
    try:
        rule = table.find(body["clock"], to_day(statement.occurred_at))
    except GatewayError as error:
        for finding in error.findings:
            yield Finding(finding.code, "/body/clock", finding.message)
        return
    extension = rule.extensions.get(body["extension"])
    if extension is None:
        known = ", ".join(rule.extensions) or "none"
        what = f"the law knows no such extension of {rule.id}; it knows {known}"
        yield Finding(ErrorCode.CLOCK_ACT_NOT_ALLOWED, "/body/extension", what, basis=rule.rule.citation)
        return
    yield from _find_wrong_organ(statement, rule, extension)
    yield from _find_wrong_subject(statement, rule)


def _find_wrong_organ(statement: Statement, rule: ClockRule, extension: Extension) -> Iterator[Finding]:
    body, basis = statement.body, rule.rule.citation
    if statement.issuer.role not in extension.stated_by:
        who = ", ".join(sorted(extension.stated_by)) or "a statement of another form"
        yield Finding(ErrorCode.ACT_NOT_BY_ISSUER, "/issuer", f"this extension is told by {who}", basis=basis)
    if parse_agency(body["organ"]).role not in extension.granted_by:
        what = f"this extension is granted by {', '.join(sorted(extension.granted_by))}"
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, "/body/organ", what, basis=basis)
    if extension.post and body["decided_by"].get("post") != extension.post:
        what = f"this extension is decided by {extension.post}"
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, "/body/decided_by/post", what, basis=basis)
    if not body["documents"]:
        what = "name the document that grants it"
        yield Finding(ErrorCode.STATEMENT_FIELD_MISSING, "/body/documents/0", what, basis=basis)


def _find_wrong_subject(statement: Statement, rule: ClockRule) -> Iterator[Finding]:
    body, basis = statement.body, rule.rule.citation
    for name, is_needed in (("persons", rule.is_of_person), ("account", rule.is_of_account)):
        if is_needed and name not in body:
            what = f"say whose limit {rule.id} is"
            yield Finding(ErrorCode.STATEMENT_FIELD_MISSING, f"/body/{name}", what, basis=basis)
        if name in body and not is_needed:
            what = f"{rule.id} is a limit of {'an account' if rule.is_of_account else 'others'}"
            yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, f"/body/{name}", what, basis=basis)


def judge_extensions(
    known: Iterable[KnownFact], told: Iterable[Fact], at: datetime, table: ClockTable, counting: Counting, *, path: str
) -> list[Finding]:
    """Find what keeps extensions from counting, by all that the ledger knows of the case.

    Args:
        known: facts of the case so far.
        told: facts of the new statement.
        at: gateway time, aware.
        table: of clocks.
        counting: calendar and readings.
        path: of the extension in the statement.

    Returns:
        CLOCK_ACT_TOO_LATE and other refusals as errors; CLOCK_NOT_RUNNING as a warning, since what starts the limit may
        become known later; nothing when no fact extends a limit.
    """
    new = [KnownFact(fact, at) for fact in told]
    if not any(item.fact.kind == EXTENDED for item in new):
        return []
    facts = list(known)
    before = Counter(_of_extensions(fold_facts(facts, table, counting).problems))
    after = Counter(_of_extensions(fold_facts([*facts, *new], table, counting).problems))
    return [_to_finding(problem, path, table, at) for problem in after - before]


def find_unnoticed(
    known: Iterable[KnownFact], told: Iterable[Fact], named: frozenset[str], table: ClockTable, counting: Counting
) -> Iterator[Finding]:
    """Find extensions of the term of a person in custody of which the detention centre is not told.

    No custody transfer (换押) is made for them, but a notice of the changed term.

    Args:
        known: facts of the case so far.
        told: facts of the new statement.
        named: codes of the documents that go with it.
        table: of clocks.
        counting: calendar and readings.

    Yields:
        ACT_DOCUMENT_MISSING, a warning, once; nothing of a person whose custody is not known.

    Source: domain model, T08; notices of 1999 and 2014 on 换押.
    """
    held = {person for person, is_held in fold_facts(known, table, counting).custody.items() if is_held}
    for fact in told:
        if fact.kind != EXTENDED or fact.person not in held:
            continue
        try:
            rule = table.find(str(fact.inputs["clock"]), to_day(fact.at))
        except GatewayError:
            continue
        extension = rule.extensions.get(str(fact.inputs["extension"]))
        if extension is not None and extension.in_custody and extension.in_custody not in named:
            what = (
                f"the person is in custody: name {extension.in_custody}, the notice of the changed term to the "
                "detention centre"
            )
            path = "/body/documents"
            yield Finding(ErrorCode.ACT_DOCUMENT_MISSING, path, what, Severity.WARNING, _CUSTODY_NOTICES)
            return


def _of_extensions(problems: Iterable[Problem]) -> Iterator[Problem]:
    return (problem for problem in problems if problem.kind == EXTENDED)


def _to_finding(problem: Problem, path: str, table: ClockTable, at: datetime) -> Finding:
    severity = Severity.WARNING if problem.code is ErrorCode.CLOCK_NOT_RUNNING else Severity.ERROR
    message = _WORDING.get(problem.code, "it cannot be counted")
    try:
        basis = table.find(problem.clock, to_day(at)).rule.citation
    except GatewayError:
        basis = ""
    return Finding(problem.code, path, f"{problem.clock}: {message}", severity, basis)
