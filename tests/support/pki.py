"""A PKI in memory for tests: right by default, and wrong in exactly the way that a test asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.authority import CLIENT_AUTH, DIGITAL_SIGNATURE, VALIDITY, Authority, PrivateKey, generate_key
from gateway.core.identity import URI_PREFIX
from gateway.trust.chain import thumbprint
from gateway.trust.jws import sign_bundle
from gateway.trust.signer_registry import SignerKey, SignerRegistry
from gateway.trust.sm2 import Sm2PrivateKey

NOW = datetime(2026, 3, 2, 1, 0, 0, tzinfo=UTC)
"""The time at which everything made here is valid unless a test says otherwise."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key and what stands between it and the CA.

    Args:
        certificate: the leaf.
        key: its private key.
        intermediates: CAs between, nearest first.
    """

    certificate: x509.Certificate
    key: PrivateKey
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The leaf and the intermediates, as ``x5c`` wants them."""
        return (self.certificate, *self.intermediates)

    @property
    def certificate_pem(self) -> bytes:
        """The leaf and the intermediates in PEM."""
        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.chain)

    @property
    def key_pem(self) -> bytes:
        """The key in PEM."""
        if isinstance(self.key, Sm2PrivateKey):
            return self.key.to_pem()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, payload: Mapping[str, Any]) -> str:
        """Sign a payload as a bundle."""
        return sign_bundle(payload, private_key=self.key, certificate_chain=self.chain)


def issue(
    authority: Authority,
    agency: str | None = "ps:110108",
    *,
    uris: Sequence[str] | None = None,
    algorithm: str = "EdDSA",
    not_before: datetime = NOW,
    validity: timedelta = VALIDITY,
    usage: x509.KeyUsage | None = DIGITAL_SIGNATURE,
    extended_usage: Sequence[x509.ObjectIdentifier] = (),
    is_ca: bool = False,
    critical: Sequence[x509.ExtensionType] = (),
    key: PrivateKey | None = None,
    intermediates: tuple[x509.Certificate, ...] = (),
) -> Issued:
    """Issue a signing certificate, or one with something odd about it.

    Args:
        authority: the CA; another CA than the trusted one makes an unknown chain.
        agency: whose URI it carries; None for none at all, so that only the common name is left (CN-only).
        uris: all URIs instead of that of the agency, for none, two or strange ones.
        algorithm: ``EdDSA``, ``ES256`` or ``SM2SM3``.
        not_before: start of validity; in the future for one that is not valid yet.
        validity: lifetime; negative is not possible, so an expired one starts in the past.
        usage: key usage; None leaves it out.
        extended_usage: extended key usages.
        is_ca: whether it claims to be a CA.
        critical: further extensions, each critical.
        key: an existing key instead of a new one.
        intermediates: CAs between it and the root.

    Returns:
        the certificate with its key.
    """
    key = key or generate_key(algorithm)
    texts = uris if uris is not None else ([f"{URI_PREFIX}{agency}"] if agency else [])
    certificate = authority.issue(
        key,
        # The name in the CN is right on purpose: nobody may look there.
        common_name=agency or "ps:110108",
        names=[x509.UniformResourceIdentifier(text) for text in texts],
        now=not_before,
        validity=validity,
        usage=usage,
        extended_usage=extended_usage,
        is_ca=is_ca,
        critical=critical,
    )
    return Issued(certificate, key, intermediates)


def issue_tls(authority: Authority, agency: str | None = "ps:110108", **options: Any) -> Issued:
    """Issue a TLS client certificate; the options are those of ``issue``."""
    return issue(authority, agency, **{"algorithm": "ES256", "extended_usage": [CLIENT_AUTH], **options})


@dataclass(slots=True)
class MemoryPki:
    """A signing CA and a key registry.

    Args:
        now: time from which the CA is valid.
        algorithm: kind of key of its signers; with ``SM2SM3`` the CA is SM2 too.
        authority: the signing CA.
        registered: keys registered so far.
        revoked: key ids revoked so far.
    """

    now: datetime = NOW
    algorithm: str = "EdDSA"
    authority: Authority = field(init=False)
    registered: dict[str, SignerKey] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the CA, valid long enough that only leaves run out."""
        self.authority = Authority.create(
            "test signing CA",
            now=self.now - timedelta(days=400),
            path_length=1,
            validity=timedelta(days=4000),
            algorithm=self.ca_algorithm,
        )

    @property
    def ca_algorithm(self) -> str:
        """Kind of key of the CA."""
        return "SM2SM3" if self.algorithm == "SM2SM3" else "ES256"

    def register(self, issued: Issued) -> Issued:
        """Put a signing certificate into the registry."""
        key = SignerKey.from_certificate(issued.certificate)
        self.registered[key.key_id] = key
        return issued

    def revoke(self, issued: Issued) -> None:
        """Revoke a signing certificate."""
        self.revoked.add(thumbprint(issued.certificate))

    def signer(self, agency: str = "ps:110108", **options: Any) -> Issued:
        """Issue and register a signing certificate; the options are those of ``issue``."""
        return self.register(issue(self.authority, agency, **{"algorithm": self.algorithm, **options}))

    @property
    def registry(self) -> SignerRegistry:
        """The registry as it stands."""
        pem = self.authority.certificate.public_bytes(Encoding.PEM)
        return SignerRegistry(pem, self.registered, frozenset(self.revoked))
