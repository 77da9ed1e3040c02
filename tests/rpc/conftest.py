"""One real gateway for all tests over the wire; every test takes cases of its own, so none disturbs another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.layout import load_authority, write_certificate
from certs.pki import make_pki
from gateway.ledger.embedded import EmbeddedPostgres
from tests.support.bundle import PDF, load_issued
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.pki import Issued, issue
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import OVERSIGHT, Desk, Refused


@dataclass(frozen=True, slots=True)
class Signers:
    """Signing certificates of ps:110108 and of others, right ones and odd ones; all are issued by the signing CA.

    Args:
        police: the right one.
        other_police: the right one of ps:110105, ES256.
        procuratorate: the right one of pr:110108.
        expired: registered, but its time is over.
        revoked: registered once, now revoked.
        unregistered: nobody registered it.
        early: registered, but its time is yet to come.
    """

    police: Issued
    other_police: Issued
    procuratorate: Issued
    expired: Issued
    revoked: Issued
    unregistered: Issued
    early: Issued


def _make_signers(gateway: RunningGateway) -> Signers:
    pki = gateway.pki
    authority = load_authority(pki.signing_ca, pki.signing_ca.with_suffix(".key"))
    now = datetime.now(UTC)

    def known(agency: str) -> Issued:
        files = pki.agency(agency)
        return load_issued(files.sign_certificate, files.sign_key)

    def registered(name: str, not_before: datetime, folder: str = "registered") -> Issued:
        issued = issue(authority, "ps:110108", not_before=not_before, validity=timedelta(days=1))
        write_certificate(pki.signers / folder / f"{name}.crt", issued.certificate)
        return issued

    return Signers(
        police=known("ps:110108"),
        other_police=known("ps:110105"),
        procuratorate=known("pr:110108"),
        expired=registered("expired", now - timedelta(days=2)),
        revoked=registered("gone", now, "revoked"),
        unregistered=issue(authority, "ps:110108", not_before=now),
        early=registered("early", now + timedelta(days=2)),
    )


async def _upload(gateway: RunningGateway) -> None:
    for agency in ("ps:110108", "ps:110105"):
        async with Desk(gateway, agency) as desk:
            await desk.upload(PDF)


@pytest.fixture(scope="session")
def wired(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningGateway, Signers]]:
    """Run a gateway that knows the odd signers, with the test document uploaded by both police agencies."""
    home: Path = tmp_path_factory.mktemp("wire")
    pki = make_pki(home / "pki", now=datetime.now(UTC))
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        gateway = RunningGateway(
            pki, postgres_server.dsn(name), postgres_server.dsn(name, user=GATEWAY_ROLE), home / "gateway"
        )
        signers = _make_signers(gateway)
        with gateway:
            asyncio.run(_upload(gateway))
            yield gateway, signers


@pytest.fixture(scope="session")
def gateway(wired: tuple[RunningGateway, Signers]) -> RunningGateway:
    """The gateway."""
    return wired[0]


@pytest.fixture(scope="session")
def signers(wired: tuple[RunningGateway, Signers]) -> Signers:
    """The signers."""
    return wired[1]


@pytest.fixture
async def police(gateway: RunningGateway) -> AsyncIterator[Desk]:
    """Desk of ps:110108."""
    async with Desk(gateway, "ps:110108") as desk:
        yield desk


@pytest.fixture
async def procuratorate(gateway: RunningGateway) -> AsyncIterator[Desk]:
    """Desk of pr:110108."""
    async with Desk(gateway, "pr:110108") as desk:
        yield desk


@pytest.fixture
async def court(gateway: RunningGateway) -> AsyncIterator[Desk]:
    """Desk of ct:110108, a third party to a transfer."""
    async with Desk(gateway, "ct:110108") as desk:
        yield desk


@pytest.fixture
async def oversight(gateway: RunningGateway) -> AsyncIterator[Desk]:
    """Desk of ov:110000."""
    async with Desk(gateway, OVERSIGHT) as desk:
        yield desk


@pytest.fixture
def refused(gateway: RunningGateway, oversight: Desk) -> Refused:
    """Asserts that a call is refused as documented and leaves nothing but its entry."""
    return Refused(gateway, oversight)
