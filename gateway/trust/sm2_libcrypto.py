"""The few functions of OpenSSL's libcrypto that SM2 needs, called through ctypes.

Everything that touches memory of C is in this module. Its rules: every function has its argument and result types
declared, because ctypes would cut a pointer to 32 bits otherwise; every object is freed by the block that made it; the
error queue of the thread is emptied on the way out, because the TLS of this process would report what is left in it;
no bytes of a caller reach C before their length and form were checked in Python.

Source: OpenSSL 3.0 manual pages EVP_PKEY-SM2(7), EVP_DigestVerifyInit(3), d2i_X509(3).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ctypes import POINTER, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import lru_cache
from typing import Any, Final

from gateway.core.errors import ErrorCode, GatewayError, refuse

SIGNER_ID: Final = b"1234567812345678"
"""Default distinguishing identifier of a signer (GM/T 0009-2012, section 10)."""

_MIN_VERSION: Final = 0x30000000
_MAX_SIGNATURE_BYTES: Final = 80
_MAX_PKCS8_BYTES: Final = 1024

# Name, result, arguments. c_void_p stands for every object of C, of which nothing but the address is ever used.
_FUNCTIONS: Final[tuple[tuple[str, Any, tuple[Any, ...]], ...]] = (
    ("OpenSSL_version_num", c_ulong, ()),
    ("ERR_clear_error", None, ()),
    ("EVP_sm3", c_void_p, ()),
    ("EVP_MD_CTX_new", c_void_p, ()),
    ("EVP_MD_CTX_free", None, (c_void_p,)),
    ("EVP_MD_CTX_set_pkey_ctx", None, (c_void_p, c_void_p)),
    ("EVP_PKEY_CTX_new", c_void_p, (c_void_p, c_void_p)),
    ("EVP_PKEY_CTX_new_from_name", c_void_p, (c_void_p, c_char_p, c_char_p)),
    ("EVP_PKEY_CTX_free", None, (c_void_p,)),
    ("EVP_PKEY_CTX_set1_id", c_int, (c_void_p, c_char_p, c_int)),
    ("EVP_PKEY_free", None, (c_void_p,)),
    ("EVP_PKEY_is_a", c_int, (c_void_p, c_char_p)),
    ("EVP_PKEY_keygen_init", c_int, (c_void_p,)),
    ("EVP_PKEY_keygen", c_int, (c_void_p, POINTER(c_void_p))),
    ("EVP_PKEY_pairwise_check", c_int, (c_void_p,)),
    ("EVP_DigestSignInit", c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    ("EVP_DigestSign", c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    ("EVP_DigestVerifyInit", c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    ("EVP_DigestVerify", c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    ("d2i_PUBKEY", c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    ("d2i_AutoPrivateKey", c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    ("EVP_PKEY2PKCS8", c_void_p, (c_void_p,)),
    ("i2d_PKCS8_PRIV_KEY_INFO", c_int, (c_void_p, POINTER(c_void_p))),
    ("PKCS8_PRIV_KEY_INFO_free", None, (c_void_p,)),
)


class Libcrypto:
    """One loaded library; its calls release the interpreter lock and may run in several threads at once."""

    def __init__(self, handle: ctypes.CDLL) -> None:
        """Bind the functions.

        Args:
            handle: a library that has the symbols of libcrypto, itself or through what it is linked with.

        Raises:
            AttributeError: a function is missing.
            ValueError: it is older than OpenSSL 3.0, or was built without SM2 or SM3.
        """
        self._c: dict[str, Callable[..., Any]] = {}
        for name, result, arguments in _FUNCTIONS:
            function = getattr(handle, name)
            function.restype, function.argtypes = result, arguments
            self._c[name] = function
        if self._c["OpenSSL_version_num"]() < _MIN_VERSION:
            raise ValueError("OpenSSL 3.0 or newer is needed")
        with ExitStack() as stack:
            stack.callback(self._c["ERR_clear_error"])
            self._key_context(stack)
            self._digest = self._c["EVP_sm3"]()
        if not self._digest:
            raise ValueError("OpenSSL was built without SM3")

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Verify an SM2 signature with SM3 under the default identifier.

        Args:
            public_key: SubjectPublicKeyInfo of an SM2 key, DER.
            message: what was signed.
            signature: DER of r and s.

        Returns:
            whether it is the signature; False also when the public key is no point of the curve.
        """
        with ExitStack() as stack:
            stack.callback(self._c["ERR_clear_error"])
            key = self._read(stack, "d2i_PUBKEY", public_key)
            if key is None:
                return False
            context = self._context(stack, "EVP_DigestVerifyInit", key)
            done = self._c["EVP_DigestVerify"](context, signature, len(signature), message, len(message))
            return bool(done == 1)

    def is_public_key(self, public_key: bytes) -> bool:
        """Tell whether a public key can be used.

        Args:
            public_key: SubjectPublicKeyInfo of an SM2 key, DER.

        Returns:
            whether it is a point of the curve.
        """
        with ExitStack() as stack:
            stack.callback(self._c["ERR_clear_error"])
            return self._read(stack, "d2i_PUBKEY", public_key) is not None

    def sign(self, private_key: bytes, message: bytes) -> bytes:
        """Make an SM2 signature with SM3 under the default identifier.

        Args:
            private_key: PKCS #8 of an SM2 key, DER.
            message: what is signed.

        Returns:
            DER of r and s.

        Raises:
            ValueError: the key cannot be used.
        """
        with ExitStack() as stack:
            stack.callback(self._c["ERR_clear_error"])
            key = self._read(stack, "d2i_AutoPrivateKey", private_key)
            if key is None:
                raise ValueError("not an SM2 private key")
            context = self._context(stack, "EVP_DigestSignInit", key)
            signature, size = ctypes.create_string_buffer(_MAX_SIGNATURE_BYTES), c_size_t(_MAX_SIGNATURE_BYTES)
            done = self._c["EVP_DigestSign"](context, signature, ctypes.byref(size), message, len(message))
            _require(done == 1)
            return signature.raw[: size.value]

    def is_key_pair(self, private_key: bytes) -> bool:
        """Tell whether a private key can be used and its public half belongs to it.

        Args:
            private_key: PKCS #8 of an SM2 key, DER.

        Returns:
            whether it is so.
        """
        with ExitStack() as stack:
            stack.callback(self._c["ERR_clear_error"])
            key = self._read(stack, "d2i_AutoPrivateKey", private_key)
            if key is None:
                return False
            context = self._made(stack, self._c["EVP_PKEY_CTX_new"](key, None), "EVP_PKEY_CTX_free")
            return bool(self._c["EVP_PKEY_pairwise_check"](context) == 1)

    def generate(self) -> bytes:
        """Make a new private key.

        Returns:
            PKCS #8, DER.
        """
        with ExitStack() as stack:
            stack.callback(self._c["ERR_clear_error"])
            context, key = self._key_context(stack), c_void_p()
            _require(self._c["EVP_PKEY_keygen_init"](context) == 1)
            _require(self._c["EVP_PKEY_keygen"](context, ctypes.byref(key)) == 1)
            self._made(stack, key.value, "EVP_PKEY_free")
            info = self._made(stack, self._c["EVP_PKEY2PKCS8"](key), "PKCS8_PRIV_KEY_INFO_free")
            size = self._c["i2d_PKCS8_PRIV_KEY_INFO"](info, None)
            _require(0 < size <= _MAX_PKCS8_BYTES)
            buffer = ctypes.create_string_buffer(size)
            start = ctypes.cast(buffer, c_void_p)
            _require(self._c["i2d_PKCS8_PRIV_KEY_INFO"](info, ctypes.byref(start)) == size)
            return buffer.raw

    def _made(self, stack: ExitStack, pointer: int | None, free: str) -> int:
        """Take over an object that was just made; a null pointer means that the memory is used up."""
        if pointer is None:
            raise _failure()
        stack.callback(self._c[free], pointer)
        return pointer

    def _key_context(self, stack: ExitStack) -> int:
        context = self._c["EVP_PKEY_CTX_new_from_name"](None, b"SM2", None)
        if not context:
            raise ValueError("OpenSSL was built without SM2")
        return self._made(stack, context, "EVP_PKEY_CTX_free")

    def _read(self, stack: ExitStack, function: str, der: bytes) -> int | None:
        """A key from its DER; None when it is no SM2 key."""
        start = c_char_p(der)  # a copy of the pointer that C moves on; der itself stays alive until we return
        pointer = self._c[function](None, ctypes.byref(start), len(der))
        if not pointer:
            return None
        key = self._made(stack, pointer, "EVP_PKEY_free")
        return key if self._c["EVP_PKEY_is_a"](key, b"SM2") == 1 else None

    def _context(self, stack: ExitStack, initialise: str, key: int) -> int:
        """A digest context with the identifier set before it is initialised, the one order that the manual names."""
        of_key = self._made(stack, self._c["EVP_PKEY_CTX_new"](key, None), "EVP_PKEY_CTX_free")
        _require(self._c["EVP_PKEY_CTX_set1_id"](of_key, SIGNER_ID, len(SIGNER_ID)) == 1)
        context = self._made(stack, self._c["EVP_MD_CTX_new"](), "EVP_MD_CTX_free")
        self._c["EVP_MD_CTX_set_pkey_ctx"](context, of_key)
        _require(self._c[initialise](context, None, self._digest, None, key) == 1)
        return context


def _require(is_done: bool) -> None:
    if not is_done:
        raise _failure()


def _failure() -> GatewayError:
    return refuse(ErrorCode.ALGORITHM_UNAVAILABLE, message="OpenSSL failed at SM2, although it has it")


def candidates() -> Iterator[ctypes.CDLL]:
    """Name the libraries that may have SM2, the best first.

    Yields:
        the libcrypto that this Python's own ``ssl`` is linked with, then that of the system.
    """
    spec = importlib.util.find_spec("_ssl")
    # A module that is compiled into the interpreter has no file: then the symbols are those of the program itself.
    yield ctypes.CDLL(spec.origin if spec is not None and spec.has_location else None)
    name = ctypes.util.find_library("crypto")
    if name is not None:
        yield ctypes.CDLL(name)


@lru_cache(maxsize=1)
def find_library() -> Libcrypto | None:
    """Find a libcrypto with SM2, once in the life of the process.

    Returns:
        the library; None when there is none.
    """
    for handle in candidates():
        try:
            return Libcrypto(handle)
        except (AttributeError, ValueError, OSError):
            continue
    return None


def library() -> Libcrypto:
    """Get the library.

    Returns:
        the library.

    Raises:
        GatewayError: ALGORITHM_UNAVAILABLE when this machine has no OpenSSL 3 with SM2 and SM3.
    """
    found = find_library()
    if found is None:
        what = "SM2 needs OpenSSL 3.0 or newer, built with SM2 and SM3; this machine has none"
        raise refuse(ErrorCode.ALGORITHM_UNAVAILABLE, message=what)
    return found
