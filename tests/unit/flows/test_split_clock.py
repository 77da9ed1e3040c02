"""Limits of persons whom a split or a merge takes into another case, from the signed acts into both clock books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.core.clock.alarm import Parties, find_alarms, to_command
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import Clock, find_due
from gateway.core.clock.due import Counting
from gateway.core.clock.fold import Fold, fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.fact import MAX_FACTS, Fact
from gateway.core.form.book import load_form_book
from gateway.core.identity import parse_agency
from gateway.core.procedure.procedural_act import procedural_act_form
from gateway.core.statement import to_payload
from gateway.core.statement_form import StatementForms
from gateway.flows.state import submit_statement
from gateway.flows.tell import hide_persons, with_facts
from tests.support.bundle import make_statement, new_case_number
from tests.support.fake_ledger import FakeClock
from tests.support.fake_parts import World, fake_sign_statement

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
PS = "ps:110108"
STAYS, GOES = "R1", "R2"
DETAINED = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


def _world() -> World:
    return World(clock=FakeClock(DETAINED), forms=StatementForms((procedural_act_form(load_form_book()),)))


async def _state(world: World, number: str, act: str, **body: Any) -> None:
    now = world.clock()
    whole = {"act": act, **body}
    statement = make_statement(whole, number, type="procedural-act", issuer=PS, created_at=now, occurred_at=now)
    await submit_statement(world.parts, parse_agency(PS), fake_sign_statement(to_payload(statement), PS))


async def _know(world: World, number: str, *facts: Fact) -> None:
    """The ledger hears of facts now, whoever tells them."""
    await _state(world, number, "property_listed")
    hidden = hide_persons(facts, world.parts.pseudonyms, number)
    world.ledger.commands[-1] = with_facts(world.ledger.commands[-1], hidden)


async def _extend(world: World, number: str, person: str) -> None:
    body = {
        "persons": [person], "clock": "K09", "extension": "special", "length": "4D", "organ": PS,
        "decided_by": {"officer": "110001", "post": "COUNTY_HEAD"}, "documents": [{"code": "D10", "no": "1"}],
    }  # fmt: skip
    await _state(world, number, "limit_extended", **body)


async def _fold(world: World, number: str) -> Fold:
    return fold_facts(await world.parts.reader.case_facts(world.parts.pseudonyms.case(number)), TABLE, COUNTING)


async def _find(world: World, number: str, person: str, kind: str = "K09") -> list[Clock]:
    """The limits of a kind that a person has in a case, ended ones too."""
    book, name = (await _fold(world, number)).book, world.parts.pseudonyms.person(number, person)
    every = (*book.running.values(), *book.ended)
    return [clock for clock in every if clock.person == name and clock.rule.id == kind]


def _due(clock: Clock) -> str:
    due = find_due(clock, COUNTING)
    return due.at.isoformat() if due is not None else ""


async def _two_detained(world: World) -> tuple[str, str]:
    old, new = new_case_number(), new_case_number()
    await _know(world, old, Fact(kind="legal_review_asked", at=DETAINED))
    await _state(world, old, "detained", persons=[STAYS, GOES])
    return old, new


@pytest.mark.parametrize(("act", "persons"), [("split", [GOES]), ("merged", [STAYS, GOES])])
async def test_limit_goes_on_in_the_case_that_takes_the_person_over(act: str, persons: list[str]) -> None:
    """The same last day there, in custody as before, with the extension that was in time; ended where it was."""
    world = _world()
    old, new = await _two_detained(world)
    world.clock.advance(days=1)
    await _extend(world, old, GOES)
    [before] = await _find(world, old, GOES)
    world.clock.advance(days=1)
    await _state(world, old, act, persons=persons, other_case=new)
    world.clock.advance(days=20)
    await _state(world, new, "joined", other_case=old)
    [here], [there] = await _find(world, old, GOES), await _find(world, new, GOES)
    assert there.is_running and here.stopped_at == world.clock.at
    assert _due(there) == _due(here) == _due(before) == "2025-03-10"
    assert (there.start, there.custody, there.granted) == (before.start, before.custody, before.granted)
    [other] = await _find(world, old, STAYS)
    assert other.is_running is (STAYS not in persons)
    assert not (await _fold(world, new)).problems


async def test_limit_goes_on_where_it_ran_until_somebody_takes_the_person_over() -> None:
    """A split that no case answers loses no limit."""
    world = _world()
    old, new = await _two_detained(world)
    await _state(world, old, "split", persons=[GOES], other_case=new)
    [clock] = await _find(world, old, GOES)
    assert clock.is_running and _due(clock) == "2025-03-06"


async def test_limits_of_the_file_stay_with_the_case_that_has_them() -> None:
    """The legal review of the first file runs there once, and the filing goes with the person whose limit it starts."""
    world = _world()
    old, new = await _two_detained(world)
    about = Fact(kind="named", at=DETAINED, person=GOES, inputs={"drunk_driving": True})
    filed = Fact(kind="case_filed", at=DETAINED + timedelta(minutes=1))
    await _know(world, old, about, filed)
    [before] = await _find(world, old, GOES, "K45")
    await _state(world, old, "split", persons=[GOES], other_case=new)
    await _know(world, new, Fact(kind="legal_review_asked", at=DETAINED + timedelta(hours=1)))
    await _state(world, new, "joined", other_case=old)
    reviews = {number: [key for key in (await _fold(world, number)).book.running if key[1] == "K46"]
               for number in (old, new)}  # fmt: skip
    assert reviews == {old: [("", "K46", "")], new: [("", "K46", "")]}
    [after] = await _find(world, new, GOES, "K45")
    assert after.is_running and _due(after) == _due(before)


async def test_limit_that_the_new_case_tells_again_runs_once() -> None:
    """The record of the new case has the same detention, with its day only: no second limit, and no later start."""
    world = _world()
    old, new = await _two_detained(world)
    await _state(world, old, "split", persons=[GOES], other_case=new)
    await _state(world, new, "joined", other_case=old)
    await _know(world, new, Fact(kind="detained", at=DETAINED.date(), person=GOES))
    [clock] = await _find(world, new, GOES)
    assert clock.start == DETAINED.date()


async def test_limit_that_has_ended_does_not_begin_again_in_the_new_case() -> None:
    """A family that was notified before the split has been notified."""
    world = _world()
    old, new = await _two_detained(world)
    world.clock.advance(hours=2)
    await _state(world, old, "family_notified", persons=[GOES])
    await _state(world, old, "split", persons=[GOES], other_case=new)
    await _state(world, new, "joined", other_case=old)
    [clock] = await _find(world, new, GOES, "K07")
    assert clock.stopped_at == world.clock.at


async def test_person_who_goes_on_to_a_third_case_keeps_the_limit() -> None:
    """Split twice: the day is that of the first detention, and only the last case counts it."""
    world = _world()
    old, new = await _two_detained(world)
    third = new_case_number()
    await _state(world, old, "split", persons=[GOES], other_case=new)
    await _state(world, new, "joined", other_case=old)
    world.clock.advance(days=1)
    await _state(world, new, "merged", persons=[GOES], other_case=third)
    await _state(world, third, "joined", other_case=new)
    states = [(clock.is_running, _due(clock)) for number in (old, new, third)
              for clock in await _find(world, number, GOES)]  # fmt: skip
    assert states == [(False, "2025-03-06"), (False, "2025-03-06"), (True, "2025-03-06")]


async def test_assessment_that_was_under_way_ends_its_limit_in_the_case_that_has_the_person() -> None:
    """The opinion comes with the number of the first case, whose commission it answers."""
    world = _world()
    old, new = await _two_detained(world)
    await _know(world, old, Fact(kind="assessment_commission_received", at=DETAINED, person=GOES))
    await _state(world, old, "split", persons=[GOES], other_case=new)
    world.clock.advance(days=1)
    await _state(world, new, "joined", other_case=old)
    assert [clock.is_running for clock in await _find(world, new, GOES, "K41")] == [True]
    world.clock.advance(days=1)
    await _know(world, old, Fact(kind="assessment_given", at=world.clock.at, person=GOES))
    [there], [here] = await _find(world, new, GOES, "K41"), await _find(world, old, GOES, "K41")
    assert there.stopped_at == world.clock.at and here.stopped_at == world.clock.at - timedelta(days=1)


async def test_alarm_of_a_limit_is_one_act_in_both_cases() -> None:
    """What was said before the person was taken over has the same id afterwards, so the ledger has it once."""
    world = _world()
    old, new = await _two_detained(world)

    async def breaches(number: str) -> set[Any]:
        alarms, _ = find_alarms(await _fold(world, number), COUNTING, DETAINED + timedelta(days=30))
        case, person = world.parts.pseudonyms.case(number), world.parts.pseudonyms.person(number, GOES)
        commands = [to_command(case, alarm, Parties({})) for alarm in alarms if alarm.clock.person == person]
        assert all(command.person == person and command.case == case for command in commands)
        return {(command.act_id, command.content_sha256) for command in commands}

    before = await breaches(old)
    await _state(world, old, "split", persons=[GOES], other_case=new)
    world.clock.advance(days=20)
    await _state(world, new, "joined", other_case=old)
    assert before and await breaches(old) == await breaches(new) == before


async def test_act_of_a_person_who_was_handed_on_is_refused_in_the_first_case() -> None:
    """An extension that is stated where the person has left would count nowhere."""
    world = _world()
    old, new = await _two_detained(world)
    await _state(world, old, "split", persons=[GOES], other_case=new)
    with pytest.raises(GatewayError) as caught:
        await _extend(world, old, GOES)
    assert [finding.code for finding in caught.value.findings] == [ErrorCode.TRACK_NOT_ALLOWED]
    await _state(world, new, "joined", other_case=old)
    await _extend(world, new, GOES)
    assert [_due(clock) for clock in await _find(world, new, GOES)] == ["2025-03-10"]


async def test_more_facts_than_an_entry_may_have_are_not_taken_over_in_part() -> None:
    """All or nothing: the limits go on where they are."""
    world = _world()
    old, new = await _two_detained(world)
    for half in range(2):
        seconds = range(half * MAX_FACTS // 2, (half + 1) * MAX_FACTS // 2)
        await _know(world, old, *(
            Fact(kind="named", at=DETAINED + timedelta(seconds=second), person=GOES) for second in seconds
        ))  # fmt: skip
    await _state(world, old, "split", persons=[GOES], other_case=new)
    with pytest.raises(GatewayError, match="TRANSITION_NOT_ALLOWED"):
        await _state(world, new, "joined", other_case=old)
    assert [clock.is_running for clock in await _find(world, old, GOES)] == [True]
