"""The certificate chain in a JWS header: is it issued by the signing CA, and may its key sign documents?

``cryptography.x509.verification`` judges TLS servers and clients only: it insists on their extended key usages and
names, which a signing certificate must not have. So the few rules that a signing chain needs are written out here.

Source: RFC 5280, sections 4.2 and 6.1; RFC 7515, section 4.1.6; RFC 9336 (document signing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from gateway.core.errors import ErrorCode, Finding, refuse
from gateway.trust import sm2

PATH: Final = "header/x5c"
DOCUMENT_SIGNING: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")

_PROCESSED: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
# What the X.509 library may raise on a certificate built by hand. The deprecation warning (the serial number
# is not positive) is among them because it is an exception wherever warnings are errors; both ways are a refusal.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)


@dataclass(frozen=True, slots=True)
class Chain:
    """What is true of a chain at any time; the period of validity is left to whoever knows the time.

    Args:
        leaf: certificate of the signing key.
        public_key: its key, of whatever kind.
        key_id: SHA-256 of the leaf's DER, 64 lower-case hexadecimal digits.
        uris: all URIs in the subject alternative name of the leaf.
        not_before: aware time from which every certificate up to the CA is valid.
        not_after: aware time until which every one is.
        findings: CERTIFICATE_CHAIN_INVALID and KEY_USAGE_WRONG, none when all is well.
    """

    leaf: x509.Certificate
    public_key: object
    key_id: str
    uris: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    findings: tuple[Finding, ...]

    def is_valid_at(self, instant: datetime) -> bool:
        """Tell whether every certificate is within its period of validity.

        Args:
            instant: aware time.

        Returns:
            whether it is.
        """
        return self.not_before <= instant <= self.not_after


def thumbprint(certificate: x509.Certificate) -> str:
    """Compute the key id of a certificate.

    Args:
        certificate: any certificate.

    Returns:
        SHA-256 of its DER, 64 lower-case hexadecimal digits.
    """
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def public_key_of(certificate: x509.Certificate) -> object:
    """Read the public key of a certificate, of any kind that this system or ``cryptography`` knows.

    Args:
        certificate: any certificate.

    Returns:
        an ``Sm2PublicKey``, or whatever ``cryptography`` makes of it.

    Raises:
        ValueError, UnsupportedAlgorithm: the key cannot be read.
    """
    if sm2.is_sm2(certificate):
        return sm2.Sm2PublicKey.from_spki(sm2.subject_public_key_info(certificate))
    return certificate.public_key()


@dataclass(frozen=True, slots=True)
class _Facts:
    """The extensions of one certificate that matter here."""

    is_ca: bool
    path_length: int | None
    usage: x509.KeyUsage | None
    extended: x509.ExtendedKeyUsage | None
    uris: tuple[str, ...]


def _facts(certificate: x509.Certificate) -> _Facts:
    if certificate.serial_number <= 0:
        raise ValueError("RFC 5280 section 4.1.2.2: a serial number is positive")
    is_ca, path_length, usage, extended = False, None, None, None
    uris: tuple[str, ...] = ()
    for extension in certificate.extensions:
        value = extension.value
        if extension.critical and extension.oid not in _PROCESSED:
            raise ValueError("RFC 5280 section 4.2: a critical extension that is not processed")
        if isinstance(value, x509.BasicConstraints):
            is_ca, path_length = value.ca, value.path_length
        elif isinstance(value, x509.KeyUsage):
            usage = value
        elif isinstance(value, x509.ExtendedKeyUsage):
            extended = value
        elif isinstance(value, x509.SubjectAlternativeName):
            uris = tuple(value.get_values_for_type(x509.UniformResourceIdentifier))
    return _Facts(is_ca, path_length, usage, extended, uris)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        key = public_key_of(issuer)
        if isinstance(key, sm2.Sm2PublicKey):
            return sm2.is_issued_by(certificate, issuer, key)
        certificate.verify_directly_issued_by(issuer)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


def _may_issue(facts: _Facts, intermediates_below: int) -> bool:
    if not facts.is_ca or facts.usage is None or not facts.usage.key_cert_sign:
        return False
    return facts.path_length is None or intermediates_below <= facts.path_length


def _may_sign(facts: _Facts) -> bool:
    if facts.is_ca or facts.usage is None or not facts.usage.digital_signature or facts.usage.key_cert_sign:
        return False
    return facts.extended is None or DOCUMENT_SIGNING in facts.extended


def examine_chain(certificates_der: Sequence[bytes], signing_cas: Sequence[x509.Certificate]) -> Chain:
    """Read a chain and judge everything about it that does not depend on the time.

    Args:
        certificates_der: DER, the leaf first, each issued by the next; the CA itself may be last or be left out.
        signing_cas: the trusted CAs, at least one.

    Returns:
        the leaf with the findings about its chain and key usage.

    Raises:
        GatewayError: CERTIFICATE_CHAIN_INVALID when a certificate cannot be read at all; ALGORITHM_UNAVAILABLE when an
            issuer's key is SM2 and this machine cannot do SM2.
    """
    try:
        chain = [x509.load_der_x509_certificate(der) for der in certificates_der]
        if len(chain) > 1 and chain[-1] in signing_cas:
            chain.pop()
        facts = [_facts(certificate) for certificate in chain]
        public_key = public_key_of(chain[0])
        anchors = [(anchor, _facts(anchor)) for anchor in signing_cas if _is_issued_by(chain[-1], anchor)]
    except _UNREADABLE as error:
        raise refuse(ErrorCode.CERTIFICATE_CHAIN_INVALID, PATH, "a certificate cannot be read") from error
    leaf, intermediates = chain[0], len(chain) - 1
    findings: list[Finding] = []
    # Position i of an issuer in the chain: i - 1 intermediates stand between it and the leaf.
    trusted = (
        bool(anchors)
        and _may_issue(anchors[0][1], intermediates)
        and all(_is_issued_by(chain[i], chain[i + 1]) for i in range(intermediates))
        and all(_may_issue(facts[i], i - 1) for i in range(1, len(chain)))
    )
    if not trusted:
        findings.append(
            Finding(
                ErrorCode.CERTIFICATE_CHAIN_INVALID,
                PATH,
                "the chain does not lead to the signing CA",
                basis="RFC 5280 6.1",
            )
        )
    if not _may_sign(facts[0]):
        findings.append(
            Finding(
                ErrorCode.KEY_USAGE_WRONG,
                PATH,
                "a signing certificate is no CA, has key usage digitalSignature and no TLS usage",
                basis="RFC 5280 4.2.1.3",
            )
        )
    period = [*chain, *(anchor for anchor, _ in anchors[:1])]
    return Chain(
        leaf,
        public_key,
        hashlib.sha256(certificates_der[0]).hexdigest(),
        facts[0].uris,
        max(certificate.not_valid_before_utc for certificate in period),
        min(certificate.not_valid_after_utc for certificate in period),
        tuple(findings),
    )
