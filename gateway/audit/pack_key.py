"""Step 8 of ``verify``, of keys: every signature counted at its place in the log.

The pack holds the entries that register and revoke the keys of the case, each with its proof and certificate. A key
counts for an entry when its registration stands before it and no revocation of its public key does. An entry that the
pack leaves out cannot be missed here; who doubts asks the log, or a mirror of it, for its key entries.

Checks: ``key-missing`` (a file that the index names), ``key-form``, ``key-certificate``, ``key-contradiction`` (said
twice), ``key-stray`` (of a key that signed nothing), ``key-unregistered``, ``key-revoked``, ``key-agency``, and
``key-unproven`` (nothing in the pack registers the key: neither good nor bad).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from gateway.audit.jws_check import load_certificate
from gateway.audit.leaf_form import parse_entry
from gateway.audit.pack import Pack
from gateway.audit.pack_head import HeadCheck
from gateway.audit.sm2_check import public_key_info
from gateway.core.entry import Entry, EntryKind
from gateway.core.log.key_history import KeyHistory, Standing, judge_key

_KINDS: Final = (EntryKind.KEY_REGISTERED, EntryKind.KEY_REVOKED)
_MAX_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """Judges the keys of a pack.

    Args:
        pack: with its leaves and head read.
        history: what the pack says of keys.
    """

    pack: Pack
    history: KeyHistory = field(default_factory=KeyHistory)

    def run(self, index: dict[str, Any]) -> None:
        """Read the key entries that the index names, and judge every signer of the case.

        Args:
            index: ``case.json``.
        """
        listed = index.get("signers")
        numbers = [item for item in (listed if isinstance(listed, list) else []) if type(item) is int and item >= 0]
        entries = [entry for number in sorted(set(numbers))[:_MAX_KEYS] if (entry := self._read(number)) is not None]
        signed = [entry for entry in self.pack.entries.values() if entry.signer_key and entry.kind not in _KINDS]
        used = {entry.signer_key for entry in signed}
        for entry in entries:
            self._take(entry, used)
        for entry in signed:
            self._judge(entry)

    def _read(self, number: int) -> Entry | None:
        folder = f"signers/{number}"
        name = f"{folder}/leaf.json"
        leaf, certificate = self.pack.take(name), self.pack.take(f"{folder}/certificate.der")
        if leaf is None:
            self.pack.wrong("key-missing", name, "the entry of the key is missing", number)
            return None
        entry = parse_entry(leaf)
        HeadCheck(self.pack).check_proof(f"{folder}/proof.json", number, leaf)
        origins = {item.origin for item in self.pack.entries.values()}
        if entry is None or entry.index != number or entry.kind not in _KINDS or {entry.origin} != origins:
            self.pack.wrong("key-form", name, "not an entry of this index about a key", number)
            return None
        if certificate is None:
            self.pack.wrong("key-missing", f"{folder}/certificate.der", "the certificate of the key is missing", number)
            return entry
        try:
            key = sha256(public_key_info(load_certificate(certificate))).hexdigest()
        except (ValueError, IndexError):
            key = ""
        if (sha256(certificate).hexdigest(), key) != (entry.signer_key, entry.public_key_sha256):
            reason = "not the certificate and public key that the entry names"
            self.pack.wrong("key-certificate", f"{folder}/certificate.der", reason, number)
        return entry

    def _take(self, entry: Entry, used: set[str]) -> None:
        is_registration = entry.kind is EntryKind.KEY_REGISTERED
        known = self.history.keys.get(entry.signer_key) if is_registration else None
        known = known or (None if is_registration else self.history.revocations.get(entry.public_key_sha256))
        where = f"signers/{entry.index}/leaf.json"
        if known is not None:
            reason = f"entry {known.index} said the same of the key already"
            self.pack.wrong("key-contradiction", where, reason, entry.index)
        public = {item.public_key_sha256 for item in self.history.keys.values()}
        if entry.signer_key not in used and entry.public_key_sha256 not in public:
            self.pack.wrong("key-stray", where, "of a key that signed nothing in this case", entry.index)
        self.history.add(entry)

    def _judge(self, entry: Entry) -> None:
        where, key_id = f"leaves/{entry.index}.json", entry.signer_key
        registered = self.history.keys.get(key_id)
        standing = judge_key(self.history.marks(key_id), entry.index)
        if standing is Standing.REVOKED:
            self.pack.wrong("key-revoked", where, "the key of the signature was revoked before", entry.index)
        elif registered is None:
            self.pack.unknown("key-unproven", where, "nothing in the pack registers the signer's key", entry.index)
        elif standing is Standing.NOT_REGISTERED:
            self.pack.wrong("key-unregistered", where, "the key of the signature was registered later", entry.index)
        if registered is not None and registered.agency != (entry.sender or entry.actor):
            self.pack.wrong("key-agency", where, "the key is registered for another agency", entry.index)
