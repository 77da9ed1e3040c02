"""submit_per_second: a whole submit (mTLS, JWS, police XML, ledger commit) beside a bare mTLS call adding one row."""

from __future__ import annotations

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
CALLS = 3_000
RUNS = 5


async def run(rig: Rig, workers: int = 1) -> list[Figure]:
    """Measure; baseline and submit take turns so that both see the same machine."""
    database = await make_database(rig, f"submit_{workers}")
    ours, bare = [], []
    with (
        run_gateway(rig, database, workers) as target,
        run_process(
            ["tests.bench.bare_server", str(rig.pki), rig.postgres.dsn(database + "_bare")],
            rig.environ(await make_database(rig, database + "_bare", is_migrated=False), 1),
        ) as line,
    ):
        async with (
            open_channel(rig, "ps:110108", target) as channel,
            open_channel(rig, "ps:110108", f"127.0.0.1:{line.strip()}") as bare_channel,
        ):
            await upload_materials(channel)
            insert = bare_channel.unary_unary(
                f"/{bare_server.METHOD}",
                request_serializer=exchange_pb2.SubmitRequest.SerializeToString,
                response_deserializer=exchange_pb2.SubmitResponse.FromString,
            )
            for number in range(RUNS + 1):
                bundles = make_bundles(rig, CALLS, number * CALLS)
                rates = await drive(insert, bundles, CALLERS), await drive(submit_stub(channel), bundles, CALLERS)
                if number:
                    bare.append(rates[0])
                    ours.append(rates[1])
    return [to_figure("submit_per_second", ours, "1/s", bare)]
