"""The connection pool of a process, with a limit on everything."""

from __future__ import annotations

from typing import Any

import asyncpg

from gateway.ledger.connection import PooledConnection


async def open_pool(
    dsn: str,
    *,
    application_name: str = "fasttrack gateway",
    max_connections: int = 10,
    statement_timeout_seconds: float = 30.0,
) -> asyncpg.Pool[Any]:
    """Open a pool.

    Args:
        dsn: address of the database, as the role of the process.
        application_name: shown in ``pg_stat_activity``.
        max_connections: at most so many; the batcher holds one of them.
        statement_timeout_seconds: the server ends a statement after it; the client gives up five seconds later.

    Returns:
        the pool; ``close`` it.

    Raises:
        OSError: nobody listens there.
        asyncpg.PostgresError: the server refuses the connection.
    """
    return await asyncpg.create_pool(
        dsn,
        connection_class=PooledConnection,
        min_size=min(2, max_connections),
        max_size=max_connections,
        command_timeout=statement_timeout_seconds + 5,
        timeout=10,
        server_settings={
            "application_name": application_name,
            "statement_timeout": str(int(statement_timeout_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(int(statement_timeout_seconds * 1000)),
            "jit": "off",
        },
    )
