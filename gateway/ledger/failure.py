"""Which errors of the database say that it is not there, and which that it did not like what it was told."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

_UNAVAILABLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def is_unavailable(error: BaseException, connection: Any = None) -> bool:
    """Whether an error means that the database cannot be used now.

    Args:
        error: what was raised.
        connection: the asyncpg connection it came from, if there is one.

    Returns:
        True when the same call may succeed later, on another connection.
    """
    return isinstance(error, _UNAVAILABLE) or (connection is not None and _is_closed(connection))


def _is_closed(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # The pool takes a connection back by itself when it dies, and then refuses even this question.
        return True
