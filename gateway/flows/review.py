"""The legal reviews that an agency has stated of a case.

Source: domain model, section 3 (legal review 法制审核); gateway/core/PROCEDURE.md (statements).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.core.form.legal_review import NAME, to_review
from gateway.core.identity import Agency
from gateway.core.signed import payload_of
from gateway.flows.parts import Parts

PAGE: Final = 16
"""Statements read at once; most cases have one review, sent back once or twice."""


async def find_reviews(parts: Parts, agency: Agency, case_number: str) -> tuple[Mapping[str, Any], ...]:
    """Find the legal reviews of a case.

    Args:
        parts: the filled ports.
        agency: that stated them; what others state is no review of its transfer.
        case_number: police case number.

    Returns:
        what a judgement looks at of each, in the order of the ledger.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    case, after = parts.pseudonyms.case(case_number), -1
    found: list[Mapping[str, Any]] = []
    while True:
        page = await parts.reader.statements(case=case, issuer="", type_name=NAME, after_index=after, limit=PAGE)
        for stored in page:
            after = stored.appended.index
            if stored.issuer == str(agency):
                found.append(to_review(payload_of(stored.statement_jws)["body"]))
        if len(page) < PAGE:
            return tuple(found)
