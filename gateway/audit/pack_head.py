"""Steps 5 and 6 of ``verify``: every leaf is in the tree of the head, and the head is signed, cosigned and stamped."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography import x509

from gateway.audit.finding import AuditFinding, Severity
from gateway.audit.pack import Pack
from gateway.audit.seal_check import TokenError
from gateway.audit.token_check import verify_token
from gateway.core.entry import leaf_hash
from gateway.core.log.checkpoint import parse_checkpoint
from gateway.core.log.merkle import ProofError, verify_inclusion
from gateway.core.log.note import NoteError, parse_note
from gateway.core.log.witness_policy import PolicyError, WitnessPolicy, parse_policy, verify_cosigned


@dataclass(frozen=True, slots=True)
class HeadCheck:
    """Checks the head of a pack and the ways that lead to it.

    Args:
        pack: with its leaves read.
    """

    pack: Pack

    def run(self, index: dict[str, Any]) -> None:
        """Check the head that the index names, and every proof.

        Args:
            index: ``case.json``.
        """
        self._check_head(index)
        for number, leaf in self.pack.leaves.items():
            self.check_proof(f"proofs/{number}.json", number, leaf)

    def check_proof(self, name: str, number: int, leaf: bytes) -> None:
        """Check that a leaf is in the tree of the head.

        Args:
            name: file of the proof.
            number: index of the entry.
            leaf: its bytes.
        """
        proof = self.pack.json(name, "proof-form")
        if not proof:
            return
        try:
            hashes = [bytes.fromhex(text) for text in proof["hashes"]]
            said = (proof["index"], proof["tree_size"], proof["leaf_hash"], proof["root_hash"])
            if said != (number, self.pack.size, leaf_hash(leaf).hex(), self.pack.root.hex()):
                self.pack.wrong("proof", name, "the proof is for another entry or another tree", number)
            verify_inclusion(leaf_hash(leaf), number, self.pack.size, hashes, self.pack.root)
        except ProofError as error:
            self.pack.wrong("proof", name, str(error), number)
        except (KeyError, TypeError, ValueError):
            self.pack.wrong("proof-form", name, "not a proof", number)

    def _check_head(self, index: dict[str, Any]) -> None:
        head = index.get("head")
        try:
            size, root = head["size"], bytes.fromhex(head["root"])  # type: ignore[index]
            if type(size) is int and size > 0:
                self.pack.size, self.pack.root = size, root
            else:
                self.pack.wrong("index-head", "case.json", "names no head")
        except (KeyError, TypeError, ValueError):
            self.pack.wrong("index-head", "case.json", "names no head")
        note, signed, token = (self.pack.take(f"head/{name}") for name in ("checkpoint", "signed-note", "token.der"))
        self.pack.used.add("keys/tsa-ca.pem")
        policy = self._policy()
        if note is None:
            self.pack.unsure("head-unsigned", "head/checkpoint", "no signed head; the proofs lead to a bare root")
            return
        try:
            checkpoint = parse_checkpoint(parse_note(note).text)
            if (checkpoint.size, checkpoint.root) != (self.pack.size, self.pack.root):
                self.pack.wrong("head", "head/checkpoint", "not the head that the index names")
            if self.pack.entries and checkpoint.origin != next(iter(self.pack.entries.values())).origin:
                self.pack.wrong("head", "head/checkpoint", "of another log")
            if policy is not None:
                verify_cosigned(note, policy)
            if signed is None or parse_note(signed).text != parse_note(note).text:
                self.pack.wrong("head", "head/signed-note", "not the text of the checkpoint")
            elif not set(parse_note(signed).signatures) <= set(parse_note(note).signatures):
                self.pack.wrong("head", "head/signed-note", "not the signature of the checkpoint")
        except NoteError as error:
            self.pack.wrong("head", "head/checkpoint", str(error))
        if token is not None:
            self._check_token(token, signed or b"")

    def _check_token(self, token: bytes, signed: bytes) -> None:
        name = "keys/tsa-ca.pem"
        data, roots = self.pack.take(name), self.pack.trust.tsa_cas
        if not roots:
            self.pack.unsure(
                "trust-tsa-ca", name, "the CA of the time stamp is the one that the pack brought along, if any"
            )
            try:
                roots = tuple(x509.load_pem_x509_certificates(data or b""))
            except ValueError:
                reason = "there is no CA to verify the time stamp with"
                self.pack.report(
                    AuditFinding("timestamp-unchecked", "head/token.der", "", reason, severity=Severity.UNKNOWN)
                )
                return
        try:
            verify_token(token, sha256(signed).digest(), roots)
        except TokenError as error:
            self.pack.wrong("timestamp", "head/token.der", str(error))

    def _policy(self) -> WitnessPolicy | None:
        data = self.pack.take("keys/policy.toml")
        if self.pack.trust.policy is not None:
            return self.pack.trust.policy
        if data is None:
            self.pack.unsure("trust-policy", "keys/policy.toml", "no policy: signatures of the head were not checked")
            return None
        self.pack.unsure("trust-policy", "keys/policy.toml", "the policy is the one that the pack brought along")
        try:
            return parse_policy(data.decode("utf-8"))
        except (PolicyError, UnicodeDecodeError) as error:
            self.pack.wrong("trust-policy", "keys/policy.toml", f"cannot be used: {error}")
            return None
