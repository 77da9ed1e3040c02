"""Everything that is checked of a bundle before the ledger sees it; Validate is this and nothing more.

The signature comes first and alone: what nobody signed is not looked into. After it every check runs, so that a sender
learns all findings at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from gateway.core.annex import Annex
from gateway.core.digest import sm3_hex
from gateway.core.dossier import Carried
from gateway.core.envelope import CLOCK_SKEW
from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity, refuse
from gateway.core.identity import Agency
from gateway.core.judge.outcome import RuleOutcome
from gateway.core.manifest import MAX_RECORD_IN_CALL_BYTES, Manifest
from gateway.core.port.flow import SignedManifest
from gateway.core.reply import judge_reply
from gateway.core.route import ROUTES, RecordKind
from gateway.flows.annex import check_annexes, read_annexes
from gateway.flows.carried import find_carried
from gateway.flows.judge import judge_overridden, to_findings
from gateway.flows.material import brought
from gateway.flows.parts import Parts
from gateway.flows.read import load_material, read_record
from gateway.flows.stated import LEGAL_REVIEW, find_stated

if TYPE_CHECKING:
    from gateway.core.case.case import Reading


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that was looked at from all sides.

    Args:
        signed: the verified manifest.
        record: the native record as it came in the call; empty when it travels as a material.
        reading: the record as read; None when its bytes were not the signed ones.
        outcome: what the procedure says; None when the record could not be read.
        findings: everything found; errors refuse.
        annexes: those that could be read, in the order of the manifest.
        carried: unchanged documents that the record does not name.
    """

    signed: SignedManifest
    record: bytes
    reading: Reading | None
    outcome: RuleOutcome | None
    findings: tuple[Finding, ...]
    annexes: tuple[Annex, ...] = ()
    carried: tuple[Carried, ...] = ()

    @property
    def is_acceptable(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


async def check_bundle(parts: Parts, caller: Agency, manifest_jws: str, record: bytes) -> Checked:
    """Check a bundle in nine steps.

    1. signature, chain, key, manifest form (``parts.verify``); 2. signer, caller and sender are one agency, and the
    time is not in the future; 3. route, schema, version and encoding; 4. size and digests of the record; 5. materials
    present and the sender's; 6. the record read by its schema; 7. record and manifest say the same; 8. annexes by their
    forms, each other and the record; 9. the procedure.

    Args:
        parts: the filled ports.
        caller: agency of the TLS certificate.
        manifest_jws: compact JWS.
        record: native record, or empty when it was uploaded as a material.

    Returns:
        the bundle with all findings of steps 2 to 9.

    Raises:
        GatewayError: what step 1 refuses; RECORD_TOO_LARGE for a record over 1 MiB in the call.
    """
    if len(record) > MAX_RECORD_IN_CALL_BYTES:
        raise refuse(
            ErrorCode.RECORD_TOO_LARGE,
            "record",
            "a record over 1 MiB is uploaded as a material, and record stays empty",
        )
    now = parts.clock()
    signed = parts.verify(manifest_jws, now=now)
    manifest = signed.manifest
    findings: list[Finding] = list(_identity(caller, signed))
    if manifest.created_at > now + CLOCK_SKEW:
        findings.append(
            Finding(ErrorCode.MANIFEST_FROM_FUTURE, "/created_at", "more than five minutes ahead of the gateway")
        )
    findings += _route(parts, manifest)
    is_routed = not findings
    data, record_findings = await _record(parts, manifest, record)
    findings += record_findings
    material_findings, missing = await _materials(parts, manifest)
    findings += material_findings
    findings += await _reply(parts, manifest)
    reading: Reading | None = None
    outcome: RuleOutcome | None = None
    annexes, annex_findings = await read_annexes(parts, manifest, missing)
    if is_routed and data is not None:
        reading = await read_record(parts, data, manifest)
        findings += reading.findings
        findings += _agreement(manifest, reading)
    is_read = reading is not None and not reading.has_errors
    findings += annex_findings
    # Of the rules only those of a transfer ask who the officers are and whether somebody reviewed it.
    is_transfer = manifest.kind in (RecordKind.TRANSFER, RecordKind.RETRANSFER)
    needs_register = bool(annexes) or (is_read and is_transfer)
    register = await parts.registers.find(parts.reader, manifest.sender) if needs_register else {}
    if annexes:
        case = reading.case if reading is not None and is_read else None
        findings += await check_annexes(parts, manifest, annexes, case, now, register=register)
    carried: tuple[Carried, ...] = ()
    if reading is not None and is_read:
        carried = await find_carried(parts, manifest, reading.case)
        reviews = await find_stated(parts, LEGAL_REVIEW, manifest.sender, manifest.case_number) if is_transfer else ()
        outcome = await judge_overridden(
            parts, reading, manifest, now, annexes=annexes, carried=carried, register=register, reviews=reviews
        )
        findings += to_findings(parts, reading, outcome)
    return Checked(signed, record, reading, outcome, tuple(findings), annexes, carried)


def _identity(caller: Agency, signed: SignedManifest) -> Iterator[Finding]:
    if signed.manifest.sender != caller:
        yield Finding(ErrorCode.CALLER_NOT_SENDER, "/sender", "the manifest names another sender than the caller")
    if signed.signer != caller:
        yield Finding(ErrorCode.SIGNER_NOT_CALLER, "manifest_jws", "the signing certificate belongs to another agency")


def _route(parts: Parts, manifest: Manifest) -> Iterator[Finding]:
    record, system = manifest.native_record, manifest.sender.system
    if (manifest.kind.value, system, manifest.receiver.system) not in ROUTES:
        yield Finding(
            ErrorCode.ROUTE_NOT_ALLOWED, "/kind", "this kind does not go from this sender to this receiver",
            basis="agency interfaces 2",
        )  # fmt: skip
    if record.schema not in (system, parts.adapters.schema_of(str(manifest.sender)).name):
        yield Finding(
            ErrorCode.MANIFEST_RECORD_MISMATCH, "/native_record/schema", "not the schema of the sender's system"
        )
        return
    if record.version not in parts.adapters.versions(record.schema):
        yield Finding(ErrorCode.SCHEMA_VERSION_UNKNOWN, "/native_record/version", "the gateway has no such version")
    if record.encoding.upper() != parts.adapters.encoding(record.schema).upper():
        yield Finding(ErrorCode.ENCODING_NOT_OF_SCHEMA, "/native_record/encoding", "the schema has another encoding")


async def _record(parts: Parts, manifest: Manifest, record: bytes) -> tuple[bytes | None, list[Finding]]:
    signed = manifest.native_record
    if not record and signed.size > MAX_RECORD_IN_CALL_BYTES:
        return await _uploaded_record(parts, manifest)
    if not record:
        return None, [Finding(ErrorCode.RECORD_MISSING, "record", "a record up to 1 MiB travels in the call")]
    is_same = (
        len(record) == signed.size
        and compare_digest(sha256(record).hexdigest(), signed.sha256)
        and compare_digest(sm3_hex(record), signed.sm3)
    )
    if not is_same:
        return None, [Finding(ErrorCode.RECORD_DIGEST_MISMATCH, "/native_record", "size or digest is not the record's")]
    return record, []


async def _uploaded_record(parts: Parts, manifest: Manifest) -> tuple[bytes | None, list[Finding]]:
    digest = manifest.native_record.sha256
    if not await parts.grants.granted(manifest.sender, [digest]):
        return None, [
            Finding(ErrorCode.RECORD_MISSING, "/native_record/sha256", "upload the record as a material first")
        ]
    info = await parts.store.info(digest)
    if info is None or info.size != manifest.native_record.size or info.sm3 != manifest.native_record.sm3:
        return None, [Finding(ErrorCode.RECORD_DIGEST_MISMATCH, "/native_record", "size or digest is not the record's")]
    return await load_material(parts, digest, info.size), []


async def _materials(parts: Parts, manifest: Manifest) -> tuple[list[Finding], set[int]]:
    """What is wrong with the materials, and the indices of those that are not there as the manifest says."""
    digests = [material.sha256 for material in manifest.materials] + list(manifest.unchanged)
    if not digests:
        return [], set()
    # Whoever may not read a recording that a bundle brought may still pass it on with the file.
    granted = await brought(parts, manifest.sender, digests)
    findings = []
    missing: set[int] = set()
    for index, material in enumerate(manifest.materials):
        path = f"/materials/{index}"
        info = await parts.store.info(material.sha256) if material.sha256 in granted else None
        if info is None:
            findings.append(Finding(ErrorCode.MATERIAL_MISSING, f"{path}/sha256", "upload this material first"))
        elif info.size != material.size or info.sm3 != material.sm3:
            findings.append(Finding(ErrorCode.MATERIAL_DIGEST_MISMATCH, path, "size or SM3 is not the material's"))
        else:
            continue
        missing.add(index)
    findings += [
        Finding(ErrorCode.MATERIAL_MISSING, f"/unchanged/{index}", "no earlier handoff brought this material")
        for index, digest in enumerate(manifest.unchanged)
        if digest not in granted
    ]
    return findings, missing


async def _reply(parts: Parts, manifest: Manifest) -> list[Finding]:
    if manifest.in_reply_to is None:
        return []
    stored = await parts.reader.handoff(manifest.in_reply_to)
    parties = {str(manifest.sender), str(manifest.receiver)}
    if (
        stored is None
        or {stored.row.sender, stored.row.receiver} != parties
        or (stored.row.case_number != manifest.case_number)
    ):
        return [Finding(ErrorCode.REPLY_UNKNOWN, "/in_reply_to", "no handoff of this case between these agencies")]
    row = stored.row
    finding = judge_reply(
        manifest.kind, RecordKind(row.kind), row.state, is_same_direction=row.sender == str(manifest.sender)
    )
    return [finding] if finding is not None else []


def _agreement(manifest: Manifest, reading: Reading) -> Iterator[Finding]:
    header = reading.header
    if header is not None and not reading.has_errors:
        for path, said, read in (
            ("/kind", manifest.kind.value, header.kind),
            ("/sender", str(manifest.sender), header.sender),
            ("/receiver", str(manifest.receiver), header.receiver),
            ("/case_number", manifest.case_number, header.police_no),
            ("/native_record/version", manifest.native_record.version, header.version),
        ):
            if said != read:
                yield Finding(ErrorCode.MANIFEST_RECORD_MISMATCH, path, "the record says something else")
    yield from _listed(reading, {material.sha256 for material in manifest.materials} | set(manifest.unchanged))


def _listed(reading: Reading, listed: Set[str]) -> Iterator[Finding]:
    for reference in reading.digests:
        if reference.sha256 not in listed:
            yield Finding(ErrorCode.MATERIAL_NOT_LISTED, reference.path, "the manifest does not list this material")


def refusal(checked: Checked) -> GatewayError:
    """Build the exception for a bundle that is not acceptable, with all its findings, errors first."""
    errors = [finding for finding in checked.findings if finding.severity is Severity.ERROR]
    warnings = [finding for finding in checked.findings if finding.severity is not Severity.ERROR]
    return GatewayError(errors + warnings)
