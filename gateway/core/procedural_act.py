"""The form ``procedural-act``: a step of the procedure that is no handoff (domain model 2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.core.errors import ErrorCode, Finding
from gateway.core.identity import Role
from gateway.core.statement import Statement
from gateway.core.statement_form import Concern, StatementForm

_EXCHANGE: Final = frozenset({Role.POLICE, Role.PROCURATORATE, Role.COURT, Role.JUSTICE})


def find_problems(statement: Statement) -> Iterator[Finding]:
    """Find what is wrong with the body of a procedural act."""
    act = statement.body.get("act")
    if not isinstance(act, str) or not 1 <= len(act) <= 64:
        yield Finding(ErrorCode.STATEMENT_FIELD_INVALID, "/body/act", "name of an act")


PROCEDURAL_ACT: Final = StatementForm(
    name="procedural-act",
    version=1,
    title="A step of the procedure that is no handoff",
    issuers=_EXCHANGE,
    readers=_EXCHANGE - {Role.JUSTICE},
    concern=Concern.CASE,
    check=find_problems,
    outsiders=frozenset({Role.PROCURATORATE, Role.COURT}),
)
