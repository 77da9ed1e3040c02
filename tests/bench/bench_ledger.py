"""Speed of the ledger alone: appends of 1 KB submits by 64 callers, beside single-row transactions without a tree."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.command import Bundle, Command
from gateway.core.entry import EntryKind
from gateway.core.identity import Agency, Role
from gateway.core.route import RecordKind
from gateway.ledger.batcher import Batcher, Sign
from gateway.ledger.pool import open_pool
from tests.bench.sealer import open_sealer

CALLERS: Final = 64
RUNS: Final = 5
SECONDS: Final = 2.0
POLICE: Final = Agency(Role.POLICE, "999001")
PROCURATORATE: Final = Agency(Role.PROCURATORATE, "999001")
_RECORD: Final = b"<case>" + b"x" * 1012 + b"</case>"
_MANIFEST: Final = ".".join(urlsafe_b64encode(part).decode() for part in (b"h" * 90, b"p" * 900, b"s" * 64))
_DIGEST: Final = sha256(_RECORD).hexdigest()


def make_signer() -> Sign:
    """Sign receipts as the gateway does: Ed25519, compact JWS."""
    key = Ed25519PrivateKey.generate()
    header = {"alg": "EdDSA", "typ": "fasttrack-receipt+jws", "x5c": ["A" * 800], "x5t#S256": "A" * 43}
    prefix = _segment(json.dumps(header).encode()) + b"."
    encode = json.JSONEncoder(separators=(",", ":")).encode

    def sign(claims: dict[str, str | int]) -> str:
        signing_input = prefix + _segment(encode(claims).encode())
        return (signing_input + b"." + _segment(key.sign(signing_input))).decode()

    return sign


def _segment(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def make_submit(number: int) -> Command:
    """A submit of 1 KB that opens a case of its own, with a bundle id in order of time (UUIDv7) as manifests have."""
    random = uuid4().int & ~(0xFFFFFFFFFFFF << 80 | 0xF << 76)
    bundle_id = UUID(int=time.time_ns() // 1_000_000 << 80 | 7 << 76 | random)
    return Command(
        kind=EntryKind.SUBMITTED,
        actor=POLICE,
        act_id=bundle_id,
        content_sha256=_DIGEST,
        handoff=bundle_id,
        case=sha256(bundle_id.bytes).hexdigest()[:32],
        handoff_kind=RecordKind.TRANSFER,
        sender=POLICE,
        receiver=PROCURATORATE,
        bundle=Bundle(
            manifest_jws=_MANIFEST,
            record=_RECORD,
            case_number=f"A{number:022d}",
            idempotency_key=str(bundle_id),
            materials=(),
        ),
        bundle_sha256=_DIGEST,
        bundle_sm3=_DIGEST,
        signer_key=_DIGEST,
        rule_set="none",
        rule_result="NOT_EVALUATED",
    )


async def measure(append: Any, seconds: float = SECONDS, callers: int = CALLERS) -> tuple[float, float]:
    """Let callers append one after the other for a while.

    Returns:
        appends per second, and the 99th percentile of their latency in milliseconds.
    """
    numbers = count()
    latencies: list[float] = []
    deadline = time.perf_counter() + seconds

    async def call() -> None:
        while time.perf_counter() < deadline:
            command = make_submit(next(numbers))
            begun = time.perf_counter()
            await append(command)
            latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    rate = len(latencies) / (time.perf_counter() - begun)
    return rate, statistics.quantiles(latencies, n=100)[98] * 1000


async def measure_ledger(dsn: str, seconds: float = SECONDS) -> tuple[float, float]:
    """Measure the batcher on a migrated database."""
    async with open_sealer(dsn, "bench") as sealer:
        pool = await open_pool(dsn)
        batcher = Batcher(pool, origin="bench", clock=lambda: datetime.now(UTC), sign=make_signer(), sealer=sealer)
        await batcher.start()
        try:
            return await measure(batcher.append, seconds)
        finally:
            await batcher.stop()
            await pool.close()


async def measure_baseline(dsn: str, seconds: float = SECONDS) -> tuple[float, float]:
    """Measure the same bytes inserted row by row, a transaction each, over a connection for each caller."""
    pool = await asyncpg.create_pool(dsn, min_size=CALLERS, max_size=CALLERS)
    try:
        await pool.execute("SET fasttrack.migration = 'on'; CREATE SCHEMA IF NOT EXISTS bench")
        await pool.execute(
            "SET fasttrack.migration = 'on'; CREATE TABLE IF NOT EXISTS bench.plain (id uuid PRIMARY KEY, case_id text,"
            " case_number text, sender text, receiver text, content text, manifest_jws text, record bytea)"
        )

        async def append(command: Command) -> None:
            assert command.bundle is not None
            await pool.execute(
                "INSERT INTO bench.plain VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                command.act_id,
                command.case,
                command.bundle.case_number,
                str(command.sender),
                str(command.receiver),
                command.content_sha256,
                command.bundle.manifest_jws,
                command.bundle.record,
            )

        return await measure(append, seconds)
    finally:
        await pool.close()


async def run(dsn: str) -> list[dict[str, Any]]:
    """Measure the ledger's figures.

    Args:
        dsn: address of a migrated database, as its owner.

    Returns:
        one {figure, value, unit, baseline, ratio} for each figure, medians of several runs.
    """
    ours, plain = [], []
    for _ in range(RUNS):
        plain.append(await measure_baseline(dsn))
        ours.append(await measure_ledger(dsn))
    figures = []
    for place, (figure, unit) in enumerate(
        (("ledger_appends_per_second", "1/s"), ("ledger_append_p99_ms", "ms")),
    ):
        value = statistics.median(pair[place] for pair in ours)
        baseline = statistics.median(pair[place] for pair in plain)
        figures.append(
            {
                "figure": figure,
                "value": round(value, 2),
                "unit": unit,
                "baseline": round(baseline, 2),
                "ratio": round(value / baseline, 3),
            }
        )
    return figures
