"""A receipt as the client keeps it: verified when it arrives, and checked to be about what was asked.

A signature alone is not enough: a genuine receipt of another act would pass it. So leaf, hash, index, handoff and kind
are compared as well, and only then the receipt is given to the caller.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from gateway.core.entry import Entry, EntryKind, from_leaf, leaf_hash
from gateway.core.errors import GatewayError
from gateway.rpc.client_error import EvidenceRejected
from gateway.v1 import common_pb2


class GatewayVerifier(Protocol):
    """Checks what the gateway signed."""

    def verify_receipt(self, jws: str, *, leaf: bytes, is_fresh: bool) -> object:
        """Check a receipt.

        Args:
            jws: the receipt, JWS of a batch and path.
            leaf: canonical bytes of the leaf that it is for.
            is_fresh: True when it was made just now, so that the gateway's certificate must be valid now; False for an
                older one, whose certificate must have been valid then.

        Returns:
            the evidence.

        Raises:
            GatewayError: it does not verify.
        """

    def verify_reconcile(self, jws: str) -> Mapping[str, Any]:
        """Check a statement of reconciliation.

        Args:
            jws: compact JWS.

        Returns:
            its claims.

        Raises:
            GatewayError: it does not verify.
        """


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that one act is in the ledger; it was verified.

    Args:
        jws: JWS that the gateway signed for a batch, a tilde, and the path to it from this entry.
        leaf: canonical bytes of the ledger leaf.
        leaf_hash: 32 bytes.
        entry: the leaf, read.
    """

    jws: str
    leaf: bytes
    leaf_hash: bytes
    entry: Entry

    @property
    def entry_index(self) -> int:
        """Index of the entry in the ledger, from 0."""
        return self.entry.index

    @property
    def recorded_at(self) -> datetime:
        """Gateway time of the entry, aware UTC."""
        return self.entry.recorded_at.astimezone(UTC)


def verify_receipt(
    message: common_pb2.Receipt,
    verifier: GatewayVerifier,
    *,
    handoff: UUID | None,
    kinds: Iterable[EntryKind],
    is_fresh: bool = True,
) -> Receipt:
    """Verify a receipt and that it is for the act that was asked.

    Args:
        message: as it came.
        verifier: checks the signature.
        handoff: the handoff that was acted on; None for an act on none, such as a statement.
        kinds: kinds of entry that the act may make.
        is_fresh: whether it was made just now.

    Returns:
        the receipt.

    Raises:
        EvidenceRejected: something does not hold.
    """
    try:
        verifier.verify_receipt(message.jws, leaf=message.leaf, is_fresh=is_fresh)
    except GatewayError as error:
        raise EvidenceRejected(f"the receipt does not verify: {error}") from error
    if not hmac.compare_digest(leaf_hash(message.leaf), message.leaf_hash):
        raise EvidenceRejected("the receipt's leaf hash is not the hash of its leaf")
    try:
        entry = from_leaf(message.leaf)
    except (ValueError, TypeError, KeyError) as error:
        raise EvidenceRejected("the receipt's leaf cannot be read") from error
    if entry.index != message.entry_index or entry.handoff != str(handoff or "") or entry.kind not in tuple(kinds):
        raise EvidenceRejected("the receipt is for another entry")
    return Receipt(message.jws, message.leaf, message.leaf_hash, entry)
