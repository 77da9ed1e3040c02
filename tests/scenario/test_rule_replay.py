"""A case judged at four points, and judged again from what the ledger stores."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.app_rules import CaseReplay, replay_case
from gateway.app_vault import open_evidence
from gateway.core.entry import Entry, EntryKind
from gateway.core.form.book import load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import FormKind
from gateway.core.judge.procedure import RuleProcedure
from gateway.core.judge.replay import Verdict
from gateway.core.judge.rule_set import FILES, read_rule_set
from gateway.core.pseudonym import Pseudonyms
from gateway.rpc.client_answer import Decision
from tests.scenario.case_file import accepted, assessment_request, indictment, judgment, proposed, transfer
from tests.scenario.paper import bound, papers
from tests.scenario.world import CONSUMER, Cast
from tests.support.bundle import make_statement
from tests.support.command import fasttrack_here

RULES = Path(__file__).parents[2] / "gateway/core/rules"


async def _to_the_judgment(cast: Cast) -> tuple[str, list[Entry]]:
    """Take a case through its four points; its pseudonym and the entries that have a result."""
    case = papers(transfer())
    await cast.pr.accept(await cast.police.submit(case))
    cast.clock.set("2026-02-10T09:00")
    person = proposed(accepted(case).persons[0])
    charged = papers(indictment(replace(accepted(case), persons=(person,))))
    await cast.court.accept(await cast.pr.submit(charged))
    cast.clock.set("2026-02-20T17:00")
    await cast.court.submit(papers(judgment(charged)))
    entries = await cast.oversight.entries(case)
    pseudonyms = Pseudonyms(cast.world.pki.pseudonym_key.read_bytes())
    return pseudonyms.case(case.police_no), [
        entry for entry in entries if entry.rule_result not in ("", "NOT_EVALUATED")
    ]


async def test_case_is_judged_at_four_points_and_replays_the_same(cast: Cast) -> None:
    """Transfer, indictment, acceptance, hearing: each entry has a result, and the stored records give it again."""
    pseudonym, judged = await _to_the_judgment(cast)
    assert [(entry.kind, entry.handoff_kind, entry.rule_result) for entry in judged] == [
        (EntryKind.SUBMITTED, "TRANSFER", "UNKNOWN"),
        (EntryKind.SUBMITTED, "INDICTMENT", "ELIGIBLE"),
        (EntryKind.ACCEPTED, "INDICTMENT", "ELIGIBLE"),
        (EntryKind.SUBMITTED, "JUDGMENT", "ELIGIBLE"),
    ]
    assert {entry.rule_set for entry in judged} == {RuleProcedure().rule_set}
    assert len({entry.inputs_sha256 for entry in judged}) == 4
    found = await replay_case(
        cast.world.database_url,
        pseudonym,
        vault=cast.world.vault,
        materials=cast.world.home / "materials",
        settings=None,
        register=None,
    )
    assert found is not None
    assert [(one.verdict, one.again) for one in found] == [(Verdict.SAME, entry.rule_result) for entry in judged]


async def test_replay_tells_another_result_other_inputs_and_what_it_cannot_tell(cast: Cast) -> None:
    """Whoever changes a result, a record or a rule is found out; what is not there any more proves nothing."""
    pseudonym, judged = await _to_the_judgment(cast)
    async with open_evidence(cast.world.database_url, cast.world.vault, "test") as source:
        bundles = await source.bundles(pseudonym)
    replay = CaseReplay(RuleProcedure(), cast.world.home / "materials", None)
    forged = [
        replace(judged[1], rule_result="INELIGIBLE"),
        replace(judged[1], inputs_sha256="0" * 64),
        replace(judged[1], rule_set="eligibility/1999.1"),
    ]
    told = [(one.verdict, one.reason) for one in replay.replay(forged, bundles)]
    assert [verdict for verdict, _ in told] == [Verdict.DIFFERS, Verdict.DIFFERS, Verdict.CANNOT_TELL]
    assert (told[0][1], told[1][1]) == ("the result is another", "the inputs are others")
    destroyed = [replace(bundle, record=b"") for bundle in bundles]
    assert {one.verdict for one in replay.replay(judged, destroyed)} == {Verdict.CANNOT_TELL}


async def test_scenario_26_rule_version_changes_mid_case_and_both_are_replayed(cast: Cast) -> None:
    """A case keeps the version by which it was judged: an old entry is judged by the old file, a new one by the new."""
    _, judged = await _to_the_judgment(cast)
    later = {name: (RULES / f"{name}.yaml").read_bytes() for name in FILES}
    later = {name: text.replace(b'version: "2026.1"', b'version: "2027.1"') for name, text in later.items()}
    newer = read_rule_set(later)
    procedure = RuleProcedure(newer)
    assert procedure.definitions().keys() == {"eligibility/2027.1"}
    assert procedure.find(judged[0].rule_set) is not None
    assert procedure.find("eligibility/2027.1") is newer
    assert newer.digest != RuleProcedure().definitions()["eligibility/2026.1"]


async def test_command_replays_a_case_from_the_database(cast: Cast, tmp_path: Path) -> None:
    """An operator who has the database and the key of the pseudonyms needs no gateway."""
    pseudonym, judged = await _to_the_judgment(cast)
    environ = {
        "FASTTRACK_DATABASE_URL": cast.world.database_url,
        "FASTTRACK_PSEUDONYM_KEY_FILE": str(cast.world.pki.pseudonym_key),
        "FASTTRACK_MATERIALS_DIR": str(cast.world.home / "materials"),
        "FASTTRACK_VAULT_URL": cast.world.vault_url,
        "FASTTRACK_MASTER_KEY_FILE": str(cast.world.pki.master_key),
    }
    number = papers(transfer()).police_no
    done = await asyncio.to_thread(fasttrack_here, "rules", "replay", number, "--json", environ=environ)
    assert done.code == 0, done.errors or done.output
    assert [one["verdict"] for one in json.loads(done.output)["entries"]] == ["same"] * len(judged)
    unknown = await asyncio.to_thread(fasttrack_here, "rules", "replay", "f" * 32, "--json", environ=environ)
    assert (unknown.code, "no judged entry" in unknown.output) == (2, True)
    settings = tmp_path / "settings.yaml"
    settings.write_text("no_such: 1\n")
    wrong = await asyncio.to_thread(
        fasttrack_here, "rules", "replay", pseudonym, "--json", "--settings", settings, environ=environ
    )
    assert (wrong.code, "there is no setting no_such" in wrong.output) == (2, True)


async def test_register_in_force_at_the_transfer_is_the_one_of_the_replay(cast: Cast) -> None:
    """Scenario 17: qualified until the day before the interrogation; a register of later changes no judgement."""

    async def state(valid_to: str) -> None:
        rows = [
            {"officer_no": number, "level": "BASIC", "post": "OFFICER", "status": "VALID", "obtained_on": "2022-01-01",
             "valid_to": valid_to}
            for number in ("110001", "110002")
        ]  # fmt: skip
        body = {"unit_code": "110108000000", "as_of": "2026-01-01", "officers": rows}
        at = cast.clock()
        statement = make_statement(body, type="qualification-register", created_at=at, occurred_at=at)
        await cast.police.client.submit_statement(statement)

    case = papers(transfer())
    interrogated = min(document.on for document in case.documents if document.code == "D13" and document.on)
    await state(str(interrogated - timedelta(days=1)))
    handoff = await cast.police.submit(case)
    assert "QUALIFICATION_NOT_VALID" in handoff.warnings
    await state("2028-12-31")
    pseudonym = Pseudonyms(cast.world.pki.pseudonym_key.read_bytes()).case(case.police_no)
    found = await replay_case(
        cast.world.database_url,
        pseudonym,
        vault=cast.world.vault,
        materials=cast.world.home / "materials",
        settings=None,
        register=None,
    )
    assert found is not None
    assert [one.verdict for one in found] == [Verdict.SAME]


async def test_legal_review_that_was_stated_before_the_transfer_is_seen_and_replayed(cast: Cast) -> None:
    """D20.2: a statement of the case counts as the annex does; one that comes later changes no judgement."""
    case = papers(transfer())
    body = json.loads(load_example(load_form_book().find(FormKind.STATEMENT, "legal-review", 1)))
    reviewed = {
        "object": "TRANSFER",
        "submitted_at": "2026-01-28T08:10:00+08:00",
        "reviewed_at": "2026-01-28T08:20:00+08:00",
    }
    without = await cast.police.findings(case)
    assert "LEGAL_REVIEW_MISSING" in without
    await cast.police.state("legal-review", case, **{**body, **reviewed, "opinion": "AGREE"})
    sent = await cast.police.submit(case)
    assert "LEGAL_REVIEW_MISSING" not in sent.warnings
    await cast.police.state("legal-review", case, **{**body, **reviewed, "opinion": "DISAGREE"})
    pseudonym = Pseudonyms(cast.world.pki.pseudonym_key.read_bytes()).case(case.police_no)
    found = await replay_case(
        cast.world.database_url,
        pseudonym,
        vault=cast.world.vault,
        materials=cast.world.home / "materials",
        settings=None,
        register=None,
    )
    assert found is not None
    assert [one.verdict for one in found] == [Verdict.SAME]


async def test_delta_whose_record_names_only_what_changed_is_judged_as_the_whole_file_and_replayed(cast: Cast) -> None:
    """The supplement brings the one missing document; the unchanged ones count, and what nobody brought does not."""
    complete = papers(transfer())
    first = await cast.police.submit(papers(transfer(), without=["D04", "D20"]))
    assert "DOCUMENT_MISSING" in first.warnings
    await cast.pr.ask_supplement(first, D04="补送立案决定书")
    delta = replace(complete, documents=tuple(item for item in complete.documents if item.code == "D04"))
    before = [item.sha256 for item in bound(first.case).documents]
    again = await cast.police.submit(delta, in_reply_to=first, unchanged=before)
    missing = [finding for finding in again.submitted.warnings if finding.code.name == "DOCUMENT_MISSING"]
    assert [finding.message.partition(":")[0] for finding in missing] == ["D20"], "nobody has brought the opinion yet"
    await cast.pr.accept(again)
    pseudonym = Pseudonyms(cast.world.pki.pseudonym_key.read_bytes()).case(delta.police_no)
    found = await replay_case(
        cast.world.database_url, pseudonym, vault=cast.world.vault, materials=cast.world.home / "materials",
        settings=None, register=None,
    )  # fmt: skip
    assert found is not None
    assert [one.verdict for one in found] == [Verdict.SAME, Verdict.SAME]
    async with open_evidence(cast.world.database_url, cast.world.vault, "test") as source:
        bundles = await source.bundles(pseudonym)
    lost = [replace(bundles[0], record=b""), *bundles[1:]]
    judged = [entry for entry in await cast.oversight.entries(delta) if entry.rule_result]
    told = CaseReplay(RuleProcedure(), cast.world.home / "materials", None).replay(judged, lost)
    assert {one.verdict for one in told} == {Verdict.CANNOT_TELL}, "without the earlier record nothing can be said"


async def test_receiver_reads_what_the_rules_said_of_the_file_and_nothing_that_was_not_said_then(cast: Cast) -> None:
    """Who decides on a file is told its findings with their places; a register of later makes none of them up."""
    case = papers(transfer(), without=["D04"])
    sent = await cast.police.submit(case)
    told = (await cast.pr.take(sent)).told
    assert (told.rule_set, told.result, told.is_complete) == (RuleProcedure().rule_set, "UNKNOWN", True)
    said = {(one.code.name, one.path) for one in told.findings}
    assert said == {(one.code.name, one.path) for one in sent.submitted.warnings}
    assert "D04" in {one.message.partition(":")[0] for one in told.findings}
    officer = {"officer_no": "110001", "level": "BASIC", "post": "OFFICER", "status": "SUSPENDED"}
    await cast.police.state(
        "qualification-register", None, unit_code="110108000000", as_of="2026-01-01", officers=[officer]
    )
    later = (await cast.pr.client.fetch(sent.id, CONSUMER)).told
    assert (later.result, later.findings, later.is_complete) == ("UNKNOWN", (), False)
    await cast.pr.client.decide(sent.id, CONSUMER, Decision.ACCEPT)
    asked = await cast.pr.submit(papers(assessment_request(case)))
    assert (await cast.justice.take(asked)).told.rule_set == "", "justice is told nothing of it"
