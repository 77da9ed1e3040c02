"""Annexes of a bundle on their way through the checks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.case.record import MaterialReference, Reading
from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.errors import ErrorCode, Severity
from gateway.core.form.book import MAX_FORM_BYTES
from gateway.core.form.definition import FormKind
from gateway.core.manifest import Manifest, Material
from gateway.core.port.ledger import StoredHandoff
from gateway.core.statement import to_payload
from gateway.core.statement_form import StatementForms, published_statement_forms
from gateway.flows import pull
from gateway.flows.annex import MAX_ANNEXES, read_annexes
from gateway.flows.check import Checked, check_bundle
from gateway.flows.parts import Parts
from gateway.flows.pull import read_stored
from gateway.flows.state import submit_statement
from gateway.flows.submit import submit_bundle
from tests.support.bundle import PDF, make_statement, new_case_number, to_material
from tests.support.fake_parts import POLICE, PROCURATORATE, World, fake_sign, fake_sign_statement
from tests.support.form_scene import book, changed_example

E = ErrorCode
_TYPE = "application/vnd.fasttrack.{}.v1+json"


def _encode(name: str, changes: dict[str, Any] | None = None) -> bytes:
    return json.dumps(changed_example(FormKind.ANNEX, name, changes), ensure_ascii=False).encode()


def _material(data: bytes, name: str, number: int = 1) -> Material:
    title = f"annex {number}"
    return Material(f"x{number}", "", title, _TYPE.format(name), len(data), sha256_hex(data), sm3_hex(data))


async def _check(world: World, *materials: Material, codes: tuple[str, ...] = ()) -> Checked:
    manifest, record = world.bundle(new_case_number(), codes=codes)
    return await check_bundle(
        world.parts, POLICE, fake_sign(replace(manifest, materials=materials), "ps:110108"), record
    )


async def _given(world: World, data: bytes, name: str, number: int = 1) -> Material:
    await world.give(POLICE, data)
    return _material(data, name, number)


def _found(checked: Checked) -> list[tuple[ErrorCode, str]]:
    return [(finding.code, finding.path) for finding in checked.findings]


async def test_annex_when_right_is_read_and_put_beside_the_record() -> None:
    """Whoever judges the bundle finds the annex as data, with the place of its material."""
    world = World()
    await world.give(POLICE, PDF)
    checked = await _check(world, to_material(PDF), await _given(world, _encode("reception"), "reception"))
    assert checked.findings == ()
    [annex] = checked.annexes
    assert (annex.name, annex.version, annex.path) == ("reception", 1, "/materials/1")
    assert annex.data["report_no"] == "JB-2024-060201"


async def test_annex_with_faults_is_told_together_with_those_of_the_record() -> None:
    """One answer has everything: record, form, checks; paths name the material."""
    world = World()
    broken = _encode("reception", {"/channel": "PIGEON", "/report_no": ""})
    masked = _encode("reception", {"/reporter/name": "张三"})
    checked = await _check(
        world,
        await _given(world, broken, "reception", 1),
        await _given(world, masked, "reception", 2),
        codes=("MISSING_FIELD",),
    )
    assert sorted(_found(checked)) == [
        (E.MISSING_FIELD, "/x"),
        (E.FORM_FIELD_INVALID, "/materials/0#/channel"),
        (E.FORM_FIELD_INVALID, "/materials/0#/report_no"),
        (E.REPORTER_NOT_MASKED, "/materials/1#/reporter/name"),
    ]
    assert not checked.is_acceptable


async def test_annex_lost_from_the_store_since_is_named_and_stops_nothing() -> None:
    """A bundle that was handed over is read again without an annex that the store has lost, and says which it is."""
    world = World()
    kept = await _given(world, _encode("reception"), "reception", 1)
    lost = await _given(world, _encode("owner-chain"), "owner-chain", 2)
    del world.store.materials[lost.sha256]
    manifest, _ = world.bundle(new_case_number())
    annexes, findings = await read_annexes(world.parts, replace(manifest, materials=(kept, lost)), ())
    assert [annex.name for annex in annexes] == ["reception"]
    assert [(finding.code, finding.path) for finding in findings] == [(E.MATERIAL_MISSING, "/materials/1/sha256")]


async def test_recording_whose_log_is_lost_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the log that its bundle brought nobody can say that a recording is whole."""
    world = World()
    media, annex = b"media", await _given(world, _encode("reception"), "reception", 2)
    digest = await world.give(POLICE, media)
    recording = to_material(media, document_code="")
    manifest, record = world.bundle(new_case_number(), digests=(digest,))
    manifest = replace(manifest, materials=(recording, annex))
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    named = (MaterialReference(digest, "/x", "", ""),)

    async def read(parts: Parts, stored: StoredHandoff) -> tuple[Manifest, Reading]:
        found, reading = await read_stored(parts, stored)
        return found, Reading("police", reading.header, reading.case, reading.findings, named)

    monkeypatch.setattr(pull, "read_stored", read)
    found = {}
    for is_lost in (False, True):
        if is_lost:
            del world.store.materials[annex.sha256]
        told = await pull.verify_recording(world.parts, POLICE, handoff_id=str(manifest.bundle_id), sha256=digest)
        found[is_lost] = {finding.code for finding in told.findings}
    assert E.MATERIAL_MISSING in found[True] - found[False]


async def test_annex_with_warnings_only_does_not_refuse() -> None:
    """A flaw of the procedure is handed over with the file, for the receiver to judge."""
    world = World()
    late = _encode("reception", {"/receipt/issued_at": "2024-06-02T12:00:00+08:00"})
    checked = await _check(world, await _given(world, late, "reception"))
    assert [(f.code, f.severity) for f in checked.findings] == [(E.RECEIPT_NOT_ON_THE_SPOT, Severity.WARNING)]
    assert checked.is_acceptable


async def test_annexes_of_one_bundle_are_checked_against_each_other() -> None:
    """A session names a recording of the manifest beside it."""
    world = World()
    log = _encode("case-centre-log", {"/visits/0/interrogations/0/recording_ids": ["REC-9"]})
    checked = await _check(
        world,
        await _given(world, log, "case-centre-log", 1),
        await _given(world, _encode("recorder-manifest", {"/recordings/1/material_id": "x2"}), "recorder-manifest", 2),
    )
    found = _found(checked)
    assert (E.RECORDING_UNKNOWN, "/materials/0#/visits/0/interrogations/0/recording_ids/0") in found
    # The example's digest is not that of the material it names here.
    assert (E.RECORDING_DIGEST_MISMATCH, "/materials/1#/recordings/1/sha256") in found


@pytest.mark.parametrize(
    ("name", "code"), [("no-such-form", E.FORM_UNKNOWN), ("Reception", None), ("reception.v1", E.FORM_UNKNOWN)]
)
async def test_annex_of_an_unknown_form_is_refused_at_its_media_type(name: str, code: ErrorCode | None) -> None:
    """What claims to be an annex is one that the gateway knows, or it is refused."""
    world = World()
    material = await _given(world, b"{}", name)
    if code is None:
        material = material._replace(media_type="application/vnd.fasttrack.reception.v2+json")
        code = E.FORM_VERSION_UNKNOWN
    assert _found(await _check(world, material)) == [(code, "/materials/0/media_type")]


async def test_annex_that_is_missing_or_too_large_is_not_read() -> None:
    """A finding says which; nothing large comes into memory."""
    world = World()
    absent = _material(b"{}", "reception", 1)
    large = await _given(world, b" " * (MAX_FORM_BYTES + 1), "reception", 2)
    checked = await _check(world, absent, large)
    assert _found(checked) == [(E.MATERIAL_MISSING, "/materials/0/sha256"), (E.FORM_TOO_LARGE, "/materials/1/size")]


async def test_annexes_beyond_the_limit_are_refused() -> None:
    """A bundle of thousands of annexes would hold a gateway for minutes."""
    world = World()
    data = _encode("reception")
    await world.give(POLICE, data)
    checked = await _check(world, *(_material(data, "reception", number) for number in range(MAX_ANNEXES + 1)))
    assert _found(checked) == [(E.FORM_TOO_LARGE, f"/materials/{MAX_ANNEXES}")]


async def test_annexes_that_are_too_large_together_are_not_read() -> None:
    """Four of a megabyte are the most that one bundle may have judged."""
    world = World()
    blank = [b" " * (MAX_FORM_BYTES - number) for number in range(5)]
    checked = await _check(world, *[await _given(world, data, "reception", at) for at, data in enumerate(blank)])
    assert _found(checked) == [
        *((E.FORM_MALFORMED, f"/materials/{number}") for number in range(4)),
        (E.FORM_TOO_LARGE, "/materials/4/size"),
    ]


async def test_annex_above_the_inline_size_is_judged_the_same_in_a_thread() -> None:
    """Size decides where an annex is judged, never how."""
    world = World()
    row = {"device_sn": "DSJ-0009", "officer_no": "110001", "on": "2024-06-02"}
    changes = {"/assignments": [row] * 1000, "/recordings/1/material_id": "x1"}
    checked = await _check(world, await _given(world, _encode("recorder-manifest", changes), "recorder-manifest"))
    found = _found(checked)
    assert (E.DEVICE_NOT_ASSIGNED, "/materials/0#/recordings/0/device_sn") in found


async def test_annex_of_another_role_is_refused() -> None:
    """A court has no recorders: the form says who may send it."""
    world = World()
    data = _encode("reception")
    await world.give(PROCURATORATE, data)
    manifest, record = world.bundle(
        new_case_number(), sender="pr:110108", receiver="ct:110108", header={"sender": "pr:110108"}
    )
    manifest = replace(manifest, materials=(_material(data, "reception"),))
    checked = await check_bundle(world.parts, PROCURATORATE, fake_sign(manifest, "pr:110108"), record)
    assert (E.FORM_ISSUER_WRONG, "/materials/0/media_type") in _found(checked)


async def _state_register(world: World, unit_code: str, *officers: str, **row: str) -> None:
    valid = {
        "level": "BASIC",
        "post": "OFFICER",
        "status": "VALID",
        "obtained_on": "2022-01-01",
        "valid_to": "2026-12-31",
    }
    body = {
        "unit_code": unit_code,
        "as_of": "2024-06-01",
        "officers": [{"officer_no": number, **valid, **row} for number in officers],
    }
    statement = make_statement(body, type="qualification-register", created_at=world.clock(), occurred_at=world.clock())
    await submit_statement(world.parts, POLICE, fake_sign_statement(to_payload(statement), "ps:110108"))


async def test_officers_are_judged_by_the_newest_register_that_the_sender_stated_for_each_unit() -> None:
    """A register is a statement: the day of the act counts, a later one replaces that of its unit, others stay."""
    world = World(forms=StatementForms(published_statement_forms(book())))
    centre = _encode("case-centre-log", {"/visits/0/interrogations/0/recording_ids": []})
    material = await _given(world, centre, "case-centre-log")
    at = "/materials/0#/visits/0/interrogations/0/officers"

    async def judged() -> list[str]:
        found = (await _check(world, material)).findings
        return [finding.path for finding in found if finding.code is E.OFFICER_NOT_QUALIFIED]

    assert await judged() == []
    await _state_register(world, "110108000000", "110001", "110002", "110003")
    await _state_register(world, "110108010000", "110004")
    assert await judged() == []
    await _state_register(world, "110108000000", "110001", "110002", "110003", valid_to="2024-06-01")
    assert await judged() == [f"{at}/0", f"{at}/1"]
    await _state_register(world, "110108000000", "110002", "110003")
    assert await judged() == [f"{at}/0"]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({}, []),
        ({"status": "SUSPENDED"}, [(E.OFFICER_NOT_QUALIFIED, "/body/reviewer")]),
        ({"valid_to": "2024-06-01"}, [(E.OFFICER_NOT_QUALIFIED, "/body/reviewer")]),
    ],
)
async def test_reviewer_of_a_statement_is_judged_by_the_register_of_the_issuer(
    row: dict[str, str], found: list[tuple[E, str]]
) -> None:
    """A legal review by somebody without valid level on its day is told, whether it is an annex or a statement."""
    world = World(forms=StatementForms(published_statement_forms(book())))
    body = changed_example(FormKind.STATEMENT, "legal-review")
    officers = (body["reviewer"], *body["handlers"])
    await _state_register(world, "110108000000", *officers, **row)
    at = world.clock()
    statement = make_statement(body, new_case_number(), type="legal-review", created_at=at, occurred_at=at)
    stated = await submit_statement(world.parts, POLICE, fake_sign_statement(to_payload(statement), "ps:110108"))
    assert [(warning.code, warning.path) for warning in stated.warnings] == found
