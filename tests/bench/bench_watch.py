"""watch_delivery_p99_ms: from the start of a Submit call until the receiver's WatchInbox stream gives the handoff."""

from __future__ import annotations

import asyncio
import statistics
import time

from gateway.v1 import exchange_pb2, exchange_pb2_grpc
from tests.bench.figure import Figure, to_figure
from tests.bench.rig import (
    Rig,
    make_bundles,
    make_database,
    open_channel,
    run_gateway,
    submit_stub,
    upload_materials,
)

HANDOFFS = 500
RUNS = 3
PER_SECOND = 100


async def run(rig: Rig) -> list[Figure]:
    """Measure at 100 submits a second."""
    database = await make_database(rig, "watch")
    worst = []
    with run_gateway(rig, database) as target:
        async with (
            open_channel(rig, "ps:110108", target) as sender,
            open_channel(rig, "pr:110108", target) as receiver,
        ):
            await upload_materials(sender)
            stub = exchange_pb2_grpc.ExchangeServiceStub(receiver)
            watch = stub.WatchInbox(exchange_pb2.WatchInboxRequest())
            for number in range(RUNS + 1):
                bundles = make_bundles(rig, HANDOFFS, number * HANDOFFS)
                seconds = await _deliver(submit_stub(sender), bundles, watch)
                if number:
                    worst.append(statistics.quantiles(seconds, n=100)[98] * 1000)
            watch.cancel()
    return [to_figure("watch_delivery_p99_ms", worst, "ms")]


async def _deliver(submit: object, bundles: list[exchange_pb2.SubmitRequest], watch: object) -> list[float]:
    started: list[float] = []
    seconds: list[float] = []

    async def receive() -> None:
        async for answer in watch:  # type: ignore[attr-defined]
            seconds.append(time.perf_counter() - started[answer.item.pair_number % len(bundles) - 1])
            if len(seconds) == len(bundles):
                return

    receiving = asyncio.create_task(receive())
    for bundle in bundles:
        started.append(time.perf_counter())
        await submit(bundle)  # type: ignore[operator]
        await asyncio.sleep(max(0.0, 1 / PER_SECOND - (time.perf_counter() - started[-1])))
    await receiving
    return seconds
