"""submit_per_second: a whole submit (mTLS, JWS, police XML, ledger commit) beside a bare mTLS call adding one row."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import grpc

from gateway.v1 import exchange_pb2
from tests.bench import bare_server
from tests.bench.figure import Figure, to_figure
from tests.bench.rig import (
    Rig,
    drive,
    make_bundles,
    make_database,
    open_channel,
    run_gateway,
    run_process,
    submit_stub,
    upload_materials,
)

CALLERS = 64
CHANNELS = 8
CALLS = 2_000
RUNS = 3

Call = Callable[[Any], Awaitable[Any]]


async def run(rig: Rig) -> list[Figure]:
    """Measure one gateway process, then one for each core, beside the same baseline of one process."""
    figures = []
    for workers, name in ((1, "submit_per_second"), (os.cpu_count() or 1, "submit_per_second_all_cores")):
        ours, bare = await _measure(rig, workers)
        figures.append(to_figure(name, ours, "1/s", bare))
    return figures


async def _measure(rig: Rig, workers: int) -> tuple[list[float], list[float]]:
    """Measure in turns, so that both see the same machine."""
    database = await make_database(rig, f"submit_{workers}")
    ours, bare = [], []
    with (
        run_gateway(rig, database, workers) as target,
        run_process(
            ["tests.bench.bare_server", str(rig.pki), rig.postgres.dsn(database + "_bare")],
            rig.environ(await make_database(rig, database + "_bare", is_migrated=False), 1),
        ) as line,
    ):
        async with AsyncExitStack() as stack:
            channels = [
                await stack.enter_async_context(open_channel(rig, "ps:110108", target)) for _ in range(CHANNELS)
            ]
            bare_target = f"127.0.0.1:{line.strip()}"
            bare_channels = [
                await stack.enter_async_context(open_channel(rig, "ps:110108", bare_target)) for _ in range(CHANNELS)
            ]
            await upload_materials(channels[0])
            submit = _in_turns([submit_stub(channel) for channel in channels])
            insert = _in_turns([_insert_stub(channel) for channel in bare_channels])
            for number in range(RUNS + 1):
                bundles = make_bundles(rig, CALLS, number * CALLS)
                rates = await drive(insert, bundles, CALLERS), await drive(submit, bundles, CALLERS)
                if number:
                    bare.append(rates[0])
                    ours.append(rates[1])
    return ours, bare


def _insert_stub(channel: grpc.aio.Channel) -> Call:
    insert: Call = channel.unary_unary(
        f"/{bare_server.METHOD}",
        request_serializer=exchange_pb2.SubmitRequest.SerializeToString,
        response_deserializer=exchange_pb2.SubmitResponse.FromString,
    )
    return insert


def _in_turns(calls: Sequence[Call]) -> Call:
    following = cycle(calls)

    async def call(request: Any) -> Any:
        return await next(following)(request)

    return call
