"""When a signer key counted: its registration and its revocation are entries, and the order of entries decides.

A bundle's signature counts if the entry that registered the key comes before the entry that submitted the bundle, and
no entry that revoked the key does. The ledger decides a submit by this rule under its lock, and an auditor years later
by the same rule from the entries alone. What counts for the key counts for the *public key*: a second certificate for a
leaked key is revoked with the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final
from uuid import UUID

from gateway.core.entry import Entry, EntryKind


class RevocationReason(StrEnum):
    """Why a key is revoked.

    Source: RFC 5280, section 5.3.1, those that fit a signer's key.
    """

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    AFFILIATION_CHANGED = "affiliation_changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"
    PRIVILEGE_WITHDRAWN = "privilege_withdrawn"


class Standing(StrEnum):
    """Whether a key counted for an entry."""

    VALID = "valid"
    NOT_REGISTERED = "not_registered"
    REVOKED = "revoked"
    NOT_RECORDED = "not_recorded"
    """The entry is older than the first key of this ledger, so the ledger cannot tell."""


@dataclass(frozen=True, slots=True)
class KeyMarks:
    """Where the ledger speaks of a key.

    Args:
        registered: index of the entry that registered the certificate; None when there is none.
        revoked: index of the entry that revoked its public key; None when there is none.
    """

    registered: int | None = None
    revoked: int | None = None


NO_MARKS: Final = KeyMarks()


def judge_key(marks: KeyMarks, index: int) -> Standing:
    """Say whether a key counted for an entry.

    Args:
        marks: where the ledger registers and revokes the key.
        index: of the entry that submitted a bundle signed with it.

    Returns:
        VALID, NOT_REGISTERED or REVOKED.
    """
    if marks.revoked is not None and marks.revoked < index:
        return Standing.REVOKED
    if marks.registered is None or marks.registered >= index:
        return Standing.NOT_REGISTERED
    return Standing.VALID


@lru_cache(maxsize=4096)
def registration_id(key_id: str) -> UUID:
    """Act id by which a certificate is registered: the same for everybody, so it is registered once.

    Args:
        key_id: SHA-256 of the certificate, 64 hexadecimal digits.
    """
    return derive_id("signer key registered", key_id)


@lru_cache(maxsize=4096)
def revocation_id(public_key_sha256: str) -> UUID:
    """Act id by which a public key is revoked: the same for every certificate of the key.

    Args:
        public_key_sha256: SHA-256 of its SubjectPublicKeyInfo, 64 hexadecimal digits.
    """
    return derive_id("signer key revoked", public_key_sha256)


def derive_id(*parts: str) -> UUID:
    """Make an act id of what the act is about, so that the same act has the same id in every process.

    Args:
        parts: what the act is, without line breaks.

    Returns:
        a UUID of version 8 with 122 bits of a SHA-256.

    Source: RFC 9562, section 5.8.
    """
    digest = bytearray(sha256("\n".join(parts).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest))


@dataclass(slots=True)
class KeyHistory:
    """All keys of a ledger, from its entries ``key_registered`` and ``key_revoked``.

    Args:
        keys: the entry that registered a certificate, by key id.
        revocations: the entry that revoked a public key, by its SHA-256.
        revoked_keys: the same by the key id that the entry names.
        first: index of the first of these entries; None when there is none.
    """

    keys: dict[str, Entry] = field(default_factory=dict)
    revocations: dict[str, Entry] = field(default_factory=dict)
    revoked_keys: dict[str, Entry] = field(default_factory=dict)
    first: int | None = None

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> KeyHistory:
        """Read a history.

        Args:
            entries: of a ledger, in order; those of other kinds do not count.

        Returns:
            the history.
        """
        history = cls()
        for entry in entries:
            history.add(entry)
        return history

    def add(self, entry: Entry) -> None:
        """Take the next entry; the first registration and the first revocation of a key count."""
        if entry.kind is EntryKind.KEY_REGISTERED:
            self.keys.setdefault(entry.signer_key, entry)
        elif entry.kind is EntryKind.KEY_REVOKED:
            self.revocations.setdefault(entry.public_key_sha256, entry)
            self.revoked_keys.setdefault(entry.signer_key, entry)
        else:
            return
        self.first = entry.index if self.first is None else min(self.first, entry.index)

    def marks(self, key_id: str) -> KeyMarks:
        """Where the ledger speaks of a key.

        Args:
            key_id: SHA-256 of the certificate, 64 hexadecimal digits.

        Returns:
            the indices.
        """
        registered = self.keys.get(key_id)
        revoked = self.revocations.get(registered.public_key_sha256) if registered is not None else None
        revoked = revoked or self.revoked_keys.get(key_id)
        return KeyMarks(
            registered.index if registered is not None else None, revoked.index if revoked is not None else None
        )

    def judge(self, key_id: str, index: int) -> Standing:
        """Say whether a key counted for an entry.

        Args:
            key_id: SHA-256 of the certificate, ``signer_key`` of the entry.
            index: of the entry that submitted the bundle.

        Returns:
            the standing; NOT_RECORDED for an entry older than the first key of the ledger.
        """
        if self.first is None or index < self.first:
            return Standing.NOT_RECORDED
        return judge_key(self.marks(key_id), index)
