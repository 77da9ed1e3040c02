"""Service of a judgment on each recipient, and what it tells the clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.core.case.item import Victim
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import find_due
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import Fold, fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.clock.warning import is_breached
from gateway.core.fact.fact import KnownFact
from gateway.core.fact.of_record import read_record_facts
from gateway.core.procedure.service import (
    APPEAL_DAYS,
    RECIPIENTS,
    is_period_over,
    is_served,
    serve,
    serve_file,
    unserve,
)
from gateway.core.procedure.track import PersonTrack, Tracks
from gateway.core.procedure.track_cause import read_act_cause, read_act_facts
from gateway.core.route import RecordKind
from tests.support.bundle import make_statement
from tests.support.dossier import make_case

A, B = "a" * 32, "b" * 32
CASE = "A9990010000002026010001"
TABLE = load_clock_table()
TRACKS = Tracks(persons={A: PersonTrack(), B: PersonTrack()})


COUNTING = Counting(load_calendar(), TABLE.settings)


def told(*acts: tuple[str, str, dict[str, Any]]) -> Fold:
    """The clocks after acts: name, day and body of each."""
    return fold_facts(tell(*acts), TABLE, COUNTING)


def tell(*acts: tuple[str, str, dict[str, Any]]) -> list[KnownFact]:
    """What acts tell."""
    facts = []
    for act, day, body in acts:
        at = datetime.fromisoformat(f"{day}T02:00:00+00:00")
        statement = make_statement({"act": act, **body}, CASE, issuer="ct:999001", created_at=at, occurred_at=at)
        cause = read_act_cause(statement, pseudonym=lambda key: key)
        facts += [KnownFact(fact, at) for fact in read_act_facts(statement, cause, TRACKS)]
    return facts


def running(found: Fold) -> set[tuple[str, str]]:
    """Person and recipient of each K37 that runs."""
    return {(key[0], key[2].partition("/")[2]) for key in found.book.running if key[1] == "K37"}


def test_appeal_of_one_defendant_stops_his_limit_and_nobody_elses() -> None:
    """Scenario 24: A, B and the procuratorate are served one by one; A appeals, the others' limits run on."""
    found = told(
        ("judgment_served", "2026-03-02", {"persons": [A]}),
        ("judgment_served", "2026-03-05", {"persons": [B]}),
        ("judgment_served", "2026-03-06", {"persons": [A, B], "recipient": "PROCURATORATE"}),
        ("appealed", "2026-03-09", {"persons": [A]}),
    )
    assert running(found) == {(B, "DEFENDANT"), (A, "PROCURATORATE"), (B, "PROCURATORATE")}
    protested = told(
        ("judgment_served", "2026-03-02", {"persons": [A]}),
        ("judgment_served", "2026-03-06", {"persons": [A], "recipient": "PROCURATORATE"}),
        ("protested", "2026-03-09", {}),
    )
    assert running(protested) == {(A, "DEFENDANT")}


def test_limit_of_service_runs_for_each_recipient_until_that_one_was_served() -> None:
    """K36: two defendants, the procuratorate for each, and two victims; who is served late is late alone."""
    victims = (Victim(key="V1"), Victim(key="V2"))
    persons = tuple(replace(make_case().persons[0], key=key) for key in (A, B))
    case = replace(make_case(), judgment_on=date(2026, 3, 2), persons=persons, victims=victims, documents=())
    at = datetime.fromisoformat("2026-03-02T02:00:00+00:00")
    transfer, before = replace(case, judgment_on=None), at - timedelta(days=20)
    told_by_record = [KnownFact(fact, before) for fact in read_record_facts(transfer, RecordKind.TRANSFER, before)]
    # The court's record names no victims; who they are, the transfer has told.
    judgment = replace(case, victims=())
    told_by_record += [KnownFact(fact, at) for fact in read_record_facts(judgment, RecordKind.JUDGMENT, at)]
    acts: list[tuple[str, str, dict[str, Any]]] = [
        ("judgment_served", "2026-03-03", {"persons": [A]}),
        ("judgment_served", "2026-03-04", {"persons": [A, B], "recipient": "PROCURATORATE"}),
        ("judgment_served", "2026-03-05", {"persons": [A, B], "recipient": "VICTIM", "victims": ["V1"]}),
    ]

    def waiting(*more: tuple[str, str, dict[str, Any]]) -> set[tuple[str, str]]:
        found = fold_facts([*told_by_record, *tell(*acts, *more)], TABLE, COUNTING)
        return {(key[0], key[2]) for key in found.book.running if key[1] == "K36"}

    assert waiting() == {(B, "DEFENDANT"), ("V2", "VICTIM")}
    late = ("judgment_served", "2026-03-10", {"persons": [B]})
    assert waiting(late) == {("V2", "VICTIM")}
    found = fold_facts([*told_by_record, *tell(*acts, late)], TABLE, COUNTING)
    ended = {clock.key: is_breached(clock, find_due(clock, COUNTING), at) for clock in found.book.ended}
    assert {key for key, breached in ended.items() if breached} == {(B, "K36", "DEFENDANT")}
    assert len([key for key in ended if key[1] == "K36"]) == 5
    second = {"persons": [A], "recipient": "VICTIM", "victims": ["V2"]}
    assert not waiting(late, ("judgment_served", "2026-03-06", second))


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_service_counts_for_its_recipient_and_for_the_last_day(recipient: str) -> None:
    """A service on somebody else is none on the person; the latest of all decides."""
    track = serve(serve(PersonTrack(), recipient, "2026-03-05"), "VICTIM", "2026-03-02")
    assert track.served_last == "2026-03-05"
    assert bool(track.served) is (recipient == "DEFENDANT")
    assert bool(track.served_pr) is (recipient == "PROCURATORATE")
    assert unserve(track) == PersonTrack()
    last = date(2026, 3, 5) + timedelta(days=APPEAL_DAYS)
    assert not is_period_over([track], last)
    assert is_period_over([track], last + timedelta(days=1))


def test_nobody_served_has_no_period_that_is_over() -> None:
    """Unknown services never read as passed."""
    assert not is_period_over([], datetime.now(UTC).date())
    assert not is_period_over([PersonTrack(), serve(PersonTrack(), "DEFENDANT", "2020-01-01")], date(2026, 1, 1))
    both = serve_file(serve_file(TRACKS, "DEFENDANT", "2026-03-02"), "PROCURATORATE", "2026-03-02")
    assert is_served(both.persons.values())
    assert not is_served(serve_file(TRACKS, "DEFENDANT", "2026-03-02").persons.values())
