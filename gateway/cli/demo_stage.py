"""Everything the demo needs on this machine, in one temporary folder, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import asyncpg

from certs.layout import PkiLayout
from certs.note import make_note_keys
from certs.pki import make_pki
from gateway.cli.connection import ConnectionSettings
from gateway.cli.local_gateway import LocalGateway
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.ledger.migrate import migrate
from gateway.vault.store import init_vault

_T = TypeVar("_T")
DATABASE: Final = "fasttrack"
VAULT_DATABASE: Final = "fasttrack_vault"
GATEWAY_ROLE: Final = "fasttrack_gateway"
SIGNER_ROLE: Final = "fasttrack_signer"
VAULT_ROLE: Final = "fasttrack_vault"
ORIGIN: Final = "localhost/fasttrack"
WITNESSES: Final = ("ps:110108", "pr:110108", "ov:110000")
QUORUM: Final = 2
CALLERS: Final = ("ps:110108", "pr:110108", "ct:110108", "ja:110108", "ov:110000")


@dataclass(frozen=True, slots=True)
class Stage:
    """A running gateway with its five callers.

    Args:
        home: temporary folder.
        pki: certificates and keys.
        target: host:port.
        signer_database_url: the database as the role of the signer.
    """

    home: Path
    pki: PkiLayout
    target: str
    signer_database_url: str

    def profile(self, agency: str) -> Path:
        """Folder of an agency's files.

        Args:
            agency: short form.

        Returns:
            what ``--profile`` takes.
        """
        return self.pki.agency(agency).directory

    def settings(self, agency: str) -> ConnectionSettings:
        """Connection of an agency.

        Args:
            agency: short form.

        Returns:
            its settings.
        """
        return ConnectionSettings(target=self.target).with_profile(self.profile(agency))


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Start PostgreSQL, make the PKI, migrate, start the gateway; on leaving stop and remove everything.

    Yields:
        the stage.

    Raises:
        EmbeddedPostgresError: PostgreSQL did not start.
        LocalGatewayError: the gateway did not start.
    """
    with tempfile.TemporaryDirectory(prefix="fasttrack-demo-") as folder:
        home = Path(folder)
        postgres = EmbeddedPostgres(home / "postgres")
        gateway: LocalGateway | None = None
        try:
            making = asyncio.create_task(asyncio.to_thread(_make_pki, home / "pki"))
            try:
                await _finished(asyncio.to_thread(postgres.start, home / "postgres"))
                await _prepare(postgres)
            finally:
                pki = await _finished(making)
            gateway = LocalGateway(
                pki,
                postgres.dsn(DATABASE, user=GATEWAY_ROLE),
                postgres.dsn(VAULT_DATABASE, user=VAULT_ROLE),
                home / "gateway",
                origin=ORIGIN,
            )
            target = await _finished(asyncio.to_thread(gateway.start))
            yield Stage(home, pki, target, postgres.dsn(DATABASE, user=SIGNER_ROLE))
        finally:
            if gateway is not None:
                gateway.stop()
            postgres.stop()


async def _finished(work: Awaitable[_T]) -> _T:
    """Wait for a thread also when interrupted: what it is just starting could not be stopped otherwise."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _make_pki(folder: Path) -> PkiLayout:
    pki = make_pki(folder, now=datetime.now(UTC), agencies=CALLERS)
    make_note_keys(pki, origin=ORIGIN, witnesses=WITNESSES, quorum=QUORUM)
    return pki


async def _prepare(postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres.dsn("postgres"))
    try:
        await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        await connection.execute(f'CREATE ROLE "{VAULT_ROLE}" LOGIN')
        await connection.execute(f'CREATE DATABASE "{VAULT_DATABASE}" OWNER "{VAULT_ROLE}"')
    finally:
        await connection.close()
    await migrate(postgres.dsn(DATABASE))
    await init_vault(postgres.dsn(VAULT_DATABASE, user=VAULT_ROLE))
