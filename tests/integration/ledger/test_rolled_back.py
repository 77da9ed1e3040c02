"""A batch that the database rolls back for another transaction's sake."""

from __future__ import annotations

import logging
from typing import Any

import asyncpg
import pytest

from gateway.core.errors import ErrorCode
from tests.integration.ledger.act import append_all, batcher_on, codes, committed, make_submit, read_ledger

TRAP = """
SET fasttrack.migration = 'on';
CREATE SEQUENCE public.tries;
CREATE FUNCTION public.fall() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('public.tries') <= {times} THEN
        RAISE EXCEPTION 'made by a test' USING ERRCODE = '{state}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fall AFTER INSERT ON ledger.entry FOR EACH STATEMENT EXECUTE FUNCTION public.fall();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER fall;
"""


async def set_trap(dsn: str, state: str, times: int) -> asyncpg.Connection[Any]:
    """Let the first writes of a database fail with an SQLSTATE; the connection tells how many were tried."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(TRAP.format(state=state, times=times))
    return connection


@pytest.mark.parametrize("is_ahead", [False, True], ids=["sure way", "fast way"])
@pytest.mark.parametrize(("state", "kind"), [("40001", "SerializationError"), ("40P01", "DeadlockDetectedError")])
async def test_batch_rolled_back_for_another_is_written_as_a_whole(
    database_url: str, caplog: pytest.LogCaptureFixture, state: str, kind: str, *, is_ahead: bool
) -> None:
    """Nobody's act is to blame, so the whole batch is written once more, and nothing is there twice."""
    connection = await set_trap(database_url, state, times=1 + is_ahead)
    try:
        with caplog.at_level(logging.WARNING, "gateway.ledger.batcher"):
            async with batcher_on(database_url, is_ahead=is_ahead) as batcher:
                results = await append_all(batcher, [make_submit() for _ in range(5)])
        assert len(committed(results)) == 5
        assert len(await read_ledger(database_url)) == 5
        assert await connection.fetchval("SELECT last_value FROM public.tries") == 2 + is_ahead
    finally:
        await connection.close()
    said = [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]
    assert said[-1] == ("a batch was rolled back and is tried again", {"reason": kind})


async def test_batch_rolled_back_again_and_again_is_refused(database_url: str) -> None:
    """It is tried again once, not for ever: the callers hear of it."""
    connection = await set_trap(database_url, "40001", times=1_000)
    try:
        async with batcher_on(database_url, is_ahead=False) as batcher:
            results = await append_all(batcher, [make_submit() for _ in range(2)])
    finally:
        await connection.close()
    assert codes(results) == [ErrorCode.INTERNAL] * 2
    assert await read_ledger(database_url) == []
