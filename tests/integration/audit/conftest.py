"""A case that a real gateway handled, sealed and time-stamped, and its evidence pack."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.audit.pack import Trust
from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint
from gateway.core.log.cosignature import cosign
from gateway.core.log.note import NoteKey
from gateway.core.log.witness_policy import WitnessPolicy, parse_policy
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.v1 import exchange_pb2
from tests.support.bundle import PDF, bundle_of, load_issued, make_statement, new_case_number, sign_stated
from tests.support.command import Finished, fasttrack_here
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.notes import make_key, make_witness
from tests.support.tsa import LocalTsa
from tests.support.wire import Desk

ORIGIN = "test.invalid/fasttrack"


@dataclass(slots=True)
class Handled:
    """A case.

    Args:
        gateway: running.
        case_number: police case number.
        pack: its evidence pack, with materials.
        policy: policy file.
        home: folder.
        tsa_ca: CA of the time stamps.
    """

    gateway: RunningGateway
    case_number: str
    pack: Path
    policy: Path
    home: Path
    tsa_ca: Path

    @property
    def options(self) -> tuple[object, ...]:
        """The same as options of ``fasttrack verify``."""
        return ("--signing-ca", self.gateway.pki.signing_ca, "--policy", self.policy, "--tsa-ca", self.tsa_ca)

    @property
    def trust(self) -> Trust:
        """What an auditor trusts."""
        cas = x509.load_pem_x509_certificates(self.gateway.pki.signing_ca.read_bytes())
        return Trust(
            tuple(cas),
            parse_policy(self.policy.read_text()),
            tuple(x509.load_pem_x509_certificates(self.tsa_ca.read_bytes())),
        )


async def handle(gateway: RunningGateway, case_number: str, log: NoteKey, witnesses: list[NoteKey]) -> LocalTsa:
    """A statement; transfer, refused for a supplement, once more with the same material, accepted; then seal."""
    files = gateway.pki.agency("ps:110108")
    signer = load_issued(files.sign_certificate, files.sign_key)
    async with Desk(gateway, "ps:110108") as police, Desk(gateway, "pr:110108") as procuratorate:
        await police.upload(PDF)
        await police.state(sign_stated(make_statement({"act": "property_listed"}, case_number), signer))
        for decision in ("supplement", "accept"):
            manifest, jws, record = bundle_of(case_number, signer)
            await police.submit(jws, record)
            if decision == "accept":
                await procuratorate.accept(manifest.bundle_id)
            else:
                await procuratorate.claim(manifest.bundle_id)
                await procuratorate.fetch(manifest.bundle_id)
                await procuratorate.decide(
                    manifest.bundle_id,
                    decision=exchange_pb2.DECISION_ASK_SUPPLEMENT,
                    deficiencies=[exchange_pb2.Deficiency(document_code="D01", text="缺少签名")],
                )
    connection = await asyncpg.connect(gateway.dsn)
    size, root = await connection.fetchrow("SELECT size, root FROM ledger.state ORDER BY size DESC LIMIT 1")  # type: ignore[misc]
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root), log)
    await connection.execute("INSERT INTO ledger.checkpoint VALUES ($1, now(), $2)", size, note.to_bytes().decode())
    for key in witnesses:
        stamp = int(datetime.now(UTC).timestamp())
        line = cosign(note.text, key, stamp).to_line()
        await connection.execute(
            "INSERT INTO ledger.cosignature VALUES ($1, $2, to_timestamp($3::bigint), $4)", size, key.name, stamp, line
        )
    tsa, digest = LocalTsa(now=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)), sha256(note.to_bytes())
    token = tsa.token(digest.digest(), at=tsa.now + timedelta(minutes=1))
    await connection.execute(
        "INSERT INTO ledger.timestamp_token VALUES ($1, now(), $2, $3)", size, digest.digest(), token
    )
    await connection.close()
    return tsa


def export(gateway: RunningGateway, case_number: str, pack: Path, policy: Path, *options: str) -> Finished:
    """Run `fasttrack evidence export`."""
    return fasttrack_here(
        "evidence", "export", case_number, "--out", str(pack), "--policy", str(policy), *options,
        environ={
            "FASTTRACK_DATABASE_URL": gateway.dsn,
            "FASTTRACK_SIGNING_CA": str(gateway.pki.signing_ca),
            "FASTTRACK_PSEUDONYM_KEY_FILE": str(gateway.pki.pseudonym_key),
            "FASTTRACK_VAULT_URL": gateway.vault_url,
            "FASTTRACK_MASTER_KEY_FILE": str(gateway.pki.master_key),
            "FASTTRACK_MATERIALS_DIR": str(gateway.home / 'materials'),
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def handled(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Handled]:
    """One case through a real gateway, and its pack."""
    home = tmp_path_factory.mktemp("evidence")
    log = make_key(ORIGIN)
    witnesses = [make_witness(f"witness-{number}.invalid") for number in (1, 2)]
    policy, pack, tsa_ca = home / "policy.toml", home / "case.zip", home / "tsa.pem"
    policy.write_text(WitnessPolicy(log.verifier, 2, tuple(key.verifier for key in witnesses)).to_toml())
    case_number = new_case_number()
    with running_gateway(postgres_server, migrated_template, home) as gateway:
        with ThreadPoolExecutor(max_workers=1) as pool:
            tsa = pool.submit(asyncio.run, handle(gateway, case_number, log, witnesses)).result()
        tsa_ca.write_bytes(tsa.ca.certificate.public_bytes(Encoding.PEM))
        done = export(gateway, case_number, pack, policy, "--tsa-ca", str(tsa_ca), "--with-materials")
        assert done.code == 0, done
        yield Handled(gateway, case_number, pack, policy, home, tsa_ca)
