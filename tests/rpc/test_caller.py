"""Who may connect, who is identified, and who may call what, over real TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from certs.authority import SERVER_AUTH, Authority
from certs.layout import load_authority
from gateway.core.access.policy import POLICY, WITHOUT_IDENTITY
from gateway.core.errors import ErrorCode
from gateway.core.identity import GATEWAY_URI, Role
from gateway.rpc.server import SERVICES
from gateway.v1 import exchange_pb2
from tests.support.gateway import RunningGateway
from tests.support.pki import Issued, issue_tls
from tests.support.wire import Desk, Refused, count_rows, credentials_of, refusal_of

AGENCIES = {
    Role.POLICE: "ps:110108",
    Role.PROCURATORATE: "pr:110108",
    Role.COURT: "ct:110108",
    Role.JUSTICE: "ja:110108",
    Role.OVERSIGHT: "ov:110000",
    Role.SELF_SERVICE: "xx:110000",
}
URI = "urn:fasttrack:agency:ps:110108"


def _tls_authority(gateway: RunningGateway) -> Authority:
    return load_authority(gateway.pki.tls_ca, gateway.pki.tls_ca.with_suffix(".key"))


def _odd(gateway: RunningGateway, **options: Any) -> grpc.ChannelCredentials:
    return credentials_of(gateway.pki, issue_tls(_tls_authority(gateway), not_before=datetime.now(UTC), **options))


async def _list_inbox(desk: Desk) -> Any:
    return await desk.exchange.ListInbox(exchange_pb2.ListInboxRequest(), timeout=10)


def _stranger(gateway: RunningGateway) -> Issued:
    return issue_tls(Authority.create("somebody else", now=datetime.now(UTC)), not_before=datetime.now(UTC))


@pytest.mark.parametrize("who", ["no certificate", "unknown CA", "expired", "server certificate"])
async def test_connection_without_a_good_client_certificate_is_refused_by_tls(
    who: str, gateway: RunningGateway
) -> None:
    """Nobody reaches a line of our code without a certificate of the TLS CA; nothing of it is recorded."""
    trusted = gateway.pki.tls_ca.read_bytes()
    before = await count_rows(gateway)
    if who == "no certificate":
        credentials = grpc.ssl_channel_credentials(root_certificates=trusted)
    elif who == "unknown CA":
        credentials = credentials_of(gateway.pki, _stranger(gateway))
    elif who == "expired":
        old = issue_tls(
            _tls_authority(gateway), not_before=datetime.now(UTC) - timedelta(days=2), validity=timedelta(days=1)
        )
        credentials = credentials_of(gateway.pki, old)
    else:
        credentials = _odd(gateway, extended_usage=[SERVER_AUTH])
    async with Desk(gateway, credentials=credentials) as desk:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _list_inbox(desk)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert not caught.value.trailing_metadata()
    assert await count_rows(gateway) == before


def _security_lines(gateway: RunningGateway) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in gateway.log.read_text("utf-8").splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "gateway.security"]


@pytest.mark.parametrize(
    "options",
    [
        {"agency": None},
        {"uris": [URI, "urn:fasttrack:agency:pr:110108"]},
        {"uris": ["urn:fasttrack:agency:zz:110108"]},
        {"uris": ["urn:fasttrack:agency:ps:110108 "]},
        {"uris": [GATEWAY_URI]},
        {"uris": ["https://ps.example/110108"]},
    ],
    ids=["CN only", "two agencies", "no such role", "blank after it", "the gateway", "another URI"],
)
async def test_certificate_that_names_no_agency_is_a_security_line_and_no_entry(
    options: dict[str, Any], gateway: RunningGateway
) -> None:
    """The caller is the URI of its certificate, never the common name; a stranger cannot fill the ledger."""
    before, lines = await count_rows(gateway), len(_security_lines(gateway))
    async with Desk(gateway, credentials=_odd(gateway, **options)) as desk:
        refusal = await refusal_of(_list_inbox(desk))
    assert (refusal.reason, refusal.status) == ("CALLER_UNIDENTIFIED", "UNAUTHENTICATED")
    assert "entry_index" not in refusal.metadata
    assert await count_rows(gateway) == before
    (line,) = _security_lines(gateway)[lines:]
    assert line["event"] == "caller without identity"
    assert line["code"] == "CALLER_UNIDENTIFIED"
    assert line["method"] == "gateway.v1.ExchangeService/ListInbox"
    assert "110108" not in json.dumps(line)


async def test_health_answers_any_holder_of_a_certificate(gateway: RunningGateway) -> None:
    """Probes have no agency; they learn that the gateway serves, and may do nothing else."""
    async with Desk(gateway, credentials=_odd(gateway, agency=None)) as desk:
        stub: Any = health_pb2_grpc.HealthStub(desk.channel)
        for service in ("", *(service.full_name for service in SERVICES)):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_every_service_to_an_agency(police: Desk) -> None:
    """A client in any language finds the services without our protos."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(police.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]))]
    names = {service.name for service in answers[0].list_services_response.service}
    assert {service.full_name for service in SERVICES} <= names


def _forbidden() -> Iterator[tuple[str, Role]]:
    for method, roles in sorted(POLICY.items()):
        for role in Role:
            if role not in roles:
                yield method, role


@pytest.mark.parametrize("role", list(Role))
async def test_method_that_a_role_has_no_right_to_is_refused_and_recorded(role: Role, refused: Refused) -> None:
    """The whole table, caller by method: what is not allowed is refused before anything is read, and recorded."""
    methods = [method for method, other in _forbidden() if other is role]
    assert methods
    async with Desk(refused.gateway, AGENCIES[role]) as desk:
        for method in methods:
            await refused(desk, _call_empty(desk, method), (ErrorCode.METHOD_NOT_ALLOWED, ""))


async def _call_empty(desk: Desk, method: str) -> Any:
    service, name = method.split("/")
    described = next(s for s in SERVICES if s.full_name == service).methods_by_name[name]

    def nothing(_: bytes) -> bytes:
        return b""

    path = f"/{method}"
    if described.client_streaming:
        call: Any = desk.channel.stream_unary(path, lambda _: b"", nothing)(iter([b""]))
        return await call
    if described.server_streaming:
        stream: Any = desk.channel.unary_stream(path, lambda _: b"", nothing)(b"")
        return [answer async for answer in stream]
    unary: Any = desk.channel.unary_unary(path, lambda _: b"", nothing)(b"")
    return await unary


async def test_method_that_does_not_exist_is_unimplemented(police: Desk) -> None:
    """What has no policy row has no handler either."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await police.channel.unary_unary("/gateway.v1.ExchangeService/Delete")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_every_served_method_is_in_the_policy_or_without_identity(police: Desk) -> None:
    """Every method that a running gateway shows by reflection has a row; one that came with a library is closed."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(police.channel)
    listed = [
        answer
        async for answer in stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    ]
    served = set()
    for name in {service.name for service in listed[0].list_services_response.service}:
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=name)
        async for answer in stub.ServerReflectionInfo(iter([request])):
            for data in answer.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(data)
                for service in file.service:
                    served |= {f"{file.package}.{service.name}/{method.name}" for method in service.method}
    assert {*POLICY, *WITHOUT_IDENTITY} <= served
    for method in served - {*POLICY, *WITHOUT_IDENTITY}:
        assert not method.startswith("gateway.")
        assert (await refusal_of(_call_raw(police, method))).reason == "METHOD_NOT_ALLOWED"


async def _call_raw(desk: Desk, method: str) -> Any:
    return await desk.channel.unary_unary(f"/{method}")(b"")
