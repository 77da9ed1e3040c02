"""A refusal of an authenticated caller is an act like any other: it becomes an entry before the caller hears of it."""

from __future__ import annotations

from uuid import UUID, uuid4

from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.errors import GatewayError
from gateway.core.identity import Agency
from gateway.core.port.ledger import LedgerWriter
from gateway.flows.request import content_sha256

MAX_CODES = 64


async def record_refusal(writer: LedgerWriter, caller: Agency, method: str, error: GatewayError) -> int:
    """Record that a call was refused: who, which method, which codes; nothing of what was sent.

    Args:
        writer: the ledger.
        caller: agency of the TLS certificate.
        method: service/name.
        error: the refusal.

    Returns:
        index of the entry.

    Raises:
        GatewayError: QUEUE_FULL or LEDGER_UNAVAILABLE; the caller then hears that instead, and may try again.
    """
    codes = tuple(dict.fromkeys(int(finding.code) for finding in error.findings))[:MAX_CODES]
    act: UUID = uuid4()
    appended = await writer.append(
        Command(
            kind=EntryKind.CALL_REFUSED,
            actor=caller,
            act_id=act,
            content_sha256=content_sha256(method=method, codes=codes),
            handoff=error.handoff,
            case=error.case,
            method=method,
            refusal_codes=codes,
        )
    )
    return appended.index
