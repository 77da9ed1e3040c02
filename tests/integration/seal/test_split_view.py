"""Two databases under one signer key: the signer's own witness is the one that notices."""

from __future__ import annotations

import re
import shutil

import pytest

from gateway.core.log.checkpoint import verify_checkpoint
from gateway.core.log.merkle import ProofError, verify_consistency
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.rpc.client_witness import WitnessClient
from gateway.trust.tls import channel_credentials
from tests.integration.seal.conftest import WITNESSES, SealedLog
from tests.support.gateway import GATEWAY_ROLE, RunningGateway
from tests.support.postgres import create_database, database_dropped


async def test_witness_refuses_the_second_of_two_histories(log: SealedLog, postgres_server: EmbeddedPostgres) -> None:
    """A colluding signer signs both; who witnessed one refuses the other, and two clients have proof."""
    signer = log.signer().start("--init")
    witness = log.witness(WITNESSES[0]).start("--init")
    other_witness = log.witness(WITNESSES[1]).start("--init")
    async with log.client() as client:
        assert (await client.get_receipt(await log.submit(), wait_seconds=20)).sealed[0] is not None
        for process in (signer, witness, other_witness, log.gateway):
            process.stop()
        with database_dropped(postgres_server) as name:
            create_database(postgres_server, name, template=re.findall(r"/(test_[0-9a-f]{32})\?", log.gateway.dsn)[0])
            shutil.copytree(log.home / "signer", log.home / "signer-b")
            fork = RunningGateway(
                log.gateway.pki, postgres_server.dsn(name), postgres_server.dsn(name, user=GATEWAY_ROLE),
                log.home / "gateway-b",
            )  # fmt: skip
            log.gateway.start()
            with fork:
                for process in (signer, witness, other_witness):
                    process.start()
                sealed = await client.get_receipt(await log.submit(), wait_seconds=20)
                assert sealed.sealed[0] is not None
                witness.stop()
                # The same signing key on the copy: it is consistent with its own copied memory, and signs.
                second = SealedLog(fork, log.policy, log.home, log.processes)
                second.signer("signer-b", database_url=fork.dsn).start()
                for _ in range(2):
                    handoff = await second.submit()
                async with second.client() as deceived:
                    assert (await deceived.get_receipt(handoff, wait_seconds=2)).sealed == (None,)
                once = log.witness(WITNESSES[0], target=fork.target)
                once.arguments.append("--once")
                assert once.start().wait() == 4
                assert "the witness refuses: inconsistent" in once.log.read_text()

                files = log.gateway.pki.agency(WITNESSES[2])
                credentials = channel_credentials(log.gateway.pki.tls_ca, files.tls_certificate, files.tls_key)
                async with WitnessClient(log.gateway.target, credentials) as looker:
                    here = await looker.poll_checkpoint("", 0)
                async with WitnessClient(fork.target, credentials) as looker:
                    there = await looker.poll_checkpoint("", here.size)
                one, other = (verify_checkpoint(offer.checkpoint, log.policy.log)[0] for offer in (here, there))
                assert one.size < other.size
                with pytest.raises(ProofError):
                    verify_consistency(one.size, other.size, one.root, other.root, there.proof)
                for process in log.processes:
                    process.stop()
