"""The form ``procedural-act``: a step of the procedure that is no handoff (domain model 2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.core.clock.extension import find_extension_problems
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, Finding
from gateway.core.form.book import FormBook
from gateway.core.form.definition import FormKey, FormKind
from gateway.core.form.period import CHINA
from gateway.core.identity import Role
from gateway.core.procedure.act_table import ActRow, Standing, load_acts
from gateway.core.procedure.service import VICTIM
from gateway.core.statement import Statement
from gateway.core.statement_form import Register, StatementForm, published_statement_form

PROCEDURAL_ACT: Final = "procedural-act"
_KEY: Final = FormKey(FormKind.STATEMENT, PROCEDURAL_ACT, 1)
_OPEN: Final = frozenset({Standing.ANY, Standing.SAME_ROLE, Standing.NAMED})


def act_of(statement: Statement) -> ActRow | None:
    """The row of the act that a statement names; None when there is none."""
    act = statement.body.get("act")
    return load_acts().get(act) if isinstance(act, str) else None


def find_act_problems(statement: Statement, table: ClockTable) -> Iterator[Finding]:
    """Find what an act lacks, or has too much, by its row; that the state of the case allows it, the ledger judges.

    Args:
        statement: whose body has the form of its schema.
        table: of clocks.

    Yields:
        ACT_NOT_BY_ISSUER, ACT_NOT_IN_FORCE, STATEMENT_FIELD_MISSING, STATEMENT_FIELD_INVALID, and ACT_DOCUMENT_MISSING,
        a warning unless the row refuses; of an extension also what ``find_extension_problems`` finds.
    """
    row = act_of(statement)
    if row is None:
        return
    body = statement.body
    if statement.issuer.role not in row.who:
        what = "not an act of agencies of this role"
        yield Finding(ErrorCode.ACT_NOT_BY_ISSUER, "/body/act", what, basis=row.rule.citation)
    if not row.rule.is_valid(statement.occurred_at.astimezone(CHINA).date()):
        what = "this act is not in force on the day on which it happened"
        yield Finding(ErrorCode.ACT_NOT_IN_FORCE, "/occurred_at", what, basis=row.rule.citation)
    is_of_limit = "extension" in row.needs
    if not is_of_limit and row.is_of_persons != bool(body.get("persons")):
        code = ErrorCode.STATEMENT_FIELD_MISSING if row.is_of_persons else ErrorCode.STATEMENT_FIELD_INVALID
        what = "name the persons whom it concerns" if row.is_of_persons else "this act is of the whole file"
        yield Finding(code, "/body/persons", what, basis=row.rule.citation)
    for name in row.needs:
        if name not in body:
            what = "this act needs it"
            yield Finding(ErrorCode.STATEMENT_FIELD_MISSING, f"/body/{name}", what, basis=row.rule.citation)
    named = {document["code"] for document in body.get("documents", ())}
    for wanted in row.documents:
        if wanted not in named:
            what = f"the act does not name its document {wanted}"
            yield Finding(
                ErrorCode.ACT_DOCUMENT_MISSING, "/body/documents", what, row.without_documents, row.rule.citation
            )
    if "recipient" in body and row.region != "served":
        what = "only a service has a recipient"
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, "/body/recipient", what, basis=row.rule.citation)
    yield from _find_wrong_victims(body, row)
    if body.get("other_case") == statement.case_number:
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, "/body/other_case", "this is the case itself")
    if is_of_limit and all(name in body for name in row.needs):
        yield from find_extension_problems(statement, table)


def _find_wrong_victims(body: Mapping[str, Any], row: ActRow) -> Iterator[Finding]:
    """A judgment is served on each victim; of several nobody could tell which of them still waits for it."""
    is_needed, path = body.get("recipient") == VICTIM and row.region == "served", "/body/victims"
    if is_needed and "victims" not in body:
        what = "name the victims on whom it was served"
        yield Finding(ErrorCode.STATEMENT_FIELD_MISSING, path, what, basis=row.rule.citation)
    if not is_needed and "victims" in body:
        what = "only a service on victims names victims"
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, path, what, basis=row.rule.citation)


def _is_open(statement: Statement) -> bool:
    row = act_of(statement)
    return row is not None and row.standing in _OPEN


def procedural_act_form(book: FormBook) -> StatementForm:
    """The form of procedural acts: its published schema, then the row of the act.

    Args:
        book: the published forms.

    Returns:
        the form as a type of statements.
    """
    published = published_statement_form(book, book.forms[_KEY])

    def check(statement: Statement, register: Register) -> list[Finding]:
        return list(published.check(statement, register)) or list(find_act_problems(statement, book.limits.table))

    # A step of the procedure is nobody's secret among those who have the case; justice is told what concerns it.
    readers = published.readers - {Role.JUSTICE}
    return replace(published, check=check, readers=readers, is_open=_is_open)
