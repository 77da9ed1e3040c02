"""submit_growth: the rate of whole submits into a ledger of 200,000 entries over the rate into one of 1,000."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime

from gateway.core.command import Bundle, Command
from gateway.core.entry import EntryKind
from gateway.core.identity import parse_agency
from gateway.core.route import RecordKind
from gateway.ledger.batcher import Batcher
from gateway.ledger.pool import open_pool
from gateway.ledger.sealed import Sealer
from tests.bench.figure import Figure, to_figure
from tests.bench.rig import (
    Rig,
    drive,
    make_bundles,
    make_database,
    open_channel,
    run_gateway,
    submit_stub,
    upload_materials,
)
from tests.bench.sealer import open_sealer

SMALL = 1_000
LARGE = 200_000
CALLS = 2_000
RUNS = 3
CALLERS = 64
_SEED_CALLERS = 256


async def run(rig: Rig) -> list[Figure]:
    """Seed two ledgers, then measure them in turns."""
    targets = {size: await make_database(rig, f"growth_{size}") for size in (SMALL, LARGE)}
    for size, database in targets.items():
        await _seed(rig.postgres.dsn(database), size, (rig.pki / "gateway" / "master.key").read_bytes())
    rates: dict[int, list[float]] = {SMALL: [], LARGE: []}
    with run_gateway(rig, targets[SMALL]) as small, run_gateway(rig, targets[LARGE]) as large:
        async with (
            open_channel(rig, "ps:110108", small) as small_channel,
            open_channel(rig, "ps:110108", large) as large_channel,
        ):
            channels = {SMALL: small_channel, LARGE: large_channel}
            for channel in channels.values():
                await upload_materials(channel)
            for number in range(RUNS + 1):
                bundles = make_bundles(rig, CALLS, number * CALLS)
                for size, channel in channels.items():
                    rate = await drive(submit_stub(channel), bundles, CALLERS)
                    if number:
                        rates[size].append(rate)
    return [to_figure("submit_growth_rate_at_200k", rates[LARGE], "1/s", rates[SMALL]), _ratio(rates)]


def _ratio(rates: dict[int, list[float]]) -> Figure:
    return to_figure(
        "submit_growth", [large / small for large, small in zip(rates[LARGE], rates[SMALL], strict=True)], ""
    )


async def _seed(dsn: str, size: int, master_key: bytes) -> None:
    """Fill a ledger by the batcher itself; receipts of the seed are not signed, nobody reads them."""
    async with open_sealer(dsn, "bench.example/fasttrack", master_key) as sealer:
        await _fill(dsn, size, sealer)


async def _fill(dsn: str, size: int, sealer: Sealer) -> None:
    pool = await open_pool(dsn)
    batcher = Batcher(
        pool,
        origin="bench.example/fasttrack",
        clock=lambda: datetime.now(UTC),
        sign=lambda _: "seed",
        sealer=sealer,
    )
    await batcher.start()
    numbers = iter(range(size))

    async def caller() -> None:
        for number in numbers:
            await batcher.append(_command(number))

    await asyncio.gather(*(caller() for _ in range(_SEED_CALLERS)))
    await batcher.stop()
    await pool.close()


def _command(number: int) -> Command:
    bundle_id = uuid.uuid4()
    digest = hashlib.sha256(bundle_id.bytes).hexdigest()
    return Command(
        kind=EntryKind.SUBMITTED,
        actor=parse_agency("ps:110105"),
        act_id=bundle_id,
        content_sha256=digest,
        handoff=bundle_id,
        case=digest[:32],
        handoff_kind=RecordKind.TRANSFER,
        sender=parse_agency("ps:110105"),
        receiver=parse_agency("pr:110105"),
        bundle=Bundle(
            manifest_jws="seed", record=b"x" * 1000, case_number=f"seed-{number}", idempotency_key=f"seed-{number}",
            materials=(),
        ),
        bundle_sha256=digest,
        bundle_sm3=digest,
        signer_key=digest,
        rule_set="empty/1",
        rule_result="NOT_EVALUATED",
    )  # fmt: skip
