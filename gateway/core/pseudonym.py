"""Pseudonyms for the ledger: a case always gets the same one, and without the key nobody can tell which case it is.

Danger: whoever has the key and a case number can find the case in the ledger. The key stays with the gateway; losing it
makes the ledger unsearchable by case number, not invalid.
"""

from __future__ import annotations

import hmac
from typing import Final

KEY_BYTES: Final = 32
_DIGITS: Final = 32


class Pseudonyms:
    """Makes pseudonyms by HMAC-SHA-256, cut to 16 bytes (RFC 2104).

    Args:
        key: 32 secret bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the pseudonym key has {len(key)} bytes, {KEY_BYTES} are needed")
        self._key = key

    def case(self, case_number: str) -> str:
        """Pseudonym of a case: 32 hexadecimal digits."""
        return self._of(b"case\x00" + case_number.encode())

    def consumer(self, agency: str, name: str) -> str:
        """Pseudonym of a consumer within an agency: 32 hexadecimal digits."""
        return self._of(b"consumer\x00" + agency.encode() + b"\x00" + name.encode())

    def person(self, case_number: str, key: str) -> str:
        """Pseudonym of a person within a case: 32 hexadecimal digits; "" for no key, which is the file."""
        return self._of(b"person\x00" + case_number.encode() + b"\x00" + key.encode()) if key else ""

    def enquiry(self, token: str) -> bytes:
        """Keyed digest of an enquiry token, 32 bytes."""
        return hmac.digest(self._key, b"enquiry\x00" + token.encode(), "sha256")

    def message(self, sender: str, idempotency_key: str) -> str:
        """Pseudonym of a sender's idempotency key: 32 hexadecimal digits.

        A sender may number its messages by case, so the key itself is nothing to keep in the clear; all that the
        ledger ever asks is whether it is the same.
        """
        return self._of(b"message\x00" + sender.encode() + b"\x00" + idempotency_key.encode())

    def page_key(self) -> bytes:
        """Key that seals page tokens, 32 bytes, derived so that it cannot be turned back."""
        return hmac.digest(self._key, b"page-token", "sha256")

    def _of(self, text: bytes) -> str:
        return hmac.digest(self._key, text, "sha256").hex()[:_DIGITS]
