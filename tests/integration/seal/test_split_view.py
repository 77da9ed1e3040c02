"""Two databases under one signer key: who witnessed one refuses the other, and two clients can prove it to anybody."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.ledger.checkpoint import CheckpointStore
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.ledger.pool import open_pool
from gateway.ledger.tile_source import TileSource
from gateway.tlog.server import serving
from gateway.tlog.tiles import tile_app
from tests.integration.ledger.act import as_role
from tests.integration.seal.conftest import WITNESSES, SealedLog
from tests.support.command import fasttrack_here
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.postgres import create_database, database_dropped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def tiles_of(dsn: str) -> AsyncIterator[str]:
    """Serve a ledger as a log to public tools; gives the address."""
    pool = await open_pool(as_role(dsn, "fasttrack_oversight"), max_connections=2)
    try:
        app = tile_app(TileSource(pool), CheckpointStore(pool), has_entries=False)
        async with serving(app, "127.0.0.1:0") as address:
            yield f"http://{address}"
    finally:
        await pool.close()


async def test_split_view_is_refused_by_witnesses_and_proved_by_two_clients(
    log: SealedLog, postgres_server: EmbeddedPostgres
) -> None:
    """A colluding signer signs both; who witnessed one refuses the other, and files alone convince a third party."""
    await log.submit()
    log.gateway.stop()
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name, template=re.findall(r"/(test_[0-9a-f]{32})\?", log.gateway.dsn)[0])
        fork = RunningGateway(
            log.gateway.pki, postgres_server.dsn(name), postgres_server.dsn(name, user=GATEWAY_ROLE),
            log.home / "gateway-b",
        )  # fmt: skip
        log.gateway.start()
        with fork:
            log.signer().start("--init")
            witness, _ = [log.witness(agency).start("--init") for agency in WITNESSES[:2]]
            async with log.client() as client:
                kept = (await client.get_receipt(await log.submit(), wait_seconds=20)).sealed[0]
            assert kept is not None
            witness.stop()
            # The same signing key on the copy, with a memory of its own.
            second = SealedLog(fork, log.policy, log.home, log.processes)
            second.signer("signer-b", database_url=fork.dsn).start("--init")
            for _ in range(2):
                handoff = await second.submit()
            async with second.client() as deceived:
                assert (await deceived.get_receipt(handoff, wait_seconds=1)).sealed == (None,)
            once = log.witness(WITNESSES[0], target=fork.target)
            once.arguments.append("--once")
            assert once.start().wait() == 4
            assert "the witness refuses: inconsistent" in once.log.read_text()
            async with tiles_of(fork.dsn) as url:
                await asyncio.to_thread(_compare, url, kept.proof, log)
            for process in log.processes:
                process.stop()


def _compare(url: str, proof: bytes, log: SealedLog) -> None:
    """One client gives the other the proof of logging of its receipt."""
    given, policy = log.home / "receipt.tlog-proof", log.gateway.pki.witness_policy
    given.write_bytes(proof)
    follow = ("monitor", url, "--policy", policy, "--state", log.home / "state", "--once", "--json")
    assert fasttrack_here(*follow).object["verdict"] == "grew"
    done = fasttrack_here(*follow, "--seen", given)
    assert (done.code, done.object["verdict"]) == (4, "fork")
    evidence = Path(done.object["evidence"][0])
    # Whoever has the file and the key of the log needs nothing else.
    judged = fasttrack_here("verify-fork", evidence, "--log-key", log.policy.log.to_text(), "--json")
    assert (judged.code, judged.object["is_proved"]) == (0, True)
    assert judged.object["smaller"]["size"] < judged.object["larger"]["size"]
    assert judged.object["smaller"]["root"] != judged.object["prefix_root"]
    fields = json.loads(evidence.read_text(encoding="utf-8"))
    for lie in ({"hashes": fields["hashes"][1:]}, {"smaller": fields["larger"]}, {"larger": fields["smaller"]}):
        evidence.write_text(json.dumps(fields | lie), encoding="utf-8")
        assert fasttrack_here("verify-fork", evidence, "--policy", policy).code == 1
    assert fasttrack_here("verify-fork", evidence).code == 2
