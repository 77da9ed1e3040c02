"""What a witness is asked, and what it must refuse; numbers are those of C2SP tlog-witness."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint
from gateway.core.log.note import Note, Signature
from gateway.core.log.witness import (
    AddCheckpoint,
    WitnessFault,
    WitnessRefusedError,
    judge_checkpoint,
    parse_add_checkpoint,
    to_request,
)
from gateway.core.port.seal import SeenTree
from tests.support.notes import MemoryLog

LOG = MemoryLog.of(9)
SEEN = SeenTree(LOG.origin, 5, LOG.head(5).root)
FRESH = SeenTree(LOG.origin)


def request(log: MemoryLog = LOG, old: int = 5, size: int | None = None, **changes: object) -> AddCheckpoint:
    """A request that is right for a witness that has seen five leaves, unless changed."""
    size = len(log.leaves) if size is None else size
    proof = tuple(log.consistency(old, size)) if old <= size else ()
    made = to_request(old, proof, log.checkpoint(size).to_bytes())
    return replace(made, **changes)  # type: ignore[arg-type]


def fault(made: AddCheckpoint, seen: SeenTree = SEEN) -> tuple[WitnessFault, int]:
    """Why it is refused, and the size that the witness names."""
    with pytest.raises(WitnessRefusedError) as refused:
        judge_checkpoint(made, seen, LOG.key.verifier)
    return refused.value.fault, refused.value.known_size


@pytest.mark.parametrize("old", [0, 5, 9])
def test_checkpoint_that_continues_the_known_tree_is_taken(old: int) -> None:
    """From nothing, from an older tree, and the same again."""
    seen = SeenTree(LOG.origin, old, LOG.head(old).root)
    assert judge_checkpoint(request(old=old), seen, LOG.key.verifier) == SeenTree(LOG.origin, 9, LOG.head().root)


def test_checkpoint_of_an_unknown_log_is_404() -> None:
    """Before anything else: another log is none of this witness's business."""
    assert fault(request(MemoryLog.of(9, origin="other.invalid")))[0].value == 404


def test_checkpoint_without_the_logs_signature_is_403() -> None:
    """Of nobody, of a namesake, or spoiled."""
    line = LOG.checkpoint().signatures[0]
    for signature in (
        MemoryLog.of(9, seed="namesake").checkpoint().signatures[0],
        Signature("x" + line.name, line.key_id, line.value),
        Signature(line.name, line.key_id, bytes(64)),
    ):
        note = Note(LOG.checkpoint().text, (signature,))
        assert fault(request(note=note))[0].value == 403
    both = Note(LOG.checkpoint().text, (line, Signature(line.name, line.key_id, bytes(64))))
    assert fault(request(note=both))[0] is WitnessFault.UNSIGNED


def test_checkpoint_smaller_than_its_old_size_is_400() -> None:
    """A proof runs forwards."""
    assert fault(request(old=9, size=5))[0].value == 400


@pytest.mark.parametrize("old", [0, 4, 6, 9])
def test_checkpoint_from_another_old_size_is_409_with_the_known_one(old: int) -> None:
    """The log learns where this witness stands."""
    assert fault(request(old=old)) == (WitnessFault(409), 5)


@pytest.mark.parametrize(
    "made",
    [
        request(MemoryLog.of(9, "fork")),
        request(MemoryLog.of(5, "fork")),
        request(proof=()),
        request(proof=request().proof[:-1]),
        request(proof=(*request().proof, bytes(32))),
        request(size=5, proof=(bytes(32),)),
    ],
)
def test_checkpoint_that_does_not_continue_the_known_tree_is_422(made: AddCheckpoint) -> None:
    """A fork of any size, and proofs too short or too long."""
    assert fault(made)[0].value == 422


def test_checkpoint_from_nothing_with_a_proof_is_422() -> None:
    """From the empty tree there is nothing to prove."""
    assert fault(request(old=0, proof=(bytes(32),)), FRESH)[0] is WitnessFault.INCONSISTENT


def test_checkpoint_of_the_empty_tree_with_a_root_is_422() -> None:
    """Nothing has only one hash."""
    wrong = sign_checkpoint(Checkpoint(LOG.origin, 0, bytes(32)), LOG.key)
    assert fault(to_request(0, (), wrong.to_bytes()), FRESH)[0] is WitnessFault.INCONSISTENT
    assert judge_checkpoint(request(old=0, size=0), FRESH, LOG.key.verifier).size == 0


def test_request_round_trips() -> None:
    """What is written is read back the same."""
    assert parse_add_checkpoint(request().to_body()) == request()
    assert parse_add_checkpoint(request(old=0).to_body()).proof == ()


NOTE = LOG.checkpoint().to_bytes()
HASH = b"A" * 43 + b"=\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5",
        NOTE,
        b"5\n\n" + NOTE,
        b"old 05\n\n" + NOTE,
        b"old  5\n\n" + NOTE,
        b"old -5\n\n" + NOTE,
        b"old 5\r\n\r\n" + NOTE,
        b"old 5\n" + NOTE,
        b"old 5\nAAAA\n\n" + NOTE,
        b"old 5\n\xff\n\n" + NOTE,
        b"old 5\n" + HASH * 64 + b"\n" + NOTE,
        b"old 5\n\n",
        b"old 5\n\n" + NOTE[:-1],
        b"old 5\n\nnot a checkpoint\n\n" + NOTE.split(b"\n\n")[1],
        b"old 5\n\n" + b"x" * 1_000_000,
    ],
)
def test_request_that_is_malformed_is_400(body: bytes) -> None:
    """There is one form of a request."""
    with pytest.raises(WitnessRefusedError) as refused:
        parse_add_checkpoint(body)
    assert refused.value.fault is WitnessFault.MALFORMED


@given(st.binary(max_size=300) | st.binary(max_size=50).map(lambda junk: b"old 5\n" + junk + b"\n" + NOTE))
def test_request_of_any_bytes_is_round_tripped_or_refused(body: bytes) -> None:
    """What is accepted is written back byte for byte; what is not is a 400."""
    try:
        made = parse_add_checkpoint(body)
    except WitnessRefusedError as refused:
        assert refused.fault is WitnessFault.MALFORMED
        return
    assert made.to_body() == body
