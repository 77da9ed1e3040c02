"""A real gateway for tests: its own process, its own database, mutual TLS with the development PKI.

A test module shares one by a fixture of its own:

    @pytest.fixture(scope="module")
    def gateway(postgres_server, migrated_template, tmp_path_factory):
        with running_gateway(postgres_server, migrated_template, tmp_path_factory.mktemp("gateway")) as gateway:
            yield gateway
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from certs.layout import PkiLayout
from certs.pki import make_pki
from gateway.cli.connection import ConnectionSettings, open_client
from gateway.cli.local_gateway import LocalGateway
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.rpc.client import GatewayClient
from gateway.rpc.client_call import RetryPolicy
from tests.support.postgres import create_database, database_dropped, make_vault

GATEWAY_ROLE = "fasttrack_gateway"


class RunningGateway(LocalGateway):
    """A gateway process with everything a test asks of it: ``target``, ``start``, ``stop``, ``kill``, ``pid``, ``log``.

    Args:
        pki: its certificates and keys; ``pki.agency("ps:110108").directory`` is a profile.
        dsn: its database, as superuser.
        database_url: the same as the gateway's own role.
        home: folder for materials and log.
    """

    def __init__(self, pki: PkiLayout, dsn: str, database_url: str, home: Path) -> None:
        self.vault_url = make_vault(dsn)
        super().__init__(pki, database_url, self.vault_url, home, origin="test.invalid/fasttrack")
        self.pki = pki
        self.dsn = dsn
        self.database_url = database_url
        self.home = home

    def settings(self, agency: str) -> ConnectionSettings:
        """Connection settings of an agency, short form."""
        return ConnectionSettings(target=self.target).with_profile(self.pki.agency(agency).directory)

    def client(self, agency: str, *, retry: RetryPolicy | None = None) -> GatewayClient:
        """A client with the certificates of an agency, for ``async with``."""
        return open_client(self.settings(agency), retry=retry)

    def environ_of(self, agency: str) -> dict[str, str]:
        """What ``fasttrack`` needs in its environment to call as an agency."""
        return {"FASTTRACK_TARGET": self.target, "FASTTRACK_PROFILE": str(self.pki.agency(agency).directory)}


@contextmanager
def running_gateway(server: EmbeddedPostgres, template: str, home: Path) -> Iterator[RunningGateway]:
    """Start a gateway on a fresh copy of the migrated template, and remove both at the end.

    Args:
        server: fixture ``postgres_server``.
        template: fixture ``migrated_template``.
        home: folder of its own.

    Yields:
        the gateway, serving.
    """
    pki = make_pki(home / "pki", now=datetime.now(UTC))
    with database_dropped(server) as name:
        create_database(server, name, template=template)
        gateway = RunningGateway(pki, server.dsn(name), server.dsn(name, user=GATEWAY_ROLE), home / "gateway")
        with gateway:
            yield gateway
