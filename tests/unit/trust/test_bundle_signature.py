"""Verifying the signature of a bundle: one test for each thing that can be wrong with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.authority import CLIENT_AUTH, DIGITAL_SIGNATURE, Authority, key_usage
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import parse_agency
from gateway.core.manifest import MAX_MANIFEST_BYTES, parse_manifest
from gateway.trust.jose import MAX_HEADER_CHARACTERS, read_header
from gateway.trust.jws import BUNDLE_TYPE, SignedManifest, sign_bundle, verify_bundle
from gateway.trust.signing_key import algorithm_of
from tests.support.pki import NOW, Issued, MemoryPki, issue

PAYLOAD: dict[str, Any] = {
    "bundle_id": "0195c1d2-7b7e-7a3a-8f00-0000000000a1",
    "sender": "ps:110108",
    "receiver": "pr:110108",
    "kind": "TRANSFER",
    "case_number": "A9990010000002026010001",
    "idempotency_key": "k-1",
    "created_at": "2026-03-02T09:00:00+08:00",
    "native_record": {
        "schema": "police",
        "version": "1.0",
        "encoding": "GB18030",
        "size": 10,
        "sha256": "a" * 64,
        "sm3": "b" * 64,
    },
    "materials": [],
}

PKI = MemoryPki()
SIGNER = PKI.signer()
OTHER_CA = Authority.create("another CA", now=NOW)


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def header_of(issued: Issued, **changes: Any) -> dict[str, Any]:
    """The right header of a signer, with changes; a change to None takes the field out."""
    chain = [certificate.public_bytes(Encoding.DER) for certificate in issued.chain]
    fields = {
        "typ": BUNDLE_TYPE,
        "alg": algorithm_of(issued.key),
        "x5c": [base64.b64encode(der).decode() for der in chain],
        "x5t#S256": encode(hashlib.sha256(chain[0]).digest()),
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def signed(issued: Issued, header: dict[str, Any] | bytes, payload: bytes = b"{}") -> str:
    """Sign whatever header and payload with the right Ed25519 key."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signing_input = f"{encode(head)}.{encode(payload)}"
    return f"{signing_input}.{encode(issued.key.sign(signing_input.encode()))}"  # type: ignore[call-arg]


def verify(jws: str, pki: MemoryPki = PKI, *, after: timedelta = timedelta(0)) -> SignedManifest:
    """Verify at the time of the tests."""
    return verify_bundle(jws, registry=pki.registry, now=NOW + after)


def codes(jws: str, pki: MemoryPki = PKI, *, after: timedelta = timedelta(0)) -> list[ErrorCode]:
    """The codes with which a bundle is refused."""
    with pytest.raises(GatewayError) as caught:
        verify(jws, pki, after=after)
    return [finding.code for finding in caught.value.findings]


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_verify_bundle_right_signature_gives_the_manifest_with_evidence(algorithm: str) -> None:
    """A bundle signed with a registered key is accepted under both algorithms, and the evidence is complete."""
    pki = MemoryPki()
    signer = pki.signer(algorithm=algorithm)
    jws = signer.sign(PAYLOAD)
    result = verify(jws, pki)
    assert result.manifest == parse_manifest(result.payload)
    assert json.loads(result.payload) == PAYLOAD
    assert result.signer == parse_agency("ps:110108")
    assert result.algorithm == algorithm
    assert result.key_id == hashlib.sha256(signer.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert result.jws == jws


def test_verify_bundle_says_whose_key_it_is_not_who_is_named_as_sender() -> None:
    """The signer is the agency of the registered key, whatever the manifest says, so that the caller can compare."""
    pki = MemoryPki()
    assert verify(pki.signer("ct:110108").sign(PAYLOAD), pki).signer == parse_agency("ct:110108")


def test_verify_bundle_chain_through_intermediate_is_accepted() -> None:
    """A leaf below an intermediate CA is accepted when the intermediate travels along."""
    pki = MemoryPki()
    middle = Authority.create("middle", now=NOW, issuer=pki.authority)
    signer = pki.register(issue(middle, intermediates=(middle.certificate,)))
    assert verify(signer.sign(PAYLOAD), pki)
    assert verify(
        sign_bundle(PAYLOAD, private_key=signer.key, certificate_chain=(*signer.chain, pki.authority.certificate)), pki
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda jws: "",
        lambda jws: "..",
        lambda jws: jws.rsplit(".", 1)[0],
        lambda jws: jws + ".AAAA",
        lambda jws: jws + "=",
        lambda jws: jws + "==",
        lambda jws: jws + "é",
        lambda jws: " " + jws,
        lambda jws: jws + "\n",
        lambda jws: jws.replace(".", "+.", 1),
        lambda jws: jws.replace(".", "/.", 1),
        lambda jws: "[]" + jws,
        lambda jws: "A" * (MAX_HEADER_CHARACTERS + 4) + jws[jws.index(".") :],
        lambda jws: jws + "A" * 2000,
    ],
)
def test_verify_bundle_malformed_compact_form_is_refused(change: Callable[[str], str]) -> None:
    """Anything but three strict base64url segments within the limits is malformed."""
    assert codes(change(SIGNER.sign(PAYLOAD))) == [ErrorCode.JWS_MALFORMED]


def test_verify_bundle_second_spelling_of_the_signature_is_refused() -> None:
    """Bits left over in the last character are not ignored, or one signature would have several spellings."""
    jws = SIGNER.sign(PAYLOAD)
    assert len(jws.rsplit(".", 1)[1]) % 4 == 2
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = jws[:-1] + alphabet[alphabet.index(jws[-1]) + 1]
    assert codes(other) == [ErrorCode.JWS_MALFORMED]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{",
        b'{"alg":"EdDSA","alg":"EdDSA"}',
        b'{"x":NaN}',
        b'{"x":' + b"[" * 50 + b"]" * 50 + b"}",
    ],
)
def test_verify_bundle_header_that_is_not_strict_json_is_refused(header: bytes) -> None:
    """A header that two readers could read differently is malformed."""
    assert codes(signed(SIGNER, header)) == [ErrorCode.JWS_MALFORMED]


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": "1"},
        {"jku": "https://example.org/keys"},
        {"jwk": {"kty": "OKP"}},
        {"b64": False},
        {"x5c": None},
        {"x5c": []},
        {"x5c": "text"},
        {"x5c": [1]},
        {"x5c": ["%%%"]},
        {"x5c": ["AAAA"] * 5},
        {"x5t#S256": None},
        {"x5t#S256": 5},
        {"x5t#S256": "A" * 42},
        {"x5t#S256": "A" * 44},
    ],
)
def test_verify_bundle_header_of_other_fields_is_refused(changes: dict[str, Any]) -> None:
    """A header has exactly the four fields in their form; keys that it points to are never fetched."""
    assert codes(signed(SIGNER, header_of(SIGNER, **changes))) == [ErrorCode.JWS_MALFORMED]


@pytest.mark.parametrize("typ", [None, "JWT", "fasttrack-receipt+jws", "FASTTRACK-BUNDLE+JWS", 1])
def test_verify_bundle_other_type_is_refused(typ: object) -> None:
    """A receipt or a token signed with the same key is not a bundle."""
    assert codes(signed(SIGNER, header_of(SIGNER, typ=typ))) == [ErrorCode.JWS_TYPE_WRONG]


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], "x"])
def test_verify_bundle_critical_header_is_refused(crit: object) -> None:
    """No critical extension is understood, so each one is refused."""
    assert codes(signed(SIGNER, header_of(SIGNER, crit=crit))) == [ErrorCode.CRITICAL_HEADER_UNKNOWN]


@pytest.mark.parametrize("alg", [None, "", "none", "None", "HS256", "RS256", "ES384", "Ed25519", 7, ["EdDSA"], {}])
def test_verify_bundle_other_algorithm_is_refused(alg: object) -> None:
    """Only the two algorithms of registered keys are ever used."""
    assert codes(signed(SIGNER, header_of(SIGNER, alg=alg))) == [ErrorCode.ALGORITHM_NOT_ALLOWED]


def test_verify_bundle_unsigned_with_alg_none_is_refused() -> None:
    """The bundle without signature that older libraries accepted is refused."""
    jws = signed(SIGNER, header_of(SIGNER, alg="none"), json.dumps(PAYLOAD).encode())
    assert codes(jws[: jws.rindex(".") + 1]) == [ErrorCode.ALGORITHM_NOT_ALLOWED]


def test_verify_bundle_hmac_with_the_public_key_is_refused() -> None:
    """The public key is not accepted as the secret of an HMAC."""
    secret = SIGNER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing_input = f"{encode(json.dumps(header_of(SIGNER, alg='HS256')).encode())}.{encode(b'{}')}"
    mac = hmac.new(secret, signing_input.encode(), "sha256").digest()
    assert codes(f"{signing_input}.{encode(mac)}") == [ErrorCode.ALGORITHM_NOT_ALLOWED]


def test_verify_bundle_algorithm_of_another_key_kind_is_refused() -> None:
    """An algorithm that is allowed, but is not that of the registered key, is refused before it is tried."""
    assert codes(signed(SIGNER, header_of(SIGNER, alg="ES256"))) == [ErrorCode.ALGORITHM_NOT_ALLOWED]


def test_verify_bundle_all_header_faults_are_named_at_once() -> None:
    """A header with several faults is refused with all of them."""
    assert codes(signed(SIGNER, {"typ": "JWT", "alg": "none", "crit": ["x"]})) == [
        ErrorCode.CRITICAL_HEADER_UNKNOWN,
        ErrorCode.JWS_TYPE_WRONG,
        ErrorCode.ALGORITHM_NOT_ALLOWED,
        ErrorCode.JWS_MALFORMED,
        ErrorCode.JWS_MALFORMED,
    ]


def test_verify_bundle_thumbprint_of_another_certificate_is_refused() -> None:
    """The header cannot name one certificate and bring another."""
    jws = signed(SIGNER, header_of(SIGNER, **{"x5t#S256": "A" * 43}))
    assert codes(jws) == [ErrorCode.THUMBPRINT_MISMATCH]


def test_verify_bundle_unknown_ca_is_refused_even_for_a_registered_key() -> None:
    """Registration alone is not enough: the chain must lead to the signing CA."""
    pki = MemoryPki()
    assert codes(pki.register(issue(OTHER_CA)).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_ca_with_the_same_name_is_refused() -> None:
    """A CA is known by its key, not by its name."""
    pki = MemoryPki()
    double = Authority.create("test signing CA", now=NOW)
    assert codes(pki.register(issue(double)).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_missing_intermediate_is_refused() -> None:
    """The sender brings the intermediates; they are not looked for."""
    pki = MemoryPki()
    middle = Authority.create("middle", now=NOW, issuer=pki.authority)
    assert codes(pki.register(issue(middle)).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_leaf_as_issuer_is_refused() -> None:
    """An ordinary signer cannot issue certificates for others."""
    pki = MemoryPki()
    leaf = pki.signer(algorithm="ES256")
    forged = issue(Authority(leaf.certificate, leaf.key), "pr:110108", intermediates=(leaf.certificate,))
    assert codes(pki.register(forged).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_intermediate_without_the_right_to_issue_is_refused() -> None:
    """An intermediate needs key usage keyCertSign."""
    pki = MemoryPki()
    middle = Authority.create("middle", now=NOW, issuer=pki.authority, usage=key_usage("crl_sign"))
    signer = pki.register(issue(middle, intermediates=(middle.certificate,)))
    assert codes(signer.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_chain_longer_than_a_ca_allows_is_refused() -> None:
    """The path length of every CA is kept."""
    pki = MemoryPki()
    upper = Authority.create("upper", now=NOW, issuer=pki.authority, path_length=0)
    lower = Authority.create("lower", now=NOW, issuer=upper)
    signer = pki.register(issue(lower, intermediates=(lower.certificate, upper.certificate)))
    assert codes(signer.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_chain_longer_than_the_root_allows_is_refused() -> None:
    """The path length of the signing CA itself is kept too."""
    pki = MemoryPki()
    upper = Authority.create("upper", now=NOW, issuer=pki.authority, path_length=None)
    lower = Authority.create("lower", now=NOW, issuer=upper)
    signer = pki.register(issue(lower, intermediates=(lower.certificate, upper.certificate)))
    assert codes(signer.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_good_intermediate_beside_a_forged_leaf_is_refused() -> None:
    """An intermediate that is only brought along, but did not issue the leaf, proves nothing."""
    pki = MemoryPki()
    middle = Authority.create("middle", now=NOW, issuer=pki.authority)
    double = Authority.create("middle", now=NOW)
    forged = pki.register(issue(double, intermediates=(middle.certificate,)))
    assert codes(forged.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_critical_extension_that_is_not_processed_is_refused() -> None:
    """A restriction that this code does not know is not ignored."""
    pki = MemoryPki()
    signer = issue(pki.authority)
    builder = (
        x509.CertificateBuilder(
            issuer_name=pki.authority.certificate.subject,
            subject_name=signer.certificate.subject,
            public_key=signer.key.public_key(),
            serial_number=5,
            not_valid_before=NOW,
            not_valid_after=NOW + timedelta(days=1),
        )
        .add_extension(DIGITAL_SIGNATURE, critical=True)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), critical=True)
    )
    odd = Issued(builder.sign(pki.authority.key, signer.certificate.signature_hash_algorithm), signer.key)
    assert codes(odd.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_certificate_that_is_none_is_refused() -> None:
    """Bytes that are no certificate are refused as a chain."""
    jws = signed(SIGNER, header_of(SIGNER, x5c=["AAAA"]))
    assert codes(jws) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


@pytest.mark.parametrize("after", [timedelta(days=91), timedelta(days=-1)])
def test_verify_bundle_outside_the_validity_is_refused_also_from_the_cache(after: timedelta) -> None:
    """The period of validity is judged at each receipt, although the chain itself is remembered."""
    jws = SIGNER.sign(PAYLOAD)
    assert verify(jws)
    assert codes(jws, after=after) == [ErrorCode.CERTIFICATE_NOT_VALID_NOW]


def test_verify_bundle_expired_intermediate_is_refused() -> None:
    """Every certificate of the chain must be valid, not only the leaf."""
    pki = MemoryPki()
    middle = Authority.create("middle", now=NOW, issuer=pki.authority, validity=timedelta(days=1))
    signer = pki.register(issue(middle, intermediates=(middle.certificate,)))
    assert codes(signer.sign(PAYLOAD), pki, after=timedelta(days=2)) == [ErrorCode.CERTIFICATE_NOT_VALID_NOW]


@pytest.mark.parametrize(
    "options",
    [
        {"usage": None},
        {"usage": key_usage("key_encipherment")},
        {"usage": key_usage("content_commitment")},
        {"usage": key_usage("digital_signature", "key_cert_sign")},
        {"is_ca": True},
        {"extended_usage": [CLIENT_AUTH]},
        {"extended_usage": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]},
    ],
)
def test_verify_bundle_key_for_another_use_is_refused(options: dict[str, Any]) -> None:
    """A key that is certified for TLS, encryption or issuing does not sign documents."""
    pki = MemoryPki()
    assert codes(pki.signer(**options).sign(PAYLOAD), pki) == [ErrorCode.KEY_USAGE_WRONG]


@pytest.mark.parametrize(
    "options",
    [
        {"usage": key_usage("digital_signature", "content_commitment")},
        {"extended_usage": [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")]},
    ],
)
def test_verify_bundle_key_for_document_signing_is_accepted(options: dict[str, Any]) -> None:
    """Content commitment and the extended usage documentSigning do no harm."""
    pki = MemoryPki()
    assert verify(pki.signer(**options).sign(PAYLOAD), pki)


def test_verify_bundle_key_that_is_not_registered_is_refused() -> None:
    """A good certificate of the signing CA is not enough: it must be registered."""
    assert codes(issue(PKI.authority).sign(PAYLOAD)) == [ErrorCode.KEY_NOT_REGISTERED]


def test_verify_bundle_revoked_key_is_refused_at_once() -> None:
    """A revocation counts for the next bundle, although the header was seen before."""
    pki = MemoryPki()
    signer = pki.signer()
    jws = signer.sign(PAYLOAD)
    assert verify(jws, pki)
    pki.revoke(signer)
    assert codes(jws, pki) == [ErrorCode.KEY_REVOKED]


def test_verify_bundle_expired_and_revoked_key_is_refused_with_both() -> None:
    """Independent faults are named at once, a wrong signature with them."""
    pki = MemoryPki()
    signer = pki.signer(extended_usage=[CLIENT_AUTH])
    pki.revoke(signer)
    jws = signed(signer, header_of(signer, **{"x5t#S256": "A" * 43}))
    tampered = jws[: jws.rindex(".") + 1] + "A" * 86
    assert codes(tampered, pki, after=timedelta(days=100)) == [
        ErrorCode.THUMBPRINT_MISMATCH,
        ErrorCode.KEY_USAGE_WRONG,
        ErrorCode.CERTIFICATE_NOT_VALID_NOW,
        ErrorCode.KEY_REVOKED,
        ErrorCode.SIGNATURE_INVALID,
    ]


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 86, "A" * 128])
def test_verify_bundle_signature_of_nobody_is_refused(algorithm: str, signature: str) -> None:
    """An empty, short, zero or long signature is refused."""
    pki = MemoryPki()
    jws = pki.signer(algorithm=algorithm).sign(PAYLOAD)
    assert codes(jws[: jws.rindex(".") + 1] + signature, pki) == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_tampered_payload_is_refused() -> None:
    """A payload that was changed after signing is refused, however well formed."""
    header, _, signature = SIGNER.sign(PAYLOAD).split(".")
    changed = json.dumps({**PAYLOAD, "receiver": "pr:110105"}).encode()
    assert codes(f"{header}.{encode(changed)}.{signature}") == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_tampered_header_is_refused() -> None:
    """A header that was written anew with the same meaning is refused."""
    _, payload, signature = SIGNER.sign(PAYLOAD).split(".")
    header = encode(json.dumps(header_of(SIGNER), indent=1).encode())
    assert codes(f"{header}.{payload}.{signature}") == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_manifest_is_read_only_after_the_signature() -> None:
    """Nothing of an unverified payload reaches the parser; a verified one is judged by it."""
    jws = signed(SIGNER, header_of(SIGNER), b"not json")
    assert codes(jws) == [ErrorCode.MANIFEST_MALFORMED]
    assert codes(jws[:-4] + "AAAA") == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_payload_over_the_limit_is_refused_before_decoding() -> None:
    """A payload over the limit costs nothing."""
    header, _, signature = SIGNER.sign(PAYLOAD).split(".")
    payload = "A" * ((MAX_MANIFEST_BYTES + 1) * 4 // 3 + 1)
    assert codes(f"{header}.{payload}.{signature}") == [ErrorCode.MANIFEST_TOO_LARGE]


def test_verify_bundle_cache_of_headers_is_bounded() -> None:
    """Distinct headers do not fill the memory."""
    assert read_header.cache_info().maxsize == 512


def test_sign_bundle_key_of_another_certificate_is_refused() -> None:
    """A sender finds out at once that key and certificate do not belong together."""
    with pytest.raises(ValueError, match="not that of the certificate"):
        sign_bundle(PAYLOAD, private_key=issue(PKI.authority).key, certificate_chain=SIGNER.chain)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]{0,9}\.[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}", fullmatch=True))
def test_verify_bundle_arbitrary_text_is_refused_with_a_gateway_error(text: str) -> None:
    """Whatever text arrives, it is refused with findings and no other exception."""
    assert codes(text)


VALID = SIGNER.sign(PAYLOAD)


@settings(deadline=None)
@given(st.integers(0, len(VALID) - 1), st.characters(), st.booleans())
def test_verify_bundle_mutated_text_is_refused_with_a_gateway_error(
    place: int, character: str, is_insert: bool
) -> None:
    """A valid bundle with any one character changed or added is refused, with findings and no other exception."""
    mutated = VALID[:place] + character + VALID[place + (not is_insert) :]
    if mutated != VALID:
        assert codes(mutated)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_verify_bundle_mutated_certificate_is_refused_with_a_gateway_error(data: st.DataObject) -> None:
    """A certificate with changed bytes is refused, with findings and no other exception."""
    der = bytearray(SIGNER.certificate.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    changes = {"x5c": [base64.b64encode(der).decode()], "x5t#S256": encode(hashlib.sha256(der).digest())}
    if bytes(der) != SIGNER.certificate.public_bytes(Encoding.DER):
        assert codes(signed(SIGNER, header_of(SIGNER, **changes)))
