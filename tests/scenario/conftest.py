"""A world for each scenario: its own database, gateway and clock; the certificates are made once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.layout import PkiLayout
from certs.pki import make_pki
from gateway.ledger.embedded import EmbeddedPostgres
from tests.scenario.world import Cast, opened_world
from tests.support.gateway import GATEWAY_ROLE
from tests.support.postgres import create_database, database_dropped, make_vault


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PkiLayout:
    """Certificates that are valid on every day of the scenarios, and today."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return make_pki(tmp_path_factory.mktemp("scenario") / "pki", now=start, validity=timedelta(days=365 * 40))


@pytest.fixture
async def cast(
    pki: PkiLayout, postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path: Path
) -> AsyncIterator[Cast]:
    """A gateway of the scenario's own with its agencies."""
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=migrated_template)
        vault_url = make_vault(postgres_server.dsn(name))
        async with opened_world(pki, postgres_server.dsn(name, user=GATEWAY_ROLE), vault_url, tmp_path) as cast:
            yield cast
