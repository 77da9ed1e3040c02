"""Cosignatures: a witness says when it saw a checkpoint as the consistent head of a log.

Source: C2SP tlog-cosignature v1, Ed25519 (signature type 0x04).
"""

from __future__ import annotations

from typing import Final

from gateway.core.log.note import (
    COSIGNATURE_V1,
    SIGNATURE_BYTES,
    Note,
    NoteError,
    NoteKey,
    Signature,
    VerifierKey,
    verify_ed25519,
)

TIMESTAMP_BYTES: Final = 8
MAX_TIMESTAMP: Final = 2**63 - 1


def _message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def cosign(text: str, key: NoteKey, timestamp: int) -> Signature:
    """Cosign a checkpoint.

    Args:
        text: text of the checkpoint's note, extension lines included.
        key: of the witness, algorithm ``COSIGNATURE_V1``.
        timestamp: seconds since 1970, 1 to 2**63 - 1.

    Returns:
        the signature line's content.

    Raises:
        NoteError: the key is for something else, or the time is out of range.
    """
    if key.algorithm != COSIGNATURE_V1 or not 0 < timestamp <= MAX_TIMESTAMP:
        raise NoteError("not a witness key, or no time")
    value = timestamp.to_bytes(TIMESTAMP_BYTES, "big") + key.private_key.sign(_message(text, timestamp))
    return Signature(key.name, key.verifier.key_id, value)


def verify_cosignature(text: str, signature: Signature, witness: VerifierKey) -> int:
    """Check one cosignature.

    Args:
        text: text of the checkpoint's note.
        signature: a line of the note.
        witness: the key it must be of.

    Returns:
        time of the cosignature, seconds since 1970.

    Raises:
        NoteError: of another key, malformed, or it does not verify.
    """
    if witness.algorithm != COSIGNATURE_V1 or not witness.is_named_by(signature):
        raise NoteError("not a cosignature of this witness")
    if len(signature.value) != TIMESTAMP_BYTES + SIGNATURE_BYTES:
        raise NoteError("the cosignature has the wrong length")
    timestamp = int.from_bytes(signature.value[:TIMESTAMP_BYTES], "big")
    if timestamp > MAX_TIMESTAMP:
        raise NoteError("the time of the cosignature is out of range")
    verify_ed25519(witness.public_key, signature.value[TIMESTAMP_BYTES:], _message(text, timestamp))
    return timestamp


def find_cosignatures(note: Note, witness: VerifierKey) -> list[int]:
    """Check all cosignatures of a witness on a note.

    Args:
        note: a checkpoint.
        witness: the key.

    Returns:
        their times; none when the witness did not cosign.

    Raises:
        NoteError: one of them does not verify, which spoils the note (C2SP signed-note, Signatures).
    """
    found = [signature for signature in note.signatures if witness.is_named_by(signature)]
    return [verify_cosignature(note.text, signature, witness) for signature in found]
