"""Signatures of compact JWS objects with a chain of certificates in their header, checked without the gateway.

Ed25519 and P-256 by ``cryptography``, SM2 by ``sm2_check``; without SM3 in the OpenSSL of this Python
nothing is said of SM2.

Source: RFC 7515; RFC 8037; RFC 7518 section 3.4; RFC 5280 section 6.1.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from gateway.audit.sm2_check import Sm3MissingError, is_issued_by, is_signed, point_of

MAX_JWS: Final = 1024 * 1024
MAX_CHAIN: Final = 4
_DOCUMENT_SIGNING: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
_NUMBER_BYTES: Final = 32
"""Of r and of s, with P-256 and with SM2."""
_NO_SM3: Final = "SM2 was not checked, the OpenSSL of this Python has no SM3; README.md says how"


class JwsError(ValueError):
    """A signature that is malformed or does not verify; the text repeats nothing that was read."""


class UncheckedError(JwsError):
    """A signature of an algorithm that cannot be checked here."""


@dataclass(frozen=True, slots=True)
class Header:
    """A protected header.

    Args:
        typ: type of the object.
        algorithm: name in ``alg``.
        certificates: DER, the leaf first.
    """

    typ: str
    algorithm: str
    certificates: tuple[bytes, ...]

    @property
    def key_id(self) -> str:
        """SHA-256 of the leaf, 64 hexadecimal digits."""
        return sha256(self.certificates[0]).hexdigest()


def decode_segment(text: str) -> bytes:
    """Read base64url without padding in its one spelling.

    Raises:
        JwsError: another spelling.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise JwsError("not base64url") from error
    if encode_segment(data) != text:
        raise JwsError("not canonical base64url")
    return data


def encode_segment(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@lru_cache(maxsize=512)
def parse_header(segment: str) -> Header:
    """Read a protected header; nothing is verified.

    Args:
        segment: first part of a compact JWS.

    Returns:
        the header.

    Raises:
        JwsError: malformed.
    """
    try:
        value = json.loads(decode_segment(segment))
        names = value["x5c"]
        if not 1 <= len(names) <= MAX_CHAIN:
            raise JwsError("a chain has one to four certificates")
        certificates = tuple(base64.b64decode(name, validate=True) for name in names)
        header = Header(value["typ"], value["alg"], certificates)
        if "crit" in value or value["x5t#S256"] != encode_segment(sha256(certificates[0]).digest()):
            raise JwsError("the header does not name its certificate")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise error if isinstance(error, JwsError) else JwsError("not the header of a signature") from error
    return header


@lru_cache(maxsize=512)
def load_certificate(der: bytes) -> x509.Certificate:
    """Read a certificate.

    Raises:
        JwsError: it cannot be read.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise JwsError("a certificate cannot be read") from error


def split(jws: str) -> tuple[str, str, str]:
    """Take a compact JWS apart.

    Raises:
        JwsError: it has not three parts, or is too long.
    """
    parts = jws.split(".", 3)
    if len(parts) != 3 or len(jws) > MAX_JWS:
        raise JwsError("a compact JWS has three parts")
    return parts[0], parts[1], parts[2]


def verify_jws(jws: str) -> tuple[Header, dict[str, Any]]:
    """Check a signature with the key of the first certificate in its header; the chain is judged elsewhere.

    Args:
        jws: compact form.

    Returns:
        header and payload.

    Raises:
        UncheckedError: the key is of a kind that cannot be checked here.
        JwsError: malformed, or not the signature of the key.
    """
    header_text, payload_text, signature_text = split(jws)
    header, signature = parse_header(header_text), decode_segment(signature_text)
    payload = decode_segment(payload_text)
    message = f"{header_text}.{payload_text}".encode("ascii")
    certificate = load_certificate(header.certificates[0])
    try:
        if (point := point_of(certificate)) is not None:
            _verify_sm2(header, point, message, signature)
            return header, _parse_payload(payload)
        key = certificate.public_key()
        if isinstance(key, Ed25519PublicKey) and header.algorithm == "EdDSA":
            key.verify(signature, message)
        elif (
            isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) and header.algorithm == "ES256"
        ):
            if len(signature) != 2 * _NUMBER_BYTES:
                raise JwsError("the signature has the wrong length")
            numbers = (
                int.from_bytes(signature[:_NUMBER_BYTES], "big"),
                int.from_bytes(signature[_NUMBER_BYTES:], "big"),
            )
            key.verify(encode_dss_signature(*numbers), message, ECDSA(SHA256()))
        else:
            raise JwsError("the algorithm is not that of the key")
    except InvalidSignature as error:
        raise JwsError("not the signature of the key in its header") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if isinstance(error, JwsError):
            raise
        raise JwsError("the key of a certificate cannot be read") from error
    return header, _parse_payload(payload)


def _verify_sm2(header: Header, point: tuple[int, int], message: bytes, signature: bytes) -> None:
    if header.algorithm != "SM2SM3":
        raise JwsError("the algorithm is not that of the key")
    if len(signature) != 2 * _NUMBER_BYTES:
        raise JwsError("the signature has the wrong length")
    r, s = (int.from_bytes(part, "big") for part in (signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]))
    try:
        if not is_signed(point, message, r, s):
            raise JwsError("not the signature of the key in its header")
    except Sm3MissingError as error:
        raise UncheckedError(_NO_SM3) from error


def _parse_payload(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise JwsError("the payload is not JSON") from error
    if not isinstance(value, dict):
        raise JwsError("the payload is not a JSON object")
    return value


def verify_chain(certificates: Sequence[bytes], cas: Sequence[x509.Certificate], at: datetime) -> tuple[str, ...]:
    """Check that a chain leads to a trusted CA and may sign documents.

    1. Each certificate is issued by the next, the last by a CA. 2. Every issuer may issue, within its path length.
    3. The leaf is no CA and may sign documents. 4. All were valid at the time.

    Args:
        certificates: DER, the leaf first; the CA may be last.
        cas: the trusted CAs.
        at: aware time of the signature.

    Returns:
        URIs that the leaf names.

    Raises:
        UncheckedError: a key is of a kind that cannot be checked here.
        JwsError: a step failed.
    """
    chain = [load_certificate(der) for der in certificates]
    if len(chain) > 1 and chain[-1] in cas:
        chain.pop()
    anchor = next((ca for ca in cas if ca.subject == chain[-1].issuer and _is_issued_by(chain[-1], ca)), None)
    if anchor is None or not all(_is_issued_by(chain[i], chain[i + 1]) for i in range(len(chain) - 1)):
        raise JwsError("the chain does not lead to the CA")
    for below, issuer in enumerate([*chain[1:], anchor]):
        if not _may_issue(issuer, below):
            raise JwsError("a certificate of the chain may not issue others")
    uris = _signer_uris(chain[0])
    if not all(item.not_valid_before_utc <= at <= item.not_valid_after_utc for item in (*chain, anchor)):
        raise JwsError("a certificate of the chain was not valid at that time")
    return uris


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if (point := point_of(issuer)) is not None:
            return is_issued_by(certificate, issuer, point)
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    except Sm3MissingError as error:
        raise UncheckedError(_NO_SM3) from error
    return True


def _may_issue(certificate: x509.Certificate, below: int) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    is_short_enough = constraints.path_length is None or below <= constraints.path_length
    return constraints.ca and usage.key_cert_sign and is_short_enough


def _signer_uris(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        constraints = [item.value for item in extensions if isinstance(item.value, x509.BasicConstraints)]
        extended = [item.value for item in extensions if isinstance(item.value, x509.ExtendedKeyUsage)]
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise JwsError("the certificate is not one for signing documents") from error
    if (
        not usage.digital_signature
        or usage.key_cert_sign
        or any(item.ca for item in constraints)
        or any(_DOCUMENT_SIGNING not in item for item in extended)
    ):
        raise JwsError("the certificate is not one for signing documents")
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def to_der(certificate: x509.Certificate) -> bytes:
    """The certificate in DER."""
    return certificate.public_bytes(Encoding.DER)
