"""What an agency has stated of a case before it hands it over: legal reviews, overrides.

Of one type 64 statements are taken from an agency about a case (``most_of_case`` of the form, refused with
STATEMENTS_TOO_MANY beyond), and twice as many are looked at here, for those that were taken at one moment.

Source: domain model, section 3 (legal review 法制审核) and 2.5 (override); gateway/core/PROCEDURE.md (statements).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.core.form import legal_review
from gateway.core.identity import Agency
from gateway.core.judge import override
from gateway.core.signed import payload_of
from gateway.flows.parts import Parts

LEGAL_REVIEW: Final = legal_review.NAME
OVERRIDE: Final = override.NAME
MOST_READ: Final = 128
"""Statements of a type, an agency and a case that a judgement looks at, from the first."""

Shown = tuple[Mapping[str, Any], ...]
READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {
    LEGAL_REVIEW: legal_review.to_review,
    OVERRIDE: override.to_override,
}
"""What a judgement looks at, by the type of the statement."""


async def find_stated(
    parts: Parts, type_name: str, agency: Agency, case_number: str, *, before: int | None = None
) -> Shown:
    """Find what an agency has stated of a case.

    Args:
        parts: the filled ports.
        type_name: one of ``READERS``.
        agency: that stated it; what others state does not count for its handoff.
        case_number: police case number.
        before: index of an entry; what was stated after it is left out. None for none.

    Returns:
        what a judgement looks at of each, in the order of the ledger; at most 128, and nothing of a destroyed case.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE; CASE_KEY_MISSING, SEAL_BROKEN or VAULT_UNAVAILABLE when one cannot be opened.
    """
    found = await parts.reader.statements(
        case=parts.pseudonyms.case(case_number),
        issuer=str(agency),
        type_name=type_name,
        after_index=-1,
        limit=MOST_READ,
    )
    read = READERS[type_name]
    return tuple(
        read(payload_of(stored.statement_jws)["body"])
        for stored in found
        if not stored.is_destroyed and (before is None or stored.appended.index < before)
    )
