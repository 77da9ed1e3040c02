"""Keys of notes from files: the private key as PEM, the public key as one line of text (vkey)."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.core.log.note import ED25519, NoteKey, VerifierKey, is_key_name, parse_verifier_key


def load_note_key(path: Path, name: str, algorithm: int = ED25519) -> NoteKey:
    """Read a private key.

    Args:
        path: PKCS #8 PEM without password, Ed25519.
        name: of the key; for a log its origin.
        algorithm: what it may sign.

    Returns:
        the key.

    Raises:
        OSError: it cannot be read.
        ValueError: it is another kind of key, or the name cannot name one.
    """
    private_key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(private_key, Ed25519PrivateKey) or not is_key_name(name):
        raise ValueError(f"{path.name}: an Ed25519 key and a name without spaces and plus are needed")
    return NoteKey(name, private_key, algorithm)


def load_verifier_key(path: Path) -> VerifierKey:
    """Read a public key.

    Args:
        path: one line, ``name+id+base64``.

    Returns:
        the key.

    Raises:
        OSError: it cannot be read.
        ValueError: malformed.
    """
    return parse_verifier_key(path.read_text("utf-8").strip("\n"))
