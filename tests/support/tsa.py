"""A time-stamp authority in this process: right by default, and wrong in exactly the way that a test asks for.

Source: RFC 3161, section 2.4.2; RFC 5652, section 5; RFC 5035 (signing certificate, version 2).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.authority import Authority, generate_key
from gateway.core.der import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, parse_elements, parse_one, to_der
from gateway.core.der import to_integer as integer
from tests.support.pki import NOW

_GENERALIZED_TIME = 0x18
_EXPLICIT_0 = 0xA0
_NULL = b"\x05\0"


def oid(dotted: str) -> bytes:
    """DER of an object identifier."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.insert(0, arc & 0x7F | 0x80)
        octets += bytes(digits)
    return to_der(OBJECT_IDENTIFIER, bytes(octets))


SHA256 = to_der(SEQUENCE, oid("2.16.840.1.101.3.4.2.1"), _NULL)
SHA512 = to_der(SEQUENCE, oid("2.16.840.1.101.3.4.2.3"), _NULL)
_ECDSA = to_der(SEQUENCE, oid("1.2.840.10045.4.3.2"))
_TST_INFO = oid("1.2.840.113549.1.9.16.1.4")
_POLICY = oid("1.3.6.1.4.1.13762.3")


def _attribute(name: str, value: bytes) -> bytes:
    return to_der(SEQUENCE, oid(name), to_der(SET, value))


class LocalTsa:
    """A CA and an authority below it.

    Attributes:
        ca: the root to trust.
        certificate: certificate of the authority.
        requests: every request that came.
    """

    def __init__(
        self, *, now: datetime = NOW, usage: tuple[x509.ObjectIdentifier, ...] = (), is_critical: bool = True
    ) -> None:
        """Make both.

        Args:
            now: time of every token, and start of the certificates.
            usage: extended key usages; none for time stamping.
            is_critical: whether they are critical, as RFC 3161 asks.
        """
        self.now = now
        self.ca = Authority.create("test TSA root", now=now)
        key = generate_key("ES256")
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        usages = usage or (ExtendedKeyUsageOID.TIME_STAMPING,)
        self.certificate = self.ca.issue(
            key,
            common_name="test TSA",
            names=[],
            now=now,
            extended_usage=() if is_critical else usages,
            critical=[x509.ExtendedKeyUsage(usages)] if is_critical else (),
        )
        self.requests: list[bytes] = []

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """What a client trusts."""
        return (self.ca.certificate,)

    def token(
        self,
        digest: bytes,
        *,
        nonce: int | None = None,
        at: datetime | None = None,
        algorithm: bytes = SHA256,
        with_certificate: bool = True,
    ) -> bytes:
        """Make a token.

        Args:
            digest: message imprint.
            nonce: that of the request, if there was one.
            at: time of the token.
            algorithm: that of the imprint.
            with_certificate: whether the certificate travels along.

        Returns:
            ContentInfo, DER.
        """
        when = (at or self.now).astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode()
        info = to_der(
            SEQUENCE,
            integer(1),
            _POLICY,
            to_der(SEQUENCE, algorithm, to_der(OCTET_STRING, digest)),
            integer(int.from_bytes(digest[:8], "big")),
            to_der(_GENERALIZED_TIME, when),
            *([] if nonce is None else [integer(nonce)]),
        )
        der = self.certificate.public_bytes(Encoding.DER)
        own = to_der(SEQUENCE, to_der(OCTET_STRING, hashlib.sha256(der).digest()))
        # A SET OF is sorted by its octets; these three come out right as they stand, because each is longer.
        attributes = b"".join(
            (
                _attribute("1.2.840.113549.1.9.3", _TST_INFO),
                _attribute("1.2.840.113549.1.9.4", to_der(OCTET_STRING, hashlib.sha256(info).digest())),
                _attribute("1.2.840.113549.1.9.16.2.47", to_der(SEQUENCE, to_der(SEQUENCE, own))),
            )
        )
        signature = self.key.sign(to_der(SET, attributes), ec.ECDSA(hashes.SHA256()))
        issuer = self.certificate.issuer.public_bytes()
        signer = to_der(
            SEQUENCE,
            integer(1),
            to_der(SEQUENCE, issuer, integer(self.certificate.serial_number)),
            SHA256,
            to_der(_EXPLICIT_0, attributes),
            _ECDSA,
            to_der(OCTET_STRING, signature),
        )
        signed = to_der(
            SEQUENCE,
            integer(3),
            to_der(SET, SHA256),
            to_der(SEQUENCE, _TST_INFO, to_der(_EXPLICIT_0, to_der(OCTET_STRING, info))),
            *([to_der(_EXPLICIT_0, der)] if with_certificate else []),
            to_der(SET, signer),
        )
        return to_der(SEQUENCE, oid("1.2.840.113549.1.7.2"), to_der(_EXPLICIT_0, signed))

    def answer(self, request: bytes, **options: Any) -> bytes:
        """Answer a request; the options are those of ``token``."""
        self.requests.append(request)
        _, imprint, nonce, _ = parse_elements(parse_one(request, SEQUENCE))
        _, digest = parse_elements(imprint[1])
        token = self.token(digest[1], **{"nonce": int.from_bytes(nonce[1], "big"), **options})
        return to_der(SEQUENCE, to_der(SEQUENCE, integer(0)), token)


def rejection(status: int = 2) -> bytes:
    """The answer of an authority that gives no token."""
    return to_der(SEQUENCE, to_der(SEQUENCE, integer(status)))


def http_reply(body: bytes) -> bytes:
    """A good HTTP answer."""
    head = f"HTTP/1.0 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def serve(reply: Callable[[bytes], bytes | None]) -> AsyncIterator[str]:
    """Run an HTTP server on this machine.

    Args:
        reply: from the body of a request to every byte of the answer; None never answers.

    Yields:
        its address.
    """
    held: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        answer = reply(await reader.readexactly(int(length.split(b":")[1])))
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/tsa?of=tests"
    finally:
        server.close()
        for writer in held:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in held), return_exceptions=True)
        await server.wait_closed()
