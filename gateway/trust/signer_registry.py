"""The key registry: which signing certificates count, whose they are, and which were revoked.

It is a folder with two sub-folders of PEM files, ``registered/`` and ``revoked/``: an operator reads it with ``ls``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.errors import GatewayError, refuse
from gateway.core.identity import Agency, parse_uris
from gateway.trust.chain import public_key_of, thumbprint
from gateway.trust.signing_key import Algorithm, PublicKey, algorithm_of
from gateway.trust.sm2 import Sm2PublicKey


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A key that an agency signs bundles with.

    Args:
        key_id: SHA-256 of the certificate's DER, 64 lower-case hexadecimal digits.
        agency: whose it is, from the certificate's URI.
        algorithm: the one JWS algorithm that this key may be used with.
        certificate: the registered certificate.
        public_key: its key.
    """

    key_id: str
    agency: Agency
    algorithm: Algorithm
    certificate: x509.Certificate
    public_key: PublicKey

    @classmethod
    def from_certificate(cls, certificate: x509.Certificate) -> Self:
        """Read a certificate that is to be registered.

        Args:
            certificate: a signing certificate.

        Returns:
            the key.

        Raises:
            ValueError: it names no agency, or its key is neither Ed25519 nor P-256 nor SM2.
            GatewayError: ALGORITHM_UNAVAILABLE when it is SM2 and this machine cannot do SM2.
        """
        key = public_key_of(certificate)
        algorithm = algorithm_of(key)
        if isinstance(key, Sm2PublicKey):
            key.require_usable()
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            agency = parse_uris(tuple(names.get_values_for_type(x509.UniformResourceIdentifier)))
        except (x509.ExtensionNotFound, GatewayError) as error:
            raise ValueError("it must carry exactly one URI urn:fasttrack:agency:<role>:<division>") from error
        return cls(thumbprint(certificate), agency, algorithm, certificate, key)  # type: ignore[arg-type]


class SignerRegistry:
    """An unchanging picture of the registry; a reload makes a new one."""

    def __init__(self, signing_ca_pem: bytes, registered: Mapping[str, SignerKey], revoked: frozenset[str]) -> None:
        """Hold what was loaded.

        Args:
            signing_ca_pem: one or more CA certificates, PEM; more than one while a CA is being replaced.
            registered: keys by key id.
            revoked: key ids that no longer count, whether registered or not.

        Raises:
            ValueError: there is no CA certificate in the PEM, or the key of one cannot be used.
            GatewayError: ALGORITHM_UNAVAILABLE when a CA is SM2 and this machine cannot do SM2.
        """
        self.signing_cas = tuple(x509.load_pem_x509_certificates(signing_ca_pem))
        for certificate in self.signing_cas:
            key = public_key_of(certificate)
            if isinstance(key, Sm2PublicKey):
                key.require_usable()
        self.registered = dict(registered)
        self.revoked = revoked


def _load(folder: Path) -> list[tuple[Path, x509.Certificate]]:
    loaded = []
    for path in sorted(folder.glob("*.crt")):
        try:
            loaded.append((path, x509.load_pem_x509_certificate(path.read_bytes())))
        except ValueError as error:
            raise ValueError(f"{path.parent.name}/{path.name}: not a certificate in PEM") from error
    return loaded


def _public(certificate: x509.Certificate) -> bytes:
    key = public_key_of(certificate)
    if isinstance(key, Sm2PublicKey):
        return key.spki
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_registry(signing_ca: Path, signers_dir: Path) -> SignerRegistry:
    """Read the key registry; one unreadable file fails it, because a revocation that is skipped is worse than no start.

    Args:
        signing_ca: CA certificates, PEM.
        signers_dir: folder with ``registered/*.crt`` and ``revoked/*.crt``, one PEM certificate a file.

    Returns:
        the registry. A certificate is revoked if it, or another one for the same key, lies in ``revoked/``.

    Raises:
        ValueError: a file is not a certificate, or a registered one names no agency or has another kind of key.
        FileNotFoundError: the CA or one of the two folders is missing.
        GatewayError: ALGORITHM_UNAVAILABLE when a CA or a registered key is SM2 and this machine cannot do SM2.
    """
    for folder in (signers_dir / "registered", signers_dir / "revoked"):
        if not folder.is_dir():
            raise FileNotFoundError(f"the key registry has no folder {folder.name}/")
    registered = {}
    for path, certificate in _load(signers_dir / "registered"):
        try:
            key = SignerKey.from_certificate(certificate)
        except ValueError as error:
            raise ValueError(f"{path.parent.name}/{path.name}: {error}") from error
        except GatewayError as error:
            finding = error.findings[0]
            raise refuse(finding.code, f"{path.parent.name}/{path.name}", finding.message) from error
        registered[key.key_id] = key
    withdrawn = [certificate for _, certificate in _load(signers_dir / "revoked")]
    leaked = {_public(certificate) for certificate in withdrawn}
    revoked = {thumbprint(certificate) for certificate in withdrawn}
    revoked |= {key_id for key_id, key in registered.items() if _public(key.certificate) in leaked}
    return SignerRegistry(signing_ca.read_bytes(), registered, frozenset(revoked))
