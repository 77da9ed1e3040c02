"""Checkpoints: the head of a log as the text of a signed note.

    <origin>
    <tree size>
    <root hash, base64>

Source: C2SP tlog-checkpoint v1.0.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.core.log.merkle import EMPTY_ROOT, HASH_BYTES
from gateway.core.log.note import (
    Note,
    NoteError,
    NoteKey,
    VerifierKey,
    parse_base64,
    parse_note,
    sign_text,
    to_base64,
    verify_note,
)

MAX_SIZE: Final = 2**63 - 1
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class CheckpointError(NoteError):
    """A checkpoint that is malformed, of another log, or not signed by it."""


def parse_size(text: str) -> int:
    """Read a tree size or an index.

    Args:
        text: ASCII decimal without leading zeroes.

    Returns:
        0 to 2**63 - 1.

    Raises:
        CheckpointError: anything else.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise CheckpointError("not a size")
    return int(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log.

    Args:
        origin: name of the log.
        size: number of leaves.
        root: root hash, 32 bytes.
        extensions: further lines, opaque; our own log writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The text of the note."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note as a checkpoint; the signatures are checked elsewhere.

    Args:
        text: of a note, ends with a newline.

    Returns:
        the checkpoint.

    Raises:
        CheckpointError: malformed, or an empty tree with another root than that of nothing.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise CheckpointError("a checkpoint has three lines or more, none of them empty")
    size = parse_size(lines[1])
    root = parse_base64(lines[2])
    if len(root) != HASH_BYTES:
        raise CheckpointError("the root hash has the wrong length")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def is_root_possible(checkpoint: Checkpoint) -> bool:
    """Whether size and root can belong together: the empty tree has only one root (RFC 6962, section 2.1)."""
    return checkpoint.size > 0 or checkpoint.root == EMPTY_ROOT


def sign_checkpoint(checkpoint: Checkpoint, key: NoteKey) -> Note:
    """Sign a checkpoint as its log.

    Args:
        checkpoint: the head.
        key: of the log; its name is the origin.

    Returns:
        the note.

    Raises:
        CheckpointError: the key is that of another log.
    """
    if key.name != checkpoint.origin:
        raise CheckpointError("the name of the key is not the origin of the log")
    text = checkpoint.to_text()
    return Note(text, (sign_text(text, key),))


def verify_checkpoint(data: bytes, log: VerifierKey) -> tuple[Checkpoint, Note]:
    """Read a signed checkpoint and check that the log signed it.

    Args:
        data: the note.
        log: key of the log; its name is the origin.

    Returns:
        the head, and the note for what else it carries.

    Raises:
        NoteError: malformed, of another log, or not signed by this one.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != log.name:
        raise CheckpointError("a checkpoint of another log")
    verify_note(note, log)
    if not is_root_possible(checkpoint):
        raise CheckpointError("the root of the empty tree is wrong")
    return checkpoint, note
