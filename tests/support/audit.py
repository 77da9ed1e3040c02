"""Looks through a whole ledger as an auditor would: from the entries alone, with a Merkle tree of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

from gateway.core.entry import Entry, EntryKind, from_leaf
from gateway.v1 import ledger_pb2
from tests.support.wire import Desk


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """Compute the root of a tree from its leaf hashes, by the definition (RFC 6962, section 2.1)."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + merkle_root(hashes[:split]) + merkle_root(hashes[split:])).digest()


def assert_chains(entries: Sequence[Entry], hashes: Sequence[bytes]) -> None:
    """Assert that cases are chained, directions are numbered without a gap, and no act stands twice."""
    last: dict[str, tuple[int, str]] = defaultdict(lambda: (0, ""))
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    acts = set()
    for entry, leaf_hash in zip(entries, hashes, strict=True):
        acts.add((entry.act_id, entry.actor))
        if entry.case:
            assert (entry.case_sequence, entry.case_previous) == (last[entry.case][0] + 1, last[entry.case][1])
            last[entry.case] = (entry.case_sequence, leaf_hash.hex())
        if entry.kind is EntryKind.SUBMITTED:
            numbers[entry.sender, entry.receiver].append(entry.pair_number)
    assert len(acts) == len(entries)
    for given in numbers.values():
        assert given == list(range(1, len(given) + 1))
    times = [entry.recorded_at for entry in entries]
    assert times == sorted(times)


async def audit(oversight: Desk) -> list[Entry]:
    """Read the whole ledger and assert that it is whole.

    Every index once, every hash that of its leaf, every chain unbroken, and the root that the gateway proves by is the
    root of exactly these leaves.

    Args:
        oversight: a desk of oversight.

    Returns:
        all entries, by index.
    """
    found = await oversight.entries()
    assert [entry.index for entry in found] == list(range(len(found)))
    for entry in found:
        assert entry.leaf_hash == sha256(b"\x00" + entry.leaf).digest()
    hashes = [entry.leaf_hash for entry in found]
    entries = [from_leaf(entry.leaf) for entry in found]
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert_chains(entries, hashes)
    if found:
        request = ledger_pb2.GetProofRequest(inclusion=ledger_pb2.InclusionQuery(tree_size=len(found)))
        assert (await oversight.ledger.GetProof(request)).root_hash == merkle_root(hashes)
    return entries
