"""A statement: a signed fact outside a handoff; the payload of its JWS.

As with a manifest the signed bytes are the JSON as sent. The envelope is the same for all; what the body holds, the
form of its type says.

Source: design, section 2 (statement); gateway/core/PROCEDURE.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from gateway.core.envelope import CASE_NUMBER, INSTANT_TEXT, parse_instant, parse_uuid7
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.identity import Agency, parse_agency
from gateway.core.strict_json import parse_object

MAX_STATEMENT_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 12
MAX_VERSION: Final = 9_999
MAX_AGE: Final = timedelta(days=30)
"""A statement signed longer ago is refused: whoever was offline that long signs again, and says when it happened."""

_TYPE: Final = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_REQUIRED: Final = frozenset({"statement_id", "type", "version", "issuer", "created_at", "occurred_at", "body"})
_OPTIONAL: Final = frozenset({"case_number"})
_UNREADABLE: Final = {
    ErrorCode.MANIFEST_MALFORMED: ErrorCode.STATEMENT_MALFORMED,
    ErrorCode.MANIFEST_DUPLICATE_KEY: ErrorCode.STATEMENT_MALFORMED,
    ErrorCode.MANIFEST_TOO_DEEP: ErrorCode.STATEMENT_MALFORMED,
    ErrorCode.MANIFEST_TOO_LARGE: ErrorCode.STATEMENT_TOO_LARGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What an agency states.

    Args:
        statement_id: UUIDv7, also the idempotency id.
        type: name of its form, such as ``procedural-act``.
        version: version of the form, from 1.
        issuer: agency that signs.
        case_number: police case number; "" when it concerns no case.
        created_at: aware time of signing.
        occurred_at: aware time at which it happened.
        body: as the form describes it.
    """

    statement_id: UUID
    type: str
    version: int
    issuer: Agency
    case_number: str
    created_at: datetime
    occurred_at: datetime
    body: Mapping[str, Any]


def parse_statement(payload: bytes) -> Statement:
    """Read the payload of a statement's JWS.

    Args:
        payload: UTF-8 JSON, at most 512 KiB and 12 levels deep.

    Returns:
        the statement; its body is any object.

    Raises:
        GatewayError: STATEMENT_MALFORMED or STATEMENT_TOO_LARGE when it cannot be read at all; otherwise all of
            STATEMENT_FIELD_MISSING, STATEMENT_FIELD_INVALID and STATEMENT_FIELD_UNKNOWN at once.
    """
    try:
        source = parse_object(payload, max_bytes=MAX_STATEMENT_BYTES, max_depth=MAX_DEPTH)
    except GatewayError as error:
        raise as_statement_error(error) from error
    findings = [
        Finding(ErrorCode.STATEMENT_FIELD_MISSING, f"/{name}", "this field is required")
        for name in sorted(_REQUIRED - source.keys())
    ]
    for name in sorted(source.keys() - _REQUIRED - _OPTIONAL):
        pointer = name.replace("~", "~0").replace("/", "~1")[:64]
        findings.append(Finding(ErrorCode.STATEMENT_FIELD_UNKNOWN, f"/{pointer}", "no such field in this version"))
    values: dict[str, Any] = {}
    for name, (read, what) in _FORMS.items():
        if name not in source:
            continue
        try:
            values[name] = read(source[name])
        except (ValueError, TypeError, GatewayError):
            findings.append(Finding(ErrorCode.STATEMENT_FIELD_INVALID, f"/{name}", what))
    if findings:
        raise GatewayError(findings)
    return Statement(**{"case_number": "", **values})


def as_statement_error(error: GatewayError) -> GatewayError:
    """Name what is wrong with JSON by the codes of a statement instead of those of a manifest."""
    return GatewayError(
        Finding(
            _UNREADABLE.get(finding.code, finding.code),
            finding.path,
            finding.message,
            finding.severity,
            finding.basis,
        )
        for finding in error.findings
    )


def to_payload(statement: Statement) -> dict[str, Any]:
    """Write a statement as the JSON object that ``parse_statement`` reads.

    Args:
        statement: what is to be signed.

    Returns:
        the object; the case number is left out when there is none.
    """
    payload: dict[str, Any] = {
        "statement_id": str(statement.statement_id),
        "type": statement.type,
        "version": statement.version,
        "issuer": str(statement.issuer),
        "created_at": statement.created_at.isoformat(),
        "occurred_at": statement.occurred_at.isoformat(),
        "body": dict(statement.body),
    }
    if statement.case_number:
        payload["case_number"] = statement.case_number
    return payload


def _text(form: re.Pattern[str]) -> Any:
    def read(value: Any) -> str:
        if form.fullmatch(value) is None:
            raise ValueError("another form")
        return str(value)

    return read


def _version(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_VERSION:
        raise ValueError("not a version")
    return value


def _agency(value: Any) -> Agency:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return parse_agency(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


_FORMS: Final[Mapping[str, tuple[Any, str]]] = {
    "statement_id": (parse_uuid7, "a UUIDv7 in lower case with hyphens"),
    "type": (_text(_TYPE), "name of a form, such as procedural-act"),
    "version": (_version, f"an integer from 1 to {MAX_VERSION}"),
    "issuer": (_agency, "an agency such as ps:110108"),
    "case_number": (_text(CASE_NUMBER), "a police case number: A, 12 digits, year, month, 4 digits"),
    "created_at": (parse_instant, INSTANT_TEXT),
    "occurred_at": (parse_instant, INSTANT_TEXT),
    "body": (_object, "an object"),
}
