"""Which types of statements there are: who may issue and read each, whether it concerns a case, and what its body is.

Source: gateway/core/PROCEDURE.md (statements).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding, refuse
from gateway.core.form.book import FormBook
from gateway.core.form.common import names_officers
from gateway.core.form.definition import Concern, Form, FormKind, Scene
from gateway.core.form.period import CHINA
from gateway.core.identity import Agency, Role
from gateway.core.statement import Statement

Register = Mapping[str, Mapping[str, Any]]
"""Rows of the officers' register of an issuer by officer number; empty when none is known."""
_NO_REGISTER: Final[Register] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementForm:
    """What statements of one type and version are.

    Args:
        name: of the type.
        version: from 1.
        title: what it states, a few words.
        issuers: roles that may issue it.
        readers: roles whose agencies may read it when they are parties of the case; the issuer always may.
        concern: whether it names a case.
        is_open: whether an agency may state it about a case to which it is no party, such as a court of appeal.
        check: finds what is wrong with the body, given the register of the issuer; paths begin with ``/body``.
        names_officers: whether the body may name officers, so that the register is asked for.
        most_of_case: statements of the type that are taken from an agency about a case; 0 for any number.
    """

    name: str
    version: int
    title: str
    issuers: frozenset[Role]
    readers: frozenset[Role]
    concern: Concern
    check: Callable[[Statement, Register], Iterable[Finding]]
    names_officers: bool = False
    most_of_case: int = 0
    is_open: Callable[[Statement], bool] = field(default=lambda _: False)

    def may_read(self, reader: Agency, issuer: str, *, is_party: bool) -> bool:
        """Whether an agency may read a statement of this type.

        Args:
            reader: who asks.
            issuer: short form.
            is_party: whether the reader is a party of the case; False when the statement concerns none.
        """
        return str(reader) == issuer or (is_party and reader.role in self.readers)


class StatementForms:
    """The types that a gateway takes.

    Args:
        forms: one for each name and version.
    """

    def __init__(self, forms: Iterable[StatementForm]) -> None:
        self._forms: Final[Mapping[tuple[str, int], StatementForm]] = {
            (form.name, form.version): form for form in forms
        }

    def __iter__(self) -> Iterator[StatementForm]:
        return iter(self._forms.values())

    def find(self, name: str, version: int) -> StatementForm | None:
        """The form of a type and version, or None."""
        return self._forms.get((name, version))

    def may_read(self, reader: Agency, statement: Mapping[str, Any], *, is_party: bool) -> bool:
        """Whether an agency may read a statement, whichever way it comes to it.

        Args:
            reader: who asks.
            statement: payload of one that was recorded: its type, version and issuer are used.
            is_party: whether the reader is a party of its case; False when it concerns none.
        """
        issuer = str(statement["issuer"])
        form = self.find(statement["type"], statement["version"])
        if form is None:
            # A type that this gateway no longer takes stays its issuer's.
            return issuer == str(reader)
        return form.may_read(reader, issuer, is_party=is_party and form.concern is not Concern.NO_CASE)

    def require(self, name: str) -> None:
        """Refuse a name that no form has (ARGUMENT_INVALID)."""
        if all(form.name != name for form in self._forms.values()):
            raise refuse(ErrorCode.ARGUMENT_INVALID, "type", "there is no type of this name")

    def judge(self, statement: Statement, register: Register = _NO_REGISTER) -> list[Finding]:
        """Judge a statement by its form.

        Args:
            statement: as read.
            register: of its issuer.

        Returns:
            STATEMENT_TYPE_UNKNOWN alone; otherwise all of STATEMENT_NOT_FOR_ISSUER, STATEMENT_CASE_MISSING,
            STATEMENT_CASE_NOT_ALLOWED and what the form finds in the body.
        """
        form = self.find(statement.type, statement.version)
        if form is None:
            is_known = any(known.name == statement.type for known in self._forms.values())
            path, what = ("/version", "no such version of the type") if is_known else ("/type", "there is no such type")
            return [Finding(ErrorCode.STATEMENT_TYPE_UNKNOWN, path, what)]
        findings: list[Finding] = []
        if statement.issuer.role not in form.issuers:
            what = "agencies of this role do not issue this type"
            findings.append(Finding(ErrorCode.STATEMENT_NOT_FOR_ISSUER, "/issuer", what))
        if form.concern is Concern.CASE and not statement.case_number:
            findings.append(Finding(ErrorCode.STATEMENT_CASE_MISSING, "/case_number", "this type concerns a case"))
        if form.concern is Concern.NO_CASE and statement.case_number:
            what = "this type concerns no case"
            findings.append(Finding(ErrorCode.STATEMENT_CASE_NOT_ALLOWED, "/case_number", what))
        findings += form.check(statement, register)
        return findings


_MOST_OF_CASE: Final = {"legal-review": 64, "finding-override": 64}
"""Types that a judgement looks at, so that no case makes it look for ever."""
_ROLES: Final = {role.value: role for role in Role}


def published_statement_forms(book: FormBook) -> tuple[StatementForm, ...]:
    """The published forms of statements as types that a gateway takes.

    Args:
        book: the published forms with their checks.

    Returns:
        one for each form whose kind is statement; a reader who sees less than all sees the signed statement not at all.
    """
    return tuple(
        published_statement_form(book, form) for form in book.forms.values() if form.key.kind is FormKind.STATEMENT
    )


def published_statement_form(book: FormBook, form: Form) -> StatementForm:
    """One published form of statements as a type; see ``published_statement_forms``."""
    return StatementForm(
        name=form.key.name,
        version=form.key.version,
        title=form.title,
        issuers=frozenset(_ROLES[role] for role in form.issuers if role in _ROLES),
        readers=frozenset(_ROLES[r.role] for r in form.readers if r.view == "all" and r.role in _ROLES),
        concern=form.concern,
        check=partial(_check_published, book, form),
        names_officers=names_officers(form.schema),
        most_of_case=_MOST_OF_CASE.get(form.key.name, 0),
    )


def _check_published(book: FormBook, form: Form, statement: Statement, register: Register) -> list[Finding]:
    annex, findings = book.parse(form, statement.body)
    if annex is not None:
        on = statement.occurred_at.astimezone(CHINA).date()
        scene = Scene(on=on, settings=book.rules.settings, register=register, limits=book.limits)
        findings = book.check_statement(annex, scene)
    return [replace(finding, path=f"/body{finding.path}") for finding in findings]
