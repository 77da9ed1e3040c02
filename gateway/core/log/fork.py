"""Evidence of a fork: two checkpoints that one key signed and that cannot both be heads of one log, in one file.

    {"format": "fasttrack-fork-v1", "smaller": "<note>", "larger": "<note>", "hashes": ["<base64>", ...]}

Of one size, two roots are evidence by themselves. Of two sizes, the hashes lead from the leaves that the smaller tree
should have to the signed root of the larger one; the root that those leaves really have is not the one that was signed.
Nobody who wants to blame an honest log can find such hashes, so file and public key convince whoever has them; who
collected the evidence, and how, need not be believed.

Source: RFC 9162, section 2.1.4 (consistency); C2SP tlog-checkpoint, signed-note.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.errors import GatewayError
from gateway.core.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from gateway.core.log.merkle import HASH_BYTES, ProofError, ReadNode, prefix_root, prove_prefix
from gateway.core.log.note import MAX_NOTE_BYTES, NoteError, VerifierKey, parse_base64, parse_note, to_base64
from gateway.core.strict_json import parse_object

FORMAT: Final = "fasttrack-fork-v1"
MAX_HASHES: Final = 65
MAX_FORK_BYTES: Final = 5 * MAX_NOTE_BYTES
"""Two notes, each byte of which may be escaped in JSON, and the hashes."""
_FIELDS: Final = {"format", "smaller", "larger", "hashes"}


class ForkError(NoteError):
    """A file that is malformed, or does not prove that a log forked."""


@dataclass(frozen=True, slots=True)
class Fork:
    """What a file proves.

    Args:
        smaller: a signed head.
        larger: a signed head of the same size or a larger one.
        prefix_root: root of the first leaves of the larger tree, as many as the smaller one has, 32 bytes; it is not
            the root of the smaller one.
    """

    smaller: Checkpoint
    larger: Checkpoint
    prefix_root: bytes


def to_fork_file(one: bytes, other: bytes, hashes: Sequence[bytes] = ()) -> bytes:
    """Write evidence.

    Args:
        one: a signed checkpoint.
        other: another one.
        hashes: of ``prove_prefix`` in the larger tree; none when both have one size.

    Returns:
        the file, UTF-8; nothing in it was verified.

    Raises:
        NoteError: one of them is no checkpoint.
    """
    notes = sorted((one, other), key=lambda note: parse_checkpoint(parse_note(note).text).size)
    fields = {
        "format": FORMAT,
        "smaller": notes[0].decode("utf-8"),
        "larger": notes[1].decode("utf-8"),
        "hashes": [to_base64(value) for value in hashes],
    }
    return (json.dumps(fields, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def verify_fork(data: bytes, log: VerifierKey) -> Fork:
    """Judge evidence by the public key of the log alone.

    1. The log signed both checkpoints. 2. Of one size: they have different roots. 3. Of two sizes: the hashes lead to
    the root of the larger tree, and its first leaves have another root than the smaller one.

    Args:
        data: the file.
        log: key of the log.

    Returns:
        what it proves.

    Raises:
        NoteError: it is malformed, too large, or proves nothing.
    """
    fields, hashes = _parse(data)
    # 1
    smaller, _ = verify_checkpoint(fields["smaller"].encode("utf-8"), log)
    larger, _ = verify_checkpoint(fields["larger"].encode("utf-8"), log)
    # 2
    if smaller.size == larger.size:
        if hashes:
            raise ForkError("two trees of one size need no hashes")
        root = larger.root
    # 3
    else:
        try:
            root = prefix_root(smaller.size, larger.size, hashes, larger.root)
        except ProofError as error:
            raise ForkError(f"the hashes prove nothing about the larger tree: {error}") from error
    if root == smaller.root:
        raise ForkError("both are heads of one log: the larger tree begins with the smaller")
    return Fork(smaller, larger, root)


def _parse(data: bytes) -> tuple[dict[str, str], tuple[bytes, ...]]:
    try:
        fields: dict[str, Any] = parse_object(data, max_bytes=MAX_FORK_BYTES, max_depth=2)
    except GatewayError as error:
        raise ForkError("not evidence of a fork: it is no JSON object, or too large") from error
    hashes = fields.get("hashes")
    if (
        fields.keys() != _FIELDS
        or fields["format"] != FORMAT
        or not isinstance(fields["smaller"], str)
        or not isinstance(fields["larger"], str)
        or not isinstance(hashes, list)
        or len(hashes) > MAX_HASHES
        or not all(isinstance(value, str) for value in hashes)
    ):
        raise ForkError(f"not evidence of a fork in the format {FORMAT}")
    values = tuple(parse_base64(value) for value in hashes)
    if any(len(value) != HASH_BYTES for value in values):
        raise ForkError("a hash has the wrong length")
    return fields, values


def find_fork(smaller: bytes, larger: bytes, log: VerifierKey, read: ReadNode) -> bytes | None:
    """Compare two signed checkpoints, given the larger tree.

    Args:
        smaller: note of the smaller tree, at least one leaf.
        larger: note of a tree of the same size or a larger one.
        log: key of the log.
        read: gives nodes of the larger tree; not called when both have one size.

    Returns:
        evidence of a fork, verified; None when the larger tree is proved to begin with the smaller.

    Raises:
        NoteError: one of them is not a checkpoint of the log.
        ProofError: the nodes do not lead to the root of the larger tree, so nothing is proved.
    """
    one, _ = verify_checkpoint(smaller, log)
    other, _ = verify_checkpoint(larger, log)
    if one.size == other.size:
        hashes, root = [], other.root
    else:
        hashes = prove_prefix(one.size, other.size, read)
        root = prefix_root(one.size, other.size, hashes, other.root)
    if root == one.root:
        return None
    evidence = to_fork_file(smaller, larger, hashes)
    verify_fork(evidence, log)
    return evidence
