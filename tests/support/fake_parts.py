"""All ports filled with fakes: bundles are JSON instead of signatures, records are JSON instead of agency schemas."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from gateway.core.case.case import Case
from gateway.core.case.record import MaterialReference, Reading, RecordHeader, Rendition, ReportLine
from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.dossier import Dossier
from gateway.core.errors import ErrorCode, Finding, Severity, refuse
from gateway.core.form.book import load_form_book
from gateway.core.identity import Agency, parse_agency
from gateway.core.judge.outcome import Result, RuleFinding, RuleOutcome
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.core.manifest import Manifest, parse_manifest, to_payload
from gateway.core.port.flow import Procedure
from gateway.core.port.ledger import LedgerReader
from gateway.core.port.material import StoredMaterial, Withheld
from gateway.core.procedure.procedural_act import procedural_act_form
from gateway.core.pseudonym import Pseudonyms
from gateway.core.schema_register import Schema
from gateway.core.statement import Statement, parse_statement
from gateway.core.statement_form import StatementForms
from gateway.flows.parts import Parts
from tests.support.bundle import segment, to_native_record, transfer_manifest
from tests.support.fake_ledger import FakeClock, FakeLedger, FakeReader, FakeWatch
from tests.support.fake_mirror import FakeMirrorSource
from tests.support.fake_notice import FakeNotices
from tests.support.fake_seal import FakeCheckpoints

POLICE = parse_agency("ps:110108")
PROCURATORATE = parse_agency("pr:110108")
COURT = parse_agency("ct:110108")


@dataclass(frozen=True, slots=True)
class FakeSigned:
    """A manifest that counts as signed by whom the text names."""

    manifest: Manifest
    payload: bytes
    signer: Agency
    key_id: str = "ab" * 32
    public_key_sha256: str = ""


def fake_sign(manifest: Manifest, signer: str = "ps:110108") -> str:
    """Write a bundle that ``fake_verify`` reads."""
    return f"{segment({'signer': signer})}.{segment(to_payload(manifest))}.sig"


def fake_verify(jws: str, *, now: datetime) -> FakeSigned:
    """Read a bundle; SIGNATURE_INVALID for anything else."""
    from tests.support.bundle import parts_of

    if not jws.endswith(".sig"):
        raise refuse(ErrorCode.SIGNATURE_INVALID, "signature")
    header, payload, _ = parts_of(jws.removesuffix("sig") + "AAAA")
    data = json.dumps(payload).encode()
    return FakeSigned(parse_manifest(data), data, parse_agency(header["signer"]))


def fake_record(manifest_case: str, *, digests: Sequence[str] = (), codes: Sequence[str] = (), **header: str) -> bytes:
    """Write a record that ``FakeAdapters`` reads.

    Args:
        manifest_case: police case number.
        digests: materials that it names.
        codes: error codes that reading it finds.
        header: fields of ``RecordHeader`` that are to differ.
    """
    values = {
        "version": "3.2", "kind": "TRANSFER", "sender": "ps:110108", "receiver": "pr:110108", "message_no": "1",
        "police_no": manifest_case, **header,
    }  # fmt: skip
    return json.dumps({"header": values, "digests": list(digests), "codes": list(codes)}).encode()


class FakeAdapters:
    """Reads JSON records and renders them as the text RENDERED."""

    def read(self, data: bytes, *, sender: str, receiver: str, version: str = "") -> Reading:
        """Read a record."""
        record = json.loads(data)
        findings = tuple(
            Finding(ErrorCode[code], "/x", severity=Severity.WARNING if code == "UNKNOWN_FIELD" else Severity.ERROR)
            for code in record["codes"]
        )
        references = tuple(
            MaterialReference(digest, f"/d/{i}", "D01", "1") for i, digest in enumerate(record["digests"])
        )
        header = RecordHeader(**record["header"])
        case = Case(
            version=header.version, kind=header.kind, sender=header.sender, receiver=header.receiver,
            message_no=header.message_no, police_no=header.police_no, name="x",
            sent_at=datetime(2026, 1, 2, tzinfo=UTC),
        )  # fmt: skip
        return Reading(sender, header, case, findings, references)

    def locate(self, reading: Reading, field: str) -> str:
        """A field stands where its name says."""
        return field

    def render(self, reading: Reading, *, receiver: str, version: str = "") -> Rendition:
        """Render a reading."""
        line = ReportLine("carried", "/a", "/b", "")
        return Rendition(b"RENDERED", "application/json", "UTF-8", "1.0", "2.5", lambda: (line,))

    def schema_of(self, agency: str) -> Schema:
        """Nobody here has another schema than that of its system."""
        return Schema(parse_agency(agency).system, "3.2")

    def versions(self, name: str) -> tuple[str, ...]:
        """Version of every system here."""
        return ("3.2",)

    def encoding(self, name: str) -> str:
        """Encoding of every system here."""
        return "GB18030"


@dataclass(frozen=True, slots=True)
class FakeSignedStatement:
    """A statement that counts as signed by whom the text names."""

    statement: Statement
    payload: bytes
    signer: Agency
    key_id: str = "ab" * 32
    public_key_sha256: str = ""


def fake_sign_statement(payload: dict[str, Any], signer: str = "ps:110108") -> str:
    """Write a statement that ``fake_verify_statement`` reads."""
    return f"{segment({'signer': signer})}.{segment(payload)}.sig"


def fake_verify_statement(jws: str) -> FakeSignedStatement:
    """Read a statement; SIGNATURE_INVALID for anything else."""
    from tests.support.bundle import parts_of

    if not jws.endswith(".sig"):
        raise refuse(ErrorCode.SIGNATURE_INVALID, "signature")
    header, payload, _ = parts_of(jws.removesuffix("sig") + "AAAA")
    data = json.dumps(payload).encode()
    return FakeSignedStatement(parse_statement(data), data, parse_agency(header["signer"]))


@dataclass(slots=True)
class FakeUpload:
    """One upload into memory."""

    store: FakeStore
    sha256: str
    size: int
    data: bytearray

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self.data += chunk

    async def finish(self) -> StoredMaterial:
        """Check the digest and keep the material."""
        if sha256_hex(bytes(self.data)) != self.sha256:
            raise refuse(ErrorCode.MATERIAL_DIGEST_MISMATCH, "header.sha256")
        return self.store.put(bytes(self.data))


@dataclass(slots=True)
class FakeStore:
    """Materials in memory."""

    materials: dict[str, bytes] = field(default_factory=dict)
    received: dict[tuple[str, str], int] = field(default_factory=dict)

    def put(self, data: bytes) -> StoredMaterial:
        """Keep a material."""
        self.materials[sha256_hex(data)] = data
        return StoredMaterial(sha256_hex(data), sm3_hex(data), len(data))

    async def info(self, sha256: str) -> StoredMaterial | None:
        """A material or None."""
        return self.put(self.materials[sha256]) if sha256 in self.materials else None

    async def received_bytes(self, owner: str, sha256: str) -> int:
        """Bytes of a broken upload."""
        return self.received.get((owner, sha256), 0)

    @asynccontextmanager
    async def open_upload(self, owner: str, sha256: str, size: int, offset: int) -> AsyncIterator[FakeUpload]:
        """Start an upload."""
        yield FakeUpload(self, sha256, size, bytearray())

    async def read(self, sha256: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Bytes in pieces of seven."""
        data = self.materials[sha256][offset : offset + length]
        for start in range(0, len(data), 7):
            yield data[start : start + 7]


@dataclass(slots=True)
class FakeGrants:
    """Rights in memory."""

    rights: set[tuple[Agency, str]] = field(default_factory=set)
    kept: dict[tuple[Agency, str], Withheld] = field(default_factory=dict)

    async def withheld(self, agency: Agency, digests: Sequence[str]) -> dict[str, Withheld]:
        """Those that a bundle brought and withheld."""
        return {digest: self.kept[agency, digest] for digest in digests if (agency, digest) in self.kept}

    async def granted(self, agency: Agency, digests: Sequence[str]) -> set[str]:
        """Those that the agency may see."""
        return {digest for digest in digests if (agency, digest) in self.rights}

    async def grant(self, agency: Agency, sha256: str) -> None:
        """Give a right."""
        self.rights.add((agency, sha256))


class FakeStatements:
    """Signs by writing JSON."""

    def sign(self, claims: dict[str, str | int], typ: str) -> str:
        """Write type and claims."""
        return json.dumps({"typ": typ, **claims})


@dataclass(slots=True)
class Unjudged:
    """Judges nothing and says so."""

    def definitions(self) -> dict[str, str]:
        """One rule set."""
        return {"none/1": "00" * 32}

    def judge(self, dossier: Dossier | None) -> RuleOutcome:
        """Let everything through."""
        return RuleOutcome("none/1", Result.NOT_EVALUATED)


@dataclass(slots=True)
class StrictProcedure:
    """Refuses everything, or finds what it is told; keeps what it was shown."""

    findings: tuple[Finding, ...]
    judged: list[Dossier | None] = field(default_factory=list)

    def definitions(self) -> dict[str, str]:
        """One rule set."""
        return {"strict/1": "00" * 32}

    def judge(self, dossier: Dossier | None) -> RuleOutcome:
        """Judge."""
        self.judged.append(dossier)
        told = tuple(RuleFinding("E01", f.code, f.severity, f.path, f.message, f.basis) for f in self.findings)
        return RuleOutcome("strict/1", Result.INELIGIBLE, told, "ee" * 32)


@dataclass(slots=True)
class World:
    """The fakes behind a ``Parts``, for tests to look into and to change."""

    clock: FakeClock = field(default_factory=FakeClock)
    ledger: FakeLedger = field(init=False)
    reader: FakeReader = field(init=False)
    watch: FakeWatch = field(default_factory=FakeWatch)
    store: FakeStore = field(default_factory=FakeStore)
    grants: FakeGrants = field(default_factory=FakeGrants)
    procedure: Procedure = field(default_factory=Unjudged)
    checkpoints: FakeCheckpoints = field(default_factory=FakeCheckpoints)
    mirror: FakeMirrorSource = field(default_factory=FakeMirrorSource)
    notices: FakeNotices = field(default_factory=FakeNotices)
    policy: WitnessPolicy | None = None
    is_key_revoked: bool = False
    forms: StatementForms = field(default_factory=lambda: StatementForms((procedural_act_form(load_form_book()),)))

    def __post_init__(self) -> None:
        """Start with an empty ledger."""
        self.ledger = FakeLedger(self.clock)
        self.reader = FakeReader(self.ledger)

    def _verify(self, jws: str, *, now: datetime, is_recorded: bool = False) -> FakeSigned:
        if self.is_key_revoked and not is_recorded:
            raise refuse(ErrorCode.KEY_REVOKED, "header/x5c")
        return fake_verify(jws, now=now)

    def _verify_statement(self, jws: str, *, now: datetime, is_recorded: bool = False) -> FakeSignedStatement:
        if self.is_key_revoked and not is_recorded:
            raise refuse(ErrorCode.KEY_REVOKED, "header/x5c")
        return fake_verify_statement(jws)

    @property
    def parts(self) -> Parts:
        """All ports."""
        return Parts(
            origin="test.example/log",
            clock=self.clock,
            pseudonyms=Pseudonyms(bytes(32)),
            verify=self._verify,
            verify_statement=self._verify_statement,
            statement_forms=self.forms,
            writer=self.ledger,
            reader=cast(LedgerReader, self.reader),
            notices=self.notices,
            watch=self.watch,
            store=self.store,
            grants=self.grants,
            adapters=FakeAdapters(),
            procedure=self.procedure,
            statements=FakeStatements(),
            checkpoints=self.checkpoints,
            mirror=self.mirror,
            policy=self.policy,
        )

    async def give(self, agency: Agency, data: bytes) -> str:
        """Upload a material for an agency and give its digest."""
        stored = self.store.put(data)
        await self.grants.grant(agency, stored.sha256)
        return stored.sha256

    def bundle(self, case_number: str, **changes: Any) -> tuple[Manifest, bytes]:
        """A manifest without materials and its record; ``codes``, ``digests`` and ``header`` shape the record."""
        header = changes.pop("header", {})
        record = fake_record(case_number, digests=changes.pop("digests", ()), codes=changes.pop("codes", ()), **header)
        manifest = transfer_manifest(record, case_number, created_at=self.clock(), materials=(), **changes)
        return replace(manifest, native_record=changes.get("native_record", to_native_record(record))), record
