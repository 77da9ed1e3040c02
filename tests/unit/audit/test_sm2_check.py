"""SM2 in plain integers agrees with OpenSSL, with GmSSL and with the standard, and never says yes for want of SM3."""

from __future__ import annotations

import hashlib
from typing import Any

import gmssl_pyx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit import jws_check
from gateway.audit.jws_check import JwsError, UncheckedError, verify_chain, verify_jws
from gateway.audit.sm2_check import is_signed, parse_point, point_of
from gateway.trust.sm2 import Sm2PrivateKey, to_der_signature
from tests.support.pki import NOW, MemoryPki
from tests.unit.trust.test_bundle_signature import PAYLOAD
from tests.unit.trust.test_sm2 import EXAMPLE_MESSAGE, EXAMPLE_PUBLIC, EXAMPLE_SIGNATURE

KEY = Sm2PrivateKey.generate()
POINT = parse_point(KEY.public_key().spki)


def numbers(signature: bytes) -> tuple[int, int]:
    """The numbers r and s."""
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def to_point(octets: bytes) -> tuple[int, int]:
    """A point from x and y."""
    return numbers(octets)


def test_sm2_example_of_the_standard_is_signed() -> None:
    """The example of GM/T 0003.5 verifies, and not for another message or with its numbers exchanged."""
    r, s = numbers(EXAMPLE_SIGNATURE)
    assert is_signed(to_point(EXAMPLE_PUBLIC), EXAMPLE_MESSAGE, r, s)
    assert not is_signed(to_point(EXAMPLE_PUBLIC), EXAMPLE_MESSAGE + b".", r, s)
    assert not is_signed(to_point(EXAMPLE_PUBLIC), EXAMPLE_MESSAGE, s, r)


@settings(deadline=None, max_examples=20)
@given(st.binary(max_size=300))
def test_sm2_signature_of_openssl_and_of_gmssl_is_judged_alike(message: bytes) -> None:
    """All three accept what either signed, and nothing else."""
    assert POINT is not None
    r, s = numbers(KEY.sign(message))
    assert is_signed(POINT, message, r, s) and not is_signed(POINT, message + b"x", r, s)
    octets, private = gmssl_pyx.sm2_key_generate()
    other = decode_dss_signature(gmssl_pyx.sm2_sign(private, octets, message))
    assert is_signed(to_point(octets), message, *other) and not is_signed(POINT, message, *other)
    assert gmssl_pyx.sm2_verify(KEY.public_key().point[1:], message, to_der_signature(KEY.sign(message)))


def test_sm2_numbers_out_of_range_are_no_signature() -> None:
    """Zero, the order itself, and numbers whose sum is the order."""
    assert POINT is not None
    order = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
    r, s = numbers(KEY.sign(b"text"))
    for odd in ((0, s), (r, 0), (r + order, s), (r, s + order), (r, order - r), (-r, s)):
        assert not is_signed(POINT, b"text", *odd)


def test_sm2_key_in_another_form_is_none() -> None:
    """A point off the curve, compressed, of another curve, cut off or too long."""
    spki = KEY.public_key().spki
    beyond = spki[:-32] + bytes([255]) * 32
    for odd in (
        spki[:-1] + bytes([spki[-1] ^ 1]),
        spki[:-1],
        spki + b"\0",
        spki.replace(b"\x82\x2d", b"\x82\x2e"),
        beyond,
    ):
        assert parse_point(odd) is None
    assert point_of(MemoryPki().authority.certificate) is None


@pytest.fixture
def signed() -> tuple[str, tuple[x509.Certificate, ...], tuple[bytes, ...]]:
    """A bundle signature of an SM2 key under an SM2 CA."""
    pki = MemoryPki(algorithm="SM2SM3")
    signer = pki.signer()
    chain = tuple(item.public_bytes(Encoding.DER) for item in signer.chain)
    return signer.sign(PAYLOAD), (pki.authority.certificate,), chain


def test_sm2_bundle_and_chain_verify_without_the_gateway(signed: Any) -> None:
    """What the gateway accepts, the offline check accepts; changed anywhere it does not."""
    jws, cas, chain = signed
    assert verify_jws(jws)[0].algorithm == "SM2SM3"
    assert verify_chain(chain, cas, NOW)
    head, payload, signature = jws.split(".")
    for odd in (f"{head}.{payload[:-4]}AAAA.{signature}", f"{head}.{payload}.{'A' * 86}", f"{head}.{payload}.AAAA"):
        with pytest.raises(JwsError) as caught:
            verify_jws(odd)
        assert not isinstance(caught.value, UncheckedError)
    other = MemoryPki(algorithm="SM2SM3").authority.certificate
    with pytest.raises(JwsError):
        verify_chain(chain, (other,), NOW)
    changed = bytearray(chain[0])
    changed[-1] ^= 1
    with pytest.raises(JwsError):
        verify_chain((bytes(changed), *chain[1:]), cas, NOW)


def test_sm2_without_sm3_cannot_be_told(signed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OpenSSL without SM3 makes neither a yes nor a no."""
    new = hashlib.new

    def without(name: str, data: bytes = b"") -> Any:
        if name == "sm3":
            raise ValueError("unsupported hash type")
        return new(name, data)

    jws, cas, chain = signed
    monkeypatch.setattr(hashlib, "new", without)
    with pytest.raises(UncheckedError):
        jws_check.verify_jws(jws)
    with pytest.raises(UncheckedError):
        verify_chain(chain, cas, NOW)
