"""The batcher: the one place of a process that appends to the ledger.

It takes what waits (no timer), decides each act on the state it read, extends the Merkle tree and commits all in one
transaction; only then anybody gets an answer. A commit whose outcome is unknown is looked up, never guessed.

Two ways lead to a commit. The *sure way* does everything under the ledger's lock, one batch after the other. The *fast
way* reads, decides and signs the next batch while the database still writes the one before, on the assumption that this
one will be committed and that no other process appends in between; then it writes and commits in one statement. The
primary key of the entries checks the assumption: the first index of a batch is free only if nothing came in between.
Whatever goes wrong on the fast way goes the sure way again; a batch can never be written twice, because its acts and
indices are unique.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC
from math import inf
from typing import Any, Final

import asyncpg

from gateway.core.command import Command
from gateway.core.entry import SALT_BYTES, WITHOUT_RECEIPT
from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.log.batch_receipt import BatchTree, join_receipt
from gateway.core.log.merkle_tile import TileEdge
from gateway.core.port.flow import Clock
from gateway.core.port.ledger import Appended
from gateway.ledger.batch import Batch, Item, Outcome, answer, later, refuse_all
from gateway.ledger.draft import Draft, Recorded, Written
from gateway.ledger.head import Heads
from gateway.ledger.sealed import Sealer
from gateway.ledger.session import CommitUnknownError, Session
from gateway.telemetry import log_event

Sign = Callable[[dict[str, str | int]], str]
"""Signs the claims of a batch; gives the compact JWS."""

_SETTLE_SECONDS: Final = 10.0
_SPLIT: Final = 16
"""From so many acts on, a batch takes half of what is under way, so that two batches alternate."""
_SURE_BATCHES: Final = 64
"""So many batches go the sure way after another process came in between."""
_ROLLED_BACK: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_log = logging.getLogger(__name__)


class Batcher:
    """Appends entries in batches, one transaction each; implements ``LedgerWriter``.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``; two of its connections are held all the time.
        origin: name of the log.
        clock: gives the gateway time.
        sign: signs the claims of a batch; it runs on the event loop.
        max_batch: entries in one transaction.
        max_queue: acts that may wait.
        salt: gives so many random bytes.
        is_ahead: False goes the sure way only.
        observe: told the entries and the seconds of each batch that was committed.
        sealer: seals the content of cases; without one only acts without content are taken.
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
        is_ahead: bool = True,
        observe: Callable[[int, float], None] | None = None,
        sealer: Sealer | None = None,
    ) -> None:
        self._origin = origin
        self._clock = clock
        self._sign = sign
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._salt = salt
        self._observe = observe
        self._sealer = sealer
        self._queue: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_closing = False
        self._write_session = Session(pool)
        self._read_session = Session(pool)
        self._edge = TileEdge()
        self._sure_batches: float = 0 if is_ahead else inf
        # The batch that is being written on the fast way, and whether it was committed there.
        self._ahead: tuple[Batch, asyncio.Task[bool]] | None = None

    async def start(self) -> None:
        """Start to work; a database that is not there yet is tried again with every batch."""
        if self._worker is None:
            self._is_closing = False
            self._worker = asyncio.create_task(self._run(), name="ledger batcher")

    async def stop(self) -> None:
        """Refuse new acts, commit and answer all that were accepted, then let the connections go."""
        self._is_closing = True
        self._wake.set()
        if self._worker is not None:
            await self._worker
            self._worker = None
        await self._write_session.drop()
        await self._read_session.drop()

    async def append(self, command: Command) -> Appended:
        """Append one act and wait until it is committed; a caller that gives up does not stop its act.

        Args:
            command: the act.

        Returns:
            the committed entry, or the one that recorded the same act before.

        Raises:
            GatewayError: what ``decide_act`` refuses; BUNDLE_ID_REUSED, ACT_ID_REUSED or IDEMPOTENCY_KEY_REUSED for an
                id that stands for other content; QUEUE_FULL; LEDGER_UNAVAILABLE, also when nobody can say whether the
                act was committed (the same act id asked again will tell); VAULT_UNAVAILABLE or CASE_KEY_MISSING for an
                act with content that cannot be sealed; SHUTTING_DOWN; INTERNAL.
        """
        if self._is_closing or self._worker is None:
            raise later(ErrorCode.SHUTTING_DOWN, "this gateway takes no more acts")
        if len(self._queue) >= self._max_queue:
            raise later(ErrorCode.QUEUE_FULL, "too many acts wait for the ledger")
        item = Item(command, asyncio.get_running_loop().create_future())
        self._queue.append(item)
        self._wake.set()
        return await item.answer

    async def _run(self) -> None:
        while True:
            if not self._queue:
                if self._is_closing:
                    await self._is_ahead_committed()
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            items = self._take()
            try:
                await self._go(items)
            except Exception:
                # A fault of the batcher itself must not silence it: callers would wait for ever.
                log_event(_log, logging.ERROR, "a batch failed for a reason unknown", exc_info=True)
                await self._write_session.drop()
                await self._read_session.drop()
                refuse_all(items, refuse(ErrorCode.INTERNAL, message="the act could not be recorded"))

    async def _go(self, items: list[Item]) -> None:
        if self._sure_batches:
            self._sure_batches -= 1
            await self._is_ahead_committed()
            await self._go_sure(items)
        else:
            await self._go_fast(items)

    def _take(self) -> list[Item]:
        waiting = len(self._queue)
        is_writing = self._ahead is not None and not self._ahead[1].done()
        under_way = waiting + (len(self._ahead[0].items) if is_writing and self._ahead is not None else 0)
        size = waiting if under_way < _SPLIT else min(waiting, (under_way + 1) // 2)
        return [self._queue.popleft() for _ in range(min(size, self._max_batch))]

    async def _is_ahead_committed(self) -> bool:
        """Wait until the batch that is being written is done with, and say whether it went well on the fast way."""
        if self._ahead is None:
            return True
        ahead, self._ahead = self._ahead, None
        return await ahead[1]

    # The fast way

    async def _go_fast(self, items: list[Item]) -> None:
        ahead = self._ahead[0] if self._ahead is not None and not self._ahead[1].done() else None
        try:
            batch = await self._decide_ahead(items, ahead)
        except Exception as error:
            log_event(_log, logging.WARNING, "a batch could not be decided ahead", reason=type(error).__name__)
            await self._read_session.drop()
            batch = None
        is_sound = await self._is_ahead_committed() or ahead is None
        if batch is not None and is_sound and batch.draft.written:
            self._ahead = (batch, asyncio.create_task(self._write_ahead(batch), name="ledger write"))
        else:
            # Nothing to write would mean that no key checks what the refusals were decided on.
            await self._go_sure(items)

    async def _decide_ahead(self, items: list[Item], ahead: Batch | None) -> Batch:
        commands = [item.command for item in items]
        heads = await self._read_session.heads(commands)
        edge = self._edge
        if ahead is not None:
            heads.follow(ahead.draft.heads, commands)
            heads.recorded_at = ahead.draft.at
            edge = ahead.draft.edge
        if edge.size != heads.size:
            edge = await self._read_session.edge(heads.size)
        return await self._prepare(items, heads, edge)

    async def _write_ahead(self, batch: Batch) -> bool:
        try:
            return await self._try_ahead(batch)
        except Exception:
            log_event(_log, logging.ERROR, "a batch failed for a reason unknown", exc_info=True)
            await self._write_session.drop()
            refuse_all(batch.items, refuse(ErrorCode.INTERNAL, message="the act could not be recorded"))
            return False

    async def _try_ahead(self, batch: Batch) -> bool:
        try:
            await self._write(batch, is_locked=False)
        except CommitUnknownError:
            await self._settle(batch.items)
            return False
        except asyncpg.UniqueViolationError:
            # Another process appended since: it has the index that this batch counted on.
            self._sure_batches = _SURE_BATCHES
        except Exception as error:
            log_event(_log, logging.WARNING, "a batch failed on the fast way", reason=type(error).__name__)
            await self._end_failed(error)
        else:
            return True
        await self._go_sure(batch.items)
        return False

    # The sure way

    async def _go_sure(self, items: list[Item], *, is_last: bool = False) -> None:
        try:
            await self._attempt(items)
        except CommitUnknownError:
            await self._settle(items, is_last=is_last)
        except GatewayError as error:
            await self._end_failed(error)
            await self._go_without(items, error, is_last=is_last)
        except Exception as error:
            is_lost = self._write_session.is_lost_by(error)
            await self._end_failed(error)
            if is_lost:
                log_event(_log, logging.WARNING, "the ledger cannot be reached", reason=type(error).__name__)
                refuse_all(items, later(ErrorCode.LEDGER_UNAVAILABLE, "the ledger cannot be reached"))
            elif len(items) > 1:
                # One of them is poison; alone it fails alone.
                log_event(_log, logging.WARNING, "a batch failed and is tried one by one", reason=type(error).__name__)
                for item in items:
                    await self._go_sure([item], is_last=is_last)
            else:
                log_event(_log, logging.ERROR, "an act could not be recorded", reason=type(error).__name__)
                refuse_all(items, refuse(ErrorCode.INTERNAL, message="the act could not be recorded"))

    async def _go_without(self, items: list[Item], error: GatewayError, *, is_last: bool) -> None:
        """A key was not to be had: whoever needs none goes on."""
        log_event(_log, logging.WARNING, "content could not be sealed", code=error.code.name)
        needy = [item for item in items if item.command.has_content]
        rest = [item for item in items if not item.command.has_content]
        if error.code is ErrorCode.VAULT_UNAVAILABLE or len(needy) == 1:
            refuse_all(needy, error)
        else:
            # The key of one case is missing, and each of the others has its own.
            for item in needy:
                await self._go_sure([item], is_last=is_last)
        if rest and needy:
            await self._go_sure(rest, is_last=is_last)
        else:
            refuse_all(rest, error)

    async def _attempt(self, items: list[Item]) -> None:
        """Write a batch; once more when the connection at hand is dead before COMMIT, or another transaction won."""
        was_open = self._write_session.is_open
        try:
            await self._write_locked(items)
        except CommitUnknownError:
            raise
        except _ROLLED_BACK as error:
            # Somebody else's work was in the way, not an act of this batch: none of them is poison.
            log_event(_log, logging.WARNING, "a batch was rolled back and is tried again", reason=type(error).__name__)
            await self._write_session.roll_back()
            await self._write_locked(items)
        except Exception as error:
            if not was_open or not self._write_session.is_lost_by(error):
                raise
            await self._write_session.drop()
            await self._write_locked(items)

    async def _write_locked(self, items: list[Item]) -> None:
        session = self._write_session
        await session.begin()
        heads = await session.heads([item.command for item in items])
        edge = self._edge if self._edge.size == heads.size else await session.edge(heads.size)
        await self._write(await self._prepare(items, heads, edge), is_locked=True)

    # Both ways

    async def _prepare(self, items: list[Item], heads: Heads, edge: TileEdge) -> Batch:
        """Decide a batch, and get the keys of its cases; a new key is on disk before anything is sealed with it."""
        batch = self._decide(items, heads, edge)
        if batch.draft.sealed:
            if self._sealer is None:
                raise RuntimeError("this batcher takes no content")
            batch.seals = await self._sealer.prepare(batch.draft.sealed)
        return batch

    def _decide(self, items: list[Item], heads: Heads, edge: TileEdge) -> Batch:
        now = self._clock().astimezone(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        # A copy of the edge: this batch may still fail, and the next must then start from what is committed.
        draft = Draft(self._origin, max(now, heads.recorded_at), heads, TileEdge(edge.size, edge.rows))
        salts = self._salt(SALT_BYTES * len(items))
        outcomes = [
            self._decide_one(draft, item.command, salts[place * SALT_BYTES : (place + 1) * SALT_BYTES])
            for place, item in enumerate(items)
        ]
        if not draft.is_receipt_owed():
            return Batch(items, draft, outcomes, "", None)
        tree = BatchTree([written.leaf_hash for written in draft.written])
        return Batch(items, draft, outcomes, self._sign(draft.claims(tree)), tree)

    def _decide_one(self, draft: Draft, command: Command, salt: bytes) -> Outcome:
        try:
            return draft.add(command, salt)
        except GatewayError as refusal:
            return refusal
        except Exception:
            log_event(_log, logging.ERROR, "an act could not be decided", exc_info=True)
            return refuse(ErrorCode.INTERNAL, message="the act could not be decided")

    async def _write(self, batch: Batch, *, is_locked: bool) -> None:
        """Write what was decided, commit, and answer."""
        session, draft = self._write_session, batch.draft
        pairs = list(zip(batch.items, batch.outcomes, strict=True))
        replayed = await session.recorded([item.command for item, outcome in pairs if isinstance(outcome, Recorded)])
        entries = {found.index: found for _, found in replayed.values()}
        if draft.written:
            started = time.perf_counter()
            await session.write(draft, batch.receipt, batch.seals)
            if is_locked:
                await session.commit()
            if self._observe is not None:
                self._observe(len(draft.written), time.perf_counter() - started)
            self._edge = draft.edge
            for new in draft.written:
                receipt = ""
                if batch.tree is not None and new.kind not in WITHOUT_RECEIPT:
                    receipt = join_receipt(batch.receipt, batch.tree.path(new.index - draft.written[0].index))
                entries[new.index] = Appended(new.index, new.leaf, new.leaf_hash, draft.at, receipt)
        elif is_locked:
            await session.roll_back()
        for item, outcome in pairs:
            if isinstance(outcome, GatewayError):
                refuse_all([item], outcome)
            elif isinstance(outcome, Written):
                answer(item, entries[outcome.index])
            else:
                answer(item, replace(entries[outcome.index], is_replay=True))

    async def _end_failed(self, error: Exception) -> None:
        if self._write_session.is_lost_by(error):
            await self._write_session.drop()
        else:
            await self._write_session.roll_back()

    async def _settle(self, items: Sequence[Item], *, is_last: bool = False) -> None:
        """Answer a batch whose commit got no answer: what is in the ledger is there, the rest is tried once more."""
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                found = await self._write_session.look_up([item.command for item in items])
        except Exception as error:
            log_event(
                _log, logging.WARNING, "a commit of unknown outcome could not be looked up", reason=type(error).__name__
            )
            refuse_all(items, later(ErrorCode.LEDGER_UNAVAILABLE, "the ledger was lost; ask again"))
            return
        missing = []
        for item in items:
            content, appended = found.get((item.command.act_id, str(item.command.actor)), ("", None))
            if appended is not None and content == item.command.content_sha256:
                answer(item, appended)
            else:
                missing.append(item)
        if is_last:
            refuse_all(missing, later(ErrorCode.LEDGER_UNAVAILABLE, "the ledger was lost; ask again"))
        elif missing:
            await self._go_sure(missing, is_last=True)
