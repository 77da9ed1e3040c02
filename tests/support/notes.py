"""A log and its witnesses in memory: keys from fixed seeds, a tree of any leaves, checkpoints and proofs of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.entry import leaf_hash
from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint
from gateway.core.log.cosignature import cosign
from gateway.core.log.merkle import Frontier, Node, node_hash, prove_consistency, prove_inclusion
from gateway.core.log.note import COSIGNATURE_V1, ED25519, Note, NoteKey
from gateway.core.log.tlog_proof import TlogProof
from gateway.core.log.witness_policy import WitnessPolicy

ORIGIN = "test.invalid/fasttrack"
TIME = 1_772_413_200


def make_key(name: str, algorithm: int = ED25519, *, seed: str = "") -> NoteKey:
    """A key that is the same in every run: its seed is its name, or what is given."""
    secret = sha256((seed or name).encode()).digest()
    return NoteKey(name, Ed25519PrivateKey.from_private_bytes(secret), algorithm)


def make_witness(name: str, *, seed: str = "") -> NoteKey:
    """A witness key."""
    return make_key(name, COSIGNATURE_V1, seed=seed)


@dataclass(slots=True)
class MemoryLog:
    """A log with its tree, its key and three witnesses.

    Args:
        origin: its name.
        seed: of its key, when another log has the same name.
        leaves: bytes of its leaves.
    """

    origin: str = ORIGIN
    seed: str = ""
    leaves: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, size: int, mark: str = "leaf", **names: str) -> MemoryLog:
        """A log of so many leaves; another mark makes another tree."""
        return cls(leaves=[f"{mark} {number}".encode() for number in range(size)], **names)

    @property
    def key(self) -> NoteKey:
        """Its key."""
        return make_key(self.origin, seed=self.seed)

    @property
    def witnesses(self) -> list[NoteKey]:
        """Three witnesses."""
        return [make_witness(f"witness-{number}.test.invalid") for number in (1, 2, 3)]

    @property
    def policy(self) -> WitnessPolicy:
        """Two of the three."""
        return WitnessPolicy(self.key.verifier, 2, tuple(key.verifier for key in self.witnesses))

    def read(self, node: Node) -> bytes:
        """A complete subtree."""
        if node.level == 0:
            return leaf_hash(self.leaves[node.place])
        left, right = (self.read(Node(node.level - 1, 2 * node.place + side)) for side in (0, 1))
        return node_hash(left, right)

    def head(self, size: int | None = None) -> Checkpoint:
        """The head at a size; None for the present one."""
        size = len(self.leaves) if size is None else size
        frontier = Frontier()
        for leaf in self.leaves[:size]:
            frontier.append(leaf_hash(leaf))
        return Checkpoint(self.origin, size, frontier.root())

    def checkpoint(self, size: int | None = None, *, cosigners: int = 0) -> Note:
        """The signed head, cosigned by the first so many witnesses."""
        note = sign_checkpoint(self.head(size), self.key)
        return note.with_signatures([cosign(note.text, key, TIME) for key in self.witnesses[:cosigners]])

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Proof between two sizes."""
        return prove_consistency(first, second, self.read)

    def proof(self, index: int, *, cosigners: int = 2) -> TlogProof:
        """Proof of logging of a leaf."""
        path = prove_inclusion(index, len(self.leaves), self.read)
        return TlogProof(index, tuple(path), self.checkpoint(cosigners=cosigners).to_bytes())
