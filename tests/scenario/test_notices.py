"""Notices of limits over gRPC: raised by the real scheduler as time passes, read by those whom they concern."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.app_counting import load_counting
from gateway.app_scheduler import SchedulerSettings, run_scheduler_process
from gateway.core.case.case import Case
from gateway.core.clock.table import name_counting
from gateway.core.clock.warning import WarningLevel
from gateway.core.errors import ErrorCode
from gateway.rpc.client_error import CallRefused
from gateway.rpc.client_notice import ClockNotice
from tests.scenario.case_file import COURT, JUSTICE, detention, indictment, proposed, suspect, transfer
from tests.scenario.paper import papers
from tests.scenario.world import ORIGIN, OVERSIGHT, Cast, Organ
from tests.support.command import fasttrack_here

RECEIVED, INDICTED = "2026-03-02", "2026-03-06"
LAST_DAY = "2026-03-16"
"""Last day of the court, ten days after it got the file on the 6th."""


async def look(cast: Cast) -> dict[str, Any]:
    """Let the real scheduler raise what is due by the scenario's clock; what it said when it was ready."""
    settings, said = SchedulerSettings(database_url=cast.world.database_url, origin=ORIGIN), dict[str, Any]()
    await run_scheduler_process(settings, asyncio.Event(), said.update, is_once=True, clock=cast.clock)
    return said


async def indicted(cast: Cast) -> Case:
    """A case of one person that lies with the court, on the fast track."""
    case = papers(transfer(suspect(law="264"), sent=f"{RECEIVED}T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    person = proposed(case.persons[0], months=12, probation=24, on=INDICTED)
    handed = papers(indictment(case, person, on=INDICTED, received=f"{RECEIVED}T10:00"))
    await cast.court.accept(await cast.pr.submit(handed))
    return case


async def told(organ: Organ, clock: str = "K31") -> list[ClockNotice]:
    """Notices of one limit to an agency."""
    return [notice async for notice in organ.client.list_notices(page_size=1) if notice.clock == clock]


async def test_notices_run_from_warning_to_breach_and_reach_owner_and_supervisor_only(cast: Cast) -> None:
    """The court is warned of its limit; when it has passed the procuratorate is told too, and nobody else ever."""
    case = await indicted(cast)
    levels = []
    for day in ("2026-03-11", "2026-03-14", "2026-03-16", "2026-03-17"):
        cast.clock.set(f"{day}T00:00")
        await look(cast)
        levels.append([notice.level for notice in await told(cast.court)])
        assert len(await told(cast.pr)) == (day == "2026-03-17")
    assert levels[-1] == [WarningLevel.HALF, WarningLevel.MOST, WarningLevel.LAST, WarningLevel.BREACH]
    assert [len(found) for found in levels] == [1, 2, 3, 4]
    *_, breach = await told(cast.court)
    assert breach == (await told(cast.pr))[0]
    assert (breach.case_number, breach.due, breach.owner) == (case.police_no, LAST_DAY, "court")
    assert breach.person_key == case.persons[0].key
    assert breach.title and breach.article.startswith("CPL")
    assert await told(cast.police) == await told(cast.justice) == []
    with pytest.raises(CallRefused) as caught:
        await told(cast.oversight)
    assert {finding.code for finding in caught.value.findings} == {ErrorCode.METHOD_NOT_ALLOWED}


async def fasttrack(cast: Cast, agency: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command of an agency; gives its status and its lines of JSON."""
    done = await asyncio.to_thread(
        fasttrack_here, *arguments, "--json",
        "--target", f"127.0.0.1:{cast.world.port}", "--profile", cast.world.pki.agency(agency).directory,
    )  # fmt: skip
    return done.code, [json.loads(line) for line in done.output.splitlines()]


async def test_command_lists_and_follows_the_same_notices(cast: Cast) -> None:
    """``fasttrack notices`` prints what the calls give, once as a list and once as a stream with cursors."""
    await indicted(cast)
    cast.clock.set("2026-03-17T00:00")
    await look(cast)
    status, [listed] = await fasttrack(cast, COURT, "notices")
    expected = [notice.index async for notice in cast.court.client.list_notices()]
    assert (status, [item["entry_index"] for item in listed["items"]]) == (0, expected)
    status, lines = await fasttrack(cast, COURT, "notices", "--watch", "--count", "1")
    assert status == 0 and lines == [{**listed["items"][0], "cursor": expected[0] + 1}]
    assert (await fasttrack(cast, OVERSIGHT, "notices"))[0] == 1


async def test_scheduler_that_looks_again_tells_nobody_twice(cast: Cast) -> None:
    """Restarts and replicas make one notice of an alarm."""
    await indicted(cast)
    cast.clock.set("2026-03-17T08:00")
    await asyncio.gather(look(cast), look(cast))
    await look(cast)
    assert [notice.level for notice in await told(cast.court)] == [WarningLevel.BREACH]


async def test_watch_is_woken_by_the_scheduler_and_goes_on_by_cursor(cast: Cast) -> None:
    """Who waits hears of a warning when it is recorded; after a break nothing is lost or told twice."""
    await indicted(cast)
    stream = cast.court.client.watch_notices()
    waiting = asyncio.ensure_future(anext(stream))
    cast.clock.set("2026-03-11T00:00")
    await look(cast)
    first, cursor = await asyncio.wait_for(waiting, 30)
    await stream.aclose()
    cast.clock.set("2026-03-17T00:00")
    await look(cast)
    seen = [first]
    async for notice, _ in cast.court.client.watch_notices(cursor):
        seen.append(notice)
        if notice.level is WarningLevel.BREACH and notice.clock == "K31":
            break
    assert seen == [notice async for notice in cast.court.client.list_notices()][: len(seen)]


async def test_notice_proves_itself_against_the_log(cast: Cast) -> None:
    """The leaf of a notice is the one in the ledger, and oversight finds the same hash."""
    case = await indicted(cast)
    cast.clock.set("2026-03-17T00:00")
    await look(cast)
    (notice,) = await told(cast.pr)
    timeline = await cast.oversight.timeline(case)
    assert {item.entry.index: item.leaf_hash for item in timeline.entries}[notice.index] == notice.leaf_hash


async def test_notice_of_a_person_from_a_record_that_was_not_fetched_keeps_the_pseudonym(cast: Cast) -> None:
    """A person key is told only to who sent or fetched a record with it."""
    held = suspect(law="264", measure=detention("2026-02-04T20:00"))
    case = papers(transfer(held, sent=f"{RECEIVED}T09:00"))
    handoff = await cast.police.submit(case)
    await look(cast)
    before = [notice async for notice in cast.pr.client.list_notices() if notice.person_pseudonym]
    assert before and {notice.person_key for notice in before} == {""}
    await cast.pr.take(handoff)
    after = [notice async for notice in cast.pr.client.list_notices() if notice.person_pseudonym]
    assert {notice.person_key for notice in after} == {case.persons[0].key}


async def test_limits_of_a_case_are_told_to_its_parties_by_their_duty(cast: Cast) -> None:
    """The procuratorate and the court that holds the file see all limits with their person, justice is no party."""
    case = await indicted(cast)
    cast.clock.set("2026-03-12T10:00")
    held, supervised = [await organ.client.get_case_clocks(case.police_no) for organ in (cast.court, cast.pr)]
    assert held == supervised and not held.is_partial
    # A scheduler says the same name when it starts: whoever sees another one knows that they count differently.
    assert held.counted_by == name_counting(*load_counting()) == (await look(cast))["counting"]
    trial = next(view for view in held.clocks if view.clock == "K31")
    assert (str(trial.due), trial.owner, trial.person_key) == (LAST_DAY, "court", case.persons[0].key)
    assert trial.stopped_at is None and not trial.is_breached and trial.article.startswith("CPL")
    review = next(view for view in held.clocks if view.clock == "K22")
    assert review.stopped_at is not None and not review.is_breached
    own = await cast.police.client.get_case_clocks(case.police_no)
    assert own.is_partial and {view.owner for view in own.clocks} <= {"police"}
    for organ, code in ((cast.justice, ErrorCode.NOT_A_PARTY), (cast.oversight, ErrorCode.METHOD_NOT_ALLOWED)):
        with pytest.raises(CallRefused) as caught:
            await organ.client.get_case_clocks(case.police_no)
        assert {finding.code for finding in caught.value.findings} == {code}


async def test_command_draws_the_limits_of_a_case_by_its_number(cast: Cast) -> None:
    """``fasttrack clocks CASE`` is told apart from the other commands by the form of a case number."""
    case = await indicted(cast)
    cast.clock.set("2026-03-12T10:00")
    status, [found] = await fasttrack(cast, COURT, "clocks", case.police_no)
    assert status == 0 and found["case_number"] == case.police_no
    assert next(view for view in found["clocks"] if view["clock"] == "K31")["due"] == LAST_DAY
    assert (await fasttrack(cast, JUSTICE, "clocks", "case", case.police_no))[0] == 1
