"""Acts of the procedure that are no handoffs: each row of the table, and what no row can say."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.handed_on import HANDED_ON
from gateway.core.form.catalog import published_forms
from gateway.core.identity import Agency, Role, parse_agency
from gateway.core.procedure.act_special import SPECIALS
from gateway.core.procedure.act_step import do_act
from gateway.core.procedure.act_table import UNSEEN, ActRow, Standing, load_acts
from gateway.core.procedure.lifecycle import CaseState, Stage, Step, submit
from gateway.core.procedure.service import RECIPIENTS, unserve
from gateway.core.procedure.track import REGIONS, PersonTrack, Tracks
from gateway.core.route import RecordKind

ONE, TWO = "1" * 32, "2" * 32
OTHER = "c" * 32
ACTS = load_acts()
DIVISION = "999001"


def agency(role: Role, division: str = DIVISION) -> Agency:
    """An agency of a role."""
    return Agency(role, division)


PS, PR, CT = (agency(role) for role in (Role.POLICE, Role.PROCURATORATE, Role.COURT))
GIVEN = {"assessment": "none", "holder": str(PS), "persons": {"9" * 32: {"custody": "bail"}}, "returns": 1}


def tracks_for(row: ActRow, **changes: Any) -> Tracks:
    """Two persons to whom the act may be done."""
    track = PersonTrack(custody="bail", served="2026-01-05", served_pr="2026-01-05", served_last="2026-01-05")
    if row.region and row.only is not None:
        changes_of_region: dict[str, Any] = {row.region: sorted(row.only)[0]}
        track = replace(track, **changes_of_region)
    if row.id == "judgment_served":
        track = unserve(track)
    fields: dict[str, Any] = {"passing_to": "", "withdrawal_asked_by": str(PR), "reasons": "asked"}
    return Tracks(persons={ONE: track, TWO: track}, **{**fields, **changes})


def cause_for(row: ActRow, stage: Stage, **changes: Any) -> dict[str, Any]:
    """A cause with everything that any act needs."""
    cause: dict[str, Any] = {
        "act": row.id, "on": "2026-01-06", "ground": "177-2", "effective_on": "2026-02-01", "until": "2026-09-01",
        "expected_months": 14, "to_agency": f"{sorted(row.who)[0]}:999002", "other": OTHER, "there": ["8" * 32],
        "given": {**GIVEN, "stage": stage.value},
    }  # fmt: skip
    if row.is_of_persons:
        cause["persons"] = [ONE]
    if row.id == "merged":
        cause |= {"persons": [ONE, TWO], "there": ["8" * 32, "7" * 32]}
    return {**cause, **changes}


def do(row: ActRow, stage: Stage, **changes: Any) -> tuple[Step, Tracks]:
    """Do an act as the issuer who may, from a stage."""
    issuer = changes.pop("issuer", agency(sorted(row.who)[0]))
    tracks = changes.pop("tracks", tracks_for(row, passing_to=str(issuer)))
    state = CaseState(stage=stage, holder=changes.pop("holder", str(issuer)), moved_at=5, returns=2)
    given = {"given": {**GIVEN, "stage": stage.value, "holder": str(issuer)}} if row.id == "joined" else {}
    cause = cause_for(row, stage, **{**given, **changes})
    return do_act(state, tracks, cause, issuer=issuer, sequence=9, is_unseen=False)


def code_of(row: ActRow, stage: Stage, **changes: Any) -> ErrorCode:
    """The code by which an act is refused."""
    with pytest.raises(GatewayError) as refused:
        do(row, stage, **changes)
    return refused.value.code


@pytest.mark.parametrize("row", ACTS.values(), ids=ACTS)
def test_act_is_done_from_its_stages_and_from_no_other(row: ActRow) -> None:
    """Each row of the table leads where it says, and is refused everywhere else."""
    for stage in Stage:
        if stage not in row.sources:
            assert code_of(row, stage) is ErrorCode.TRANSITION_NOT_ALLOWED, stage
            continue
        step, tracks = do(row, stage)
        assert step.transitions == (row.transition,)
        # Some stages depend on the persons; what the row says is then the farthest that the act may lead.
        allowed = {stage, row.target, *row.when_all.values()} - {None}
        assert step.state.stage in allowed | ({Stage.REVIEW_FAST} if row.id == "proposal_adjusted" else set())
        if row.target is not None and row.id not in ("terminated", "nonprosecution_reopened"):
            assert step.state.stage is row.target
        if row.region and row.region != "served":
            assert getattr(tracks.persons[ONE], row.region) == row.value
        assert step.state.returns == 2


@pytest.mark.parametrize("row", ACTS.values(), ids=ACTS)
def test_act_of_another_role_is_refused(row: ActRow) -> None:
    """Only the organ whose act it is does it."""
    stage = sorted(row.sources)[0]
    for role in set(Role) - row.who:
        assert code_of(row, stage, issuer=agency(role)) is ErrorCode.ACT_NOT_BY_ISSUER


@pytest.mark.parametrize("row", [r for r in ACTS.values() if r.standing is Standing.HOLDER], ids=lambda row: row.id)
def test_act_without_the_file_is_refused(row: ActRow) -> None:
    """Custody of the file is held by exactly one agency, and it alone does what its holder does."""
    assert code_of(row, sorted(row.sources)[0], holder="ps:999009") is ErrorCode.FILE_NOT_HELD


@pytest.mark.parametrize("row", [r for r in ACTS.values() if r.only is not None], ids=lambda row: row.id)
def test_act_on_a_track_that_does_not_allow_it_is_refused(row: ActRow) -> None:
    """A region goes only the ways that its acts say; every person at fault is named."""
    assert row.only is not None
    for value in set(REGIONS[row.region]) - row.only:
        region: dict[str, Any] = {row.region: value}
        track = replace(tracks_for(row).persons[ONE], **region)
        with pytest.raises(GatewayError) as refused:
            persons = {"persons": [ONE, TWO], "there": ["8" * 32, "7" * 32]}
            do(row, sorted(row.sources)[0], tracks=Tracks(persons={ONE: track, TWO: track}), **persons)
        assert [(f.code, f.path) for f in refused.value.findings] == [
            (ErrorCode.TRACK_NOT_ALLOWED, "/body/persons/0"), (ErrorCode.TRACK_NOT_ALLOWED, "/body/persons/1"),
        ]  # fmt: skip


def test_table_is_whole() -> None:
    """Every function, fact and schema speaks of acts that there are, and every row is allowed somewhere."""
    assert SPECIALS.keys() <= ACTS.keys()
    clocks = files("gateway.core").joinpath("rules", "clocks.yaml").read_text("utf-8")
    words = {*re.findall(r"[a-z_]{4,}", clocks), "proposed", "extended", HANDED_ON}
    assert {row.fact for row in ACTS.values()} - {""} <= words
    (form,) = [form for form in published_forms() if form.key.name == "procedural-act"]
    assert form.schema["properties"]["act"]["enum"] == list(ACTS)
    needs = {name for row in ACTS.values() for name in row.needs}
    assert needs <= form.schema["properties"].keys()
    assert form.schema["properties"]["recipient"]["enum"] == list(RECIPIENTS)
    assert all(row.sources for row in ACTS.values())


def test_unknown_person_is_refused_once_the_police_have_let_the_file_go() -> None:
    """Before, the gateway hears of persons one by one; after, only a record names new ones."""
    new = "5" * 32
    assert code_of(ACTS["consent_given"], Stage.ACCEPTED, persons=[new]) is ErrorCode.PERSON_UNKNOWN
    _, tracks = do(ACTS["detained"], Stage.FILED, persons=[new])
    assert tracks.persons[new].custody == "detained"


def test_case_is_told_of_from_wherever_the_police_are() -> None:
    """The first thing heard may be the reception or a detention; another organ has nothing to say yet."""
    for act, stage in (("report_accepted", "P2"), ("case_filed", "P3"), ("detained", "P4"), ("property_listed", "P4")):
        cause = {"act": act, "on": "2026-01-06", "persons": [ONE]}
        step, _ = do_act(CaseState(), Tracks(), cause, issuer=PS, sequence=1, is_unseen=True)
        assert (step.state.stage.value, step.state.holder) == (stage, str(PS))
    with pytest.raises(GatewayError, match="FILE_NOT_HELD"):
        do_act(CaseState(), Tracks(), {"act": "legal_aid_requested"}, issuer=PR, sequence=1, is_unseen=True)
    assert Stage.INVESTIGATING in UNSEEN


def test_file_is_recognized_or_tried_fast_when_the_last_person_agreed() -> None:
    """A joint case goes on when all its persons do; one who has left is not waited for."""
    row = ACTS["consent_given"]
    first, tracks = do(row, Stage.ACCEPTED)
    assert first.state.stage is Stage.ACCEPTED
    assert do(row, Stage.ACCEPTED, tracks=tracks, persons=[TWO])[0].state.stage is Stage.TRIAL_FAST
    gone = tracks.change({TWO: replace(tracks.persons[TWO], own="S")})
    assert do(ACTS["recognized"], Stage.REVIEW_FAST, tracks=gone)[0].state.stage is Stage.RECOGNIZED
    assert do(ACTS["recognized"], Stage.REVIEW_ORDINARY, tracks=gone)[0].state.stage is Stage.REVIEW_ORDINARY


def test_person_who_has_left_is_not_acted_on() -> None:
    """Nobody is arrested in a case that does not have him any more."""
    gone = Tracks(persons={ONE: PersonTrack(own="J4"), TWO: PersonTrack()})
    assert code_of(ACTS["arrested"], Stage.REVIEW_FAST, tracks=gone) is ErrorCode.TRACK_NOT_ALLOWED


def test_somebody_stays_with_the_file_when_others_leave() -> None:
    """The last one is not split off or refused alone; with the last termination the case is withdrawn."""
    alone = Tracks(persons={ONE: PersonTrack(), TWO: PersonTrack(own="J4")})
    assert code_of(ACTS["split"], Stage.REVIEW_FAST, tracks=alone) is ErrorCode.NOBODY_LEFT
    assert code_of(ACTS["absent_refused"], Stage.INTAKE_CHECK, tracks=alone) is ErrorCode.NOBODY_LEFT
    assert do(ACTS["terminated"], Stage.FILED, tracks=alone)[0].state.stage is Stage.CASE_WITHDRAWN
    assert code_of(ACTS["merged"], Stage.REVIEW_FAST, persons=[ONE], there=["8" * 32]) is ErrorCode.PERSON_LEFT_BEHIND


def test_split_is_joined_by_the_other_case_with_stage_measures_and_returns() -> None:
    """A person takes along what stands of him; the new case begins where the old one was (SPP 350, 459)."""
    _, tracks = do(ACTS["split"], Stage.REVIEW_ORDINARY)
    given = tracks.handed_on[OTHER]
    cause = {"act": "joined", "on": "2026-01-06", "other": "d" * 32, "given": given}
    holder = parse_agency(given["holder"])
    step, joined = do_act(CaseState(), Tracks(), cause, issuer=holder, sequence=1, is_unseen=True)
    assert (step.state.stage, step.state.holder, step.state.returns) == (Stage.REVIEW_ORDINARY, str(holder), 2)
    assert joined.persons == {"8" * 32: replace(tracks.persons[ONE], own="", moved_at=0)}
    with pytest.raises(GatewayError, match="TRANSITION_NOT_ALLOWED"):
        do_act(step.state, joined, cause, issuer=holder, sequence=2, is_unseen=False)
    stranger = agency(holder.role, "999008")
    with pytest.raises(GatewayError, match="FILE_NOT_HELD"):
        do_act(CaseState(), Tracks(), cause, issuer=stranger, sequence=1, is_unseen=True)


def test_split_to_a_case_that_was_given_persons_already_is_refused() -> None:
    """What another case may take over is written once and never changes; a further person needs a case of his own."""
    _, tracks = do(ACTS["split"], Stage.REVIEW_FAST)
    third = tracks.change({"3" * 32: PersonTrack()})
    assert code_of(ACTS["split"], Stage.REVIEW_FAST, tracks=third, persons=[TWO]) is ErrorCode.TRANSITION_NOT_ALLOWED
    assert do(ACTS["split"], Stage.REVIEW_FAST, tracks=third, persons=[TWO], other="d" * 32)


def test_jurisdiction_moves_the_file_only_when_it_is_received() -> None:
    """The returns go along, who is in custody needs a certificate, and only the named organ takes the file."""
    there = agency(Role.PROCURATORATE, "999002")
    kept = Tracks(persons={ONE: PersonTrack(custody="arrested")})
    options = {"issuer": PR, "to_agency": str(there), "tracks": kept}
    step, tracks = do(ACTS["jurisdiction_changed"], Stage.REVIEW_FAST, **options)
    assert (step.state.holder, tracks.passing_to) == (str(PR), str(there))
    row = ACTS["jurisdiction_received"]
    assert code_of(row, Stage.REVIEW_FAST, issuer=PR, tracks=tracks) is ErrorCode.FILE_NOT_HELD
    step, tracks = do(row, Stage.REVIEW_FAST, issuer=there, holder=str(PR), tracks=tracks)
    assert (step.state.holder, step.state.returns, tracks.passing_to) == (str(there), 2, "")
    assert tracks.persons[ONE].exchange == "due"
    assert code_of(ACTS["jurisdiction_changed"], Stage.REVIEW_FAST, issuer=PR, to_agency="ct:999001") is (
        ErrorCode.TRANSITION_NOT_ALLOWED
    )


def test_judgment_is_effective_after_the_last_service_and_without_appeal() -> None:
    """Two defendants served on different days: the later one counts, and an appeal of one holds the file."""
    row = ACTS["judgment_effective"]
    two = Tracks(persons={ONE: PersonTrack(), TWO: PersonTrack()})
    for who, on, recipient in ((ONE, "2026-01-05", ""), (TWO, "2026-01-08", ""), (ONE, "2026-01-05", "PROCURATORATE")):
        about = {"recipient": recipient} if recipient else {}
        _, two = do(ACTS["judgment_served"], Stage.JUDGED, tracks=two, persons=[who], on=on, **about)
    assert code_of(row, Stage.JUDGED, tracks=two) is ErrorCode.TRANSITION_NOT_ALLOWED, "the procuratorate for TWO"
    _, two = do(
        ACTS["judgment_served"], Stage.JUDGED, tracks=two, persons=[TWO], on="2026-01-07", recipient="PROCURATORATE"
    )
    for day, is_allowed in (("2026-01-16", False), ("2026-01-18", False), ("2026-01-19", True)):
        if is_allowed:
            assert do(row, Stage.JUDGED, tracks=two, effective_on=day)[0].state.stage is Stage.EFFECTIVE
        else:
            assert code_of(row, Stage.JUDGED, tracks=two, effective_on=day) is ErrorCode.TRANSITION_NOT_ALLOWED
    unserved = two.change({TWO: PersonTrack()})
    assert code_of(row, Stage.JUDGED, tracks=unserved) is ErrorCode.TRANSITION_NOT_ALLOWED
    step, appealed = do(ACTS["appealed"], Stage.JUDGED, tracks=two)
    assert (step.state.stage, appealed.persons[ONE].own) == (Stage.APPEALED, "C6")
    assert code_of(row, Stage.APPEALED, tracks=appealed) is ErrorCode.TRANSITION_NOT_ALLOWED
    assert do(ACTS["appeal_withdrawn"], Stage.APPEALED, tracks=appealed)[0].state.stage is Stage.JUDGED
    step, remanded = do(ACTS["remanded"], Stage.APPEALED, tracks=appealed)
    assert step.state.stage is Stage.TRIAL_ORDINARY
    assert {(t.served, t.served_pr, t.served_last) for t in remanded.persons.values()} == {("", "", "")}


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_judgment_is_effective_only_after_the_period_of_its_last_recipient(recipient: str) -> None:
    """Scenario 24: whoever is served last, a victim as well, holds the effect for the file."""
    tracks = tracks_for(ACTS["judgment_effective"])
    _, tracks = do(ACTS["judgment_served"], Stage.JUDGED, tracks=tracks, on="2026-01-20", recipient=recipient)
    row = ACTS["judgment_effective"]
    assert code_of(row, Stage.JUDGED, tracks=tracks, effective_on="2026-01-30") is ErrorCode.TRANSITION_NOT_ALLOWED
    assert do(row, Stage.JUDGED, tracks=tracks, effective_on="2026-01-31")[0].state.stage is Stage.EFFECTIVE


def test_appeal_of_one_defendant_holds_the_judgment_of_the_other() -> None:
    """Scenario 24: A appeals, B does not; nothing is effective for the file and B's execution is not sent."""
    tracks = tracks_for(ACTS["judgment_effective"])
    step, appealed = do(ACTS["appealed"], Stage.JUDGED, tracks=tracks, persons=[ONE])
    assert (appealed.persons[ONE].own, appealed.persons[TWO].own) == ("C6", "")
    assert code_of(ACTS["judgment_effective"], Stage.APPEALED, tracks=appealed) is ErrorCode.TRANSITION_NOT_ALLOWED
    with pytest.raises(GatewayError, match="TRANSITION_NOT_ALLOWED"):
        submit(RecordKind.EXECUTION, step.state, sender=str(CT), case_sequence=9)


def test_proposal_above_three_years_leaves_the_fast_track() -> None:
    """Adjusted to fourteen months it stays fast and is signed again; beyond three years it does not (CPL 222)."""
    row = ACTS["proposal_adjusted"]
    step, tracks = do(row, Stage.TRIAL_FAST)
    assert (step.state.stage, tracks.persons[ONE].recognizance) == (Stage.TRIAL_FAST, "due")
    assert do(row, Stage.RECOGNIZED)[0].state.stage is Stage.REVIEW_FAST
    assert code_of(row, Stage.TRIAL_FAST, expected_months=36.5) is ErrorCode.TRANSITION_NOT_ALLOWED


def test_non_prosecution_is_reopened_only_after_177_2() -> None:
    """Who retracts after a non-prosecution for a minor offence comes back to review (SPP 278)."""
    row = ACTS["nonprosecution_reopened"]
    step, tracks = do(row, Stage.NON_PROSECUTED)
    assert (step.state.stage, tracks.persons[ONE].own) == (Stage.REVIEW_ORDINARY, "")
    assert code_of(row, Stage.NON_PROSECUTED, ground="177-1") is ErrorCode.TRANSITION_NOT_ALLOWED
    assert do(row, Stage.REVIEW_FAST)[0].state.stage is Stage.REVIEW_FAST


def test_prosecution_is_withdrawn_only_when_asked_and_the_file_goes_back() -> None:
    """The court rules on what the procuratorate asks, and the procuratorate has the file again."""
    row = ACTS["prosecution_withdrawn"]
    assert code_of(row, Stage.ACCEPTED, tracks=Tracks()) is ErrorCode.TRANSITION_NOT_ALLOWED
    _, asked = do(ACTS["withdrawal_asked"], Stage.ACCEPTED, issuer=PR, holder=str(CT), tracks=Tracks())
    step, _ = do(row, Stage.ACCEPTED, tracks=asked)
    assert (step.state.stage, step.state.holder) == (Stage.PROSECUTION_WITHDRAWN, str(PR))
