"""Sealed receipts, from submit to the proof that verifies without the gateway; every process is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

import grpc
import pytest

from gateway.cli.local_gateway import LocalGatewayError
from gateway.cli.local_process import LocalProcess
from gateway.core.entry import leaf_hash
from gateway.core.log.note import NoteError
from gateway.core.log.tlog_proof import parse_tlog_proof, verify_tlog_proof
from gateway.core.log.witness_policy import QuorumError, WitnessPolicy
from gateway.core.port.seal import SeenTree
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.rpc.client_error import CallRefused, EvidenceRejected
from gateway.rpc.client_witness import WitnessClient
from gateway.trust.tls import channel_credentials
from gateway.trust.tree_memory import to_text
from tests.integration.seal.conftest import ORIGIN, WITNESSES, SealedLog, running_log
from tests.support.command import fasttrack
from tests.support.notes import make_key


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes of the log that all tests of this file share; each test leaves them running.

    Args:
        log: the gateway.
        signer: of the log.
        witnesses: three, in the order of ``WITNESSES``.
    """

    log: SealedLog
    signer: LocalProcess
    witnesses: list[LocalProcess]


@pytest.fixture(scope="module")
def crew(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crew]:
    """One sealed log for this file."""
    with running_log(postgres_server, migrated_template, tmp_path_factory.mktemp("sealed")) as log:
        yield Crew(log, *log.start_all())


@pytest.fixture
def log(crew: Crew) -> SealedLog:
    """The log, with signer and witnesses at work."""
    return crew.log


async def test_receipt_is_sealed_by_the_quorum_and_verifies_offline(log: SealedLog) -> None:
    """A submitter waits for the seal, and what it gets needs nobody afterwards."""
    handoff = await log.submit()
    async with log.client() as client:
        status = await client.get_receipt(handoff, wait_seconds=20)
    sealed = status.sealed[0]
    assert sealed is not None
    assert len(sealed.witnesses) >= 2
    cosigned = verify_tlog_proof(parse_tlog_proof(sealed.proof), status.receipts[0].leaf_hash, log.policy)
    assert cosigned.checkpoint.size == sealed.tree_size >= 1
    # An auditor with other witnesses, or with a stricter rule, decides for himself.
    strict = replace(log.policy, quorum=3)
    foreign = WitnessPolicy(log.policy.log, 1, (replace(log.policy.witnesses[0], name="other.invalid"),))
    for policy in (strict, foreign) if len(sealed.witnesses) < 3 else (foreign,):
        with pytest.raises(QuorumError):
            verify_tlog_proof(parse_tlog_proof(sealed.proof), status.receipts[0].leaf_hash, policy)
    with pytest.raises(NoteError):
        verify_tlog_proof(parse_tlog_proof(sealed.proof), bytes(32), log.policy)


async def test_receipt_without_quorum_stays_unsealed_until_it_is_there(crew: Crew) -> None:
    """One witness of two is no seal; the second one makes it."""
    log, (_, second, third) = crew.log, crew.witnesses
    for witness in (second, third):
        witness.stop()
    handoff = await log.submit()
    async with log.client() as client:
        assert (await client.get_receipt(handoff, wait_seconds=1)).sealed == (None,)
        second.start()
        status = await client.get_receipt(handoff, wait_seconds=20)
        assert status.sealed[0] is not None
        client.policy = replace(log.policy, quorum=3)
        with pytest.raises(EvidenceRejected, match="cosigned by 2 of the 3"):
            await client.get_receipt(handoff)
        with pytest.raises(CallRefused):
            await client.get_receipt(handoff, wait_seconds=21)
    third.start()


async def test_witness_that_lost_its_state_does_not_start(crew: Crew) -> None:
    """Neither without a state, nor with a new one: the gateway remembers that this key has cosigned."""
    log, witness = crew.log, crew.witnesses[0]
    handoff = await log.submit()
    async with log.client() as client:
        await client.get_receipt(handoff, wait_seconds=20)
    state = log.home / "witness" / "witness-ps-110108.json"
    witness.stop()
    newest = state.read_text()
    older = to_text(SeenTree(ORIGIN))
    state.unlink()
    with pytest.raises(LocalGatewayError, match="no state file"):
        log.witness(WITNESSES[0]).start()
    with pytest.raises(LocalGatewayError, match="cosigned before"):
        log.witness(WITNESSES[0]).start("--init")
    assert not state.exists()
    # An older copy of the file starts, and stops as soon as the gateway shows what this key has said since.
    state.write_text(older)
    process = log.witness(WITNESSES[0]).start()
    assert process.wait() == 4
    assert "state_lost" in process.log.read_text()
    # Nothing was cosigned since, so what was there is the newest.
    state.write_text(newest)
    witness.start()


async def test_two_witnesses_cannot_share_a_state(log: SealedLog) -> None:
    """Two processes with one key and one file would race; the second does not start."""
    with pytest.raises(LocalGatewayError, match="another process holds"):
        log.witness(WITNESSES[1]).start()


async def test_kill_of_signer_and_witnesses_leaves_one_consistent_log(crew: Crew) -> None:
    """Whatever is killed in whatever moment: after a restart everything is sealed, and nothing was signed twice."""
    log, signer, witnesses = crew.log, crew.signer, crew.witnesses
    # The log is shared: other tests have made a witness refuse on purpose.
    said_before = {process: len(process.log.read_bytes()) for process in (signer, *witnesses)}
    async with log.client() as client:
        for number in range(4):
            handoff = await log.submit()
            signer.kill()
            witnesses[number % 3].kill()
            signer.start()
            witnesses[number % 3].start()
            status = await client.get_receipt(handoff, wait_seconds=20)
            assert status.sealed[0] is not None
    credentials = _credentials(log)
    async with WitnessClient(log.gateway.target, credentials) as looker:
        offer = await looker.poll_checkpoint("", 1)
    assert offer.size >= 4
    logs = b"".join(process.log.read_bytes()[length:] for process, length in said_before.items())
    assert b"refused to sign" not in logs


async def test_signer_says_why_and_ends_with_four_when_asked_once(crew: Crew) -> None:
    """A script learns of a refusal by the exit status, a person by the line."""
    log = crew.log
    with pytest.raises(LocalGatewayError, match="no state file"):
        log.signer("other").start()
    handoff = await log.submit()
    async with log.client() as client:
        await client.get_receipt(handoff, wait_seconds=20)
    crew.signer.stop()
    once = log.signer()
    once.arguments.append("--once")
    assert once.start().wait() == 0
    crew.signer.start()
    with pytest.raises(LocalGatewayError, match="signed before"):
        log.signer("other").start("--init")


def _credentials(log: SealedLog) -> grpc.ChannelCredentials:
    files = log.gateway.pki.agency("ov:110000")
    return channel_credentials(log.gateway.pki.tls_ca, files.tls_certificate, files.tls_key)


async def test_receipt_command_waits_for_the_seal_and_keeps_the_proof(log: SealedLog) -> None:
    """An engineer gets the file that an auditor needs, and is told who sealed it."""
    handoff = await log.submit()
    out = log.home / "proofs"
    environ = log.gateway.environ_of("ps:110108")
    done = await asyncio.to_thread(
        fasttrack, "receipt", handoff, "--wait", 20, "--sealed", out, "--json", environ=environ
    )
    assert done.code == 0, done.errors
    sealed = done.object["sealed"][0]
    assert len(sealed["witnesses"]) >= 2
    receipt = done.object["receipts"][0]
    proof = parse_tlog_proof((out / f"{receipt['entry_index']}.tlog-proof").read_bytes())
    cosigned = verify_tlog_proof(proof, leaf_hash(receipt["leaf"].encode("ascii")), log.policy)
    assert cosigned.checkpoint.size == sealed["tree_size"]
    # With the policy of another log nothing is believed.
    other = log.home / "other.toml"
    other.write_text(replace(log.policy, log=make_key("other.invalid").verifier).to_toml())
    done = await asyncio.to_thread(fasttrack, "receipt", handoff, "--witness-policy", other, environ=environ)
    assert done.code == 4
