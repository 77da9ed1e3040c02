"""What a connection of the pool carries from one holder to the next: nothing, and for a plain query at no cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from gateway.core.port.ledger import EntryFilter
from gateway.ledger.connection import HARMLESS, fetch, is_plain_query
from gateway.ledger.entry_query import to_statement
from gateway.ledger.pool import open_pool
from gateway.ledger.statement import load_statements
from tests.integration.ledger.act import as_role

LEFT = """
SELECT array_remove(ARRAY[
    CASE WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) THEN 'lock' END,
    CASE WHEN EXISTS (SELECT FROM pg_listening_channels()) THEN 'listening' END,
    CASE WHEN EXISTS (SELECT FROM pg_cursors WHERE is_holdable) THEN 'cursor' END,
    CASE WHEN current_setting('search_path') = 'elsewhere' THEN 'setting' END,
    CASE WHEN current_setting('statement_timeout') <> '30s' THEN 'limit' END
], NULL)
"""
DIRTY = {
    "open transaction": "BEGIN",
    "advisory lock": "SELECT pg_advisory_lock(4)",
    "advisory lock in a subquery": "WITH one AS (SELECT 1) SELECT (SELECT pg_advisory_lock(4)) FROM one",
    "listening": "LISTEN ledger",
    "setting": "SET search_path = elsewhere",
    "setting by a function": "SELECT set_config('search_path', 'elsewhere', false)",
    "setting by a quoted name": "SELECT \"set_config\"('search_path', 'elsewhere', false)",
    "setting behind a comment": "SELECT set_config -- (\n ('search_path', 'elsewhere', false)",
    "setting behind a text": "SELECT 'it''s --', set_config('search_path', 'elsewhere', false)",
    "no limit on statements": "SET statement_timeout = 0",
    "cursor": "DECLARE kept CURSOR WITH HOLD FOR SELECT 1",
}
NOT_PLAIN = (
    *DIRTY.values(),
    "INSERT INTO t VALUES (1)",
    "WITH one AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM one",
    "SELECT 1 INTO TEMP kept",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR SHARE",
    "SELECT 1; SET jit = on",
    "SELECT nextval('s')",
    "SELECT public.count(1)",
    "SELECT $x$ ' $x$, set_config('a.b', 'c', false)",
    "SELECT E'\\'', set_config('a.b', 'c', false)",
    "SELECT /* ' */ set_config('a.b', 'c', false)",
    "CREATE TEMP TABLE kept AS SELECT 1",
    "PREPARE kept AS SELECT 1",
    "",
)
WRITES = {"grant", "add_checkpoint", "add_cosignature", "add_token", "add_gap"}


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool with one connection, so that the next holder gets the same."""
    pool = await open_pool(as_role(database_url, "fasttrack_gateway"), max_connections=1)
    yield pool
    await pool.close()


@asynccontextmanager
async def logged(pool: asyncpg.Pool[Any]) -> AsyncIterator[list[str]]:
    """What is sent on the connection after it was given back once more."""
    sent: list[str] = []
    async with pool.acquire() as connection:
        pid = connection.get_server_pid()
        connection.add_query_logger(lambda record: sent.append(record.query))
    sent.clear()
    yield sent
    async with pool.acquire() as connection:
        assert connection.get_server_pid() == pid


async def test_connection_after_a_plain_query_is_given_on_without_another_round_trip(pool: asyncpg.Pool[Any]) -> None:
    """A read costs what it costs, and the connection is as it was."""
    async with logged(pool) as sent:
        for _ in range(3):
            await fetch(pool, "SELECT 1")
        assert sent == ["SELECT 1"] * 3
    assert (await fetch(pool, LEFT))[0][0] == []


@pytest.mark.parametrize("what", DIRTY)
@pytest.mark.filterwarnings("ignore:.*active transaction")
async def test_connection_after_anything_else_is_clean_for_its_next_holder(pool: asyncpg.Pool[Any], what: str) -> None:
    """Transactions, locks, LISTEN, settings and cursors end with whoever made them, however they were made."""
    async with pool.acquire() as connection:
        pid = connection.get_server_pid()
        if what == "cursor":
            await connection.execute("BEGIN")
        await connection.execute(DIRTY[what])
        if what == "cursor":
            await connection.execute("COMMIT")
        assert connection.is_in_transaction() or len(await connection.fetchval(LEFT)) == 1
    async with pool.acquire() as connection:
        assert connection.get_server_pid() == pid
        assert not connection.is_in_transaction()
        assert await connection.fetchval(LEFT) == []
    if DIRTY[what].startswith(("SELECT", "WITH")):
        await fetch(pool, DIRTY[what])
        assert (await fetch(pool, LEFT))[0][0] == []


async def test_connection_when_said_clean_is_believed_once(pool: asyncpg.Pool[Any]) -> None:
    """What was said of one holder's use says nothing of the next one's."""
    await fetch(pool, "SELECT 1")
    async with pool.acquire() as connection:
        await connection.execute(DIRTY["setting"])
    assert (await fetch(pool, LEFT))[0][0] == []


async def test_connection_after_a_plain_query_that_failed_is_cleaned(pool: asyncpg.Pool[Any]) -> None:
    """An error may have come at any point, so nothing is taken for granted."""
    async with logged(pool) as sent:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await fetch(pool, "SELECT 1 / 0")
        assert any("RESET ALL" in query for query in sent)


@pytest.mark.parametrize("statement", NOT_PLAIN)
def test_statement_that_can_leave_something_is_not_plain(statement: str) -> None:
    """In doubt a statement is not plain: it costs a round trip and nothing else."""
    assert not is_plain_query(statement)


@pytest.mark.parametrize("name", ["read", "mirror", "checkpoint", "timestamp", "schedule", "key"])
def test_statements_that_are_read_are_plain(name: str) -> None:
    """All that is asked over and over is, or the round trip is paid again without anybody noticing."""
    found = {title: is_plain_query(text) for title, text in load_statements(name).items()}
    assert found == {title: title not in WRITES for title in found}
    assert is_plain_query(to_statement(EntryFilter(actor="ps:999001"), start=0, stop=1, limit=1)[0])


async def test_functions_that_plain_queries_call_change_nothing(database_url: str) -> None:
    """The database itself says of each, and of what the views call, that it does not."""
    connection = await asyncpg.connect(database_url)
    volatile = await connection.fetch(
        "SELECT proname FROM pg_proc WHERE proname = ANY ($1) AND provolatile = 'v'", list(HARMLESS)
    )
    known = await connection.fetch("SELECT DISTINCT proname FROM pg_proc WHERE proname = ANY ($1)", list(HARMLESS))
    views = await connection.fetch(
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'ledger' ORDER BY viewname"
    )
    await connection.close()
    assert volatile == []
    assert {row["proname"] for row in known} == HARMLESS
    assert views
    assert [row["viewname"] for row in views if not is_plain_query(row["definition"].rstrip(";"))] == []
