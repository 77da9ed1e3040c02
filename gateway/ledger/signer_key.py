"""Signer keys as the ledger has them: the entries, and the certificates beside them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

from gateway.core.entry import Entry, from_leaf
from gateway.ledger.connection import fetch
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("key")


class KeyRecord(NamedTuple):
    """An entry about a signer key.

    Args:
        entry: ``key_registered`` or ``key_revoked``.
        certificate: DER as stored beside it; nobody has compared it with the entry yet. Empty when it is missing.
    """

    entry: Entry
    certificate: bytes


class KeyStore:
    """Reads what came into force.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway`` or ``fasttrack_oversight``.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def keys(self, after: int = -1) -> list[KeyRecord]:
        """Read the entries about signer keys.

        Args:
            after: index; only later entries are read.

        Returns:
            them, by index.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["key_entries"], after)
        return [KeyRecord(from_leaf(row["leaf"]), row["certificate"] or b"") for row in rows]

    async def registrations(self) -> list[Entry]:
        """Read which rule sets and adapters came into force, by index.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        return [from_leaf(row["leaf"]) for row in await fetch(self._pool, _SQL["registrations"])]

    async def origin(self) -> str:
        """Read the name of the log; "" for an empty ledger.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["origin"])
        return from_leaf(rows[0]["leaf"]).origin if rows else ""
