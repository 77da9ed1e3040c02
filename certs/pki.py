"""Makes the development PKI: two CAs, the gateway's own certificates, and two certificates for each agency.

For development and tests only: the CA keys lie beside the certificates. The README says what production does instead.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from certs.authority import CLIENT_AUTH, SERVER_AUTH, VALIDITY, Authority, generate_key
from certs.layout import (
    PkiLayout,
    add_certificate,
    load_authority,
    make_directory,
    write_certificate,
    write_key,
    write_new,
)
from gateway.core.identity import GATEWAY_URI, Agency, parse_agency
from gateway.trust.sm2_libcrypto import library as require_sm2

_IDENTITIES = Path(__file__).with_name("identities.toml")


@dataclass(frozen=True, slots=True)
class Identity:
    """One agency of ``identities.toml``.

    Args:
        agency: who it is.
        name: name for people; becomes the common name.
        signing_algorithm: ``EdDSA``, ``ES256`` or ``SM2SM3``.
    """

    agency: Agency
    name: str
    signing_algorithm: str


def load_identities() -> tuple[Identity, ...]:
    """Read the agencies of ``identities.toml``.

    Returns:
        all of them, in the order of the file.
    """
    rows = tomllib.loads(_IDENTITIES.read_text("utf-8"))["agency"]
    return tuple(Identity(parse_agency(row["id"]), row["name"], row["signing_algorithm"]) for row in rows)


class _Period(NamedTuple):
    """When certificates begin, less five minutes, and for how long they are valid."""

    start: datetime
    validity: timedelta


def _gateway_names() -> list[x509.GeneralName]:
    gateway = tomllib.loads(_IDENTITIES.read_text("utf-8"))["gateway"]
    return [
        *(x509.DNSName(name) for name in gateway["dns"]),
        *(x509.IPAddress(ip_address(address)) for address in gateway["ip"]),
        x509.UniformResourceIdentifier(GATEWAY_URI),
    ]


def _authority(root: Path, name: str, common_name: str, period: _Period, algorithm: str = "ES256") -> Authority:
    certificate, key = root / f"{name}.crt", root / f"{name}.key"
    if key.exists():
        return load_authority(certificate, key)
    authority = Authority.create(common_name, now=period.start, validity=period.validity, algorithm=algorithm)
    write_key(key, authority.key)
    write_certificate(certificate, authority.certificate)
    return authority


def _make_gateway(layout: PkiLayout, tls: Authority, signing: Authority, period: _Period) -> None:
    make_directory(layout.gateway)
    key = generate_key("ES256")
    # Client use too, because the health probe calls with the gateway's own certificate.
    usage = [SERVER_AUTH, CLIENT_AUTH]
    certificate = tls.issue(
        key,
        common_name="gateway",
        names=_gateway_names(),
        now=period.start,
        validity=period.validity,
        extended_usage=usage,
    )
    write_key(layout.gateway_tls_key, key)
    write_certificate(layout.gateway_tls_certificate, certificate)
    key = generate_key("EdDSA")
    names = [x509.UniformResourceIdentifier(GATEWAY_URI)]
    certificate = signing.issue(
        key, common_name="gateway receipts", names=names, now=period.start, validity=period.validity
    )
    write_key(layout.receipt_key, key)
    write_certificate(layout.receipt_certificate, certificate)
    write_new(layout.pseudonym_key, secrets.token_bytes(32))
    write_new(layout.master_key, secrets.token_bytes(32))


def _make_agency(layout: PkiLayout, identity: Identity, tls: Authority, signing: Authority, period: _Period) -> None:
    files = layout.agency(identity.agency)
    make_directory(files.directory)
    names = [x509.UniformResourceIdentifier(identity.agency.uri)]
    key = generate_key("ES256")
    certificate = tls.issue(
        key,
        common_name=identity.name,
        names=names,
        now=period.start,
        validity=period.validity,
        extended_usage=[CLIENT_AUTH],
    )
    write_key(files.tls_key, key)
    write_certificate(files.tls_certificate, certificate)
    key = generate_key(identity.signing_algorithm)
    certificate = signing.issue(key, common_name=identity.name, names=names, now=period.start, validity=period.validity)
    write_key(files.sign_key, key)
    write_certificate(files.sign_certificate, certificate)
    write_certificate(layout.registered_certificate(identity.agency), certificate)


def _sm2_authority(layout: PkiLayout, period: _Period) -> Authority:
    """The CA of SM2 keys; the first CA in the file stays the one that the gateway's receipts are checked against."""
    authority = _authority(layout.root, "signing-ca-sm2", "Fast-track development SM2 signing CA", period, "SM2SM3")
    add_certificate(layout.signing_ca, authority.certificate)
    return authority


def make_pki(
    out: Path,
    *,
    now: datetime,
    validity: timedelta = VALIDITY,
    agencies: Sequence[str] | None = None,
    sm2: Sequence[str] = (),
) -> PkiLayout:
    """Make a development PKI, or add agencies to one that exists.

    Args:
        out: folder; its CAs and gateway are made if they are not there yet, else used.
        now: aware time from which the certificates are valid (less five minutes).
        validity: for how long; 90 days unless somebody needs another time.
        agencies: short forms such as ``ps:110108``; None for all of ``identities.toml``.
        sm2: those of them whose signing key is SM2 below an SM2 CA, whatever ``identities.toml`` says.

    Returns:
        where everything lies.

    Raises:
        FileExistsError: an agency has a key already; nothing was written.
        ValueError: an agency is not in ``identities.toml``, or one of ``sm2`` is not made; nothing was written.
        GatewayError: ALGORITHM_UNAVAILABLE when SM2 is asked for and this machine cannot do it; nothing was written.
    """
    layout, period = PkiLayout(out), _Period(now, validity)
    known = {str(identity.agency): identity for identity in load_identities()}
    wanted = list(known) if agencies is None else list(dict.fromkeys(agencies))
    for name in wanted:
        if name not in known:
            raise ValueError(f"{name} is not an agency of certs/identities.toml; it has: {', '.join(known)}")
        files = layout.agency(name)
        for path in (files.tls_key, files.sign_key, layout.registered_certificate(name)):
            if path.exists():
                raise FileExistsError(f"{path} exists and is not overwritten; choose another folder or remove it")
    for name in sm2:
        if name not in wanted:
            raise ValueError(f"{name} is to have an SM2 key, but is not among the agencies that are made")
    if sm2:
        require_sm2()
    for directory in (out, layout.signers, layout.signers / "registered", layout.signers / "revoked", out / "agency"):
        make_directory(directory)
    tls = _authority(out, "tls-ca", "Fast-track development TLS CA", period)
    signing = _authority(out, "signing-ca", "Fast-track development signing CA", period)
    if not layout.gateway.exists():
        _make_gateway(layout, tls, signing, period)
    for name in wanted:
        if name in sm2:
            identity = replace(known[name], signing_algorithm="SM2SM3")
            _make_agency(layout, identity, tls, _sm2_authority(layout, period), period)
        else:
            _make_agency(layout, known[name], tls, signing, period)
    return layout
