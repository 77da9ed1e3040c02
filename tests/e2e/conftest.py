"""One gateway for each module of end-to-end tests, and files to send through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.ledger.embedded import EmbeddedPostgres
from tests.support.gateway import RunningGateway, running_gateway


@pytest.fixture(scope="module")
def gateway(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """One gateway process for this module."""
    with running_gateway(postgres_server, migrated_template, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway
