"""The progress of a case for a party: one narrow answer, or that nobody can be asked after by this code."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.core.access.enquiry import Progress, is_closed_to_enquiry, parse_code, unknown
from gateway.core.case.value import CHINA_TIME
from gateway.core.entry import EntryKind, from_leaf
from gateway.core.identity import Agency
from gateway.core.port.ledger import EntryFilter
from gateway.flows.parts import Parts
from gateway.flows.pull import read_stored

if TYPE_CHECKING:
    from gateway.core.case.case import Case


MOST_RECORDS: Final = 64
"""Records of a case that are read at most; of a case with more nothing is told, because one may name a minor."""


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
    """Whether what was handed over of a case forbids an answer; before the first handoff nothing does."""
    condition = EntryFilter(case=case, kinds=(EntryKind.SUBMITTED,))
    entries = await parts.reader.entries(condition, after_index=-1, limit=MOST_RECORDS + 1)
    if not entries:
        return False
    if len(entries) > MOST_RECORDS:
        return True
    records: list[Case] = []
    for entry in entries:
        stored = await parts.reader.handoff(UUID(from_leaf(entry.leaf).handoff))
        if stored is None or stored.is_destroyed:
            # Destroyed since the answer was read.
            return True
        _, reading = await read_stored(parts, stored)
        if reading.case is None:
            return True
        records.append(reading.case)
    return is_closed_to_enquiry(records, parts.clock().astimezone(CHINA_TIME).date())
