"""The layer that calls C: whatever bytes arrive, nothing crashes, nothing leaks and no error is left behind."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.trust import sm2_libcrypto
from gateway.trust.sm2 import Sm2PrivateKey, to_der_signature
from gateway.trust.sm2_libcrypto import Libcrypto, candidates

KEY = Sm2PrivateKey.generate()
SPKI = KEY.public_key().spki
SIGNATURE = to_der_signature(KEY.sign(b"text"))
P256 = ec.generate_private_key(ec.SECP256R1())

_MAKERS = {
    "EVP_MD_CTX_new": "EVP_MD_CTX_free",
    "EVP_PKEY_CTX_new": "EVP_PKEY_CTX_free",
    "EVP_PKEY_CTX_new_from_name": "EVP_PKEY_CTX_free",
    "d2i_PUBKEY": "EVP_PKEY_free",
    "d2i_AutoPrivateKey": "EVP_PKEY_free",
    "EVP_PKEY2PKCS8": "PKCS8_PRIV_KEY_INFO_free",
}


class Counted:
    """The library with every object counted that is made and freed.

    Attributes:
        open: objects that are not freed yet, by the function that frees them.
        library: the library.
    """

    def __init__(self) -> None:
        """Load a library of its own and watch its functions."""
        self.open: Counter[str] = Counter()
        handle = next(candidates())
        self.library = Libcrypto(handle)
        self._peek = handle.ERR_peek_error
        self._peek.restype, self._peek.argtypes = ctypes.c_ulong, ()
        functions = self.library._c
        for name in {*_MAKERS, *_MAKERS.values(), "EVP_PKEY_keygen"}:
            functions[name] = self._watched(name, functions[name])

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            result = function(*arguments)
            if name in _MAKERS:
                self.open[_MAKERS[name]] += bool(result)
            elif name == "EVP_PKEY_keygen":
                self.open["EVP_PKEY_free"] += result == 1
            else:
                self.open[name] -= 1
            return result

        return call

    def assert_clean(self) -> None:
        """Nothing is left in memory, and nothing in the error queue of this thread."""
        assert not any(self.open.values()), self.open
        assert self._peek() == 0


@pytest.fixture(scope="module")
def counted() -> Counted:
    """The watched library."""
    return Counted()


def p256_public() -> bytes:
    """A good key of the wrong kind."""
    return P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_der(key: Any) -> bytes:
    """PKCS #8 of a key of the wrong kind."""
    der: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def test_libcrypto_every_way_through_frees_what_it_made(counted: Counted) -> None:
    """Success and each failure leave no object and no error behind."""
    made = counted.library.generate()
    assert counted.library.is_key_pair(made)
    assert counted.library.verify(SPKI, b"text", SIGNATURE)
    assert not counted.library.verify(SPKI, b"other", SIGNATURE)
    assert not counted.library.verify(SPKI, b"text", b"no DER")
    assert not counted.library.verify(b"no key", b"text", SIGNATURE)
    assert not counted.library.verify(p256_public(), b"text", SIGNATURE)
    assert not counted.library.is_public_key(p256_public())
    assert counted.library.sign(made, b"text")
    for other in (b"no key", private_der(P256), private_der(rsa.generate_private_key(65537, 2048))):
        assert not counted.library.is_key_pair(other)
        with pytest.raises(ValueError, match="private key"):
            counted.library.sign(other, b"text")
    counted.assert_clean()


def mutated(valid: bytes) -> st.SearchStrategy[bytes]:
    """Random bytes, and the valid bytes with some of them changed, taken out or added."""
    places = st.integers(0, len(valid))
    change = st.tuples(places, places, st.binary(max_size=8))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        result = valid
        for start, skipped, new in changes:
            result = result[:start] + new + result[start + skipped % 4 :]
        return result

    return st.one_of(st.binary(max_size=300), st.lists(change, min_size=1, max_size=4).map(apply))


@settings(deadline=None, max_examples=300)
@given(spki=mutated(SPKI), signature=mutated(SIGNATURE))
def test_libcrypto_random_public_keys_and_signatures_never_crash_the_process(
    counted: Counted, spki: bytes, signature: bytes
) -> None:
    """Any bytes as key or as signature are no key and no signature, unless they are the right ones."""
    assert counted.library.verify(SPKI, b"text", signature) == (signature == SIGNATURE)
    if counted.library.verify(spki, b"text", SIGNATURE):
        assert spki[: len(SPKI)] == SPKI
    counted.assert_clean()


@settings(deadline=None, max_examples=300)
@given(mutated(KEY.pkcs8))
def test_libcrypto_random_private_keys_never_crash_the_process(counted: Counted, pkcs8: bytes) -> None:
    """Any bytes as private key are refused, or sign as the key that they are."""
    if counted.library.is_key_pair(pkcs8):
        assert counted.library.sign(pkcs8, b"text")
    counted.assert_clean()


def test_libcrypto_many_threads_do_not_disturb_each_other() -> None:
    """The interpreter lock is released in C, so signatures are made and verified truly at once."""
    messages = [bytes([number]) * 100 for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(KEY.sign, messages))
        assert all(pool.map(KEY.public_key().is_signed, messages, signatures))
        assert not any(pool.map(KEY.public_key().is_signed, messages, signatures[1:]))


class Old:
    """A library that has every function, but is of OpenSSL 1.1.1."""

    def __getattr__(self, name: str) -> Callable[..., int]:
        def call(*_: object) -> int:
            return 0x1010117F

        return call


def test_libcrypto_older_than_three_is_refused() -> None:
    """OpenSSL 1.1.1 has SM2 too, with other rules; it is not used."""
    with pytest.raises(ValueError, match=r"3\.0"):
        Libcrypto(Old())  # type: ignore[arg-type]


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Any]], None]]:
    """Say which libraries this machine has."""

    def has(libraries: list[Any]) -> None:
        monkeypatch.setattr(sm2_libcrypto, "candidates", lambda: iter(libraries))

    sm2_libcrypto.find_library.cache_clear()
    yield has
    sm2_libcrypto.find_library.cache_clear()


def test_library_that_cannot_is_passed_over_for_one_that_can(search: Callable[[list[Any]], None]) -> None:
    """A library that is too old or lacks a function is not the end of the search."""
    search([Old(), object(), next(candidates())])
    assert sm2_libcrypto.library().verify(SPKI, b"text", SIGNATURE)


def test_library_that_is_nowhere_is_an_error_with_its_code(search: Callable[[list[Any]], None]) -> None:
    """Without a library there is an error that says what is needed."""
    search([Old()])
    with pytest.raises(GatewayError) as caught:
        sm2_libcrypto.library()
    assert caught.value.code is ErrorCode.ALGORITHM_UNAVAILABLE
    assert "OpenSSL 3.0" in caught.value.findings[0].message
