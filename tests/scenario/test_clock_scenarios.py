"""Scenarios of limits: how long they are, on which day they end, whose they are."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.case.case import Term
from tests.scenario.case_file import (
    assessment_request,
    at,
    bail,
    citizen_id,
    day,
    detention,
    indictment,
    proposed,
    suspect,
    transfer,
)
from tests.scenario.paper import papers
from tests.scenario.world import Cast


async def test_scenario_03_exactly_one_year_has_ten_days_and_a_month_more_fifteen(cast: Cast) -> None:
    """A fast-track limit is 10 days up to one year expected and 15 above it, at procuratorate and court."""

    async def dues(number: int, months: int, *, received: str, asked: str, indicted: str) -> tuple[str, str, str]:
        case = papers(transfer(suspect(law="264"), number=number, sent=f"{received}T09:00"))
        await cast.pr.accept(await cast.police.submit(case))
        before = (await cast.world.clocks(case))[1, "K22"]
        expected = replace(
            case.persons[0],
            proposal_penalty="IMPRISONMENT",
            proposal_term=Term(years=1, months=months - 12),
            proposal_probation=Term(years=2),
        )
        await cast.pr.submit(papers(assessment_request(case, sent=f"{asked}T10:00", persons=(expected,))))
        after = (await cast.world.clocks(case))[1, "K22"]
        person = proposed(case.persons[0], months=months, probation=24, on=asked)
        handed = papers(indictment(case, person, on=indicted, received=f"{received}T10:00"))
        await cast.court.accept(await cast.pr.submit(handed))
        return before, after, (await cast.world.clocks(case))[1, "K31"]

    year = await dues(1, 12, received="2026-03-02", asked="2026-03-03", indicted="2026-03-06")
    assert year == ("2026-03-12", "2026-03-12", "2026-03-16")
    longer = await dues(2, 13, received="2026-03-09", asked="2026-03-10", indicted="2026-03-12")
    assert longer == ("2026-03-19", "2026-03-24", "2026-03-27")


async def test_scenario_04_spring_festival_moves_the_day_of_who_is_free_only(cast: Cast) -> None:
    """Of two suspects the one in custody keeps 15 February, the other gets the 24th; the file has the earlier day."""
    held = suspect(1, measure=detention("2026-02-04T20:00"))
    free = suspect(2, measure=bail("2026-02-04T20:00"), phone="19900001002")
    case = papers(transfer(held, free, filed="2026-02-04", sent="2026-02-05T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    dues = await cast.world.clocks(case)
    assert (dues[1, "K22"], dues[2, "K22"]) == ("2026-02-15", "2026-02-24")
    # The procuratorate asks the gateway itself: the day of each, why it moved, and the day of the file.
    told = await cast.pr.client.get_case_clocks(case.police_no)
    reviews = {view.person_key: (view.due, view.rolled_from) for view in told.clocks if view.clock == "K22"}
    assert reviews == {held.key: (day("2026-02-15"), None), free.key: (day("2026-02-24"), day("2026-02-15"))}
    running = [view for view in told.clocks if view.stopped_at is None and view.clock == "K22"]
    assert min(str(view.due) for view in running) == "2026-02-15"
    [fetched] = [view for view in told.clocks if view.clock == "K06"]
    assert (fetched.due, fetched.advisory) == (at("2026-02-05T20:00"), at("2026-02-05T21:00"))


async def test_scenario_05_make_up_saturday_is_a_working_day(cast: Cast) -> None:
    """A limit that ends on a Saturday on which people work is not moved, whether or not the suspect is free."""
    held = suspect(1, measure=detention("2026-02-03T20:00"))
    free = suspect(2, measure=bail("2026-02-03T20:00"))
    case = papers(transfer(held, free, filed="2026-02-03", sent="2026-02-04T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    dues = await cast.world.clocks(case)
    assert at("2026-02-14T00:00").strftime("%a") == "Sat"
    assert (dues[1, "K22"], dues[2, "K22"]) == ("2026-02-14", "2026-02-14")
    assert held.id_docs[0].number == citizen_id(at("1990-03-07T00:00").date(), 1)
