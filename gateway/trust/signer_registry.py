"""The key registry: which signing certificates count, whose they are, and which were revoked.

It stands in the ledger, as entries with the certificates beside them. A folder with two sub-folders of PEM files,
``registered/`` and ``revoked/``, brings keys there; an operator reads it with ``ls``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core.entry import Entry, EntryKind
from gateway.core.errors import GatewayError, refuse
from gateway.core.identity import Agency, parse_uris
from gateway.core.log.key_history import KeyHistory
from gateway.core.log.registration import KeyFacts
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
        public_key_sha256: SHA-256 of the DER of its SubjectPublicKeyInfo, 64 lower-case hexadecimal digits.
    """

    key_id: str
    agency: Agency
    algorithm: Algorithm
    certificate: x509.Certificate
    public_key: PublicKey
    public_key_sha256: str

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
        digest = public_key_sha256(certificate)
        return cls(thumbprint(certificate), agency, algorithm, certificate, key, digest)  # type: ignore[arg-type]

    @property
    def facts(self) -> KeyFacts:
        """What an entry says of the key."""
        return KeyFacts(
            key_id=self.key_id,
            public_key_sha256=self.public_key_sha256,
            agency=str(self.agency),
            algorithm=self.algorithm,
            certificate=self.certificate.public_bytes(Encoding.DER),
        )


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


def public_key_sha256(certificate: x509.Certificate) -> str:
    """Digest of a certificate's public key: two certificates for one key have the same.

    Args:
        certificate: any certificate.

    Returns:
        SHA-256 of the DER of the SubjectPublicKeyInfo, 64 lower-case hexadecimal digits.
    """
    key = public_key_of(certificate)
    if isinstance(key, Sm2PublicKey):
        return sha256(key.spki).hexdigest()
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(spki).hexdigest()


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
    folder = load_folder(signers_dir)
    leaked = {public_key_sha256(certificate) for certificate in folder.revoked}
    revoked = {thumbprint(certificate) for certificate in folder.revoked}
    revoked |= {key_id for key_id, key in folder.registered.items() if key.public_key_sha256 in leaked}
    return SignerRegistry(signing_ca.read_bytes(), folder.registered, frozenset(revoked))


@dataclass(frozen=True, slots=True)
class SignerFolder:
    """What a folder of certificates says.

    Args:
        registered: keys by key id.
        revoked: certificates that no longer count, whether registered or not.
    """

    registered: dict[str, SignerKey]
    revoked: tuple[x509.Certificate, ...]


def load_folder(signers_dir: Path) -> SignerFolder:
    """Read a folder of certificates; one unreadable file fails it.

    Args:
        signers_dir: folder with ``registered/*.crt`` and ``revoked/*.crt``, one PEM certificate a file.

    Returns:
        what it says.

    Raises:
        ValueError: a file is not a certificate, or a registered one names no agency or has another kind of key.
        FileNotFoundError: one of the two folders is missing.
        GatewayError: ALGORITHM_UNAVAILABLE when a registered key is SM2 and this machine cannot do SM2.
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
    return SignerFolder(registered, tuple(certificate for _, certificate in _load(signers_dir / "revoked")))


def facts_of(certificate: x509.Certificate) -> KeyFacts:
    """What an entry says of a certificate that is revoked; it need not be one that could be registered.

    Args:
        certificate: any certificate.

    Returns:
        the facts; agency and algorithm are empty when they cannot be told.
    """
    try:
        return SignerKey.from_certificate(certificate).facts
    except (ValueError, GatewayError):
        return KeyFacts(
            key_id=thumbprint(certificate),
            public_key_sha256=public_key_sha256(certificate),
            agency="",
            algorithm="",
            certificate=certificate.public_bytes(Encoding.DER),
        )


class LedgerKeys:
    """The registry as the entries of a ledger make it; ``registry`` is always a whole picture.

    Args:
        signing_ca_pem: one or more CA certificates, PEM.

    Attributes:
        history: where the ledger registers and revokes keys.
        registry: what it comes to now.
    """

    def __init__(self, signing_ca_pem: bytes) -> None:
        self._signing_ca_pem = signing_ca_pem
        self._keys: dict[str, SignerKey] = {}
        self.history = KeyHistory()
        self.registry = SignerRegistry(signing_ca_pem, {}, frozenset())

    def take(self, entry: Entry, certificate: bytes) -> None:
        """Take the next entry about a key.

        Args:
            entry: ``key_registered`` or ``key_revoked``; entries come by index.
            certificate: DER as stored beside it; it counts only if it is the one that the entry names.

        Raises:
            ValueError: the certificate of a registration is not the one of the entry; the key then does not count.
            GatewayError: ALGORITHM_UNAVAILABLE when it is SM2 and this machine cannot do SM2; the key does not count.
        """
        self.history.add(entry)
        try:
            if entry.kind is EntryKind.KEY_REGISTERED:
                self._keys[entry.signer_key] = _registered_key(entry, certificate)
        finally:
            marks = {key_id: self.history.marks(key_id) for key_id in self.history.keys}
            revoked = {key_id for key_id, mark in marks.items() if mark.revoked is not None}
            revoked |= self.history.revoked_keys.keys()
            self.registry = SignerRegistry(self._signing_ca_pem, self._keys, frozenset(revoked))


def _registered_key(entry: Entry, certificate: bytes) -> SignerKey:
    key = SignerKey.from_certificate(x509.load_der_x509_certificate(certificate))
    said = (entry.signer_key, entry.public_key_sha256, entry.agency, entry.algorithm)
    if said != (key.key_id, key.public_key_sha256, str(key.agency), key.algorithm):
        raise ValueError("the certificate beside the entry is not the one that was registered")
    return key
