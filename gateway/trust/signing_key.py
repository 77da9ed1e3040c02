"""The kinds of key that sign bundles, and the JWS algorithm of each.

Source: RFC 8037 (EdDSA); RFC 7518, section 3.4 (ES256); GM/T 0003 (SM2).
"""

from __future__ import annotations

from typing import Literal, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.trust.sm2 import Sm2PrivateKey, Sm2PublicKey, is_sm2_private_key, parse_private_key

Algorithm = Literal["EdDSA", "ES256", "SM2SM3"]
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | Sm2PublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | Sm2PrivateKey


class SigningKey(Protocol):
    """A key that signs by itself, such as one that lies in hardware; ``Sm2PrivateKey`` is one."""

    @property
    def algorithm(self) -> Algorithm:
        """Name of its algorithm in a JWS."""

    def public_key(self) -> object:
        """Give the public half, equal to that of its certificate as ``public_key_of`` reads it."""

    def sign(self, message: bytes, /) -> bytes:
        """Sign a message; the result has the form of a JWS signature (64 bytes in each algorithm)."""


def algorithm_of(key: object) -> Algorithm:
    """Tell which JWS algorithm a key is for.

    Args:
        key: public or private key.

    Returns:
        ``EdDSA`` for Ed25519, ``ES256`` for P-256, ``SM2SM3`` for SM2.

    Raises:
        ValueError: any other key.
    """
    if isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(key, Sm2PublicKey | Sm2PrivateKey):
        return "SM2SM3"
    raise ValueError("a signing key is Ed25519, P-256 or SM2")


def load_private_key(pem: bytes) -> PrivateKey:
    """Read the private key of a signer.

    Args:
        pem: PKCS #8 without a password, PEM.

    Returns:
        an Ed25519, P-256 or SM2 key.

    Raises:
        ValueError: the file holds something else.
        GatewayError: ALGORITHM_UNAVAILABLE when the key is SM2 and this machine cannot do SM2.
    """
    if is_sm2_private_key(pem):
        return parse_private_key(pem)
    try:
        key = load_pem_private_key(pem, None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("a private key in PEM without a password is expected") from error
    algorithm_of(key)
    return key  # type: ignore[return-value]
