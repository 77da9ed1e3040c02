"""The envelope of a statement, and the forms that judge what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.form.book import FormBook, load_form_book
from gateway.core.form.catalog import parse_form_schema
from gateway.core.form.definition import Concern, FormKind
from gateway.core.form.rule import load_check_rules
from gateway.core.identity import Role, parse_agency
from gateway.core.statement import MAX_STATEMENT_BYTES, Statement, parse_statement, to_payload
from gateway.core.statement_form import Register, StatementForm, StatementForms, published_statement_forms
from tests.support.bundle import make_statement

POLICE, COURT = frozenset({Role.POLICE}), frozenset({Role.COURT})


def _refused(payload: bytes) -> set[tuple[str, str]]:
    with pytest.raises(GatewayError) as caught:
        parse_statement(payload)
    return {(finding.code.name, finding.path) for finding in caught.value.findings}


def test_statement_written_is_read_back_the_same() -> None:
    """What an issuer writes is what the gateway reads."""
    for case_number in ("", "A1101080000002024060001"):
        statement = make_statement({"act": "x", "深": [1, None]}, case_number)
        assert parse_statement(json.dumps(to_payload(statement)).encode()) == statement


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("statement_id", "b9a7c4f0-0000-4000-8000-000000000000"),
        ("statement_id", 7),
        ("type", "Procedural Act"),
        ("version", 0),
        ("version", True),
        ("version", "1"),
        ("issuer", "police"),
        ("issuer", None),
        ("case_number", "A1"),
        ("created_at", "2026-01-02"),
        ("occurred_at", "2026-01-02T03:04:05"),
        ("occurred_at", "2026-13-02T03:04:05Z"),
        ("created_at", "9999-12-31T23:59:59Z"),
        ("occurred_at", "0001-01-01T00:00:00+08:00"),
        ("body", []),
    ],
)
def test_statement_field_of_another_form_is_named(field: str, value: Any) -> None:
    """Each field has one form, and the path says which is wrong."""
    payload = to_payload(make_statement({})) | {field: value}
    assert _refused(json.dumps(payload).encode()) == {("STATEMENT_FIELD_INVALID", f"/{field}")}


def test_statement_tells_all_that_is_wrong_at_once() -> None:
    """Missing, unknown and malformed fields come together, unknown names escaped as pointers."""
    payload = to_payload(make_statement({})) | {"version": -1, "a/b~": 1}
    del payload["issuer"], payload["body"]
    assert _refused(json.dumps(payload).encode()) == {
        ("STATEMENT_FIELD_MISSING", "/issuer"),
        ("STATEMENT_FIELD_MISSING", "/body"),
        ("STATEMENT_FIELD_INVALID", "/version"),
        ("STATEMENT_FIELD_UNKNOWN", "/a~1b~0"),
    }


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"[]", "STATEMENT_MALFORMED"),
        (b'{"body":1,"body":2}', "STATEMENT_MALFORMED"),
        (b'{"body":' + b"[" * 40 + b"]" * 40 + b"}", "STATEMENT_MALFORMED"),
        (b"{" + b" " * MAX_STATEMENT_BYTES + b"}", "STATEMENT_TOO_LARGE"),
        (b"\xff", "STATEMENT_MALFORMED"),
    ],
)
def test_statement_that_cannot_be_read_is_refused_by_its_own_codes(payload: bytes, code: str) -> None:
    """Nobody who sends a statement is told about a manifest."""
    assert {name for name, _ in _refused(payload)} == {code}


def _check(statement: Statement, _: Register) -> Iterator[Finding]:
    if "bad" in statement.body:
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, "/body/bad")


def _forms(**changes: Any) -> StatementForms:
    fields: dict[str, Any] = {
        "name": "procedural-act", "version": 1, "title": "x", "issuers": POLICE, "readers": COURT,
        "concern": Concern.EITHER, "check": _check,
    }  # fmt: skip
    return StatementForms([StatementForm(**{**fields, **changes})])


@pytest.mark.parametrize(
    ("changes", "statement", "found"),
    [
        ({}, make_statement({}), []),
        ({}, make_statement({"bad": 1}, issuer="pr:110108"), ["STATEMENT_NOT_FOR_ISSUER", "STATEMENT_FIELD_INVALID"]),
        ({}, make_statement({"bad": 1}, type="other"), ["STATEMENT_TYPE_UNKNOWN"]),
        ({}, make_statement({"bad": 1}, version=2), ["STATEMENT_TYPE_UNKNOWN"]),
        ({"concern": Concern.CASE}, make_statement({}), ["STATEMENT_CASE_MISSING"]),
        ({"concern": Concern.NO_CASE}, make_statement({}, "A1101080000002024060001"), ["STATEMENT_CASE_NOT_ALLOWED"]),
    ],
)
def test_form_judges_issuer_case_and_body_together(
    changes: dict[str, Any], statement: Statement, found: list[str]
) -> None:
    """Everything that the form of a type has to say comes at once; an unknown type has none."""
    assert [finding.code.name for finding in _forms(**changes).judge(statement)] == found


def test_form_lets_its_issuer_and_parties_of_its_readers_read() -> None:
    """The issuer always, a party of a reading role, nobody else."""
    form = _forms().find("procedural-act", 1)
    assert form is not None
    issuer, court, police = "ps:110108", parse_agency("ct:110108"), parse_agency("ps:110105")
    assert form.may_read(parse_agency(issuer), issuer, is_party=False)
    assert form.may_read(court, issuer, is_party=True)
    assert not form.may_read(court, issuer, is_party=False)
    assert not form.may_read(police, issuer, is_party=True)


def test_statement_times_are_aware() -> None:
    """An instant without offset is no instant."""
    payload = to_payload(make_statement({}, occurred_at=datetime.now(UTC) - timedelta(days=400)))
    assert parse_statement(json.dumps(payload).encode()).occurred_at.tzinfo is not None


def test_published_form_judges_the_body_of_a_statement_with_paths_below_body() -> None:
    """A form that is published as JSON Schema is a type at once: its issuers, readers and faults."""
    schema = {
        "title": "Reminder", "type": "object", "additionalProperties": False, "required": ["to"],
        "properties": {"to": {"type": "string", "pattern": "^.{1,3}$"}},
        "x-fasttrack-issuers": ["ps"],
        "x-fasttrack-readers": [{"role": "pr", "view": "all"}, {"role": "ct", "view": "masked"}],
        "x-fasttrack-masked": [], "x-fasttrack-articles": ["MPS 175"], "x-fasttrack-concerns": "no_case",
    }  # fmt: skip
    form = parse_form_schema(FormKind.STATEMENT, "reminder", 1, json.dumps(schema).encode())
    forms = StatementForms(published_statement_forms(FormBook([form], load_check_rules())))
    assert forms.judge(make_statement({"to": "x"}, type="reminder")) == []
    found = forms.judge(make_statement({"to": "long", "x": 1}, type="reminder"))
    assert {(finding.code.name, finding.path) for finding in found} == {
        ("FORM_FIELD_INVALID", "/body/to"), ("FORM_FIELD_UNKNOWN", "/body/x"),
    }  # fmt: skip
    named = forms.judge(make_statement({"to": "x"}, "A1101080000002024060001", type="reminder"))
    assert [(finding.code.name, finding.path) for finding in named] == [("STATEMENT_CASE_NOT_ALLOWED", "/case_number")]
    known = forms.find("reminder", 1)
    assert known is not None and (known.issuers, known.readers) == (POLICE, frozenset({Role.PROCURATORATE}))


CONCERNS = {
    Concern.CASE: {"case-progress", "correction", "deadline-notice", "finding-override", "freeze-renewal",
                   "legal-review", "owner-change", "procedural-act"},
    Concern.NO_CASE: {"daily-clearance", "duty-rota", "qualification-register"},
    Concern.EITHER: {"alert-disposal"},
}  # fmt: skip
"""What is done in a case names it; what an agency says of itself names none; an alert may become a case or not."""


def test_every_published_statement_says_whether_it_names_a_case() -> None:
    """Without its case a statement would be nobody's; with one, a register of officers would be a party's to read."""
    forms = published_statement_forms(load_form_book())
    assert {form.name: form.concern for form in forms} == {
        name: concern for concern, names in CONCERNS.items() for name in names
    }


@pytest.mark.parametrize("name", sorted(CONCERNS[Concern.CASE] | CONCERNS[Concern.NO_CASE]))
def test_statement_with_or_without_a_case_against_its_form_is_refused(name: str) -> None:
    """The refusal names the field, beside whatever else is wrong."""
    is_wanted = name in CONCERNS[Concern.CASE]
    statement = make_statement({}, "" if is_wanted else "A1101080000002024060001", type=name)
    code = ErrorCode.STATEMENT_CASE_MISSING if is_wanted else ErrorCode.STATEMENT_CASE_NOT_ALLOWED
    found = StatementForms(published_statement_forms(load_form_book())).judge(statement)
    assert (code, "/case_number") in [(finding.code, finding.path) for finding in found]
