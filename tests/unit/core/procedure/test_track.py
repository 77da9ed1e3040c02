"""Person tracks: how they are kept, and what handoffs do to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Role
from gateway.core.procedure.lifecycle import Act, CaseState, Stage, Step, submit
from gateway.core.procedure.track import MAX_KEPT_BYTES, REGIONS, PersonTrack, Tracks, from_row, row_sha256, to_row
from gateway.core.procedure.track_step import track_decide, track_submit
from gateway.core.route import RecordKind

ONE, TWO = "1" * 32, "2" * 32
PR = "pr:999001"
DAY = date(2026, 3, 2)
BY_PR: dict[str, Any] = {"receiver": Role.PROCURATORATE, "on": DAY}


def at(stage: Stage, holder: str = PR) -> CaseState:
    """A state in the middle of a case."""
    return CaseState(stage=stage, holder=holder, moved_at=3)


def hand(
    kind: RecordKind, before: CaseState, tracks: Tracks, persons: dict[str, Any], **cause: Any
) -> tuple[Step, Tracks]:
    """Submit a handoff with what its record says."""
    step = submit(kind, before, sender=before.holder or PR, case_sequence=9)
    return track_submit(kind, before, step, tracks, {"persons": persons, **cause}, sequence=9, on=DAY)


def codes(kind: RecordKind, before: CaseState, tracks: Tracks, persons: dict[str, Any]) -> list[ErrorCode]:
    """Codes by which a handoff is refused."""
    with pytest.raises(GatewayError) as refused:
        hand(kind, before, tracks, persons)
    return [finding.code for finding in refused.value.findings]


def test_row_is_read_back_the_same_with_its_cause() -> None:
    """What lies beside an entry says how everybody stands, and what made it so."""
    track = PersonTrack(**{name: values[-1] for name, values in REGIONS.items()}, served="2026-01-05", moved_at=7)
    tracks = Tracks(
        persons={ONE: track, TWO: PersonTrack()}, lane="fast", passing_to=PR, handed_on={"c" * 32: {"persons": {}}},
        joined=("d" * 32,), property="frozen", frozen_until="2026-02-01", recordings="asked", reasons="given",
        withdrawal_asked_by=PR,
    )  # fmt: skip
    row = to_row(tracks, {"act": "x"})
    assert from_row(row) == (tracks, {"act": "x"})
    assert from_row(to_row(None, {"act": "y"})) == (None, {"act": "y"})
    assert (len(row_sha256(row)), row_sha256(b"")) == (64, "")


@pytest.mark.parametrize(
    "row",
    [b"", b"[]", b"{}", b'{"cause":{},"tracks":{}}', b'{"cause":{},"tracks":{"persons":{"a":{"custody":"gone"}}}}',
     b'{"cause":{},"tracks":{"persons":{"a":{"name":"x"}}}}', b" " * (1024 * 1024 + 1)],
)  # fmt: skip
def test_row_of_another_form_is_no_tracks(row: bytes) -> None:
    """A row that was tampered with is said to be unreadable, never read in part."""
    with pytest.raises(ValueError, match=r".*"):
        from_row(row)


def test_transfer_makes_a_track_of_each_person_and_says_the_lane() -> None:
    """Measures come from the record; what it leaves open stays as it was."""
    known = Tracks(persons={ONE: PersonTrack(custody="bail", legal_aid="assigned", recognizance="signed")})
    step, tracks = hand(
        RecordKind.TRANSFER, CaseState(), known, {ONE: {}, TWO: {"custody": "detained"}}, lane="ordinary"
    )
    assert step.state.stage is Stage.IN_TRANSFER_PR
    assert tracks.persons[ONE] == PersonTrack(custody="bail", legal_aid="assigned")
    assert (tracks.persons[TWO].custody, tracks.lane) == ("detained", "ordinary")


@pytest.mark.parametrize(("lane", "stage"), [("fast", "J1"), ("", "J1"), ("ordinary", "J1o")])
def test_acceptance_goes_to_the_lane_and_custody_needs_a_certificate(lane: str, stage: str) -> None:
    """What was proposed fast and not found ineligible is reviewed fast; who is in custody is exchanged (换押)."""
    tracks = Tracks(persons={ONE: PersonTrack(custody="arrested"), TWO: PersonTrack(custody="bail")}, lane=lane)
    step = Step(at(Stage.REVIEW_FAST), ("T06",))
    after, tracks = track_decide(RecordKind.TRANSFER, Act.ACCEPTED, step, tracks, submitted_sequence=1, **BY_PR)
    assert after.state.stage.value == stage
    assert [track.exchange for track in tracks.persons.values()] == ["due", "none"]


@pytest.mark.parametrize(("receiver", "exchanged"), [(Role.POLICE, ["due", "none"]), (Role.JUSTICE, ["none", "none"])])
def test_execution_that_the_police_take_over_needs_a_certificate_for_who_is_in_custody(
    receiver: Role, exchanged: list[str]
) -> None:
    """Scenario 2: after the judgment too, who is held changes hands by 换押; who is corrected in freedom does not."""
    tracks = Tracks(persons={ONE: PersonTrack(custody="arrested"), TWO: PersonTrack(custody="released")})
    taken: dict[str, Any] = {"receiver": receiver, "on": date(2026, 3, 20), "submitted_sequence": 1}
    _, after = track_decide(
        RecordKind.EXECUTION, Act.ACCEPTED, Step(at(Stage.EXECUTION_SENT), ("T20",)), tracks, **taken
    )
    assert [track.exchange for track in after.persons.values()] == exchanged


def test_non_prosecution_of_some_leaves_the_file_with_the_others() -> None:
    """Who is not prosecuted is released and leaves; with the last one the file itself ends."""
    tracks = Tracks(persons={ONE: PersonTrack(custody="arrested"), TWO: PersonTrack()})
    before = at(Stage.REVIEW_FAST)
    step, after = hand(RecordKind.NON_PROSECUTION, before, tracks, {ONE: {"nonprosecuted": True}})
    assert (step.state.stage, step.state.moved_at, step.transitions) == (Stage.REVIEW_FAST, 3, ("T13",))
    assert (after.persons[ONE].own, after.persons[ONE].custody) == ("J4", "released")
    step, last = hand(RecordKind.NON_PROSECUTION, before, after, {TWO: {"nonprosecuted": True}})
    assert step.state.stage is Stage.NON_PROSECUTED
    _, undone = track_decide(RecordKind.NON_PROSECUTION, Act.WITHDRAWN, step, last, submitted_sequence=9, **BY_PR)
    assert {track.own for track in undone.persons.values()} == {""}


def test_non_prosecution_withdrawn_brings_back_its_own_persons_only() -> None:
    """Who was not prosecuted by an earlier handoff stays not prosecuted when a later one is withdrawn."""
    before = PersonTrack(own="J4", moved_at=4)
    tracks = Tracks(persons={ONE: before, TWO: PersonTrack(own="J4", moved_at=9)})
    step = Step(at(Stage.REVIEW_FAST), ())
    _, undone = track_decide(RecordKind.NON_PROSECUTION, Act.WITHDRAWN, step, tracks, submitted_sequence=9, **BY_PR)
    assert (undone.persons[ONE], undone.persons[TWO].own) == (before, "")


def test_indictment_takes_everybody_who_is_with_the_file_and_nobody_else() -> None:
    """Nobody is left behind, and nobody comes back who has left; whoever was at large may come."""
    before = at(Stage.REVIEW_FAST)
    tracks = Tracks(persons={ONE: PersonTrack(), TWO: PersonTrack(own="T")})
    assert codes(RecordKind.INDICTMENT, before, tracks, {TWO: {}}) == [
        ErrorCode.PERSON_HAS_LEFT, ErrorCode.PERSON_LEFT_BEHIND,
    ]  # fmt: skip
    absent = tracks.change({TWO: PersonTrack(own="J0r")})
    _, after = hand(RecordKind.INDICTMENT, before, absent, {ONE: {}, TWO: {}})
    assert after.persons[TWO].own == ""


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.TRIAL_FAST])
def test_judgment_on_the_fast_track_needs_every_consent_and_signature(stage: Stage) -> None:
    """One who withdraws consent, or must sign again, holds the whole case; a converted case is not held."""
    tracks = Tracks(persons={ONE: PersonTrack(consent="refused"), TWO: PersonTrack(recognizance="due")})
    assert codes(RecordKind.JUDGMENT, at(stage), tracks, {}) == [ErrorCode.TRACK_NOT_ALLOWED] * 2
    assert hand(RecordKind.JUDGMENT, at(Stage.TRIAL_ORDINARY), tracks, {})[0].state.stage is Stage.JUDGED


def test_execution_waits_for_the_last_service() -> None:
    """Co-defendants were served on different days: nothing is executed before all were."""
    served = PersonTrack(served="2026-01-05", served_last="2026-01-05")
    some = Tracks(persons={ONE: served, TWO: PersonTrack()})
    assert codes(RecordKind.EXECUTION, at(Stage.JUDGED), some, {}) == [ErrorCode.TRACK_NOT_ALLOWED]
    hand(RecordKind.EXECUTION, at(Stage.JUDGED), Tracks(persons={ONE: served}), {})
    late = replace(served, served_last=(DAY - timedelta(days=10)).isoformat())
    assert codes(RecordKind.EXECUTION, at(Stage.JUDGED), Tracks(persons={ONE: late}), {}) == [
        ErrorCode.TRACK_NOT_ALLOWED
    ]
    with pytest.raises(GatewayError, match="TRANSITION_NOT_ALLOWED"):
        hand(RecordKind.EXECUTION, at(Stage.APPEALED), some, {})


def test_adverse_assessment_holds_a_judgment_with_community_correction_back_until_it_is_set_aside() -> None:
    """T18: only with a recorded reason; a copy that comes later undoes nothing, and other judgments need none."""
    trial = replace(at(Stage.ACCEPTED, "ct:999001"), assessment=type(at(Stage.ACCEPTED).assessment).COMMISSIONED)
    opinion = RecordKind.ASSESSMENT_OPINION
    _, tracks = hand(opinion, trial, Tracks(persons={ONE: PersonTrack()}), {ONE: {"adverse": True}})
    assert tracks.persons[ONE].assessment == "adverse"
    assert codes(RecordKind.JUDGMENT, trial, tracks, {ONE: {"correction": True}}) == [ErrorCode.TRACK_NOT_ALLOWED]
    assert hand(RecordKind.JUDGMENT, trial, tracks, {ONE: {}})[0].state.stage is Stage.JUDGED
    aside = tracks.change({ONE: replace(tracks.persons[ONE], assessment="set_aside")})
    _, copied = hand(opinion, trial, aside, {ONE: {"adverse": True}})
    assert copied.persons[ONE].assessment == "set_aside"
    assert hand(RecordKind.JUDGMENT, trial, copied, {ONE: {"correction": True}})[0].state.stage is Stage.JUDGED
    judged = replace(trial, stage=Stage.JUDGED)
    assert (
        hand(opinion, judged, Tracks(persons={ONE: PersonTrack()}), {ONE: {"adverse": True}})[1].persons[ONE].assessment
        == "late"
    )


def test_assessment_is_of_persons_and_may_come_late() -> None:
    """An opinion after the judgment is late and blocks nothing (scenario 20)."""
    _, asked = hand(RecordKind.ASSESSMENT_REQUEST, at(Stage.REVIEW_FAST), Tracks(), {ONE: {}})
    assert asked.persons[ONE].assessment == "commissioned"
    judged = replace(at(Stage.JUDGED), assessment=type(at(Stage.JUDGED).assessment).COMMISSIONED)
    _, late = hand(RecordKind.ASSESSMENT_OPINION, judged, asked, {ONE: {}})
    assert late.persons[ONE].assessment == "late"
    step = Step(judged, ())
    _, back = track_decide(RecordKind.ASSESSMENT_REQUEST, Act.REFUSED, step, asked, submitted_sequence=9, **BY_PR)
    assert back.persons[ONE].assessment == "none"


def test_tracks_of_five_hundred_persons_fit_beside_an_entry() -> None:
    """A case of five hundred suspects is an ordinary case."""
    persons = {f"{number:032x}": {"custody": "detained"} for number in range(500)}
    _, tracks = hand(RecordKind.TRANSFER, CaseState(), Tracks(), persons, lane="fast")
    row = to_row(tracks, {"persons": persons, "lane": "fast"})
    assert len(row) < 64 * 1024
    assert from_row(row)[0] == tracks


@pytest.mark.parametrize(("length", "is_kept"), [(MAX_KEPT_BYTES, True), (MAX_KEPT_BYTES + 1, False)])
def test_row_when_long_is_not_remembered(length: int, is_kept: bool) -> None:
    """Rows up to 1 MiB from outside cannot fill the memory of a gateway with what it has read."""
    row = to_row(None, {"act": "z"}).ljust(length)
    assert (from_row(row) is from_row(row)) is is_kept


def test_judgment_that_the_procuratorate_accepts_is_served_on_it() -> None:
    """The handover of the judgment is a service; on the police it is none."""
    two = Tracks(persons={ONE: PersonTrack(served="2026-02-20", served_last="2026-02-20"), TWO: PersonTrack(own="S")})
    step = Step(at(Stage.JUDGED), ())
    _, after = track_decide(RecordKind.JUDGMENT, Act.ACCEPTED, step, two, submitted_sequence=1, **BY_PR)
    assert (after.persons[ONE].served_pr, after.persons[ONE].served_last) == (DAY.isoformat(), DAY.isoformat())
    assert after.persons[TWO] == two.persons[TWO]
    by_police: Any = {**BY_PR, "receiver": Role.POLICE}
    assert track_decide(RecordKind.JUDGMENT, Act.ACCEPTED, step, two, submitted_sequence=1, **by_police)[1] == two
