"""The typed client against a server that speaks the real wire and lies about the tree: it believes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from gateway.audit.mirror import Mirror, MirrorRefusedError
from gateway.audit.mirror_check import MirrorFault
from gateway.audit.mirror_file import create_mirror
from gateway.audit.mirror_store import MirrorStore
from gateway.core.entry import leaf_hash
from gateway.core.identity import parse_agency
from gateway.core.log.fork import verify_fork
from gateway.core.log.merkle import Frontier, prove_inclusion
from gateway.core.log.merkle_tile import TileEdge
from gateway.core.log.mirror import SealRow
from gateway.core.log.witness import WitnessRefusedError
from gateway.core.port.seal import SeenTree
from gateway.flows.cosign import Cosigner, LogShrankError, follow_once
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_ledger import LedgerCalls
from gateway.rpc.client_mirror import MirrorClient
from gateway.v1 import ledger_pb2 as pb
from gateway.v1 import witness_pb2
from gateway.v1.ledger_pb2_grpc import LedgerServiceServicer, add_LedgerServiceServicer_to_server
from gateway.v1.witness_pb2_grpc import WitnessServiceServicer, add_WitnessServiceServicer_to_server
from tests.support.fake_ledger import FakeClock
from tests.support.fake_seal import FakeMemory
from tests.support.notes import MemoryLog

LOG, FORK = MemoryLog.of(11), MemoryLog.of(11, "fork")
INDEX, KNOWN, SIZE = 6, 5, 11


class _Liar(LedgerServiceServicer):
    """Answers what it is told to."""

    answer: pb.GetProofResponse

    async def GetProof(self, request: pb.GetProofRequest, context: Any) -> pb.GetProofResponse:
        """Whatever was asked."""
        return self.answer

    async def QueryEntries(self, request: pb.QueryEntriesRequest, context: Any) -> pb.QueryEntriesResponse:
        """Nothing."""
        return pb.QueryEntriesResponse()

    async def GetCaseTimeline(self, request: pb.GetCaseTimelineRequest, context: Any) -> pb.GetCaseTimelineResponse:
        """Nothing."""
        return pb.GetCaseTimelineResponse()


@asynccontextmanager
async def lying(**fields: Any) -> AsyncIterator[LedgerCalls]:
    """A client of a server that gives this one answer."""
    liar = _Liar()
    liar.answer = pb.GetProofResponse(**fields)
    server = grpc.aio.server()
    add_LedgerServiceServicer_to_server(liar, server)
    port = server.add_secure_port("127.0.0.1:0", grpc.local_server_credentials())
    await server.start()
    try:
        async with LedgerCalls(f"127.0.0.1:{port}", grpc.local_channel_credentials()) as client:
            yield client
    finally:
        await server.stop(None)


class _Backward(WitnessServiceServicer):
    """Presents what it is told to as the newest checkpoint, and takes no cosignature."""

    answer: witness_pb2.GetCheckpointResponse

    async def GetCheckpoint(self, request: Any, context: Any) -> witness_pb2.GetCheckpointResponse:
        """Whatever was asked."""
        return self.answer

    async def AddCosignature(self, request: Any, context: Any) -> witness_pb2.AddCosignatureResponse:
        """Never asked: nothing of this is cosigned."""
        raise AssertionError


@asynccontextmanager
async def presenting(**fields: Any) -> AsyncIterator[MirrorClient]:
    """A client of a server that presents this as the newest checkpoint."""
    backward = _Backward()
    backward.answer = witness_pb2.GetCheckpointResponse(**fields)
    server = grpc.aio.server()
    add_WitnessServiceServicer_to_server(backward, server)
    port = server.add_secure_port("127.0.0.1:0", grpc.local_server_credentials())
    await server.start()
    try:
        async with MirrorClient(f"127.0.0.1:{port}", grpc.local_channel_credentials()) as client:
            yield client
    finally:
        await server.stop(None)


def inclusion(**lies: Any) -> dict[str, Any]:
    """The true answer, with some lies."""
    path = prove_inclusion(INDEX, SIZE, LOG.read)
    return {
        "tree_size": SIZE, "root_hash": LOG.head().root, "hashes": path, "leaf_hash": leaf_hash(LOG.leaves[INDEX])
    } | lies  # fmt: skip


def consistency(**lies: Any) -> dict[str, Any]:
    """The true answer, with some lies."""
    return {
        "tree_size": SIZE, "root_hash": LOG.head().root, "hashes": LOG.consistency(KNOWN, SIZE),
        "first_size": KNOWN, "first_root_hash": LOG.head(KNOWN).root,
    } | lies  # fmt: skip


PATH, STEPS = inclusion()["hashes"], consistency()["hashes"]
FALSE_INCLUSIONS = {
    "truncated": {"hashes": PATH[:-1]},
    "truncated below": {"hashes": PATH[1:]},
    "empty": {"hashes": []},
    "over-long": {"hashes": [*PATH, bytes(32)]},
    "thousands of hashes": {"hashes": PATH * 5_000},
    "hash cut": {"hashes": [PATH[0][:31], *PATH[1:]]},
    "forged hash": {"hashes": [bytes(32), *PATH[1:]]},
    "turned": {"hashes": PATH[::-1]},
    "root of a fork": {"root_hash": FORK.head().root},
    "stale tree without the entry": {"tree_size": KNOWN, "root_hash": LOG.head(KNOWN).root},
    "size of no tree": {"tree_size": 0},
    "size beyond": {"tree_size": 2**62},
    "another leaf": {"leaf_hash": leaf_hash(LOG.leaves[0])},
    "no leaf": {"leaf_hash": b""},
}
FALSE_CONSISTENCIES = {
    "truncated": {"hashes": STEPS[:-1]},
    "truncated below": {"hashes": STEPS[1:]},
    "empty": {"hashes": []},
    "over-long": {"hashes": [*STEPS, bytes(32)]},
    "thousands of hashes": {"hashes": STEPS * 5_000},
    "hash cut": {"hashes": [STEPS[0][:31], *STEPS[1:]]},
    "turned": {"hashes": STEPS[::-1]},
    "root of a fork": {"root_hash": FORK.head().root},
    "another past": {"first_root_hash": FORK.head(KNOWN).root},
    "stale: older than what is known": {"tree_size": 4, "root_hash": LOG.head(4).root, "hashes": []},
    "stale: as old, with another root": {"tree_size": KNOWN, "root_hash": FORK.head(KNOWN).root, "hashes": []},
    "another first size": {"first_size": 4, "first_root_hash": LOG.head(4).root},
    "size beyond": {"tree_size": 2**62},
}


async def test_proofs_that_are_true_are_believed() -> None:
    """The same server with the same wire, once it tells the truth."""
    async with lying(**inclusion()) as client:
        assert (await client.prove_inclusion(INDEX)).tree_size == SIZE
    async with lying(**consistency()) as client:
        assert (await client.prove_consistency(KNOWN)).second_size == SIZE


@pytest.mark.parametrize("lie", FALSE_INCLUSIONS)
async def test_inclusion_proof_that_lies_is_rejected(lie: str) -> None:
    """No path but the one of this leaf in this tree is taken, however long or short it is."""
    async with lying(**inclusion(**FALSE_INCLUSIONS[lie])) as client:
        with pytest.raises(EvidenceRejected):
            await client.prove_inclusion(INDEX, leaf_hash=leaf_hash(LOG.leaves[INDEX]))


@pytest.mark.parametrize("lie", FALSE_CONSISTENCIES)
async def test_consistency_proof_that_lies_is_rejected(lie: str) -> None:
    """A tree that is older than the known one, or has another past, is none."""
    async with lying(**consistency(**FALSE_CONSISTENCIES[lie])) as client:
        with pytest.raises(EvidenceRejected):
            await client.prove_consistency(KNOWN)


async def test_past_that_was_changed_whole_is_told_by_the_root_that_the_caller_knows() -> None:
    """A fork that is consistent with itself agrees with no root that was seen of the true log."""
    roots = {"root_hash": FORK.head().root, "first_root_hash": FORK.head(KNOWN).root}
    async with lying(**consistency(hashes=FORK.consistency(KNOWN, SIZE), **roots)) as client:
        with pytest.raises(EvidenceRejected, match="another root"):
            await client.prove_consistency(KNOWN, first_root=LOG.head(KNOWN).root)


async def test_proof_for_a_tree_that_was_not_asked_for_is_rejected() -> None:
    """Who asks about one size is not answered about another, however true that is."""
    async with lying(**inclusion()) as client:
        with pytest.raises(EvidenceRejected, match="another size"):
            await client.prove_inclusion(INDEX, tree_size=10)
    async with lying(**consistency()) as client:
        with pytest.raises(EvidenceRejected, match="other sizes"):
            await client.prove_consistency(KNOWN, second_size=10)


STALE = LOG.checkpoint(KNOWN, cosigners=3).to_bytes()
OTHER = FORK.checkpoint(KNOWN, cosigners=3).to_bytes()
"""Older, as validly signed and cosigned as the newest."""


@pytest.mark.parametrize(("size", "error"), [(KNOWN, LogShrankError), (SIZE, WitnessRefusedError)])
async def test_checkpoint_that_is_stale_is_not_cosigned_again(size: int, error: type[Exception]) -> None:
    """A witness that knows a later tree says so, also when the size beside the old checkpoint is the new one."""
    memory = FakeMemory(SeenTree(LOG.origin, SIZE, LOG.head().root))
    cosigner = Cosigner(memory, LOG.witnesses[0], LOG.key.verifier, FakeClock())
    async with presenting(size=size, checkpoint=STALE) as client:
        with pytest.raises(error):
            await follow_once(cosigner, client, wait_seconds=0)
    assert memory.tree.size == SIZE


@pytest.mark.parametrize("note", [STALE, OTHER], ids=["true", "of a fork"])
async def test_checkpoint_that_is_stale_is_told_by_a_mirror(note: bytes, tmp_path: Path) -> None:
    """A client with the later tree names the step back, and proves it when the old one is not even its beginning."""
    create_mirror(tmp_path, LOG.origin, "ps:110108")
    frontier, edge = Frontier(), TileEdge()
    for leaf in LOG.leaves:
        frontier.append(leaf_hash(leaf))
        edge.append(leaf_hash(leaf))
    with MirrorStore(tmp_path) as store:
        with store.round():
            store.add_head(frontier, edge)
            store.add_seals([newest()])
        mirror = Mirror(store, parse_agency("ps:110108"), LOG.key.verifier)
        async with presenting(size=KNOWN, checkpoint=note) as client:
            with pytest.raises(MirrorRefusedError) as refused:
                await mirror.follow_once(client)
    if note is STALE:
        assert (refused.value.fault, refused.value.size) == (MirrorFault.SHRUNK, KNOWN)
        return
    assert refused.value.fault is MirrorFault.FORK
    fork = verify_fork(refused.value.evidence[-1].read_bytes(), LOG.key.verifier)
    assert (fork.smaller, fork.larger) == (FORK.head(KNOWN), LOG.head())


def newest() -> SealRow:
    """The newest checkpoint as a mirror keeps it."""
    text = LOG.checkpoint().to_bytes().decode()
    return SealRow(what="checkpoint", size=SIZE, at=datetime(2026, 3, 2, tzinfo=UTC), text=text)
