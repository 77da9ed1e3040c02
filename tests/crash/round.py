"""One round after the other: load, sudden death, new start, and a look at everything that was promised."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from cryptography import x509

from gateway.core.log.checkpoint import verify_checkpoint
from gateway.core.log.note import NoteError
from gateway.core.log.tlog_proof import parse_tlog_proof, verify_tlog_proof
from gateway.v1 import exchange_pb2, ledger_pb2
from tests.crash.book import Book, LedgerBrokenError
from tests.crash.load import SENDER, Load
from tests.crash.world import Victim, World
from tests.support.audit import audit
from tests.support.wire import OVERSIGHT, Desk

_LONGEST_LIFE_SECONDS = 0.5
_LONGEST_GAP_SECONDS = 0.2
_SEAL_SECONDS = 20


@dataclass(slots=True)
class Outcome:
    """What became of the rounds.

    Args:
        book: counts.
        rounds: that were completed.
        in_doubt: acts that got no answer at first.
        killed: how often, by victim.
        sealed: receipts whose seal was verified.
    """

    book: Book
    rounds: int = 0
    in_doubt: int = 0
    killed: Counter[Victim] = field(default_factory=Counter)
    sealed: int = 0

    def to_line(self) -> str:
        """The last line."""
        book = self.book
        return (
            f"rounds={self.rounds} acknowledged={len(book.acknowledged)} lost={book.lost} doubled={book.doubled} "
            f"lying_receipts={book.lying_receipts}"
        )


def begin(world: World) -> Outcome:
    """An outcome before the first round."""
    return Outcome(Book(x509.load_pem_x509_certificate(world.gateway.pki.signing_ca.read_bytes())))


async def play(world: World, rounds: int, seed: int, outcome: Outcome, tell: Callable[[str], object]) -> None:
    """Play rounds, and at the end read the whole ledger once more.

    Args:
        world: running.
        rounds: how many.
        seed: decides who is killed and when; how far everybody has come by then is up to the machine.
        outcome: filled in as it goes.
        tell: is told a line for each round.

    Raises:
        LedgerBrokenError: the ledger is not whole, or its log forked.
        AssertionError: as above, found by the audit at the end.
        TimeoutError: something did not come back.
    """
    source = random.Random(seed)
    victims: list[Victim] = []
    for number in range(1, rounds + 1):
        if not victims:
            victims = source.sample(list(Victim), len(Victim))
        started = time.monotonic()
        victim = victims.pop()
        in_doubt = await _play_one(world, victim, source, outcome)
        outcome.rounds = number
        tell(
            f"round {number}/{rounds}: {victim}, {len(outcome.book.acknowledged)} acknowledged, {in_doubt} in doubt, "
            f"{time.monotonic() - started:.1f} s"
        )
    async with Desk(world.gateway, OVERSIGHT) as oversight:
        entries = await audit(oversight)
    if entries != outcome.book.entries:
        raise LedgerBrokenError("an entry changed after it was read")


async def _play_one(world: World, victim: Victim, source: random.Random, outcome: Outcome) -> int:
    book = outcome.book
    which = source.randrange(len(world.witnesses))
    async with Load(world.gateway, book, source) as load:
        await asyncio.sleep(source.uniform(0, _LONGEST_LIFE_SECONDS))
        await asyncio.to_thread(world.kill, victim, which)
        outcome.killed[victim] += 1
        await asyncio.sleep(source.uniform(0, _LONGEST_GAP_SECONDS))
        load.calm()
        await asyncio.to_thread(world.restart, victim, which)
        await load.settle()
        await load.repeat(3)
        outcome.in_doubt += len(load.in_doubt)
        async with Desk(world.gateway, OVERSIGHT) as oversight:
            await _look(oversight, book)
        book.check()
        await _look_at_log(world, book)
        await _look_at_seal(world, source.choice(sorted(load.handed_over)), outcome)
        return len(load.in_doubt)


async def _look(oversight: Desk, book: Book) -> None:
    book.read(await oversight.entries(index_from=len(book.entries)))
    size = len(book.entries)
    request = ledger_pb2.GetProofRequest(inclusion=ledger_pb2.InclusionQuery(tree_size=size))
    if (await oversight.ledger.GetProof(request)).root_hash != book.roots.of[size]:
        raise LedgerBrokenError(f"the ledger of {size} entries has another root than its entries")


async def _look_at_log(world: World, book: Book) -> None:
    """Every checkpoint that was ever signed must be one of the trees of these entries."""
    connection = await asyncpg.connect(world.gateway.dsn)
    try:
        rows = await connection.fetch("SELECT size, note FROM ledger.checkpoint ORDER BY size DESC LIMIT 50")
    finally:
        await connection.close()
    for row in rows:
        checkpoint, _ = verify_checkpoint(row["note"].encode(), world.policy.log)
        # One may be signed for entries that came after the last look.
        if checkpoint.size < len(book.roots.of) and checkpoint.root != book.roots.of[checkpoint.size]:
            raise LedgerBrokenError(f"the checkpoint of size {checkpoint.size} is a fork")


async def _look_at_seal(world: World, handoff: UUID, outcome: Outcome) -> None:
    """Signer and witnesses must come back to work too."""
    request = exchange_pb2.GetReceiptRequest(handoff_id=str(handoff), wait_seconds=_SEAL_SECONDS)
    async with Desk(world.gateway, SENDER) as desk:
        answer = await desk.exchange.GetReceipt(request)
    if not all(answer.sealed_proofs) or not answer.sealed_proofs:
        raise TimeoutError(f"a receipt was not sealed within {_SEAL_SECONDS} seconds")
    for receipt, proof in zip(answer.receipts, answer.sealed_proofs, strict=True):
        try:
            cosigned = verify_tlog_proof(parse_tlog_proof(proof), receipt.leaf_hash, world.policy)
        except NoteError:
            outcome.book.lying_receipts += 1
            continue
        checkpoint = cosigned.checkpoint
        outcome.sealed += 1
        outcome.book.lying_receipts += checkpoint.root != outcome.book.roots.of[checkpoint.size]
