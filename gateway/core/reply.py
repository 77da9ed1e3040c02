"""Which handoff may answer which: a file that was sent back comes again, and some kinds answer another.

Source: domain model, sections 1.6 and 2.3 (T07, T12, T14, T22); design, section 2 (``in_reply_to``).
"""

from __future__ import annotations

from typing import Final

from gateway.core.entry import HandoffState
from gateway.core.errors import ErrorCode, Finding
from gateway.core.route import RecordKind

_K = RecordKind
_AGAIN: Final = frozenset({HandoffState.SUPPLEMENT_ASKED, HandoffState.REFUSED})
_TO_REVIEW: Final = frozenset({_K.TRANSFER, _K.RETRANSFER})
COUNTERPARTS: Final = {
    _K.RETRANSFER: frozenset({_K.RETURN}),
    _K.RETURN: _TO_REVIEW,
    _K.NON_PROSECUTION: _TO_REVIEW,
    _K.JUDGMENT: frozenset({_K.INDICTMENT}),
    _K.ASSESSMENT_OPINION: frozenset({_K.ASSESSMENT_REQUEST}),
}
"""By the kind of an answer, what its receiver had sent and the sender of the answer has accepted."""
_PATH: Final = "/in_reply_to"


def judge_reply(
    kind: RecordKind, answered: RecordKind, state: HandoffState, *, is_same_direction: bool
) -> Finding | None:
    """Judge whether a handoff may answer another one between the same agencies in the same case.

    A decision is final, so what was judged before the ledger's lock still holds under it.

    Args:
        kind: of the answer.
        answered: kind of the handoff that it names.
        state: where that one stands.
        is_same_direction: whether both have the same sender.

    Returns:
        REPLY_OF_OTHER_KIND or REPLY_NOT_ASKED; None when it may.
    """
    if is_same_direction:
        is_kind, asked = kind is answered or {kind, answered} <= _TO_REVIEW, _AGAIN
    else:
        is_kind, asked = answered in COUNTERPARTS.get(kind, ()), frozenset({HandoffState.ACCEPTED})
    if not is_kind:
        what = "a handoff of this kind does not answer one of that kind and direction"
        return Finding(ErrorCode.REPLY_OF_OTHER_KIND, _PATH, what, basis="domain model 2.3")
    if state not in asked:
        what = "the handoff asks for no answer: wait until it is decided"
        return Finding(ErrorCode.REPLY_NOT_ASKED, _PATH, what, basis="domain model 2.3")
    return None
