"""What the benchmarks of the whole gateway run on: Postgres, PKI, a gateway process, ready-signed bundles."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.registry import Adapters
from certs.pki import make_pki
from gateway.core.digest import sm3_hex
from gateway.core.identity import parse_agency
from gateway.core.manifest import Manifest, Material, NativeRecord, to_payload
from gateway.core.route import RecordKind
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.ledger.migrate import migrate
from gateway.trust.jws import sign_bundle
from gateway.trust.tls import channel_credentials
from gateway.v1 import exchange_pb2, exchange_pb2_grpc, material_pb2, material_pb2_grpc
from gateway.vault.store import init_vault

SAMPLE = Path(__file__).parents[2] / "gateway/cli/demo_data/chain/1-transfer/from-police.transfer.xml"
MATERIALS = Path(__file__).parents[2] / "gateway/cli/demo_data/materials"
ORIGIN = "bench.example/fasttrack"
_CASE = "A1101080000002024060012"


@dataclass(frozen=True, slots=True)
class Rig:
    """A running database and PKI.

    Args:
        folder: temporary.
        pki: development PKI.
        postgres: the server.
    """

    folder: Path
    pki: Path
    postgres: EmbeddedPostgres

    def environ(self, database: str, workers: int) -> dict[str, str]:
        """Settings of a gateway on this rig."""
        materials = self.folder / "materials"
        materials.mkdir(exist_ok=True)
        gateway = self.pki / "gateway"
        settings = {
            "DATABASE_URL": self.postgres.dsn(database),
            "LISTEN": "127.0.0.1:0",
            "ORIGIN": ORIGIN,
            "TLS_CERT": gateway / "tls.crt",
            "TLS_KEY": gateway / "tls.key",
            "TLS_CA": self.pki / "tls-ca.crt",
            "SIGNING_CA": self.pki / "signing-ca.crt",
            "SIGNERS_DIR": self.pki / "signers",
            "RECEIPT_CERT": gateway / "receipt.crt",
            "RECEIPT_KEY": gateway / "receipt.key",
            "PSEUDONYM_KEY_FILE": gateway / "pseudonym.key",
            "VAULT_URL": self.postgres.dsn(f"{database}_vault"),
            "MASTER_KEY_FILE": gateway / "master.key",
            "MATERIALS_DIR": materials,
            "WORKERS": workers,
            "LOG_LEVEL": "WARNING",
        }
        policy = self.pki / "log" / "witness-policy.toml"
        if policy.is_file():
            settings["WITNESS_POLICY"] = policy
        return os.environ | {f"FASTTRACK_{name}": str(value) for name, value in settings.items()}


@contextmanager
def open_rig() -> Iterator[Rig]:
    """Start Postgres with its durable defaults and make a PKI."""
    folder = Path(tempfile.mkdtemp(prefix="fasttrack-bench-"))
    folder.chmod(0o755)
    try:
        make_pki(folder / "pki", now=datetime.now(UTC))
        with EmbeddedPostgres(folder / "postgres") as postgres:
            yield Rig(folder, folder / "pki", postgres)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def make_database(rig: Rig, name: str, *, is_migrated: bool = True) -> str:
    """Create a database, with the ledger's schema or empty."""
    await _execute(rig, f'CREATE DATABASE "{name}"')
    if is_migrated:
        await migrate(rig.postgres.dsn(name))
        await _execute(rig, f'CREATE DATABASE "{name}_vault" TEMPLATE template0')
        await init_vault(rig.postgres.dsn(f"{name}_vault"))
    return name


async def _execute(rig: Rig, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(rig.postgres.dsn("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def run_process(arguments: Sequence[str], environ: dict[str, str]) -> Iterator[str]:
    """Run a server process and give the first line that it prints."""
    process = subprocess.Popen([sys.executable, "-m", *arguments], env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.wait()


@contextmanager
def run_gateway(rig: Rig, database: str, workers: int = 1) -> Iterator[str]:
    """Run a gateway and give its host:port."""
    with run_process(["gateway.cli.main", "serve"], rig.environ(database, workers)) as line:
        yield json.loads(line)["listening"]


@asynccontextmanager
async def open_channel(rig: Rig, agency: str, target: str) -> AsyncIterator[grpc.aio.Channel]:
    """Open a channel of an agency with mutual TLS."""
    folder = rig.pki / "agency" / agency.replace(":", "-")
    credentials = channel_credentials(rig.pki / "tls-ca.crt", folder / "tls.crt", folder / "tls.key")
    # A connection of its own for each channel: shared ones would all end at the same worker.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(target, credentials, options=options) as channel:
        yield channel


def _materials() -> list[Material]:
    reading = Adapters().read(SAMPLE.read_bytes(), sender="police", receiver="procuratorate")
    materials = []
    for number, digest in enumerate(dict.fromkeys(reference.sha256 for reference in reading.digests)):
        path = next(MATERIALS.glob(f"{digest}.*"))
        data = path.read_bytes()
        media_type = "application/pdf" if path.suffix == ".pdf" else "audio/wav"
        materials.append(Material(str(number + 1), "", "material", media_type, len(data), digest, sm3_hex(data)))
    return materials


async def upload_materials(channel: grpc.aio.Channel) -> None:
    """Upload what the sample record names."""
    stub = material_pb2_grpc.MaterialServiceStub(channel)
    for material in _materials():
        data = next(MATERIALS.glob(f"{material.sha256}.*")).read_bytes()
        header = material_pb2.UploadHeader(sha256=material.sha256, size=len(data))

        async def requests(
            header: material_pb2.UploadHeader = header, data: bytes = data
        ) -> AsyncIterator[material_pb2.UploadRequest]:
            yield material_pb2.UploadRequest(header=header)
            for start in range(0, len(data), 1024 * 1024):
                yield material_pb2.UploadRequest(chunk=data[start : start + 1024 * 1024])

        await stub.Upload(requests())


def make_bundles(rig: Rig, count: int, first: int) -> list[exchange_pb2.SubmitRequest]:
    """Sign transfers of as many different cases.

    Args:
        rig: with the keys of ps:110108.
        count: bundles.
        first: number of the first case, so that several calls make different ones.

    Returns:
        requests that are ready to send.
    """
    folder = rig.pki / "agency" / "ps-110108"
    key = load_pem_private_key((folder / "sign.key").read_bytes(), None)
    chain = x509.load_pem_x509_certificates((folder / "sign.crt").read_bytes())
    sample, materials = SAMPLE.read_bytes(), tuple(_materials())
    manifest = Manifest(
        uuid.UUID(int=0), parse_agency("ps:110108"), parse_agency("pr:110108"), RecordKind.TRANSFER, _CASE, "k",
        datetime.now(UTC), NativeRecord("police", "3.2", "GB18030", 0, "", ""), materials,
    )  # fmt: skip
    requests = []
    for number in range(first, first + count):
        year, serial = divmod(number, 10_000)
        case = f"A110108000000{2000 + year}06{serial:04d}"
        record = sample.replace(_CASE.encode(), case.encode())
        signed = replace(
            manifest,
            bundle_id=_uuid7(),
            case_number=case,
            idempotency_key=f"bench-{number}",
            native_record=NativeRecord(
                "police", "3.2", "GB18030", len(record), hashlib.sha256(record).hexdigest(), sm3_hex(record)
            ),
        )
        jws = sign_bundle(to_payload(signed), private_key=key, certificate_chain=chain)  # type: ignore[arg-type]
        requests.append(exchange_pb2.SubmitRequest(manifest_jws=jws, record=record))
    return requests


def _uuid7() -> uuid.UUID:
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | (0x7 << 76) | (int.from_bytes(os.urandom(10), "big") & ((1 << 76) - 1))
    return uuid.UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))


async def drive(call: Callable[[Any], Awaitable[Any]], requests: Sequence[Any], callers: int) -> float:
    """Send requests from a number of callers at once and give the calls per second."""
    waiting = iter(requests)

    async def caller() -> None:
        for request in waiting:
            await call(request)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return len(requests) / (time.perf_counter() - started)


def submit_stub(channel: grpc.aio.Channel) -> Callable[[Any], Awaitable[Any]]:
    """The Submit method of a channel."""
    stub: Any = exchange_pb2_grpc.ExchangeServiceStub(channel)
    submit: Callable[[Any], Awaitable[Any]] = stub.Submit
    return submit
