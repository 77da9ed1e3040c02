"""Submit: check a bundle, let the ledger decide, give the receipt of what was committed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from gateway.core.access.restriction import restrictions_sha256
from gateway.core.access.visibility import View, find_withheld
from gateway.core.case.value import CHINA_TIME
from gateway.core.command import Bundle, Command
from gateway.core.digest import sm3_hex
from gateway.core.entry import EntryKind, from_leaf, pair_number_of
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.fact.of_annex import read_annex_facts
from gateway.core.identity import Agency
from gateway.core.port.ledger import Appended, EntryFilter
from gateway.core.procedure.track_cause import read_record_cause
from gateway.flows.carried import to_references
from gateway.flows.check import Checked, check_bundle, refusal
from gateway.flows.parts import Parts
from gateway.flows.tell import tell_submit


@dataclass(frozen=True, slots=True)
class Submitted:
    """A handoff that is in the ledger.

    Args:
        appended: its entry and receipt.
        pair_number: its number in the direction.
        warnings: of the checks; none for a replay.
    """

    appended: Appended
    pair_number: int
    warnings: tuple[Finding, ...]


async def submit_bundle(parts: Parts, caller: Agency, manifest_jws: str, record: bytes) -> Submitted:
    """Commit a bundle to the ledger and offer it to its receiver.

    Args:
        parts: the filled ports.
        caller: agency of the TLS certificate.
        manifest_jws: compact JWS.
        record: native record, or empty when it was uploaded as a material.

    Returns:
        what was committed; for a bundle that was submitted before, its first receipt.

    Raises:
        GatewayError: all findings of the checks, or what the ledger refuses.
    """
    try:
        checked = await check_bundle(parts, caller, manifest_jws, record)
    except GatewayError as error:
        if [finding.code for finding in error.findings] != [ErrorCode.KEY_REVOKED]:
            raise
        recorded = await _find_recorded(parts, caller, manifest_jws)
        if recorded is None:
            raise
        return recorded
    case = parts.pseudonyms.case(checked.signed.manifest.case_number)
    try:
        if not checked.is_acceptable:
            if await is_destroyed(parts, case):
                # Its materials are gone with it, so that other findings would only mislead.
                raise refuse(ErrorCode.CASE_DESTROYED, "/case_number", "the case was destroyed")
            raise refusal(checked)
        command = _command(parts, checked, caller, manifest_jws, case)
        read = checked.reading.case if checked.reading is not None else None
        told = read_annex_facts(checked.annexes)
        signed_at = checked.signed.manifest.created_at
        command = tell_submit(command, read, parts.pseudonyms, parts.clock(), told, signed_at=signed_at)
        appended = await parts.writer.append(command)
    except GatewayError as error:
        if checked.signed.signer == caller == checked.signed.manifest.sender:
            error.case = case
        raise
    return Submitted(appended, pair_number_of(appended.leaf), () if appended.is_replay else checked.findings)


async def _find_recorded(parts: Parts, caller: Agency, manifest_jws: str) -> Submitted | None:
    """The receipt of a bundle that was taken before its key was revoked; whoever lost it may ask for it again.

    Nothing is ever written on this way.
    """
    try:
        signed = parts.verify(manifest_jws, now=parts.clock(), is_recorded=True)
    except GatewayError:
        return None
    stored = await parts.reader.handoff(signed.manifest.bundle_id)
    if stored is None or not stored.receipts or not signed.signer == caller == signed.manifest.sender:
        return None
    first = stored.receipts[0]
    entry = from_leaf(first.leaf)
    asked = (EntryKind.SUBMITTED, str(caller), sha256(signed.payload).hexdigest(), signed.key_id)
    if (entry.kind, entry.actor, entry.content_sha256, entry.signer_key) != asked:
        return None
    return Submitted(replace(first, is_replay=True), entry.pair_number, ())


def _command(parts: Parts, checked: Checked, caller: Agency, manifest_jws: str, case: str) -> Command:
    manifest = checked.signed.manifest
    signed_bytes = manifest_jws.encode("ascii")
    outcome = checked.outcome
    bundle = Bundle(
        manifest_jws=manifest_jws,
        record=checked.record,
        case_number=manifest.case_number,
        idempotency_key=parts.pseudonyms.message(str(caller), manifest.idempotency_key),
        materials=_digests(checked),
        withheld=_withheld(parts, checked),
    )
    return Command(
        kind=EntryKind.SUBMITTED,
        actor=caller,
        act_id=manifest.bundle_id,
        content_sha256=sha256(checked.signed.payload).hexdigest(),
        handoff=manifest.bundle_id,
        case=case,
        handoff_kind=manifest.kind,
        sender=manifest.sender,
        receiver=manifest.receiver,
        bundle=bundle,
        bundle_sha256=sha256(signed_bytes).hexdigest(),
        bundle_sm3=sm3_hex(signed_bytes),
        withheld_sha256=restrictions_sha256(bundle.restrictions),
        signer_key=checked.signed.key_id,
        public_key_sha256=checked.signed.public_key_sha256,
        rule_set=outcome.rule_set if outcome else "",
        rule_result=outcome.result.value if outcome else "",
        inputs_sha256=outcome.inputs_sha256 if outcome else "",
        cause=_cause(parts, checked),
    )


def _withheld(parts: Parts, checked: Checked) -> dict[str, View]:
    reading = checked.reading
    today = parts.clock().astimezone(CHINA_TIME).date()
    named = (*(reading.digests if reading else ()), *to_references(checked.carried))
    return find_withheld(parts.visibility, checked.signed.manifest, named, today)


def _cause(parts: Parts, checked: Checked) -> dict[str, Any] | None:
    """What the record says of its persons, for their tracks."""
    manifest, case = checked.signed.manifest, checked.reading.case if checked.reading is not None else None
    if case is None:
        return None
    result = checked.outcome.result.value if checked.outcome is not None else ""
    pseudonym = partial(parts.pseudonyms.person, manifest.case_number)
    return read_record_cause(case, manifest.kind, result=result, pseudonym=pseudonym)


async def is_destroyed(parts: Parts, case: str) -> bool:
    """Say whether a case was destroyed.

    Args:
        parts: the filled ports.
        case: its pseudonym.
    """
    condition = EntryFilter(kinds=(EntryKind.CASE_DESTROYED,), case=case)
    return bool(await parts.reader.entries(condition, after_index=-1, limit=1))


def _digests(checked: Checked) -> tuple[str, ...]:
    """A record that travels as a material is the receiver's to download, so it is granted like one."""
    manifest = checked.signed.manifest
    digests = [material.sha256 for material in manifest.materials]
    digests += manifest.unchanged
    if not checked.record:
        digests.append(manifest.native_record.sha256)
    return tuple(dict.fromkeys(digests))
