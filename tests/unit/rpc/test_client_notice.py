"""Notices as the client reads them: nothing is believed that does not hash to its leaf."""

from __future__ import annotations

import pytest

from gateway.core.entry import leaf_hash
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_notice import verify_notice
from gateway.v1 import notice_pb2 as wire


@pytest.mark.parametrize("leaf", [b"", b"{", b"[]", b"{}", b'{"kind":"clock_warned"}', b"\xff"])
def test_notice_whose_leaf_is_no_entry_is_rejected_as_evidence(leaf: bytes) -> None:
    """A leaf that hashes right and says nothing is a lie of the gateway, not a fault of the client."""
    with pytest.raises(EvidenceRejected):
        verify_notice(wire.NoticeItem(leaf=leaf, leaf_hash=leaf_hash(leaf)))


def test_notice_whose_hash_is_another_is_rejected() -> None:
    """The hash is the hash of the leaf that came with it."""
    with pytest.raises(EvidenceRejected, match="hash"):
        verify_notice(wire.NoticeItem(leaf=b"{}", leaf_hash=bytes(32)))
