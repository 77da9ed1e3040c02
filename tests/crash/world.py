"""All processes of a sealed log on this machine, each of which can be ended suddenly and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from certs.note import make_note_keys
from certs.pki import make_pki
from gateway.cli.local_process import LocalProcess, local_signer, local_witness
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.ledger.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.postgres import create_database, migrate_database

ORIGIN = "test.invalid/fasttrack"
WITNESSES = ("ps:110108", "pr:110108", "ov:110000")
DATABASE = "crash"
SIGNER_SECONDS = 0.1
_END_SECONDS = 10.0


class LastingPostgres(EmbeddedPostgres):
    """A server whose addresses stay right when it is started again: one TCP port for all its lives."""

    def __init__(self, data_dir: Path) -> None:
        self._lasting_port = _free_port()
        # Synchronised writes stay on, as they are by default: the killed server must find all that it confirmed.
        super().__init__(data_dir, {"port": str(self._lasting_port), "max_connections": "60"})

    def dsn(self, database: str, user: str = "postgres") -> str:
        """Address of a database."""
        return f"postgresql://{user}@127.0.0.1:{self._lasting_port}/{database}"


class Victim(StrEnum):
    """What is ended suddenly."""

    GATEWAY = "gateway"
    SIGNER = "signer"
    WITNESS = "witness"
    POSTGRES = "postgres"


@dataclass(slots=True)
class World:
    """A log at work.

    Args:
        folder: of everything.
        postgres: the server.
        gateway: running.
        policy: two of three witnesses.
        signer: running.
        witnesses: running.
    """

    folder: Path
    postgres: LastingPostgres
    gateway: RunningGateway
    policy: WitnessPolicy
    signer: LocalProcess
    witnesses: list[LocalProcess]

    def kill(self, victim: Victim, number: int) -> None:
        """End a process at once: SIGKILL, or for PostgreSQL the immediate stop, after which it must recover.

        Args:
            victim: which.
            number: which of the witnesses.
        """
        if victim is Victim.POSTGRES:
            os.kill(self.postgres.pid, signal.SIGQUIT)
            _wait_until_ended(self.postgres)
        else:
            self._process(victim, number).kill()

    def restart(self, victim: Victim, number: int) -> None:
        """Start again what was killed, and wait until it is ready."""
        if victim is Victim.POSTGRES:
            self.postgres.start(self.folder / "postgres")
        else:
            self._process(victim, number).start()

    def _process(self, victim: Victim, number: int) -> LocalProcess | RunningGateway:
        if victim is Victim.GATEWAY:
            return self.gateway
        return self.signer if victim is Victim.SIGNER else self.witnesses[number % len(self.witnesses)]


@contextmanager
def open_world() -> Iterator[World]:
    """Start everything, and on leaving end and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="fasttrack-crash-"))
    folder.chmod(0o755)
    postgres = LastingPostgres(folder / "postgres")
    processes: list[LocalProcess] = []
    try:
        pki = make_pki(folder / "pki", now=datetime.now(UTC))
        policy = make_note_keys(pki, origin=ORIGIN, witnesses=WITNESSES, quorum=2)
        with postgres:
            create_database(postgres, DATABASE)
            dsn = postgres.dsn(DATABASE)
            migrate_database(dsn)
            with RunningGateway(pki, dsn, postgres.dsn(DATABASE, GATEWAY_ROLE), folder / "gateway") as gateway:
                home = folder / "seal"
                signer_url = postgres.dsn(DATABASE, "fasttrack_signer")
                signer = local_signer(pki, signer_url, home, origin=ORIGIN, interval_seconds=SIGNER_SECONDS)
                witnesses = [
                    local_witness(pki, gateway.target, home, origin=ORIGIN, agency=agency) for agency in WITNESSES
                ]
                processes += [signer, *witnesses]
                with ThreadPoolExecutor(len(processes)) as starters:
                    list(starters.map(lambda process: process.start("--init"), processes))
                try:
                    yield World(folder, postgres, gateway, policy, signer, witnesses)
                finally:
                    for process in processes:
                        process.kill()
    finally:
        for process in processes:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ended(server: EmbeddedPostgres) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        try:
            _ = server.pid
        except EmbeddedPostgresError:
            return
        time.sleep(0.005)
    raise EmbeddedPostgresError("the server did not end at once")
