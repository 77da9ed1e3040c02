"""Time-stamp tokens of an authority that is none of the agencies: that a checkpoint existed at a time.

What is stamped is a SHA-256 digest, and it is the message imprint itself, so that ``openssl ts -verify -digest`` (or
``-data`` with the stamped file) reads the token without any code of this project.

Source: RFC 3161; RFC 5816 (certificate digests with SHA-256); RFC 5652 (CMS).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from gateway.core.der import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, to_der, to_integer
from gateway.core.errors import ErrorCode, refuse
from gateway.trust.timestamp_http import parse_address, post

DIGEST_BYTES: Final = 32
MAX_RESPONSE_BYTES: Final = 64 * 1024
"""A token with a long chain has about 6 KB."""

_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_SHA256_DER: Final = to_der(
    SEQUENCE, to_der(OBJECT_IDENTIFIER, bytes.fromhex("608648016503040201")), bytes.fromhex("0500")
)
_TRUE: Final = bytes.fromhex("0101ff")
_GRANTED: Final = 0
_VERSION: Final = 1
_NONCE_BITS: Final = 64
# What the reader may raise on a token that somebody made by hand; the warning is an exception wherever warnings are.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    VerificationError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)


def to_request(digest: bytes, nonce: int) -> bytes:
    """Write a request that asks for the certificates too, because a token is verified years later.

    Args:
        digest: SHA-256 of what is to be stamped, 32 bytes.
        nonce: random number of at most 64 bits that the answer must repeat.

    Returns:
        TimeStampReq, DER.

    Source: RFC 3161, section 2.4.1.
    """
    if len(digest) != DIGEST_BYTES:
        raise ValueError("a SHA-256 digest has 32 bytes")
    imprint = to_der(SEQUENCE, _SHA256_DER, to_der(OCTET_STRING, digest))
    return to_der(SEQUENCE, to_integer(_VERSION), imprint, to_integer(nonce), _TRUE)


def verify_response(response: bytes, *, digest: bytes, nonce: int, roots: Sequence[x509.Certificate]) -> bytes:
    """Verify the answer of an authority.

    Args:
        response: TimeStampResp, DER; not trusted.
        digest: what the request was for.
        nonce: that of the request.
        roots: CAs of time-stamp authorities, at least one.

    Returns:
        the token: ContentInfo, DER.

    Raises:
        GatewayError: TIMESTAMP_REFUSED when the authority gives no token or other than asked; TIMESTAMP_INVALID when
            it cannot be read, or the token is not right (``verify_token``) or not for this nonce.
    """
    try:
        decoded = decode_timestamp_response(response)
        status = decoded.status
    except _UNREADABLE as error:
        raise refuse(ErrorCode.TIMESTAMP_INVALID, message="not an answer of RFC 3161") from error
    if status != _GRANTED:
        raise refuse(ErrorCode.TIMESTAMP_REFUSED, message=f"the authority answered with status {status}")
    _verify(decoded, digest, roots, nonce)
    return decoded.time_stamp_token()


def verify_token(token: bytes, digest: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """Verify a token, also years later: its certificates must have been valid when it was made.

    1. It is one signed TSTInfo. 2. The signature leads to a root at the time of the token. 3. The certificate of the
    signer is for time stamps and, by a critical extension, for nothing else. 4. The imprint is this SHA-256 digest.

    Args:
        token: ContentInfo, DER; not trusted.
        digest: SHA-256 of what was stamped, 32 bytes.
        roots: CAs of time-stamp authorities, at least one.

    Returns:
        the time of the token, aware UTC.

    Raises:
        GatewayError: TIMESTAMP_INVALID.

    Source: RFC 3161, sections 2.3 and 2.4.2.
    """
    granted = to_der(SEQUENCE, to_integer(_GRANTED))
    try:
        decoded = decode_timestamp_response(to_der(SEQUENCE, granted, token))
        is_same = decoded.time_stamp_token() == token
    except _UNREADABLE as error:
        raise refuse(ErrorCode.TIMESTAMP_INVALID, message="not a token of RFC 3161") from error
    if not is_same:
        raise refuse(ErrorCode.TIMESTAMP_INVALID, message="not a token of RFC 3161")
    return _verify(decoded, digest, roots, None)


def _verify(
    decoded: TimeStampResponse, digest: bytes, roots: Sequence[x509.Certificate], nonce: int | None
) -> datetime:
    try:
        VerifierBuilder(roots=list(roots), nonce=nonce).build().verify(decoded, digest)
        info = decoded.tst_info
        algorithm, generated_at = info.message_imprint.hash_algorithm, info.gen_time
    except _UNREADABLE as error:
        what = "the token is not for this digest and nonce, or not signed by a time-stamp authority below a root"
        raise refuse(ErrorCode.TIMESTAMP_INVALID, message=what, basis="RFC 3161 2.4.2") from error
    if algorithm != _SHA256:
        raise refuse(ErrorCode.TIMESTAMP_INVALID, message="the imprint is not SHA-256", basis="RFC 3161 2.4.1")
    return generated_at


class TimestampAuthority:
    """A time-stamp authority that is asked over HTTP."""

    def __init__(self, url: str, roots: Sequence[x509.Certificate], timeout_seconds: float = 10.0) -> None:
        """Hold where it is and whom to trust.

        Args:
            url: its address, ``http://`` or ``https://``; http is usual, since the token itself is signed.
            roots: its CAs.
            timeout_seconds: longest time for one token, everything included.

        Raises:
            ValueError: there is no root, or the address cannot be used.
        """
        if not roots:
            raise ValueError("a time-stamp authority needs at least one root")
        self._address = parse_address(url)
        self._roots = tuple(roots)
        self._timeout_seconds = timeout_seconds

    async def request_token(self, digest: bytes) -> bytes:
        """Ask for a token and verify it.

        Args:
            digest: SHA-256 of what is to be stamped, 32 bytes.

        Returns:
            the token: ContentInfo, DER.

        Raises:
            GatewayError: TIMESTAMP_UNAVAILABLE when no answer comes in time; what ``verify_response`` raises.
        """
        nonce = secrets.randbits(_NONCE_BITS)
        response = await post(
            self._address,
            to_request(digest, nonce),
            media_types=("application/timestamp-query", "application/timestamp-reply"),
            max_bytes=MAX_RESPONSE_BYTES,
            timeout_seconds=self._timeout_seconds,
        )
        return verify_response(response, digest=digest, nonce=nonce, roots=self._roots)


def load_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read the CAs of time-stamp authorities.

    Args:
        pem: one or more certificates, PEM.

    Returns:
        them.

    Raises:
        ValueError: there is none, or one cannot be read.
    """
    return tuple(x509.load_pem_x509_certificates(pem))
