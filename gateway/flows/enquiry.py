"""The progress of a case for a party: one narrow answer, or that nobody can be asked after by this code."""

from __future__ import annotations

import hmac
from uuid import UUID

from gateway.core.access.enquiry import Progress, is_closed_to_enquiry, parse_code, unknown
from gateway.core.case.value import CHINA_TIME
from gateway.core.entry import EntryKind, from_leaf
from gateway.core.identity import Agency
from gateway.core.port.ledger import EntryFilter
from gateway.flows.parts import Parts
from gateway.flows.pull import read_stored


async def read_progress(parts: Parts, caller: Agency, code: str) -> Progress:
    """Answer a question.

    Args:
        parts: the filled ports.
        caller: party self-service.
        code: as it stands on the receipt.

    Returns:
        what may be told.

    Raises:
        GatewayError: ARGUMENT_INVALID, ENQUIRY_TOO_OFTEN; ENQUIRY_UNKNOWN for a wrong code, and in the same words for a
            case of which nothing may be told. None of them names a case.
    """
    token = parse_code(code)
    parts.enquiries.count(str(caller), token, parts.clock())
    digest = parts.pseudonyms.enquiry(token)
    stored = await parts.reader.progress(digest)
    if stored is None or not hmac.compare_digest(stored.token, digest):
        raise unknown()
    if stored.case and await _is_closed(parts, stored.case):
        raise unknown()
    return stored.progress


async def _is_closed(parts: Parts, case: str) -> bool:
    condition = EntryFilter(case=case, kinds=(EntryKind.SUBMITTED,))
    last, after = "", -1
    while entries := await parts.reader.entries(condition, after_index=after, limit=1_000):
        after = entries[-1].index
        last = from_leaf(entries[-1].leaf).handoff
    stored = await parts.reader.handoff(UUID(last)) if last else None
    if stored is None:
        return False
    if stored.is_destroyed:
        # Destroyed since the answer was read.
        return True
    _, reading = await read_stored(parts, stored)
    today = parts.clock().astimezone(CHINA_TIME).date()
    return reading.case is None or is_closed_to_enquiry(reading.case, today)
