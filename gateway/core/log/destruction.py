"""The end of a case: an entry says so, then the one key goes that everything of the case was sealed with."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.identity import GATEWAY
from gateway.core.log.key_history import derive_id


class DestructionReason(StrEnum):
    """Why a case is destroyed; a code, because an entry holds no text."""

    RETENTION_EXPIRED = "retention_expired"
    ORDERED = "ordered"
    """A competent authority ordered it."""
    RECORDED_IN_ERROR = "recorded_in_error"
    UNSPECIFIED = "unspecified"


def destroy_case(case: str, reason: DestructionReason) -> Command:
    """Destroy a case.

    Args:
        case: its pseudonym.
        reason: why.

    Returns:
        the act; the first reason stays, another one asked for later is the same act.
    """
    return Command(
        kind=EntryKind.CASE_DESTROYED,
        actor=GATEWAY,
        act_id=derive_id("case destroyed", case),
        content_sha256=sha256(case.encode()).hexdigest(),
        case=case,
        reason=reason.value,
    )
