"""Time-stamp tokens of a pack, verified offline.

Source: RFC 3161, sections 2.3 and 2.4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from gateway.audit.seal_check import TokenError

_MAX_TOKEN_BYTES: Final = 64 * 1024
_GRANTED: Final = bytes.fromhex("3003020100")
_LONG_FORM: Final = 0x80


def verify_token(token: bytes, digest: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """Verify a token; its certificates must have been valid when it was made.

    Args:
        token: ContentInfo, DER.
        digest: SHA-256 of what was stamped, 32 bytes.
        roots: CAs of time-stamp authorities, at least one.

    Returns:
        its time, aware UTC.

    Raises:
        TokenError: malformed, for something else, or not signed below a root.
    """
    if not _LONG_FORM <= len(token) <= _MAX_TOKEN_BYTES:
        raise TokenError("the token is too short or too large")
    body = _GRANTED + token
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    try:
        # The library reads whole answers, so the token is put back into one that says "granted".
        decoded = decode_timestamp_response(bytes([0x30, _LONG_FORM | len(size)]) + size + body)
        VerifierBuilder(roots=list(roots)).build().verify(decoded, digest)
    except (ValueError, TypeError, VerificationError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise TokenError("not a token of a known authority for this head") from error
    return decoded.tst_info.gen_time
