"""What both sides of a handoff can prove to each other afterwards: receipts and gapless numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.core.entry import to_instant
from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import Agency, parse_agency
from gateway.core.port.ledger import NumberedRow, StoredHandoff
from gateway.flows.fetch import require_handoff
from gateway.flows.parts import Parts
from gateway.flows.request import parse_size, parse_uuid

STATEMENT_TYPE: Final = "fasttrack-reconcile+jws"


async def read_receipt(parts: Parts, caller: Agency, handoff_id: str) -> StoredHandoff:
    """Read the receipts of a handoff for one of its parties.

    Args:
        parts: the filled ports.
        caller: sender or receiver.
        handoff_id: the handoff.

    Returns:
        the handoff with its receipts and decision.

    Raises:
        GatewayError: ARGUMENT_INVALID, HANDOFF_UNKNOWN, NOT_A_PARTY.
    """
    handoff = parse_uuid(handoff_id, "handoff_id")
    stored = await require_handoff(parts, handoff)
    if str(caller) not in (stored.row.sender, stored.row.receiver):
        error = refuse(ErrorCode.NOT_A_PARTY, "handoff_id", "only the two parties may see the receipts")
        error.handoff = handoff
        raise error
    return stored


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The numbers of a direction.

    Args:
        rows: without a gap, in order.
        last_number: last number given out, 0 for none.
        statement_jws: the gateway's signed word for it.
    """

    rows: list[NumberedRow]
    last_number: int
    statement_jws: str


async def reconcile(
    parts: Parts, caller: Agency, *, peer: str, is_sent: bool | None, after_number: int, page_size: int
) -> Reconciled:
    """List the numbers of one direction between the caller and a peer.

    Args:
        parts: the filled ports.
        caller: one side.
        peer: the other side, ``pr:110108``.
        is_sent: True for caller to peer, False for peer to caller, None when the caller named no direction.
        after_number: last number known, from 0.
        page_size: 1 to 1,000, 0 for 200.

    Returns:
        the numbers and a signed statement of the last one, bound to the present tree.

    Raises:
        GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE.
    """
    other = parse_agency(peer, "peer")
    if is_sent is None:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "direction", "sent or received")
    if after_number < 0:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "after_number", "0 or more")
    limit = parse_size(page_size, "page_size", default=200, most=1000)
    sender, receiver = (caller, other) if is_sent else (other, caller)
    # The head is read first: every number it covers is then in the rows, so the statement never claims too much.
    head = await parts.reader.head()
    rows, last_number = await parts.reader.pair(sender, receiver, after_number=after_number, limit=limit)
    claims: dict[str, str | int] = {
        "origin": parts.origin,
        "sender": str(sender),
        "receiver": str(receiver),
        "last_number": last_number,
        "tree_size": head.size,
        "root_hash": head.root.hex(),
        "stated_at": to_instant(parts.clock()),
    }
    return Reconciled(rows, last_number, parts.statements.sign(claims, STATEMENT_TYPE))
