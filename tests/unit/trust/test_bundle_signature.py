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
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.authority import CLIENT_AUTH, Authority, key_usage
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import parse_agency
from gateway.core.manifest import MAX_MANIFEST_BYTES, parse_manifest
from gateway.trust.jose import MAX_HEADER_CHARACTERS, read_header
from gateway.trust.jws import BUNDLE_TYPE, SignedManifest, sign_bundle, verify_bundle
from gateway.trust.signing_key import algorithm_of
from gateway.trust.sm2 import Sm2PrivateKey, Sm2PublicKey
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

ALGORITHMS = ("EdDSA", "ES256", "SM2SM3")
Steady = tuple[MemoryPki, Issued, str]


@pytest.fixture(scope="module", params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest) -> str:
    """The kind of signing key; every test of this file holds for each kind."""
    return str(request.param)


@pytest.fixture
def pki(algorithm: str) -> MemoryPki:
    """A new CA with nobody registered; for SM2 the CA is SM2 too."""
    return MemoryPki(algorithm=algorithm)


@pytest.fixture
def signer(pki: MemoryPki) -> Issued:
    """A registered signer."""
    return pki.signer()


@pytest.fixture(scope="module")
def steady(algorithm: str) -> Steady:
    """A CA, a signer and a bundle that stay the same while many inputs are tried."""
    pki = MemoryPki(algorithm=algorithm)
    signer = pki.signer()
    return pki, signer, signer.sign(PAYLOAD)


def authority(pki: MemoryPki, name: str, **options: Any) -> Authority:
    """Make a CA of the same kind as the trusted one."""
    return Authority.create(name, **{"now": NOW, "algorithm": pki.ca_algorithm, **options})


def issued_by(pki: MemoryPki, ca: Authority, agency: str = "ps:110108", **options: Any) -> Issued:
    """Issue a signing certificate of this kind, registered nowhere."""
    return issue(ca, agency, **{"algorithm": pki.algorithm, **options})


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


def raw_signature(key: object, message: bytes) -> bytes:
    """Sign with the key of a signer; 64 bytes with each kind."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert isinstance(key, Ed25519PrivateKey | Sm2PrivateKey)
    return key.sign(message)


def pem_of(key: object) -> bytes:
    """The public key as an attacker finds it."""
    if isinstance(key, Sm2PublicKey):
        return b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(key.spki) + b"\n-----END PUBLIC KEY-----\n"
    assert isinstance(key, Ed25519PublicKey | ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed(issued: Issued, header: dict[str, Any] | bytes, payload: bytes = b"{}") -> str:
    """Sign whatever header and payload with the right key."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signing_input = f"{encode(head)}.{encode(payload)}"
    return f"{signing_input}.{encode(raw_signature(issued.key, signing_input.encode()))}"


def verify(jws: str, pki: MemoryPki, *, after: timedelta = timedelta(0)) -> SignedManifest:
    """Verify at the time of the tests."""
    return verify_bundle(jws, registry=pki.registry, now=NOW + after)


def codes(jws: str, pki: MemoryPki, *, after: timedelta = timedelta(0)) -> list[ErrorCode]:
    """The codes with which a bundle is refused."""
    with pytest.raises(GatewayError) as caught:
        verify(jws, pki, after=after)
    return [finding.code for finding in caught.value.findings]


def test_verify_bundle_right_signature_gives_the_manifest_with_evidence(pki: MemoryPki, algorithm: str) -> None:
    """A bundle signed with a registered key is accepted under every algorithm, and the evidence is complete."""
    signer = pki.signer()
    jws = signer.sign(PAYLOAD)
    result = verify(jws, pki)
    assert result.manifest == parse_manifest(result.payload)
    assert json.loads(result.payload) == PAYLOAD
    assert result.signer == parse_agency("ps:110108")
    assert result.algorithm == algorithm
    assert result.key_id == hashlib.sha256(signer.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert result.jws == jws


def test_verify_bundle_says_whose_key_it_is_not_who_is_named_as_sender(pki: MemoryPki) -> None:
    """The signer is the agency of the registered key, whatever the manifest says, so that the caller can compare."""
    assert verify(pki.signer("ct:110108").sign(PAYLOAD), pki).signer == parse_agency("ct:110108")


def test_verify_bundle_chain_through_intermediate_is_accepted(pki: MemoryPki) -> None:
    """A leaf below an intermediate CA is accepted when the intermediate travels along."""
    middle = authority(pki, "middle", issuer=pki.authority)
    signer = pki.register(issued_by(pki, middle, intermediates=(middle.certificate,)))
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
def test_verify_bundle_malformed_compact_form_is_refused(
    pki: MemoryPki, signer: Issued, change: Callable[[str], str]
) -> None:
    """Anything but three strict base64url segments within the limits is malformed."""
    assert codes(change(signer.sign(PAYLOAD)), pki) == [ErrorCode.JWS_MALFORMED]


def test_verify_bundle_second_spelling_of_the_signature_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """Bits left over in the last character are not ignored, or one signature would have several spellings."""
    jws = signer.sign(PAYLOAD)
    assert len(jws.rsplit(".", 1)[1]) % 4 == 2
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = jws[:-1] + alphabet[alphabet.index(jws[-1]) + 1]
    assert codes(other, pki) == [ErrorCode.JWS_MALFORMED]


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
def test_verify_bundle_header_that_is_not_strict_json_is_refused(pki: MemoryPki, signer: Issued, header: bytes) -> None:
    """A header that two readers could read differently is malformed."""
    assert codes(signed(signer, header), pki) == [ErrorCode.JWS_MALFORMED]


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
def test_verify_bundle_header_of_other_fields_is_refused(
    pki: MemoryPki, signer: Issued, changes: dict[str, Any]
) -> None:
    """A header has exactly the four fields in their form; keys that it points to are never fetched."""
    assert codes(signed(signer, header_of(signer, **changes)), pki) == [ErrorCode.JWS_MALFORMED]


@pytest.mark.parametrize("typ", [None, "JWT", "fasttrack-receipt+jws", "FASTTRACK-BUNDLE+JWS", 1])
def test_verify_bundle_other_type_is_refused(pki: MemoryPki, signer: Issued, typ: object) -> None:
    """A receipt or a token signed with the same key is not a bundle."""
    assert codes(signed(signer, header_of(signer, typ=typ)), pki) == [ErrorCode.JWS_TYPE_WRONG]


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], "x"])
def test_verify_bundle_critical_header_is_refused(pki: MemoryPki, signer: Issued, crit: object) -> None:
    """No critical extension is understood, so each one is refused."""
    assert codes(signed(signer, header_of(signer, crit=crit)), pki) == [ErrorCode.CRITICAL_HEADER_UNKNOWN]


@pytest.mark.parametrize(
    "alg", [None, "", "none", "None", "HS256", "RS256", "ES384", "Ed25519", "SM2", "sm2sm3", 7, ["EdDSA"], {}]
)
def test_verify_bundle_other_algorithm_is_refused(pki: MemoryPki, signer: Issued, alg: object) -> None:
    """Only the three algorithms of registered keys are ever used."""
    assert codes(signed(signer, header_of(signer, alg=alg)), pki) == [ErrorCode.ALGORITHM_NOT_ALLOWED]


def test_verify_bundle_unsigned_with_alg_none_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """The bundle without signature that older libraries accepted is refused."""
    jws = signed(signer, header_of(signer, alg="none"), json.dumps(PAYLOAD).encode())
    assert codes(jws[: jws.rindex(".") + 1], pki) == [ErrorCode.ALGORITHM_NOT_ALLOWED]


def test_verify_bundle_hmac_with_the_public_key_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """The public key is not accepted as the secret of an HMAC."""
    secret = pem_of(signer.key.public_key())
    signing_input = f"{encode(json.dumps(header_of(signer, alg='HS256')).encode())}.{encode(b'{}')}"
    mac = hmac.new(secret, signing_input.encode(), "sha256").digest()
    assert codes(f"{signing_input}.{encode(mac)}", pki) == [ErrorCode.ALGORITHM_NOT_ALLOWED]


@pytest.mark.parametrize("other", ALGORITHMS)
def test_verify_bundle_algorithm_of_another_key_kind_is_refused(
    pki: MemoryPki, signer: Issued, algorithm: str, other: str
) -> None:
    """An algorithm that is allowed, but is not that of the registered key, is refused before it is tried."""
    expected = ErrorCode.MANIFEST_FIELD_MISSING if other == algorithm else ErrorCode.ALGORITHM_NOT_ALLOWED
    assert expected in codes(signed(signer, header_of(signer, alg=other)), pki)


def test_verify_bundle_all_header_faults_are_named_at_once(pki: MemoryPki, signer: Issued) -> None:
    """A header with several faults is refused with all of them."""
    assert codes(signed(signer, {"typ": "JWT", "alg": "none", "crit": ["x"]}), pki) == [
        ErrorCode.CRITICAL_HEADER_UNKNOWN,
        ErrorCode.JWS_TYPE_WRONG,
        ErrorCode.ALGORITHM_NOT_ALLOWED,
        ErrorCode.JWS_MALFORMED,
        ErrorCode.JWS_MALFORMED,
    ]


def test_verify_bundle_thumbprint_of_another_certificate_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """The header cannot name one certificate and bring another."""
    jws = signed(signer, header_of(signer, **{"x5t#S256": "A" * 43}))
    assert codes(jws, pki) == [ErrorCode.THUMBPRINT_MISMATCH]


def test_verify_bundle_unknown_ca_is_refused_even_for_a_registered_key(pki: MemoryPki) -> None:
    """Registration alone is not enough: the chain must lead to the signing CA."""
    assert codes(pki.register(issued_by(pki, authority(pki, "another CA"))).sign(PAYLOAD), pki) == [
        ErrorCode.CERTIFICATE_CHAIN_INVALID
    ]


def test_verify_bundle_ca_with_the_same_name_is_refused(pki: MemoryPki) -> None:
    """A CA is known by its key, not by its name."""
    double = authority(pki, "test signing CA")
    assert codes(pki.register(issued_by(pki, double)).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_missing_intermediate_is_refused(pki: MemoryPki) -> None:
    """The sender brings the intermediates; they are not looked for."""
    middle = authority(pki, "middle", issuer=pki.authority)
    assert codes(pki.register(issued_by(pki, middle)).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_leaf_as_issuer_is_refused(pki: MemoryPki) -> None:
    """An ordinary signer cannot issue certificates for others."""
    leaf = pki.signer()
    forged = issued_by(pki, Authority(leaf.certificate, leaf.key), "pr:110108", intermediates=(leaf.certificate,))
    assert codes(pki.register(forged).sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_intermediate_without_the_right_to_issue_is_refused(pki: MemoryPki) -> None:
    """An intermediate needs key usage keyCertSign."""
    middle = authority(pki, "middle", issuer=pki.authority, usage=key_usage("crl_sign"))
    signer = pki.register(issued_by(pki, middle, intermediates=(middle.certificate,)))
    assert codes(signer.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_chain_longer_than_a_ca_allows_is_refused(pki: MemoryPki) -> None:
    """The path length of every CA is kept."""
    upper = authority(pki, "upper", issuer=pki.authority, path_length=0)
    lower = authority(pki, "lower", issuer=upper)
    signer = pki.register(issued_by(pki, lower, intermediates=(lower.certificate, upper.certificate)))
    assert codes(signer.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_chain_longer_than_the_root_allows_is_refused(pki: MemoryPki) -> None:
    """The path length of the signing CA itself is kept too."""
    upper = authority(pki, "upper", issuer=pki.authority, path_length=None)
    lower = authority(pki, "lower", issuer=upper)
    signer = pki.register(issued_by(pki, lower, intermediates=(lower.certificate, upper.certificate)))
    assert codes(signer.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_good_intermediate_beside_a_forged_leaf_is_refused(pki: MemoryPki) -> None:
    """An intermediate that is only brought along, but did not issue the leaf, proves nothing."""
    middle = authority(pki, "middle", issuer=pki.authority)
    double = authority(pki, "middle")
    forged = pki.register(issued_by(pki, double, intermediates=(middle.certificate,)))
    assert codes(forged.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_critical_extension_that_is_not_processed_is_refused(pki: MemoryPki) -> None:
    """A restriction that this code does not know is not ignored."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    odd = issued_by(pki, pki.authority, critical=[unknown])
    assert codes(odd.sign(PAYLOAD), pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_verify_bundle_certificate_that_is_none_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """Bytes that are no certificate are refused as a chain."""
    jws = signed(signer, header_of(signer, x5c=["AAAA"]))
    assert codes(jws, pki) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


@pytest.mark.parametrize("after", [timedelta(days=91), timedelta(days=-1)])
def test_verify_bundle_outside_the_validity_is_refused_also_from_the_cache(
    pki: MemoryPki, signer: Issued, after: timedelta
) -> None:
    """The period of validity is judged at each receipt, although the chain itself is remembered."""
    jws = signer.sign(PAYLOAD)
    assert verify(jws, pki)
    assert codes(jws, pki, after=after) == [ErrorCode.CERTIFICATE_NOT_VALID_NOW]


def test_verify_bundle_expired_intermediate_is_refused(pki: MemoryPki) -> None:
    """Every certificate of the chain must be valid, not only the leaf."""
    middle = authority(pki, "middle", issuer=pki.authority, validity=timedelta(days=1))
    signer = pki.register(issued_by(pki, middle, intermediates=(middle.certificate,)))
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
def test_verify_bundle_key_for_another_use_is_refused(pki: MemoryPki, options: dict[str, Any]) -> None:
    """A key that is certified for TLS, encryption or issuing does not sign documents."""
    assert codes(pki.signer(**options).sign(PAYLOAD), pki) == [ErrorCode.KEY_USAGE_WRONG]


@pytest.mark.parametrize(
    "options",
    [
        {"usage": key_usage("digital_signature", "content_commitment")},
        {"extended_usage": [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")]},
    ],
)
def test_verify_bundle_key_for_document_signing_is_accepted(pki: MemoryPki, options: dict[str, Any]) -> None:
    """Content commitment and the extended usage documentSigning do no harm."""
    assert verify(pki.signer(**options).sign(PAYLOAD), pki)


def test_verify_bundle_key_that_is_not_registered_is_refused(pki: MemoryPki) -> None:
    """A good certificate of the signing CA is not enough: it must be registered."""
    assert codes(issued_by(pki, pki.authority).sign(PAYLOAD), pki) == [ErrorCode.KEY_NOT_REGISTERED]


def test_verify_bundle_revoked_key_is_refused_at_once(pki: MemoryPki) -> None:
    """A revocation counts for the next bundle, although the header was seen before."""
    signer = pki.signer()
    jws = signer.sign(PAYLOAD)
    assert verify(jws, pki)
    pki.revoke(signer)
    assert codes(jws, pki) == [ErrorCode.KEY_REVOKED]


def test_verify_bundle_expired_and_revoked_key_is_refused_with_both(pki: MemoryPki) -> None:
    """Independent faults are named at once, a wrong signature with them."""
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


@pytest.mark.parametrize("signature", ["", "AAAA", "A" * 86, "_" * 85 + "w", "A" * 128])
def test_verify_bundle_signature_of_nobody_is_refused(pki: MemoryPki, signature: str) -> None:
    """An empty, short, zero or long signature is refused."""
    jws = pki.signer().sign(PAYLOAD)
    assert codes(jws[: jws.rindex(".") + 1] + signature, pki) == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_tampered_payload_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """A payload that was changed after signing is refused, however well formed."""
    header, _, signature = signer.sign(PAYLOAD).split(".")
    changed = json.dumps({**PAYLOAD, "receiver": "pr:110105"}).encode()
    assert codes(f"{header}.{encode(changed)}.{signature}", pki) == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_tampered_header_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """A header that was written anew with the same meaning is refused."""
    _, payload, signature = signer.sign(PAYLOAD).split(".")
    header = encode(json.dumps(header_of(signer), indent=1).encode())
    assert codes(f"{header}.{payload}.{signature}", pki) == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_manifest_is_read_only_after_the_signature(pki: MemoryPki, signer: Issued) -> None:
    """Nothing of an unverified payload reaches the parser; a verified one is judged by it."""
    jws = signed(signer, header_of(signer), b"not json")
    assert codes(jws, pki) == [ErrorCode.MANIFEST_MALFORMED]
    assert codes(jws[:-4] + "AAAA", pki) == [ErrorCode.SIGNATURE_INVALID]


def test_verify_bundle_payload_over_the_limit_is_refused_before_decoding(pki: MemoryPki, signer: Issued) -> None:
    """A payload over the limit costs nothing."""
    header, _, signature = signer.sign(PAYLOAD).split(".")
    payload = "A" * ((MAX_MANIFEST_BYTES + 1) * 4 // 3 + 1)
    assert codes(f"{header}.{payload}.{signature}", pki) == [ErrorCode.MANIFEST_TOO_LARGE]


def test_verify_bundle_cache_of_headers_is_bounded() -> None:
    """Distinct headers do not fill the memory."""
    assert read_header.cache_info().maxsize == 512


def test_sign_bundle_key_of_another_certificate_is_refused(pki: MemoryPki, signer: Issued) -> None:
    """A sender finds out at once that key and certificate do not belong together."""
    with pytest.raises(ValueError, match="not that of the certificate"):
        sign_bundle(PAYLOAD, private_key=issued_by(pki, pki.authority).key, certificate_chain=signer.chain)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]{0,9}\.[A-Za-z0-9_-]{0,9}\.[A-Za-z0-9_-]{0,9}", fullmatch=True))
def test_verify_bundle_arbitrary_text_is_refused_with_a_gateway_error(steady: Steady, text: str) -> None:
    """Whatever text arrives, it is refused with findings and no other exception."""
    assert codes(text, steady[0])


@settings(deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.characters(), st.booleans())
def test_verify_bundle_mutated_text_is_refused_with_a_gateway_error(
    steady: Steady, where: float, character: str, is_insert: bool
) -> None:
    """A valid bundle with any one character changed or added is refused, with findings and no other exception."""
    pki, valid = steady[0], steady[2]
    place = int(where * len(valid))
    mutated = valid[:place] + character + valid[place + (not is_insert) :]
    if mutated != valid:
        assert codes(mutated, pki)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_verify_bundle_mutated_certificate_is_refused_with_a_gateway_error(steady: Steady, data: st.DataObject) -> None:
    """A certificate with changed bytes is refused, with findings and no other exception."""
    pki, signer, _ = steady
    der = bytearray(signer.certificate.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    changes = {"x5c": [base64.b64encode(der).decode()], "x5t#S256": encode(hashlib.sha256(der).digest())}
    if bytes(der) != signer.certificate.public_bytes(Encoding.DER):
        assert codes(signed(signer, header_of(signer, **changes)), pki)
