"""Scenarios of who may be tried by the fast track, and of what makes an indictment refusable."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gateway.core.case.case import Case, Victim
from gateway.core.entry import Entry, EntryKind
from gateway.core.errors import ErrorCode
from gateway.core.judge.rule_set import load_rule_set
from gateway.core.procedure.lifecycle import Assessment
from tests.scenario.case_file import (
    execution,
    indictment,
    judgment,
    proposed,
    suspect,
    transfer,
)
from tests.scenario.centre import case_centre_log
from tests.scenario.paper import papers
from tests.scenario.world import Cast


async def _results(cast: Cast, case: Case) -> list[tuple[str, str]]:
    """What the rules said at each point, by kind of the handoff."""
    entries = await cast.oversight.entries(case, EntryKind.SUBMITTED, EntryKind.ACCEPTED)
    return [(entry.handoff_kind, entry.rule_result) for entry in entries if entry.rule_result]


async def test_scenario_01_drunken_driver_on_bail_is_sentenced_within_thirty_days(cast: Cast) -> None:
    """A clean case goes from transfer to execution on the fast track, inside 30 days and without assessment."""
    case = papers(transfer())
    await cast.pr.accept(await cast.police.submit(case))
    assert (await cast.world.clocks(case))[1, "K45"] == "2026-02-27"
    indicted = papers(indictment(case, on="2026-02-11"))
    handed = await cast.pr.submit(indicted)
    assert handed.warnings == {"DOCUMENT_MISSING"}, "probation without assessment is told and blocks nothing"
    await cast.court.accept(handed)
    sentenced = papers(judgment(indicted, on="2026-02-14"))
    await cast.pr.accept(await cast.court.submit(sentenced))
    assert (1, "K45") not in await cast.world.clocks(case), "judged 13 days before the target"
    executed = papers(execution(sentenced, effective="2026-02-27"))
    await cast.justice.accept(await cast.court.submit(executed))
    assert (await cast.oversight.stage(case))[0] == "E2"
    assert await _results(cast, case) == [
        ("TRANSFER", "UNKNOWN"),  # nobody has proposed a sentence yet
        ("INDICTMENT", "ELIGIBLE"),
        ("INDICTMENT", "ELIGIBLE"),  # accepted by the court, judged again on that day
        ("JUDGMENT", "ELIGIBLE"),
        ("EXECUTION", "NOT_EVALUATED"),
    ]
    last = (await cast.oversight.entries(case))[-1]
    assert last.case_state is not None
    assert last.case_state.assessment is Assessment.NONE


async def test_scenario_06_victim_who_settles_on_the_ninth_day_makes_the_case_eligible(cast: Cast) -> None:
    """An injury case without settlement is off the fast track; the settlement of day 9 opens it before the deadline."""
    open_claim = Victim(key="V1101080000002026010001", name="测试人子", settled=False)
    case = papers(transfer(suspect(law="234(1)"), victims=(open_claim,)))
    sent = await cast.police.submit(case)
    assert "VICTIM_NOT_SETTLED" in sent.warnings
    await cast.pr.accept(sent)
    assert await _results(cast, case) == [("TRANSFER", "INELIGIBLE")]
    assert await cast.pr.refused(papers(indictment(case, on="2026-02-12"))) | {"DOCUMENT_MISSING": ""} == {
        "VICTIM_NOT_SETTLED": "/BHR/0/SFHJ",
        "DOCUMENT_MISSING": "",
    }
    # Day 9 after receipt: the settlement is in the file; the fast lane was closed, so the limit is the ordinary month.
    settled = replace(open_claim, settled=True, settled_on=date(2026, 2, 14))
    indicted = papers(indictment(replace(case, victims=(settled,)), on="2026-02-14"))
    assert "D19" in {document.code for document in indicted.documents}
    handed = await cast.pr.submit(indicted)
    assert "VICTIM_NOT_SETTLED" not in handed.warnings
    assert (await _results(cast, case))[-1] == ("INDICTMENT", "ELIGIBLE")
    await cast.court.accept(handed)


async def test_scenario_08_eighteenth_birthday_is_still_a_minors_day(cast: Cast) -> None:
    """Who is tried on the eighteenth birthday is a minor; on the day after, an adult."""

    async def hearing(number: int, birth: date) -> tuple[set[str], str]:
        case = papers(transfer(suspect(birth=birth), number=number))
        await cast.pr.accept(await cast.police.submit(case))
        assert "DEFENDANT_IS_MINOR" in await cast.pr.refused(papers(indictment(case, on="2026-02-11")))
        # Indicted by another procedure as a minor; whether the fast track is open is asked again at the hearing.
        indicted = papers(indictment(case, on="2026-02-11", procedure="ORDINARY"))
        await cast.court.accept(await cast.pr.submit(indicted))
        sentenced = papers(judgment(indicted, on="2026-02-20", procedure="FAST"))
        handed = await cast.court.submit(sentenced)
        return handed.warnings, (await _results(cast, case))[-1][1]

    # The day itself is a minor's; whoever had the birthday the day before is an adult.
    assert await hearing(1, date(2008, 2, 20)) == ({"DEFENDANT_IS_MINOR"}, "INELIGIBLE")
    assert await hearing(2, date(2008, 2, 19)) == (set(), "ELIGIBLE")


async def test_scenario_09_deaf_suspect_is_never_tried_by_the_fast_track(cast: Cast) -> None:
    """Deafness closes the fast track at every point; counsel is appointed, and an interpreter comes."""
    case = papers(transfer(suspect(health_deaf=True)))
    sent = await cast.police.submit(case, annexes=[case_centre_log(case, on="2026-01-28")])
    assert {"BLIND_DEAF_OR_MUTE", "INTERPRETER_MISSING"} <= sent.warnings, "the log names nobody who interpreted"
    assert (1, "K16 NOTIFY") in await cast.world.clocks(case), "three days to tell the legal-aid agency"
    await cast.pr.accept(sent)
    assert await _results(cast, case) == [("TRANSFER", "INELIGIBLE")]
    await cast.pr.act("counsel_assigned", case, persons=(1,))
    assert (await cast.world.tracks(case))[1].legal_aid == "assigned"
    assert (await cast.pr.refused(papers(indictment(case))))["BLIND_DEAF_OR_MUTE"] == "/XYR/0/SFLR"
    ordinary = papers(indictment(case, procedure="ORDINARY"))
    await cast.court.accept(await cast.pr.submit(ordinary))
    await cast.pr.accept(await cast.court.submit(papers(judgment(ordinary, on="2026-02-20"))))
    assert {result for _, result in await _results(cast, case)} == {"INELIGIBLE"}
    (row,) = (rule for rule in load_rule_set().eligibility if rule.id == "X01")
    (part,) = row.parts.values()
    assert "appointed counsel" in part.cure
    assert "interpreter" in part.cure


async def test_scenario_10_recognizance_signed_after_the_indictment_is_refused(cast: Cast) -> None:
    """An indictment whose recognizance is dated later is refused, with the place, the code and the article."""
    case = papers(transfer())
    await cast.pr.accept(await cast.police.submit(case))
    late = indictment(case, proposed(case.persons[0], on="2026-02-10", signed="2026-02-12"), on="2026-02-11")
    _, jws, record = await cast.pr.bundle(papers(late))
    said = (await cast.pr.client.validate(jws, record)).findings
    reasons = [finding for finding in said if finding.code.name == "RECOGNIZANCE_LATE"]
    assert [finding.path for finding in reasons] == ["/XYR/0/JJS/JJSQSRQ", "/JZWS/11/WSRQ"]
    assert all(finding.severity == "error" and finding.basis.startswith("CPL 174") for finding in reasons)
    assert "RECOGNIZANCE_LATE" in await cast.pr.refused(papers(late))
    assert (await cast.oversight.stage(case)) == ("J1", "pr:110108")
    refusal: Entry = (await cast.oversight.entries(case, EntryKind.CALL_REFUSED))[-1]
    assert int(ErrorCode.RECOGNIZANCE_LATE) in refusal.refusal_codes
