"""The gateway's side of witnessing: what it offers, what it takes, and when a receipt is sealed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from gateway.core.entry import leaf_hash
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.cosignature import cosign
from gateway.core.log.note import Signature, parse_note
from gateway.core.log.tlog_proof import parse_tlog_proof, verify_tlog_proof
from gateway.core.port.ledger import Appended
from gateway.core.port.seal import StoredCheckpoint
from gateway.flows.parts import Parts
from gateway.flows.witness import MAX_AHEAD_SECONDS, add_cosignature, offer_checkpoint, seal_receipts
from tests.support.fake_parts import World
from tests.support.notes import MemoryLog, make_witness

LOG = MemoryLog.of(9)


class TreeReader:
    """Proofs of the log in memory."""

    async def consistency(self, first: int, second: int) -> tuple[list[bytes], bytes, bytes]:
        """Between two sizes."""
        return LOG.consistency(first, second), LOG.head(first).root, LOG.head(second).root

    async def inclusion(self, index: int, size: int) -> tuple[list[bytes], bytes, bytes]:
        """Of a leaf."""
        part = MemoryLog.of(size)
        return list(part.proof(index).hashes), part.head().root, leaf_hash(LOG.leaves[index])


def make_parts(*sizes: int) -> tuple[World, Parts]:
    """A gateway with checkpoints of these sizes and a policy."""
    world = World(policy=LOG.policy)
    for size in sizes:
        world.checkpoints.notes[size] = StoredCheckpoint(size, LOG.checkpoint(size).to_bytes(), world.clock())
    return world, replace(world.parts, reader=TreeReader())  # type: ignore[arg-type]


def line(world: World, number: int = 0, size: int = 9, *, ahead_seconds: int = 0) -> str:
    """Cosignature of a witness for a size."""
    text = LOG.head(size).to_text()
    return cosign(text, LOG.witnesses[number], int(world.clock().timestamp()) + ahead_seconds).to_line()


async def refusal(parts: Parts, size: int, text: str) -> ErrorCode:
    """Code by which a cosignature is refused."""
    with pytest.raises(GatewayError) as refused:
        await add_cosignature(parts, size, text)
    return refused.value.code


async def test_offer_has_the_newest_checkpoint_with_its_proof_and_cosignatures() -> None:
    """A witness gets all it needs in one answer."""
    world, parts = make_parts(5, 9)
    await add_cosignature(parts, 9, line(world, 1))
    await add_cosignature(parts, 5, line(world, 0, 5))
    offer = await offer_checkpoint(parts, LOG.witnesses[0].name, 5, 0)
    assert (offer.size, list(offer.proof), offer.cosigned_size) == (9, LOG.consistency(5, 9), 5)
    assert [item.name for item in parse_note(offer.checkpoint).signatures] == [LOG.origin, LOG.witnesses[1].name]
    assert (await offer_checkpoint(parts, "", 0, 0)).proof == ()
    assert (await offer_checkpoint(parts, "", 9, 0)).proof == ()
    # A caller that knows more than the log has sees just that.
    assert (await offer_checkpoint(parts, "", 100, 0)).size == 9


async def test_offer_before_the_first_checkpoint_is_empty() -> None:
    """Nothing was signed yet; it is no error to ask."""
    _, parts = make_parts()
    assert (await offer_checkpoint(parts, "w", 0, 1)).size == 0


@pytest.mark.parametrize(
    ("witness", "known", "wait", "code"),
    [
        ("", -1, 0, ErrorCode.ARGUMENT_OUT_OF_RANGE),
        ("", 0, -1, ErrorCode.ARGUMENT_OUT_OF_RANGE),
        ("", 0, 21, ErrorCode.ARGUMENT_OUT_OF_RANGE),
        ("w" * 201, 0, 0, ErrorCode.ARGUMENT_INVALID),
    ],
)
async def test_offer_out_of_range_is_refused(witness: str, known: int, wait: int, code: ErrorCode) -> None:
    """Everything from outside has a limit."""
    _, parts = make_parts(9)
    with pytest.raises(GatewayError) as refused:
        await offer_checkpoint(parts, witness, known, wait)
    assert refused.value.code is code


async def test_offer_waits_for_a_checkpoint_that_is_not_known() -> None:
    """A witness hears of a new head at once; what it knows already is no reason to answer."""
    world, parts = make_parts(5)
    world.watch.wakes = 3

    def grow(number: int) -> None:
        if number == 2:
            world.checkpoints.notes[9] = StoredCheckpoint(9, LOG.checkpoint(9).to_bytes(), world.clock())

    world.watch.before_wake = grow
    assert (await offer_checkpoint(parts, "", 5, 20)).size == 9


async def test_cosignature_of_a_known_witness_is_kept() -> None:
    """Size, name, time and the line as it came."""
    world, parts = make_parts(9)
    text = line(world, ahead_seconds=MAX_AHEAD_SECONDS)
    await add_cosignature(parts, 9, text)
    at = int((world.clock() + timedelta(seconds=MAX_AHEAD_SECONDS)).timestamp())
    assert world.checkpoints.lines == [(9, LOG.witnesses[0].name, at, text)]


async def test_cosignature_that_does_not_hold_is_refused() -> None:
    """Each fault by its code, and nothing is kept."""
    world, parts = make_parts(5, 9)
    right = line(world)
    stranger = cosign(LOG.head().to_text(), make_witness("stranger"), 1).to_line()
    namesake = cosign(LOG.head().to_text(), make_witness(LOG.witnesses[0].name, seed="other"), 1).to_line()
    other_log = cosign(MemoryLog.of(9, origin="other.invalid").head().to_text(), LOG.witnesses[0], 1)
    renamed = Signature("other.invalid", LOG.witnesses[0].verifier.key_id, b"x" * 72).to_line()
    assert await refusal(parts, 9, "") is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(parts, 9, right[:-1]) is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(parts, 9, right * 2) is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(parts, 9, "x" * 5000 + "\n") is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(parts, 9, stranger) is ErrorCode.WITNESS_UNKNOWN
    assert await refusal(parts, 9, namesake) is ErrorCode.WITNESS_UNKNOWN
    assert await refusal(parts, 9, renamed) is ErrorCode.WITNESS_UNKNOWN
    assert await refusal(parts, 8, line(world, size=8)) is ErrorCode.CHECKPOINT_UNKNOWN
    assert await refusal(parts, -1, right) is ErrorCode.CHECKPOINT_UNKNOWN
    assert await refusal(parts, 5, right) is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(parts, 9, other_log.to_line()) is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(parts, 9, line(world, ahead_seconds=MAX_AHEAD_SECONDS + 1)) is ErrorCode.COSIGNATURE_INVALID
    assert await refusal(replace(parts, policy=None), 9, right) is ErrorCode.WITNESS_UNKNOWN
    assert world.checkpoints.lines == []


def receipts(world: World, *indexes: int) -> list[Appended]:
    """Receipts of entries."""
    return [Appended(i, LOG.leaves[i], leaf_hash(LOG.leaves[i]), world.clock(), "jws") for i in indexes]


async def test_receipts_are_sealed_by_the_newest_checkpoint_with_a_quorum() -> None:
    """What lies beyond it waits; without a quorum, or without a policy, nothing is sealed."""
    world, parts = make_parts(5, 9)
    await add_cosignature(parts, 5, line(world, 0, 5))
    await add_cosignature(parts, 9, line(world, 0, 9))
    assert await seal_receipts(parts, receipts(world, 4, 6)) == [b"", b""]
    await add_cosignature(parts, 5, line(world, 1, 5))
    sealed, waiting = await seal_receipts(parts, receipts(world, 4, 6))
    assert waiting == b""
    cosigned = verify_tlog_proof(parse_tlog_proof(sealed), leaf_hash(LOG.leaves[4]), LOG.policy)
    assert (cosigned.checkpoint.size, len(cosigned.witnesses)) == (5, 2)
    await add_cosignature(parts, 9, line(world, 2, 9))
    assert all(await seal_receipts(parts, receipts(world, 4, 6)))
    assert await seal_receipts(replace(parts, policy=None), receipts(world, 4)) == [b""]


async def test_receipt_is_not_sealed_by_a_cosignature_that_was_changed_in_the_database() -> None:
    """A proof that does not verify is worse than none."""
    world, parts = make_parts(9)
    await add_cosignature(parts, 9, line(world, 0))
    await add_cosignature(parts, 9, line(world, 1))
    assert all(await seal_receipts(parts, receipts(world, 4)))
    forged = Signature(LOG.witnesses[1].name, LOG.witnesses[1].verifier.key_id, sha256(b"x").digest() * 3)
    world.checkpoints.lines[1] = (9, LOG.witnesses[1].name, 1, forged.to_line())
    assert await seal_receipts(parts, receipts(world, 4)) == [b""]
