"""proof_p50_ms: inclusion proofs from a ledger of 1,000,000 entries; ledger_bytes_per_entry: what entries cost on disk.

The proofs are asked one after the other by GetProof over mutual TLS, for entries anywhere in the tree, and each is
verified. The ledger is filled by the batcher itself with the smallest entries that there are; the tree does not care.
What entries cost is measured on whole submits: everything the database keeps, indices included, with and without the
originals (manifest and record), which are as large as their senders make them.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import asyncpg

from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.identity import parse_agency
from gateway.core.log.merkle import verify_inclusion
from gateway.ledger.batcher import Batcher
from gateway.ledger.pool import open_pool
from gateway.v1 import ledger_pb2, ledger_pb2_grpc
from tests.bench.figure import Figure, to_figure
from tests.bench.rig import (
    ORIGIN,
    Rig,
    drive,
    make_bundles,
    make_database,
    open_channel,
    run_gateway,
    submit_stub,
    upload_materials,
)

ENTRIES = int(os.environ.get("FASTTRACK_BENCH_ENTRIES", "1000000"))
PROOFS = 2_000
RUNS = 3
SUBMITS = 2_000
_SEED_CALLERS = 512
_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint AS all,
       coalesce(sum(pg_total_relation_size(oid)) FILTER (WHERE relname = 'bundle'), 0)::bigint AS originals
FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r'
"""


async def run(rig: Rig) -> list[Figure]:
    """Measure both."""
    return [await _proof(rig), *await _bytes(rig)]


async def _proof(rig: Rig) -> Figure:
    database = await make_database(rig, "proof")
    await _seed(rig.postgres.dsn(database))
    medians = []
    with run_gateway(rig, database) as target:
        async with open_channel(rig, "ov:110000", target) as channel:
            stub: Any = ledger_pb2_grpc.LedgerServiceStub(channel)
            source = random.Random(1)
            for number in range(RUNS + 1):
                seconds = [await _one(stub, source.randrange(ENTRIES)) for _ in range(PROOFS)]
                if number:
                    medians.append(statistics.median(seconds) * 1000)
    name = "proof_p50_ms" if ENTRIES == 1_000_000 else f"proof_p50_ms_at_{ENTRIES}"
    return to_figure(name, medians, "ms")


async def _one(stub: Any, index: int) -> float:
    request = ledger_pb2.GetProofRequest(inclusion=ledger_pb2.InclusionQuery(entry_index=index, tree_size=ENTRIES))
    started = time.perf_counter()
    answer = await stub.GetProof(request)
    seconds = time.perf_counter() - started
    verify_inclusion(answer.leaf_hash, index, ENTRIES, list(answer.hashes), answer.root_hash)
    return seconds


async def _seed(dsn: str) -> None:
    pool = await open_pool(dsn)
    batcher = Batcher(pool, origin=ORIGIN, clock=lambda: datetime.now(UTC), sign=lambda _: "seed")
    await batcher.start()
    numbers = iter(range(ENTRIES))
    actor = parse_agency("ps:110105")

    async def caller() -> None:
        for number in numbers:
            command = Command(
                kind=EntryKind.CALL_REFUSED,
                actor=actor,
                act_id=uuid.UUID(int=number + 1),
                content_sha256="0" * 64,
                method="ExchangeService/Submit",
                refusal_codes=(1001,),
            )
            await batcher.append(command)

    await asyncio.gather(*(caller() for _ in range(_SEED_CALLERS)))
    await batcher.stop()
    await pool.close()


async def _bytes(rig: Rig) -> list[Figure]:
    database = await make_database(rig, "bytes")
    with run_gateway(rig, database) as target:
        async with open_channel(rig, "ps:110108", target) as channel:
            await upload_materials(channel)
            empty = await _measure(rig, database)
            await drive(submit_stub(channel), make_bundles(rig, SUBMITS, 0), 64)
    full = await _measure(rig, database)
    every = (full[0] - empty[0]) / SUBMITS
    originals = (full[1] - empty[1]) / SUBMITS
    return [
        to_figure("ledger_bytes_per_entry", [every - originals], "B"),
        to_figure("ledger_bytes_with_originals", [every], "B"),
    ]


async def _measure(rig: Rig, database: str) -> tuple[int, int]:
    connection = await asyncpg.connect(rig.postgres.dsn(database))
    try:
        row = await connection.fetchrow(_BYTES)
    finally:
        await connection.close()
    assert row is not None
    return row["all"], row["originals"]
