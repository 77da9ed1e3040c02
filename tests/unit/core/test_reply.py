"""Which handoff may answer which."""

from __future__ import annotations

from itertools import product

import pytest

from gateway.core.entry import HandoffState
from gateway.core.errors import ErrorCode
from gateway.core.reply import COUNTERPARTS, judge_reply
from gateway.core.route import RecordKind

K, S = RecordKind, HandoffState


def code(kind: RecordKind, answered: RecordKind, state: HandoffState, *, same: bool) -> ErrorCode | None:
    """The code by which an answer is refused."""
    finding = judge_reply(kind, answered, state, is_same_direction=same)
    return finding.code if finding is not None else None


@pytest.mark.parametrize("state", HandoffState)
def test_reply_to_the_own_handoff_needs_a_supplement_asked_or_a_refusal(state: HandoffState) -> None:
    """What is open, accepted or withdrawn asks for nothing again."""
    is_asked = state in (S.SUPPLEMENT_ASKED, S.REFUSED)
    for kind, answered in ((K.TRANSFER, K.TRANSFER), (K.RETRANSFER, K.TRANSFER), (K.INDICTMENT, K.INDICTMENT)):
        assert code(kind, answered, state, same=True) is (None if is_asked else ErrorCode.REPLY_NOT_ASKED)


@pytest.mark.parametrize("state", HandoffState)
def test_reply_to_a_counterpart_needs_its_acceptance(state: HandoffState) -> None:
    """A file that was returned is answered once the police have it."""
    for kind, answered in ((K.RETRANSFER, K.RETURN), (K.ASSESSMENT_OPINION, K.ASSESSMENT_REQUEST)):
        assert code(kind, answered, state, same=False) is (None if state is S.ACCEPTED else ErrorCode.REPLY_NOT_ASKED)


def test_reply_of_any_other_kind_or_direction_is_refused() -> None:
    """What is in no row answers nothing, whatever became of the other handoff."""
    for kind, answered in product(RecordKind, RecordKind):
        if answered not in COUNTERPARTS.get(kind, ()):
            assert code(kind, answered, S.ACCEPTED, same=False) is ErrorCode.REPLY_OF_OTHER_KIND
        if kind is not answered and {kind, answered} != {K.TRANSFER, K.RETRANSFER}:
            assert code(kind, answered, S.REFUSED, same=True) is ErrorCode.REPLY_OF_OTHER_KIND
