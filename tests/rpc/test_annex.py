"""Annexes over the wire: what a receiver gets with a handoff, and what refuses one."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.form.definition import Concern, FormKind
from gateway.core.judge.override import NAME as FINDING_OVERRIDE
from gateway.core.manifest import Material
from gateway.core.procedure.procedural_act import PROCEDURAL_ACT
from tests.rpc.conftest import Signers
from tests.support.bundle import (
    PDF,
    load_issued,
    make_statement,
    new_case_number,
    sign,
    sign_stated,
    to_material,
    transfer_manifest,
    transfer_record,
)
from tests.support.form_scene import PERSON, book, changed_example
from tests.support.gateway import RunningGateway
from tests.support.wire import Desk, refusal_of

_OF_THE_RECORD: Final = {"/visits/0/person": PERSON, "/visits/0/interrogations/0/transcript": "1"}


def _annex(name: str, changes: dict[str, Any]) -> tuple[bytes, Material]:
    data = json.dumps(changed_example(FormKind.ANNEX, name, changes), ensure_ascii=False).encode()
    media_type = f"application/vnd.fasttrack.{name}.v1+json"
    return data, Material("log", "", "办案中心流程记录", media_type, len(data), sha256_hex(data), sm3_hex(data))


def _bundle(signers: Signers, annex: Material) -> tuple[str, bytes]:
    number = new_case_number()
    record = transfer_record(number)
    return sign(transfer_manifest(record, number, materials=(to_material(PDF), annex)), signers.police), record


async def test_transfer_with_an_annex_is_accepted_with_its_warnings(police: Desk, signers: Signers) -> None:
    """Flaws of the procedure travel with the file: the answer names them with their place and article."""
    data, annex = _annex("case-centre-log", {**_OF_THE_RECORD, "/visits/0/rests": []})
    await police.upload(data)
    done = await police.submit(*_bundle(signers, annex))
    told = {warning.name: (warning.path, warning.basis) for warning in done.warnings}
    assert told["REST_MISSING"] == ("/materials/1#/visits/0/rests", "MPS 201")
    assert done.receipt.jws


async def test_transfer_with_an_annex_about_nobody_of_the_record_is_refused(police: Desk, signers: Signers) -> None:
    """An annex that contradicts the record refuses the handoff, with a path into the annex."""
    data, annex = _annex("case-centre-log", {**_OF_THE_RECORD, "/visits/0/person": "R9"})
    await police.upload(data)
    refusal = await refusal_of(police.submit(*_bundle(signers, annex)))
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "PERSON_NOT_IN_RECORD")
    assert ("PERSON_NOT_IN_RECORD", "/materials/1#/visits/0/person") in refusal.found


# An act of the procedure is taken only in its stage; the scenarios play them.
STATEMENTS = [key.name for key in book().forms if key.kind is FormKind.STATEMENT and key.name != PROCEDURAL_ACT]


@pytest.mark.parametrize("name", STATEMENTS)
async def test_example_of_every_published_statement_is_taken(gateway: RunningGateway, name: str) -> None:
    """Who starts from an example states something at once; those of justice come from justice."""
    form = book().find(FormKind.STATEMENT, name, 1)
    role = "ps" if "ps" in form.issuers else form.issuers[0]
    # A register of officers judges what its agency states afterwards, so it comes from one that states nothing else.
    agency = f"{role}:110105" if name in ("qualification-register", FINDING_OVERRIDE) else f"{role}:110108"
    files = gateway.pki.agency(agency)
    signer = load_issued(files.sign_certificate, files.sign_key)
    case_number = "" if form.concern is Concern.NO_CASE else new_case_number()
    body = changed_example(FormKind.STATEMENT, name)
    statement = make_statement(body, case_number, type=name, issuer=agency)
    async with Desk(gateway, agency) as desk:
        if name == FINDING_OVERRIDE:
            # Only the register of its issuer proves that the approver may approve.
            head = {"level": "MEDIUM", "post": "UNIT_HEAD", "status": "VALID"}
            days = {"obtained_on": "2022-01-01", "valid_to": "2026-12-31"}
            officers = [{"officer_no": body[who], **head, **days} for who in ("officer", "approver")]
            register = {"unit_code": "110105000000", "as_of": "2024-06-01", "officers": officers}
            stated = make_statement(register, type="qualification-register", issuer=agency)
            await desk.state(sign_stated(stated, signer))
        answer = await desk.state(sign_stated(statement, signer))
    assert answer.receipt.jws
    # The ledger knows of no freeze in a new case; it says so, and takes the renewal.
    expected = ["CLOCK_NOT_RUNNING"] if name == "freeze-renewal" else []
    assert [warning.name for warning in answer.warnings] == expected


async def test_statement_with_a_fault_is_refused_with_a_path_below_body(police: Desk, signers: Signers) -> None:
    """The checks of a form judge a statement as they judge an annex."""
    body = changed_example(FormKind.STATEMENT, "alert-disposal", {"/alerts/2/second_officer": "110001"})
    statement = make_statement(body, type="alert-disposal", issuer="ps:110108")
    refusal = await refusal_of(police.state(sign_stated(statement, signers.police)))
    assert refusal.found == (("SECOND_OFFICER_MISSING", "/body/alerts/2/second_officer"),)
