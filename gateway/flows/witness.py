"""The gateway's side of witnessing: give checkpoints, take cosignatures, seal receipts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from gateway.core.errors import ErrorCode, refuse
from gateway.core.log.cosignature import verify_cosignature
from gateway.core.log.note import Note, NoteError, parse_note, parse_signature_line
from gateway.core.log.tlog_proof import TlogProof
from gateway.core.log.witness_policy import WitnessPolicy, verify_cosigned
from gateway.core.port.ledger import Appended
from gateway.flows.cosign import Offer
from gateway.flows.parts import Parts

TOPIC: Final = "checkpoint"
MAX_WAIT_SECONDS: Final = 20
MAX_AHEAD_SECONDS: Final = 300
MAX_NAME: Final = 200
_MAX_LINE: Final = 1024
T = TypeVar("T")


async def wait_until(
    parts: Parts, look: Callable[[], Awaitable[T]], is_enough: Callable[[T], bool], wait_seconds: int
) -> T:
    """Look again whenever a checkpoint or cosignature came, until it is enough or time is up.

    Args:
        parts: the filled ports.
        look: reads.
        is_enough: whether what was read is what is waited for.
        wait_seconds: 0 to 20.

    Returns:
        what was read last.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE.
    """
    if not 0 <= wait_seconds <= MAX_WAIT_SECONDS:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "wait_seconds", f"0 to {MAX_WAIT_SECONDS} seconds")
    found = await look()
    if wait_seconds and not is_enough(found):
        async with parts.watch.subscribe(TOPIC) as wake_ups:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_seconds):
                    async for _ in wake_ups():
                        found = await look()
                        if is_enough(found):
                            break
    return found


async def offer_checkpoint(parts: Parts, witness: str, known_size: int, wait_seconds: int) -> Offer:
    """Give the newest checkpoint.

    Args:
        parts: the filled ports.
        witness: name of the caller's key, "" for none.
        known_size: size that the caller knows.
        wait_seconds: how long to wait for one that it does not know.

    Returns:
        the checkpoint with a proof from the known size; of size 0 when there is none.

    Raises:
        GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE.
    """
    if known_size < 0:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "known_size", "0 or more")
    if len(witness) > MAX_NAME:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "witness", f"a name of at most {MAX_NAME} characters")

    async def look() -> Offer:
        latest = await parts.checkpoints.latest()
        cosigned = await parts.checkpoints.cosigned_size(witness) if witness else 0
        if latest is None:
            return Offer(cosigned_size=cosigned)
        return Offer(latest.size, latest.note, cosigned_size=cosigned)

    def is_news(offer: Offer) -> bool:
        # A size that the caller knows and never handed in (it was killed in between) is news as well.
        known = min(known_size, offer.cosigned_size) if witness else known_size
        return offer.size > known or 0 < offer.size < known_size

    offer = await wait_until(parts, look, is_news, wait_seconds)
    if offer.size == 0:
        return offer
    proof: list[bytes] = []
    if 0 < known_size < offer.size:
        proof, _, _ = await parts.reader.consistency(known_size, offer.size)
    note = parse_note(offer.checkpoint)
    if parts.policy is not None:
        note = await _with_cosignatures(parts, parts.policy, note, offer.size)
    return Offer(offer.size, note.to_bytes(), tuple(proof), offer.cosigned_size)


async def _with_cosignatures(parts: Parts, policy: WitnessPolicy, note: Note, size: int) -> Note:
    lines = await parts.checkpoints.cosignatures(size, [key.name for key in policy.witnesses])
    return note.with_signatures([parse_signature_line(line.removesuffix("\n")) for line in lines])


async def add_cosignature(parts: Parts, size: int, line: str) -> None:
    """Take a cosignature of a known witness.

    Args:
        parts: the filled ports.
        size: of the checkpoint.
        line: signature line with its newline.

    Raises:
        GatewayError: COSIGNATURE_INVALID, WITNESS_UNKNOWN, CHECKPOINT_UNKNOWN.
    """
    try:
        signature = parse_signature_line(line[:-1] if len(line) <= _MAX_LINE and line.endswith("\n") else "")
    except NoteError as error:
        raise refuse(ErrorCode.COSIGNATURE_INVALID, "line", "one signature line with its newline") from error
    witness = parts.policy.witness(signature.name) if parts.policy is not None else None
    if witness is None or not witness.is_named_by(signature):
        raise refuse(ErrorCode.WITNESS_UNKNOWN, "line", "the witness policy does not name this key")
    note = await parts.checkpoints.of_size(size) if size > 0 else None
    if note is None:
        raise refuse(ErrorCode.CHECKPOINT_UNKNOWN, "size", "there is no checkpoint of this size")
    try:
        timestamp = verify_cosignature(parse_note(note).text, signature, witness)
    except NoteError as error:
        raise refuse(ErrorCode.COSIGNATURE_INVALID, "line", "it does not verify for this checkpoint") from error
    if timestamp > parts.clock().timestamp() + MAX_AHEAD_SECONDS:
        raise refuse(ErrorCode.COSIGNATURE_INVALID, "line", "it is from the future")
    await parts.checkpoints.add_cosignature(size, witness.name, timestamp, line)


async def seal_receipts(parts: Parts, receipts: Sequence[Appended]) -> list[bytes]:
    """Prove receipts by the newest checkpoint that the quorum cosigned.

    Args:
        parts: the filled ports.
        receipts: entries.

    Returns:
        for each a proof of logging; empty where it is not sealed yet.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    unsealed = [b""] * len(receipts)
    policy = parts.policy
    if policy is None:
        return unsealed
    size = await parts.checkpoints.quorum_size([key.name for key in policy.witnesses], policy.quorum)
    stored = await parts.checkpoints.of_size(size) if size else None
    if stored is None:
        return unsealed
    try:
        note = (await _with_cosignatures(parts, policy, parse_note(stored), size)).to_bytes()
        verify_cosigned(note, policy)
    except NoteError:
        # What is stored does not hold: somebody changed it. A proof that does not verify is worse than none.
        return unsealed
    proofs = []
    for receipt in receipts:
        proof = b""
        if receipt.index < size:
            path, _, _ = await parts.reader.inclusion(receipt.index, size)
            proof = TlogProof(receipt.index, tuple(path), note).to_bytes()
        proofs.append(proof)
    return proofs


async def read_sealed(parts: Parts, receipts: Sequence[Appended], wait_seconds: int) -> list[bytes]:
    """Prove receipts, and wait until all of them are sealed if asked to.

    Args:
        parts: the filled ports.
        receipts: entries.
        wait_seconds: 0 to 20.

    Returns:
        for each receipt its proof; empty where it is not sealed yet.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE, LEDGER_UNAVAILABLE.
    """
    if parts.policy is None:
        wait_seconds = min(wait_seconds, 0)
    return await wait_until(parts, lambda: seal_receipts(parts, receipts), all, wait_seconds)
