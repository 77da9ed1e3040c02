"""The gateway and its agencies, as a scenario sees them: real gRPC, mutual TLS and PostgreSQL, and a clock that is set.

The gateway runs in the process of the test, so that its clock can be another than the machine's. TLS goes by the
machine's time; signatures, limits and entries go by the clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID, uuid4

import grpc

from certs.layout import PkiLayout
from gateway.app import open_gateway
from gateway.app_scheduler import SchedulerSettings, run_scheduler_process
from gateway.app_vault import VaultAccess
from gateway.cli.connection import ConnectionSettings, open_client
from gateway.config import Settings
from gateway.core.case.case import Case, Document, Recording
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.clock import find_due
from gateway.core.clock.due import Counting, to_day
from gateway.core.clock.fold import Fold, fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.entry import Entry, EntryKind
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import parse_agency
from gateway.core.manifest import Manifest, Material, NativeRecord, to_payload
from gateway.core.procedure.track import PersonTrack
from gateway.core.pseudonym import Pseudonyms
from gateway.core.route import RecordKind
from gateway.core.statement import Statement
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.rpc.client import GatewayClient
from gateway.rpc.client_answer import Decision, Deficiency, Fetched, HandoffStatus, Reason, Submitted
from gateway.rpc.client_bundle import make_uuid7
from gateway.rpc.client_call import RetryPolicy
from gateway.rpc.client_error import CallRefused, to_exception
from gateway.rpc.client_ledger import CaseTimeline, EntryQuery
from gateway.rpc.client_statement import SubmittedStatement
from gateway.v1 import material_pb2
from gateway.v1.material_pb2_grpc import MaterialServiceStub
from tests.scenario.case_file import ADAPTERS, COURT, JUSTICE, POLICE, PROCURATORATE, at, native
from tests.scenario.paper import bound, content_of, content_of_recording

OVERSIGHT: Final = "ov:110000"
ORIGIN: Final = "scenario.invalid/fasttrack"
CONSUMER: Final = "desk-1"


class SetClock:
    """Gateway time, as the scenario says."""

    def __init__(self) -> None:
        self._now = at("2026-01-28T08:00").astimezone(UTC)

    def __call__(self) -> datetime:
        """The time now, aware UTC."""
        return self._now

    def set(self, text: str) -> None:
        """Let it be a time in China, such as ``2026-02-05T10:00``; time never goes back."""
        moment = at(text).astimezone(UTC)
        assert moment >= self._now, f"{text} is before the scenario's present"
        self._now = moment

    def advance(self, **parts: float) -> None:
        """Let so much time pass."""
        self._now += timedelta(**parts)


@dataclass(frozen=True, slots=True)
class Annex:
    """A structured material of a bundle.

    Args:
        media_type: of its form.
        data: its bytes.
        document_code: "" for none.
        title: for people.
        person: key of the person whom it concerns, "" for the file.
    """

    media_type: str
    data: bytes
    document_code: str = ""
    title: str = "附件"
    person: str = ""


@dataclass(frozen=True, slots=True)
class Handoff:
    """A bundle that was handed over.

    Args:
        id: of the bundle.
        case: what was sent.
        manifest_jws: as signed.
        record: the native record.
        submitted: what the gateway answered.
    """

    id: UUID
    case: Case
    manifest_jws: str
    record: bytes
    submitted: Submitted

    @property
    def warnings(self) -> set[str]:
        """Names of the codes that the sender was warned of."""
        return {finding.code.name for finding in self.submitted.warnings}


@dataclass(slots=True)
class Organ:
    """An agency at its desk.

    Args:
        name: short form.
        client: its connection.
        clock: of the gateway.
    """

    name: str
    client: GatewayClient
    clock: SetClock
    _uploaded: set[str] = field(default_factory=set)

    async def submit(self, case: Case, **how: Any) -> Handoff:
        """Hand a case over; the sending is the present, unless the clock is further already.

        Args:
            case: what is sent, documents included.
            how: see ``bundle``.
        """
        manifest, jws, record = await self.bundle(case, **how)
        submitted = await self.client.submit(jws, record, bundle_id=manifest.bundle_id)
        return Handoff(manifest.bundle_id, case, jws, record, submitted)

    async def refused(self, case: Case, **how: Any) -> dict[str, str]:
        """Hand a case over that must be refused; gives the path of each error by its name."""
        _, jws, record = await self.bundle(case, **how)
        return await refused(self.client.submit(jws, record, bundle_id=uuid4()))

    async def findings(self, case: Case, **how: Any) -> set[str]:
        """Names of all that a submit would say of a case; nothing is recorded."""
        _, jws, record = await self.bundle(case, **how)
        return {finding.code.name for finding in (await self.client.validate(jws, record)).findings}

    async def bundle(
        self,
        case: Case,
        *,
        annexes: Sequence[Annex] = (),
        unchanged: Sequence[str] = (),
        in_reply_to: Handoff | None = None,
        upload: bool = True,
        bundle_id: UUID | None = None,
    ) -> tuple[Manifest, str, bytes]:
        """Write the record, upload what it names, sign the manifest.

        Args:
            case: what is sent.
            annexes: structured materials that go with it.
            unchanged: digests of what the record does not name and an earlier bundle brought.
            in_reply_to: the handoff that it answers.
            upload: whether the materials are uploaded.
            bundle_id: None for a new one.

        Returns:
            the manifest, its JWS, the record.
        """
        moment = case.sent_at.astimezone(UTC)
        if moment > self.clock():
            self.clock.set(f"{case.sent_at:%Y-%m-%dT%H:%M}")
        case, record = bound(case), native(case)
        named: list[Document | Recording] = [*case.documents, *case.recordings]
        data = {item.sha256: _content(case, item) for item in named} | {
            sha256_hex(annex.data): annex.data for annex in annexes
        }
        if upload:
            await self.upload(data.values())
        system = parse_agency(self.name).system
        version, encoding = ADAPTERS.schema_version(system), ADAPTERS.encoding(system)
        bundle_id = bundle_id or make_uuid7()
        materials = [_material(number, item, data[item.sha256]) for number, item in enumerate(named, 1)]
        materials += [_annex(number, annex) for number, annex in enumerate(annexes, len(named) + 1)]
        manifest = Manifest(
            bundle_id=bundle_id,
            sender=parse_agency(self.name),
            receiver=parse_agency(case.receiver),
            kind=RecordKind(case.kind),
            case_number=case.police_no,
            idempotency_key=f"key-{bundle_id}",
            created_at=self.clock(),
            native_record=NativeRecord(system, version, encoding, len(record), sha256_hex(record), sm3_hex(record)),
            materials=tuple(materials),
            in_reply_to=in_reply_to.id if in_reply_to else None,
            unchanged=tuple(unchanged),
        )
        return manifest, self.sign(to_payload(manifest)), record

    async def state(
        self, kind: str, case: Case | None, *, version: int = 1, at_: str = "", **body: Any
    ) -> SubmittedStatement:
        """State something outside a handoff.

        Args:
            kind: type of the statement.
            case: that it concerns; None for none.
            version: of its form.
            at_: when it happened, as ``at`` reads it; the present when it is empty.
            body: as the form asks.
        """
        moment = at(at_) if at_ else self.clock()
        statement = Statement(
            statement_id=make_uuid7(),
            type=kind,
            version=version,
            issuer=parse_agency(self.name),
            case_number=case.police_no if case else "",
            created_at=max(moment, self.clock()),
            occurred_at=moment,
            body=body,
        )
        return await self.client.submit_statement(statement)

    async def act(self, act: str, case: Case, *, persons: Sequence[int] = (), **more: Any) -> SubmittedStatement:
        """Do an act of the procedure that is no handoff, to the persons with these numbers."""
        if persons:
            more["persons"] = [person.key for person in case.persons if person.order in persons]
        return await self.state("procedural-act", case, act=act, **more)

    async def ask_for(self, handoff: Handoff, sha256: str, purpose: str, ground: str) -> SubmittedStatement:
        """Ask for a material that the bundle did not grant."""
        return await self.state(
            "material-request",
            handoff.case,
            handoff_id=str(handoff.id),
            sha256=sha256,
            purpose=purpose,
            ground=ground,
        )

    def sign(self, payload: Mapping[str, Any]) -> str:
        """Sign a manifest."""
        assert self.client.signer is not None
        return self.client.signer(payload)

    async def upload(self, contents: Iterable[bytes]) -> None:
        """Upload what the gateway does not have from this agency."""
        wanted = {digest: data for data in contents if (digest := sha256_hex(data)) not in self._uploaded}
        missing = await self.client.find_missing(list(wanted))
        await asyncio.gather(*(self._upload(digest, wanted[digest]) for digest in missing))
        self._uploaded |= wanted.keys()

    async def _upload(self, digest: str, data: bytes) -> None:
        async def requests() -> AsyncIterator[material_pb2.UploadRequest]:
            yield material_pb2.UploadRequest(header=material_pb2.UploadHeader(sha256=digest, size=len(data)))
            yield material_pb2.UploadRequest(chunk=data)

        await MaterialServiceStub(self.client.channel).Upload(requests())

    async def download(self, sha256: str) -> bytes:
        """Read a material."""
        call = MaterialServiceStub(self.client.channel).Download(material_pb2.DownloadRequest(sha256=sha256))
        try:
            return b"".join([message.chunk async for message in call])
        except grpc.aio.AioRpcError as error:
            raise to_exception(error, target=self.client.target, method="Download") from error

    async def take(self, handoff: Handoff, consumer: str = CONSUMER) -> Fetched:
        """Claim a handoff and fetch it."""
        await self.client.claim(handoff.id, consumer, lease_seconds=86_400)
        return await self.client.fetch(handoff.id, consumer)

    async def accept(self, handoff: Handoff) -> Fetched:
        """Take a handoff and accept it (受理)."""
        fetched = await self.take(handoff)
        await self.client.decide(handoff.id, CONSUMER, Decision.ACCEPT)
        return fetched

    async def ask_supplement(self, handoff: Handoff, **texts: str) -> None:
        """Take a handoff and say what is missing (补送), by document code."""
        await self.take(handoff)
        missing = [Deficiency(code, "", text) for code, text in texts.items()]
        await self.client.decide(handoff.id, CONSUMER, Decision.ASK_SUPPLEMENT, deficiencies=missing)

    async def refuse(self, handoff: Handoff, code: str, text: str) -> None:
        """Take a handoff and refuse it (不予受理)."""
        await self.take(handoff)
        await self.client.decide(handoff.id, CONSUMER, Decision.REFUSE, reasons=[Reason(code, text)])

    async def status(self, handoff: Handoff) -> HandoffStatus:
        """Where a handoff stands."""
        return await self.client.get_receipt(handoff.id)

    async def timeline(self, case: Case) -> CaseTimeline:
        """All entries of a case; for oversight."""
        return await self.client.get_case_timeline(case.police_no)

    async def stage(self, case: Case) -> tuple[str, str]:
        """Stage of a case and who holds the file; for oversight."""
        timeline = await self.timeline(case)
        return timeline.stage, timeline.file_holder

    async def entries(self, case: Case, *kinds: EntryKind) -> list[Entry]:
        """Entries of a case of some kinds, of all kinds when none is named; for oversight."""
        query = EntryQuery(case_number=case.police_no, kinds=kinds)
        return [item.entry async for item in self.client.query_entries(query)]

    async def told(self, case: Case, clock: str) -> list[tuple[str, str]]:
        """Level and last day of every notice of a limit of a case to this agency, oldest first."""
        return [
            (notice.level.value, notice.due)
            async for notice in self.client.list_notices()
            if (notice.case_number, notice.clock) == (case.police_no, clock)
        ]


def _content(case: Case, item: Document | Recording) -> bytes:
    if isinstance(item, Document):
        return content_of(case.police_no, item)
    return content_of_recording(case.police_no, item)


def _material(number: int, item: Document | Recording, data: bytes) -> Material:
    if isinstance(item, Recording):
        return Material(
            f"m{number}", "", "同步录音录像", "audio/wav", len(data), item.sha256, sm3_hex(data),
            recorded_from=item.start, recorded_to=item.end,
        )  # fmt: skip
    return Material(
        f"m{number}", item.code, item.title, "application/pdf", len(data), item.sha256, sm3_hex(data),
        person=item.person or "", pages=item.pages,
    )  # fmt: skip


def _annex(number: int, annex: Annex) -> Material:
    return Material(
        id=f"m{number}",
        document_code=annex.document_code,
        title=annex.title,
        media_type=annex.media_type,
        size=len(annex.data),
        sha256=sha256_hex(annex.data),
        sm3=sm3_hex(annex.data),
        person=annex.person,
    )


async def refused(call: Any) -> dict[str, str]:
    """Await a call that must be refused; gives the path of each error by the name of its code."""
    try:
        answer = await call
    except CallRefused as error:
        return {finding.code.name: finding.path for finding in error.findings}
    raise AssertionError(f"the call was not refused: {answer}")


@dataclass(slots=True)
class World:
    """A gateway with its clock, the agencies of the interfaces and oversight.

    Args:
        pki: certificates and keys.
        database_url: of the gateway, as its own role.
        vault_url: of the case keys.
        home: folder for its materials.
        clock: gateway time.
    """

    pki: PkiLayout
    database_url: str
    vault_url: str
    home: Path
    clock: SetClock = field(default_factory=SetClock)
    port: int = 0
    _organs: dict[str, Organ] = field(default_factory=dict)
    _clients: AsyncExitStack = field(default_factory=AsyncExitStack)
    _gateway: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        (self.home / "materials").mkdir(parents=True, exist_ok=True)
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._clients.aclose()
        await self.stop()

    async def start(self, **changes: Any) -> None:
        """Start the gateway, with settings changed; after a stop it listens on the same port."""
        settings = replace(self.settings, **changes)
        port = await self._gateway.enter_async_context(open_gateway(settings, clock=self.clock))
        self.port = port()

    async def stop(self) -> None:
        """Stop the gateway in the order that loses nothing."""
        await self._gateway.aclose()

    @property
    def vault(self) -> VaultAccess:
        """The keys of its cases."""
        return VaultAccess(self.vault_url, self.pki.master_key)

    @property
    def settings(self) -> Settings:
        """Settings of the gateway."""
        return Settings(
            database_url=self.database_url,
            listen=f"127.0.0.1:{self.port}",
            origin=ORIGIN,
            tls_cert=self.pki.gateway_tls_certificate,
            tls_key=self.pki.gateway_tls_key,
            tls_ca=self.pki.tls_ca,
            signing_ca=self.pki.signing_ca,
            signers_dir=self.pki.signers,
            receipt_cert=self.pki.receipt_certificate,
            receipt_key=self.pki.receipt_key,
            pseudonym_key_file=self.pki.pseudonym_key,
            vault_url=self.vault_url,
            master_key_file=self.pki.master_key,
            materials_dir=self.home / "materials",
            schema_versions=None,
            workers=1,
            log_level="WARNING",
        )

    async def clocks(self, case: Case) -> dict[tuple[int, str], str]:
        """Last day of every running limit of a case, by number of the person (0 for the file) and id of the clock.

        Where a limit cannot be counted, the code stands instead. The facts are those that the ledger keeps beside its
        entries, counted as the scheduler counts them.
        """
        fold = await self.fold(case)
        pseudonyms = Pseudonyms(self.pki.pseudonym_key.read_bytes())
        numbers = {pseudonyms.person(case.police_no, person.key): person.order or 0 for person in case.persons}
        counting = Counting(load_calendar(), load_clock_table().settings)
        dues = {}
        for (person, clock, step), running in fold.book.running.items():
            name = f"{clock} {step}".strip()
            try:
                due = find_due(running, counting)
                dues[numbers.get(person, 0), name] = "suspended" if due is None else str(to_day(due.at))
            except GatewayError as error:
                dues[numbers.get(person, 0), name] = error.code.name
        return dues

    async def schedule(self, readings: Path | None = None) -> None:
        """Let the scheduler look once, at the time of the scenario, counting by a file of readings."""
        settings = SchedulerSettings(database_url=self.database_url, origin=ORIGIN, readings=readings)
        stop = asyncio.Event()
        await run_scheduler_process(settings, stop, lambda _: None, is_once=True, clock=self.clock)

    async def fold(self, case: Case) -> Fold:
        """What the facts of a case come to."""
        pool = await open_pool(self.database_url)
        try:
            pseudonyms = Pseudonyms(self.pki.pseudonym_key.read_bytes())
            facts = await Reader(pool).case_facts(pseudonyms.case(case.police_no))
        finally:
            await pool.close()
        table = load_clock_table()
        return fold_facts(facts, table, Counting(load_calendar(), table.settings))

    async def tracks(self, case: Case) -> dict[int, PersonTrack]:
        """Where each person of a case stands, by number of the person, as the ledger keeps it."""
        pool = await open_pool(self.database_url)
        try:
            pseudonyms = Pseudonyms(self.pki.pseudonym_key.read_bytes())
            tracks = await Reader(pool).tracks(pseudonyms.case(case.police_no))
        finally:
            await pool.close()
        numbers = {pseudonyms.person(case.police_no, person.key): person.order or 0 for person in case.persons}
        return {numbers[name]: track for name, track in tracks.persons.items()}

    async def organ(self, name: str) -> Organ:
        """An agency by its short form, connected when it is first asked for."""
        if name not in self._organs:
            settings = ConnectionSettings(target=f"127.0.0.1:{self.port}").with_profile(self.pki.agency(name).directory)
            client = await self._clients.enter_async_context(open_client(settings, retry=RetryPolicy(attempts=1)))
            self._organs[name] = Organ(name, client, self.clock)
        return self._organs[name]


@dataclass(frozen=True, slots=True)
class Cast:
    """The world of a scenario with its usual agencies.

    Args:
        world: the gateway.
        police: ps:110108.
        pr: pr:110108.
        court: ct:110108.
        justice: ja:110108.
        oversight: ov:110000.
    """

    world: World
    police: Organ
    pr: Organ
    court: Organ
    justice: Organ
    oversight: Organ

    @property
    def clock(self) -> SetClock:
        """Gateway time."""
        return self.world.clock


@asynccontextmanager
async def opened_world(pki: PkiLayout, database_url: str, vault_url: str, home: Path) -> AsyncIterator[Cast]:
    """Start a gateway and connect the usual agencies.

    Args:
        pki: certificates and keys.
        database_url: migrated, as the gateway's own role.
        vault_url: of the case keys, ready for use.
        home: folder of its own.

    Yields:
        the cast.
    """
    async with World(pki, database_url, vault_url, home) as world:
        organs = [await world.organ(name) for name in (POLICE, PROCURATORATE, COURT, JUSTICE, OVERSIGHT)]
        yield Cast(world, *organs)


def codes_of(entry: Entry) -> set[str]:
    """Names of the codes of a refused call."""
    return {ErrorCode(number).name for number in entry.refusal_codes}
