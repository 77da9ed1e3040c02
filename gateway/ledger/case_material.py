"""Which case names which material, for the day on which a case is destroyed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
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
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._pool.acquire())
                stack.push_async_callback(_let_go, connection)
                await connection.execute(_APPEND["begin"])
                rows = await connection.fetch(_SQL["of_case"], case)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                finding = Finding(ErrorCode.LEDGER_UNAVAILABLE, message="the ledger cannot be reached")
                raise GatewayError(finding) from error
            yield (
                [row["sha256"].hex() for row in rows if not row["is_shared"]],
                [row["sha256"].hex() for row in rows if row["is_shared"]],
            )


async def _let_go(connection: Any) -> None:
    """End the transaction, which frees the lock; on a connection that is lost the server does it."""
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        await connection.execute("ROLLBACK")
