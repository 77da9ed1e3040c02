"""Where the keys of the cases come from, as a protocol; they are never where the ledger is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

CASE_KEY_BYTES: Final = 32

Keys = Mapping[str, bytes | None]
"""Keys by case, 32 bytes each; None for a case whose key was destroyed. A case without a key is not in it."""


class CaseKeys(Protocol):
    """Keeps one key for each case.

    Every method raises GatewayError VAULT_UNAVAILABLE when the vault cannot be reached, and CASE_KEY_MISSING when a key
    is there that no master key at hand opens.
    """

    async def find(self, cases: Sequence[str]) -> Keys:
        """Keys that there are.

        Args:
            cases: pseudonyms.
        """

    async def make(self, cases: Sequence[str]) -> Keys:
        """Keys that there are, and new ones for the cases that have none; they are on disk when this returns.

        Two processes that ask at the same time get the same key. A destroyed case gets none for ever.

        Args:
            cases: pseudonyms.
        """

    async def destroy(self, case: str) -> bool:
        """Destroy the key of a case, so that no call will ever give or make one again.

        Args:
            case: pseudonym.

        Returns:
            True when there was a key.
        """

    async def clear(self) -> None:
        """Remove what a destruction that was interrupted may have left of a key."""
