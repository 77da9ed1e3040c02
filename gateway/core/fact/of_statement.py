"""Facts that statements tell, beside those of procedural acts: legal review, handing over, renewal of a freeze.

Source: domain model, section 3 (legal review, first-contact responsibility, freezing of funds); K05, K42, K46.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.core.fact.fact import Fact
from gateway.core.fact.of_record import to_account_key
from gateway.core.statement import Statement

LEGAL_REVIEW: Final = "legal-review"
OWNER_CHANGE: Final = "owner-change"
RENEWAL: Final = "freeze-renewal"
JURISDICTION: Final = "JURISDICTION"


def read_statement_facts(statement: Statement) -> list[Fact]:
    """Read what a statement says has happened in its case.

    Args:
        statement: whose body was found right.

    Returns:
        the facts, by person key; none for a statement that names no case, or of a form without a limit.
    """
    read = _READERS.get(statement.type)
    return read(statement.body) if read is not None and statement.case_number else []


def read_legal_review(review: Mapping[str, Any]) -> list[Fact]:
    """Facts of a legal review, in a statement or an annex: submitted, and reviewed."""
    return [
        Fact(kind="legal_review_asked", at=datetime.fromisoformat(review["submitted_at"])),
        Fact(kind="legal_review_given", at=datetime.fromisoformat(review["reviewed_at"])),
    ]


def read_owner_change(change: Mapping[str, Any]) -> list[Fact]:
    """Facts of a change of owner, in a statement or an annex.

    Only a change for lack of jurisdiction has a limit, and one that was refused hands nothing over.
    """
    if change["reason"] != JURISDICTION or "jurisdiction_found_at" not in change:
        return []
    facts = [Fact(kind="no_jurisdiction_found", at=datetime.fromisoformat(change["jurisdiction_found_at"]))]
    if "refused_at" not in change:
        facts.append(Fact(kind="case_transferred", at=datetime.fromisoformat(change["at"])))
    return facts


def _read_renewal(body: Mapping[str, Any]) -> list[Fact]:
    return [
        Fact(
            kind="extended",
            at=datetime.fromisoformat(body["decided_at"]),
            person=to_account_key(body["bank"], body["account"]),
            inputs={"clock": "K42", "extension": "renewed", "until": body["new_expiry"]},
        )
    ]


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[Fact]]]] = {
    LEGAL_REVIEW: read_legal_review,
    OWNER_CHANGE: read_owner_change,
    RENEWAL: _read_renewal,
}
