"""The scheduler on a real ledger: processes side by side, one of them killed, and every alarm is one entry."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from gateway.audit.fsck import Known, check_ledger
from gateway.core.entry import Entry, EntryKind, from_leaf
from gateway.core.fact.fact import Fact, facts_sha256, to_facts_bytes
from gateway.ledger.fsck_source import open_source
from gateway.ledger.pool import open_pool
from gateway.ledger.schedule import ScheduleReader
from tests.integration.ledger.act import ORIGIN, as_role, batcher_on, make_sealer, make_submit, new_case

PERSON = "a" * 32
CASES = 60


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner of the schema."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def make_old_case() -> Any:
    """A submit that tells of a person whose limits have passed long ago: K06, K07, K08, K09 by hours and days."""
    data = to_facts_bytes([Fact(kind="detained", at=datetime(2026, 1, 5, 1, 0, tzinfo=UTC), person=PERSON)])
    return replace(make_submit(new_case()), facts=data, facts_sha256=facts_sha256(data))


async def start(database_url: str) -> asyncio.subprocess.Process:
    """Start ``fasttrack scheduler`` as a process of its own."""
    environment = {
        **os.environ,
        "FASTTRACK_DATABASE_URL": as_role(database_url, "fasttrack_gateway"),
        "FASTTRACK_ORIGIN": ORIGIN,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli.main", "scheduler", "--until-eof",
        env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def alarms(owner: asyncpg.Connection) -> list[Entry]:
    """What the ledger has of limits."""
    rows = await owner.fetch("SELECT leaf FROM ledger.entry WHERE kind LIKE 'clock\\_%' ORDER BY seq")
    return [from_leaf(row["leaf"]) for row in rows]


async def test_schedulers_side_by_side_and_one_killed_make_one_entry_of_each_alarm(
    database_url: str, owner: asyncpg.Connection
) -> None:
    """Two processes race, one dies by kill -9 in the middle and is started again: nothing is lost or said twice."""
    async with batcher_on(database_url) as batcher:
        await asyncio.gather(*(batcher.append(make_old_case()) for _ in range(CASES)))
    first, second = await start(database_url), await start(database_url)
    while len(await alarms(owner)) < CASES // 2:
        await asyncio.sleep(0.05)
    first.kill()
    await first.wait()
    third = await start(database_url)
    for process in (second, third):
        assert process.stdout is not None and process.stdin is not None
        line = json.loads(await process.stdout.readline())
        assert line["cases"] == CASES
        process.stdin.close()
        assert await process.wait() == 0
    found = await alarms(owner)
    assert {entry.kind for entry in found} == {EntryKind.CLOCK_BREACHED}
    assert Counter((entry.case, entry.clock) for entry in found) == {
        (case, clock): 1 for case in {entry.case for entry in found} for clock in ("K06", "K07", "K08", "K09")
    }
    assert len({entry.case for entry in found}) == CASES
    assert {entry.notified for entry in found} == {("pr:999001", "ps:999001")}
    await _assert_clean(database_url)


async def _assert_clean(database_url: str) -> None:
    async with open_source(database_url) as source:
        outcome = await check_ledger(source, Known(datetime.now(UTC)))
    checks = {finding.check for finding in outcome.findings}
    assert not checks & {"notice", "fact-digest", "fact-missing", "fact-stray", "decision", "leaf-form", "case-chain"}


async def test_notices_are_those_of_the_agency(database_url: str, owner: asyncpg.Connection) -> None:
    """An agency reads what it was told, by index and with the number of the case, and nobody else does."""
    async with batcher_on(database_url) as batcher:
        await batcher.append(make_old_case())
    process = await start(database_url)
    assert process.stdout is not None and process.stdin is not None
    await process.stdout.readline()
    process.stdin.close()
    await process.wait()
    pool = await open_pool(as_role(database_url, "fasttrack_gateway"))
    try:
        reader = ScheduleReader(pool, make_sealer())
        told = await reader.notices("ps:999001", -1, 3)
        assert [notice.entry.clock for notice in told] == ["K06", "K07", "K08"]
        assert {notice.case_number for notice in told} == {"A9990010000002026010001"}
        assert [notice.entry.clock for notice in await reader.notices("ps:999001", told[-1].seq, 3)] == ["K09"]
        assert await reader.notices("ct:999001", -1, 3) == []
    finally:
        await pool.close()
    assert await owner.fetchval("SELECT count(*) FROM ledger.notice") == 8
