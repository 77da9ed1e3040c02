"""Scenarios of officers, frozen funds, foreigners, people without papers, and days that nobody can count."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from gateway.app_rules import replay_case
from gateway.core.case.case import Case, IdDocument, Officer, PartialDate
from gateway.core.entry import EntryKind
from gateway.core.judge.replay import Verdict
from gateway.core.pseudonym import Pseudonyms
from tests.scenario.case_file import (
    assessment_opinion,
    assessment_request,
    bail,
    day,
    detention,
    indictment,
    judgment,
    suspect,
    transfer,
)
from tests.scenario.centre import case_centre_log
from tests.scenario.freeze import freeze_list, frozen
from tests.scenario.paper import papers
from tests.scenario.world import Cast, codes_of, refused

_VALID: Final = Officer(no="110002", level="MEDIUM", valid_to=day("2028-12-31"), role="ASSIST")


async def test_scenario_18_freeze_that_ends_in_the_review_is_told_and_a_mass_freeze_needs_its_approval(
    cast: Cast,
) -> None:
    """A freeze that ends during the review is a task for ten days before; 230 accounts without approval are refused."""
    case = papers(transfer(suspect(law="266"), freezes=frozen(2, until="2026-02-15"), freeze_total=200))
    sent = await cast.police.submit(case)
    assert "FREEZE_ENDS_EARLY" in sent.warnings
    paths = [finding.path for finding in sent.submitted.warnings if finding.code.name == "FREEZE_ENDS_EARLY"]
    assert paths == [f"/YSQS/DJZJLB/DJ[{number}]/@JZRQ" for number in (1, 2)]
    await cast.pr.accept(sent)
    running = await cast.world.fold(case)
    renewals = [clock for (_, kind, _), clock in running.book.running.items() if kind == "K42"]
    assert len(renewals) == 2, "each account has its own limit"
    many = papers(transfer(suspect(law="266"), number=2, freezes=frozen(230, until="2026-07-28"), freeze_total=23_000))
    assert "FREEZE_APPROVAL_MISSING" in await cast.police.refused(many)
    county: dict[str, Any] = {"county_approval": {"no": "批〔2026〕8号", "on": "2026-01-29"}}
    city: dict[str, Any] = {"city_approval": {"no": "市批〔2026〕2号", "on": "2026-01-29"}}
    assert "FREEZE_APPROVAL_MISSING" in await cast.police.refused(many, annexes=freeze_list(many, **county))
    assert await cast.oversight.stage(many) == ("P4", "")
    approved = await cast.police.submit(many, annexes=freeze_list(many, **county, **city))
    assert not approved.warnings & {"FREEZE_APPROVAL_MISSING", "FREEZE_BATCH_UNAPPROVED"}
    assert (await cast.oversight.stage(many))[0] == "H1"
    # Each lapses with the day that its order names, not after six months. The day of the transfer is the tenth before,
    # the last one for a renewal: the police and the procuratorate, which holds the file, are told.
    cast.clock.set("2026-02-05T12:00")
    await cast.world.schedule()
    for organ in (cast.police, cast.pr):
        assert (await organ.told(case, "K42")).count(("request", "2026-02-15")) == 2
    first = case.freezes[0]
    await cast.police.state(
        "freeze-renewal", case, freeze_id="DJ-1", bank=first.bank, account=first.account, asset="DEPOSIT",
        approver="COUNTY_HEAD", renewal_no=1, old_expiry="2026-02-15", decided_at="2026-02-05T11:00:00+08:00",
        new_expiry="2026-05-20", review_id="FZ-1", doc_no="一公(刑)续冻字〔2026〕1号", reason="案件尚未审结",
        at_="2026-02-05T11:00",
    )  # fmt: skip
    cast.clock.set("2026-02-16T00:00")
    await cast.world.schedule()
    assert (await cast.pr.told(case, "K42")).count(("breach", "2026-02-15")) == 1
    freezes = [item for item in (await cast.world.fold(case)).book.running.values() if item.rule.id == "K42"]
    assert sorted(item.inputs["until"] for item in freezes) == ["2026-02-15", "2026-05-20"]


async def test_scenario_20_assessment_that_comes_after_the_judgment_goes_to_the_court(cast: Cast) -> None:
    """A late opinion is no block: it is routed to who holds the file, the court, with a copy to the police."""
    case = papers(transfer())
    await cast.pr.accept(await cast.police.submit(case))
    request = papers(assessment_request(case, sent="2026-02-06T10:00"))
    await cast.justice.accept(await cast.pr.submit(request))
    indicted = papers(indictment(case, on="2026-02-11"))
    await cast.court.accept(await cast.pr.submit(indicted))
    await cast.pr.accept(await cast.court.submit(papers(judgment(indicted, on="2026-02-13"))))
    assert (await cast.oversight.stage(case)) == ("C5", "ct:110108"), "the missing opinion stopped nothing"
    for receiver, organ in (("ct:110108", cast.court), ("ps:110108", cast.police)):
        opinion = assessment_opinion(request, receiver=receiver, sent="2026-02-26T10:00")
        fetched = await organ.accept(await cast.justice.submit(papers(opinion, without=["D01"])))
        assert fetched.rendition.data
    assert (await cast.oversight.stage(case)) == ("C5", "ct:110108")
    last = (await cast.oversight.entries(case))[-1]
    assert last.case_state is not None
    assert last.case_state.assessment.value == "received"
    await _adverse(cast)


async def _adverse(cast: Cast) -> None:
    """T18: an adverse opinion that came in time binds nobody, but it is set aside only with a recorded reason."""
    case = papers(transfer(number=2, sent="2026-03-02T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    request = papers(assessment_request(case, sent="2026-03-03T10:00"))
    await cast.justice.accept(await cast.pr.submit(request))
    unsuitable = tuple(
        replace(person, result_code="UNSUITABLE", result_text="居住不稳定") for person in request.persons
    )
    opinion = assessment_opinion(request, receiver="pr:110108", sent="2026-03-05T10:00", persons=unsuitable)
    await cast.pr.accept(await cast.justice.submit(papers(opinion, without=["D01"])))
    assert (await cast.world.tracks(case))[1].assessment == "adverse"
    indicted = papers(indictment(case, on="2026-03-06", received="2026-03-02T10:00"))
    await cast.court.accept(await cast.pr.submit(indicted))
    sentenced = papers(judgment(indicted, on="2026-03-10"))
    assert "TRACK_NOT_ALLOWED" in await cast.court.refused(sentenced), "probation against the opinion, without a word"
    await cast.court.act("assessment_set_aside", indicted, persons=(1,), reason="被告人已提供稳定住所")
    await cast.court.submit(sentenced)
    assert (await cast.oversight.stage(case))[0] == "C5"


async def test_scenario_21_foreigner_is_reported_within_48_hours_and_looked_at_by_a_person(cast: Cast) -> None:
    """A foreign suspect has the limit K13 and no invented name; nobody is eligible before a person looked."""
    smith = suspect(
        name="SMITH JOHN", name_latin="SMITH JOHN", nation="USA", ethnic=None,
        id_docs=(IdDocument(kind="414", number="P99900101"),), measure=bail("2026-01-28T16:30"),
    )  # fmt: skip
    case = papers(transfer(smith))
    _, jws, record = await cast.police.bundle(case, annexes=[case_centre_log(case, on="2026-01-28")])
    assert "INTERPRETER_MISSING" in {
        item.code.name for item in (await cast.police.client.validate(jws, record)).findings
    }
    heard = case_centre_log(case, on="2026-01-28", interpreter="译员甲")
    sent = await cast.police.submit(case, annexes=[heard])
    assert "INTERPRETER_MISSING" not in sent.warnings
    assert (await cast.world.clocks(case))[1, "K13"] == "2026-01-30"
    assert {"path": "/YSQS/XYRLB/XYR[1]/GJ", "code": "ELIGIBILITY_UNKNOWN"} in [
        {"path": finding.path, "code": finding.code.name} for finding in sent.submitted.warnings
    ]
    fetched = await cast.pr.accept(sent)
    person = json.loads(fetched.rendition.data)["XYR"][0]
    assert (person["XYRXM"], person["WWXM"], person["GJ_BM"]) == ("SMITH JOHN", "SMITH JOHN", "840")
    assert "SFZH" not in person
    stateless = replace(smith, nation=None, id_docs=())
    second = papers(transfer(stateless, number=2))
    sent = await cast.police.submit(second)
    entries = await cast.oversight.entries(second, EntryKind.SUBMITTED)
    assert [entry.rule_result for entry in entries] == ["UNKNOWN"]
    await cast.pr.accept(sent)
    handed = await cast.pr.submit(papers(indictment(second)))
    assert "ELIGIBILITY_UNKNOWN" in handed.warnings
    assert (await cast.oversight.entries(second, EntryKind.SUBMITTED))[-1].rule_result == "UNKNOWN"


async def test_scenario_26_year_without_holidays_is_refused_and_a_case_keeps_its_rules(cast: Cast) -> None:
    """A limit that reaches into a year without published holidays is an error, never a guess."""
    case = papers(transfer(suspect(measure=bail("2026-01-28T16:30"))))
    await cast.pr.accept(await cast.police.submit(case))
    dues = await cast.world.clocks(case)
    assert dues[1, "K12"] == "CALENDAR_YEAR_MISSING", "twelve months of bail end in 2027"
    assert dues[1, "K22"] == "2026-02-24"
    submitted = (await cast.oversight.entries(case, EntryKind.SUBMITTED))[0]
    assert submitted.rule_set.startswith("eligibility/")
    registered = [
        entry
        async for item in cast.oversight.client.query_entries()
        if (entry := item.entry).kind is EntryKind.RULE_SET_REGISTERED
    ]
    assert submitted.rule_set in {entry.rule_set for entry in registered}
    # That it cannot be counted is an entry too, once, and a notice without a day.
    await cast.world.schedule()
    await cast.world.schedule()
    warned = await cast.oversight.entries(case, EntryKind.CLOCK_WARNED)
    uncounted = [entry for entry in warned if entry.level == "uncounted"]
    assert [(entry.clock, entry.due) for entry in uncounted] == [("K12", "")]
    assert uncounted[0].notified == ("pr:110108",), "who holds the file"
    assert await cast.pr.told(case, "K12") == [("uncounted", "")]
    # The rules change in the middle of the case: what was judged keeps its rule set, and is judged again by that.
    profile = cast.world.home / "rules.yaml"
    profile.write_text("qualification: refuse\n", encoding="utf-8")
    await cast.world.stop()
    await cast.world.start(rule_settings=profile)
    await cast.pr.submit(papers(indictment(case, on="2026-02-11")))
    sets = [entry.rule_set for entry in await cast.oversight.entries(case, EntryKind.SUBMITTED)]
    assert sets[0] == submitted.rule_set != sets[1]
    known = {
        item.entry.rule_set
        async for item in cast.oversight.client.query_entries()
        if item.entry.kind is EntryKind.RULE_SET_REGISTERED
    }
    assert set(sets) <= known
    pseudonym = Pseudonyms(cast.world.pki.pseudonym_key.read_bytes()).case(case.police_no)
    again = await replay_case(
        cast.world.database_url,
        pseudonym,
        vault=cast.world.vault,
        materials=cast.world.home / "materials",
        settings=profile,
        register=None,
    )
    assert {one.verdict for one in again or ()} == {Verdict.SAME}


async def test_scenario_22_person_without_papers_is_numbered_and_never_eligible_by_silence(cast: Cast) -> None:
    """A self-reported name without identity is UNKNOWN, not an adult; the limits run for that person."""
    nameless = suspect(
        name="自报姓名甲", birth=PartialDate(), nation=None, id_docs=(), measure=detention("2026-02-04T10:00")
    )
    case = papers(transfer(nameless, filed="2026-02-04"))
    sent = await cast.police.submit(case)
    assert {"BIRTH_UNKNOWN", "ELIGIBILITY_UNKNOWN"} <= sent.warnings
    assert "D16" in {document.code for document in case.documents}, "the number and the photograph"
    dues = await cast.world.clocks(case)
    assert dues[1, "K06"] == dues[1, "K07"] == "2026-02-05"
    fetched = await cast.pr.accept(sent)
    person = json.loads(fetched.rendition.data)["XYR"][0]
    assert person["XYRBH"] == nameless.key, "the person is the number, not the name"
    assert (await cast.oversight.entries(case, EntryKind.SUBMITTED))[0].rule_result == "UNKNOWN"

    # Another, arrested before anybody knew who it was: the two months run from the day of knowing (CPL 160).
    second = papers(transfer(nameless, number=2))
    cast.clock.set("2026-03-02T10:00")
    await cast.police.act("identity_not_known", second, persons=(1,))
    await cast.police.act("arrested", second, persons=(1,), documents=[{"code": "D10"}])
    assert (1, "K11") not in await cast.world.clocks(second)
    cast.clock.set("2026-03-20T10:00")
    await cast.police.act("identity_established", second, persons=(1,), documents=[{"code": "D16"}])
    assert (await cast.world.clocks(second))[1, "K11"] == "2026-05-20"


async def test_scenario_28_agency_offline_finds_its_queue_and_both_times_are_kept(cast: Cast) -> None:
    """What was signed on the last day and came 36 hours later is late, unless the policy trusts signatures."""
    case = papers(transfer(sent="2026-03-02T09:00"))
    await cast.pr.accept(await cast.police.submit(case))
    assert (await cast.world.clocks(case))[1, "K22"] == "2026-03-12"
    indicted = papers(indictment(case, on="2026-03-12", sent="2026-03-12T17:00", received="2026-03-02T10:00"))
    manifest, jws, record = await cast.pr.bundle(indicted)
    cast.clock.advance(hours=36)
    submitted = await cast.pr.client.submit(jws, record, bundle_id=manifest.bundle_id)
    assert submitted.receipt.entry.recorded_at - manifest.created_at == timedelta(hours=36)
    # The receiver was away too: what queued for it comes in order, and nothing is lost.
    row, _ = await anext(cast.court.client.watch_inbox())
    assert row.handoff == manifest.bundle_id
    await cast.court.client.claim(manifest.bundle_id, "desk")
    fetched = await cast.court.client.fetch(manifest.bundle_id, "desk")
    assert fetched.manifest_jws == jws, "the time of the signature is in what the receiver has"

    # Is the obligation met by a signed send? By default not; the policy flag says for how long an outage it is.
    trusting, brief = cast.world.home / "trusting.yaml", cast.world.home / "brief.yaml"
    trusting.write_text("signed_send_hours: 48\n", encoding="utf-8")
    brief.write_text("signed_send_hours: 24\n", encoding="utf-8")
    await cast.world.schedule(trusting)
    assert ("breach", "2026-03-12") not in await cast.pr.told(case, "K22")
    (ended,) = (clock for clock in (await cast.world.fold(case)).book.ended if clock.rule.id == "K22")
    assert ended.stopped_at == submitted.receipt.entry.recorded_at
    await cast.world.schedule(brief)
    assert (await cast.pr.told(case, "K22"))[-1] == ("breach", "2026-03-12")


async def test_scenario_17_officer_whose_qualification_had_expired_is_told_or_blocked(cast: Cast) -> None:
    """An officer whose qualification ended the day before is warned of, or refused where the profile says so."""
    expired = Officer(no="110001", level="BASIC", valid_to=day("2026-01-27"), role="LEAD")
    case = papers(transfer(officers=(expired, _VALID)))
    sent = await cast.police.submit(case)
    (finding,) = (item for item in sent.submitted.warnings if item.code.name == "QUALIFICATION_NOT_VALID")
    assert (finding.path, finding.severity) == ("/YSQS/MJLB/MJ[1]/@YXQ", "warning")
    valid = papers(transfer(number=2, officers=(replace(expired, valid_to=day("2026-01-28")), _VALID)))
    assert "QUALIFICATION_NOT_VALID" not in (await cast.police.submit(valid)).warnings
    # Another profile: the same file is refused, and the entry of the refusal names the code.
    profile = cast.world.home / "rules.yaml"
    profile.write_text("qualification: refuse\n", encoding="utf-8")
    await cast.world.stop()
    await cast.world.start(rule_settings=profile)
    blocked = replace(case, police_no=case.police_no[:-1] + "3", documents=())
    assert (await cast.police.refused(papers(blocked)))["QUALIFICATION_NOT_VALID"] == "/YSQS/MJLB/MJ[1]/@YXQ"
    (refusal,) = await cast.oversight.entries(blocked, EntryKind.CALL_REFUSED)
    assert "QUALIFICATION_NOT_VALID" in codes_of(refusal)
    await _override(cast, blocked, profile)


async def _override(cast: Cast, blocked: Case, profile: Path) -> None:
    """The police take it on themselves: reason, approver of the register; an entry, and part of what is replayed."""
    officers = [
        {"officer_no": number, "level": level, "post": post, "status": "VALID", "obtained_on": "2022-01-01",
         "valid_to": valid_to}
        for number, level, post, valid_to in (
            ("110001", "BASIC", "OFFICER", "2026-01-27"),
            ("110002", "MEDIUM", "OFFICER", "2026-12-31"),
            ("110005", "MEDIUM", "UNIT_HEAD", "2026-12-31"),
        )
    ]  # fmt: skip
    register: dict[str, Any] = {"unit_code": "110108000000", "as_of": "2026-01-01", "officers": officers}
    await cast.police.state("qualification-register", None, **register)
    said: dict[str, Any] = {
        "rule": "D13.2", "officer": "110001", "reason": "RENEWAL_PENDING", "approver": "110005",
        "approved_at": "2026-02-05T09:00:00+08:00", "approval_no": "示公批〔2026〕7号", "note": "年审期间",
    }  # fmt: skip
    by_officer = await refused(cast.police.state("finding-override", blocked, **said | {"approver": "110002"}))
    assert by_officer == {"OVERRIDE_NOT_APPROVED": "/body/approver"}
    of_exclusion = await refused(cast.police.state("finding-override", blocked, **said | {"rule": "X01"}))
    assert of_exclusion == {"OVERRIDE_NOT_ALLOWED": "/body/rule"}
    assert "QUALIFICATION_NOT_VALID" in await cast.police.refused(papers(blocked))
    await cast.police.state("finding-override", blocked, **said)
    sent = await cast.police.submit(papers(blocked))
    (finding,) = (item for item in sent.submitted.warnings if item.code.name == "QUALIFICATION_NOT_VALID")
    assert finding.message.endswith("overridden: RENEWAL_PENDING")
    entries = await cast.oversight.entries(blocked, EntryKind.STATED, EntryKind.SUBMITTED)
    assert [entry.statement_type or entry.rule_result for entry in entries] == ["finding-override", "UNKNOWN"]
    read = [one.statement.body async for one in cast.pr.client.list_statements(case_number=blocked.police_no)]
    assert [body["reason"] for body in read] == ["RENEWAL_PENDING"], "the procuratorate reads reason and approver"
    pseudonym = Pseudonyms(cast.world.pki.pseudonym_key.read_bytes()).case(blocked.police_no)
    again = await replay_case(
        cast.world.database_url, pseudonym, vault=cast.world.vault, materials=cast.world.home / "materials",
        settings=profile, register=None,
    )  # fmt: skip
    assert again is not None
    assert [one.verdict for one in again] == [Verdict.SAME]
