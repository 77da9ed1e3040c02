"""A certificate authority that issues the four kinds of certificate a development set-up needs.

Every parameter that a test may want to get wrong is an argument; ``certs.pki`` chooses the right ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.sm2_certificate import key_identifier, sign_certificate, stand_in
from gateway.trust.sm2 import Sm2PrivateKey, Sm2PublicKey

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | Sm2PrivateKey

VALIDITY: Final = timedelta(days=90)
BACKDATE: Final = timedelta(minutes=5)
"""Certificates begin a little in the past, because the clocks of two machines never agree."""

CLIENT_AUTH: Final = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_AUTH: Final = ExtendedKeyUsageOID.SERVER_AUTH

_NO_USAGE: Final = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


def key_usage(*names: str) -> x509.KeyUsage:
    """Build a key usage extension.

    Args:
        names: usages to allow, in the spelling of ``cryptography`` (digital_signature, key_cert_sign ...).

    Returns:
        the extension with exactly these usages.
    """
    return x509.KeyUsage(**{**_NO_USAGE, **dict.fromkeys(names, True)})


DIGITAL_SIGNATURE: Final = key_usage("digital_signature")
_CA_USAGE: Final = key_usage("key_cert_sign", "crl_sign")


def generate_key(algorithm: str) -> PrivateKey:
    """Make a new private key.

    Args:
        algorithm: ``EdDSA`` (Ed25519), ``ES256`` (P-256) or ``SM2SM3`` (SM2).

    Returns:
        the key.

    Raises:
        ValueError: another algorithm.
        GatewayError: ALGORITHM_UNAVAILABLE when SM2 is asked for and this machine cannot do it.
    """
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "SM2SM3":
        return Sm2PrivateKey.generate()
    raise ValueError(f"signing_algorithm must be EdDSA, ES256 or SM2SM3, not {algorithm!r}")


def _start(
    subject: str, issuer: x509.Name, *, key: PrivateKey, signer: PrivateKey, now: datetime, validity: timedelta
) -> x509.CertificateBuilder:
    """What every certificate has: names, key, period and the two key identifiers."""
    public, above = key.public_key(), signer.public_key()
    below = (
        x509.SubjectKeyIdentifier(key_identifier(public))
        if isinstance(public, Sm2PublicKey)
        else x509.SubjectKeyIdentifier.from_public_key(public)
    )
    authority = (
        x509.AuthorityKeyIdentifier(key_identifier(above), None, None)
        if isinstance(above, Sm2PublicKey)
        else x509.AuthorityKeyIdentifier.from_issuer_public_key(above)
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(stand_in() if isinstance(public, Sm2PublicKey) else public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + validity)
        .add_extension(below, critical=False)
        .add_extension(authority, critical=False)
    )


def _sign(builder: x509.CertificateBuilder, key: PrivateKey, signer: PrivateKey) -> x509.Certificate:
    public = key.public_key()
    if isinstance(signer, ed25519.Ed25519PrivateKey):
        return builder.sign(signer, None)
    if isinstance(public, Sm2PublicKey) or isinstance(signer, Sm2PrivateKey):
        return sign_certificate(builder, public if isinstance(public, Sm2PublicKey) else None, signer)
    return builder.sign(signer, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fast-track development"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA certificate and its key.

    Args:
        certificate: the CA certificate.
        key: its private key.
    """

    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def create(
        cls,
        common_name: str,
        *,
        now: datetime,
        issuer: Authority | None = None,
        path_length: int | None = 0,
        validity: timedelta = VALIDITY,
        usage: x509.KeyUsage = _CA_USAGE,
        algorithm: str = "ES256",
    ) -> Authority:
        """Make a CA, self-signed or below another one.

        Args:
            common_name: free text for people.
            now: aware time from which it is valid, less five minutes.
            issuer: the CA above; None for a root.
            path_length: how many CAs may stand between it and a leaf; None for any number.
            validity: lifetime.
            usage: key usage of the CA certificate.
            algorithm: kind of its key: ``ES256`` or ``SM2SM3``.

        Returns:
            the CA.
        """
        key = generate_key(algorithm)
        signer = issuer.key if issuer else key
        name = issuer.certificate.subject if issuer else _name(common_name)
        builder = (
            _start(common_name, name, key=key, signer=signer, now=now, validity=validity)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(_sign(builder, key, signer), key)

    def issue(
        self,
        key: PrivateKey,
        *,
        common_name: str,
        names: Sequence[x509.GeneralName],
        now: datetime,
        validity: timedelta = VALIDITY,
        usage: x509.KeyUsage | None = DIGITAL_SIGNATURE,
        extended_usage: Sequence[x509.ObjectIdentifier] = (),
        is_ca: bool = False,
        critical: Sequence[x509.ExtensionType] = (),
    ) -> x509.Certificate:
        """Issue a leaf certificate.

        Args:
            key: key of the subject.
            common_name: free text for people; nothing in the gateway reads it.
            names: subject alternative names; none leaves the extension out.
            now: aware time from which it is valid, less five minutes.
            validity: lifetime, counted from ``now``.
            usage: key usage; None leaves the extension out.
            extended_usage: extended key usages; none leaves the extension out.
            is_ca: whether basicConstraints says CA.
            critical: further extensions, each critical.

        Returns:
            the certificate.
        """
        issuer = self.certificate.subject
        builder = _start(common_name, issuer, key=key, signer=self.key, now=now, validity=validity)
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        if usage is not None:
            builder = builder.add_extension(usage, critical=True)
        if extended_usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(extended_usage), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        for extension in critical:
            builder = builder.add_extension(extension, critical=True)
        return _sign(builder, key, self.key)
