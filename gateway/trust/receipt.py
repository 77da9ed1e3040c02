"""What the gateway itself signs: receipts, and statements of reconciliation.

A receipt binds one ledger entry, by the hash of its leaf, to the tree that held it when the call was answered. Whoever
keeps the leaf and the receipt can show later that the gateway had recorded it. One signature serves a batch of entries
(``core.batch_receipt``); every receipt holds it with the way from its own leaf.

Source: RFC 6962 section 2.1 (leaf hash); RFC 7515; RFC 8037.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.core.entry import MAX_LEAF_BYTES, leaf_hash
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import GATEWAY_URI
from gateway.core.log.batch_receipt import parse_receipt, verify_place
from gateway.core.log.merkle import ProofError
from gateway.core.strict_json import parse_object
from gateway.trust.chain import Chain
from gateway.trust.jose import encode_segment, header_fields, parse_compact
from gateway.trust.signing_key import algorithm_of

RECEIPT_TYPE: Final = "fasttrack-receipt+jws"
RECONCILE_TYPE: Final = "fasttrack-reconcile+jws"
_MAX_CLAIMS_BYTES: Final = 16 * 1024
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAX_TREE_SIZE: Final = 2**63 - 1


class ReceiptSigner:
    """Signs on behalf of the gateway, with Ed25519: for every batch and answer, so the header is written only once."""

    def __init__(self, private_key: ed25519.Ed25519PrivateKey, certificate_chain: Sequence[x509.Certificate]) -> None:
        """Hold the key.

        Args:
            private_key: key of the gateway's receipt certificate.
            certificate_chain: that certificate, then intermediates; the CA is left out.

        Raises:
            ValueError: the key is not that of the certificate, or the certificate is not the gateway's.
        """
        names = certificate_chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if GATEWAY_URI not in names.get_values_for_type(x509.UniformResourceIdentifier):
            raise ValueError(f"the receipt certificate must carry the URI {GATEWAY_URI}")
        if private_key.public_key() != certificate_chain[0].public_key():
            raise ValueError("the receipt key is not that of the receipt certificate")
        self._key = private_key
        self._chain = tuple(certificate_chain)
        self._prefixes: dict[str, bytes] = {}
        self._encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

    def _prefix(self, typ: str) -> bytes:
        header = {"alg": "EdDSA", **header_fields(typ, self._chain)}
        prefix = f"{encode_segment(self._encode(header).encode('ascii'))}.".encode("ascii")
        self._prefixes[typ] = prefix
        return prefix

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """Sign claims.

        Args:
            claims: strings and integers.
            typ: ``fasttrack-receipt+jws`` or ``fasttrack-reconcile+jws``; never a text of a caller.

        Returns:
            the compact JWS.
        """
        prefix = self._prefixes.get(typ) or self._prefix(typ)
        payload = base64.urlsafe_b64encode(self._encode(claims).encode("ascii")).rstrip(b"=")
        signing_input = prefix + payload
        signature = base64.urlsafe_b64encode(self._key.sign(signing_input)).rstrip(b"=")
        return (signing_input + b"." + signature).decode("ascii")


def load_receipt_signer(certificate: Path, key: Path) -> ReceiptSigner:
    """Read the gateway's receipt key.

    Args:
        certificate: receipt certificate, PEM, followed by intermediates if there are any.
        key: its Ed25519 private key, PEM, not encrypted.

    Returns:
        the signer.

    Raises:
        OSError: a file cannot be read.
        ValueError: the key is not Ed25519, not that of the certificate, or the certificate is not the gateway's.
    """
    private_key = load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private_key, ed25519.Ed25519PrivateKey):
        raise ValueError("the receipt key must be an Ed25519 key")  # noqa: TRY004 - a bad file, not a bad type
    return ReceiptSigner(private_key, x509.load_pem_x509_certificates(certificate.read_bytes()))


@dataclass(frozen=True, slots=True)
class ReceiptClaims:
    """What a receipt says.

    Args:
        origin: name of the log.
        entry_index: place of the entry, from 0.
        leaf_hash: SHA-256 of 0x00 and the leaf, 64 lower-case hexadecimal digits.
        first_index: index of the first entry of the batch that was signed.
        tree_size: entries in the tree after the batch.
        batch_root: root over the leaf hashes of the batch, 64 lower-case hexadecimal digits.
        root_hash: root of the ledger's tree of that size, 64 lower-case hexadecimal digits.
        recorded_at: aware time of the entry, RFC 3339, as the gateway wrote it.
    """

    origin: str
    entry_index: int
    leaf_hash: str
    first_index: int
    tree_size: int
    batch_root: str
    root_hash: str
    recorded_at: str


def _validity_finding(chain: Chain, instant: datetime) -> list[Finding]:
    if chain.is_valid_at(instant):
        return []
    what = "the gateway's certificate was not valid at that time"
    return [Finding(ErrorCode.CERTIFICATE_NOT_VALID_NOW, "header/x5c", what, basis="RFC 5280 6.1.3")]


def _verify(jws: str, *, typ: str, signing_ca: x509.Certificate) -> tuple[dict[str, Any], Chain]:
    compact = parse_compact(jws, typ=typ, signing_cas=(signing_ca,), max_payload_bytes=_MAX_CLAIMS_BYTES)
    chain = compact.header.chain
    findings = list(compact.header.findings)
    if chain.uris != (GATEWAY_URI,):
        what = "the certificate is not the gateway's"
        findings.append(Finding(ErrorCode.KEY_NOT_REGISTERED, "header/x5c", what))
    # The key comes from the message itself, so its signature proves nothing without the chain and the name above.
    key = chain.public_key
    if not isinstance(key, ed25519.Ed25519PublicKey) or compact.header.algorithm != algorithm_of(key):
        findings.append(Finding(ErrorCode.ALGORITHM_NOT_ALLOWED, "header/alg", "the gateway signs with EdDSA"))
    elif not compact.is_signed_by(key, "EdDSA"):
        what = "not the signature of this key"
        findings.append(Finding(ErrorCode.SIGNATURE_INVALID, "signature", what, basis="RFC 7515 5.2"))
    if findings:
        raise GatewayError(findings)
    try:
        return parse_object(compact.payload, max_bytes=_MAX_CLAIMS_BYTES, max_depth=4), chain
    except GatewayError as error:
        raise refuse(ErrorCode.JWS_MALFORMED, "payload", error.findings[0].message) from error


def verify_statement(jws: str, *, typ: str, signing_ca: x509.Certificate, now: datetime | None) -> dict[str, Any]:
    """Verify anything that the gateway signed.

    1. Form and header as for a bundle, with this type. 2. The chain leads to the signing CA. 3. The certificate names
    the gateway and nobody else. 4. The signature is that of its Ed25519 key. 5. The certificate is valid.

    Args:
        jws: compact JWS.
        typ: ``fasttrack-receipt+jws`` or ``fasttrack-reconcile+jws``.
        signing_ca: the trusted CA.
        now: aware time at which the certificate must be valid; None when this is judged elsewhere.

    Returns:
        the claims.

    Raises:
        GatewayError: the codes of ``verify_bundle``; KEY_NOT_REGISTERED when the certificate is not the gateway's.
    """
    claims, chain = _verify(jws, typ=typ, signing_ca=signing_ca)
    findings = [] if now is None else _validity_finding(chain, now)
    if findings:
        raise GatewayError(findings)
    return claims


def _is_batch(claims: Mapping[str, Any]) -> bool:
    """Whether every claim is there and has its form; a batch is not empty and ends where the tree ends."""
    texts = [claims.get(name) for name in ("origin", "batch_root", "root_hash", "recorded_at")]
    first, size = claims.get("first_index"), claims.get("tree_size")
    if len(claims) != len(texts) + 2 or not all(isinstance(text, str) for text in texts):
        return False
    if type(first) is not int or type(size) is not int or not 0 <= first < size <= _MAX_TREE_SIZE:
        return False
    return all(_HASH.fullmatch(claims[name]) for name in ("batch_root", "root_hash"))


def _parse_time(claims: Mapping[str, Any]) -> datetime:
    malformed = refuse(ErrorCode.JWS_MALFORMED, "payload", "not the claims of a receipt")
    if not _is_batch(claims):
        raise malformed
    try:
        recorded_at = datetime.fromisoformat(claims["recorded_at"])
    except ValueError as error:
        raise malformed from error
    if recorded_at.tzinfo is None:
        raise malformed
    return recorded_at


def _index_of(leaf: bytes) -> int:
    """Index that a leaf names; -1, which no tree holds, for anything else."""
    try:
        index = parse_object(leaf, max_bytes=MAX_LEAF_BYTES, max_depth=4).get("index")
    except GatewayError:
        return -1
    return index if type(index) is int else -1


def verify_receipt(receipt: str, *, leaf: bytes, signing_ca: x509.Certificate, now: datetime | None) -> ReceiptClaims:
    """Verify a receipt against the ledger entry that it is for; needs no network and no gateway.

    1. The receipt is a JWS, a tilde and a path. 2. The JWS is the gateway's (``verify_statement``), of the type of
    receipts. 3. Its claims are those of a batch. 4. The certificate was valid. 5. The path leads from the hash of the
    leaf, at the index that the leaf names, to the root of the batch.

    Args:
        receipt: as the gateway gave it.
        leaf: canonical bytes of the ledger entry.
        signing_ca: the trusted CA.
        now: aware time at which the gateway's certificate must be valid; None, years later, takes that of the entry.

    Returns:
        what the receipt says.

    Raises:
        GatewayError: what ``verify_statement`` raises; JWS_MALFORMED when it is no receipt or the claims are not those
            of one; RECORD_DIGEST_MISMATCH when it is the receipt of another entry.

    Source: RFC 6962 section 2.1.
    """
    try:
        jws, path = parse_receipt(receipt)
    except ProofError as error:
        raise refuse(ErrorCode.JWS_MALFORMED, "", str(error)) from error
    claims, chain = _verify(jws, typ=RECEIPT_TYPE, signing_ca=signing_ca)
    recorded_at = _parse_time(claims)
    findings = _validity_finding(chain, recorded_at if now is None else now)
    digest, index = leaf_hash(leaf), _index_of(leaf)
    first, size, batch_root = claims["first_index"], claims["tree_size"], bytes.fromhex(claims["batch_root"])
    try:
        verify_place(digest, index, path, first_index=first, tree_size=size, batch_root=batch_root)
    except ProofError:
        what = "the receipt is for another ledger entry"
        findings.append(Finding(ErrorCode.RECORD_DIGEST_MISMATCH, "path", what, basis="RFC 6962 2.1"))
    if findings:
        raise GatewayError(findings)
    return ReceiptClaims(entry_index=index, leaf_hash=digest.hex(), **claims)
