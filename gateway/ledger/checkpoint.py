"""Checkpoints and cosignatures in the database; implements ``SealLedger`` for the signer and ``Checkpoints``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import Any, Final

import asyncpg

from gateway.core.log.merkle import EMPTY_ROOT
from gateway.core.port.ledger import StoredEntry, TreeHead
from gateway.core.port.seal import StoredCheckpoint
from gateway.ledger.connection import fetch
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("checkpoint")
_PAGE: Final = 2_000
"""Leaves read at once: at most 8 MB."""


def _to_checkpoint(row: Any) -> StoredCheckpoint:
    return StoredCheckpoint(row["size"], row["note"].encode("utf-8"), row["signed_at"].astimezone(UTC))


class SignerLedger:
    """The ledger as its signer sees it.

    Args:
        pool: asyncpg pool of the role ``fasttrack_signer``.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def head(self) -> TreeHead:
        """Read what the ledger states about its tree.

        Returns:
            size and root; the empty tree before the first entry.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["head"])
        return TreeHead(*rows[0]) if rows else TreeHead(0, EMPTY_ROOT)

    async def leaves(self, start: int, stop: int) -> AsyncIterator[StoredEntry]:
        """Read entries.

        Args:
            start: first index.
            stop: index after the last.

        Yields:
            those that are there, by index.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        for first in range(start, stop, _PAGE):
            for row in await fetch(self._pool, _SQL["leaves"], first, min(first + _PAGE, stop)):
                yield StoredEntry(*row)

    async def last_checkpoint(self) -> StoredCheckpoint | None:
        """Read the last checkpoint of the largest size; None when nothing was ever signed.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["last_checkpoint"])
        return _to_checkpoint(rows[0]) if rows else None

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Store a checkpoint and wake whoever waits for one.

        Args:
            checkpoint: as it was signed.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        note = checkpoint.note.decode("utf-8")
        await fetch(self._pool, _SQL["add_checkpoint"], checkpoint.size, checkpoint.signed_at, note)


class CheckpointStore:
    """Checkpoints and cosignatures as gateway and oversight see them.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``, or of ``fasttrack_oversight`` to read only.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def latest(self) -> StoredCheckpoint | None:
        """Read the last checkpoint of the largest size; None when nothing was signed yet.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["last_seen"])
        return _to_checkpoint(rows[0]) if rows else None

    async def of_size(self, size: int) -> bytes | None:
        """Read the signed note of a size; None when that size was not signed.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["checkpoint"], size)
        return rows[0]["note"].encode("utf-8") if rows else None

    async def cosignatures(self, size: int, witnesses: Sequence[str]) -> list[str]:
        """Read the newest cosignature of each witness.

        Args:
            size: of the checkpoint.
            witnesses: names of keys; none for all.

        Returns:
            signature lines with their newline, by name.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        return [row["line"] for row in await fetch(self._pool, _SQL["cosignatures"], size, list(witnesses))]

    async def cosigned_size(self, witness: str) -> int:
        """Read the largest size that a witness cosigned; 0 for none.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["witness_size"], witness)
        return rows[0]["size"] if rows else 0

    async def quorum_size(self, witnesses: Sequence[str], quorum: int) -> int:
        """Read the largest size that enough witnesses cosigned.

        Args:
            witnesses: names of keys.
            quorum: how many of them.

        Returns:
            the size; 0 for none.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["quorum_sizes"], list(witnesses), quorum)
        return rows[0]["size"] if rows else 0

    async def add_cosignature(self, size: int, witness: str, timestamp: int, line: str) -> None:
        """Store a cosignature and wake whoever waits for one; without effect when it is there.

        Args:
            size: of the checkpoint.
            witness: name of the key.
            timestamp: of the cosignature, seconds since 1970.
            line: the signature line with its newline.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        await fetch(self._pool, _SQL["add_cosignature"], size, witness, timestamp, line)
