"""Connections of the pool that are not cleaned after a statement that left nothing to clean.

asyncpg sends a query before it gives a connection to the next caller: it frees advisory locks, closes cursors, ends
LISTEN and resets settings. That is a round trip of its own, and every read would pay for it. A query that only reads
tables leaves none of this behind; after it, and after nothing else, the round trip is left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, cast

import asyncpg

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.ledger.failure import is_unavailable

_RETRY_AFTER_SECONDS: Final = 1.0
HARMLESS: Final = frozenset(
    "cardinality convert_to count max min octet_length split_part string_agg sum unnest".split()
)
"""Functions that change nothing; the database says so too (``provolatile``, tested)."""
_KEYWORDS: Final = frozenset(
    "all and any as coalesce else exists from in lateral not on or over select then union values when where".split()
)
"""Words that stand before a parenthesis and call nothing that could."""
_BEGINNING: Final = re.compile(r"[\s(]*(?:select|with)\s", re.IGNORECASE)
_QUIET: Final = re.compile(r"'[^']*'|--[^\n]*")
_UNSURE: Final = re.compile(r"\\|/\*|\$[a-z_$]|\"", re.IGNORECASE)
"""Other ways to quote and comment, which are not read here."""
_CHANGING: Final = re.compile(r"\b(?:insert|update|delete|merge|into|share)\b|;", re.IGNORECASE)
# What follows AS is the name of a table or type with its columns or size.
_BEFORE_PARENTHESIS: Final = re.compile(r"(?<!\w)(as\s+)?([\w.]+)\s*\(", re.IGNORECASE)


@lru_cache(maxsize=1024)
def is_plain_query(statement: str) -> bool:
    """Whether a statement only reads, and can leave nothing behind on its connection; in doubt it is not.

    Args:
        statement: SQL.

    Returns:
        True for one SELECT, with or without WITH, that writes and locks nothing and calls harmless functions only.
    """
    if _UNSURE.search(statement):
        return False
    text = _QUIET.sub(" ", statement)
    if not _BEGINNING.match(text) or _CHANGING.search(text):
        return False
    called = {name.lower() for alias, name in _BEFORE_PARENTHESIS.findall(text) if not alias}
    return called <= HARMLESS | _KEYWORDS


class PooledConnection(asyncpg.Connection):
    """A connection that knows whether its holder left it as it was.

    It is cleaned when it is given back unless its holder said otherwise, and each word counts once. A transaction that
    is still open is rolled back in any case, by asyncpg.
    """

    __slots__ = ("_is_clean",)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_clean = False

    def say_clean(self) -> None:
        """Say that since it was acquired nothing ran on the connection but plain queries, and none of them failed."""
        self._is_clean = True

    def get_reset_query(self) -> str:
        """What is sent before somebody else gets the connection; nothing when it is clean."""
        is_clean, self._is_clean = self._is_clean, False
        return "" if is_clean else super().get_reset_query()


async def fetch(pool: asyncpg.Pool[Any], statement: str, *arguments: Any) -> list[Any]:
    """Run one statement on a connection of its own, and give it back no dirtier than it is.

    Args:
        pool: of ``open_pool``.
        statement: SQL.
        arguments: its parameters.

    Returns:
        all rows.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE when the database cannot be reached now.
    """
    try:
        async with pool.acquire() as connection:
            rows = await connection.fetch(statement, *arguments)
            if is_plain_query(statement):
                cast(PooledConnection, connection).say_clean()
            return rows
    except Exception as error:
        if not is_unavailable(error):
            raise
        finding = Finding(ErrorCode.LEDGER_UNAVAILABLE, message="the ledger cannot be reached")
        raise GatewayError(finding, retry_after_seconds=_RETRY_AFTER_SECONDS) from error
