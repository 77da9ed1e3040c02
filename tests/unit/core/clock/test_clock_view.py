"""Which limit of a file comes first, whoever of its persons it belongs to."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.alarm import Parties
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting, Moment
from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.clock.view import CaseClocks, view_clocks
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.identity import parse_agency

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
PR = parse_agency("pr:999001")
HELD, FREE = "a" * 32, "b" * 32
NOW = datetime(2026, 2, 6, 12, tzinfo=CHINA_TIME)


def tell(kind: str, at: Moment, person: str, **inputs: Any) -> KnownFact:
    """A fact known now."""
    return KnownFact(Fact(kind=kind, at=at, person=person, inputs=inputs), NOW)


def view(*facts: KnownFact) -> CaseClocks:
    """The limits of a case as the supervising procuratorate sees them."""
    parties = Parties({"procuratorate": str(PR)}, str(PR))
    return view_clocks(fold_facts(facts, TABLE, COUNTING), COUNTING, PR, parties, NOW)


def review(person: str) -> list[KnownFact]:
    """A person in the fast-track review over the Spring Festival, whose other limits are met."""
    start = date(2026, 2, 5)
    return [
        tell("named", start, person, procedure="FAST", expected_months=6),
        tell("pr_received", start, person),
        tell("counsel_right_notified", start, person),
    ]


def test_file_is_due_when_the_first_of_its_persons_is() -> None:
    """One suspect in custody, one free over the Spring Festival: the file is due with the first."""
    free = [tell("released", date(2026, 2, 4), FREE), *review(FREE)]
    held = [tell("arrested", date(2026, 2, 4), HELD), tell("prosecution_transferred", date(2026, 2, 5), HELD)]
    assert view(*free).due == date(2026, 2, 24)
    found = view(*free, *held, *review(HELD))
    assert (found.due_clock, found.due) == ("K22", date(2026, 2, 15))


def test_file_without_a_legal_limit_that_runs_is_not_due() -> None:
    """A service target and a limit that stands still make nothing due."""
    target = tell("case_filed", date(2026, 2, 2), FREE, drunk_driving=True)
    expertise = [tell("released", date(2026, 2, 4), HELD), tell("expertise_ordered", date(2026, 2, 6), HELD)]
    found = view(target, *expertise, *review(HELD))
    assert {item.clock for item in found.clocks if item.stopped_at is None} == {"K22", "K44", "K45"}
    assert (found.due, found.problem) == (None, "")


def test_hour_and_day_limits_are_compared_by_when_they_expire() -> None:
    """A limit of hours that ends in the afternoon comes before one that ends with the same day."""
    noon = datetime(2026, 3, 2, 12, tzinfo=CHINA_TIME)
    found = view(tell("detained", noon, HELD), tell("released", noon.replace(hour=13), HELD))
    assert found.due_clock == "K07"
    days = [tell("detained", date(2026, 2, 28), HELD), tell("duty_lawyer_requested", noon, HELD)]
    assert view(*days).due_clock == "K15"
