"""Verifies SM2 signatures in plain integers, so that a pack can be judged where nothing but Python is at hand.

Only public values come here, so nothing depends on how long it takes. Signing, and verifying for the gateway itself,
stays with OpenSSL (``trust.sm2``); tests hold this module against OpenSSL, GmSSL and the example of the standard.

Source: GM/T 0003.2-2012 section 7 (verification), GM/T 0003.5-2012 (curve), GM/T 0009-2012 section 10 (identifier),
GM/T 0015-2012 (certificates), GB/T 32905-2016 (SM3).
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.core.der import SEQUENCE, parse_elements, parse_one, to_der

_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A: Final = _P - 3
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_IDENTIFIER: Final = b"1234567812345678"
_NUMBER_BYTES: Final = 32
_SPKI_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
_SPKI_BYTES: Final = len(_SPKI_PREFIX) + 2 * _NUMBER_BYTES
SM2_WITH_SM3: Final = x509.ObjectIdentifier("1.2.156.10197.1.501")
_VERSION: Final = 0xA0

_Point = tuple[int, int]


class Sm3MissingError(Exception):
    """The OpenSSL of this Python has no SM3, so nothing can be said of a signature."""


def _sm3(data: bytes) -> bytes:
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError as error:
        raise Sm3MissingError from error


def _add(first: _Point | None, second: _Point | None) -> _Point | None:
    """Add two points; None is the point at infinity."""
    if first is None or second is None:
        return second if first is None else first
    (x1, y1), (x2, y2) = first, second
    if x1 == x2:
        if (y1 + y2) % _P == 0:
            return None
        slope = (3 * x1 * x1 + _A) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _times(number: int, point: _Point) -> _Point | None:
    result: _Point | None = None
    power: _Point | None = point
    while number:
        if number & 1:
            result = _add(result, power)
        power, number = _add(power, power), number >> 1
    return result


def parse_point(spki: bytes) -> _Point | None:
    """Read a public key.

    Args:
        spki: SubjectPublicKeyInfo, DER.

    Returns:
        the point; None when it is no uncompressed point of the curve of SM2.
    """
    if len(spki) != _SPKI_BYTES or not spki.startswith(_SPKI_PREFIX):
        return None
    x = int.from_bytes(spki[-2 * _NUMBER_BYTES : -_NUMBER_BYTES], "big")
    y = int.from_bytes(spki[-_NUMBER_BYTES:], "big")
    is_on_curve = x < _P and y < _P and (y * y - (x * x + _A) * x - _B) % _P == 0
    return (x, y) if is_on_curve else None


def is_signed(point: tuple[int, int], message: bytes, r: int, s: int) -> bool:
    """Verify a signature under the default identifier.

    Args:
        point: public key, a point of the curve.
        message: what was signed.
        r: first number of the signature.
        s: second number.

    Returns:
        whether it is that of the key.

    Raises:
        Sm3MissingError: SM3 is not available here.

    Source: GM/T 0003.2-2012, sections 5.5 and 7.1.
    """
    if not (0 < r < _N and 0 < s < _N):
        return False
    numbers = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in (_A, _B, *_G, *point))
    who = _sm3((8 * len(_IDENTIFIER)).to_bytes(2, "big") + _IDENTIFIER + numbers)
    digest = int.from_bytes(_sm3(who + message), "big")
    both = (r + s) % _N
    if both == 0:
        return False
    found = _add(_times(s, _G), _times(both, point))
    return found is not None and (digest + found[0]) % _N == r


def _signed_fields(certificate: x509.Certificate) -> list[tuple[int, bytes]]:
    fields = parse_elements(parse_one(certificate.tbs_certificate_bytes, SEQUENCE))
    return fields[1:] if fields[0][0] == _VERSION else fields


def public_key_info(certificate: x509.Certificate) -> bytes:
    """Take the public key out of a certificate, of whatever kind it is.

    Args:
        certificate: any certificate.

    Returns:
        its SubjectPublicKeyInfo, DER.

    Raises:
        ValueError, IndexError: the certificate is malformed.

    Source: RFC 5280, section 4.1.
    """
    return to_der(*_signed_fields(certificate)[5])


def point_of(certificate: x509.Certificate) -> tuple[int, int] | None:
    """Read the SM2 key of a certificate.

    Args:
        certificate: any certificate.

    Returns:
        its point; None when its key is no SM2 key.
    """
    try:
        return parse_point(public_key_info(certificate))
    except (ValueError, IndexError):
        return None


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate, point: tuple[int, int]) -> bool:
    """Tell whether the SM2 key of an issuer signed a certificate.

    Args:
        certificate: with a key of any kind.
        issuer: that of the issuer.
        point: its key.

    Returns:
        whether the names follow each other, both places name SM2 with SM3, and the signature is right.

    Raises:
        Sm3MissingError: SM3 is not available here.

    Source: RFC 5280, sections 4.1.1.2 and 6.1.3; GM/T 0015-2012.
    """
    if certificate.issuer != issuer.subject or certificate.signature_algorithm_oid != SM2_WITH_SM3:
        return False
    try:
        outside = parse_elements(parse_one(certificate.public_bytes(Encoding.DER), SEQUENCE))[1]
        r, s = decode_dss_signature(certificate.signature)
        if _signed_fields(certificate)[1] != outside:
            return False
    except (ValueError, IndexError):
        return False
    return is_signed(point, certificate.tbs_certificate_bytes, r, s)
