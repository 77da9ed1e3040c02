"""Signed notes and their keys: the vectors of the specification, and everything that must not pass."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.log.note import (
    COSIGNATURE_V1,
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Note,
    NoteError,
    Signature,
    VerifierKey,
    key_id_of,
    parse_note,
    parse_verifier_key,
    sign_text,
    verify_note,
)
from tests.support.notes import make_key, make_witness

# C2SP signed-note, "Verifier keys", and the package note of the Go project.
VECTORS = [
    (
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZ"
        "XsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    ),
    (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    ),
]
KEY = make_key("test.invalid/log")
TEXT = "one\n\ntwo\n"
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda name: "+" not in name and not any(c.isspace() or ord(c) < 32 for c in name)
)
TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=32) | st.just("\n"), max_size=60).map(
    lambda text: text + "\n"
)


@pytest.mark.parametrize(("vkey", "note"), VECTORS)
def test_vector_of_the_specification_verifies_and_round_trips(vkey: str, note: str) -> None:
    """What others signed verifies here, and is written back as they wrote it."""
    key, parsed = parse_verifier_key(vkey), parse_note(note.encode())
    verify_note(parsed, key)
    assert key.to_text() == vkey
    assert parsed.to_bytes() == note.encode()


def test_cosignature_key_id_of_the_specification_is_not_that_of_a_note_key() -> None:
    """The same key has another id for each use, so that a signature cannot change its meaning."""
    assert key_id_of("a", 1, b"k" * 32) != key_id_of("a", COSIGNATURE_V1, b"k" * 32)


def test_note_signed_here_verifies() -> None:
    """A text with empty lines keeps them: the last empty line is the border."""
    note = parse_note(Note(TEXT, (sign_text(TEXT, KEY),)).to_bytes())
    assert note.text == TEXT
    verify_note(note, KEY.verifier)


def test_note_of_another_name_with_the_right_key_id_is_refused() -> None:
    """Name and id together name a key: the id alone, which is short, proves nothing."""
    signature = sign_text(TEXT, KEY)
    with pytest.raises(NoteError, match="no signature"):
        verify_note(Note(TEXT, (Signature("other.invalid", signature.key_id, signature.value),)), KEY.verifier)


def test_note_with_a_wrong_signature_of_the_known_key_is_refused_even_beside_a_right_one() -> None:
    """One wrong signature of a known key spoils the note."""
    right = sign_text(TEXT, KEY)
    wrong = Signature(right.name, right.key_id, bytes(64))
    with pytest.raises(NoteError, match="does not verify"):
        verify_note(Note(TEXT, (right, wrong)), KEY.verifier)


@pytest.mark.parametrize("length", [1, 63, 65])
def test_note_signature_of_wrong_length_is_refused(length: int) -> None:
    """A signature that was cut or prolonged is wrong, not an error of another kind."""
    right = sign_text(TEXT, KEY)
    with pytest.raises(NoteError, match="does not verify"):
        verify_note(Note(TEXT, (Signature(right.name, right.key_id, (right.value * 2)[:length]),)), KEY.verifier)


def test_note_with_another_text_is_refused() -> None:
    """The signature is over every byte of the text."""
    with pytest.raises(NoteError, match="does not verify"):
        verify_note(Note("one\n\ntwo!\n", (sign_text(TEXT, KEY),)), KEY.verifier)


def test_note_with_unknown_signatures_is_taken_for_the_known_one() -> None:
    """Signatures of unknown keys are kept and ignored, so that keys can be rotated and witnesses added."""
    others = [sign_text(TEXT, make_key(f"other-{number}")) for number in range(20)]
    verify_note(Note(TEXT, (*others, sign_text(TEXT, KEY))), KEY.verifier)


def test_witness_key_signs_and_verifies_no_note() -> None:
    """A key that cosigns is not used for anything else."""
    witness = make_witness("w")
    with pytest.raises(NoteError):
        sign_text(TEXT, witness)
    with pytest.raises(NoteError):
        verify_note(Note(TEXT, (sign_text(TEXT, KEY),)), witness.verifier)


LINE = sign_text("a\n", KEY).to_line()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a\n",
        b"a\n\n",
        b"a\n\n\n",
        f"a\n{LINE}".encode(),
        f"a\n\n{LINE}"[:-1].encode(),
        f"a\r\n\n{LINE}".encode(),
        f"a\x00\n\n{LINE}".encode(),
        f"a\t\n\n{LINE}".encode(),
        b"\xff\n\n" + LINE.encode(),
        f"a\n\n{LINE}x".encode(),
        f"a\n\n-{LINE[1:]}".encode(),
        f"a\n\n{LINE.replace(' ', '  ', 1)}".encode(),
        f"a\n\n{LINE[:-1]} \n".encode(),
        f"a\n\n{LINE.replace('test.invalid', 'te+st.invalid')}".encode(),
        ("a\n\n" + LINE.replace("test.invalid", "te\u3000st.invalid")).encode(),
        "a\n\n— n AAAAAA==\n".encode(),
        "a\n\n— n AAAAAAE\n".encode(),
        "a\n\n— n AAAAAAF=\n".encode(),
        "a\n\n— n AAAA-_E=\n".encode(),
        f"a\n\n{LINE * (MAX_SIGNATURES + 1)}".encode(),
        b"a" * MAX_NOTE_BYTES + f"\n\n{LINE}".encode(),
    ],
)
def test_note_that_is_malformed_is_refused(data: bytes) -> None:
    """There is one spelling of a note; whatever else comes is refused with our own error."""
    with pytest.raises(NoteError):
        parse_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+530d903a",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example.com/foo+530d903a+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
        "example.com/foo+530d903a+" + base64.b64encode(b"\x06" + bytes(32)).decode(),
        "exa mple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_verifier_key_that_is_malformed_is_refused(text: str) -> None:
    """A key with a wrong id, of another length or kind is no key."""
    with pytest.raises(NoteError):
        parse_verifier_key(text)


@given(TEXTS, st.lists(st.tuples(NAMES, st.binary(min_size=5, max_size=80)), min_size=1, max_size=5))
def test_note_of_any_text_and_signatures_round_trips(text: str, lines: list[tuple[str, bytes]]) -> None:
    """What is written is read back the same."""
    note = Note(text, tuple(Signature(name, data[:4], data[4:]) for name, data in lines))
    assert parse_note(note.to_bytes()) == note


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"{text}\n\n{LINE}".encode("utf-8", "replace")))
def test_note_of_any_bytes_is_round_tripped_or_refused(data: bytes) -> None:
    """What is accepted is written back byte for byte; what is not is refused with our own error."""
    try:
        note = parse_note(data)
    except NoteError:
        return
    assert note.to_bytes() == data


@given(NAMES, st.binary(min_size=32, max_size=32), st.sampled_from([1, 4]))
def test_verifier_key_round_trips(name: str, public_key: bytes, algorithm: int) -> None:
    """A key written as text is the same key when it is read."""
    key = VerifierKey(name, algorithm, public_key)
    assert parse_verifier_key(key.to_text()) == key
