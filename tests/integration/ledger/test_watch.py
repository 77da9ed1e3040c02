"""The watch: whoever follows an inbox hears of everything new, however slow it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from gateway.core.identity import Agency
from gateway.core.port.ledger import InboxWatch
from gateway.ledger.pool import open_pool
from gateway.ledger.reader import Reader
from gateway.ledger.watch import Watch
from tests.integration.ledger.act import JA, PR, as_role, batcher_on, make_sealer, make_submit


@pytest.fixture
async def watch(database_url: str) -> AsyncIterator[Watch]:
    """A running watch with a heartbeat too slow to help."""
    watch = Watch(as_role(database_url, "fasttrack_gateway"), heartbeat_seconds=60)
    await watch.start()
    yield watch
    await watch.stop()


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Reader]:
    """A reader."""
    pool: asyncpg.Pool[Any] = await open_pool(as_role(database_url, "fasttrack_gateway"))
    yield Reader(pool, make_sealer())
    await pool.close()


async def follow(
    watch: InboxWatch, reader: Reader, receiver: Agency, count: int, pause_seconds: float = 0.0
) -> list[int]:
    """Read an inbox from its cursor at each wake-up until so many handoffs came."""
    found: list[int] = []
    async with watch.subscribe(receiver) as wake_ups:
        async for _ in wake_ups():
            rows = await reader.inbox(receiver, [], after_index=found[-1] if found else -1, limit=1000)
            found += [row.index for row in rows]
            if len(found) >= count:
                break
            await asyncio.sleep(pause_seconds)
    return found


async def test_watch_delivers_everything_to_fast_and_slow(database_url: str, watch: Watch, reader: Reader) -> None:
    """Several followers, one of them slow, all get every handoff of their inbox, and none of another."""
    followers = [
        asyncio.create_task(follow(watch, reader, PR, 60)),
        asyncio.create_task(follow(watch, reader, PR, 60)),
        asyncio.create_task(follow(watch, reader, PR, 60, pause_seconds=0.1)),
        asyncio.create_task(follow(watch, reader, JA, 2)),
    ]
    async with batcher_on(database_url) as batcher:
        for place in range(60):
            await batcher.append(make_submit())
            if place in (10, 50):
                await batcher.append(make_submit(receiver=JA))
        first, second, slow, other = await asyncio.wait_for(asyncio.gather(*followers), 20)
    assert first == second == slow
    assert len(set(first)) == 60 and set(first).isdisjoint(other)


async def test_watch_wakes_only_the_receiver(database_url: str, watch: Watch) -> None:
    """A new handoff wakes the readers of its receiver, not the others."""
    while watch.connections == 0:
        await asyncio.sleep(0.01)
    async with watch.subscribe(PR) as ours, watch.subscribe(JA) as theirs:
        mine, other = aiter(ours()), aiter(theirs())
        for wake_ups in (mine, other):
            await anext(wake_ups)
        woken = asyncio.ensure_future(anext(mine))
        quiet = asyncio.ensure_future(anext(other))
        async with batcher_on(database_url) as batcher:
            await batcher.append(make_submit())
            await asyncio.wait_for(woken, 5)
            assert not quiet.done()
        await watch.stop()
        with pytest.raises(StopAsyncIteration):
            await quiet


async def test_watch_connection_lost_reads_what_was_missed(database_url: str, watch: Watch, reader: Reader) -> None:
    """When the connection is killed, everybody is woken again, and what came meanwhile is delivered."""
    follower = asyncio.create_task(follow(watch, reader, PR, 20))
    killer = await asyncpg.connect(database_url)
    async with batcher_on(database_url) as batcher:
        for _ in range(4):
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'fasttrack watch'"
            )
            for _ in range(5):
                await batcher.append(make_submit())
        assert len(await asyncio.wait_for(follower, 10)) == 20
    await killer.close()


async def test_watch_heartbeat_makes_up_for_a_lost_wake_up(database_url: str, reader: Reader) -> None:
    """Even without any notification a reader is woken at each heartbeat."""
    watch = Watch(as_role(database_url, "fasttrack_gateway"), heartbeat_seconds=0.05)
    await watch.start()
    async with watch.subscribe(PR) as wake_ups:
        count = 0
        async for _ in wake_ups():
            count += 1
            if count == 5:
                break
    await watch.stop()


async def test_watch_without_database_still_starts_and_stops() -> None:
    """A watch without database tries again and again, tells its readers to look for themselves, and can be stopped."""
    watch = Watch("postgresql://nobody@127.0.0.1:1/none")
    await watch.start()
    async with watch.subscribe(PR) as wake_ups:
        iterator = aiter(wake_ups())
        for _ in range(2):
            await asyncio.wait_for(anext(iterator), 10)
    await watch.stop()
