"""Compact JWS with an X.509 chain in its header, read in one way only; the part that bundles and receipts share.

Source: RFC 7515 sections 2, 3.1, 4.1 and 5.2; RFC 8725 (best practice); RFC 8037 (EdDSA); GM/T 0003 (SM2).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from jwt import PyJWS

from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.strict_json import parse_object
from gateway.trust.chain import Chain, examine_chain, public_key_of
from gateway.trust.signing_key import Algorithm, PrivateKey, PublicKey, SigningKey, algorithm_of
from gateway.trust.sm2 import Sm2PublicKey

MAX_HEADER_CHARACTERS: Final = 16 * 1024
MAX_CHAIN: Final = 4
_MAX_SIGNATURE_CHARACTERS: Final = 1024
_CACHED_HEADERS: Final = 512

_JWS: Final = PyJWS(algorithms=["EdDSA", "ES256"])
_VERIFIERS: Final = {name: _JWS.get_algorithm_by_name(name) for name in ("EdDSA", "ES256")}
_ALLOWED: Final[frozenset[object]] = frozenset(get_args(Algorithm))
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_FIELDS: Final = frozenset({"typ", "alg", "x5c", "x5t#S256"})
_TO_STANDARD: Final = str.maketrans("-_", "+/")
# Last characters whose unused low bits are zero, by what remains of the length modulo 4: anything else would be a
# second spelling of the same bytes, and so a second token under one signature.
_LAST: Final = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}


def encode_segment(data: bytes) -> str:
    """Write base64url without padding.

    Args:
        data: any bytes.

    Returns:
        ASCII text.
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_segment(text: str, path: str) -> bytes:
    """Read base64url without padding, accepting only the one spelling of each byte string.

    Args:
        text: the segment.
        path: where it stood, for the finding.

    Returns:
        the bytes; none for an empty segment.

    Raises:
        GatewayError: JWS_MALFORMED for any other character, padding, length or leftover bits.
    """
    rest = len(text) % 4
    allowed = _LAST.get(rest)
    if rest == 1 or "+" in text or "/" in text or "=" in text or (allowed is not None and text[-1] not in allowed):
        raise refuse(ErrorCode.JWS_MALFORMED, path, "not base64url without padding", "RFC 7515 2")
    try:
        return binascii.a2b_base64(text.translate(_TO_STANDARD) + "==="[: -rest % 4], strict_mode=True)
    except ValueError as error:
        raise refuse(ErrorCode.JWS_MALFORMED, path, "not base64url without padding", "RFC 7515 2") from error


@dataclass(frozen=True, slots=True)
class Header:
    """A protected header whose form is right.

    Args:
        algorithm: the name in ``alg``.
        chain: the examined certificates of ``x5c``.
        findings: what is wrong with the certificates whatever the time: THUMBPRINT_MISMATCH,
            CERTIFICATE_CHAIN_INVALID, KEY_USAGE_WRONG.
    """

    algorithm: str
    chain: Chain
    findings: tuple[Finding, ...]


def _certificates(value: object, findings: list[Finding]) -> list[bytes]:
    what = f"a list of 1 to {MAX_CHAIN} certificates: DER in base64, leaf first"
    if isinstance(value, list) and 1 <= len(value) <= MAX_CHAIN and all(isinstance(item, str) for item in value):
        try:
            return [base64.b64decode(item, validate=True) for item in value]
        except ValueError:
            what = "a certificate is not base64"
    findings.append(Finding(ErrorCode.JWS_MALFORMED, "header/x5c", what, basis="RFC 7515 4.1.6"))
    return []


def _form_findings(header: Mapping[str, Any], typ: str) -> list[Finding]:
    findings = []
    if "crit" in header:
        findings.append(
            Finding(
                ErrorCode.CRITICAL_HEADER_UNKNOWN,
                "header/crit",
                "no critical extension is known",
                basis="RFC 7515 4.1.11",
            )
        )
    if header.get("typ") != typ:
        findings.append(Finding(ErrorCode.JWS_TYPE_WRONG, "header/typ", f"typ must be {typ}", basis="RFC 8725 3.11"))
    if not isinstance(header.get("alg"), str) or header["alg"] not in _ALLOWED:
        what = "alg must be EdDSA, ES256 or SM2SM3"
        findings.append(Finding(ErrorCode.ALGORITHM_NOT_ALLOWED, "header/alg", what, basis="RFC 8725 3.1"))
    if any(name not in _FIELDS and name != "crit" for name in header):
        findings.append(
            Finding(ErrorCode.JWS_MALFORMED, "header", "a header has exactly the fields typ, alg, x5c and x5t#S256")
        )
    return findings


@lru_cache(maxsize=_CACHED_HEADERS)
def read_header(segment: str, typ: str, signing_cas: tuple[x509.Certificate, ...]) -> Header:
    """Read a protected header and examine its chain, once for each distinct header.

    A signer sends the same header with every bundle, so on the hot path this is one look into a bounded cache. Nothing
    that depends on the time or on the key registry is in here, so nothing that is cached can go stale.

    Args:
        segment: first part of the compact JWS, base64url.
        typ: the type that the header must name.
        signing_cas: the trusted CAs.

    Returns:
        the header.

    Raises:
        GatewayError: JWS_MALFORMED, or all of CRITICAL_HEADER_UNKNOWN, JWS_TYPE_WRONG, ALGORITHM_NOT_ALLOWED and
            JWS_MALFORMED that apply; CERTIFICATE_CHAIN_INVALID when a certificate cannot be read.
    """
    data = decode_segment(segment, "header")
    try:
        header = parse_object(data, max_bytes=MAX_HEADER_CHARACTERS, max_depth=3)
    except GatewayError as error:
        raise refuse(ErrorCode.JWS_MALFORMED, "header", error.findings[0].message) from error
    findings = _form_findings(header, typ)
    certificates = _certificates(header.get("x5c"), findings)
    named = header.get("x5t#S256")
    if not isinstance(named, str) or _THUMBPRINT.fullmatch(named) is None:
        what = "SHA-256 of the leaf certificate in base64url"
        findings.append(Finding(ErrorCode.JWS_MALFORMED, "header/x5t#S256", what, basis="RFC 7515 4.1.8"))
    if findings:
        raise GatewayError(findings)
    chain = examine_chain(certificates, signing_cas)
    if named != encode_segment(hashlib.sha256(certificates[0]).digest()):
        mismatch = Finding(
            ErrorCode.THUMBPRINT_MISMATCH, "header/x5t#S256", "not the SHA-256 of the first certificate of x5c"
        )
        return Header(header["alg"], chain, (mismatch, *chain.findings))
    return Header(header["alg"], chain, chain.findings)


@dataclass(frozen=True, slots=True)
class Compact:
    """The three parts of a compact JWS; nothing about it is verified yet except the form of its header.

    Args:
        header: the examined header.
        payload: decoded payload, still to be verified.
        signature: decoded signature.
        signing_input: the ASCII bytes that are signed.
    """

    header: Header
    payload: bytes
    signature: bytes
    signing_input: bytes

    def is_signed_by(self, key: PublicKey, algorithm: Algorithm) -> bool:
        """Verify the signature.

        Args:
            key: the public key; it, not the header, decides the algorithm.
            algorithm: the algorithm of that key.

        Returns:
            whether the signature is that of this key over header and payload.

        Raises:
            GatewayError: ALGORITHM_UNAVAILABLE when the key is SM2 and this machine cannot do SM2.
        """
        if isinstance(key, Sm2PublicKey):
            return algorithm == "SM2SM3" and key.is_signed(self.signing_input, self.signature)
        return bool(_VERIFIERS[algorithm].verify(self.signing_input, key, self.signature))


def parse_compact(jws: str, *, typ: str, signing_cas: tuple[x509.Certificate, ...], max_payload_bytes: int) -> Compact:
    """Take a compact JWS apart.

    Args:
        jws: three base64url segments with dots between them.
        typ: the type that the header must name.
        signing_cas: the trusted CAs.
        max_payload_bytes: largest payload accepted.

    Returns:
        its parts.

    Raises:
        GatewayError: MANIFEST_TOO_LARGE for a longer payload; else what ``read_header`` and ``decode_segment`` raise.
    """
    parts = jws.split(".", 3)
    if len(parts) != 3:
        raise refuse(
            ErrorCode.JWS_MALFORMED, "", "a compact JWS has three parts with dots between them", "RFC 7515 3.1"
        )
    header, payload, signature = parts
    if len(header) > MAX_HEADER_CHARACTERS or len(signature) > _MAX_SIGNATURE_CHARACTERS:
        raise refuse(ErrorCode.JWS_MALFORMED, "", f"the header is at most {MAX_HEADER_CHARACTERS} characters long")
    if len(payload) > (max_payload_bytes * 4 + 2) // 3:
        raise refuse(ErrorCode.MANIFEST_TOO_LARGE, "", f"at most {max_payload_bytes} bytes")
    return Compact(
        read_header(header, typ, signing_cas),
        decode_segment(payload, "payload"),
        decode_segment(signature, "signature"),
        jws[: len(header) + 1 + len(payload)].encode("ascii"),
    )


def header_fields(typ: str, certificate_chain: Sequence[x509.Certificate]) -> dict[str, Any]:
    """Write the header fields that name the signer.

    Args:
        typ: type of the object.
        certificate_chain: the leaf first, then intermediates; the CA is left out.

    Returns:
        ``typ``, ``x5c`` and ``x5t#S256``.
    """
    chain = [certificate.public_bytes(Encoding.DER) for certificate in certificate_chain]
    return {
        "typ": typ,
        "x5c": [base64.b64encode(der).decode("ascii") for der in chain],
        "x5t#S256": encode_segment(hashlib.sha256(chain[0]).digest()),
    }


def sign_compact(
    payload: Mapping[str, Any],
    *,
    typ: str,
    private_key: PrivateKey | SigningKey,
    certificate_chain: Sequence[x509.Certificate],
) -> str:
    """Sign a JSON object.

    Args:
        payload: what is signed; written as compact UTF-8 JSON.
        typ: type of the object.
        private_key: Ed25519 or P-256, or a key that signs by itself, as SM2 does.
        certificate_chain: certificate of the key, then intermediates.

    Returns:
        the compact JWS.

    Raises:
        ValueError: the key is of another kind, or is not the key of the first certificate.
    """
    if private_key.public_key() != public_key_of(certificate_chain[0]):
        raise ValueError("the private key is not that of the certificate")
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    fields = header_fields(typ, certificate_chain)
    if isinstance(private_key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        return _JWS.encode(data, private_key, algorithm_of(private_key), headers=fields)
    header = json.dumps({"alg": private_key.algorithm, **fields}, separators=(",", ":")).encode("ascii")
    signing_input = f"{encode_segment(header)}.{encode_segment(data)}"
    return f"{signing_input}.{encode_segment(private_key.sign(signing_input.encode('ascii')))}"
