"""TLS: who is let in, and under which name; over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.authority import SERVER_AUTH, Authority
from certs.layout import PkiLayout, load_authority
from certs.pki import make_pki
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import parse_agency
from gateway.trust.tls import channel_credentials, peer_agency, server_credentials
from tests.support.pki import NOW, Issued, issue_tls

CA = Authority.create("test TLS CA", now=NOW)
AGENCY = "urn:fasttrack:agency:"


def test_peer_agency_one_uri_names_the_agency() -> None:
    """The agency is the one in the URI; other URIs beside it do no harm."""
    assert peer_agency(issue_tls(CA).certificate_pem) == parse_agency("ps:110108")
    uris = ["spiffe://example.org/x", f"{AGENCY}ct:110105"]
    assert peer_agency(issue_tls(CA, uris=uris).certificate_pem) == parse_agency("ct:110105")


@pytest.mark.parametrize(
    "uris",
    [
        [],
        [f"{AGENCY}ps:110108", f"{AGENCY}pr:110108"],
        [f"{AGENCY}ps:110108", f"{AGENCY}ps:110108"],
        [f"{AGENCY}zz:110108"],
        [f"{AGENCY}ps:11010"],
        [f"{AGENCY}ps:110108 "],
        [f"{AGENCY}ps:110108/x"],
        [f"x{AGENCY}ps:110108"],
        ["urn:fasttrack:gateway"],
    ],
)
def test_peer_agency_no_or_several_or_odd_uris_are_refused(uris: Sequence[str]) -> None:
    """Without exactly one agency URI nobody is identified, although the common name looks right."""
    with pytest.raises(GatewayError) as caught:
        peer_agency(issue_tls(CA, uris=uris).certificate_pem)
    assert caught.value.code is ErrorCode.CALLER_UNIDENTIFIED


def test_peer_agency_cn_only_certificate_is_refused() -> None:
    """A certificate without subject alternative name is refused; the common name is never looked at."""
    issued = issue_tls(CA, None)
    assert "ps:110108" in issued.certificate.subject.rfc4514_string()
    with pytest.raises(GatewayError) as caught:
        peer_agency(issued.certificate_pem)
    assert caught.value.code is ErrorCode.CALLER_UNIDENTIFIED


@pytest.mark.parametrize("pem", [b"", b"text", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_peer_agency_unreadable_certificate_is_refused(pem: bytes) -> None:
    """Bytes that are no certificate identify nobody."""
    with pytest.raises(GatewayError) as caught:
        peer_agency(pem)
    assert caught.value.code is ErrorCode.CALLER_UNIDENTIFIED


class _WhoAmI(grpc.GenericRpcHandler):
    """Answers every call with the agency of its peer."""

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Give the one handler."""

        async def answer(_request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            (pem,) = context.auth_context()["x509_pem_cert"]
            return str(peer_agency(pem)).encode()

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def layout(tmp_path: Path) -> PkiLayout:
    """Make the development PKI, valid now, because the handshake reads the real clock."""
    return make_pki(tmp_path / "pki", now=datetime.now(UTC), agencies=["ps:110108"])


@pytest.fixture
async def port(layout: PkiLayout) -> AsyncIterator[int]:
    """Run a server with the gateway's credentials."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_WhoAmI(),))
    credentials = server_credentials(layout.gateway_tls_certificate, layout.gateway_tls_key, layout.tls_ca)
    number = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    yield number
    await server.stop(None)


async def call(port: int, credentials: grpc.ChannelCredentials, host: str = "127.0.0.1") -> bytes:
    """Ask the server who we are."""
    async with grpc.aio.secure_channel(f"{host}:{port}", credentials) as channel:
        whoami: Any = channel.unary_unary("/test/WhoAmI")
        answer: bytes = await whoami(b"", timeout=10)
        return answer


def client_files(layout: PkiLayout, issued: Issued) -> tuple[Path, Path, Path]:
    """Write a certificate as files for ``channel_credentials``."""
    certificate, key = layout.root / "odd.crt", layout.root / "odd.key"
    certificate.write_bytes(issued.certificate_pem)
    key.write_bytes(issued.key_pem)
    return layout.tls_ca, certificate, key


async def test_tls_agency_is_let_in_under_its_name(layout: PkiLayout, port: int) -> None:
    """An agency with its certificate is let in, by address and by host name, and is who its URI says."""
    files = layout.agency("ps:110108")
    credentials = channel_credentials(layout.tls_ca, files.tls_certificate, files.tls_key)
    assert await call(port, credentials) == b"ps:110108"
    assert await call(port, credentials, "localhost") == b"ps:110108"


async def test_tls_client_without_certificate_is_not_let_in(layout: PkiLayout, port: int) -> None:
    """Without a client certificate there is no connection."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(port, grpc.ssl_channel_credentials(layout.tls_ca.read_bytes()))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("oddity", ["unknown ca", "expired", "not yet valid", "server usage", "signing ca"])
async def test_tls_client_with_odd_certificate_is_not_let_in(layout: PkiLayout, port: int, oddity: str) -> None:
    """A certificate of another CA, out of its time or for another use does not connect."""
    now = datetime.now(UTC)
    known = load_authority(layout.tls_ca, layout.root / "tls-ca.key")
    signing = load_authority(layout.signing_ca, layout.root / "signing-ca.key")
    issued = {
        "unknown ca": lambda: issue_tls(Authority.create("unknown", now=now), not_before=now),
        "expired": lambda: issue_tls(known, not_before=now - timedelta(days=2), validity=timedelta(days=1)),
        "not yet valid": lambda: issue_tls(known, not_before=now + timedelta(days=1)),
        "server usage": lambda: issue_tls(known, not_before=now, extended_usage=[SERVER_AUTH]),
        "signing ca": lambda: issue_tls(signing, not_before=now),
    }[oddity]()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(port, channel_credentials(*client_files(layout, issued)))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_tls_client_does_not_trust_a_server_of_another_ca(layout: PkiLayout, port: int) -> None:
    """The client finds out when it is not the gateway that answers."""
    other = layout.root / "other-ca.crt"
    other.write_bytes(CA.certificate.public_bytes(Encoding.PEM))
    files = layout.agency("ps:110108")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(port, channel_credentials(other, files.tls_certificate, files.tls_key))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_tls_certificates_of_the_development_pki_are_for_their_side_only(layout: PkiLayout) -> None:
    """An agency's TLS certificate cannot serve; the gateway's can call too, because its own probe does."""
    usages = {}
    for name, path in (
        ("gateway", layout.gateway_tls_certificate),
        ("agency", layout.agency("ps:110108").tls_certificate),
    ):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        value = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usages[name] = [usage._name for usage in value]
    assert usages == {"gateway": ["serverAuth", "clientAuth"], "agency": ["clientAuth"]}
