"""What a witness does with a checkpoint that it is asked to cosign.

Source: C2SP tlog-witness, add-checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gateway.core.log.checkpoint import Checkpoint, CheckpointError, is_root_possible, parse_checkpoint, parse_size
from gateway.core.log.merkle import HASH_BYTES, ProofError, verify_consistency
from gateway.core.log.note import (
    MAX_NOTE_BYTES,
    Note,
    NoteError,
    VerifierKey,
    parse_base64,
    parse_note,
    to_base64,
    verify_note,
)
from gateway.core.port.seal import SeenTree

MAX_HASHES: Final = 63
MAX_BODY_BYTES: Final = MAX_NOTE_BYTES + 4096


class WitnessFault(IntEnum):
    """Why a witness does not cosign; the number is the HTTP status of add-checkpoint."""

    MALFORMED = 400
    UNSIGNED = 403
    UNKNOWN_LOG = 404
    STALE = 409
    INCONSISTENT = 422


class WitnessRefusedError(Exception):
    """The witness does not cosign.

    Args:
        fault: why.
        known_size: size of the last tree that it cosigned.
    """

    def __init__(self, fault: WitnessFault, known_size: int = 0) -> None:
        super().__init__(fault.name.lower())
        self.fault = fault
        self.known_size = known_size


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A checkpoint to cosign.

    Args:
        old_size: size that the proof starts from.
        proof: consistency proof, hashes of 32 bytes.
        note: the signed checkpoint.
        checkpoint: its text, read; not believed yet.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def to_body(self) -> bytes:
        """The request as ``parse_add_checkpoint`` reads it."""
        lines = [f"old {self.old_size}", *map(to_base64, self.proof), "", ""]
        return "\n".join(lines).encode("ascii") + self.note.to_bytes()


def to_request(old_size: int, proof: tuple[bytes, ...], checkpoint: bytes) -> AddCheckpoint:
    """Read the parts of a request.

    Args:
        old_size: size that the proof starts from.
        proof: hashes.
        checkpoint: the signed note.

    Returns:
        the request.

    Raises:
        WitnessRefusedError: MALFORMED.
    """
    try:
        if len(proof) > MAX_HASHES or any(len(item) != HASH_BYTES for item in proof):
            raise CheckpointError("the proof is malformed")
        note = parse_note(checkpoint)
        return AddCheckpoint(old_size, proof, note, parse_checkpoint(note.text))
    except NoteError as error:
        raise WitnessRefusedError(WitnessFault.MALFORMED) from error


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read the body of an add-checkpoint request.

    Args:
        body: old size line, proof lines, empty line, checkpoint.

    Returns:
        the request.

    Raises:
        WitnessRefusedError: MALFORMED.
    """
    head, _, note = body.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        if len(body) > MAX_BODY_BYTES or not lines[0].startswith("old "):
            raise CheckpointError("the request is malformed")
        old_size = parse_size(lines[0].removeprefix("old "))
        proof = tuple(parse_base64(line) for line in lines[1 : MAX_HASHES + 2])
    except (NoteError, UnicodeDecodeError) as error:
        raise WitnessRefusedError(WitnessFault.MALFORMED) from error
    return to_request(old_size, proof, note)


def judge_checkpoint(request: AddCheckpoint, seen: SeenTree, log: VerifierKey) -> SeenTree:
    """Decide whether a checkpoint may be cosigned; the order of the steps is that of the specification.

    1. The log is known. 2. It signed. 3. The old size is not above the new. 4. The old size is the last one cosigned.
    5. The empty tree has its root. 6. The proof leads from the old root to the new.

    Args:
        request: the checkpoint.
        seen: last tree that the witness cosigned; of size 0 when there is none.
        log: key of the log.

    Returns:
        the tree to remember before cosigning.

    Raises:
        WitnessRefusedError: a step failed.
    """
    new = request.checkpoint
    if new.origin != log.name:
        raise WitnessRefusedError(WitnessFault.UNKNOWN_LOG, seen.size)
    try:
        verify_note(request.note, log)
    except NoteError as error:
        raise WitnessRefusedError(WitnessFault.UNSIGNED, seen.size) from error
    if request.old_size > new.size:
        raise WitnessRefusedError(WitnessFault.MALFORMED, seen.size)
    if request.old_size != seen.size:
        raise WitnessRefusedError(WitnessFault.STALE, seen.size)
    if not is_root_possible(new):
        raise WitnessRefusedError(WitnessFault.INCONSISTENT, seen.size)
    try:
        verify_consistency(seen.size, new.size, seen.root, new.root, request.proof)
    except ProofError as error:
        raise WitnessRefusedError(WitnessFault.INCONSISTENT, seen.size) from error
    return SeenTree(new.origin, new.size, new.root)
