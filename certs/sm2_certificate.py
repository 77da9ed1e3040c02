"""Finishes a certificate that has SM2 in it, which the builder of ``cryptography`` cannot sign.

The builder makes a certificate with a P-256 key in the place of the SM2 key; then key and algorithm are exchanged in
the part to be signed, and that is signed anew.

Source: RFC 5280, section 4.1; GM/T 0015-2012.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.core.der import BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE, parse_elements, parse_one, to_der
from gateway.trust.sm2 import Sm2PrivateKey, Sm2PublicKey, to_der_signature

_STAND_IN: Final = ec.generate_private_key(ec.SECP256R1())
_SM2_WITH_SM3: Final = to_der(SEQUENCE, to_der(OBJECT_IDENTIFIER, bytes.fromhex("2a811ccf55018375")))
_ALGORITHM, _KEY = 2, 6
_NO_UNUSED_BITS: Final = b"\0"


def stand_in() -> ec.EllipticCurvePublicKey:
    """Give the key that the builder takes in the place of an SM2 key.

    Returns:
        a P-256 key.
    """
    return _STAND_IN.public_key()


def key_identifier(key: Sm2PublicKey) -> bytes:
    """Compute the identifier of a key.

    Args:
        key: the key.

    Returns:
        20 bytes.

    Source: RFC 5280, section 4.2.1.2, method 1.
    """
    return hashlib.sha1(key.point, usedforsecurity=False).digest()


def sign_certificate(
    builder: x509.CertificateBuilder, subject: Sm2PublicKey | None, signer: Sm2PrivateKey | ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """Sign a certificate whose subject or issuer, or both, have an SM2 key.

    Args:
        builder: everything but the signature; ``stand_in`` in the place of an SM2 key.
        subject: the SM2 key of the subject; None when the builder has the right key.
        signer: key of the issuer.

    Returns:
        the certificate.
    """
    template = builder.sign(_STAND_IN if isinstance(signer, Sm2PrivateKey) else signer, hashes.SHA256())
    fields = [to_der(*element) for element in parse_elements(parse_one(template.tbs_certificate_bytes, SEQUENCE))]
    if subject is not None:
        fields[_KEY] = subject.spki
    if isinstance(signer, Sm2PrivateKey):
        fields[_ALGORITHM] = _SM2_WITH_SM3
    to_be_signed = to_der(SEQUENCE, *fields)
    if isinstance(signer, Sm2PrivateKey):
        signature = to_der_signature(signer.sign(to_be_signed))
    else:
        signature = signer.sign(to_be_signed, ec.ECDSA(hashes.SHA256()))
    bits = to_der(BIT_STRING, _NO_UNUSED_BITS, signature)
    return x509.load_der_x509_certificate(to_der(SEQUENCE, to_be_signed, fields[_ALGORITHM], bits))
