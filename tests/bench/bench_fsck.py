"""Speed of fsck: entries a second, on a ledger of handoffs with real manifests and receipts, four acts each."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.app_audit import run_fsck
from gateway.app_vault import VaultAccess
from gateway.audit.fsck import Known
from gateway.core.command import Bundle, Command
from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.entry import EntryKind
from gateway.core.identity import GATEWAY_URI
from gateway.core.manifest import Manifest, NativeRecord, to_payload
from gateway.core.pseudonym import Pseudonyms
from gateway.core.route import RecordKind
from gateway.ledger.batcher import Batcher
from gateway.ledger.fsck_source import open_source
from gateway.ledger.pool import open_pool
from gateway.rpc.client_bundle import make_uuid7
from gateway.trust.chain import thumbprint
from gateway.trust.receipt import RECEIPT_TYPE, ReceiptSigner
from tests.bench.bench_ledger import POLICE, PROCURATORATE
from tests.bench.figure import Figure, to_figure
from tests.bench.sealer import MASTER_KEY, open_sealer
from tests.support.bundle import payload_bytes
from tests.support.pki import Issued, MemoryPki, issue
from tests.support.postgres import make_vault

HANDOFFS: Final = int(os.environ.get("FASTTRACK_BENCH_HANDOFFS", "15000"))
RUNS: Final = 3
CALLERS: Final = 256
_PSEUDONYMS: Final = Pseudonyms(b"k" * 32)
_CONSUMER: Final = "1" * 32
_RECORD: Final = b"<case>" + b"x" * 1012 + b"</case>"
_DIGEST: Final = sha256_hex(b"x")


def _submit(number: int, signer: Issued) -> Command:
    bundle_id, case_number = make_uuid7(), f"A9990010000002026{1 + number // 10_000:02d}{number % 10_000:04d}"
    manifest = Manifest(
        bundle_id, POLICE, PROCURATORATE, RecordKind.TRANSFER, case_number, str(bundle_id), datetime.now(UTC),
        NativeRecord("police", "3.2", "GB18030", len(_RECORD), sha256_hex(_RECORD), sm3_hex(_RECORD)),
    )  # fmt: skip
    jws = signer.sign(to_payload(manifest))
    return Command(
        kind=EntryKind.SUBMITTED,
        actor=POLICE,
        act_id=bundle_id,
        content_sha256=sha256_hex(payload_bytes(jws)),
        handoff=bundle_id,
        case=_PSEUDONYMS.case(case_number),
        handoff_kind=RecordKind.TRANSFER,
        sender=POLICE,
        receiver=PROCURATORATE,
        bundle=Bundle(
            manifest_jws=jws,
            record=_RECORD,
            case_number=case_number,
            idempotency_key=Pseudonyms(b"k" * 32).message(str(POLICE), str(bundle_id)),
            materials=(),
        ),
        bundle_sha256=sha256_hex(jws.encode()),
        bundle_sm3=sm3_hex(jws.encode()),
        signer_key=thumbprint(signer.certificate),
        rule_set="none",
        rule_result="NOT_EVALUATED",
    )


def _acts(handoff: UUID) -> Iterable[Command]:
    more: dict[str, Any] = {"mapping_version": "map-1", "rendition_sha256": _DIGEST, "report_sha256": _DIGEST}
    for kind, fields in ((EntryKind.CLAIMED, {}), (EntryKind.FETCHED, more), (EntryKind.ACCEPTED, {})):
        act_id = uuid4()
        yield Command(
            kind=kind,
            actor=PROCURATORATE,
            act_id=act_id,
            content_sha256=sha256(act_id.bytes).hexdigest(),
            handoff=handoff,
            consumer=_CONSUMER,
            **fields,
        )


async def fill(dsn: str, handoffs: int) -> Known:
    """Write a ledger by the gateway's own batcher, and give what an auditor of it brings along."""
    pki = MemoryPki(now=datetime.now(UTC))
    signer, gateway = pki.signer(str(POLICE)), issue(pki.authority, uris=[GATEWAY_URI])
    receipts = ReceiptSigner(gateway.key, [gateway.certificate])  # type: ignore[arg-type]
    stack = AsyncExitStack()
    pool = await open_pool(dsn, max_connections=4)
    batcher = Batcher(
        pool,
        origin="bench",
        clock=lambda: datetime.now(UTC),
        sign=lambda claims: receipts.sign(claims, RECEIPT_TYPE),
        sealer=await stack.enter_async_context(open_sealer(dsn, "bench")),
    )
    await batcher.start()
    numbers = iter(range(handoffs))

    async def caller() -> None:
        for number in numbers:
            submit = _submit(number, signer)
            await batcher.append(submit)
            for act in _acts(submit.act_id):
                await batcher.append(act)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    await batcher.stop()
    await pool.close()
    await stack.aclose()
    der = gateway.certificate.public_bytes(Encoding.DER)
    return Known(now=datetime.now(UTC), receipt_certificates=frozenset({der}), pseudonym_key=b"k" * 32)


async def run(dsn: str, handoffs: int = HANDOFFS) -> list[Figure]:
    """Measure with and without the signatures of the receipts, beside one process that only reads and hashes.

    Args:
        dsn: of an empty migrated database, as its owner.
        handoffs: so many, of four entries each.

    Returns:
        entries a second: everything but signatures; everything; one process alone.
    """
    known = await fill(dsn, handoffs)
    with tempfile.NamedTemporaryFile(prefix="fasttrack-bench-") as key_file:
        Path(key_file.name).write_bytes(MASTER_KEY)
        return await _measure(dsn, handoffs, known, VaultAccess(make_vault(dsn), Path(key_file.name)))


def _quiet(done: int, whole: int) -> None:
    pass


async def _measure(dsn: str, handoffs: int, known: Known, vault: VaultAccess) -> list[Figure]:
    bare = replace(known, receipt_certificates=None)
    rates: dict[str, list[float]] = {}
    for _ in range(RUNS):
        rates.setdefault("baseline", []).append(await _read_bare(dsn))
        for name, what, workers in (
            ("fsck_entries_per_second", bare, 2),
            ("fsck_signed_entries_per_second", known, 2),
            ("fsck_one_process_per_second", bare, 1),
        ):
            begun = time.perf_counter()
            outcome = await run_fsck(
                dsn, replace(what, now=datetime.now(UTC)), workers, lambda done, whole: None, vault
            )
            seconds = time.perf_counter() - begun
            if outcome.total or outcome.entries != 4 * handoffs:
                raise RuntimeError(f"fsck found {outcome.findings[:3]} in {outcome.entries} entries")
            rates.setdefault(name, []).append(outcome.entries / seconds)
    baseline = rates.pop("baseline")
    return [to_figure(name, values, "entries/s", baseline) for name, values in rates.items()]


async def _read_bare(dsn: str) -> float:
    """The least that any check must do, in one process: read every entry once and hash its leaf."""
    begun, entries = time.perf_counter(), 0
    async with open_source(dsn) as source:
        async for page in source.entries(0, 1):
            for row in page:
                if sha256(b"\x00" + row[1]).digest() != row[2]:
                    raise RuntimeError("a leaf has another hash")
            entries += len(page)
    return entries / (time.perf_counter() - begun)
