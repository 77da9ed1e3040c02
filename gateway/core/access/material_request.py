"""The form ``material-request``: somebody asks for a material that no bundle granted; the asking is recorded.

By it the media of a recording are pulled (T25), and a duty lawyer or a correction agency reads a page that it needs.

Source: domain model, sections 2.3 (T25) and 3; SPP 75 (recordings), SPP 269 (defence, from the review on).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from gateway.core.access.visibility import ReaderKind
from gateway.core.errors import ErrorCode, Finding
from gateway.core.form.definition import Concern
from gateway.core.identity import Role
from gateway.core.statement import Statement
from gateway.core.statement_form import StatementForm


class Purpose(StrEnum):
    """What a material is asked for."""

    REVIEW = "REVIEW"
    """A procuratorate or court looks at a recording (SPP 75)."""
    DEFENCE = "DEFENCE"
    """A lawyer reads the file, through judicial administration (SPP 269)."""
    CORRECTION = "CORRECTION"
    """A correction agency needs a page (CCL 20)."""


READER_OF_PURPOSE: Final = {Purpose.DEFENCE: ReaderKind.DEFENCE, Purpose.CORRECTION: ReaderKind.CORRECTOR}
_ISSUERS: Final = frozenset({Role.PROCURATORATE, Role.COURT, Role.JUSTICE})
_FIELDS: Final = {
    "handoff_id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII),
    "sha256": re.compile(r"[0-9a-f]{64}", re.ASCII),
    "purpose": re.compile("|".join(Purpose), re.ASCII),
    "ground": re.compile(r"[A-Za-z0-9 ().-]{1,64}", re.ASCII),
}


def find_problems(statement: Statement) -> Iterator[Finding]:
    """Find what is wrong with the body of a request, without looking at the ledger."""
    body = statement.body
    for name, form in _FIELDS.items():
        value = body.get(name)
        if name not in body:
            yield Finding(ErrorCode.STATEMENT_FIELD_MISSING, f"/body/{name}", "this field is required")
        elif not isinstance(value, str) or form.fullmatch(value) is None:
            yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, f"/body/{name}", f"written as {form.pattern}")
    for name in sorted(body.keys() - _FIELDS.keys()):
        pointer = str(name).replace("~", "~0").replace("/", "~1")[:64]
        yield Finding(ErrorCode.STATEMENT_FIELD_UNKNOWN, f"/body/{pointer}", "no such field in this version")
    is_justice = statement.issuer.role is Role.JUSTICE
    purpose = body.get("purpose")
    if purpose in set(Purpose) and (purpose == Purpose.REVIEW) is is_justice:
        yield Finding(ErrorCode.REQUEST_PURPOSE_WRONG, "/body/purpose", "not a purpose of an agency of this role")


MATERIAL_REQUEST: Final = StatementForm(
    name="material-request",
    version=1,
    title="A material that no bundle granted is asked for",
    issuers=_ISSUERS,
    readers=frozenset({Role.POLICE, Role.PROCURATORATE, Role.COURT}),
    concern=Concern.CASE,
    check=lambda statement, _: find_problems(statement),
)
"""A statement: ``handoff_id`` and ``sha256`` of the material, ``purpose``, and ``ground``, such as ``SPP 75``."""
