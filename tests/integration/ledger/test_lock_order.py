"""The order of locks in a write: the ledger's own first, so that two processes can never wait for each other."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.integration.ledger.act import batcher_on, make_submit

WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = $1"
ROWS_OF = {
    "state": "INSERT INTO ledger.state SELECT size + 1, recorded_at, root, frontier FROM ledger.state"
    " ORDER BY size DESC LIMIT 1",
    "receipt": "INSERT INTO ledger.receipt SELECT max(seq) + 1, 'x' FROM ledger.receipt",
    "material_grant": "INSERT INTO ledger.material_grant SELECT 'ps:110108', decode(repeat('cd', 32), 'hex')"
    " ON CONFLICT DO NOTHING",
}


@pytest.mark.parametrize("table", ROWS_OF)
async def test_write_that_waits_for_the_lock_holds_nothing_that_its_holder_needs(table: str, database_url: str) -> None:
    """Who has the ledger's lock may write every table at once, though another process is about to write the same rows.

    A write that took a row before the lock would make a circle of two processes: one of them would be ended as a
    deadlock, and its caller would hear INTERNAL.
    """
    other = await asyncpg.connect(database_url)
    try:
        database = await other.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        async with batcher_on(database_url) as batcher:
            await batcher.append(make_submit())
            transaction = other.transaction()
            await transaction.start()
            await other.execute("SELECT pg_advisory_xact_lock(7381244219)")
            waiting = asyncio.create_task(batcher.append(make_submit(materials=["cd" * 32])))
            while not await other.fetchval(WAITING, database):
                await asyncio.sleep(0.01)
            # With a row lock held by the one that waits, this would end in a deadlock instead of at once.
            await other.execute("SET LOCAL lock_timeout = '500ms'")
            await other.execute(ROWS_OF[table])
            await transaction.rollback()
            assert (await waiting).index == 1
    finally:
        await other.close()
