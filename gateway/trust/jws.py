"""The signature of a bundle or statement: verifying it at receipt, and making it on the side of the sender.

``alg`` is believed only if it is the algorithm of the signer's *registered* key: a header that an attacker writes must
not choose how it is verified (``none``, or HMAC keyed with a public key).

Source: RFC 7515; RFC 8725 sections 3.1, 3.2 and 3.11; RFC 8037; GM/T 0003 and GM/T 0009 (SM2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.identity import Agency
from gateway.core.manifest import MAX_MANIFEST_BYTES, Manifest, parse_manifest
from gateway.core.statement import MAX_STATEMENT_BYTES, Statement, as_statement_error, parse_statement
from gateway.trust.jose import Compact, parse_compact, sign_compact
from gateway.trust.signer_registry import SignerKey, SignerRegistry
from gateway.trust.signing_key import PrivateKey, SigningKey

BUNDLE_TYPE: Final = "fasttrack-bundle+jws"
STATEMENT_TYPE: Final = "fasttrack-statement+jws"


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest whose signature was verified, with the evidence.

    Args:
        manifest: what was signed.
        payload: the signed bytes.
        signer: agency to which the key is registered; whether it is caller and sender is judged elsewhere.
        key_id: SHA-256 of the signing certificate, 64 lower-case hexadecimal digits.
        public_key_sha256: SHA-256 of its public key (SubjectPublicKeyInfo), 64 lower-case hexadecimal digits.
        algorithm: ``EdDSA``, ``ES256`` or ``SM2SM3``.
        jws: the compact JWS as received.
    """

    manifest: Manifest
    payload: bytes
    signer: Agency
    key_id: str
    public_key_sha256: str
    algorithm: str
    jws: str


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement of an agency whose signature was verified, with the evidence; fields as in ``SignedManifest``.

    Args:
        statement: what was signed.
        payload: the signed bytes.
        signer: agency to which the key is registered.
        key_id: SHA-256 of the signing certificate, 64 lower-case hexadecimal digits.
        public_key_sha256: SHA-256 of its public key (SubjectPublicKeyInfo), 64 lower-case hexadecimal digits.
        algorithm: ``EdDSA``, ``ES256`` or ``SM2SM3``.
        jws: the compact JWS as received.
    """

    statement: Statement
    payload: bytes
    signer: Agency
    key_id: str
    public_key_sha256: str
    algorithm: str
    jws: str


def _signature_findings(compact: Compact, key: SignerKey) -> list[Finding]:
    if compact.header.algorithm != key.algorithm:
        what = f"the registered key is for {key.algorithm}"
        return [Finding(ErrorCode.ALGORITHM_NOT_ALLOWED, "header/alg", what, basis="RFC 8725 3.1")]
    if not compact.is_signed_by(key.public_key, key.algorithm):
        return [
            Finding(ErrorCode.SIGNATURE_INVALID, "signature", "not the signature of this key", basis="RFC 7515 5.2")
        ]
    return []


def verify_bundle(jws: str, *, registry: SignerRegistry, now: datetime, is_recorded: bool = False) -> SignedManifest:
    """Verify the signature of a bundle and read its manifest.

    1. Three strict base64url segments within the size limits.
    2. A header of exactly ``typ``, ``alg``, ``x5c``, ``x5t#S256``: type of a bundle, allowed algorithm, no ``crit``.
    3. ``x5t#S256`` is the thumbprint of the first certificate of ``x5c``.
    4. The chain leads to the signing CA, and the leaf may sign documents.
    5. Every certificate of it is valid now.
    6. The leaf is not revoked, and is registered.
    7. ``alg`` is the algorithm of the registered key, and the signature is its signature.
    8. Only then the payload is read as a manifest.

    Steps 1 and 2 each end the verification; what is wrong in steps 3 to 7 is reported together; step 8 is by itself.

    Args:
        jws: compact JWS, at most 512 KiB of payload.
        registry: CAs, registered keys and revocations.
        now: aware time of receipt.
        is_recorded: leaves the revocation out of step 6, for a bundle that the ledger took before the key was revoked;
            the caller must then find it there.

    Returns:
        the manifest with the evidence.

    Raises:
        GatewayError: (1) JWS_MALFORMED, MANIFEST_TOO_LARGE; (2) CRITICAL_HEADER_UNKNOWN, JWS_TYPE_WRONG,
            ALGORITHM_NOT_ALLOWED, JWS_MALFORMED; (3) THUMBPRINT_MISMATCH; (4) CERTIFICATE_CHAIN_INVALID,
            KEY_USAGE_WRONG; (5) CERTIFICATE_NOT_VALID_NOW; (6) KEY_REVOKED, KEY_NOT_REGISTERED;
            (4) and (7) ALGORITHM_UNAVAILABLE by itself, when SM2 is needed and this machine cannot do it;
            (7) ALGORITHM_NOT_ALLOWED, SIGNATURE_INVALID; (8) what ``parse_manifest`` raises.
    """
    compact, key = _verified(jws, BUNDLE_TYPE, MAX_MANIFEST_BYTES, registry, now, is_recorded=is_recorded)
    # 8
    return SignedManifest(
        manifest=parse_manifest(compact.payload),
        payload=compact.payload,
        signer=key.agency,
        key_id=key.key_id,
        public_key_sha256=key.public_key_sha256,
        algorithm=key.algorithm,
        jws=jws,
    )


def verify_stated(jws: str, *, registry: SignerRegistry, now: datetime, is_recorded: bool = False) -> SignedStatement:
    """Verify the signature of an agency's statement and read it; the steps are those of ``verify_bundle``.

    Args:
        jws: compact JWS, at most 512 KiB of payload.
        registry: CAs, registered keys and revocations.
        now: aware time of receipt.
        is_recorded: see ``verify_bundle``.

    Returns:
        the statement with the evidence.

    Raises:
        GatewayError: see ``verify_bundle``, with STATEMENT_TOO_LARGE in (1); (8) what ``parse_statement`` raises.
    """
    try:
        compact, key = _verified(jws, STATEMENT_TYPE, MAX_STATEMENT_BYTES, registry, now, is_recorded=is_recorded)
    except GatewayError as error:
        raise as_statement_error(error) from error
    return SignedStatement(
        statement=parse_statement(compact.payload),
        payload=compact.payload,
        signer=key.agency,
        key_id=key.key_id,
        public_key_sha256=key.public_key_sha256,
        algorithm=key.algorithm,
        jws=jws,
    )


def _verified(
    jws: str, typ: str, most_bytes: int, registry: SignerRegistry, now: datetime, *, is_recorded: bool
) -> tuple[Compact, SignerKey]:
    """Steps 1 to 7."""
    # 1 to 4; steps 2 to 4 come from a cache when this header was seen before.
    compact = parse_compact(jws, typ=typ, signing_cas=registry.signing_cas, max_payload_bytes=most_bytes)
    chain = compact.header.chain
    findings = list(compact.header.findings)
    # 5
    if not chain.is_valid_at(now):
        what = "a certificate is expired or not valid yet"
        findings.append(Finding(ErrorCode.CERTIFICATE_NOT_VALID_NOW, "header/x5c", what, basis="RFC 5280 6.1.3"))
    # 6
    key = registry.registered.get(chain.key_id)
    if chain.key_id in registry.revoked and not is_recorded:
        findings.append(Finding(ErrorCode.KEY_REVOKED, "header/x5c", "the signing key was revoked"))
    elif key is None:
        findings.append(
            Finding(ErrorCode.KEY_NOT_REGISTERED, "header/x5c", "the signing certificate is not registered")
        )
    # 7
    if key is not None:
        findings += _signature_findings(compact, key)
    if findings or key is None:
        raise GatewayError(findings)
    return compact, key


def sign_statement(
    payload: Mapping[str, Any],
    *,
    private_key: PrivateKey | SigningKey,
    certificate_chain: Sequence[x509.Certificate],
) -> str:
    """Sign a statement as its issuer; see ``sign_bundle``.

    Args:
        payload: the statement as ``to_payload`` writes it.
        private_key: Ed25519, P-256 or SM2, or any key that signs by itself.
        certificate_chain: certificate of the key, then intermediates; the CA is left out.

    Returns:
        the compact JWS that ``verify_stated`` reads.

    Raises:
        ValueError: the key is of another kind, or is not the key of the first certificate.
    """
    return sign_compact(payload, typ=STATEMENT_TYPE, private_key=private_key, certificate_chain=certificate_chain)


def sign_bundle(
    payload: Mapping[str, Any],
    *,
    private_key: PrivateKey | SigningKey,
    certificate_chain: Sequence[x509.Certificate],
) -> str:
    """Sign a manifest as its sender.

    Args:
        payload: the manifest as ``to_payload`` writes it.
        private_key: Ed25519, P-256 or SM2, or any key that signs by itself.
        certificate_chain: certificate of the key, then intermediates; the CA is left out.

    Returns:
        the compact JWS that ``verify_bundle`` reads.

    Raises:
        ValueError: the key is of another kind, or is not the key of the first certificate.
    """
    return sign_compact(payload, typ=BUNDLE_TYPE, private_key=private_key, certificate_chain=certificate_chain)
