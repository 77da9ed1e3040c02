"""Materials that are asked for: whether a request is granted, and whether a recording is what it was said to be.

Source: domain model, sections 2.3 (T25) and 3 (recorders); SPP 75.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from gateway.core.access.material_request import MATERIAL_REQUEST, READER_OF_PURPOSE, Purpose
from gateway.core.access.visibility import ReaderKind, View, view_in_bundle
from gateway.core.case.case import MaterialReference
from gateway.core.case.value import CHINA_TIME
from gateway.core.entry import from_leaf
from gateway.core.errors import ErrorCode, Finding, refuse
from gateway.core.identity import Agency, Role
from gateway.core.manifest import Manifest, parse_manifest
from gateway.core.port.ledger import EntryFilter, StoredHandoff
from gateway.core.signed import payload_bytes_of
from gateway.core.statement import Statement
from gateway.flows.annex import check_annexes, read_annexes
from gateway.flows.carried import find_carried, to_references
from gateway.flows.parts import Parts
from gateway.flows.read import load_material, read_record
from gateway.flows.request import parse_uuid

if TYPE_CHECKING:
    from gateway.core.case.case import Reading

_LONGEST_GAP: Final = timedelta(seconds=5)
_READER_OF_ROLE: Final = {Role.PROCURATORATE: ReaderKind.PROCURATORATE, Role.COURT: ReaderKind.COURT}
_OF_RECORDING: Final = frozenset(
    {
        ErrorCode.RECORDING_DIGEST_MISMATCH,
        ErrorCode.RECORDING_COVERAGE_GAP,
        ErrorCode.RECORDING_MISSING,
        ErrorCode.RECORDING_UNKNOWN,
        ErrorCode.RECORDING_GAP_INVALID,
        ErrorCode.RECORDING_CUSTODY_ORDER,
        ErrorCode.GAP_WITHOUT_REASON,
    }
)
"""Findings of annexes that a recording is not verified with, whatever they weigh in a bundle."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What becomes of a request.

    Args:
        findings: why it is refused; none when it is granted.
        materials: SHA-256 of what it grants, hexadecimal.
    """

    findings: tuple[Finding, ...] = ()
    materials: tuple[str, ...] = ()


async def judge_request(parts: Parts, statement: Statement) -> Requested:
    """Judge a request for a material whose form is right.

    Args:
        parts: the filled ports.
        statement: of any type; only of the type ``material-request`` anything is asked.

    Returns:
        what is granted, or HANDOFF_UNKNOWN, MATERIAL_UNKNOWN, MATERIAL_WITHHELD, REQUEST_TOO_EARLY.
    """
    if statement.type != MATERIAL_REQUEST.name:
        return Requested()
    body, purpose = statement.body, Purpose(statement.body["purpose"])
    stored = await parts.reader.handoff(UUID(body["handoff_id"]))
    if stored is None or stored.row.case_number != statement.case_number:
        what = "no handoff of this case has this id"
        return Requested((Finding(ErrorCode.HANDOFF_UNKNOWN, "/body/handoff_id", what),))
    manifest, reading = await read_stored(parts, stored)
    reader = READER_OF_PURPOSE.get(purpose) or _READER_OF_ROLE[statement.issuer.role]
    today = parts.clock().astimezone(CHINA_TIME).date()
    named = (*reading.digests, *to_references(await find_carried(parts, manifest, reading.case)))
    view = view_in_bundle(parts.visibility, manifest, named, sha256=body["sha256"], reader=reader, on=today)
    if view is None:
        what = "the bundle has no such material"
        return Requested((Finding(ErrorCode.MATERIAL_UNKNOWN, "/body/sha256", what),))
    if view not in (View.ALL, View.REQUEST):
        what = "nobody sees this material for this purpose"
        return Requested((Finding(ErrorCode.MATERIAL_WITHHELD, "/body/sha256", what, basis="domain model 3; SPP 359"),))
    if purpose is Purpose.DEFENCE and await _stage(parts, statement.case_number) not in parts.visibility.defence_stages:
        what = "the defence reads the file from the review on"
        return Requested((Finding(ErrorCode.REQUEST_TOO_EARLY, "/body/purpose", what, basis="SPP 269"),))
    return Requested(materials=(body["sha256"],))


async def read_stored(parts: Parts, stored: StoredHandoff) -> tuple[Manifest, Reading]:
    """Read the manifest and record of a stored handoff again.

    Args:
        parts: the filled ports.
        stored: of a case that was not destroyed.

    Returns:
        the manifest, and the record with its findings.

    Raises:
        GatewayError: MATERIAL_UNKNOWN when the record travelled as a material that is gone; what reading a record of a
            version refuses that this gateway no longer has.
    """
    manifest = parse_manifest(payload_bytes_of(stored.manifest_jws))
    native = manifest.native_record
    data = stored.record or await load_material(parts, native.sha256, native.size)
    return manifest, await read_record(parts, data, manifest)


async def _stage(parts: Parts, case_number: str) -> str:
    condition = EntryFilter(case=parts.pseudonyms.case(case_number))
    stage, after = "", -1
    while entries := await parts.reader.entries(condition, after_index=after, limit=1_000):
        after = entries[-1].index
        state = from_leaf(entries[-1].leaf).case_state
        stage = state.stage.value if state is not None else ""
    return stage


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a recording is what it was said to be.

    Args:
        is_verified: bytes and coverage are right.
        findings: why not, and whatever else its manifest was found to be.
    """

    is_verified: bool
    findings: tuple[Finding, ...]


async def verify_recording(parts: Parts, caller: Agency, *, handoff_id: str, sha256: str) -> Verified:
    """Compare a recording with everything that its bundle says of it.

    1. its bytes, hashed again; 2. the record: interruptions within what it covers; 3. recorder manifest and case-centre
    log: digests, interruptions, coverage of each session.

    Args:
        parts: the filled ports.
        caller: a party of the handoff.
        handoff_id: the handoff.
        sha256: of the recording, hexadecimal.

    Returns:
        the answer; a recording with any finding is not verified.

    Raises:
        GatewayError: ARGUMENT_INVALID, HANDOFF_UNKNOWN, NOT_A_PARTY, CASE_DESTROYED, MATERIAL_UNKNOWN;
            MATERIAL_ON_REQUEST for media that the caller has not asked for; CASE_KEY_MISSING, SEAL_BROKEN or
            VAULT_UNAVAILABLE when the bundle cannot be opened.
    """
    stored = await parts.reader.handoff(parse_uuid(handoff_id, "handoff_id"))
    if stored is None:
        raise refuse(ErrorCode.HANDOFF_UNKNOWN, "handoff_id", "there is no handoff with this id")
    if str(caller) not in (stored.row.sender, stored.row.receiver):
        error = refuse(ErrorCode.NOT_A_PARTY, "handoff_id", "only the parties of a handoff may ask for its recordings")
        error.handoff = stored.row.handoff
        raise error
    if stored.is_destroyed:
        error = refuse(ErrorCode.CASE_DESTROYED, "handoff_id", "the case was destroyed; its receipts are still there")
        error.handoff = stored.row.handoff
        raise error
    manifest, reading = await read_stored(parts, stored)
    if sha256 not in {reference.sha256 for reference in reading.digests if not reference.document_code}:
        raise refuse(ErrorCode.MATERIAL_UNKNOWN, "sha256", "the record names no such recording")
    if not await parts.grants.granted(caller, [sha256]):
        error = refuse(ErrorCode.MATERIAL_ON_REQUEST, "sha256", "ask for the recording first", "SPP 75")
        error.handoff = stored.row.handoff
        raise error
    findings = await _check_bytes(parts, manifest, sha256)
    findings += _check_interruptions(reading, sha256)
    annexes, faults = await read_annexes(parts, manifest, ())
    findings += [fault for fault in faults if fault.code is ErrorCode.MATERIAL_MISSING]
    judged = await check_annexes(parts, manifest, annexes, reading.case, parts.clock())
    findings += [finding for finding in judged if finding.code in _OF_RECORDING]
    return Verified(not findings, tuple(findings))


async def _check_bytes(parts: Parts, manifest: Manifest, sha256: str) -> list[Finding]:
    path = next((f"/materials/{at}" for at, item in enumerate(manifest.materials) if item.sha256 == sha256), "sha256")
    info = await parts.store.info(sha256)
    if info is None:
        return [Finding(ErrorCode.RECORDING_MISSING_AT_PULL, path, "the media are not there")]
    digest, other = hashlib.sha256(), hashlib.new("sm3")
    async for chunk in parts.store.read(sha256, 0, info.size):
        digest.update(chunk)
        other.update(chunk)
    said = {(item.sha256, item.sm3) for item in manifest.materials if item.sha256 == sha256} or {(sha256, info.sm3)}
    if (digest.hexdigest(), other.hexdigest()) in said:
        return []
    return [Finding(ErrorCode.RECORDING_DIFFERS_AT_PULL, path, "the bytes are not those that were signed")]


def _check_interruptions(reading: Reading, sha256: str) -> list[Finding]:
    """An interruption of more than five seconds of a recording that proves a transcript; the transcript is named."""
    case = reading.case
    references: list[MaterialReference] = [item for item in reading.digests if item.sha256 == sha256]
    gaps = [gap for item in case.recordings if item.sha256 == sha256 for gap in item.gaps] if case is not None else []
    if not any(gap.end - gap.start > _LONGEST_GAP for gap in gaps):
        return []
    what = "it is interrupted, so that the transcript which names it is not proved by it"
    return [Finding(ErrorCode.RECORDING_INTERRUPTED_AT_PULL, item.path, what, basis="MPS 208") for item in references]
