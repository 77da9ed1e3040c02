"""An agency that signs with SM2, over the wire: beside the others, accepted alike and refused alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from certs.pki import make_pki
from gateway.core.errors import ErrorCode
from gateway.ledger.embedded import EmbeddedPostgres
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number, parts_of
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.pki import Issued
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import OVERSIGHT, Desk, Refused

POLICE, PROCURATORATE = "ps:110108", "pr:110108"


@pytest.fixture(scope="module")
def gateway(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """A gateway where one police agency has an SM2 key, below an SM2 CA."""
    home = tmp_path_factory.mktemp("sm2")
    pki = make_pki(home / "pki", now=datetime.now(UTC), agencies=[POLICE, PROCURATORATE, OVERSIGHT], sm2=[POLICE])
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        role = postgres_server.dsn(name, user=GATEWAY_ROLE)
        with RunningGateway(pki, postgres_server.dsn(name), role, home / "gateway") as running:
            yield running


@pytest.fixture
def signer(gateway: RunningGateway) -> Issued:
    """The SM2 key of the police agency."""
    files = gateway.pki.agency(POLICE)
    return load_issued(files.sign_certificate, files.sign_key)


async def test_handoff_signed_with_sm2_goes_its_whole_way(gateway: RunningGateway, signer: Issued) -> None:
    """A bundle signed with SM2 is recorded and handed over untouched; receipts are checked as for every other."""
    manifest, jws, record = bundle_of(new_case_number(), signer)
    assert parts_of(jws)[0]["alg"] == "SM2SM3"
    async with Desk(gateway, POLICE) as police, Desk(gateway, PROCURATORATE) as procuratorate:
        await police.upload(PDF)
        await police.submit(jws, record)
        await procuratorate.claim(manifest.bundle_id)
        await procuratorate.fetch(manifest.bundle_id)
        assert (await procuratorate.decide(manifest.bundle_id)).receipt.jws


async def test_signature_of_sm2_over_something_else_is_refused(gateway: RunningGateway, signer: Issued) -> None:
    """A good SM2 signature of another bundle is refused with its code, and leaves nothing but its entry."""
    _, jws, record = bundle_of(new_case_number(), signer)
    _, other, _ = bundle_of(new_case_number(), signer)
    mixed = f"{jws.rpartition('.')[0]}.{other.rpartition('.')[2]}"
    async with Desk(gateway, POLICE) as police, Desk(gateway, OVERSIGHT) as oversight:
        await police.upload(PDF)
        refused = Refused(gateway, oversight)
        await refused(police, police.submit(mixed, record), (ErrorCode.SIGNATURE_INVALID, "signature"))
