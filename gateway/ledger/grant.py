"""Who may see which material; implements ``MaterialGrants``.

A grant is never taken back, so what was granted once may be remembered; what was not granted is asked each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from gateway.core.identity import Agency
from gateway.core.port.material import Withheld
from gateway.ledger.connection import fetch
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("read")


class Grants:
    """Grants of materials.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``.
        max_remembered: grants kept in memory; the oldest go first.
    """

    def __init__(self, pool: asyncpg.Pool[Any], *, max_remembered: int = 65_536) -> None:
        self._pool = pool
        self._max_remembered = max_remembered
        self._known: dict[tuple[str, str], None] = {}

    async def granted(self, agency: Agency, digests: Sequence[str]) -> set[str]:
        """Say which materials an agency may see.

        Args:
            agency: who asks.
            digests: SHA-256 of materials, 64 hexadecimal digits each.

        Returns:
            those that it uploaded or got by a handoff.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        name = str(agency)
        found = {digest for digest in digests if (name, digest) in self._known}
        unknown = [bytes.fromhex(digest) for digest in dict.fromkeys(digests) if digest not in found]
        if unknown:
            for row in await fetch(self._pool, _SQL["granted"], name, unknown):
                found.add(row["sha256"].hex())
                self._remember(name, row["sha256"].hex())
        return found

    async def withheld(self, agency: Agency, digests: Sequence[str]) -> dict[str, Withheld]:
        """Say which materials a bundle brought an agency that it may not read as they are.

        Args:
            agency: who asks.
            digests: SHA-256 of materials, 64 hexadecimal digits each.

        Returns:
            by digest those that a bundle brought and withheld.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await fetch(self._pool, _SQL["withheld"], str(agency), [bytes.fromhex(digest) for digest in digests])
        return {row["sha256"].hex(): Withheld(row["case_id"], row["view"]) for row in rows}

    async def grant(self, agency: Agency, sha256: str) -> None:
        """Record that an agency uploaded a material; without effect when it is recorded.

        Args:
            agency: who uploaded.
            sha256: 64 hexadecimal digits.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        if (str(agency), sha256) not in self._known:
            await fetch(self._pool, _SQL["grant"], str(agency), bytes.fromhex(sha256))
            self._remember(str(agency), sha256)

    def _remember(self, agency: str, sha256: str) -> None:
        self._known[agency, sha256] = None
        while len(self._known) > self._max_remembered:
            del self._known[next(iter(self._known))]
