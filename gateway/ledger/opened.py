"""Rows as readers get them: opened with the seals of their cases, unless the ledger says that a case was destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from gateway.core.entry import HandoffState
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.fact import KnownFact, from_facts_bytes
from gateway.core.fact.handed_on import to_known
from gateway.core.port.ledger import InboxRow, StoredStatement
from gateway.ledger.receipt import to_appended
from gateway.ledger.sealed import COMMON, CaseSeal, Sealer


def open_statement(row: Any, seal: CaseSeal | GatewayError) -> StoredStatement:
    """Open a statement.

    Args:
        row: of a statement, with its entry and its receipt.
        seal: of its case.

    Returns:
        it; of a destroyed case without what was stated.

    Raises:
        GatewayError: CASE_KEY_MISSING, SEAL_BROKEN.
    """
    is_destroyed = isinstance(seal, GatewayError) and seal.code is ErrorCode.CASE_DESTROYED
    if isinstance(seal, GatewayError) and not is_destroyed:
        raise seal
    case_number, statement_jws = "", ""
    if isinstance(seal, CaseSeal):
        place = str(row["seq"])
        statement_jws = seal.open("statement.statement_jws", place, row["statement_jws"]).decode()
        if row["case_number"] is not None:
            case_number = seal.open("statement.case_number", place, row["case_number"]).decode()
    return StoredStatement(
        statement_id=row["statement_id"],
        issuer=row["issuer"],
        type=row["statement_type"],
        case=row["case_id"] or "",
        case_number=case_number,
        statement_jws=statement_jws,
        appended=to_appended(row),
        is_destroyed=is_destroyed,
    )


async def look_up(sealer: Sealer | None, rows: Sequence[Any]) -> Mapping[str, CaseSeal | GatewayError]:
    """Give the seals of rows.

    Args:
        sealer: of the reader.
        rows: with the columns ``case_id`` and ``is_destroyed``; what the ledger says comes before any key that
            is still remembered.

    Returns:
        by case, or ``COMMON`` for rows of none: a seal, or why there is none.

    Raises:
        GatewayError: VAULT_UNAVAILABLE.
    """
    if not rows:
        return {}
    if sealer is None:
        raise RuntimeError("this reader opens nothing")
    destroyed = [row["case_id"] for row in rows if row["is_destroyed"]]
    return await sealer.look([row["case_id"] or COMMON for row in rows], destroyed)


def open_number(seal: CaseSeal | GatewayError, row: Any) -> str:
    """Open the case number of a bundle; one row that does not open must not hide the others, so it is "" then.

    Args:
        seal: of the case.
        row: with the columns ``handoff_id`` and ``case_number``.
    """
    try:
        if isinstance(seal, GatewayError):
            return ""
        return seal.open("bundle.case_number", str(row["handoff_id"]), row["case_number"]).decode()
    except GatewayError:
        return ""


def to_facts(rows: Iterable[Any]) -> list[KnownFact]:
    """Read facts out of rows with the columns ``seq``, ``recorded_at`` and ``body``."""
    return [
        to_known(fact, row["recorded_at"].astimezone(UTC), row["seq"])
        for row in rows
        for fact in from_facts_bytes(row["body"])
    ]


def to_inbox_row(row: Any, case_number: str) -> InboxRow:
    """Read a row of an inbox.

    Args:
        row: of the statements ``inbox`` and ``handoff``.
        case_number: as it was opened; "" when it cannot be.

    Returns:
        the row, with times in UTC.
    """
    return InboxRow(
        handoff=row["handoff_id"],
        kind=row["handoff_kind"],
        sender=row["sender"],
        receiver=row["receiver"],
        case_number=case_number,
        pair_number=row["pair_number"],
        state=HandoffState(row["handoff_state"]),
        index=row["seq"],
        offered_at=row["recorded_at"].astimezone(UTC),
        bundle_sha256=row["bundle_sha256"].hex(),
        lease_until=row["lease_until"].astimezone(UTC) if row["lease_until"] is not None else None,
    )
