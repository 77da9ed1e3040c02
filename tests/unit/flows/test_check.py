"""What is found in a bundle before the ledger sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.entry import HandoffState
from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity
from gateway.core.identity import parse_agency
from gateway.core.manifest import MAX_RECORD_IN_CALL_BYTES, Manifest
from gateway.core.route import RecordKind
from gateway.flows.check import Checked, check_bundle, refusal
from gateway.flows.submit import submit_bundle
from gateway.rpc.client_bundle import make_uuid7
from tests.support.bundle import PDF, new_case_number, to_material, to_native_record, transfer_manifest
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, StrictProcedure, World, fake_record, fake_sign

E = ErrorCode


async def _check(world: World, manifest: Manifest, record: bytes, **who: Any) -> Checked:
    jws = fake_sign(manifest, who.get("signer", "ps:110108"))
    return await check_bundle(world.parts, who.get("caller", POLICE), jws, record)


def _found(checked: Checked) -> list[tuple[ErrorCode, str]]:
    return [(finding.code, finding.path) for finding in checked.findings]


async def test_bundle_without_fault_is_acceptable_and_judged() -> None:
    """A right bundle passes every step, and the rule set says its word on it."""
    world = World()
    checked = await _check(world, *world.bundle(new_case_number()))
    assert checked.is_acceptable
    assert checked.findings == ()
    assert checked.outcome is not None
    assert checked.outcome.result == "NOT_EVALUATED"


async def test_bundle_of_another_sender_and_signer_tells_both() -> None:
    """Caller, sender and signer are one agency, and each of the two ways to fail has its code."""
    world = World()
    checked = await _check(world, *world.bundle(new_case_number()), caller=COURT, signer="pr:110108")
    assert _found(checked) == [(E.CALLER_NOT_SENDER, "/sender"), (E.SIGNER_NOT_CALLER, "manifest_jws")]


@pytest.mark.parametrize(("minutes", "is_refused"), [(4, False), (6, True)])
async def test_bundle_from_the_future_is_refused_beyond_five_minutes(minutes: int, is_refused: bool) -> None:
    """Clocks differ a little; a bundle signed tomorrow is not one of today."""
    world = World()
    manifest, record = world.bundle(new_case_number())
    manifest = replace(manifest, created_at=world.clock() + timedelta(minutes=minutes))
    checked = await _check(world, manifest, record)
    assert ((E.MANIFEST_FROM_FUTURE, "/created_at") in _found(checked)) is is_refused


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"receiver": "ct:110108"}, E.ROUTE_NOT_ALLOWED, "/kind"),
        ({"kind": RecordKind.JUDGMENT}, E.ROUTE_NOT_ALLOWED, "/kind"),
        ({"schema": "court"}, E.MANIFEST_RECORD_MISMATCH, "/native_record/schema"),
        ({"version": "9.9"}, E.SCHEMA_VERSION_UNKNOWN, "/native_record/version"),
        ({"encoding": "UTF-8"}, E.ENCODING_NOT_OF_SCHEMA, "/native_record/encoding"),
    ],
)
async def test_bundle_off_its_route_or_schema_is_refused_unread(
    changes: dict[str, Any], code: ErrorCode, path: str
) -> None:
    """What cannot be read by the right adapter is not read by a wrong one."""
    world = World()
    declared = {name: changes.pop(name) for name in ("schema", "version", "encoding") if name in changes}
    manifest, record = world.bundle(new_case_number(), codes=["MISSING_FIELD"], **changes)
    if declared:
        manifest = replace(manifest, native_record=to_native_record(record, **declared))
    checked = await _check(world, manifest, record)
    assert _found(checked) == [(code, path)]
    assert checked.reading is None


@pytest.mark.parametrize("field", ["size", "sha256", "sm3"])
async def test_record_with_other_size_or_digest_than_signed_is_refused_unread(field: str) -> None:
    """The record that is read is the record that was signed, by size and both digests."""
    world = World()
    manifest, record = world.bundle(new_case_number(), codes=["MISSING_FIELD"])
    wrong: Any = manifest.native_record.size + 1 if field == "size" else "0" * 64
    manifest = replace(manifest, native_record=replace(manifest.native_record, **{field: wrong}))
    checked = await _check(world, manifest, record)
    assert _found(checked) == [(E.RECORD_DIGEST_MISMATCH, "/native_record")]
    assert checked.reading is None


async def test_record_over_one_mebibyte_in_the_call_is_refused_before_the_signature() -> None:
    """A flood of large calls costs no signature checks."""
    with pytest.raises(GatewayError) as caught:
        await check_bundle(World().parts, POLICE, "not signed", bytes(MAX_RECORD_IN_CALL_BYTES + 1))
    assert caught.value.code is E.RECORD_TOO_LARGE


async def test_small_record_left_out_of_the_call_is_missing() -> None:
    """A record up to 1 MiB travels in the call and nowhere else."""
    world = World()
    manifest, _ = world.bundle(new_case_number())
    assert _found(await _check(world, manifest, b"")) == [(E.RECORD_MISSING, "record")]


async def test_large_record_is_read_from_the_materials_of_its_sender_only() -> None:
    """A record over 1 MiB counts when its sender uploaded it; that somebody else did is not enough."""
    world = World()
    case_number = new_case_number()
    record = fake_record(case_number) + b" " * MAX_RECORD_IN_CALL_BYTES
    manifest = transfer_manifest(record, case_number, created_at=world.clock(), materials=())
    await world.give(PROCURATORATE, record)
    assert _found(await _check(world, manifest, b"")) == [(E.RECORD_MISSING, "/native_record/sha256")]
    await world.give(POLICE, record)
    checked = await _check(world, manifest, b"")
    assert checked.findings == ()
    assert checked.record == b""
    wrong = replace(manifest, native_record=replace(manifest.native_record, sm3="0" * 64))
    assert _found(await _check(world, wrong, b"")) == [(E.RECORD_DIGEST_MISMATCH, "/native_record")]


async def test_materials_absent_foreign_or_described_wrongly_are_named_one_by_one() -> None:
    """Every material has its own finding, and one that only others have is as good as absent."""
    world = World()
    present, foreign, absent = b"present", b"foreign", b"absent"
    await world.give(POLICE, present)
    await world.give(PROCURATORATE, foreign)
    materials = (
        to_material(present),
        to_material(present, number=2)._replace(size=1),
        to_material(foreign, number=3),
        to_material(absent, number=4),
    )
    manifest, record = world.bundle(new_case_number())
    manifest = replace(manifest, materials=materials, unchanged=("1" * 64,))
    assert _found(await _check(world, manifest, record)) == [
        (E.MATERIAL_DIGEST_MISMATCH, "/materials/1"),
        (E.MATERIAL_MISSING, "/materials/2/sha256"),
        (E.MATERIAL_MISSING, "/materials/3/sha256"),
        (E.MATERIAL_MISSING, "/unchanged/0"),
    ]


async def test_material_of_the_record_that_the_manifest_does_not_list_is_found() -> None:
    """Nothing that the record speaks of is outside the signature; an unchanged material is listed too."""
    world = World()
    known = await world.give(POLICE, PDF)
    manifest, record = world.bundle(new_case_number(), digests=[known, "2" * 64])
    manifest = replace(manifest, unchanged=(known,))
    assert _found(await _check(world, manifest, record)) == [(E.MATERIAL_NOT_LISTED, "/d/1")]


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ({"kind": "RETRANSFER"}, "/kind"),
        ({"sender": "ps:110105"}, "/sender"),
        ({"receiver": "pr:110105"}, "/receiver"),
        ({"police_no": "A1101080000002024069999"}, "/case_number"),
        ({"version": "3.1"}, "/native_record/version"),
    ],
)
async def test_manifest_that_says_something_else_than_its_record_is_refused(header: dict[str, str], path: str) -> None:
    """What is signed and what is read are about the same case, kind and parties."""
    world = World()
    manifest, record = world.bundle(new_case_number(), header=header)
    assert _found(await _check(world, manifest, record)) == [(E.MANIFEST_RECORD_MISMATCH, path)]


async def test_reply_to_a_handoff_of_another_case_or_pair_is_unknown() -> None:
    """An answer belongs to a handoff of the same case between the same two agencies."""
    world = World()
    manifest, record = world.bundle(new_case_number())
    manifest = replace(manifest, in_reply_to=make_uuid7())
    assert _found(await _check(world, manifest, record)) == [(E.REPLY_UNKNOWN, "/in_reply_to")]


async def test_reply_to_a_handoff_that_is_not_decided_is_refused() -> None:
    """Who was not asked does not answer: the first file is open, and then was sent back."""
    world, case_number = World(), new_case_number()
    first, record = world.bundle(case_number)
    await submit_bundle(world.parts, POLICE, fake_sign(first), record)
    manifest, record = world.bundle(case_number)
    manifest = replace(manifest, in_reply_to=first.bundle_id)
    assert _found(await _check(world, manifest, record)) == [(E.REPLY_NOT_ASKED, "/in_reply_to")]
    head = world.ledger.heads[first.bundle_id]
    world.ledger.heads[first.bundle_id] = replace(head, state=HandoffState.SUPPLEMENT_ASKED)
    assert _found(await _check(world, manifest, record)) == []


async def test_record_with_errors_is_not_judged_by_the_procedure() -> None:
    """Missing data never makes a case eligible: what cannot be read is not judged."""
    world = World(procedure=StrictProcedure((Finding(E.TRANSITION_NOT_ALLOWED),)))
    checked = await _check(world, *world.bundle(new_case_number(), codes=["MISSING_FIELD"]))
    assert checked.outcome is None
    assert _found(checked) == [(E.MISSING_FIELD, "/x")]


async def test_procedure_that_objects_refuses_the_bundle() -> None:
    """The findings of the rules count like any other."""
    world = World(procedure=StrictProcedure((Finding(E.TRANSITION_NOT_ALLOWED, "/rule"),)))
    checked = await _check(world, *world.bundle(new_case_number()))
    assert not checked.is_acceptable
    assert _found(checked) == [(E.TRANSITION_NOT_ALLOWED, "/rule")]


async def test_refusal_lists_all_findings_errors_first() -> None:
    """A sender learns everything at once, and what stops it before what does not."""
    world = World()
    manifest, record = world.bundle(new_case_number(), codes=["UNKNOWN_FIELD", "MISSING_FIELD"])
    manifest = replace(manifest, materials=(to_material(b"absent"),))
    checked = await _check(world, manifest, record, caller=parse_agency("ps:110105"), signer="ps:110105")
    error = refusal(checked)
    codes = [finding.code for finding in error.findings]
    # The sender is wrong, so the record is not even read.
    assert codes == [E.CALLER_NOT_SENDER, E.MATERIAL_MISSING]
    checked = await _check(world, manifest, record)
    assert [f.code for f in refusal(checked).findings] == [E.MATERIAL_MISSING, E.MISSING_FIELD, E.UNKNOWN_FIELD]
    assert refusal(checked).findings[-1].severity is Severity.WARNING
