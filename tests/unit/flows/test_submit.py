"""From a checked bundle to an entry with a receipt."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from gateway.core.digest import sha256_hex
from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.flows.refuse import MAX_CODES, record_refusal
from gateway.flows.submit import submit_bundle
from tests.support.bundle import PDF, new_case_number, to_material, to_native_record
from tests.support.fake_parts import COURT, POLICE, World, fake_record, fake_sign


async def test_submit_appends_one_entry_and_offers_the_handoff() -> None:
    """A submit is one entry, numbered in its direction, with the digests of what was signed."""
    world = World()
    case_number = new_case_number()
    manifest, record = world.bundle(case_number)
    jws = fake_sign(manifest)
    submitted = await submit_bundle(world.parts, POLICE, jws, record)
    entry = world.ledger.entry()
    assert len(world.ledger.entries) == submitted.pair_number == 1
    assert (entry.kind, entry.handoff, entry.actor) == (EntryKind.SUBMITTED, str(manifest.bundle_id), "ps:110108")
    assert entry.bundle_sha256 == sha256_hex(jws.encode())
    assert entry.rule_result == "NOT_EVALUATED"
    assert case_number.encode() not in submitted.appended.leaf


async def test_submit_again_gives_the_first_receipt_without_warnings() -> None:
    """A lost reply costs nothing: the same bundle is the same handoff."""
    world = World()
    manifest, record = world.bundle(new_case_number(), codes=["UNKNOWN_FIELD"])
    first = await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    again = await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    assert [finding.code for finding in first.warnings] == [ErrorCode.UNKNOWN_FIELD]
    assert again.appended.is_replay
    assert (again.appended.receipt_jws, again.warnings) == (first.appended.receipt_jws, ())
    assert len(world.ledger.entries) == 1


async def test_submit_with_an_error_appends_nothing_and_names_the_case_for_the_refusal() -> None:
    """A refused bundle leaves the ledger as it was; its refusal will stand in the timeline of its case."""
    world = World()
    case_number = new_case_number()
    manifest, record = world.bundle(case_number, codes=["MISSING_FIELD"])
    with pytest.raises(GatewayError) as caught:
        await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    assert caught.value.case == world.parts.pseudonyms.case(case_number)
    assert world.ledger.entries == []


async def test_submit_of_a_stranger_does_not_touch_the_timeline_of_a_case() -> None:
    """Whoever is not the sender cannot write refusals into the history of a case by naming it."""
    world = World()
    manifest, record = world.bundle(new_case_number())
    with pytest.raises(GatewayError) as caught:
        await submit_bundle(world.parts, COURT, fake_sign(manifest), record)
    assert caught.value.case == ""


async def test_submit_grants_every_material_and_an_uploaded_record_to_the_receiver() -> None:
    """What the bundle names travels with it: materials, unchanged ones, and a record too large for the call."""
    world = World()
    case_number = new_case_number()
    record = fake_record(case_number) + b" " * (1024 * 1024)
    earlier = await world.give(POLICE, b"earlier")
    await world.give(POLICE, PDF)
    await world.give(POLICE, record)
    manifest, _ = world.bundle(case_number)
    manifest = replace(
        manifest, materials=(to_material(PDF),), unchanged=(earlier,), native_record=to_native_record(record)
    )
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), b"")
    bundle = world.ledger.commands[-1].bundle
    assert bundle is not None
    assert bundle.materials == (sha256_hex(PDF), earlier, sha256_hex(record))


async def test_refusal_entry_names_who_which_method_and_codes_and_nothing_else() -> None:
    """A refusal is an entry without anything of what was sent; a code stands in it once."""
    world = World()
    case_number = new_case_number()
    manifest, record = world.bundle(case_number, codes=["MISSING_FIELD", "MISSING_FIELD", "BAD_FORMAT"])
    with pytest.raises(GatewayError) as caught:
        await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    index = await record_refusal(world.ledger, POLICE, "gateway.v1.ExchangeService/Submit", caught.value)
    entry = world.ledger.entry(index)
    assert entry.kind is EntryKind.CALL_REFUSED
    assert entry.refusal_codes == (ErrorCode.MISSING_FIELD, ErrorCode.BAD_FORMAT)
    assert (entry.actor, entry.method) == ("ps:110108", "gateway.v1.ExchangeService/Submit")
    assert entry.handoff == ""
    assert case_number.encode() not in world.ledger.entries[index].leaf


async def test_refusal_entry_of_very_many_codes_is_cut() -> None:
    """An entry fits into a leaf however much is wrong."""
    world = World()
    error = GatewayError(Finding(code) for code in ErrorCode)
    index = await record_refusal(world.ledger, POLICE, "m", error)
    assert len(world.ledger.entry(index).refusal_codes) == MAX_CODES < len(ErrorCode)


async def test_submit_again_after_the_key_was_revoked_gives_the_first_receipt() -> None:
    """What was recorded while the key counted stays; its sender may ask for the receipt at any time."""
    world = World()
    manifest, record = world.bundle(new_case_number())
    first = await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    world.is_key_revoked = True
    again = await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    assert again.appended == replace(first.appended, is_replay=True)
    assert again.pair_number == first.pair_number
    assert len(world.ledger.entries) == 1


@pytest.mark.parametrize("change", ["unknown bundle", "other content", "other caller", "no signature"])
async def test_submit_with_a_revoked_key_of_anything_else_is_refused(change: str) -> None:
    """A revoked key brings nothing new in, and nobody but the sender learns that a bundle was recorded."""
    world = World()
    manifest, record = world.bundle(new_case_number())
    await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    world.is_key_revoked = True
    other = replace(manifest, bundle_id=uuid4()) if change == "unknown bundle" else manifest
    other = replace(other, idempotency_key="another") if change == "other content" else other
    jws = "nothing" if change == "no signature" else fake_sign(other)
    with pytest.raises(GatewayError) as caught:
        await submit_bundle(world.parts, COURT if change == "other caller" else POLICE, jws, record)
    assert caught.value.code is ErrorCode.KEY_REVOKED
    assert len(world.ledger.entries) == 1


async def test_submit_of_a_key_that_was_revoked_meanwhile_is_refused_by_the_ledger() -> None:
    """Between check and commit the ledger has the last word; the refusal names the case, as any other."""
    world = World()
    manifest, record = world.bundle(new_case_number())
    world.ledger.failure = refuse(ErrorCode.KEY_REVOKED, "header/x5c")
    with pytest.raises(GatewayError) as caught:
        await submit_bundle(world.parts, POLICE, fake_sign(manifest), record)
    assert caught.value.code is ErrorCode.KEY_REVOKED and caught.value.case
