"""Seals for the benchmarks that append by themselves: a real vault beside the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.ledger.sealed import Sealer
from gateway.vault.master_key import MasterKeys
from gateway.vault.store import open_vault
from tests.support.postgres import make_vault

MASTER_KEY = b"m" * 32


@asynccontextmanager
async def open_sealer(dsn: str, origin: str, master_key: bytes = MASTER_KEY) -> AsyncIterator[Sealer]:
    """Open the vault that belongs to a database, and make it when it is not there.

    Args:
        dsn: of the ledger's database, as superuser.
        origin: name of the log.
        master_key: wraps the keys of the cases; a gateway on the same ledger must have it.

    Yields:
        seals that every entry of the benchmark is written with.
    """
    async with open_vault(make_vault(dsn), MasterKeys(master_key)) as vault:
        yield Sealer(origin, vault)
