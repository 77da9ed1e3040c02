"""SM2 with SM3: the published example, a second implementation, and everything that is no key or no signature."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.trust.signing_key import algorithm_of, load_private_key
from gateway.trust.sm2 import (
    Sm2PrivateKey,
    Sm2PublicKey,
    is_sm2_private_key,
    parse_der_signature,
    parse_private_key,
    to_der_signature,
)
from tests.support.pki import MemoryPki, issue

# GM/T 0003.5-2012, annex A.2: the example on the recommended curve, with the default identifier.
EXAMPLE_MESSAGE = b"message digest"
EXAMPLE_PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
EXAMPLE_PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
EXAMPLE_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

KEY = Sm2PrivateKey.generate()
SIGNATURE = KEY.sign(b"text")


def key_from(private: bytes, point: bytes) -> Sm2PrivateKey:
    """A key from its numbers, by way of its PEM."""
    der = KEY.pkcs8.replace(KEY.pkcs8[-65:], b"\x04" + point).replace(KEY.pkcs8[36:68], private)
    return parse_private_key(Sm2PrivateKey(der).to_pem())


def test_sm2_published_example_is_verified() -> None:
    """The signature that the standard prints is right, and not for another message."""
    key = Sm2PublicKey(b"\x04" + EXAMPLE_PUBLIC)
    assert key.is_signed(EXAMPLE_MESSAGE, EXAMPLE_SIGNATURE)
    assert not key.is_signed(EXAMPLE_MESSAGE + b".", EXAMPLE_SIGNATURE)


def test_sm2_published_key_signs_for_itself() -> None:
    """The key that the standard prints is read, and what it signs is its own."""
    key = key_from(EXAMPLE_PRIVATE, EXAMPLE_PUBLIC)
    assert key.public_key() == Sm2PublicKey(b"\x04" + EXAMPLE_PUBLIC)
    assert key.public_key().is_signed(EXAMPLE_MESSAGE, key.sign(EXAMPLE_MESSAGE))


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=5000))
def test_sm2_signature_made_here_is_verified_by_the_other_implementation(message: bytes) -> None:
    """What this library signs, GmSSL accepts, and nothing else."""
    der = to_der_signature(KEY.sign(message))
    assert gmssl_pyx.sm2_verify(KEY.public_key().point[1:], message, der)
    assert not gmssl_pyx.sm2_verify(KEY.public_key().point[1:], message + b"x", der)


@settings(deadline=None, max_examples=50)
@given(st.binary(min_size=1, max_size=5000))
def test_sm2_signature_made_by_the_other_implementation_is_verified_here(message: bytes) -> None:
    """What GmSSL signs with a key of its own, this library accepts, and nothing else."""
    point, private = gmssl_pyx.sm2_key_generate()
    signature = parse_der_signature(gmssl_pyx.sm2_sign(private, point, message))
    public = Sm2PublicKey(b"\x04" + point)
    assert public.is_signed(message, signature)
    assert not public.is_signed(message + b"x", signature)
    assert key_from(private, point).public_key() == public


def test_sm2_signature_under_another_identifier_is_refused() -> None:
    """The identifier is the default one; a signature under another is none."""
    point, private = gmssl_pyx.sm2_key_generate()
    der = gmssl_pyx.sm2_sign(private, point, b"text", b"somebody else 00")
    assert not Sm2PublicKey(b"\x04" + point).is_signed(b"text", parse_der_signature(der))


def test_sm2_certificate_is_accepted_by_the_other_implementation() -> None:
    """The signature of the CA on a certificate is one that GmSSL accepts too."""
    pki = MemoryPki(algorithm="SM2SM3")
    certificate = pki.signer().certificate
    assert isinstance(pki.authority.key, Sm2PrivateKey)
    point = pki.authority.key.public_key().point[1:]
    assert gmssl_pyx.sm2_verify(point, certificate.tbs_certificate_bytes, certificate.signature)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:-1],
        SIGNATURE + b"\0",
        to_der_signature(SIGNATURE),
        bytes(64),
        bytes(32) + SIGNATURE[32:],
        SIGNATURE[:32] + bytes(32),
        b"\xff" * 64,
        ORDER.to_bytes(32, "big") + SIGNATURE[32:],
        SIGNATURE[:32] + ORDER.to_bytes(32, "big"),
        SIGNATURE[:32] + (ORDER - int.from_bytes(SIGNATURE[32:], "big")).to_bytes(32, "big"),
        SIGNATURE[32:] + SIGNATURE[:32],
    ],
    # The bytes are of a new key each time, and two test processes must name their tests alike.
    ids=count(),
)
def test_sm2_what_is_no_signature_is_refused(signature: bytes) -> None:
    """Another length, DER, zero, a number beyond the order, the negative and the exchanged numbers are refused."""
    assert KEY.public_key().is_signed(b"text", SIGNATURE)
    assert not KEY.public_key().is_signed(b"text", signature)


def test_sm2_point_beside_the_curve_verifies_nothing() -> None:
    """A point that does not lie on the curve is refused as a key, and no signature is right under it."""
    beside = Sm2PublicKey(KEY.public_key().point[:-1] + bytes([KEY.public_key().point[-1] ^ 1]))
    assert not beside.is_signed(b"text", SIGNATURE)
    with pytest.raises(ValueError, match="curve"):
        beside.require_usable()


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        KEY.public_key().spki[:-1],
        KEY.public_key().spki + b"\0",
        KEY.public_key().spki.replace(b"\x03\x42\x00\x04", b"\x03\x42\x00\x06"),
        KEY.public_key().spki.replace(bytes.fromhex("2a811ccf5501822d"), bytes.fromhex("2a8648ce3d030107")),
    ],
    # The bytes are of a new key each time, and two test processes must name their tests alike.
    ids=count(),
)
def test_sm2_public_key_of_another_form_is_refused(spki: bytes) -> None:
    """A key is 91 bytes of one form: cut, longer, with a hybrid point or on another curve it is none."""
    with pytest.raises(ValueError, match="SM2 public key"):
        Sm2PublicKey.from_spki(spki)
    assert Sm2PublicKey.from_spki(KEY.public_key().spki) == KEY.public_key()


def test_sm2_private_key_is_read_as_it_was_written() -> None:
    """A key file is read back, by its own reader and by the one for all kinds of keys."""
    assert is_sm2_private_key(KEY.to_pem())
    assert parse_private_key(KEY.to_pem()) == KEY
    assert load_private_key(KEY.to_pem()) == KEY
    assert algorithm_of(KEY) == algorithm_of(KEY.public_key()) == KEY.algorithm == "SM2SM3"
    assert str(KEY.pkcs8) not in repr(KEY)


def test_sm2_private_key_with_the_public_half_of_another_is_refused() -> None:
    """A key whose halves do not belong together would sign what nobody can verify."""
    with pytest.raises(ValueError, match="belong together"):
        key_from(KEY.pkcs8[36:68], EXAMPLE_PUBLIC)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"text",
        b"-----BEGIN PRIVATE KEY-----\n=\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        Sm2PrivateKey(KEY.pkcs8[:-1]).to_pem(),
        Sm2PrivateKey(KEY.pkcs8 + b"\0").to_pem(),
        KEY.to_pem().replace(b"PRIVATE", b"ENCRYPTED PRIVATE"),
    ],
    # The bytes are of a new key each time, and two test processes must name their tests alike.
    ids=count(),
)
def test_sm2_private_key_of_another_form_is_refused(pem: bytes) -> None:
    """A file that is cut, longer, encrypted or no key at all is refused, by both readers."""
    for read in (parse_private_key, load_private_key):
        with pytest.raises(ValueError, match=r".+"):
            read(pem)


def test_load_private_key_of_a_curve_that_signs_nothing_here_is_refused() -> None:
    """A P-384 key is refused when it is read, not when it signs."""
    ca = MemoryPki().authority
    assert algorithm_of(load_private_key(issue(ca, algorithm="ES256").key_pem)) == "ES256"
    other = issue(ca, key=ec.generate_private_key(ec.SECP384R1())).key_pem
    with pytest.raises(ValueError, match="Ed25519, P-256 or SM2"):
        load_private_key(other)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", bytes.fromhex("3006020100020100") + b"\0", b"\x30\x80\0\0"])
def test_sm2_signature_that_is_no_der_is_refused(der: bytes) -> None:
    """Only the one DER of two numbers is read."""
    with pytest.raises(ValueError, match=r".*"):
        parse_der_signature(der)


def test_sm2_signature_with_a_number_that_is_too_long_is_refused() -> None:
    """A number of more than 32 bytes is an error, not cut."""
    long = bytes.fromhex("3026022100") + b"\xff" * 32 + b"\x02\x01\x01"
    assert parse_der_signature(long) == b"\xff" * 32 + bytes(31) + b"\x01"
    with pytest.raises(ValueError, match="two numbers"):
        parse_der_signature(bytes.fromhex("3026022101") + b"\xff" * 32 + b"\x02\x01\x01")


@pytest.mark.usefixtures("no_sm2")
def test_sm2_without_a_library_is_refused_with_its_code_and_never_replaced() -> None:
    """On a machine without SM2 every use of it says so; nothing counts as verified."""
    uses: list[Callable[[], object]] = [
        Sm2PrivateKey.generate,
        KEY.public_key().require_usable,
        lambda: KEY.sign(b"text"),
        lambda: KEY.public_key().is_signed(b"text", SIGNATURE),
        lambda: load_private_key(KEY.to_pem()),
    ]
    for use in uses:
        with pytest.raises(GatewayError) as caught:
            use()
        assert caught.value.code is ErrorCode.ALGORITHM_UNAVAILABLE
