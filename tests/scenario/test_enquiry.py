"""Case-progress enquiry over gRPC: what a party hears, and everything that it does not."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Final

import asyncpg

from gateway.core.access.enquiry import Progress
from gateway.core.entry import EntryKind
from tests.scenario.case_file import suspect, transfer
from tests.scenario.paper import papers
from tests.scenario.world import Cast, Organ, codes_of, refused

CODE: Final = "Q7K2M9Q4XZT8"


async def _stated(cast: Cast, case: object, code: str, **body: str) -> None:
    token = sha256(code.encode()).hexdigest()
    await cast.police.state("case-progress", case, subject_token=token, **body)  # type: ignore[arg-type]


async def _self_service(cast: Cast) -> Organ:
    return await cast.world.organ("xx:110000")


async def test_enquiry_tells_stage_day_and_remedy_and_nothing_else(cast: Cast) -> None:
    """A party hears the newest stage by the code on the receipt; the code is in no table, the answer names nobody."""
    case = papers(transfer())
    await cast.pr.accept(await cast.police.submit(case))
    await _stated(cast, case, CODE, stage="ACCEPTED", on="2026-01-28")
    await _stated(cast, case, CODE, stage="FILED", on="2026-01-29")
    desk = await _self_service(cast)
    assert await desk.client.get_progress(CODE) == Progress(stage="FILED", since="2026-01-29")
    await _stated(
        cast, case, CODE, stage="NOT_FILED", on="2026-02-03", next_remedy="POLICE_RECONSIDERATION",
        remedy_until="2026-02-10",
    )  # fmt: skip
    told = await desk.client.get_progress(CODE)
    assert told == Progress(
        stage="NOT_FILED", since="2026-02-03", next_remedy="POLICE_RECONSIDERATION", remedy_until="2026-02-10"
    )
    connection = await asyncpg.connect(cast.world.database_url)
    try:
        rows = await connection.fetch("SELECT * FROM ledger.progress")
    finally:
        await connection.close()
    said = repr([dict(row) for row in rows]) + repr(told)
    for secret in (CODE, sha256(CODE.encode()).hexdigest(), case.police_no, case.persons[0].name, case.persons[0].key):
        assert secret not in said
        assert secret.encode().hex() not in said


async def test_enquiry_about_a_minor_is_answered_like_a_wrong_code(cast: Cast) -> None:
    """A case with a minor, and one whose ages are not known, cannot be told from no case at all (CPL 286)."""
    minor = papers(transfer(suspect(birth=date(2009, 5, 1))))
    await cast.pr.accept(await cast.police.submit(minor))
    await _stated(cast, minor, CODE, stage="FILED", on="2026-01-29")
    desk = await _self_service(cast)
    answers = []
    for code in (CODE, "Q7K2M9Q4XZT9"):
        try:
            answers.append(repr(await desk.client.get_progress(code)))
        except Exception as error:
            answers.append(f"{error} {error.findings}")  # type: ignore[attr-defined]
    assert answers[0] == answers[1]
    assert "ENQUIRY_UNKNOWN" in answers[0]
    denials = [
        item.entry async for item in cast.oversight.client.query_entries() if item.entry.kind is EntryKind.CALL_REFUSED
    ]
    assert [(codes_of(entry), entry.case, entry.actor) for entry in denials] == [
        ({"ENQUIRY_UNKNOWN"}, "", "xx:110000")
    ] * 2


async def test_enquiry_is_for_parties_and_parties_have_nothing_else(cast: Cast) -> None:
    """No agency may ask in a party's place, and self-service may call nothing beside; codes cannot be tried out."""
    for organ in (cast.police, cast.pr, cast.court, cast.justice, cast.oversight):
        assert "METHOD_NOT_ALLOWED" in await refused(organ.client.get_progress(CODE))
    desk = await _self_service(cast)
    assert "METHOD_NOT_ALLOWED" in await refused(desk.client.get_case_timeline("A1101080000002026010001"))
    assert "METHOD_NOT_ALLOWED" in await refused(desk.download("0" * 64))
    for _ in range(10):
        assert "ENQUIRY_UNKNOWN" in await refused(desk.client.get_progress(CODE))
    assert "ENQUIRY_TOO_OFTEN" in await refused(desk.client.get_progress(CODE))
    cast.clock.advance(minutes=10)
    assert "ENQUIRY_UNKNOWN" in await refused(desk.client.get_progress(CODE))
