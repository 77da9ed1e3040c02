"""From facts to clocks: every clock of the table is started and stopped by facts, in whatever order they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import find_due
from gateway.core.clock.due import Counting, Moment
from gateway.core.clock.fold import Fold, fold_facts
from gateway.core.clock.overdue import judge_overdue
from gateway.core.clock.table import load_clock_table
from gateway.core.errors import ErrorCode
from gateway.core.fact.fact import Fact, KnownFact, to_moment_text
from gateway.core.fact.order import WORDS, order_facts
from gateway.core.procedure.act_table import load_acts
from tests.support.step_fold import Steps

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
P, Q, ACCOUNT = "a" * 32, "b" * 32, "c" * 32


def at(day: str, hour: int = 9) -> datetime:
    """An instant of a day in China."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=CHINA_TIME)


def tell(kind: str, moment: Moment | str, person: str = P, known: datetime | None = None, **inputs: Any) -> KnownFact:
    """A fact that became known at once, unless another time is given."""
    when: Moment = at(moment) if isinstance(moment, str) else moment
    seen = when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, 12, tzinfo=CHINA_TIME)
    return KnownFact(Fact(kind=kind, at=when, person=person, inputs=inputs), known or seen)


def fold(*facts: KnownFact) -> Fold:
    """The clocks of facts."""
    return fold_facts(facts, TABLE, COUNTING)


def due_of(found: Fold, clock: str, step: str = "", person: str = P) -> str:
    """The end of a running clock."""
    due = find_due(found.book.running[person, clock, step], COUNTING)
    assert due is not None
    return due.at.isoformat()


class Row(NamedTuple):
    """A clock with what starts and stops it.

    Args:
        clock: id.
        start: kind of the fact.
        stop: kind of the fact.
        inputs: of the start.
        step: third part of the key.
        before: facts that must be known before.
        person: whose clock it is; "" for the file.
        stop_inputs: of the stop.
    """

    clock: str
    start: str
    stop: str
    inputs: Mapping[str, Any] = MappingProxyType({})
    step: str = ""
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    person: str = P
    stop_inputs: Mapping[str, Any] = MappingProxyType({})


def named(**about: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
    """A record that names the person, with what is known."""
    return (("named", about),)


ROWS = [
    Row("K01", "summons_arrived", "summons_ended"),
    Row("K02", "emergency_handled", "report_registered", person=""),
    Row("K03", "report_accepted", "case_filed", person=""),
    Row("K03", "report_accepted", "case_not_filed", person=""),
    Row("K04", "case_not_filed", "notice_served", step="NOTICE", person=""),
    Row(
        "K04", "notice_served", "remedy_requested", step="RECONSIDERATION_REQUEST", person="",
        before=(("case_not_filed", {}),),
    ),
    Row("K05", "no_jurisdiction_found", "case_transferred", person=""),
    Row("K06", "detained", "detention_centre_received"),
    Row("K07", "detained", "family_notified"),
    Row("K07", "detained", "notice_exempted"),
    Row("K08", "detained", "interrogation_begun"),
    *(Row("K09", "detained", stop) for stop in ("arrest_requested", "released", "bailed", "prosecution_transferred")),
    Row("K10", "pr_arrest_request_received", "arrest_decided"),
    *(Row("K11", "arrested", stop) for stop in ("prosecution_transferred", "released", "bailed")),
    Row("K12", "bailed", "released"),
    Row("K12", "surveillance_ordered", "arrested"),
    Row("K13", "measure_taken", "measure_reported", {"foreigner": True}),
    Row("K14", "meeting_requested", "meeting_held"),
    Row("K15", "duty_lawyer_requested", "legal_aid_notified"),
    Row("K16", "counsel_mandatory_found", "legal_aid_notified", step="NOTIFY"),
    Row("K16", "legal_aid_notified", "counsel_assigned", step="ASSIGN", before=(("counsel_mandatory_found", {}),)),
    Row("K20", "pr_received", "counsel_right_notified"),
    Row("K21", "pr_no_jurisdiction_found", "case_transferred"),
    *(
        Row("K22", start, stop, before=named(procedure="FAST"))
        for start in ("pr_received", "pr_received_again")
        for stop in ("indicted", "not_prosecuted", "returned_for_investigation", "left_lane")
    ),
    *(Row("K23", "pr_received", stop) for stop in ("indicted", "not_prosecuted", "returned_for_investigation")),
    Row("K24", "ps_return_received", "transferred_again"),
    Row("K25", "non_prosecution_received", "remedy_requested", {"step": "VICTIM"}, "VICTIM"),
    Row(
        "K25", "remedy_requested", "reconsideration_decided", step="PR_RECONSIDERATION",
        before=(("non_prosecution_received", {"step": "POLICE_RECONSIDERATION"}),),
    ),
    Row("K30", "ct_received", "ct_accepted"),
    Row("K30", "ct_received", "ct_returned"),
    *(
        Row("K31", "ct_received", stop, before=named(procedure="FAST", expected_months=6))
        for stop in ("judged", "converted", "ct_returned")
    ),
    Row("K32", "ct_accepted", "judged", before=named(procedure="SUMMARY")),
    Row("K32", "converted", "judged", {"procedure": "SUMMARY"}, before=named(procedure="FAST")),
    Row("K33", "ct_accepted", "judged"),
    Row("K33", "converted", "judged", {"procedure": "ORDINARY"}, before=named(procedure="FAST")),
    Row("K34", "supplement_asked", "supplement_received"),
    Row("K35", "ct_received", "measure_decided", before=(("bailed", {}),)),
    Row("K36", "judgment_pronounced", "judgment_served"),
    Row("K37", "judgment_served", "appealed", {"recipient": "DEFENDANT"}, "JUDGMENT/DEFENDANT"),
    Row("K37", "ruling_served", "appealed", step="RULING"),
    Row("K37", "judgment_served", "protest_requested", {"recipient": "VICTIM"}, "VICTIM_REQUEST/VICTIM"),
    Row("K37", "protest_requested", "protest_answered", step="PROTEST_ANSWER"),
    Row("K38", "judgment_effective", "execution_received"),
    *(
        Row("K39", "judgment_effective", stop, {"community_correction": True}, step)
        for step, stop in (
            ("NOTICE", "correction_notified"),
            ("DOCUMENTS", "correction_documents_received"),
            ("REPORT_IN", "offender_reported"),
        )
    ),
    Row("K40", "judgment_effective", "property_notice_received", step="NOTICE", person=""),
    Row("K40", "property_notice_received", "property_receipt_received", step="RECEIPT", person=""),
    Row("K40", "property_notice_received", "bank_executed", {"frozen_funds": True}, "BANK", person=""),
    Row("K41", "assessment_commission_received", "assessment_given", {"fast_track": True}),
    Row("K42", "frozen", "freeze_lifted", {"asset": "DEPOSIT"}, person=ACCOUNT),
    Row("K43", "frozen", "freeze_verified", {"whole_account": True}, "VERIFY", person=ACCOUNT),
    Row("K43", "unrelated_found", "freeze_lifted", step="LIFT_UNRELATED", person=ACCOUNT),
    Row("K44", "expertise_ordered", "expertise_received"),
    Row("K45", "case_filed", "judged", {"drunk_driving": True}),
    Row("K46", "legal_review_asked", "legal_review_given", person=""),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.clock}-{row.start}-{row.stop}")
def test_clock_is_started_and_stopped_by_facts(row: Row) -> None:
    """The start fact starts it for whom it belongs to, the stop fact stops it, and twice each changes nothing."""
    person = row.person or P
    before = [tell(kind, "2026-03-02", person, **inputs) for kind, inputs in row.before]
    start = tell(row.start, "2026-03-03", person, **row.inputs)
    stop = tell(row.stop, at("2026-03-03", 15), person, **row.stop_inputs)
    key = (row.person, row.clock, row.step)
    started = fold(*before, start, start)
    assert key in started.book.running
    assert started.problems == ()
    stopped = fold(*before, start, stop, stop)
    assert key not in stopped.book.running
    assert [clock.stopped_at for clock in stopped.book.ended if clock.key == key] == [stop.fact.at]


def test_every_clock_has_a_row_and_every_event_a_place() -> None:
    """A clock that no fact can start would never warn; an event without a place could not be ordered."""
    assert {row.clock for row in ROWS} == {row.id for row in TABLE.rows}
    assert {event for row in TABLE.rows for event in (*row.starts, *row.stops)} <= set(WORDS)
    assert len(WORDS) == len(set(WORDS))


def test_every_fact_of_a_procedural_act_has_a_place() -> None:
    """A word of ``acts.yaml`` that no clock knows would be lost without a trace."""
    assert {row.fact for row in load_acts().values()} - {""} <= set(WORDS)


def test_every_step_of_a_row_can_start() -> None:
    """A step whose condition nothing fulfils would never warn."""
    started = {(row.clock, row.step.partition("/")[0]) for row in ROWS}
    missing = {(row.id, step) for row in TABLE.rows for step in row.steps} - started
    assert missing == {
        ("K04", "RECONSIDERATION"), ("K04", "REVIEW_REQUEST"), ("K04", "REVIEW"),
        ("K25", "POLICE_RECONSIDERATION"), ("K25", "POLICE_REVIEW"), ("K25", "UPPER_PR_REVIEW"),
        ("K25", "NON_PROSECUTED"),
    }  # fmt: skip
    chain = ["case_not_filed", "notice_served", "remedy_requested", "reconsideration_decided", "review_requested"]
    facts = [tell(kind, f"2026-03-{day:02}", "") for day, kind in enumerate(chain, 2)]
    found = fold(*facts, tell("remedy_decided", "2026-03-09", ""))
    assert [clock.inputs["step"] for clock in found.book.ended] == [
        "NOTICE", "RECONSIDERATION_REQUEST", "RECONSIDERATION", "REVIEW_REQUEST", "REVIEW",
    ]  # fmt: skip
    refused = fold(
        *[tell(kind, f"2026-03-{day:02}") for day, kind in enumerate(["non_prosecution_received", *chain[2:]], 2)]
    )
    assert {clock.inputs["step"] for clock in refused.book.ended} == {
        "POLICE_RECONSIDERATION", "VICTIM", "NON_PROSECUTED", "PR_RECONSIDERATION", "POLICE_REVIEW",
    }  # fmt: skip
    assert [key[2] for key in refused.book.running] == ["UPPER_PR_REVIEW"]


FAST = tell("named", "2026-02-04", procedure="FAST", expected_months=6)


def test_dues_of_two_persons_differ_by_custody() -> None:
    """Scenario 4: the tenth day lies in the Spring Festival; in custody it stays, on bail it moves."""
    found = fold(
        FAST,
        tell("named", "2026-02-04", Q, procedure="FAST", expected_months=6),
        tell("detained", "2026-02-03"),
        tell("bailed", "2026-02-03", Q),
        tell("pr_received", "2026-02-05"),
        tell("pr_received", "2026-02-05", Q),
    )
    assert (due_of(found, "K22"), due_of(found, "K22", person=Q)) == ("2026-02-15", "2026-02-24")


def test_custody_not_known_moves_nothing() -> None:
    """Nobody said whether the person is in custody, so no holiday gives more time, and the book says so."""
    found = fold(FAST, tell("pr_received", "2026-02-05"))
    assert due_of(found, "K22") == "2026-02-15"
    assert P not in found.custody
    ended = fold(
        FAST, tell("bailed", "2026-02-03"), tell("pr_received", "2026-02-05"), tell("measure_ended", "2026-02-10")
    )
    assert due_of(ended, "K22") == "2026-02-15"
    assert ended.custody == {P: None}


def test_sentence_not_known_gives_ten_days() -> None:
    """A proposal that nobody made is not one above a year."""
    found = fold(
        tell("named", "2026-02-04", procedure="FAST"), tell("detained", "2026-02-03"), tell("pr_received", "2026-03-02")
    )
    assert due_of(found, "K22") == "2026-03-12"


@pytest.mark.parametrize(("known", "due"), [("2026-03-12", "2026-03-17"), ("2026-03-13", "2026-03-12")])
def test_higher_proposal_counts_only_before_the_tenth_day_ends(known: str, due: str) -> None:
    """The trap of K22: recorded on the tenth day it gives five more, afterwards nothing, whatever date it bears."""
    risen = tell("proposed", "2026-03-05", known=at(known, 23), expected_months=13)
    found = fold(FAST, tell("detained", "2026-02-03"), tell("pr_received", "2026-03-02"), risen)
    assert due_of(found, "K22") == due
    assert [problem.code for problem in found.problems] == ([] if due > known else [ErrorCode.CLOCK_ACT_TOO_LATE])


def test_exactly_one_year_is_ten_days_and_a_month_more_fifteen() -> None:
    """Scenario 3."""
    for months, due in ((12, "2026-03-12"), (13, "2026-03-17")):
        about = tell("named", "2026-03-01", procedure="FAST", expected_months=months)
        assert due_of(fold(about, tell("detained", "2026-02-03"), tell("pr_received", "2026-03-02")), "K22") == due


def test_leaving_the_lane_keeps_the_start() -> None:
    """K23 takes the place of K22 from the same receipt."""
    found = fold(
        FAST, tell("detained", "2026-02-03"), tell("pr_received", "2026-03-02"), tell("left_lane", "2026-03-09")
    )
    assert due_of(found, "K23") == "2026-04-02"
    assert (P, "K22", "") not in found.book.running


def test_conversion_starts_the_trial_anew() -> None:
    """The limit of the summary trial runs from the decision, not from the receipt."""
    facts = [FAST, tell("detained", "2026-02-03"), tell("ct_received", "2026-03-02"), tell("ct_accepted", "2026-03-04")]
    assert due_of(fold(*facts), "K31") == "2026-03-12"
    found = fold(*facts, tell("converted", "2026-03-10", procedure="SUMMARY"))
    assert due_of(found, "K32") == "2026-03-30"
    assert (P, "K31", "") not in found.book.running


def test_transfer_again_starts_the_review_anew() -> None:
    """K22 begins again with the second receipt, and K24 ends with the second transfer."""
    found = fold(
        FAST,
        tell("detained", "2026-02-03"),
        tell("pr_received", "2026-03-02"),
        tell("returned_for_investigation", "2026-03-06"),
        tell("ps_return_received", "2026-03-07"),
        tell("transferred_again", "2026-04-01"),
        tell("pr_received_again", "2026-04-02"),
    )
    assert due_of(found, "K22") == "2026-04-12"
    assert (P, "K24", "") not in found.book.running


def test_third_return_starts_no_third_month() -> None:
    """Two in all, whichever office it is; the third does not run and is named."""
    facts = [
        tell(kind, day)
        for month in ("03", "04", "05")
        for kind, day in (("ps_return_received", f"2026-{month}-02"), ("transferred_again", f"2026-{month}-20"))
    ]
    found = fold(*facts)
    assert sum(clock.rule.id == "K24" for clock in found.book.ended) == 2
    assert [problem.code for problem in found.problems] == [ErrorCode.CLOCK_RUNS_EXHAUSTED]


def test_handoff_does_not_touch_k09() -> None:
    """A transfer that was merely sent neither stops nor lengthens the three days of detention."""
    found = fold(
        tell("detained", "2026-03-02"), FAST, tell("named", "2026-03-03", procedure="FAST", expected_months=14)
    )
    assert due_of(found, "K09") == "2026-03-05"


def test_bail_of_another_organ_starts_anew_and_keeps_one_clock() -> None:
    """Twelve months from the court's own decision."""
    found = fold(tell("bailed", "2025-01-06"), tell("bailed", "2025-03-03"))
    assert found.book.running[P, "K12", ""].start == date(2025, 3, 3)
    assert sum(clock.rule.id == "K12" for clock in [*found.book.ended, *found.book.running.values()]) == 2


def test_drunk_driving_bail_is_not_decided_anew() -> None:
    """The DUI Opinion waives the court's new decision for that charge only; the thirty days of the chain run."""
    for is_drunk in (True, False):
        about = tell("named", "2026-03-02", drunk_driving=is_drunk)
        found = fold(
            about, tell("bailed", "2026-03-02"), tell("case_filed", "2026-03-01"), tell("ct_received", "2026-03-16")
        )
        assert ((P, "K35", "") in found.book.running) is not is_drunk
    found = fold(tell("case_filed", "2026-03-02", drunk_driving=True), tell("detained", "2026-03-02"))
    assert due_of(found, "K45") == "2026-04-01"


def test_expertise_suspends_and_the_rest_goes_on() -> None:
    """Ten days of expertise are ten days more; a clock that had passed before stays passed."""
    facts = [
        FAST,
        tell("detained", "2026-02-03"),
        tell("pr_received", "2026-03-02"),
        tell("expertise_ordered", "2026-03-05"),
    ]
    assert fold(*facts).book.running[P, "K22", ""].is_suspended
    found = fold(*facts, tell("expertise_received", "2026-03-15"))
    assert due_of(found, "K22") == "2026-03-22"
    late = fold(*facts[:3], tell("expertise_ordered", "2026-03-05", known=at("2026-03-20")))
    assert not late.book.running[P, "K22", ""].is_suspended
    assert [problem.code for problem in late.problems] == [ErrorCode.CLOCK_ACT_TOO_LATE]


def test_recipients_of_a_judgment_have_limits_of_their_own() -> None:
    """Scenario 24: served on different days; the limits end on different days, and one appeal stops one."""
    found = fold(
        tell("released", "2026-03-01"),
        tell("judgment_served", "2026-03-02", recipient="DEFENDANT"),
        tell("judgment_served", "2026-03-05", recipient="PROCURATORATE"),
        tell("appealed", "2026-03-06", recipient="DEFENDANT"),
    )
    assert [key[2] for key in found.book.running if key[1] == "K37"] == ["JUDGMENT/PROCURATORATE"]
    assert due_of(found, "K37", "JUDGMENT/PROCURATORATE") == "2026-03-16"


def test_extension_counts_from_when_it_became_known() -> None:
    """An extension dated in time that nobody recorded in time is none."""
    facts = [
        tell("detained", "2026-03-02"),
        tell("named", "2026-03-02", procedure="ORDINARY"),
        tell("pr_received", "2026-03-02"),
    ]
    longer: dict[str, Any] = {"clock": "K23", "extension": "complex"}
    assert due_of(fold(*facts, tell("extended", "2026-03-30", **longer)), "K23") == "2026-04-17"
    late = fold(*facts, tell("extended", "2026-03-30", known=at("2026-04-03"), **longer))
    assert due_of(late, "K23") == "2026-04-02"
    assert [problem.code for problem in late.problems] == [ErrorCode.CLOCK_ACT_TOO_LATE]
    unknown = fold(tell("extended", "2026-03-30", **longer))
    assert [problem.code for problem in unknown.problems] == [ErrorCode.CLOCK_NOT_RUNNING]


def test_release_known_too_late_does_not_move_a_last_day_that_has_passed() -> None:
    """The limit of a person in custody ended on a holiday; learning of the release afterwards gives no more time."""
    facts = [FAST, tell("detained", "2026-02-03"), tell("pr_received", "2026-02-05")]
    assert due_of(fold(*facts, tell("released", "2026-02-10")), "K22") == "2026-02-24"
    late = fold(*facts, tell("released", "2026-02-10", known=at("2026-02-17")))
    assert due_of(late, "K22") == "2026-02-15"
    assert late.custody == {P: False}


def test_time_that_is_missing_is_named_for_a_clock_of_hours() -> None:
    """A detention of which only the day is known proves nothing about 24 hours, and the day clocks run on."""
    found = fold(tell("detained", date(2026, 3, 2)))
    assert {(problem.clock, problem.code) for problem in found.problems} == {
        (clock, ErrorCode.CLOCK_START_INVALID) for clock in ("K06", "K07", "K08")
    }
    assert (P, "K09", "") in found.book.running


def test_day_and_instant_of_one_event_are_one_fact() -> None:
    """The court repeats the date of a detention whose time the police gave."""
    found = fold(tell("detained", date(2026, 3, 2)), tell("detained", at("2026-03-02", 14)))
    assert found.problems == ()
    assert found.book.running[P, "K06", ""].start == at("2026-03-02", 14)


def test_year_of_holidays_that_is_missing_stops_no_other_clock() -> None:
    """Scenario 26: what ends in 2027 is refused when it is counted; what does not go on."""
    found = fold(tell("bailed", "2026-03-02"), tell("judgment_pronounced", "2026-03-02"))
    with pytest.raises(Exception, match="CALENDAR_YEAR_MISSING"):
        due_of(found, "K12")
    assert due_of(found, "K36") == "2026-03-09"


FREQUENT = (
    "extended", "expertise_ordered", "expertise_received", "pr_received", "bailed", "detained", "left_lane", "left",
)  # fmt: skip
EXTENSIONS = [{"clock": row.id, "extension": name} for row in TABLE.rows for name in row.extensions]
FACTS = st.lists(
    st.builds(
        lambda kind, day, hour, person, late, inputs, extension: KnownFact(
            Fact(
                kind=kind,
                at=date(2026, 3, 1) + timedelta(day) if hour is None else at("2026-03-01", hour) + timedelta(day),
                person=person,
                inputs={**inputs, **extension} if kind == "extended" else inputs,
            ),
            at("2026-03-01", 12) + timedelta(day + late),
        ),
        st.sampled_from([*WORDS, *FREQUENT * 4]),
        st.integers(0, 60),
        st.none() | st.integers(0, 23),
        st.sampled_from([P, Q]),
        st.integers(0, 30),
        st.fixed_dictionaries(
            {},
            optional={
                "expected_months": st.sampled_from([6, 12, 13, 40]),
                "procedure": st.sampled_from(["FAST", "SUMMARY", "ORDINARY"]),
                "drunk_driving": st.booleans(),
                "recipient": st.sampled_from(["DEFENDANT", "VICTIM"]),
                "until": st.sampled_from(["2026-03-20", "2026-06-01"]),
            },
        ),
        st.sampled_from(EXTENSIONS),
    ),
    max_size=14,
)


@settings(deadline=None, max_examples=150)
@given(FACTS, st.randoms(use_true_random=False))
def test_fold_of_any_order_and_repetition_gives_the_same_book(facts: list[KnownFact], random: Any) -> None:
    """When facts become known, how often, and in which order they are read changes nothing."""
    first = fold(*facts)
    again = [*facts, *random.choices(facts, k=3)] if facts else []
    random.shuffle(again)
    second = fold(*again)
    assert (first.book.running, first.book.ended) == (second.book.running, second.book.ended)
    assert (first.custody, first.problems) == (second.custody, second.problems)
    keys = [clock.key for clock in first.book.running.values()]
    assert len(keys) == len(set(keys))


@settings(deadline=None, max_examples=200)
@given(st.lists(FACTS, max_size=3).map(lambda lists: [known for facts in lists for known in facts]))
def test_fold_in_place_gives_what_step_by_step_gives(facts: list[KnownFact]) -> None:
    """The fold writes in one book and freezes it at the end; a state made anew for each fact comes to the same."""
    found, plain = fold(*facts), Steps(TABLE, COUNTING).fold(facts)
    assert list(found.book.running.values()) == list(plain.clocks)
    assert found.book.ended == plain.ended
    assert (found.custody, found.problems) == (plain.custody, plain.problems)


@settings(deadline=None, max_examples=100)
@given(FACTS)
def test_fold_order_is_by_time(facts: list[KnownFact]) -> None:
    """Days never run backwards, nor do the instants of one day."""
    ordered = [known.fact.at for known in order_facts(facts)]
    days = [moment.date() if isinstance(moment, datetime) else moment for moment in ordered]
    assert days == sorted(days)
    instants = [moment for moment in ordered if isinstance(moment, datetime)]
    assert instants == sorted(instants)


def _indicted(hours: int, signed: datetime, late: int) -> tuple[Moment | None, datetime]:
    """When K22 ended by a reading, and when the gateway heard of the indictment that was signed before."""
    came = signed + timedelta(hours=late)
    facts = [
        tell("named", "2026-03-02", procedure="FAST"),
        tell("pr_received", "2026-03-02"),
        tell("indicted", came, signed_at=to_moment_text(signed)),
    ]
    reading = Counting(load_calendar(), replace(TABLE.settings, signed_send_hours=hours))
    (ended,) = (clock for clock in fold_facts(facts, TABLE, reading).book.ended if clock.rule.id == "K22")
    return ended.stopped_at, came


@pytest.mark.parametrize(("hours", "late", "is_trusted"), [
    (0, 36, False), (24, 36, False), (36, 36, True), (48, 1, True), (48, 300, False),
])  # fmt: skip
def test_signed_send_ends_a_limit_when_it_was_signed_only_where_the_reading_says_so(
    hours: int, late: int, is_trusted: bool
) -> None:
    """By default what is sent counts when the gateway has it; a signature older than the outage proves nothing."""
    signed = datetime(2026, 3, 12, 17, tzinfo=CHINA_TIME)
    stopped, came = _indicted(hours, signed, late)
    assert stopped == (signed if is_trusted else came)


def test_signature_before_the_limit_began_ends_nothing_earlier() -> None:
    """Nobody answers a file before having it."""
    stopped, came = _indicted(48, datetime(2026, 3, 1, 17, tzinfo=CHINA_TIME), 40)
    assert stopped == came


@pytest.mark.parametrize(("today", "is_over"), [("2026-04-07", False), ("2026-04-08", True)])
def test_act_of_a_limit_that_has_passed_waits_until_it_has(today: str, is_over: bool) -> None:
    """Scenario 14: reasons are asked for on the day after the month, not on its last; also when it has ended."""
    free = tell("bailed", "2026-03-01", measure="BAIL")
    running = [tell("named", "2026-03-02"), free, tell("ps_return_received", "2026-03-04")]
    for facts in (running, [*running, tell("transferred_again", today)]):
        found = judge_overdue(facts, "K24", at(today), TABLE, COUNTING, path="/body/act")
        assert [(one.code, one.path) for one in found] == [(ErrorCode.CLOCK_NOT_PASSED, "/body/act")] * (not is_over)
    assert judge_overdue([], "K24", at(today), TABLE, COUNTING, path="/body/act")
