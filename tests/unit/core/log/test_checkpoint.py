"""Checkpoints and cosignatures: the forms of the specifications, and signatures that must not change their meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.log.checkpoint import (
    Checkpoint,
    CheckpointError,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from gateway.core.log.cosignature import MAX_TIMESTAMP, cosign, find_cosignatures, verify_cosignature
from gateway.core.log.note import Note, NoteError, Signature, parse_note, sign_text
from tests.support.notes import TIME, MemoryLog, make_key, make_witness

# The example of C2SP tlog-cosignature.
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeM"
    "cTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+"
    "mbIUBkBIfZ+qnA==\n"
)
LOG = MemoryLog.of(5)
TEXT = LOG.head().to_text()
WITNESS = LOG.witnesses[0]


def test_example_of_the_specification_parses() -> None:
    """The published example has the size, root and time that it shows."""
    note = parse_note(EXAMPLE.encode())
    assert parse_checkpoint(note.text).size == 20852163
    assert parse_checkpoint(note.text).to_text() == note.text
    assert len(note.signatures[1].value) == 72
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147


def test_checkpoint_signed_here_verifies() -> None:
    """Head and note come back as they were."""
    assert verify_checkpoint(LOG.checkpoint().to_bytes(), LOG.key.verifier)[0] == LOG.head()


def test_checkpoint_of_another_origin_under_the_same_key_is_refused() -> None:
    """A key that signs for two logs cannot put the head of one into the place of the other."""
    text = Checkpoint("other.invalid", 5, bytes(32)).to_text()
    note = Note(text, (sign_text(text, LOG.key),))
    with pytest.raises(CheckpointError, match="another log"):
        verify_checkpoint(note.to_bytes(), LOG.key.verifier)
    with pytest.raises(CheckpointError):
        sign_checkpoint(Checkpoint("other.invalid", 5, bytes(32)), LOG.key)


def test_checkpoint_of_a_namesake_log_is_refused() -> None:
    """The same origin under another key is another log."""
    with pytest.raises(NoteError, match="no signature"):
        verify_checkpoint(MemoryLog.of(5, seed="other").checkpoint().to_bytes(), LOG.key.verifier)


def test_checkpoint_of_the_empty_tree_with_a_root_is_refused() -> None:
    """Nothing has only one hash."""
    note = sign_checkpoint(Checkpoint(LOG.origin, 0, bytes(32)), LOG.key)
    with pytest.raises(CheckpointError, match="empty tree"):
        verify_checkpoint(note.to_bytes(), LOG.key.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "o\n1\n\n",
        f"o\n01\n{'A' * 43}=\n",
        f"o\n-1\n{'A' * 43}=\n",
        f"o\n+1\n{'A' * 43}=\n",
        f"o\n\u0661\n{'A' * 43}=\n",
        f"o\n9223372036854775808\n{'A' * 43}=\n",
        f"o\n1\n{'A' * 43}\n",
        f"o\n1\n{'A' * 44}\n",
        "o\n1\nAAAA\n",
        f"\n1\n{'A' * 43}=\n",
        f"o\n1\n{'A' * 43}=\n\nx\n",
        f"o\n1\n{'A' * 43}=",
    ],
)
def test_checkpoint_that_is_malformed_is_refused(text: str) -> None:
    """A head has one spelling."""
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@given(
    st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=30),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=20), max_size=3),
)
def test_checkpoint_of_any_values_round_trips(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    """What is written is read back the same, extension lines included."""
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert parse_checkpoint(checkpoint.to_text()) == checkpoint


@given(st.text(st.sampled_from("o019\n=A+/ "), max_size=60))
def test_checkpoint_of_any_text_is_round_tripped_or_refused(text: str) -> None:
    """What is accepted is written back byte for byte."""
    try:
        checkpoint = parse_checkpoint(text)
    except NoteError:
        return
    assert checkpoint.to_text() == text


@given(st.integers(1, MAX_TIMESTAMP))
def test_cosignature_at_any_time_verifies(timestamp: int) -> None:
    """The time is under the signature and comes back."""
    assert verify_cosignature(TEXT, cosign(TEXT, WITNESS, timestamp), WITNESS.verifier) == timestamp


@pytest.mark.parametrize("timestamp", [0, -1, MAX_TIMESTAMP + 1])
def test_cosignature_out_of_time_is_not_made(timestamp: int) -> None:
    """A cosignature always says when."""
    with pytest.raises(NoteError):
        cosign(TEXT, WITNESS, timestamp)


def test_cosignature_with_a_time_beyond_the_range_is_refused() -> None:
    """The highest bit of the time stays free (C2SP tlog-cosignature)."""
    signature = cosign(TEXT, WITNESS, TIME)
    moved = Signature(signature.name, signature.key_id, b"\x80" + signature.value[1:])
    with pytest.raises(NoteError, match="out of range"):
        verify_cosignature(TEXT, moved, WITNESS.verifier)


def test_cosignature_moved_in_time_is_refused() -> None:
    """An old cosignature cannot be made to look fresh."""
    signature = cosign(TEXT, WITNESS, TIME)
    moved = Signature(signature.name, signature.key_id, (TIME + 1).to_bytes(8, "big") + signature.value[8:])
    with pytest.raises(NoteError, match="does not verify"):
        verify_cosignature(TEXT, moved, WITNESS.verifier)


@pytest.mark.parametrize(
    "other",
    [
        MemoryLog.of(5, origin="other.invalid").head().to_text(),
        MemoryLog.of(5, "fork").head().to_text(),
        LOG.head(4).to_text(),
        TEXT + "extension\n",
    ],
)
def test_cosignature_of_another_checkpoint_is_refused(other: str) -> None:
    """A cosignature holds for one log, size and root, and for the extension lines that were there."""
    with pytest.raises(NoteError, match="does not verify"):
        verify_cosignature(TEXT, cosign(other, WITNESS, TIME), WITNESS.verifier)


@pytest.mark.parametrize("length", [1, 64, 71, 73])
def test_cosignature_of_wrong_length_is_refused(length: int) -> None:
    """Cut, prolonged, or a plain signature without time: none is a cosignature."""
    signature = cosign(TEXT, WITNESS, TIME)
    wrong = Signature(signature.name, signature.key_id, (signature.value * 2)[:length])
    with pytest.raises(NoteError, match="length"):
        verify_cosignature(TEXT, wrong, WITNESS.verifier)


def test_cosignature_under_another_name_is_refused() -> None:
    """The right key id with a wrong name is another key."""
    signature = cosign(TEXT, WITNESS, TIME)
    with pytest.raises(NoteError, match="not a cosignature of this witness"):
        verify_cosignature(TEXT, Signature("other.invalid", signature.key_id, signature.value), WITNESS.verifier)


def test_cosignature_by_a_note_key_is_not_made() -> None:
    """A log's key does not cosign, and what it signed is no cosignature."""
    with pytest.raises(NoteError):
        cosign(TEXT, make_key("w"), TIME)
    with pytest.raises(NoteError):
        verify_cosignature(TEXT, sign_text(TEXT, make_key("w")), make_witness("w").verifier)


def test_note_with_one_wrong_cosignature_of_a_known_witness_is_refused() -> None:
    """A right one beside it does not heal it."""
    right = cosign(TEXT, WITNESS, TIME)
    wrong = Signature(right.name, right.key_id, right.value[:-1] + bytes([right.value[-1] ^ 1]))
    assert find_cosignatures(Note(TEXT, (right,)), WITNESS.verifier) == [TIME]
    with pytest.raises(NoteError, match="does not verify"):
        find_cosignatures(Note(TEXT, (right, wrong)), WITNESS.verifier)
