"""sealed_p99_ms: from the start of a Submit call until its receipt is sealed by two of three local witnesses.

The signer looks at the ledger once a second, as it does by default, so half a second is to be expected
on average.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import ExitStack
from typing import Any

from certs.layout import PkiLayout
from certs.note import make_note_keys
from gateway.cli.local_process import local_signer, local_witness
from gateway.core.entry import from_leaf
from gateway.core.log.tlog_proof import parse_tlog_proof, verify_tlog_proof
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.v1 import exchange_pb2, exchange_pb2_grpc
from tests.bench.figure import Figure, to_figure
from tests.bench.rig import (
    ORIGIN,
    Rig,
    make_bundles,
    make_database,
    open_channel,
    run_gateway,
    submit_stub,
    upload_materials,
)

WITNESSES = ("ps:110108", "pr:110108", "ov:110000")
HANDOFFS = 200
PER_SECOND = 20
RUNS = 3


async def run(rig: Rig) -> list[Figure]:
    """Measure at 20 submits a second, each waiting for its own seal."""
    database = await make_database(rig, "sealed")
    pki = PkiLayout(rig.pki)
    policy = make_note_keys(pki, origin=ORIGIN, witnesses=WITNESSES, quorum=2)
    worst = []
    with run_gateway(rig, database) as target, ExitStack() as stack:
        home = rig.folder / "seal"
        signer_url = rig.postgres.dsn(database, user="fasttrack_signer")
        processes = [local_signer(pki, signer_url, home, origin=ORIGIN)]
        processes += [local_witness(pki, target, home, origin=ORIGIN, agency=agency) for agency in WITNESSES]
        for process in processes:
            stack.callback(process.start("--init").stop)
        async with open_channel(rig, "ps:110108", target) as channel:
            await upload_materials(channel)
            for number in range(RUNS + 1):
                bundles = make_bundles(rig, HANDOFFS, number * HANDOFFS)
                seconds = await _seal(channel, bundles, policy)
                if number:
                    worst.append(statistics.quantiles(seconds, n=100)[98] * 1000)
    return [to_figure("sealed_p99_ms", worst, "ms")]


async def _seal(channel: Any, bundles: list[exchange_pb2.SubmitRequest], policy: WitnessPolicy) -> list[float]:
    submit, stub = submit_stub(channel), exchange_pb2_grpc.ExchangeServiceStub(channel)

    async def one(bundle: exchange_pb2.SubmitRequest) -> float:
        started = time.perf_counter()
        receipt = (await submit(bundle)).receipt
        handoff = _handoff(receipt.leaf)
        answer = await stub.GetReceipt(exchange_pb2.GetReceiptRequest(handoff_id=handoff, wait_seconds=20))
        verify_tlog_proof(parse_tlog_proof(answer.sealed_proofs[0]), receipt.leaf_hash, policy)
        return time.perf_counter() - started

    tasks = []
    for bundle in bundles:
        tasks.append(asyncio.create_task(one(bundle)))
        await asyncio.sleep(1 / PER_SECOND)
    return list(await asyncio.gather(*tasks))


def _handoff(leaf: bytes) -> str:
    return from_leaf(leaf).handoff
