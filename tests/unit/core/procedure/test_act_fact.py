"""What acts tell the clocks: every event of the table is told by somebody, and chains of acts run their limits."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import find_due
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import Fold, fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.clock.warning import is_breached
from gateway.core.errors import ErrorCode
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.fact.of_record import to_account_key
from gateway.core.procedure.act_table import load_acts
from gateway.core.procedure.track import PersonTrack, Tracks
from gateway.core.procedure.track_cause import read_act_cause, read_act_facts
from tests.support.bundle import make_statement

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
PERSON = "a" * 32
TRACKS = Tracks(persons={PERSON: PersonTrack()})
CASE = "A9990010000002026010001"


def at(text: str) -> datetime:
    """A time in China."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA_TIME)


def tell(act: str, when: str, **body: Any) -> list[KnownFact]:
    """What an act of the one person, or of the file, tells."""
    row, moment = load_acts()[act], at(when)
    whole = {"act": act, **({"persons": [PERSON]} if row.is_of_persons else {}), **body}
    issuer = f"{sorted(row.who)[0]}:999001"
    statement = make_statement(whole, CASE, issuer=issuer, created_at=moment, occurred_at=moment)
    cause = read_act_cause(statement, pseudonym=lambda key: key)
    return [KnownFact(fact, moment) for fact in read_act_facts(statement, cause, TRACKS)]


def know(kind: str, when: str, **inputs: Any) -> list[KnownFact]:
    """A fact that something else than an act tells."""
    return [KnownFact(Fact(kind=kind, at=at(when), person=PERSON, inputs=inputs), at(when))]


def fold(*told: list[KnownFact]) -> Fold:
    """The clocks of all that was told."""
    return fold_facts([known for facts in told for known in facts], TABLE, COUNTING)


def running(found: Fold, clock: str) -> dict[str, str]:
    """Steps of a clock that run, each with its last day."""
    dues = {key[2]: find_due(item, COUNTING) for key, item in found.book.running.items() if key[1] == clock}
    return {step: due.at.isoformat()[:10] for step, due in dues.items() if due is not None}


def test_every_event_of_a_clock_is_told_by_somebody() -> None:
    """A limit that nothing starts never warns, and one that nothing stops is broken in every case."""
    sources = [
        item.read_text("utf-8")
        for folder in ("fact", "procedure")
        for item in files("gateway.core").joinpath(folder).iterdir()
        if item.name.startswith("of_") or item.name == "track_cause.py"
    ]
    events = {event for row in TABLE.rows for event in (*row.starts, *row.stops)}
    told = {act.fact for act in load_acts().values()}
    assert {event for event in events - told if not any(f'"{event}"' in text for text in sources)} == set()


def test_mandatory_counsel_is_told_to_the_agency_and_assigned_in_three_days_each() -> None:
    """K16: finding, notice, assignment; a second finding starts nothing, and counsel who came at once ends it."""
    facts = [tell("counsel_found_mandatory", "2026-03-02T10:00")]
    assert running(fold(*facts), "K16") == {"NOTIFY": "2026-03-05"}
    facts.append(tell("legal_aid_notified", "2026-03-04T10:00"))
    assert running(fold(*facts), "K16") == {"ASSIGN": "2026-03-07"}
    facts += [tell("counsel_assigned", "2026-03-06T10:00"), know("counsel_mandatory_found", "2026-03-10T09:00")]
    assert running(fold(*facts), "K16") == {}
    at_once = fold(facts[0], tell("counsel_assigned", "2026-03-03T10:00"))
    assert running(at_once, "K16") == {}


def test_duty_lawyer_is_no_appointed_counsel() -> None:
    """A notice without a finding relays a request (K15) and waits for no assignment."""
    asked = tell("legal_aid_requested", "2026-03-02T10:00")
    assert "K15" in {key[1] for key in fold(asked).book.running}
    found = fold(asked, tell("legal_aid_notified", "2026-03-02T12:00"))
    assert not found.book.running


def test_reconsideration_asked_on_the_eighth_day_is_late() -> None:
    """Scenario 19: seven days for the police; the answer of the procuratorate runs from the request all the same."""
    received = know("non_prosecution_received", "2026-03-02T09:00", step="POLICE_RECONSIDERATION")
    for day, is_late in (("2026-03-09", False), ("2026-03-10", True)):
        found = fold(received, tell("reconsideration_asked", f"{day}T10:00"))
        [asked] = [clock for clock in found.book.ended if clock.rule.id == "K25"]
        assert is_breached(asked, find_due(asked, COUNTING), at("2026-03-10T10:00")) is is_late
        assert list(running(found, "K25")) == ["PR_RECONSIDERATION"]


def test_remedies_against_non_prosecution_follow_each_other_for_whoever_has_them() -> None:
    """Victim and person have a limit of their own from their service; the police go on to the procuratorate above."""
    facts = [
        know("non_prosecution_received", "2026-03-02T09:00", step="POLICE_RECONSIDERATION"),
        tell("nonprosecution_served_on_victim", "2026-03-03T10:00"),
        tell("nonprosecution_served_on_person", "2026-03-04T10:00"),
    ]
    assert set(running(fold(*facts), "K25")) == {"POLICE_RECONSIDERATION", "VICTIM", "NON_PROSECUTED"}
    facts.append(tell("victim_petitioned", "2026-03-05T10:00"))
    assert set(running(fold(*facts), "K25")) == {"POLICE_RECONSIDERATION", "NON_PROSECUTED"}
    for act, day, step in (
        ("reconsideration_asked", "06", "PR_RECONSIDERATION"),
        ("reconsidered", "09", "POLICE_REVIEW"),
        ("review_asked", "10", "UPPER_PR_REVIEW"),
    ):
        facts.append(tell(act, f"2026-03-{day}T10:00"))
        assert set(running(fold(*facts), "K25")) == {step, "NON_PROSECUTED"}
    facts += [tell("reviewed", "2026-03-11T10:00"), tell("nonprosecuted_petitioned", "2026-03-11T11:00")]
    assert running(fold(*facts), "K25") == {}


def test_custody_of_investigation_runs_from_the_day_the_identity_was_established() -> None:
    """Scenario 22: two months from knowing who it is, not from the arrest; before that nothing runs (CPL 160)."""
    unknown, arrested = tell("identity_not_known", "2026-03-02T10:00"), tell("arrested", "2026-03-09T10:00")
    assert running(fold(arrested), "K11") == {"": "2026-05-09"}
    assert running(fold(unknown, arrested), "K11") == {}
    known = tell("identity_established", "2026-03-20T10:00")
    assert running(fold(unknown, arrested, known), "K11") == {"": "2026-05-20"}
    before = tell("identity_established", "2026-03-05T10:00")
    assert running(fold(unknown, before, arrested), "K11") == {"": "2026-05-09"}


def test_identity_that_was_said_to_be_unknown_too_late_gives_no_time() -> None:
    """What the ledger hears when the limit has passed keeps nothing from running, whatever day it bears."""
    arrested = tell("arrested", "2026-03-09T10:00")
    [unknown] = tell("identity_not_known", "2026-03-02T10:00")
    late = [KnownFact(unknown.fact, at("2026-05-10T08:00"))]
    assert running(fold(arrested, late), "K11") == {"": "2026-05-09"}
    assert [problem.code for problem in fold(arrested, late).problems] == [ErrorCode.CLOCK_ACT_TOO_LATE]


def test_freeze_that_was_lifted_has_no_limit_any_more() -> None:
    """Of non-prosecution the funds are lifted: the limits of that account end, and no other account's."""
    begun = at("2026-03-02T09:00")
    frozen = [
        KnownFact(Fact(kind="frozen", at=begun, person=to_account_key("b", number)), begun) for number in ("1", "2")
    ]
    lifted = tell("freeze_lifted", "2026-03-09T10:00", account={"bank": "b", "account": "1"})
    assert [key[0] for key in fold(frozen, lifted).book.running if key[1] == "K42"] == [to_account_key("b", "2")]


@pytest.mark.parametrize(
    ("clock", "start", "stop"),
    [
        ("K07", "detained", "family_notified"),
        ("K07", "detained", "family_notice_exempted"),
        ("K09", "detained", "arrest_requested"),
        ("K10", "arrest_request_received", "arrest_decided"),
        ("K14", "meeting_requested", "meeting_held"),
        ("K20", "pr_received", "counsel_right_told"),
        ("K35", "ct_received", "measure_decided"),
        ("K44", "expertise_ordered", "expertise_received"),
    ],
)
def test_limit_that_starts_by_itself_is_ended_by_an_act(clock: str, start: str, stop: str) -> None:
    """What a detention or a receipt starts, somebody can say to be done."""
    acts = load_acts()
    begun = tell(start, "2026-03-02T09:00") if start in acts else know(start, "2026-03-02T09:00")
    assert clock in {key[1] for key in fold(begun).book.running}
    assert clock not in {key[1] for key in fold(begun, tell(stop, "2026-03-02T15:00")).book.running}
