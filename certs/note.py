"""Makes the note keys of a development set-up: one for the signer of the log, one for each witness, and the policy."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certs.layout import PkiLayout, make_directory, write_key, write_new
from gateway.core.log.note import COSIGNATURE_V1, ED25519, NoteKey
from gateway.core.log.witness_policy import WitnessPolicy


def witness_name(origin: str, agency: str) -> str:
    """Name of an agency's witness key.

    Args:
        origin: name of the log.
        agency: short form such as ``ps:110108``.

    Returns:
        for example ``gateway.example/fasttrack/witness/ps-110108``.
    """
    return f"{origin}/witness/{agency.replace(':', '-')}"


def make_note_keys(layout: PkiLayout, *, origin: str, witnesses: Sequence[str], quorum: int) -> WitnessPolicy:
    """Make keys and policy; nothing is overwritten.

    Args:
        layout: of a development PKI that exists.
        origin: name of the log.
        witnesses: agencies, short form; each has its folder in the PKI.
        quorum: how many of them must cosign.

    Returns:
        the policy, as it was written.

    Raises:
        FileExistsError: a key is there already.
    """
    make_directory(layout.log)
    signer = NoteKey(origin, Ed25519PrivateKey.generate(), ED25519)
    write_key(layout.log_key, signer.private_key)
    write_new(layout.log_verifier, f"{signer.verifier.to_text()}\n".encode(), 0o644)
    keys = []
    for agency in witnesses:
        files = layout.agency(agency)
        key = NoteKey(witness_name(origin, agency), Ed25519PrivateKey.generate(), COSIGNATURE_V1)
        write_key(files.witness_key, key.private_key)
        write_new(files.witness_verifier, f"{key.verifier.to_text()}\n".encode(), 0o644)
        keys.append(key.verifier)
    policy = WitnessPolicy(signer.verifier, quorum, tuple(keys))
    write_new(layout.witness_policy, policy.to_toml().encode(), 0o644)
    return policy
