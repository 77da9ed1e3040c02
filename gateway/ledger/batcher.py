"""The batcher: the one place of a process that appends to the ledger.

It takes whatever waits (no timer), decides each act on the state read under the ledger's lock, extends the Merkle tree
and commits all in one transaction; only then anybody gets an answer. A commit whose outcome is unknown is looked up,
never guessed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, Final

import asyncpg

from gateway.core.entry import SALT_BYTES
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.handoff import Command
from gateway.core.merkle import TileEdge
from gateway.core.ports import Appended, Clock
from gateway.ledger.draft import Draft, Recorded, Written
from gateway.ledger.failure import is_unavailable
from gateway.ledger.head import Heads, read_edge, read_heads
from gateway.ledger.statement import load_statements

Sign = Callable[[dict[str, str | int]], str]
"""Makes the receipt, a compact JWS, of its claims."""

_SQL: Final = load_statements("append")
_RETRY_AFTER_SECONDS: Final = 1.0
_CONNECT_SECONDS: Final = 5.0
_SETTLE_SECONDS: Final = 10.0
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Item:
    command: Command
    answer: asyncio.Future[Appended]


_Outcome = Written | Recorded | GatewayError


class _CommitUnknownError(Exception):
    """The connection was lost after COMMIT had been sent."""


class Batcher:
    """Appends entries in batches, one transaction each; implements ``LedgerWriter``.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``; one of its connections is held all the time.
        origin: name of the log.
        clock: gives the gateway time.
        sign: makes a receipt; it runs on the event loop while the database inserts.
        max_batch: entries in one transaction.
        max_queue: acts that may wait.
        salt: gives random bytes.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        *,
        origin: str,
        clock: Clock,
        sign: Sign,
        max_batch: int = 256,
        max_queue: int = 4096,
        salt: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._pool = pool
        self._origin = origin
        self._clock = clock
        self._sign = sign
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._salt = salt
        self._queue: deque[_Item] = deque()
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_closing = False
        self._connection: Any = None
        self._edge = TileEdge()

    async def start(self) -> None:
        """Start to work; a database that is not there yet is tried again with every batch."""
        if self._worker is None:
            self._is_closing = False
            self._worker = asyncio.create_task(self._run(), name="ledger batcher")

    async def stop(self) -> None:
        """Refuse new acts, commit and answer all that were accepted, then let the connection go."""
        self._is_closing = True
        self._wake.set()
        if self._worker is not None:
            await self._worker
            self._worker = None
        await self._drop_connection()

    async def append(self, command: Command) -> Appended:
        """Append one act and wait until it is committed; a caller that gives up does not stop its act.

        Args:
            command: the act.

        Returns:
            the committed entry, or the one that recorded the same act before.

        Raises:
            GatewayError: what ``decide_act`` refuses; BUNDLE_ID_REUSED, ACT_ID_REUSED or IDEMPOTENCY_KEY_REUSED for an
                id that stands for other content; QUEUE_FULL; LEDGER_UNAVAILABLE, also when nobody can say whether the
                act was committed (the same act id asked again will tell); SHUTTING_DOWN; INTERNAL.
        """
        if self._is_closing or self._worker is None:
            raise _later(ErrorCode.SHUTTING_DOWN, "this gateway takes no more acts")
        if len(self._queue) >= self._max_queue:
            raise _later(ErrorCode.QUEUE_FULL, "too many acts wait for the ledger")
        item = _Item(command, asyncio.get_running_loop().create_future())
        self._queue.append(item)
        self._wake.set()
        return await item.answer

    async def _run(self) -> None:
        while True:
            if not self._queue:
                if self._is_closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._process([self._queue.popleft() for _ in range(min(self._max_batch, len(self._queue)))])

    async def _process(self, items: list[_Item]) -> None:
        try:
            await self._attempt(items)
        except _CommitUnknownError:
            await self._drop_connection()
            await self._settle(items)
        except Exception as error:
            if is_unavailable(error, self._connection):
                await self._drop_connection()
                _log.warning("the ledger cannot be reached", extra={"error": type(error).__name__})
                _refuse_all(items, _later(ErrorCode.LEDGER_UNAVAILABLE, "the ledger cannot be reached"))
                return
            await self._roll_back()
            if len(items) > 1:
                # One of them is poison; alone it fails alone.
                _log.warning("a batch failed and is tried one by one", extra={"error": type(error).__name__})
                for item in items:
                    await self._process([item])
            else:
                _log.error("an act could not be recorded", extra={"error": type(error).__name__})
                _refuse_all(items, refuse(ErrorCode.INTERNAL, message="the act could not be recorded"))

    async def _attempt(self, items: list[_Item]) -> None:
        """Write a batch; once more on a new connection when the one at hand turns out to be dead before COMMIT."""
        is_fresh = self._connection is None
        try:
            await self._write(items)
        except _CommitUnknownError:
            raise
        except Exception as error:
            if is_fresh or not is_unavailable(error, self._connection):
                raise
            await self._drop_connection()
            await self._write(items)

    async def _write(self, items: list[_Item]) -> None:
        connection = await self._connect()
        await connection.execute(_SQL["begin"])
        heads = await read_heads(connection, [item.command for item in items])
        edge = self._edge
        if edge.size != heads.size:
            edge = await read_edge(connection, heads.size)
        draft = self._draft(heads, edge)
        outcomes = [self._decide(draft, item.command) for item in items]
        receipts: dict[int, str] = {}
        replayed = await self._replayed(connection, items, outcomes)
        if draft.written:
            receipts = await self._insert(connection, draft)
            await self._commit(connection)
            self._edge = draft.edge
        else:
            await connection.execute("ROLLBACK")
        entries = {
            written.index: Appended(
                written.index, written.leaf, written.leaf_hash, draft.at, receipts.get(written.index, "")
            )
            for written in draft.written
        }
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, GatewayError):
                _refuse_all([item], outcome)
            elif isinstance(outcome, Written):
                _answer(item, entries[outcome.index])
            else:
                _answer(item, replace(replayed.get(outcome.index) or entries[outcome.index], is_replay=True))

    def _draft(self, heads: Heads, edge: TileEdge) -> Draft:
        now = self._clock().astimezone(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        # A copy: this batch may still fail, and the next one must then start from what is committed.
        return Draft(self._origin, max(now, heads.recorded_at), heads, TileEdge(edge.size, edge.rows))

    def _decide(self, draft: Draft, command: Command) -> _Outcome:
        try:
            return draft.add(command, self._salt(SALT_BYTES))
        except GatewayError as refusal:
            return refusal
        except Exception as error:
            _log.exception("an act could not be decided", extra={"error": type(error).__name__})
            return refuse(ErrorCode.INTERNAL, message="the act could not be decided")

    async def _insert(self, connection: Any, draft: Draft) -> dict[int, str]:
        write = asyncio.ensure_future(connection.execute(_SQL["write"], *draft.arguments()))
        try:
            # Lets the statement go out: the database works while receipts are signed here.
            await asyncio.sleep(0)
            receipts = {index: self._sign(claims) for index, claims in draft.claims()}
        except BaseException:
            with contextlib.suppress(Exception):
                await write
            raise
        await write
        if receipts:
            await connection.execute(_SQL["receipts"], list(receipts), list(receipts.values()))
        return receipts

    async def _commit(self, connection: Any) -> None:
        try:
            await connection.execute("COMMIT")
        except Exception as error:
            _log.warning("the outcome of a commit is unknown", extra={"error": type(error).__name__})
            raise _CommitUnknownError from error

    async def _replayed(
        self, connection: Any, items: Sequence[_Item], outcomes: Sequence[_Outcome]
    ) -> dict[int, Appended]:
        commands = [
            item.command for item, outcome in zip(items, outcomes, strict=True) if isinstance(outcome, Recorded)
        ]
        return {found.index: found for _, found in await _recorded(connection, commands)} if commands else {}

    async def _settle(self, items: Sequence[_Item]) -> None:
        """Answer a batch whose COMMIT got no answer: what is in the ledger is there, the rest may be asked again."""
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                found = await self._look_up(items)
        except Exception as error:
            _log.warning("a commit of unknown outcome could not be looked up", extra={"error": type(error).__name__})
            found = {}
        for item in items:
            if (appended := found.get((item.command.act_id, str(item.command.actor)))) is not None:
                _answer(item, appended)
            else:
                _refuse_all([item], _later(ErrorCode.LEDGER_UNAVAILABLE, "the ledger was lost; ask again"))

    async def _look_up(self, items: Sequence[_Item]) -> dict[Any, Appended]:
        while True:
            try:
                connection = await self._connect()
                # The lock is free only when the lost transaction is over, one way or the other.
                await connection.execute(_SQL["begin"])
                rows = await _recorded(connection, [item.command for item in items])
                await connection.execute("ROLLBACK")
            except Exception as error:
                is_gone = is_unavailable(error, self._connection)
                await self._drop_connection()
                if not is_gone:
                    raise
                await asyncio.sleep(0.1)
            else:
                asked = {(item.command.act_id, str(item.command.actor)): item.command for item in items}
                return {act: found for (act, content), found in rows if asked[act].content_sha256 == content}

    async def _connect(self) -> Any:
        if self._connection is None:
            connection = await self._pool.acquire(timeout=_CONNECT_SECONDS)
            self._connection = connection
            self._edge = TileEdge()
            await connection.execute(_SQL["settings"])
        return self._connection

    async def _roll_back(self) -> None:
        try:
            if self._connection is not None:
                await self._connection.execute("ROLLBACK")
        except Exception:
            await self._drop_connection()

    async def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()
            with contextlib.suppress(Exception):
                await self._pool.release(connection)


async def _recorded(connection: Any, commands: Sequence[Command]) -> list[tuple[tuple[Any, str], Appended]]:
    rows = await connection.fetch(
        _SQL["recorded"], [command.act_id for command in commands], [str(command.actor) for command in commands]
    )
    return [
        (
            ((row["act_id"], row["actor"]), row["content_sha256"].hex()),
            Appended(row["seq"], row["leaf"], row["leaf_hash"], row["recorded_at"].astimezone(UTC), row["jws"]),
        )
        for row in rows
    ]


def _later(code: ErrorCode, message: str) -> GatewayError:
    return GatewayError(Finding(code, message=message), retry_after_seconds=_RETRY_AFTER_SECONDS)


def _answer(item: _Item, appended: Appended) -> None:
    if not item.answer.done():
        item.answer.set_result(appended)


def _refuse_all(items: Sequence[_Item], error: GatewayError) -> None:
    for item in items:
        if not item.answer.done():
            # One exception object for each caller: they run at the same time and each adds its traceback.
            item.answer.set_exception(GatewayError(error.findings, retry_after_seconds=error.retry_after_seconds))
