"""Proofs of logging that verify offline: index, inclusion path and cosigned checkpoint in one text file.

    c2sp.org/tlog-proof@v1
    index 73894
    <hash, base64> ...
    <empty line>
    <checkpoint>

Source: C2SP tlog-proof v1; RFC 6962 section 2.1.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.core.log.checkpoint import parse_checkpoint, parse_size
from gateway.core.log.merkle import HASH_BYTES, ProofError, verify_inclusion
from gateway.core.log.note import MAX_NOTE_BYTES, NoteError, parse_base64, parse_note, to_base64
from gateway.core.log.witness_policy import Cosigned, WitnessPolicy, verify_cosigned

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_HASHES: Final = 63
MAX_EXTRA_BYTES: Final = 64 * 1024
MAX_PROOF_BYTES: Final = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES + 4096


class TlogProofError(NoteError):
    """A proof file that is malformed or does not prove what it should."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof file; nothing in it is believed until it was verified.

    Args:
        index: of the entry, from 0.
        hashes: inclusion path from the leaf upwards, at most 63 of 32 bytes.
        checkpoint: the signed note, byte for byte.
        extra: opaque bytes that nothing vouches for; empty for no such line.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """The file as ``parse_tlog_proof`` reads it."""
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {to_base64(self.extra)}")
        lines += [f"index {self.index}", *map(to_base64, self.hashes), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Read a proof file; nothing is verified.

    Args:
        data: the file.

    Returns:
        the proof.

    Raises:
        NoteError: malformed or too large.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise TlogProofError("the proof is too large")
    head, separator, checkpoint = data.partition(b"\n\n")
    if not separator:
        raise TlogProofError("the proof has no checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise TlogProofError("the proof is not ASCII before its checkpoint") from error
    if lines.pop(0) != HEADER:
        raise TlogProofError("not a proof of this version")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "))
        if len(extra) > MAX_EXTRA_BYTES:
            raise TlogProofError("the extra data is too large")
    if not lines or not lines[0].startswith("index "):
        raise TlogProofError("the proof has no index")
    index = parse_size(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_HASHES:
        raise TlogProofError("the proof has too many hashes")
    hashes = tuple(parse_base64(line) for line in lines)
    if any(len(item) != HASH_BYTES for item in hashes):
        raise TlogProofError("a hash of the proof has the wrong length")
    parse_checkpoint(parse_note(checkpoint).text)
    return TlogProof(index, hashes, checkpoint, extra)


def verify_tlog_proof(proof: TlogProof, leaf_hash: bytes, policy: WitnessPolicy) -> Cosigned:
    """Check that an entry is in the log, and that enough witnesses saw it there.

    1. The log signed the checkpoint. 2. The quorum of witnesses cosigned it. 3. The path leads from the leaf to its
    root.

    Args:
        proof: the file.
        leaf_hash: hash of the entry, 32 bytes, computed by the caller from the entry itself.
        policy: what is trusted.

    Returns:
        the checkpoint and who cosigned it.

    Raises:
        NoteError: a step failed.
    """
    cosigned = verify_cosigned(proof.checkpoint, policy)
    checkpoint = cosigned.checkpoint
    try:
        verify_inclusion(leaf_hash, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    except ProofError as error:
        raise TlogProofError("the entry is not in the tree of the checkpoint") from error
    return cosigned
