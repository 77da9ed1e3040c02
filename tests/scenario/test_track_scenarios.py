"""Scenarios of persons who go different ways: custody, consent, absence, appeal, a proposal that is raised."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.case.case import Case, Recording, Victim
from gateway.core.entry import EntryKind
from gateway.core.identity import parse_agency
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.proceeding import make_dossier
from gateway.core.judge.rule_set import load_rule_set
from gateway.core.procedure.track import Own
from tests.scenario.case_file import (
    ADAPTERS,
    at,
    bail,
    day,
    detention,
    execution,
    indictment,
    judged,
    judgment,
    native,
    not_prosecuted,
    proposed,
    retransfer,
    returned,
    suspect,
    transfer,
)
from tests.scenario.freeze import freeze_list, frozen
from tests.scenario.paper import papers
from tests.scenario.world import Cast, Organ, refused


async def test_scenario_02_detained_driver_goes_through_all_hands_in_one_day(cast: Cast) -> None:
    """In custody the 24 hours come from the papers, the three days are not extended, and each stage changes hands."""
    held = suspect(measure=detention("2026-03-02T02:30"), plea_on=None)
    heard = Recording(
        device="ZFY-000012", start=at("2026-03-02T09:00"), end=at("2026-03-02T09:40"), sha256="",
        transcript="6", officer="110001",
    )  # fmt: skip
    case = papers(transfer(held, filed="2026-03-02", sent="2026-03-03T09:00", recordings=(heard,)))
    assert {document.key: document.code for document in case.documents}["6"] == "D13"
    assert "D30" in {document.code for document in case.documents}
    sent = await cast.police.submit(case)
    dues = await cast.world.clocks(case)
    assert (1, "K08") not in dues, "the paper of the first interrogation is inside the 24 hours"
    assert dues[1, "K06"] == dues[1, "K07"] == "2026-03-03"
    assert dues[1, "K09"] == "2026-03-05", "the sending does not extend it"
    await cast.pr.accept(sent)
    assert (await cast.world.clocks(case))[1, "K22"] == "2026-03-13"
    ended = {clock.rule.id: clock for clock in (await cast.world.fold(case)).book.ended}
    assert ended["K08"].stopped_at == at("2026-03-02T09:00")
    assert "K09" in ended, "the procuratorate took the person over in time"
    await _changes_hands(cast, case, cast.police, cast.pr)

    person = proposed(held, months=1, probation=2, on="2026-03-03")
    indicted = papers(indictment(case, person, on="2026-03-03", sent="2026-03-03T11:00", received="2026-03-03T09:00"))
    assert "D30" in {document.code for document in indicted.documents}
    await cast.court.accept(await cast.pr.submit(indicted))
    await _changes_hands(cast, case, cast.pr, cast.court)
    sentenced = papers(judgment(indicted, judged(person, months=1, probation=2), on="2026-03-03"))
    await cast.pr.accept(await cast.court.submit(sentenced))
    assert (await cast.oversight.stage(case))[0] == "C5"
    await cast.court.act("released", case, persons=(1,), documents=[{"code": "D10"}])
    assert (await cast.world.tracks(case))[1].custody == "released"
    days = {entry.recorded_at.date() for entry in await cast.oversight.entries(case)}
    assert len(days) == 1
    assert await cast.police.told(case, "K09") == []

    # Another, whom nobody takes over in the three days: the handoff that lies there stops no alarm.
    second = papers(transfer(held, filed="2026-03-02", sent="2026-03-03T17:30", number=2))
    too_late = ("breach", "2026-03-02T18:30:00.000Z")
    lying = await cast.police.submit(second)
    await cast.pr.take(lying)
    cast.clock.set("2026-03-05T08:00")
    await cast.world.schedule()
    assert (await cast.police.told(second, "K09"))[-1] == ("100%", "2026-03-05")
    assert (await cast.world.clocks(second))[1, "K09"] == "2026-03-05"
    cast.clock.set("2026-03-06T00:00")
    await cast.world.schedule()
    assert (await cast.police.told(second, "K09"))[-1] == ("breach", "2026-03-05")
    assert await cast.pr.told(second, "K09") == [("breach", "2026-03-05")]
    assert too_late in await cast.pr.told(second, "K08"), "no paper proves that anybody interrogated this one in time"


async def _changes_hands(cast: Cast, case: Case, giver: Organ, taker: Organ) -> None:
    """The certificate of the custody transfer is due with the file, filled in by who gives, confirmed by who takes."""
    paper = [{"code": "D30"}]
    assert (await cast.world.tracks(case))[1].exchange == "due"
    early = await refused(taker.act("exchange_confirmed", case, persons=(1,), documents=paper))
    assert early == {"TRACK_NOT_ALLOWED": "/body/persons/0"}
    assert "ACT_DOCUMENT_MISSING" in await refused(giver.act("exchange_filed", case, persons=(1,)))
    for organ, act, word in ((giver, "exchange_filed", "filed"), (taker, "exchange_confirmed", "confirmed")):
        await organ.act(act, case, persons=(1,), documents=paper)
        assert (await cast.world.tracks(case))[1].exchange == word
    stated = (await cast.oversight.entries(case, EntryKind.STATED))[-2:]
    assert [("T08" in entry.transitions, entry.actor) for entry in stated] == [(True, giver.name), (True, taker.name)]


def _judge(case: Case) -> tuple[str, list[set[str]]]:
    """What the rules say of a record as its sender writes it, and which of them stand against each person."""
    sender, receiver = (parse_agency(name).system for name in (case.sender, case.receiver))
    read = ADAPTERS.read(native(case), sender=sender, receiver=receiver).case
    assert read is not None
    dossier = make_dossier(read, case.sent_at)
    assert dossier is not None
    outcome = judge_dossier(load_rule_set(), dossier)
    return outcome.result.value, [{one.rule for one in person.findings} for person in outcome.persons]


async def test_scenario_07_one_of_three_withdraws_and_the_whole_case_leaves_the_lane(cast: Cast) -> None:
    """A co-defendant who withdraws consent at court takes all three off the fast track; the limit begins again."""
    settled = Victim(key="V1101080000002026010001", name="测试人子", settled=True, settled_on=day("2026-03-01"))
    thieves = (suspect(number, law="264") for number in (1, 2, 3))
    case = papers(transfer(*thieves, sent="2026-03-02T09:00", victims=(settled,)))
    await cast.pr.accept(await cast.police.submit(case))
    persons = tuple(proposed(person, on="2026-03-05") for person in case.persons)
    indicted = papers(indictment(case, *persons, on="2026-03-06", received="2026-03-02T10:00"))
    assert _judge(indicted) == ("ELIGIBLE", [set(), set(), set()]), "before the withdrawal nothing stands against them"
    await cast.court.accept(await cast.pr.submit(indicted))
    await cast.court.act("consent_given", indicted, persons=(1, 2))
    await cast.court.act("consent_withdrawn", indicted, persons=(3,))
    assert (1, "K31") in await cast.world.clocks(indicted)
    cast.clock.set("2026-03-10T10:00")
    fast = papers(judgment(indicted, on="2026-03-10"))
    assert "TRACK_NOT_ALLOWED" in await cast.court.refused(fast), "nobody is judged on the fast track any more"
    # What the rules say of the case as it stands after the withdrawal: against the two who consent only X05.
    against = tuple(replace(judged(person), plea_consents=person.order != 3) for person in indicted.persons)
    withdrawn = papers(judgment(indicted, *against, on="2026-03-10"))
    assert _judge(withdrawn) == ("INELIGIBLE", [{"X05"}, {"X05"}, {"E04"}])
    _, jws, record = await cast.court.bundle(withdrawn)
    said = (await cast.court.client.validate(jws, record)).findings
    assert {(one.code.name, one.path) for one in said if one.path.startswith("/CASE/DSR/R[3]/")} == {
        ("CO_DEFENDANT_OBJECTS", "/CASE/DSR/R[3]/@TYCX"), ("PROCEDURE_NOT_CONSENTED", "/CASE/DSR/R[3]/@TYCX"),
    }  # fmt: skip
    await cast.court.act("converted_summary", indicted, reason="一名被告人撤回同意")
    assert (await cast.oversight.stage(case))[0] == "C3"
    dues = await cast.world.clocks(indicted)
    for number in (1, 2, 3):
        assert (number, "K31") not in dues
        assert dues[number, "K32"] == "2026-03-30", "20 days from the decision"
    moved = (await cast.oversight.entries(case, EntryKind.STATED))[-1]
    assert "T17" in moved.transitions
    objecting = tuple(replace(judged(person), plea_consents=person.order != 3) for person in indicted.persons)
    await cast.court.submit(papers(judgment(indicted, *objecting, on="2026-03-20", procedure="SUMMARY")))
    heard = (await cast.oversight.entries(case, EntryKind.SUBMITTED))[-1]
    assert (heard.handoff_kind, heard.rule_result) == ("JUDGMENT", "INELIGIBLE"), "because one does not consent"


async def test_scenario_12_present_suspect_is_accepted_and_the_absent_one_refused(cast: Cast) -> None:
    """In a joint case with an accomplice at large the present suspect is accepted, the absent one refused (SPP 158)."""
    case = papers(transfer(suspect(1, law="264"), suspect(2, law="264", measures=())))
    await cast.pr.accept(await cast.police.submit(case))
    await cast.pr.act("absent_refused", case, persons=(2,))
    assert (await cast.oversight.stage(case)) == ("J1", "pr:110108")
    assert await refused(cast.pr.act("absent_refused", case, persons=(2,))), "once is enough"
    stated = (await cast.oversight.entries(case, EntryKind.STATED))[-1]
    assert "T07" in stated.transitions
    tracks = await cast.world.tracks(case)
    assert (tracks[1].own, tracks[2].own) == (Own.WITH_FILE, Own.NOT_ACCEPTED)
    dues = await cast.world.clocks(case)
    assert (1, "K22") in dues
    assert not {(2, "K20"), (2, "K22"), (2, "K23")} & dues.keys(), "nobody answers for a person who was not accepted"
    handed = papers(
        indictment(replace(case, documents=()), proposed(case.persons[0], on="2026-02-10"), on="2026-02-11")
    )
    await cast.court.accept(await cast.pr.submit(handed))
    assert (await cast.world.tracks(case))[2].own == Own.NOT_ACCEPTED, "the file goes on without the absent one"


async def test_minor_who_is_split_off_keeps_the_limits_in_the_case_that_takes_him_over(cast: Cast) -> None:
    """Each limit has the same last day there and has ended here; what was said of it is not said again (T24)."""
    minor = suspect(2, law="264", measure=detention(), birth=day("2009-05-01"))
    case = papers(transfer(suspect(1, law="264"), minor))
    own = replace(papers(transfer(minor)), police_no=case.police_no[:-4] + "0099")
    await cast.pr.accept(await cast.police.submit(case))
    before = await cast.world.clocks(case)
    cast.clock.set("2026-02-09T09:00")
    await cast.world.schedule()
    said = await cast.oversight.entries(case, EntryKind.CLOCK_BREACHED, EntryKind.CLOCK_WARNED)
    await cast.pr.act("split", case, persons=(2,), other_case=own.police_no)
    assert await cast.world.clocks(case) == before, "until another case has him they run here"
    await cast.pr.act("joined", own, other_case=case.police_no)
    here, there = await cast.world.clocks(case), await cast.world.clocks(own)
    of_minor = {key: due for key, due in before.items() if key[0] == 2}
    assert there == of_minor and (2, "K23") in there
    assert here == {key: due for key, due in before.items() if key[0] != 2}
    await cast.world.schedule()
    assert await cast.oversight.entries(own, EntryKind.CLOCK_BREACHED, EntryKind.CLOCK_WARNED) == []
    assert await cast.oversight.entries(case, EntryKind.CLOCK_BREACHED, EntryKind.CLOCK_WARNED) == said
    cast.clock.set("2026-03-20T09:00")
    await cast.world.schedule()
    for number in (case, own):
        breached = await cast.oversight.entries(number, EntryKind.CLOCK_BREACHED)
        assert [entry.clock for entry in breached].count("K23") == 1, "each of the two has his own"


async def test_scenario_14_transfer_on_day_31_of_the_supplement_is_a_breach(cast: Cast) -> None:
    """Supplementary investigation has one month; a transfer after it is taken, and the breach is an entry."""
    case = papers(transfer(sent="2026-03-02T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    back = papers(returned(case, on="2026-03-04"))
    await cast.police.accept(await cast.pr.submit(back))
    due = (await cast.world.clocks(case))[1, "K24"]
    assert due == "2026-04-07", "4 to 6 April are holidays"
    assert await refused(cast.pr.act("reasons_asked", case)) == {"CLOCK_NOT_PASSED": "/body/act"}
    cast.clock.set("2026-04-08T09:00")
    await cast.world.schedule()
    await cast.world.schedule()
    breaches = await cast.oversight.entries(case, EntryKind.CLOCK_BREACHED)
    assert [entry.clock for entry in breaches].count("K24") == 1, "once, however often it is looked at"
    assert ("breach", "2026-04-07") in await cast.pr.told(case, "K24"), "the supervisor can list it"
    assert ("breach", "2026-04-07") in await cast.police.told(case, "K24")
    assert await cast.court.told(case, "K24") == []
    assert {entry.notified for entry in breaches if entry.clock == "K24"} == {("pr:110108", "ps:110108")}
    late = papers(retransfer(back, sent="2026-04-08T10:00"))
    sent = await cast.police.submit(late)
    # SPP 347: the procuratorate asks why; the police answer, and both are entries that the other reads.
    unasked = await refused(cast.police.act("reasons_given", case, reason="鉴定机构延期"))
    assert unasked == {"TRANSITION_NOT_ALLOWED": "/body/act"}
    await cast.pr.act("reasons_asked", case)
    await cast.police.act("reasons_given", case, reason="鉴定机构延期")
    read = [one.statement.body async for one in cast.pr.client.list_statements(case_number=case.police_no)]
    assert [(body["act"], body.get("reason")) for body in read] == [
        ("reasons_asked", None), ("reasons_given", "鉴定机构延期"),
    ]  # fmt: skip
    await cast.pr.accept(sent)
    assert (await cast.oversight.stage(case))[0] == "J1"


async def test_scenario_15_raised_proposal_stays_fast_with_the_longer_limit(cast: Cast) -> None:
    """From 11 months to 14 the case stays on the fast track with 15 days, and the recognizance is due again."""
    settled = Victim(key="V1101080000002026010001", name="测试人子", settled=True, settled_on=day("2026-03-01"))
    case = papers(transfer(suspect(law="264"), sent="2026-03-02T09:00", victims=(settled,)))
    await cast.pr.accept(await cast.police.submit(case))
    person = proposed(case.persons[0], months=11, probation=12, on="2026-03-05")
    indicted = papers(indictment(case, person, on="2026-03-06", received="2026-03-02T10:00"))
    await cast.court.accept(await cast.pr.submit(indicted))
    assert (await cast.world.clocks(indicted))[1, "K31"] == "2026-03-16"
    cast.clock.set("2026-03-10T10:00")
    await cast.pr.act("proposal_adjusted", indicted, persons=(1,), expected_months=14)
    assert (await cast.world.clocks(indicted))[1, "K31"] == "2026-03-23", "21 March is a Saturday"
    fourteen = proposed(case.persons[0], months=14, probation=18, on="2026-03-10")
    assert _judge(papers(replace(indicted, persons=(fourteen,)))) == ("ELIGIBLE", [set()]), "three years are the bound"
    beyond = await refused(cast.pr.act("proposal_adjusted", indicted, persons=(1,), expected_months=37))
    assert beyond == {"TRANSITION_NOT_ALLOWED": "/body/expected_months"}, "above three years the fast track is left"
    over = proposed(case.persons[0], months=37, probation=0, on="2026-03-10")
    assert _judge(papers(replace(indicted, persons=(over,)))) == ("INELIGIBLE", [{"E02"}])
    assert (await cast.oversight.stage(case))[0] == "C1"
    assert (await cast.world.tracks(case))[1].recognizance == "due"
    again = proposed(case.persons[0], months=14, probation=18, on="2026-03-11")
    raised = replace(indicted, persons=(again,))
    sentenced = papers(judgment(raised, judged(again, months=14, probation=18), on="2026-03-12"))
    assert "TRACK_NOT_ALLOWED" in await cast.court.refused(sentenced), "not before the recognizance is signed again"
    cast.clock.set("2026-03-12T18:00")
    await cast.pr.act("recognized", indicted, persons=(1,), documents=[{"code": c} for c in ("D40", "D41", "D43")])
    assert (await cast.world.tracks(case))[1].recognizance == "signed"
    await cast.court.submit(sentenced)
    heard = (await cast.oversight.entries(case, EntryKind.SUBMITTED))[-1]
    assert (heard.handoff_kind, heard.rule_result) == ("JUDGMENT", "ELIGIBLE"), "above one year is still the fast track"
    assert (await cast.oversight.stage(case))[0] == "C5"


async def test_scenario_19_non_prosecution_is_followed_by_late_remedies_and_can_be_reopened(cast: Cast) -> None:
    """The police have seven days to ask for reconsideration; the retraction of the plea reopens the case."""
    case = papers(transfer(sent="2026-03-02T09:00", freezes=frozen(2, until="2026-07-28"), freeze_total=200))
    await cast.pr.accept(await cast.police.submit(case))
    kinds = [clock for _, clock, _ in (await cast.world.fold(case)).book.running]
    assert kinds.count("K42") == 2, "two accounts are frozen"
    ended = papers(not_prosecuted(case, on="2026-03-05"))
    lifted = freeze_list(case, lifted_at="2026-03-05T14:00:00+08:00")
    await cast.police.accept(await cast.pr.submit(ended, annexes=lifted))
    assert (await cast.oversight.stage(case))[0] == "J4"
    assert (await cast.world.tracks(case))[1].custody == "released"
    kinds = [clock for _, clock, _ in (await cast.world.fold(case)).book.running]
    assert "K42" not in kinds, "the funds are lifted with the decision"
    remedies = {name: due for (_, name), due in (await cast.world.clocks(case)).items() if name.startswith("K25")}
    assert remedies["K25 POLICE_RECONSIDERATION"] == "2026-03-12"
    cast.clock.set("2026-03-13T10:00")
    await cast.world.schedule()
    late = [entry.clock for entry in await cast.oversight.entries(case, EntryKind.CLOCK_BREACHED)]
    assert "K25" in late, "day 8 is late"
    await cast.police.act("reconsideration_asked", case, persons=(1,))
    (asked,) = [clock for clock in (await cast.world.fold(case)).book.ended if clock.rule.id == "K25"]
    assert asked.stopped_at == cast.clock() and (1, "K25 PR_RECONSIDERATION") in await cast.world.clocks(case)
    await cast.pr.act("nonprosecution_reopened", case, persons=(1,), ground="177-2", reason="认罪认罚后反悔")
    assert (await cast.oversight.stage(case))[0] == "J1o"


async def test_scenario_24_appeal_of_one_keeps_the_judgment_from_taking_effect(cast: Cast) -> None:
    """Served on different days, one appeals: nothing is effective for the file, and no papers of execution go out."""
    two = (suspect(1, law="264"), suspect(2, law="264", measure=bail()))
    case = papers(transfer(*two, sent="2026-03-02T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    persons = tuple(proposed(person, on="2026-03-05") for person in case.persons)
    indicted = papers(indictment(case, *persons, on="2026-03-06", received="2026-03-02T10:00"))
    await cast.court.accept(await cast.pr.submit(indicted))
    sentenced = papers(judgment(indicted, on="2026-03-10"))
    await cast.pr.accept(await cast.court.submit(sentenced))
    cast.clock.set("2026-03-11T10:00")
    await cast.court.act("judgment_served", sentenced, persons=(1,))
    waiting = [key for key in await cast.world.clocks(sentenced) if key[1].startswith("K36")]
    assert waiting == [(2, "K36 DEFENDANT")], "the limit of service runs on for who was not served"
    cast.clock.set("2026-03-13T10:00")
    await cast.court.act("judgment_served", sentenced, persons=(2,))
    appeals = {
        number: due for (number, name), due in (await cast.world.clocks(sentenced)).items()
        if name.startswith("K37") and "PROCURATORATE" not in name
    }  # fmt: skip
    assert appeals == {1: "2026-03-23", 2: "2026-03-23"}, "21 March is a Saturday; each has an end of one's own"
    cast.clock.set("2026-03-18T10:00")
    await cast.court.act("appealed", sentenced, persons=(1,))
    assert (await cast.oversight.stage(case))[0] == "C6"
    assert await refused(cast.court.act("judgment_effective", sentenced, effective_on="2026-03-24"))
    only_b = papers(execution(replace(sentenced, persons=sentenced.persons[1:]), effective="2026-03-24"))
    assert "TRANSITION_NOT_ALLOWED" in await cast.court.refused(only_b)
