"""One ledger with an entry of every kind, full tiles, cosigned and time-stamped checkpoints: the board of the game."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.audit.fsck import Known
from gateway.audit.seal_check import SealKeys, TokenError
from gateway.core.access.enquiry import STATEMENT_TYPE as PROGRESS_TYPE
from gateway.core.access.enquiry import to_progress
from gateway.core.access.material_request import MATERIAL_REQUEST
from gateway.core.access.restriction import restrictions_of, restrictions_sha256
from gateway.core.access.visibility import View
from gateway.core.command import Bundle, Command, StatedText
from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.fact import Fact, facts_sha256, to_facts_bytes
from gateway.core.identity import GATEWAY, GATEWAY_URI, Agency, parse_agency
from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint
from gateway.core.log.cosignature import cosign
from gateway.core.log.destruction import DestructionReason, destroy_case
from gateway.core.log.key_history import RevocationReason
from gateway.core.log.note import NoteKey
from gateway.core.log.registration import KeyFacts, register_adapter, register_key, register_rule_set, revoke_key
from gateway.core.manifest import Manifest, Material, NativeRecord, to_payload
from gateway.core.pseudonym import Pseudonyms
from gateway.core.route import RecordKind
from gateway.core.statement import Statement
from gateway.core.statement import to_payload as to_statement_payload
from gateway.ledger.batcher import Batcher
from gateway.ledger.pool import open_pool
from gateway.ledger.sealed import Sealer
from gateway.rpc.client_bundle import make_uuid7
from gateway.trust.chain import thumbprint
from gateway.trust.jws import sign_statement
from gateway.trust.receipt import RECEIPT_TYPE, ReceiptSigner
from gateway.trust.timestamp import verify_token
from tests.support.bundle import payload_bytes
from tests.support.notes import make_key, make_witness
from tests.support.pki import Issued, MemoryPki, issue
from tests.support.tsa import LocalTsa
from tests.support.vault import DerivedVault

ORIGIN = "game.invalid/fasttrack"
PS, PR, CT, JA = (parse_agency(f"{role}:999001") for role in ("ps", "pr", "ct", "ja"))
PSEUDONYM_KEY = b"k" * 32
_SYSTEM = {"ps": "police", "pr": "procuratorate", "ct": "court", "ja": "justice"}


def _facts(certificate: x509.Certificate, agency: str) -> KeyFacts:
    der = certificate.public_bytes(Encoding.DER)
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return KeyFacts(
        key_id=sha256_hex(der), public_key_sha256=sha256_hex(spki), agency=agency, algorithm="EdDSA", certificate=der
    )


def _document(bundle_id: UUID) -> bytes:
    return b"%PDF-1.4 " + bundle_id.bytes


@dataclass(slots=True)
class Story:
    """Writes a ledger by the gateway's own batcher.

    Args:
        dsn: of the database, as superuser.
        pki: keys of the agencies and the gateway.
        vault: keys of the cases; the destroyed one is put in when the story destroys it.
    """

    dsn: str
    pki: MemoryPki = field(default_factory=lambda: MemoryPki(now=datetime.now(UTC)))
    vault: DerivedVault = field(default_factory=DerivedVault)
    log: NoteKey = field(default_factory=lambda: make_key(ORIGIN))
    witnesses: list[NoteKey] = field(default_factory=lambda: [make_witness(f"witness-{n}.invalid") for n in (1, 2)])
    gateway: Issued = field(init=False)
    signers: dict[str, Issued] = field(init=False)
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    tsa: LocalTsa = field(init=False)
    _serials: Any = field(default_factory=lambda: itertools.count(1))
    _batcher: Batcher = field(init=False)

    def __post_init__(self) -> None:
        """Issue the certificates."""
        start = self.now - timedelta(days=1)
        self.tsa = LocalTsa(now=self.now)
        self.gateway = issue(self.pki.authority, uris=[GATEWAY_URI], not_before=start)
        self.signers = {str(agency): self.pki.signer(str(agency), not_before=start) for agency in (PS, PR, CT, JA)}

    @property
    def known(self) -> Known:
        """What an auditor of this ledger brings along."""
        return Known(
            now=datetime.now(UTC),
            receipt_certificates=frozenset({self.gateway.certificate.public_bytes(Encoding.DER)}),
            pseudonym_key=PSEUDONYM_KEY,
            seals=SealKeys(
                self.log.verifier, tuple(key.verifier for key in self.witnesses), verify_token=self._verify_token
            ),
        )

    def _verify_token(self, token: bytes, digest: bytes) -> datetime:
        try:
            return verify_token(token, digest, self.tsa.roots)
        except GatewayError as error:
            raise TokenError from error

    async def write(self, fillers: int = 250, *, is_destroying: bool = True) -> None:
        """Write everything; a case that is destroyed too, unless its content is wanted again."""
        async with self._batching():
            await self._register()
            await self._cases()
            if is_destroying:
                await self._destroy()
            await asyncio.gather(*(self._refused_call() for _ in range(fillers)))
            await self.seal()
            await self.submit(PS, PR, self.new_case(), RecordKind.TRANSFER)
            await self.seal()

    @asynccontextmanager
    async def _batching(self) -> AsyncIterator[None]:
        signer = ReceiptSigner(self.gateway.key, [self.gateway.certificate])  # type: ignore[arg-type]
        pool = await open_pool(self.dsn.replace("postgres@", "fasttrack_gateway@", 1), max_connections=4)
        self._batcher = Batcher(
            pool,
            origin=ORIGIN,
            clock=lambda: datetime.now(UTC),
            sign=lambda claims: signer.sign(claims, RECEIPT_TYPE),
            sealer=Sealer(ORIGIN, self.vault),
        )
        await self._batcher.start()
        try:
            yield
        finally:
            await self._batcher.stop()
            await pool.close()

    async def write_more(self, dsn: str) -> None:
        """Write one more entry to a copy of the ledger, and seal it."""
        self.dsn, before = dsn, self.dsn
        try:
            async with self._batching():
                await self._refused_call()
                await self.seal()
        finally:
            self.dsn = before

    async def destroy(self, dsn: str, case: str) -> None:
        """Record in a copy of the ledger that a case was destroyed, and seal it; its key, which copies share, stays."""
        self.dsn, before = dsn, self.dsn
        try:
            async with self._batching():
                await self._batcher.append(destroy_case(case, DestructionReason.ORDERED))
                await self.seal()
        finally:
            self.dsn = before

    def new_case(self) -> str:
        """A police case number of division 999001."""
        return f"A999001000000202601{next(self._serials):04d}"

    async def _register(self) -> None:
        """Keys, a rule set and an adapter come into force; a key that nobody used is revoked."""
        other = self.pki.signer("ct:999001", not_before=self.now - timedelta(days=1))
        facts = [_facts(issued.certificate, agency) for agency, issued in self.signers.items()]
        facts.append(_facts(other.certificate, "ct:999001"))
        for fact in facts:
            await self._batcher.append(register_key(fact))
        await self._batcher.append(revoke_key(facts[-1], RevocationReason.SUPERSEDED))
        await self._batcher.append(register_rule_set("rules-1", sha256_hex(b"rules")))
        await self._batcher.append(register_adapter("police 3.2", "map-1", sha256_hex(b"map")))

    async def _cases(self) -> None:
        first = self.new_case()
        transfer = await self.submit(PS, PR, first, RecordKind.TRANSFER)
        await self.take(transfer, PR, EntryKind.ACCEPTED)
        await self.act(EntryKind.FETCHED, transfer, PR, mapping_version="map-1", **self._rendition())
        indictment = await self.submit(PR, CT, first, RecordKind.INDICTMENT)
        await self.take(indictment, CT, EntryKind.SUPPLEMENT_ASKED, b'{"deficiencies":[]}')
        again = await self.submit(PR, CT, first, RecordKind.INDICTMENT, large=True)
        await self.take(again, CT, EntryKind.REFUSED, b'{"reasons":[]}')
        second = self.new_case()
        withdrawn = await self.submit(PS, PR, second, RecordKind.TRANSFER)
        await self.act(EntryKind.WITHDRAWN, withdrawn, PS, detail=b'{"reason":"x"}', consumer="")
        await self.submit(PS, JA, second, RecordKind.ASSESSMENT_REQUEST, view=View.NONE)
        await self.state(PS, second, "procedural-act", {"act": "property_listed"}, cause={"act": "property_listed"})
        await self._tracked()
        await self._withheld()
        await self._progress(first, second)
        await self.state(PS, "", "register", {})
        await self._warn(first, EntryKind.CLOCK_WARNED, PR)
        await self._warn(first, EntryKind.CLOCK_BREACHED, CT, PR)
        await self._refused_call()
        await self._refused_call(case=Pseudonyms(PSEUDONYM_KEY).case(first))
        await self._refused_call(handoff=transfer)
        # Side by side, so that a batch holds several.
        await asyncio.gather(*(self.submit(PS, PR, self.new_case(), RecordKind.TRANSFER) for _ in range(8)))

    async def _warn(self, case_number: str, kind: EntryKind, *told: Agency) -> None:
        """A limit of the case comes to its end, or has passed."""
        names = Pseudonyms(PSEUDONYM_KEY)
        await self._batcher.append(
            Command(
                kind=kind,
                actor=GATEWAY,
                act_id=uuid4(),
                content_sha256=sha256(kind.encode()).hexdigest(),
                case=names.case(case_number),
                clock="K22",
                person=names.person(case_number, "R1"),
                level="breach" if kind is EntryKind.CLOCK_BREACHED else "100%",
                due="2026-02-15",
                notified=tuple(map(str, told)),
            )
        )

    async def _destroy(self) -> None:
        """A case with content, then without; others follow it, so that it is never the last row of a table."""
        third = self.new_case()
        gone = await self.submit(PS, PR, third, RecordKind.TRANSFER)
        await self.act(EntryKind.WITHDRAWN, gone, PS, detail=b'{"reason":"y"}', consumer="")
        pseudonym = Pseudonyms(PSEUDONYM_KEY).case(third)
        await self._batcher.append(destroy_case(pseudonym, DestructionReason.ORDERED))
        await self.vault.destroy(pseudonym)
        after = await self.submit(PS, PR, self.new_case(), RecordKind.TRANSFER)
        await self.act(EntryKind.WITHDRAWN, after, PS, detail=b'{"reason":"z"}', consumer="")

    def _rendition(self) -> dict[str, str]:
        return {"rendition_sha256": sha256_hex(b"rendition"), "report_sha256": sha256_hex(b"report")}

    async def take(self, handoff: UUID, receiver: Agency, decision: EntryKind, detail: bytes = b"") -> None:
        """Claim, fetch and decide."""
        await self.act(EntryKind.CLAIMED, handoff, receiver)
        await self.act(EntryKind.FETCHED, handoff, receiver, mapping_version="map-1", **self._rendition())
        await self.act(decision, handoff, receiver, detail=detail)

    async def act(self, kind: EntryKind, handoff: UUID, actor: Agency, **fields: Any) -> None:
        """Append an act on a handoff."""
        detail = fields.get("detail", b"")
        fields.setdefault("consumer", "1" * 32)
        await self._batcher.append(
            Command(
                kind=kind,
                actor=actor,
                act_id=uuid4(),
                content_sha256=sha256(kind.encode()).hexdigest(),
                handoff=handoff,
                detail_sha256=sha256_hex(detail) if detail else "",
                **fields,
            )
        )

    async def _refused_call(self, **about: Any) -> None:
        await self._batcher.append(
            Command(
                kind=EntryKind.CALL_REFUSED,
                actor=PR,
                act_id=uuid4(),
                content_sha256=sha256(b"call").hexdigest(),
                method="ExchangeService/Claim",
                refusal_codes=(int(ErrorCode.HANDOFF_UNKNOWN),),
                **about,
            )
        )

    async def submit(
        self,
        sender: Agency,
        receiver: Agency,
        case_number: str,
        kind: RecordKind,
        *,
        large: bool = False,
        view: View = View.ALL,
        cause: Any = None,
    ) -> UUID:
        """Append a signed bundle; a large record travels as a material, the receiver sees so much of the document."""
        bundle_id = make_uuid7()
        record = f"<case>{case_number}</case>".encode()
        document = _document(bundle_id)
        manifest = Manifest(
            bundle_id, sender, receiver, kind, case_number, f"key-{bundle_id}", datetime.now(UTC),
            NativeRecord(_SYSTEM[sender.role], "1", "UTF-8", len(record), sha256_hex(record), sm3_hex(record)),
            (Material("m1", "D01", "文书", "application/pdf", len(document), sha256_hex(document), sm3_hex(document)),),
        )  # fmt: skip
        issued = self.signers[str(sender)]
        jws = issued.sign(to_payload(manifest))
        materials = [sha256_hex(document)] + ([sha256_hex(record)] if large else [])
        withheld = {} if view is View.ALL else {sha256_hex(document): view}
        person = Pseudonyms(PSEUDONYM_KEY).person(case_number, "R1")
        facts = to_facts_bytes(
            [
                Fact(kind="named", at=self.now, person=person, inputs={"expected_months": next(self._serials)}),
                Fact(kind="detained", at=self.now.date(), person=person),
            ]
        )
        await self._batcher.append(
            Command(
                kind=EntryKind.SUBMITTED,
                actor=sender,
                act_id=bundle_id,
                content_sha256=sha256_hex(payload_bytes(jws)),
                handoff=bundle_id,
                case=Pseudonyms(PSEUDONYM_KEY).case(case_number),
                handoff_kind=kind,
                sender=sender,
                receiver=receiver,
                bundle=Bundle(
                    manifest_jws=jws,
                    record=b"" if large else record,
                    case_number=case_number,
                    idempotency_key=Pseudonyms(PSEUDONYM_KEY).message(str(sender), manifest.idempotency_key),
                    materials=tuple(materials),
                    withheld=withheld,
                ),
                bundle_sha256=sha256_hex(jws.encode()),
                bundle_sm3=sm3_hex(jws.encode()),
                withheld_sha256=restrictions_sha256(restrictions_of(materials, withheld)),
                signer_key=thumbprint(issued.certificate),
                rule_set="none",
                rule_result="NOT_EVALUATED",
                facts=facts,
                facts_sha256=facts_sha256(facts),
                cause=cause,
            )
        )
        return bundle_id

    async def _progress(self, *case_numbers: str) -> None:
        """Parties of some cases may be told how these stand."""
        told = [
            {"stage": "FILED", "on": "2026-01-05"},
            {"stage": "NOT_FILED", "on": "2026-01-06", "next_remedy": "RECONSIDERATION", "remedy_until": "2026-01-13"},
            {"stage": "CLOSED", "on": "2026-01-07", "next_remedy": "REVIEW", "remedy_until": "2026-01-14"},
        ]
        for number, body in enumerate(told):
            case_number = case_numbers[number % len(case_numbers)]
            await self.state(PS, case_number, PROGRESS_TYPE, {"subject_token": sha256_hex(b"%d" % number), **body})

    async def _withheld(self) -> None:
        """A recording that is given when it is asked for, and one that nobody asks for."""
        case_number = self.new_case()
        handoff = await self.submit(PS, PR, case_number, RecordKind.TRANSFER, view=View.REQUEST)
        body = {
            "handoff_id": str(handoff),
            "sha256": sha256_hex(_document(handoff)),
            "purpose": "REVIEW",
            "ground": "SPP 75",
        }
        await self.state(PR, case_number, MATERIAL_REQUEST.name, body, materials=(body["sha256"],))
        await self.submit(PS, PR, self.new_case(), RecordKind.TRANSFER, view=View.LEAST)

    async def _tracked(self) -> None:
        """A case with two persons, of whom one is not prosecuted; the other's custody changes, and nothing changes."""
        third = self.new_case()
        one, two = (Pseudonyms(PSEUDONYM_KEY).person(third, key) for key in "12")
        persons = {"persons": {one: {"custody": "detained"}, two: {}}, "lane": "ordinary"}
        transfer = await self.submit(PS, PR, third, RecordKind.TRANSFER, cause=persons)
        await self.take(transfer, PR, EntryKind.ACCEPTED)
        about = {"on": "2026-01-05", "persons": [one]}
        for act in ("exchange_filed", "released"):
            await self.state(PR, third, "procedural-act", {"act": act}, cause={"act": act, **about})
        decision = {"persons": {two: {"nonprosecuted": True}}}
        await self.submit(PR, PS, third, RecordKind.NON_PROSECUTION, cause=decision)
        await self.state(PR, third, "procedural-act", {"act": "recording_asked"}, cause={"act": "recording_asked"})
        await self.state(PS, third, "procedural-act", {"act": "property_listed"}, cause=None)

    async def state(
        self,
        issuer: Agency,
        case_number: str,
        type_name: str,
        body: dict[str, Any],
        *,
        cause: Any = None,
        materials: tuple[str, ...] = (),
    ) -> None:
        """Append a signed statement."""
        statement = Statement(
            statement_id=make_uuid7(), type=type_name, version=1, issuer=issuer, case_number=case_number,
            created_at=datetime.now(UTC), occurred_at=datetime.now(UTC), body=body,
        )  # fmt: skip
        told: dict[str, Any] = {}
        if type_name == PROGRESS_TYPE:
            told["enquiry"] = Pseudonyms(PSEUDONYM_KEY).enquiry(body["subject_token"])
            told["progress"] = to_progress(body)
        issued = self.signers[str(issuer)]
        jws = sign_statement(
            to_statement_payload(statement), private_key=issued.key, certificate_chain=[issued.certificate]
        )
        await self._batcher.append(
            Command(
                kind=EntryKind.STATED,
                actor=issuer,
                act_id=statement.statement_id,
                content_sha256=sha256_hex(payload_bytes(jws)),
                case=Pseudonyms(PSEUDONYM_KEY).case(case_number) if case_number else "",
                signer_key=thumbprint(issued.certificate),
                statement=StatedText(statement_jws=jws, case_number=case_number, materials=materials, **told),
                statement_type=type_name,
                statement_sha256=sha256_hex(jws.encode()),
                statement_sm3=sm3_hex(jws.encode()),
                cause=cause,
            )
        )

    async def seal(self) -> Checkpoint:
        """Sign the present head as the signer does, and let the witnesses cosign."""
        connection = await asyncpg.connect(self.dsn)
        try:
            row = await connection.fetchrow("SELECT size, root FROM ledger.state ORDER BY size DESC LIMIT 1")
            assert row is not None
            size, root = row
            checkpoint = Checkpoint(ORIGIN, size, root)
            note, now = sign_checkpoint(checkpoint, self.log), datetime.now(UTC)
            await connection.execute(
                "INSERT INTO ledger.checkpoint VALUES ($1, $2, $3)", size, now, note.to_bytes().decode()
            )
            digest = sha256(note.to_bytes()).digest()
            await connection.execute(
                "INSERT INTO ledger.timestamp_token VALUES ($1, $2, $3, $4)",
                size, self.now, digest, self.tsa.token(digest),
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO ledger.timestamp_gap VALUES ($1, $2, $3)", size, now, int(ErrorCode.TIMESTAMP_UNAVAILABLE)
            )
            for key in self.witnesses:
                stamp = int(now.timestamp()) + 1
                line = cosign(note.text, key, stamp).to_line()
                await connection.execute(
                    "INSERT INTO ledger.cosignature VALUES ($1, $2, to_timestamp($3::bigint), $4)",
                    size, key.name, stamp, line,
                )  # fmt: skip
        finally:
            await connection.close()
        return checkpoint
