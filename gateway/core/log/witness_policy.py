"""The witness policy: which log is meant, which witnesses are known, and how many of them must have cosigned.

    log = "gateway.example/fasttrack+1234abcd+AQ..."
    quorum = 2
    witnesses = ["ps-110108.example+...", "pr-110108.example+...", "ov-110000.example+..."]

The file is TOML. It is the one thing an auditor must trust beforehand, so it is short and strict.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.log.checkpoint import Checkpoint, verify_checkpoint
from gateway.core.log.cosignature import find_cosignatures
from gateway.core.log.note import COSIGNATURE_V1, ED25519, NoteError, VerifierKey, parse_verifier_key

MAX_WITNESSES: Final = 32
MAX_POLICY_BYTES: Final = 64 * 1024
_FIELDS: Final = {"log", "quorum", "witnesses"}


class PolicyError(ValueError):
    """A policy file that cannot be used."""


class QuorumError(NoteError):
    """A checkpoint that too few known witnesses have cosigned."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that meets a policy.

    Args:
        checkpoint: the head.
        witnesses: names of the witnesses that cosigned, with the time of their latest cosignature (seconds since 1970).
    """

    checkpoint: Checkpoint
    witnesses: dict[str, int]


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """A policy.

    Args:
        log: key of the log.
        quorum: witnesses that must have cosigned, at least 1.
        witnesses: those that are known.
    """

    log: VerifierKey
    quorum: int
    witnesses: tuple[VerifierKey, ...]

    def witness(self, name: str) -> VerifierKey | None:
        """A known witness by its name, or None."""
        return next((key for key in self.witnesses if key.name == name), None)

    def to_toml(self) -> str:
        """The policy as ``parse_policy`` reads it."""
        lines = "".join(f'    "{key.to_text()}",\n' for key in self.witnesses)
        return f'log = "{self.log.to_text()}"\nquorum = {self.quorum}\nwitnesses = [\n{lines}]\n'


def parse_policy(text: str) -> WitnessPolicy:
    """Read a policy file.

    Args:
        text: TOML, at most 64 KiB.

    Returns:
        the policy.

    Raises:
        PolicyError: malformed, an unknown field, 1 <= quorum <= witnesses <= 32 not kept, or one key or name twice.
    """
    if len(text) > MAX_POLICY_BYTES:
        raise PolicyError("the policy is too large")
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError("the policy is not TOML") from error
    log, quorum, witnesses = (values.get(name) for name in ("log", "quorum", "witnesses"))
    if (
        values.keys() != _FIELDS
        or not isinstance(log, str)
        or type(quorum) is not int
        or not isinstance(witnesses, list)
    ):
        raise PolicyError("a policy has a log, a quorum and witnesses, and nothing else")
    if not 1 <= quorum <= len(witnesses) <= MAX_WITNESSES:
        raise PolicyError("the quorum is a number from 1 to that of the witnesses, at most 32")
    log_key = _parse_key(log, ED25519, "log")
    keys = tuple(_parse_key(witness, COSIGNATURE_V1, "witness") for witness in witnesses)
    # One witness under two names, or the log as its own witness, would make a quorum of fewer than it says.
    if len({key.public_key for key in (*keys, log_key)}) <= len(keys) or len({key.name for key in keys}) < len(keys):
        raise PolicyError("each key and each name may stand only once")
    return WitnessPolicy(log_key, quorum, keys)


def _parse_key(text: object, algorithm: int, what: str) -> VerifierKey:
    try:
        key = parse_verifier_key(text if isinstance(text, str) else "")
    except NoteError as error:
        raise PolicyError(f"the key of a {what} cannot be read: {error}") from error
    if key.algorithm != algorithm:
        raise PolicyError(f"the key of a {what} is of another kind")
    return key


def verify_cosigned(data: bytes, policy: WitnessPolicy) -> Cosigned:
    """Check a checkpoint against a policy.

    1. The log of the policy signed it. 2. No cosignature of a known witness is wrong. 3. The quorum is reached.

    Args:
        data: the note.
        policy: what is trusted.

    Returns:
        the evidence.

    Raises:
        NoteError: a step failed; QuorumError for the last.
    """
    checkpoint, note = verify_checkpoint(data, policy.log)
    times = {key.name: find_cosignatures(note, key) for key in policy.witnesses}
    found = {name: max(stamps) for name, stamps in times.items() if stamps}
    if len(found) < policy.quorum:
        raise QuorumError(f"cosigned by {len(found)} of the {policy.quorum} witnesses that are needed")
    return Cosigned(checkpoint, found)
