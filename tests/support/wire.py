"""Raw calls over mutual TLS, and the proof that a refused call left nothing behind but its entry.

Nothing of the typed client is used here: what a client in another language sees is what is looked at.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID, uuid4

import asyncpg
import grpc
from google.rpc import error_details_pb2, status_pb2

from certs.layout import PkiLayout
from gateway.core.digest import sha256_hex
from gateway.core.errors import UNRECORDED, ErrorCode
from gateway.core.procedure.lifecycle import INITIAL
from gateway.rpc.errors import DOMAIN, STATUS_OF
from gateway.trust.tls import channel_credentials
from gateway.v1 import (
    common_pb2,
    exchange_pb2,
    exchange_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    material_pb2,
    material_pb2_grpc,
    notice_pb2_grpc,
    statement_pb2,
    statement_pb2_grpc,
)
from tests.support.gateway import RunningGateway
from tests.support.pki import Issued

OVERSIGHT = "ov:110000"
OPTIONS = (("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.enable_retries", 0))
PERSON = "测试人甲"


def is_of_procedure(code: ErrorCode) -> bool:
    """Whether a code is one by which the rules judge a case; the least record lacks nearly everything they ask for."""
    return code // 100 in (25, 26)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused call as google.rpc.Status tells it.

    Args:
        status: name of the gRPC status.
        reason: of ErrorInfo.
        metadata: of ErrorInfo.
        found: reason and field of each violation of BadRequest, in order.
        text: everything that was said in words.
    """

    status: str
    reason: str
    metadata: dict[str, str]
    found: tuple[tuple[str, str], ...]
    text: str


async def refusal_of(call: Awaitable[Any]) -> Refusal:
    """Await a call that must be refused with the gateway's details."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return read_refusal(error)
    raise AssertionError(f"the call was not refused: {type(answer).__name__}")


def read_refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """Read the details of a failed call; a call that fails without them fails the test."""
    data = next((value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"), None)
    assert isinstance(data, bytes), f"no details: {error.code()} {error.details()}"
    status = status_pb2.Status.FromString(data)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert info.domain == DOMAIN
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    texts = [status.message, *(violation.description for violation in bad.field_violations)]
    return Refusal(
        error.code().name,
        info.reason,
        dict(info.metadata),
        tuple((violation.reason, violation.field) for violation in bad.field_violations),
        "\n".join(texts),
    )


def credentials_of(pki: PkiLayout, issued: Issued) -> grpc.ChannelCredentials:
    """TLS credentials of a certificate that is not one of the PKI's folders."""
    return grpc.ssl_channel_credentials(
        root_certificates=pki.tls_ca.read_bytes(), private_key=issued.key_pem, certificate_chain=issued.certificate_pem
    )


class Desk:
    """One agency at work: a channel of its own with the three stubs, and short forms of the usual calls.

    Args:
        gateway: the gateway.
        agency: who calls.
        credentials: other credentials than those of the agency.
    """

    def __init__(
        self, gateway: RunningGateway, agency: str = "ps:110108", credentials: grpc.ChannelCredentials | None = None
    ) -> None:
        self.agency = agency
        files = gateway.pki.agency(agency)
        self._credentials = credentials or channel_credentials(gateway.pki.tls_ca, files.tls_certificate, files.tls_key)
        self._target = gateway.target

    async def __aenter__(self) -> Self:
        # Any: tests also call what no stub has, and the types of asyncio stubs exist for checkers only.
        self.channel: Any = grpc.aio.secure_channel(self._target, self._credentials, options=OPTIONS)
        self.exchange: Any = exchange_pb2_grpc.ExchangeServiceStub(self.channel)
        self.material: Any = material_pb2_grpc.MaterialServiceStub(self.channel)
        self.statement: Any = statement_pb2_grpc.StatementServiceStub(self.channel)
        self.notice: Any = notice_pb2_grpc.NoticeServiceStub(self.channel)
        self.ledger: Any = ledger_pb2_grpc.LedgerServiceStub(self.channel)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.channel.close()

    async def submit(self, manifest_jws: str, record: bytes) -> exchange_pb2.SubmitResponse:
        """Submit a bundle."""
        return await self.exchange.Submit(exchange_pb2.SubmitRequest(manifest_jws=manifest_jws, record=record))  # type: ignore[no-any-return]

    async def validate(self, manifest_jws: str, record: bytes) -> exchange_pb2.ValidateResponse:
        """Validate a bundle."""
        return await self.exchange.Validate(exchange_pb2.ValidateRequest(manifest_jws=manifest_jws, record=record))  # type: ignore[no-any-return]

    async def state(self, statement_jws: str) -> statement_pb2.SubmitStatementResponse:
        """Submit a statement."""
        request = statement_pb2.SubmitStatementRequest(statement_jws=statement_jws)
        return await self.statement.SubmitStatement(request)  # type: ignore[no-any-return]

    async def claim(
        self, handoff: UUID | str, consumer: str = "c1", *, seconds: int = 0, act: str = ""
    ) -> exchange_pb2.ClaimResponse:
        """Claim a handoff."""
        request = exchange_pb2.ClaimRequest(
            handoff_id=str(handoff), consumer=consumer, lease_seconds=seconds, act_id=act or str(uuid4())
        )
        return await self.exchange.Claim(request)  # type: ignore[no-any-return]

    async def fetch(self, handoff: UUID | str, consumer: str = "c1", *, act: str = "") -> exchange_pb2.FetchResponse:
        """Fetch a handoff."""
        request = exchange_pb2.FetchRequest(handoff_id=str(handoff), consumer=consumer, act_id=act or str(uuid4()))
        return await self.exchange.Fetch(request)  # type: ignore[no-any-return]

    async def decide(
        self,
        handoff: UUID | str,
        consumer: str = "c1",
        *,
        decision: Any = exchange_pb2.DECISION_ACCEPT,
        act: str = "",
        **more: Any,
    ) -> exchange_pb2.DecideResponse:
        """Decide on a handoff."""
        request = exchange_pb2.DecideRequest(
            handoff_id=str(handoff), consumer=consumer, act_id=act or str(uuid4()), decision=decision, **more
        )
        return await self.exchange.Decide(request)  # type: ignore[no-any-return]

    async def withdraw(
        self, handoff: UUID | str, *, reason: str = "移送有误", act: str = ""
    ) -> exchange_pb2.WithdrawResponse:
        """Withdraw a handoff."""
        request = exchange_pb2.WithdrawRequest(handoff_id=str(handoff), act_id=act or str(uuid4()), reason=reason)
        return await self.exchange.Withdraw(request)  # type: ignore[no-any-return]

    async def receipts(self, handoff: UUID | str) -> exchange_pb2.GetReceiptResponse:
        """Read the receipts of a handoff."""
        return await self.exchange.GetReceipt(exchange_pb2.GetReceiptRequest(handoff_id=str(handoff)))  # type: ignore[no-any-return]

    async def accept(self, handoff: UUID | str, consumer: str = "c1") -> common_pb2.Receipt:
        """Claim, fetch and accept."""
        await self.claim(handoff, consumer)
        await self.fetch(handoff, consumer)
        return (await self.decide(handoff, consumer)).receipt

    async def upload(self, data: bytes, *, sha256: str = "", size: int = -1) -> material_pb2.UploadResponse:
        """Upload a material."""
        header = material_pb2.UploadHeader(sha256=sha256 or sha256_hex(data), size=len(data) if size < 0 else size)
        step = 256 * 1024
        chunks = [material_pb2.UploadRequest(chunk=data[i : i + step]) for i in range(0, len(data), step)]
        return await self.upload_parts(material_pb2.UploadRequest(header=header), *chunks)

    async def upload_parts(self, *parts: material_pb2.UploadRequest) -> material_pb2.UploadResponse:
        """Send the messages of an upload, right or wrong."""

        async def requests() -> AsyncIterator[material_pb2.UploadRequest]:
            for part in parts:
                yield part

        return await self.material.Upload(requests())  # type: ignore[no-any-return]

    async def call(self, method: Any, request: Any) -> Any:
        """Call a method of a stub; nothing is sent before this is awaited."""
        return await method(request)

    async def entries(self, **condition: Any) -> list[ledger_pb2.Entry]:
        """All entries that match; only for oversight."""
        found: list[ledger_pb2.Entry] = []
        token = ""
        while True:
            page = await self.ledger.QueryEntries(
                ledger_pb2.QueryEntriesRequest(
                    filter=ledger_pb2.EntryFilter(**condition), page_size=1000, page_token=token
                )
            )
            found += page.entries
            token = page.next_page_token
            if not token:
                return found

    async def stage(self, case_number: str) -> tuple[str, str, int]:
        """Stage (P4 for a case without entries) and holder of a case, and how many entries it has; for oversight."""
        timeline = await self.ledger.GetCaseTimeline(ledger_pb2.GetCaseTimelineRequest(case_number=case_number))
        return timeline.case_stage or INITIAL.stage.value, timeline.file_holder, len(timeline.entries)


async def count_rows(gateway: RunningGateway) -> dict[str, int]:
    """Rows of every table that a half-done act could leave behind."""
    connection = await asyncpg.connect(gateway.dsn)
    try:
        tables = ("entry", "receipt", "bundle", "statement", "detail", "material_grant")
        return {table: await connection.fetchval(f"SELECT count(*) FROM ledger.{table}") for table in tables}
    finally:
        await connection.close()


@dataclass(slots=True)
class Refused:
    """Asserts that calls are refused as documented, wholly, and on the record.

    Args:
        gateway: the gateway.
        oversight: a desk of oversight on it.
        secrets: texts that must be in no entry and no error, beside those of the test records.
    """

    gateway: RunningGateway
    oversight: Desk
    secrets: list[str] = field(default_factory=list)

    async def __call__(
        self,
        caller: Desk,
        call: Coroutine[Any, Any, Any],
        *found: tuple[ErrorCode, str] | ErrorCode,
        case_number: str = "",
        is_recorded: bool = True,
    ) -> Refusal:
        """Await a call that must be refused.

        Args:
            caller: who calls.
            call: a coroutine that makes the call when it is awaited; not a call of a stub, which would be on its way.
            found: all findings in order, as code and path; a code alone leaves its path open. What the procedure says
                of the least record beside them (25xx, 26xx) need not be named.
            case_number: case whose stage must not change.
            is_recorded: False for codes that make no entry.

        Returns:
            the refusal.
        """
        before = await count_rows(self.gateway)
        stage = await self.oversight.stage(case_number) if case_number else ("", "", 0)
        refusal = await refusal_of(call)
        after = await count_rows(self.gateway)
        codes = [item if isinstance(item, ErrorCode) else item[0] for item in found]
        told = [one for one in refusal.found if ErrorCode[one[0]] in codes or not is_of_procedure(ErrorCode[one[0]])]
        assert [reason for reason, _ in told] == [code.name for code in codes], refusal
        for item, (_, path) in zip(found, told, strict=True):
            assert isinstance(item, ErrorCode) or item[1] == path
        assert (refusal.reason, refusal.status) == (codes[0].name, STATUS_OF[codes[0]].name)
        assert refusal.metadata["findings_total"] == refusal.metadata["findings_sent"] == str(len(refusal.found))
        assert is_recorded is (codes[0] not in UNRECORDED)
        assert after == {**before, "entry": before["entry"] + is_recorded}, "only the refusal itself is recorded"
        if case_number:
            assert (await self.oversight.stage(case_number))[:2] == stage[:2]
        if is_recorded:
            await self._assert_recorded(caller, refusal, codes, before["entry"], case_number)
        self._assert_silent(refusal.text.encode(), case_number)
        return refusal

    async def _assert_recorded(
        self, caller: Desk, refusal: Refusal, codes: Sequence[ErrorCode], index: int, case_number: str
    ) -> None:
        (entry,) = await self.oversight.entries(index_from=index)
        assert refusal.metadata["entry_index"] == str(entry.index) == str(index)
        assert entry.kind == ledger_pb2.ENTRY_KIND_CALL_REFUSED
        assert entry.actor == caller.agency
        told = [code for code in entry.refusal_codes if code in codes or not is_of_procedure(ErrorCode(code))]
        assert told == [int(code) for code in dict.fromkeys(codes)]
        self._assert_silent(entry.leaf, case_number)

    def _assert_silent(self, said: bytes, case_number: str) -> None:
        for secret in [PERSON, *self.secrets, *([case_number] if case_number else [])]:
            assert secret.encode() not in said
            assert json.dumps(secret).strip('"').encode() not in said
