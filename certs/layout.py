"""Where each file of a development PKI lies, and how a key file is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.authority import Authority, PrivateKey
from gateway.core.identity import Agency
from gateway.trust.signing_key import load_private_key
from gateway.trust.sm2 import Sm2PrivateKey


@dataclass(frozen=True, slots=True)
class AgencyFiles:
    """The four files of one agency.

    Args:
        directory: folder that holds ``tls.crt``, ``tls.key``, ``sign.crt`` and ``sign.key`` (all PEM).
    """

    directory: Path

    @property
    def tls_certificate(self) -> Path:
        """Client certificate for mutual TLS."""
        return self.directory / "tls.crt"

    @property
    def tls_key(self) -> Path:
        """Its private key."""
        return self.directory / "tls.key"

    @property
    def sign_certificate(self) -> Path:
        """Certificate of the key that signs bundles."""
        return self.directory / "sign.crt"

    @property
    def sign_key(self) -> Path:
        """Its private key."""
        return self.directory / "sign.key"

    @property
    def witness_key(self) -> Path:
        """Private key of the agency's witness (Ed25519), if it is one."""
        return self.directory / "witness.key"

    @property
    def witness_verifier(self) -> Path:
        """Its public side, one line (vkey)."""
        return self.directory / "witness.vkey"


@dataclass(frozen=True, slots=True)
class PkiLayout:
    """Every path of a development PKI.

    Args:
        root: folder that ``make_pki`` wrote.
    """

    root: Path

    @property
    def tls_ca(self) -> Path:
        """CA of all TLS certificates; both sides of a connection trust it."""
        return self.root / "tls-ca.crt"

    @property
    def signing_ca(self) -> Path:
        """CA of all signing certificates."""
        return self.root / "signing-ca.crt"

    @property
    def gateway(self) -> Path:
        """Folder of the gateway's own files."""
        return self.root / "gateway"

    @property
    def gateway_tls_certificate(self) -> Path:
        """Server certificate."""
        return self.gateway / "tls.crt"

    @property
    def gateway_tls_key(self) -> Path:
        """Its private key."""
        return self.gateway / "tls.key"

    @property
    def receipt_certificate(self) -> Path:
        """Certificate of the key that signs receipts (Ed25519)."""
        return self.gateway / "receipt.crt"

    @property
    def receipt_key(self) -> Path:
        """Its private key."""
        return self.gateway / "receipt.key"

    @property
    def pseudonym_key(self) -> Path:
        """32 random bytes that turn case numbers into pseudonyms."""
        return self.gateway / "pseudonym.key"

    @property
    def master_key(self) -> Path:
        """32 random bytes that wrap the keys of the cases."""
        return self.gateway / "master.key"

    @property
    def log(self) -> Path:
        """Folder of the signer's note key and of the witness policy; ``make_note_keys`` writes it."""
        return self.root / "log"

    @property
    def log_key(self) -> Path:
        """Private key of the log's signer (Ed25519)."""
        return self.log / "signer.key"

    @property
    def log_verifier(self) -> Path:
        """Its public side, one line (vkey)."""
        return self.log / "signer.vkey"

    @property
    def witness_policy(self) -> Path:
        """Whose cosignatures seal a receipt."""
        return self.log / "witness-policy.toml"

    @property
    def signers(self) -> Path:
        """Key registry: ``registered/`` and ``revoked/`` with one certificate a file."""
        return self.root / "signers"

    def agency(self, agency: Agency | str) -> AgencyFiles:
        """Point at the files of one agency.

        Args:
            agency: the agency or its short form ``ps:110108``.

        Returns:
            its four paths.
        """
        return AgencyFiles(self.root / "agency" / str(agency).replace(":", "-"))

    def registered_certificate(self, agency: Agency | str) -> Path:
        """Point at the registered signing certificate of one agency.

        Args:
            agency: the agency or its short form ``ps:110108``.

        Returns:
            the path in the key registry.
        """
        return self.signers / "registered" / f"{str(agency).replace(':', '-')}.crt"


def make_directory(path: Path) -> None:
    """Make a folder, with its parents, that only its owner may enter.

    Args:
        path: the folder; it may exist.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file that must not exist yet.

    Args:
        path: the file.
        data: its bytes.
        mode: permission bits from the first byte on, so that a key is never readable for a moment.

    Raises:
        FileExistsError: the file exists; nothing was changed.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)


def write_key(path: Path, key: PrivateKey) -> None:
    """Write a private key as unencrypted PKCS #8 PEM, mode 0600.

    Args:
        path: a file that must not exist yet.
        key: the key.

    Raises:
        FileExistsError: the file exists; a key is never overwritten.
    """
    if isinstance(key, Sm2PrivateKey):
        write_new(path, key.to_pem())
    else:
        write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_certificate(path: Path, certificate: x509.Certificate) -> None:
    """Write a certificate as PEM, readable by everybody.

    Args:
        path: a file that must not exist yet.
        certificate: the certificate.

    Raises:
        FileExistsError: the file exists.
    """
    write_new(path, certificate.public_bytes(Encoding.PEM), 0o644)


def add_certificate(path: Path, certificate: x509.Certificate) -> None:
    """Add a certificate to the end of a file of certificates, unless it is there.

    Args:
        path: PEM; it is replaced in one step, so that no reader finds half of it.
        certificate: the certificate.
    """
    before = path.read_bytes()
    if certificate not in x509.load_pem_x509_certificates(before):
        longer = path.with_suffix(".new")
        longer.unlink(missing_ok=True)
        write_new(longer, before + certificate.public_bytes(Encoding.PEM), 0o644)
        longer.replace(path)


def load_key(path: Path) -> PrivateKey:
    """Read a private key.

    Args:
        path: PKCS #8 PEM without password.

    Returns:
        an Ed25519, P-256 or SM2 key.

    Raises:
        ValueError: the file holds something else.
        GatewayError: ALGORITHM_UNAVAILABLE when the key is SM2 and this machine cannot do SM2.
    """
    try:
        return load_private_key(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def load_authority(certificate: Path, key: Path) -> Authority:
    """Read a CA back, to issue more certificates from it.

    Args:
        certificate: its certificate, PEM.
        key: its key, PEM.

    Returns:
        the CA.
    """
    return Authority(x509.load_pem_x509_certificate(certificate.read_bytes()), load_key(key))
