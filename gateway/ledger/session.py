"""One connection of the batcher: the steps of an append, and what to do when the connection dies in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from gateway.core.command import Command
from gateway.core.log.merkle_tile import TileEdge
from gateway.core.port.ledger import Appended
from gateway.ledger.draft import Draft
from gateway.ledger.failure import is_unavailable
from gateway.ledger.head import Heads, read_edge, read_heads
from gateway.ledger.receipt import to_appended
from gateway.ledger.sealed import Seals
from gateway.ledger.statement import load_statements
from gateway.telemetry import log_event

_SQL: Final = load_statements("append")
_CONNECT_SECONDS: Final = 5.0
_RECONNECT_SECONDS: Final = 0.1
_log = logging.getLogger(__name__)


class CommitUnknownError(Exception):
    """The connection was lost while a batch was being committed."""


class Session:
    """Holds one connection of a pool for as long as it lives, and takes another when that is dropped.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool
        self._connection: Any = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection at hand; it may be dead without anybody having noticed."""
        return self._connection is not None

    def is_lost_by(self, error: BaseException) -> bool:
        """Whether an error means that the database cannot be used over this connection."""
        return is_unavailable(error, self._connection)

    async def begin(self) -> None:
        """Begin a transaction and wait for the ledger's lock."""
        await (await self._connect()).execute(_SQL["begin"])

    async def heads(self, commands: Sequence[Command]) -> Heads:
        """Read what the commands start from; outside a transaction it is what was committed a moment ago."""
        return await read_heads(await self._connect(), commands)

    async def edge(self, size: int) -> TileEdge:
        """Read the tiles in the making of a tree of a size."""
        return await read_edge(await self._connect(), size)

    async def write(self, draft: Draft, receipt: str, seals: Seals) -> None:
        """Write a draft with its receipt; outside a transaction this commits it.

        Args:
            draft: at least one entry.
            receipt: JWS of the batch; "" when nobody is owed a receipt.
            seals: of the cases whose content the draft has.

        Raises:
            CommitUnknownError: the connection was lost, and the entries may be there or not.
        """
        connection = await self._connect()
        arguments = draft.arguments(receipt, seals)
        try:
            await connection.execute(_SQL["write"], *arguments)
        except Exception as error:
            if not self.is_lost_by(error):
                raise
            log_event(_log, logging.WARNING, "the outcome of a write is unknown", reason=type(error).__name__)
            raise CommitUnknownError from error

    async def commit(self) -> None:
        """Commit.

        Raises:
            CommitUnknownError: no answer came; the entries may be there or not.
        """
        try:
            await self._connection.execute("COMMIT")
        except Exception as error:
            log_event(_log, logging.WARNING, "the outcome of a commit is unknown", reason=type(error).__name__)
            raise CommitUnknownError from error

    async def roll_back(self) -> None:
        """End the transaction without a trace; a connection that cannot is dropped."""
        if self._connection is None:
            return
        try:
            await self._connection.execute("ROLLBACK")
        except Exception as error:
            log_event(_log, logging.WARNING, "a rollback failed", reason=type(error).__name__)
            await self.drop()

    async def recorded(self, commands: Sequence[Command]) -> dict[tuple[UUID, str], tuple[str, Appended]]:
        """Read acts that are in the ledger.

        Args:
            commands: the acts, by act id and actor.

        Returns:
            content digest and entry of those that are there, by act id and actor.
        """
        if not commands:
            return {}
        connection = await self._connect()
        rows = await connection.fetch(
            _SQL["recorded"], [command.act_id for command in commands], [str(command.actor) for command in commands]
        )
        return {
            (row["act_id"], row["actor"]): (
                row["content_sha256"].hex(),
                to_appended(row),
            )
            for row in rows
        }

    async def look_up(self, commands: Sequence[Command]) -> dict[tuple[UUID, str], tuple[str, Appended]]:
        """Find out, on a new connection, what a lost transaction left; tries until the database is there.

        Args:
            commands: the acts of the lost transaction.

        Returns:
            as ``recorded``.
        """
        await self.drop()
        while True:
            try:
                # The lock is free only when the lost transaction is over, one way or the other.
                await self.begin()
                found = await self.recorded(commands)
                await self.roll_back()
            except Exception as error:
                is_lost = self.is_lost_by(error)
                await self.drop()
                if not is_lost:
                    raise
                await asyncio.sleep(_RECONNECT_SECONDS)
            else:
                return found

    async def drop(self) -> None:
        """Let the connection go; a transaction on it is rolled back by the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()
            with contextlib.suppress(Exception):
                await self._pool.release(connection)

    async def _connect(self) -> Any:
        if self._connection is None:
            self._connection = await self._pool.acquire(timeout=_CONNECT_SECONDS)
            await self._connection.execute(_SQL["settings"])
        return self._connection
