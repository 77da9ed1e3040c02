"""A vault in memory."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from gateway.core.errors import ErrorCode, refuse


@dataclass(slots=True)
class MemoryVault:
    """Implements ``CaseKeys``.

    Args:
        keys: by case; None where one was destroyed.
        is_down: refuses everything.
        made: cases of each call that made keys.
        found: cases of each call that only looked.
        make_key: gives the key of a case that has none; a random one.
    """

    keys: dict[str, bytes | None] = field(default_factory=dict)
    is_down: bool = False
    made: list[list[str]] = field(default_factory=list)
    found: list[list[str]] = field(default_factory=list)
    make_key: Callable[[str], bytes] = lambda case: secrets.token_bytes(32)

    def _require(self) -> None:
        if self.is_down:
            raise refuse(ErrorCode.VAULT_UNAVAILABLE)

    async def find(self, cases: Sequence[str]) -> dict[str, bytes | None]:
        """Keys that there are."""
        self._require()
        self.found.append(list(cases))
        return {case: self.keys[case] for case in cases if case in self.keys}

    async def make(self, cases: Sequence[str]) -> dict[str, bytes | None]:
        """Keys that there are, and new ones."""
        self._require()
        self.made.append(list(cases))
        for case in cases:
            self.keys.setdefault(case, self.make_key(case))
        return {case: self.keys[case] for case in cases}

    async def destroy(self, case: str) -> bool:
        """Destroy a key."""
        self._require()
        had_key = self.keys.get(case) is not None
        self.keys[case] = None
        return had_key

    async def clear(self) -> None:
        """Nothing is ever left."""
        self._require()


class DerivedVault(MemoryVault):
    """Has a key for every case, and every process has the same."""

    async def find(self, cases: Sequence[str]) -> dict[str, bytes | None]:
        """A key for each."""
        return {case: self.keys.get(case, sha256(case.encode()).digest()) for case in cases}

    async def make(self, cases: Sequence[str]) -> dict[str, bytes | None]:
        """The same."""
        return await self.find(cases)
