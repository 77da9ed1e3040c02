"""Where the gateway is and who is calling: from options, from FASTTRACK_* or from a folder of the development PKI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.core.identity import Agency

if TYPE_CHECKING:
    from cryptography import x509

    from gateway.core.log.witness_policy import WitnessPolicy
    from gateway.rpc.client import GatewayClient
    from gateway.rpc.client_call import RetryPolicy

TLS_FIELDS = ("target", "ca", "cert", "key")
SIGN_FIELDS = ("sign_cert", "sign_key")


class SettingsError(Exception):
    """Settings are missing or wrong; nothing was sent.

    Args:
        message: what is wrong.
        hint: what to do next.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class TlsSettings(NamedTuple):
    """What a channel is made of.

    Args:
        target: host:port.
        ca: CA of the gateway's TLS certificate, PEM.
        cert: the caller's TLS certificate, PEM.
        key: its private key, PEM.
    """

    target: str
    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How to reach the gateway; what is None was not given.

    Args:
        target: host:port.
        ca: CA of the gateway's TLS certificate, PEM.
        cert: the caller's TLS certificate, PEM.
        key: its private key, PEM.
        signing_ca: CA of the gateway's receipts, PEM.
        sign_cert: certificate of the signing key, PEM.
        sign_key: signing key, PEM.
        witness_policy: whose cosignatures seal a receipt, TOML.
    """

    target: str | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    signing_ca: Path | None = None
    sign_cert: Path | None = None
    sign_key: Path | None = None
    witness_policy: Path | None = None

    def with_profile(self, profile: Path | None) -> ConnectionSettings:
        """Fill what was not given from an agency folder of a development PKI.

        Args:
            profile: folder such as ``pki/agency/ps-110108``; None for none.

        Returns:
            the settings; what was given stays.
        """
        if profile is None:
            return self
        root = profile.resolve().parent.parent
        policy = root / "log" / "witness-policy.toml"
        return ConnectionSettings(
            self.target,
            self.ca or root / "tls-ca.crt",
            self.cert or profile / "tls.crt",
            self.key or profile / "tls.key",
            self.signing_ca or root / "signing-ca.crt",
            self.sign_cert or profile / "sign.crt",
            self.sign_key or profile / "sign.key",
            # Not every development PKI has a sealed log.
            self.witness_policy or (policy if policy.is_file() else None),
        )

    def require(self, fields: tuple[str, ...]) -> None:
        """Check that settings are there and that their files can be read, all at once.

        Args:
            fields: names of settings.

        Raises:
            SettingsError: some are not.
        """
        missing = [name for name in fields if not getattr(self, name)]
        if missing:
            options = ", ".join(f"--{name.replace('_', '-')} (FASTTRACK_{name.upper()})" for name in missing)
            raise SettingsError(
                f"missing: {options}",
                "name the files one by one, or give --profile DIR, an agency folder that `python -m certs` made",
            )
        unreadable = [path for name in fields if isinstance(path := getattr(self, name), Path) and not path.is_file()]
        if unreadable:
            names = ", ".join(str(path) for path in unreadable)
            raise SettingsError(f"no such file: {names}", "check the path, or make the files with `python -m certs`")

    def require_tls(self, *further: str) -> TlsSettings:
        """Check what a channel needs, and further settings, all at once.

        Args:
            further: names of settings.

        Returns:
            target and files.

        Raises:
            SettingsError: some are not there.
        """
        self.require((*TLS_FIELDS, *further))
        return TlsSettings(self.target or "", self.ca or Path(), self.cert or Path(), self.key or Path())

    @property
    def agency(self) -> Agency:
        """The caller, as its TLS certificate names it.

        Raises:
            SettingsError: the certificate names no agency.
        """
        from gateway.core.errors import GatewayError  # noqa: PLC0415 - loaded only by the commands that need it
        from gateway.trust.tls import peer_agency  # noqa: PLC0415 - as above

        self.require(("cert",))
        try:
            return peer_agency((self.cert or Path()).read_bytes())
        except GatewayError as error:
            raise SettingsError(
                f"the certificate names no agency: {error}",
                "use the TLS certificate of your agency: its subject alternative name has urn:fasttrack:agency:...",
            ) from error


def open_client(settings: ConnectionSettings, *, retry: RetryPolicy | None = None) -> GatewayClient:
    """Compose a client from files.

    Args:
        settings: how to reach the gateway; a signing key is used when both of its files are given.
        retry: when a call is made again; None for the client's own rule.

    Returns:
        the client, for ``async with``.

    Raises:
        SettingsError: something is missing or cannot be read.
    """
    from gateway.rpc.client import GatewayClient  # noqa: PLC0415 - grpc takes longer to load than --help may take
    from gateway.trust.tls import channel_credentials  # noqa: PLC0415 - as above

    target, *files = settings.require_tls("signing_ca")
    return GatewayClient(
        target,
        channel_credentials(*files),
        verifier=_verifier(settings.signing_ca or Path()),
        signer=_signer(settings),
        statement_signer=_signer(settings, is_statement=True),
        policy=_policy(settings),
        retry=retry,
    )


def _policy(settings: ConnectionSettings) -> WitnessPolicy | None:
    if settings.witness_policy is None:
        return None
    from gateway.core.log.witness_policy import PolicyError, parse_policy  # noqa: PLC0415 - as above

    settings.require(("witness_policy",))
    try:
        return parse_policy(settings.witness_policy.read_text("utf-8"))
    except (PolicyError, UnicodeDecodeError) as error:
        raise SettingsError(f"the witness policy cannot be used: {error}", "get it anew from the operator") from error


def _signer(settings: ConnectionSettings, *, is_statement: bool = False) -> Callable[[Mapping[str, Any]], str] | None:
    if settings.sign_cert is None or settings.sign_key is None:
        return None
    from cryptography import x509  # noqa: PLC0415 - as above

    from gateway.trust.jws import sign_bundle, sign_statement  # noqa: PLC0415 - as above
    from gateway.trust.signing_key import load_private_key  # noqa: PLC0415 - as above

    settings.require(SIGN_FIELDS)
    try:
        chain = x509.load_pem_x509_certificates(settings.sign_cert.read_bytes())
        private_key = load_private_key(settings.sign_key.read_bytes())
    except (ValueError, TypeError) as error:
        raise SettingsError(
            "the signing certificate or key cannot be read", "both are PEM files, the key without a password"
        ) from error

    def sign(payload: Mapping[str, Any]) -> str:
        try:
            sign_as = sign_statement if is_statement else sign_bundle
            return sign_as(payload, private_key=private_key, certificate_chain=chain)
        except ValueError as error:
            raise SettingsError(
                f"cannot sign: {error}", "use an Ed25519, P-256 or SM2 key and its certificate"
            ) from error

    return sign


class SigningCaVerifier:
    """Checks what the gateway signed against one CA.

    Args:
        signing_ca: the trusted CA.
    """

    def __init__(self, signing_ca: x509.Certificate) -> None:
        self._signing_ca = signing_ca

    def verify_receipt(self, jws: str, *, leaf: bytes, is_fresh: bool) -> object:
        """Check a receipt; see ``GatewayVerifier``."""
        from gateway.trust.receipt import verify_receipt  # noqa: PLC0415 - as above

        now = datetime.now(UTC) if is_fresh else None
        return verify_receipt(jws, leaf=leaf, signing_ca=self._signing_ca, now=now)

    def verify_reconcile(self, jws: str) -> Mapping[str, Any]:
        """Check a statement of reconciliation; see ``GatewayVerifier``."""
        from gateway.trust.receipt import RECONCILE_TYPE, verify_statement  # noqa: PLC0415 - as above

        return verify_statement(jws, typ=RECONCILE_TYPE, signing_ca=self._signing_ca, now=datetime.now(UTC))


def _verifier(signing_ca: Path) -> SigningCaVerifier:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        return SigningCaVerifier(x509.load_pem_x509_certificate(signing_ca.read_bytes()))
    except ValueError as error:
        raise SettingsError("the signing CA cannot be read", "--signing-ca is a PEM file") from error
