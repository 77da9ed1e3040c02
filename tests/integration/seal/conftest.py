"""A sealed log: gateway, signer and three witnesses as processes of their own, on a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from certs.layout import PkiLayout
from certs.note import make_note_keys
from certs.pki import make_pki
from gateway.cli.local_process import LocalProcess, local_signer, local_witness
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.rpc.client import GatewayClient
from gateway.rpc.client_call import RetryPolicy
from tests.integration.ledger.act import as_role
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.postgres import create_database, database_dropped
from tests.support.wire import Desk

ORIGIN = "test.invalid/fasttrack"
WITNESSES = ("ps:110108", "pr:110108", "ov:110000")
INTERVAL_SECONDS = 0.1


@dataclass(slots=True)
class SealedLog:
    """The processes of a log, and handoffs to fill it.

    Args:
        gateway: running.
        policy: two of three witnesses.
        home: folder of state files and logs.
        processes: all that were started.
    """

    gateway: RunningGateway
    policy: WitnessPolicy
    home: Path
    processes: list[LocalProcess] = field(default_factory=list)

    def signer(self, home: str = "signer", *, database_url: str = "") -> LocalProcess:
        """A signer with the log's key; it is not started yet."""
        return self._kept(
            local_signer(
                self.gateway.pki,
                as_role(database_url or self.gateway.dsn, "fasttrack_signer"),
                self.home / home,
                origin=ORIGIN,
                interval_seconds=INTERVAL_SECONDS,
            )
        )

    def witness(self, agency: str, *, target: str = "", listen: str = "") -> LocalProcess:
        """The witness of an agency; it is not started yet."""
        return self._kept(
            local_witness(
                self.gateway.pki,
                target or self.gateway.target,
                self.home / "witness",
                origin=ORIGIN,
                agency=agency,
                listen=listen,
            )
        )

    def start_all(self, witnesses: Sequence[str] = WITNESSES) -> tuple[LocalProcess, list[LocalProcess]]:
        """Start signer and witnesses for the first time; two witnesses are a quorum."""
        signer = self.signer().start("--init")
        return signer, [self.witness(agency).start("--init") for agency in witnesses]

    def _kept(self, process: LocalProcess) -> LocalProcess:
        self.processes.append(process)
        return process

    def client(self, agency: str = "ps:110108") -> GatewayClient:
        """A client that knows the policy."""
        client = self.gateway.client(agency, retry=RetryPolicy(attempts=3))
        client.policy = self.policy
        return client

    async def submit(self) -> UUID:
        """Hand something over."""
        files = self.gateway.pki.agency("ps:110108")
        async with Desk(self.gateway, "ps:110108") as desk:
            await desk.upload(PDF)
            signer = load_issued(files.sign_certificate, files.sign_key)
            manifest, jws, record = bundle_of(new_case_number(), signer)
            await desk.submit(jws, record)
        return manifest.bundle_id


def make_log_pki(folder: Path) -> tuple[PkiLayout, WitnessPolicy]:
    """A PKI with note keys."""
    pki = make_pki(folder, now=datetime.now(UTC))
    return pki, make_note_keys(pki, origin=ORIGIN, witnesses=WITNESSES, quorum=2)


@contextmanager
def running_log(server: EmbeddedPostgres, template: str, home: Path) -> Iterator[SealedLog]:
    """Run a gateway whose log can be sealed; whatever is started beside it is stopped at the end."""
    pki, policy = make_log_pki(home / "pki")
    with database_dropped(server) as name:
        create_database(server, name, template=template)
        gateway = RunningGateway(pki, server.dsn(name), server.dsn(name, user=GATEWAY_ROLE), home / "gateway")
        with gateway:
            sealed = SealedLog(gateway, policy, home)
            try:
                yield sealed
            finally:
                for process in sealed.processes:
                    process.stop()


@pytest.fixture
def log(postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path: Path) -> Iterator[SealedLog]:
    """A log of the test's own, of which nobody has signed anything yet."""
    with running_log(postgres_server, migrated_template, tmp_path) as log:
        yield log
