"""Connections lost at every moment: an answer is never a lie, nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.core.errors import ErrorCode
from gateway.ledger.batcher import Batcher
from gateway.ledger.embedded import EmbeddedPostgres
from tests.integration.ledger.act import append_all, batcher_on, codes, committed, make_submit, read_ledger
from tests.integration.ledger.proxy import Wire, wire_to

FAST = {"is_ahead": True}, b"batch_root="
SURE = {"is_ahead": False}, b"COMMIT\x00"
WAYS = pytest.mark.parametrize(("options", "mark"), [FAST, SURE], ids=["fast", "sure"])
"""Both ways to a commit, and what the message that commits is known by."""


@asynccontextmanager
async def wired_batcher(
    server: EmbeddedPostgres, database_url: str, options: dict[str, bool], mark: bytes
) -> AsyncIterator[tuple[Wire, Batcher]]:
    """A batcher whose connections go over a wire that can be cut."""
    async with wire_to(server.port, mark) as (wire, port):
        name = urlsplit(database_url).path.strip("/")
        dsn = server.tcp_dsn(name).replace(f":{server.port}/", f":{port}/")
        async with batcher_on(dsn, **options) as batcher:
            yield wire, batcher


@WAYS
@pytest.mark.parametrize("count", [1, 40])
async def test_commit_answer_lost_is_looked_up(
    postgres_server: EmbeddedPostgres, database_url: str, count: int, options: dict[str, bool], mark: bytes
) -> None:
    """When the server commits and its answer is lost, the caller gets the receipt that is in the ledger."""
    async with wired_batcher(postgres_server, database_url, options, mark) as (wire, batcher):
        await batcher.append(make_submit())
        wire.cut = "after"
        results = await append_all(batcher, [make_submit() for _ in range(count)])
        assert wire.cuts == 1
        assert codes(results) == []
        await batcher.append(make_submit())
    entries = await read_ledger(database_url)
    assert sorted(appended.index for appended in committed(results)) == list(range(1, count + 1))
    assert len(entries) == count + 2


@WAYS
async def test_commit_never_arrived_is_done_once_more(
    postgres_server: EmbeddedPostgres, database_url: str, options: dict[str, bool], mark: bytes
) -> None:
    """When what commits does not reach the server, the acts are not there, and are written once by another try."""
    async with wired_batcher(postgres_server, database_url, options, mark) as (wire, batcher):
        await batcher.append(make_submit())
        wire.cut = "before"
        results = await append_all(batcher, [make_submit() for _ in range(5)])
        assert wire.cuts == 1
        assert not any(appended.is_replay for appended in committed(results))
    assert len(committed(results)) == 5
    assert len(await read_ledger(database_url)) == 6


async def test_commit_lost_again_and_again_is_not_answered_as_done(
    postgres_server: EmbeddedPostgres, database_url: str
) -> None:
    """When nobody can say that an act is committed, the caller is told to ask again, and that records it once."""
    async with wired_batcher(postgres_server, database_url, *SURE) as (wire, batcher):
        await batcher.append(make_submit())
        submits = [make_submit() for _ in range(5)]
        wire.is_cut_always = True
        wire.cut = "before"
        results = await append_all(batcher, submits)
        assert codes(results) == [ErrorCode.LEDGER_UNAVAILABLE] * 5
        assert len(await read_ledger(database_url)) == 1
        wire.cut = ""
        assert len(committed(await append_all(batcher, submits))) == 5
    assert len(await read_ledger(database_url)) == 6


async def test_connections_killed_under_load_lose_and_double_nothing(database_url: str) -> None:
    """Backends killed again and again: every acknowledged act is there once, refused ones can be asked again."""
    acknowledged: list[int] = []
    count = 0
    async with batcher_on(database_url) as batcher:
        stop = asyncio.Event()

        async def call() -> None:
            nonlocal count
            while not stop.is_set():
                submit = make_submit()
                count += 1
                while True:
                    results = await append_all(batcher, [submit])
                    if done := committed(results):
                        acknowledged.append(done[0].index)
                        break
                    assert codes(results) == [ErrorCode.LEDGER_UNAVAILABLE]

        callers = [asyncio.create_task(call()) for _ in range(24)]
        killer = await asyncpg.connect(database_url)
        killed = 0
        for _ in range(12):
            await asyncio.sleep(0.07)
            killed += await killer.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = 'fasttrack_gateway'"
            )
        await killer.close()
        stop.set()
        await asyncio.gather(*callers)
    assert killed >= 12
    assert len(set(acknowledged)) == len(acknowledged) == count
    assert [entry.index for entry in await read_ledger(database_url)] == sorted(acknowledged)


async def test_database_gone_is_refused_as_unavailable() -> None:
    """Without a database callers hear so at once, and the batcher can be stopped."""
    pool = await asyncpg.create_pool("postgresql://nobody@127.0.0.1:1/none", min_size=0)
    batcher = Batcher(pool, origin="o", clock=lambda: datetime.now(UTC), sign=str)
    await batcher.start()
    results = await append_all(batcher, [make_submit() for _ in range(3)])
    await batcher.stop()
    await pool.close()
    assert codes(results) == [ErrorCode.LEDGER_UNAVAILABLE] * 3


async def test_two_processes_one_database_leave_no_gap(database_url: str) -> None:
    """Two gateway processes append at the same time: no gap, and each index is acknowledged once."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.ledger.append_process",
            database_url,
            "200",
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    outputs = [(await process.communicate())[0] for process in processes]
    indices = [int(line) for output in outputs for line in output.split()]
    assert sorted(indices) == list(range(400))
    assert len(await read_ledger(database_url)) == 400
