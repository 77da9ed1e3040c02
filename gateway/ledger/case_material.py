"""Which case names which material, for the day on which a case is destroyed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.ledger.failure import is_unavailable
from gateway.ledger.statement import load_statements

_APPEND: Final = load_statements("append")
_SQL: Final = load_statements("material")


class CaseMaterials:
    """Reads what bundles named.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    @asynccontextmanager
    async def held(self, case: str) -> AsyncIterator[tuple[list[str], list[str]]]:
        """Tell the materials of a case apart, and keep every batch of every process waiting meanwhile.

        Args:
            case: pseudonym.

        Yields:
            digests that only this case and destroyed ones name; digests that other cases name too.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        try:
            connection = await self._pool.acquire()
        except Exception as error:
            raise _unavailable(error) from error
        try:
            await connection.execute(_APPEND["begin"])
            rows = await connection.fetch(_SQL["of_case"], case)
            yield (
                [row["sha256"].hex() for row in rows if not row["is_shared"]],
                [row["sha256"].hex() for row in rows if row["is_shared"]],
            )
        except asyncpg.PostgresError as error:
            raise _unavailable(error) from error
        finally:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            await self._pool.release(connection)


def _unavailable(error: Exception) -> Exception:
    if not is_unavailable(error):
        return error
    return GatewayError(Finding(ErrorCode.LEDGER_UNAVAILABLE, message="the ledger cannot be reached"))
