"""The timeline of a case, drawn: snapshots at 60 columns, and what every drawing keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from gateway.cli.clock_timeline import draw_timeline, to_plain_clocks
from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.alarm import Parties
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.clock.view import CaseClocks, view_clocks
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.identity import parse_agency

CASE = "A9990010000002026010001"
HELD, FREE = "a" * 32, "b" * 32
KEYS = {HELD: "P1", FREE: "P2", "": ""}
SNAPSHOT = Path(__file__).with_name("clock_timeline.txt")
POLICE, PR = parse_agency("ps:999001"), parse_agency("pr:999001")
PARTIES = Parties({"police": str(POLICE), "procuratorate": str(PR)}, str(PR))


def at(text: str) -> datetime:
    """A time in China."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA_TIME)


def case_at(now: str, *, viewer: str = "pr:999001") -> CaseClocks:
    """Two persons before Spring Festival 2026: one held, one on bail whose mind is examined meanwhile."""
    facts = [
        Fact(kind="detained", at=at("2026-02-01T20:00"), person=HELD),
        Fact(kind="bailed", at=at("2026-02-01T20:00"), person=FREE),
        *(
            Fact(kind="pr_received", at=at("2026-02-05T09:00"), person=person, inputs={"expected_months": 10})
            for person in (HELD, FREE)
        ),
        Fact(kind="expertise_ordered", at=date(2026, 2, 7), person=FREE),
        Fact(kind="expertise_received", at=date(2026, 2, 10), person=FREE),
        Fact(kind="counsel_right_notified", at=at("2026-02-06T10:00"), person=FREE),
    ]
    table = load_clock_table()
    counting = Counting(load_calendar(), table.settings)
    known = [KnownFact(fact, at("2026-02-10T12:00"), index) for index, fact in enumerate(facts)]
    found = view_clocks(fold_facts(known, table, counting), counting, parse_agency(viewer), PARTIES, at(now))
    return replace(found, clocks=tuple(replace(view, person_key=KEYS[view.person]) for view in found.clocks))


def test_timeline_looks_as_it_was_looked_at() -> None:
    """The drawing at 60 columns is the one that was read and found good; rewrite it on purpose only."""
    drawn = []
    for now in ("2026-02-11T10:00", "2026-03-08T10:00"):
        drawn += [*draw_timeline(CASE, case_at(now), 60), ""]
    assert "\n".join(drawn) == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 119])
@pytest.mark.parametrize("now", ["2026-02-05T09:00", "2026-02-11T10:00", "2026-12-01T00:00"])
def test_timeline_keeps_to_its_width_and_to_plain_characters(width: int, now: str) -> None:
    """Every line fits, and nothing in it needs a colour, a font or an encoding."""
    for line in draw_timeline(CASE, case_at(now), width):
        assert len(line) <= width and line.isascii() and line.isprintable()


def test_file_ends_with_its_earliest_limit_though_a_later_one_cannot_be_counted() -> None:
    """Bail of a year ends in a year without holidays, which hides no end of this month."""
    found = case_at("2026-02-11T10:00")
    assert any(view.problem == "CALENDAR_YEAR_MISSING" for view in found.clocks)
    assert (found.due_clock, found.problem) == ("K06", "")


def test_file_has_no_end_when_the_limit_that_cannot_be_counted_may_be_the_earliest() -> None:
    """Of one limit that nobody can count nobody can say when the file ends."""
    table, free = load_clock_table(), Fact(kind="bailed", at=at("2026-02-01T20:00"), person=FREE)
    counting = Counting(load_calendar(), table.settings)
    fold = fold_facts([KnownFact(free, at("2026-02-01T20:00"))], table, counting)
    found = view_clocks(fold, counting, PR, PARTIES, at("2026-02-02T10:00"))
    assert (found.due, found.problem) == (None, "CALENDAR_YEAR_MISSING")


@pytest.mark.parametrize(
    ("viewer", "expected"),
    [
        ("pr:999001", {"police", "procuratorate", "holder"}),
        ("ps:999001", {"police"}),
        ("ct:999001", set()),
        ("ps:999002", set()),
    ],
)
def test_limits_are_shown_to_owner_and_supervisor(viewer: str, expected: set[str]) -> None:
    """The supervising procuratorate sees all, an agency its own, another agency of the same system nothing."""
    found = case_at("2026-02-11T10:00", viewer=viewer)
    assert {view.owner for view in found.clocks} == expected
    assert found.is_partial == (viewer != "pr:999001")


def test_timeline_marks_now_in_every_bar_at_the_same_column() -> None:
    """What runs beside each other stands below each other."""
    bars = [line for line in draw_timeline(CASE, case_at("2026-02-11T10:00"), 60) if "[" in line and "]" in line]
    assert len({line.index("|") for line in bars if "|" in line}) == 1


def test_timeline_without_limits_says_so() -> None:
    """A case of which the viewer may see no limit is told to have others."""
    lines = draw_timeline(
        CASE, replace(case_at("2026-02-11T10:00"), clocks=(), due=None, due_clock="", is_partial=True), 60
    )
    assert lines[1] == "no limits to show" and "the case has others" in " ".join(lines[2:])


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-02-02T18:30", "due 2026-02-02 20:10 (advisory 21:00), 1 h left"),
        ("2026-02-02T20:30", "BREACHED, due 2026-02-02 20:10 (advisory 21:00)"),
        ("2026-02-02T21:30", "BREACHED, due 2026-02-02 20:10"),
    ],
)
def test_limit_of_hours_shows_the_lenient_end_until_it_has_passed(now: str, state: str) -> None:
    """The exact end decides; the other reading stands beside it as advice, and always in JSON."""
    table = load_clock_table()
    counting = Counting(load_calendar(), table.settings)
    known = [KnownFact(Fact(kind="detained", at=at("2026-02-01T20:10"), person=HELD), at("2026-02-01T21:00"))]
    found = view_clocks(fold_facts(known, table, counting), counting, PR, PARTIES, at(now))
    [line] = [line for line in draw_timeline(CASE, found, 100) if line.startswith("K06")]
    assert line.endswith(f"  {state}")
    shown = {item["clock"]: item["advisory"] for item in to_plain_clocks(found)["clocks"]}
    assert (shown["K06"], shown["K09"]) == ("2026-02-02T13:00:00.000Z", None)
