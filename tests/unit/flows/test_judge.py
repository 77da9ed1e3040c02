"""Where the procedure judges: at a submit, and again when a court accepts an indictment."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from adapters.registry import Adapters
from gateway.core.dossier import Point
from gateway.core.entry import HandoffState
from gateway.core.errors import ErrorCode, Finding, Severity
from gateway.core.judge.outcome import Result
from gateway.core.judge.procedure import RuleProcedure
from gateway.core.port.ledger import InboxRow, StoredHandoff
from gateway.core.route import RecordKind
from gateway.flows.judge import judge_acceptance, judge_reading, to_findings
from gateway.flows.submit import submit_bundle
from tests.adapters.cases import SAMPLES
from tests.support.bundle import new_case_number, to_native_record, transfer_manifest
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, StrictProcedure, World, fake_sign

INDICTMENT = "01-dui-chain/4-indictment/from-procuratorate.indictment.json"
TRANSFER = "01-dui-chain/1-transfer/from-police.transfer.xml"


def read_sample(name: str) -> bytes:
    """A record of the samples of the agency interfaces."""
    return (SAMPLES / name).read_bytes()


def _stored(record: bytes, kind: str = "INDICTMENT", receiver: str = "ct:110108") -> StoredHandoff:
    manifest = transfer_manifest(
        record, "A1101080000002024060012", created_at=datetime(2026, 1, 1, tzinfo=UTC), materials=(),
        sender=PROCURATORATE, receiver=COURT, kind=RecordKind.INDICTMENT,
        native_record=to_native_record(record, "procuratorate", "2.0"),
    )  # fmt: skip
    row = InboxRow(
        uuid4(), kind, "pr:110108", receiver, "A1", 1, HandoffState.FETCHED, 0, datetime(2026, 1, 1, tzinfo=UTC), "",
        None,
    )  # fmt: skip
    return StoredHandoff(row, fake_sign(manifest, "pr:110108"), record, ())


async def test_submit_puts_result_and_digest_of_the_inputs_into_its_entry() -> None:
    """An entry says by which rules, with which result and of what; the bundle itself is not needed to compare."""
    world = World(procedure=StrictProcedure((Finding(ErrorCode.DOCUMENT_MISSING, "document", "x", Severity.WARNING),)))
    manifest, record = world.bundle(new_case_number())
    submitted = await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    entry = world.ledger.entry()
    assert (entry.rule_set, entry.rule_result, entry.inputs_sha256) == ("strict/1", "INELIGIBLE", "ee" * 32)
    assert [(one.code, one.path, one.message) for one in submitted.warnings] == [
        (ErrorCode.DOCUMENT_MISSING, "document", "E01: x")
    ]


async def test_record_is_judged_on_its_own_day_and_never_later_than_today() -> None:
    """What waits in a queue is judged by the day it was sent; a day to come makes nobody older."""
    procedure = StrictProcedure(())
    world = World(procedure=procedure)
    await submit_bundle(world.parts, POLICE, *_signed(world))
    [dossier] = procedure.judged
    assert dossier is not None
    assert (dossier.point, dossier.on) == (Point.TRANSFER, date(2026, 1, 2))
    world.clock.at = datetime(2026, 1, 1, 10, tzinfo=UTC)
    await submit_bundle(world.parts, POLICE, *_signed(world))
    assert [one.on for one in procedure.judged if one is not None] == [date(2026, 1, 2), date(2026, 1, 1)]


def _signed(world: World) -> tuple[str, bytes]:
    manifest, record = world.bundle(new_case_number())
    return fake_sign(manifest), record


@pytest.mark.parametrize(("sample", "sender", "receiver", "result"), [
    (TRANSFER, "police", "procuratorate", Result.UNKNOWN),
    (INDICTMENT, "procuratorate", "court", Result.ELIGIBLE),
    ("01-dui-chain/5-judgment/from-court.judgment.xml", "court", "procuratorate", Result.ELIGIBLE),
    ("01-dui-chain/2-assessment-request/from-procuratorate.assessment_request.json", "procuratorate", "justice",
     Result.NOT_EVALUATED),
    ("01-dui-chain/7-execution/from-court.execution.xml", "court", "justice", Result.NOT_EVALUATED),
])  # fmt: skip
def test_chain_of_the_demo_is_judged_at_its_points_and_refused_at_none(
    sample: str, sender: str, receiver: str, result: Result
) -> None:
    """A real case of all four agencies comes through; what its file lacks are warnings."""
    adapters = Adapters()
    parts = replace(World(procedure=RuleProcedure()).parts, adapters=adapters)
    reading = adapters.read(read_sample(sample), sender=sender, receiver=receiver)
    outcome = judge_reading(parts, reading, datetime(2026, 11, 26, tzinfo=UTC))
    assert outcome.result is result
    assert {finding.severity for finding in to_findings(parts, reading, outcome)} <= {Severity.WARNING}


async def test_acceptance_of_an_indictment_judges_the_stored_record_on_the_day_of_the_gateway() -> None:
    """Weeks after the indictment other things may be true; the entry of the acceptance says what was then."""
    record = read_sample(INDICTMENT)
    procedure = StrictProcedure(())
    world = World(procedure=procedure)
    parts = replace(world.parts, adapters=Adapters())
    outcome = await judge_acceptance(parts, COURT, _stored(record))
    assert outcome is not None and outcome.result is Result.INELIGIBLE
    [dossier] = procedure.judged
    assert dossier is not None
    assert (dossier.point, dossier.on) == (Point.COURT_ACCEPTANCE, world.clock().date())


async def test_acceptance_of_anything_else_judges_nothing() -> None:
    """Another kind, another caller, no handoff at all: the ledger decides, the rules have nothing to say."""
    record = read_sample(INDICTMENT)
    parts = replace(World(procedure=StrictProcedure(())).parts, adapters=Adapters())
    assert await judge_acceptance(parts, COURT, None) is None
    assert await judge_acceptance(parts, PROCURATORATE, _stored(record)) is None
    assert await judge_acceptance(parts, COURT, _stored(record, kind="JUDGMENT")) is None


async def test_indictment_without_counsel_is_refused_with_the_path_in_the_senders_file() -> None:
    """Scenario 10: whoever has to heal it finds it."""
    text = json.loads(read_sample(INDICTMENT))
    text["XYR"][0]["JJS"]["JJSQSRQ"] = "2024-06-18"
    del text["XYR"][0]["JJS"]["LSXM"]
    adapters = Adapters()
    parts = replace(World(procedure=RuleProcedure()).parts, adapters=adapters)
    reading = adapters.read(json.dumps(text, ensure_ascii=False).encode(), sender="procuratorate", receiver="court")
    outcome = judge_reading(parts, reading, datetime(2026, 11, 26, tzinfo=UTC))
    refused = {(one.code, one.path) for one in to_findings(parts, reading, outcome) if one.severity is Severity.ERROR}
    assert refused == {
        (ErrorCode.RECOGNIZANCE_LATE, "/XYR/0/JJS/JJSQSRQ"),
        (ErrorCode.RECOGNIZANCE_WITHOUT_COUNSEL, "/XYR/0/JJS/LSXM"),
    }
