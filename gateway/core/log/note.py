"""Signed notes: text that one or more keys signed, and the keys as text.

    <text, ends with a newline>
    <empty line>
    — <key name> base64(key id || signature)

What is parsed is written back byte for byte. Only Ed25519 keys are known here; signatures of other keys are kept and
ignored, as the specification asks.

Source: C2SP signed-note v1.0.0; RFC 8032; RFC 4648 section 4.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = 0x01
COSIGNATURE_V1: Final = 0x04
MAX_NOTE_BYTES: Final = 256 * 1024
MAX_SIGNATURES: Final = 64
KEY_ID_BYTES: Final = 4
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_DASH: Final = "\u2014"
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)


class NoteError(ValueError):
    """A note, key or signature that is malformed or does not verify; the text never repeats what was read."""


def parse_base64(text: str) -> bytes:
    """Read base64 in its one canonical spelling.

    Args:
        text: standard alphabet, with padding.

    Returns:
        the bytes.

    Raises:
        NoteError: another alphabet, wrong padding, or bits that encode nothing.
    """
    if _BASE64.fullmatch(text) is None:
        raise NoteError("not base64")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NoteError("not base64") from error
    if to_base64(data) != text:
        raise NoteError("not canonical base64")
    return data


def to_base64(data: bytes) -> str:
    """Write bytes as base64, standard alphabet, with padding."""
    return base64.b64encode(data).decode("ascii")


def is_key_name(name: str) -> bool:
    """Whether a text can name a key: not empty, no space of any kind, no plus, no control character."""
    return (
        bool(name)
        and "+" not in name
        and not any(c.isspace() or ord(c) < 0x20 or 0xD800 <= ord(c) < 0xE000 for c in name)
    )


def key_id_of(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Make the id of a key.

    Args:
        name: of the key.
        algorithm: signature type, one byte.
        public_key: 32 bytes.

    Returns:
        the first four bytes of SHA-256(name || 0x0A || algorithm || public key).
    """
    return sha256(name.encode("utf-8") + b"\n" + bytes([algorithm]) + public_key).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as notes know it; name and id together say whose a signature is.

    Args:
        name: of the key.
        algorithm: ``ED25519`` or ``COSIGNATURE_V1``.
        public_key: 32 bytes.
    """

    name: str
    algorithm: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes."""
        return key_id_of(self.name, self.algorithm, self.public_key)

    def to_text(self) -> str:
        """The key as ``parse_verifier_key`` reads it."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.algorithm]) + self.public_key)}"

    def is_named_by(self, signature: Signature) -> bool:
        """Whether a signature line says that it is of this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key (vkey).

    Args:
        text: ``name+8 hexadecimal digits+base64``.

    Returns:
        the key.

    Raises:
        NoteError: malformed, an id that is not that of the key, or another algorithm than Ed25519.

    Source: C2SP signed-note, Verifier keys.
    """
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if not is_key_name(name) or re.fullmatch(r"[0-9a-f]{8}", key_id, re.ASCII) is None:
        raise NoteError("a verifier key is name+id+base64")
    data = parse_base64(encoded)
    if data[0] not in (ED25519, COSIGNATURE_V1) or len(data) != 1 + KEY_BYTES:
        raise NoteError("the verifier key is not an Ed25519 key")
    key = VerifierKey(name, data[0], data[1:])
    if key.key_id.hex() != key_id:
        raise NoteError("the id of the verifier key is not that of its name and key")
    return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Args:
        name: of the key.
        key_id: four bytes.
        value: what the algorithm made, at least one byte.
    """

    name: str
    key_id: bytes
    value: bytes

    def to_line(self) -> str:
        """The line with its newline."""
        return f"{_DASH} {self.name} {to_base64(self.key_id + self.value)}\n"


def parse_signature_line(line: str) -> Signature:
    """Read one signature line.

    Args:
        line: without its newline.

    Returns:
        the signature.

    Raises:
        NoteError: malformed.
    """
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not is_key_name(parts[1]):
        raise NoteError("a signature line is a dash, a name and base64")
    data = parse_base64(parts[2])
    if len(data) <= KEY_ID_BYTES:
        raise NoteError("the signature is too short")
    return Signature(parts[1], data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures; nothing about it is believed until a signature was verified.

    Args:
        text: ends with a newline.
        signatures: at least one.
    """

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The note as ``parse_note`` reads it, UTF-8."""
        return f"{self.text}\n{''.join(signature.to_line() for signature in self.signatures)}".encode()

    def with_signatures(self, more: Sequence[Signature]) -> Note:
        """The same text with further signatures; a line that is there already is not repeated."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


def parse_note(data: bytes) -> Note:
    """Read a signed note; no signature is checked.

    Args:
        data: at most 256 KiB of UTF-8, 1 to 64 signatures.

    Returns:
        the note.

    Raises:
        NoteError: malformed or too large.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError("the note is too large")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    if _CONTROL.search(whole) is not None:
        raise NoteError("the note has a control character")
    text, separator, block = whole.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise NoteError("the note has no signatures")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    return Note(text + "\n", tuple(parse_signature_line(line) for line in lines))


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A private key with its name.

    Args:
        name: of the key.
        private_key: Ed25519.
        algorithm: ``ED25519`` or ``COSIGNATURE_V1``; what it may sign.
    """

    name: str
    private_key: Ed25519PrivateKey
    algorithm: int = ED25519

    @property
    def verifier(self) -> VerifierKey:
        """Its public side."""
        return VerifierKey(self.name, self.algorithm, self.private_key.public_key().public_bytes_raw())


def sign_text(text: str, key: NoteKey) -> Signature:
    """Sign the text of a note.

    Args:
        text: ends with a newline.
        key: of the algorithm ``ED25519``.

    Returns:
        the signature.

    Raises:
        NoteError: the key is for something else.
    """
    if key.algorithm != ED25519:
        raise NoteError("this key does not sign notes")
    return Signature(key.name, key.verifier.key_id, key.private_key.sign(text.encode("utf-8")))


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature (RFC 8032).

    Args:
        public_key: 32 bytes.
        signature: 64 bytes.
        message: what was signed.

    Raises:
        NoteError: it does not verify.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteError("a signature of a known key does not verify") from error


def verify_note(note: Note, key: VerifierKey) -> None:
    """Check that a key signed a note.

    Args:
        note: the note.
        key: of the algorithm ``ED25519``.

    Raises:
        NoteError: there is no signature of the key, or one that does not verify.

    Source: C2SP signed-note, Signatures: a note with a wrong signature of a known key is rejected as a whole.
    """
    if key.algorithm != ED25519:
        raise NoteError("this key does not sign notes")
    found = [signature for signature in note.signatures if key.is_named_by(signature)]
    if not found:
        raise NoteError("no signature of the known key")
    for signature in found:
        verify_ed25519(key.public_key, signature.value, note.text.encode("utf-8"))
