"""The table by which a case moves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.procedure.lifecycle import MAX_RETURNS, TABLE, Act, Assessment, CaseState, Stage, Step, decide, submit
from gateway.core.route import ROUTES, RecordKind

AGENCY_OF = {
    "police": "ps:999001",
    "procuratorate": "pr:999001",
    "court": "ct:999001",
    "justice": "ja:999001",
}
PS, PR, CT, JA = AGENCY_OF.values()
TAKES_FILE = {RecordKind.TRANSFER, RecordKind.RETRANSFER, RecordKind.INDICTMENT, RecordKind.RETURN}


def at(stage: Stage, holder: str = "", **fields: object) -> CaseState:
    """A state in the middle of a case."""
    return CaseState(stage=stage, holder=holder, moved_at=7, **fields)  # type: ignore[arg-type]


def test_chain_from_transfer_to_execution_reaches_every_stage() -> None:
    """The dangerous-driving chain goes P4, H1, J1, H3, C1, C5, E1, E2, and the file goes with it."""
    state, sequence, stages = CaseState(), 0, []
    for kind, sender, receiver in (
        (RecordKind.TRANSFER, PS, PR),
        (RecordKind.INDICTMENT, PR, CT),
        (RecordKind.JUDGMENT, CT, PR),
        (RecordKind.EXECUTION, CT, JA),
    ):
        before, submitted = state, sequence + 1
        state = submit(kind, state, sender=sender, case_sequence=submitted).state
        stages.append(state.stage.value)
        sequence += 2
        state = decide(
            kind,
            Act.ACCEPTED,
            state,
            receiver=receiver,
            case_sequence=sequence,
            before=before,
            submitted_sequence=submitted,
        ).state
        stages.append(state.stage.value)
    assert stages == ["H1", "J1", "H3", "C1", "C5", "C5", "E1", "E2"]
    assert state.holder == CT


@pytest.mark.parametrize(("kind", "act"), TABLE)
def test_table_every_row_starts_only_where_it_says(kind: RecordKind, act: Act) -> None:
    """Each row of the table moves from its sources to its target, and from every other stage it is refused."""
    for stage in Stage:
        state = at(stage, PS)
        moves = [move for move in TABLE[kind, act] if stage in move.sources]
        assert len(moves) <= 1, "two rows start from one stage"

        def step(state: CaseState = state) -> Step:
            if act is Act.SUBMITTED:
                return submit(kind, state, sender=PS, case_sequence=9)
            return decide(
                kind, act, state, receiver=PR, case_sequence=9, before=CaseState(), submitted_sequence=state.moved_at
            )

        if not moves:
            with pytest.raises(GatewayError) as refused:
                step()
            assert refused.value.code is ErrorCode.TRANSITION_NOT_ALLOWED
            continue
        assert step().state.stage is (moves[0].target or stage)
        assert step().transitions == moves[0].transitions


def test_submit_by_agency_without_file_is_refused() -> None:
    """Who has not the file cannot send the case on; an opinion needs no file."""
    with pytest.raises(GatewayError) as refused:
        submit(RecordKind.INDICTMENT, at(Stage.REVIEW_FAST, PS), sender=PR, case_sequence=8)
    assert refused.value.code is ErrorCode.FILE_NOT_HELD
    commissioned = at(Stage.REVIEW_FAST, PR, assessment=Assessment.COMMISSIONED)
    step = submit(RecordKind.ASSESSMENT_OPINION, commissioned, sender=JA, case_sequence=8)
    assert step.state.assessment is Assessment.RECEIVED


def test_opinion_without_request_is_refused() -> None:
    """An opinion that nobody commissioned is no transition."""
    with pytest.raises(GatewayError) as refused:
        submit(RecordKind.ASSESSMENT_OPINION, at(Stage.REVIEW_FAST, PR), sender=JA, case_sequence=8)
    assert refused.value.code is ErrorCode.TRANSITION_NOT_ALLOWED


def test_return_third_time_is_refused() -> None:
    """Supplementary investigation is limited to two times (CPL 175)."""
    state = at(Stage.REVIEW_FAST, PR, returns=MAX_RETURNS - 1)
    state = submit(RecordKind.RETURN, state, sender=PR, case_sequence=8).state
    assert (state.stage, state.returns) == (Stage.SUPPLEMENTARY_INVESTIGATION, MAX_RETURNS)
    with pytest.raises(GatewayError):
        submit(RecordKind.RETURN, at(Stage.REVIEW_FAST, PR, returns=MAX_RETURNS), sender=PR, case_sequence=9)


@pytest.mark.parametrize("act", [Act.WITHDRAWN, Act.REFUSED])
def test_handoff_taken_back_puts_the_stage_back(act: Act) -> None:
    """A withdrawn judgment leaves the case where it was before, unless something else moved it since."""
    before = at(Stage.ACCEPTED, CT)
    state = submit(RecordKind.JUDGMENT, before, sender=CT, case_sequence=8).state
    arguments = {"receiver": PR, "case_sequence": 9, "before": before, "submitted_sequence": 8}
    assert decide(RecordKind.JUDGMENT, act, state, **arguments).state.stage is Stage.ACCEPTED  # type: ignore[arg-type]
    moved = submit(RecordKind.EXECUTION, state, sender=CT, case_sequence=9).state
    assert decide(RecordKind.JUDGMENT, act, moved, **arguments).state == moved  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.data())
def test_random_acts_keep_the_state_sound(data: st.DataObject) -> None:
    """Whatever is tried in whatever order: one holder, changed by acceptance only, and returns never fall."""
    state = CaseState()
    open_handoffs: list[tuple[RecordKind, str, CaseState, int]] = []
    routes = sorted(ROUTES)
    for sequence in range(1, 30):
        old = state
        is_decision = data.draw(st.booleans())
        if open_handoffs and is_decision:
            kind, receiver, before, submitted = open_handoffs.pop(data.draw(st.integers(0, len(open_handoffs) - 1)))
            act = data.draw(st.sampled_from([a for a in Act if a is not Act.SUBMITTED]))
            try:
                state = decide(
                    kind,
                    act,
                    state,
                    receiver=receiver,
                    case_sequence=sequence,
                    before=before,
                    submitted_sequence=submitted,
                ).state
            except GatewayError as refused:
                assert refused.code is ErrorCode.TRANSITION_NOT_ALLOWED
                open_handoffs.append((kind, receiver, before, submitted))
            assert state.holder == old.holder or (act is Act.ACCEPTED and kind in TAKES_FILE)
            assert state.holder in (old.holder, receiver)
        else:
            name, sender, receiver = data.draw(st.sampled_from(routes))
            kind = RecordKind(name)
            try:
                state = submit(kind, state, sender=AGENCY_OF[sender], case_sequence=sequence).state
            except GatewayError as refused:
                assert refused.code in (ErrorCode.TRANSITION_NOT_ALLOWED, ErrorCode.FILE_NOT_HELD)
            else:
                open_handoffs.append((kind, AGENCY_OF[receiver], old, sequence))
                assert state.holder == (old.holder or AGENCY_OF[sender])
        assert old.returns <= state.returns <= MAX_RETURNS
        assert state.moved_at == old.moved_at or state.moved_at == sequence
        assert state.stage is old.stage or state.moved_at == sequence
        assert CaseState.from_leaf(state.to_leaf()) == state
