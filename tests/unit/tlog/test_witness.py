"""A witness over real HTTP: exact status codes, content types and bodies of C2SP tlog-witness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest

from gateway.core.log.cosignature import verify_cosignature
from gateway.core.log.note import Note, Signature, parse_note, parse_signature_line
from gateway.core.log.witness import to_request
from gateway.core.port.seal import SeenTree
from gateway.flows.cosign import Cosigner
from gateway.tlog.server import serving
from gateway.tlog.witness import witness_app
from tests.support.fake_ledger import FakeClock
from tests.support.fake_seal import FakeMemory
from tests.support.http import Answer, ask
from tests.support.notes import MemoryLog

LOG = MemoryLog.of(9)
KEY = LOG.witnesses[0]
HASH = sha256(LOG.origin.encode()).hexdigest()


def body(old: int = 5, size: int = 9, log: MemoryLog = LOG, note: Note | None = None) -> bytes:
    """A request."""
    proof = tuple(log.consistency(old, size)) if old <= size else ()
    return to_request(old, proof, (note or log.checkpoint(size)).to_bytes()).to_body()


@asynccontextmanager
async def witness(size: int = 5) -> AsyncIterator[tuple[str, FakeMemory]]:
    """A witness that has seen so many leaves, listening."""
    memory = FakeMemory(SeenTree(LOG.origin, size, LOG.head(size).root))
    cosigner = Cosigner(memory, KEY, LOG.key.verifier, FakeClock())
    async with serving(witness_app(cosigner, LOG.origin), "127.0.0.1:0") as address:
        yield address, memory


async def post(address: str, data: bytes) -> Answer:
    """Ask for a cosignature."""
    return await ask(address, "POST", "/add-checkpoint", data)


async def test_checkpoint_that_continues_the_tree_is_200_with_the_cosignature() -> None:
    """The body is a signature line that can be put below the checkpoint."""
    async with witness() as (address, memory):
        answer = await post(address, body())
        assert answer.status == 200
        signature = parse_signature_line(answer.body.decode().rstrip("\n"))
        verify_cosignature(LOG.head().to_text(), signature, KEY.verifier)
        assert memory.tree.size == 9
        latest = await ask(address, "GET", f"/{HASH}/checkpoint")
        assert (latest.status, latest.content_type) == (200, "text/plain; charset=utf-8")
        assert parse_note(latest.body).signatures == (LOG.checkpoint().signatures[0], signature)


async def test_checkpoint_with_a_stale_old_size_is_409_with_the_size() -> None:
    """The log reads where it must start from."""
    async with witness() as (address, memory):
        answer = await post(address, body(old=0))
        assert (answer.status, answer.content_type, answer.body) == (409, "text/x.tlog.size", b"5\n")
        assert memory.swaps == 0


SIGNED = LOG.checkpoint()
SPOILED = Note(SIGNED.text, (Signature(SIGNED.signatures[0].name, SIGNED.signatures[0].key_id, bytes(64)),))


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"old 5\n", 400),
        (body(old=9, size=5), 400),
        (b"x" * 400_000, 400),
        (body(note=SPOILED), 403),
        (body(log=MemoryLog.of(9, seed="namesake")), 403),
        (body(log=MemoryLog.of(9, origin="other.invalid")), 404),
        (body(log=MemoryLog.of(9, "fork")), 422),
        (body(size=5, log=MemoryLog.of(5, "fork")), 422),
    ],
)
async def test_checkpoint_that_is_refused_has_its_status(data: bytes, status: int) -> None:
    """Each fault has its own number, and leaves the memory alone."""
    async with witness() as (address, memory):
        assert (await post(address, data)).status == status
        assert memory.swaps == 0
        assert (await ask(address, "GET", f"/{HASH}/checkpoint")).status == 404


async def test_witness_that_cannot_remember_answers_500_and_no_cosignature() -> None:
    """A fault of its own is not one of the log's."""
    async with witness() as (address, memory):
        memory.is_broken = True
        answer = await post(address, body())
        assert answer.status == 500
        assert KEY.name.encode() not in answer.body


async def test_other_paths_and_methods_are_refused() -> None:
    """Nothing else is served."""
    async with witness() as (address, _):
        assert (await ask(address, "GET", "/add-checkpoint")).status == 405
        assert (await ask(address, "GET", f"/{'0' * 64}/checkpoint")).status == 404
        assert (await ask(address, "GET", "/")).status == 404


async def test_requests_at_once_cosign_only_what_continues() -> None:
    """Many logs of one key at once: one wins, the others hear where the witness stands now."""
    async with witness() as (address, memory):
        answers = await asyncio.gather(*(post(address, body(size=size)) for size in (6, 7, 8, 9)))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
        assert memory.swaps == 1
