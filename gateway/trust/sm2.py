"""SM2 signatures with SM3: keys, bundle signatures and certificates.

``cryptography`` reads everything of an SM2 certificate but its key and its signature; these two are read here, and
OpenSSL's libcrypto does the arithmetic. The form of a key is compared byte for byte with the one form that it can
have, so that no parser of C sees bytes that a stranger wrote.

In a JWS the algorithm is called ``SM2SM3``, a private name of this interface: no RFC registers one. Its signature is r
and s, 32 bytes each, big-endian, as with ES256 (RFC 7518, section 3.4).

Source: GM/T 0003-2012 (SM2), GM/T 0009-2012 (its use), GB/T 32905-2016 (SM3), GM/T 0015-2012 (certificates),
RFC 5480, section 2.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.core.der import SEQUENCE, parse_elements, parse_one, to_der
from gateway.trust.sm2_libcrypto import library

SM2_WITH_SM3: Final = x509.ObjectIdentifier("1.2.156.10197.1.501")

# id-ecPublicKey 1.2.840.10045.2.1 with the curve 1.2.156.10197.1.301 (RFC 5480 section 2.1.1, GM/T 0006-2012).
_KEY_ALGORITHM: Final = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_SPKI_PREFIX: Final = bytes.fromhex("3059") + _KEY_ALGORITHM + bytes.fromhex("034200")
_PKCS8_PREFIX: Final = bytes.fromhex("308187020100") + _KEY_ALGORITHM + bytes.fromhex("046d306b0201010420")
_PKCS8_MIDDLE: Final = bytes.fromhex("a144034200")
_UNCOMPRESSED: Final = 0x04
_POINT_BYTES: Final = 65
_NUMBER_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 2 * _NUMBER_BYTES
_PEM: Final = re.compile(rb"\s*-----BEGIN PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*")
_LINE: Final = 64
_VERSION: Final = 0xA0


@dataclass(frozen=True, slots=True)
class Sm2PublicKey:
    """An SM2 public key.

    Args:
        point: 0x04, x and y: 65 bytes. That it lies on the curve is judged when it is used.
    """

    point: bytes

    @classmethod
    def from_spki(cls, spki: bytes) -> Self:
        """Read a public key.

        Args:
            spki: SubjectPublicKeyInfo, DER.

        Returns:
            the key.

        Raises:
            ValueError: it is no SM2 key with an uncompressed point.
        """
        point = spki[len(_SPKI_PREFIX) :]
        if not spki.startswith(_SPKI_PREFIX) or len(point) != _POINT_BYTES or point[0] != _UNCOMPRESSED:
            raise ValueError("not an SM2 public key with an uncompressed point")
        return cls(point)

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER, 91 bytes."""
        return _SPKI_PREFIX + self.point

    def require_usable(self) -> None:
        """Find out at the start, not at the first bundle, whether signatures of this key can be verified.

        Raises:
            GatewayError: ALGORITHM_UNAVAILABLE when this machine cannot do SM2.
            ValueError: the point does not lie on the curve.
        """
        if not library().is_public_key(self.spki):
            raise ValueError("the public key is no point of the curve of SM2")

    def is_signed(self, message: bytes, signature: bytes) -> bool:
        """Verify a signature.

        Args:
            message: what was signed.
            signature: r and s, 64 bytes; any other length is no signature.

        Returns:
            whether it is that of this key.

        Raises:
            GatewayError: ALGORITHM_UNAVAILABLE when this machine cannot do SM2.
        """
        if len(signature) != _SIGNATURE_BYTES:
            return False
        return library().verify(self.spki, message, to_der_signature(signature))


@dataclass(frozen=True, slots=True)
class Sm2PrivateKey:
    """An SM2 private key.

    Args:
        pkcs8: PKCS #8 as OpenSSL writes it: DER, 138 bytes, with the public key in it.
    """

    pkcs8: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key.

        Returns:
            the key.

        Raises:
            GatewayError: ALGORITHM_UNAVAILABLE when this machine cannot do SM2.
        """
        return cls(library().generate())

    @property
    def algorithm(self) -> Literal["SM2SM3"]:
        """Name of its algorithm in a JWS."""
        return "SM2SM3"

    def public_key(self) -> Sm2PublicKey:
        """Give the public half.

        Returns:
            the public key.
        """
        return Sm2PublicKey(self.pkcs8[-_POINT_BYTES:])

    def sign(self, message: bytes) -> bytes:
        """Sign.

        Args:
            message: any bytes.

        Returns:
            r and s, 64 bytes.

        Raises:
            GatewayError: ALGORITHM_UNAVAILABLE when this machine cannot do SM2.
        """
        return parse_der_signature(library().sign(self.pkcs8, message))

    def to_pem(self) -> bytes:
        """Write the key without a password.

        Returns:
            PKCS #8, PEM.
        """
        text = base64.b64encode(self.pkcs8)
        lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
        return b"\n".join([b"-----BEGIN PRIVATE KEY-----", *lines, b"-----END PRIVATE KEY-----", b""])


def is_sm2_private_key(pem: bytes) -> bool:
    """Tell whether a PEM file is for ``parse_private_key``.

    Args:
        pem: content of a key file.

    Returns:
        whether it holds an SM2 key in PKCS #8 without a password.
    """
    found = _PEM.fullmatch(pem)
    try:
        return found is not None and _KEY_ALGORITHM in base64.b64decode(found[1])[: len(_PKCS8_PREFIX)]
    except ValueError:
        return False


def parse_private_key(pem: bytes) -> Sm2PrivateKey:
    """Read a private key.

    Args:
        pem: PKCS #8 without a password, PEM.

    Returns:
        the key.

    Raises:
        ValueError: it is something else, or its public half belongs to another key.
        GatewayError: ALGORITHM_UNAVAILABLE when this machine cannot do SM2.
    """
    found = _PEM.fullmatch(pem)
    der = base64.b64decode(found[1]) if found is not None else b""
    middle = len(_PKCS8_PREFIX) + _NUMBER_BYTES
    has_form = der.startswith(_PKCS8_PREFIX) and der[middle : middle + len(_PKCS8_MIDDLE)] == _PKCS8_MIDDLE
    if not has_form or len(der) != middle + len(_PKCS8_MIDDLE) + _POINT_BYTES:
        raise ValueError("not an SM2 private key in PKCS #8 with its public key and without a password")
    if not library().is_key_pair(der):
        raise ValueError("the two halves of the SM2 key do not belong together")
    return Sm2PrivateKey(der)


def to_der_signature(signature: bytes) -> bytes:
    """Write a signature as certificates carry it.

    Args:
        signature: r and s, 64 bytes.

    Returns:
        DER of the two numbers.

    Source: GM/T 0009-2012, section 7.3.
    """
    r, s = signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def parse_der_signature(der: bytes) -> bytes:
    """Read a signature as certificates carry it.

    Args:
        der: DER of r and s.

    Returns:
        r and s, 64 bytes.

    Raises:
        ValueError: it is something else, or a number does not fit into 32 bytes.
    """
    try:
        return b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in decode_dss_signature(der))
    except OverflowError as error:
        raise ValueError("not the two numbers of an SM2 signature") from error


def subject_public_key_info(certificate: x509.Certificate) -> bytes:
    """Take the public key out of a certificate, of whatever kind it is.

    Args:
        certificate: any certificate.

    Returns:
        its SubjectPublicKeyInfo, DER.

    Source: RFC 5280, section 4.1.
    """
    return to_der(*_signed_fields(certificate)[5])


def _signed_fields(certificate: x509.Certificate) -> list[tuple[int, bytes]]:
    """Serial number, algorithm, issuer, validity, subject, key and what follows, of the part that is signed."""
    fields = parse_elements(parse_one(certificate.tbs_certificate_bytes, SEQUENCE))
    # A certificate of version 1 leaves the version out.
    return fields[1:] if fields[0][0] == _VERSION else fields


def is_sm2(certificate: x509.Certificate) -> bool:
    """Tell whether the key of a certificate is an SM2 key.

    Args:
        certificate: any certificate.

    Returns:
        whether it names the curve of SM2, however its point is written.
    """
    parts = parse_elements(parse_one(subject_public_key_info(certificate), SEQUENCE))
    return to_der(*parts[0]) == _KEY_ALGORITHM


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate, key: Sm2PublicKey) -> bool:
    """Tell whether the SM2 key of an issuer signed a certificate.

    Args:
        certificate: the certificate, with a key of any kind.
        issuer: that of the issuer.
        key: the key of the issuer.

    Returns:
        whether the names follow each other, both places name SM2 with SM3, and the signature is right.

    Raises:
        GatewayError: ALGORITHM_UNAVAILABLE when this machine cannot do SM2.

    Source: RFC 5280, sections 4.1.1.2 and 6.1.3; GM/T 0015-2012.
    """
    if certificate.issuer != issuer.subject or certificate.signature_algorithm_oid != SM2_WITH_SM3:
        return False
    outside = parse_elements(parse_one(certificate.public_bytes(Encoding.DER), SEQUENCE))[1]
    if _signed_fields(certificate)[1] != outside:
        return False
    try:
        signature = parse_der_signature(certificate.signature)
    except ValueError:
        return False
    return key.is_signed(certificate.tbs_certificate_bytes, signature)
