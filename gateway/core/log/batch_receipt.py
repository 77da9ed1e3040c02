"""Receipts: one signature for each batch of entries, and for each entry the way to what was signed.

The gateway signs, once a batch, the root of a small tree over the leaf hashes of that batch (its indices
``first_index`` to ``tree_size`` - 1). The receipt of an entry is that JWS, a tilde, and the hashes that lead from its
leaf hash to the root: one line of text that proves its entry alone, offline, as if it had been signed alone.

Source: RFC 6962 section 2.1 (tree and audit path); RFC 4648 section 5 (base64url).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.core.entry import to_instant
from gateway.core.log.merkle import HASH_BYTES, ProofError, node_hash, to_hashes, verify_inclusion

SEPARATOR: Final = "~"
"""Stands between the JWS and the path; no letter of base64url."""
MAX_PATH: Final = 16
"""Hashes of a path; a batch has at most 256 entries, this leaves room."""


class BatchTree:
    """The tree over the leaf hashes of one batch.

    Args:
        leaf_hashes: 32 bytes each, in the order of the entries, at least one.
    """

    __slots__ = ("_rows",)

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        rows = [list(leaf_hashes)]
        while (width := len(rows[-1])) > 1:
            below = rows[-1]
            row = [node_hash(below[at], below[at + 1]) for at in range(0, width - 1, 2)]
            if width & 1:
                # The last one of an odd row has no neighbour and moves up as it is (RFC 6962, section 2.1).
                row.append(below[-1])
            rows.append(row)
        self._rows = rows

    @property
    def root(self) -> bytes:
        """Root hash, 32 bytes."""
        return self._rows[-1][0]

    def path(self, place: int) -> list[bytes]:
        """Give the audit path of a leaf.

        Args:
            place: in the batch, from 0.

        Returns:
            hashes of 32 bytes, from the leaf upwards.
        """
        path = []
        for row in self._rows[:-1]:
            if (neighbour := place ^ 1) < len(row):
                path.append(row[neighbour])
            place >>= 1
        return path


def to_claims(
    origin: str, first_index: int, tree_size: int, *, batch_root: bytes, root: bytes, recorded_at: datetime
) -> dict[str, str | int]:
    """Write what the gateway signs for a batch; the order of the members is that of the payload.

    Args:
        origin: name of the log.
        first_index: index of the first entry of the batch.
        tree_size: entries of the ledger after the batch.
        batch_root: root over the leaf hashes of the batch, 32 bytes.
        root: root of the ledger's tree of that size, 32 bytes.
        recorded_at: aware time of the batch.

    Returns:
        the claims.
    """
    return {
        "origin": origin,
        "first_index": first_index,
        "tree_size": tree_size,
        "batch_root": batch_root.hex(),
        "root_hash": root.hex(),
        "recorded_at": to_instant(recorded_at),
    }


def join_receipt(jws: str, path: Sequence[bytes]) -> str:
    """Write the receipt of one entry.

    Args:
        jws: compact JWS of its batch.
        path: hashes of 32 bytes, from its leaf hash upwards.

    Returns:
        the JWS, a tilde, and the hashes one after the other in base64url without padding.
    """
    return f"{jws}{SEPARATOR}{base64.urlsafe_b64encode(b''.join(path)).rstrip(b'=').decode('ascii')}"


def receipt_of(jws: str, first_index: int, leaf_hashes: bytes, index: int) -> str:
    """Make the receipt of an entry again from what is stored of its batch.

    Args:
        jws: compact JWS of the batch.
        first_index: index of the first entry of the batch.
        leaf_hashes: of all its entries, 32 bytes each, one after the other.
        index: of the entry.

    Returns:
        the same text as the first time; "" when the entry is not one of the batch.
    """
    hashes = to_hashes(leaf_hashes)
    place = index - first_index
    return join_receipt(jws, BatchTree(hashes).path(place)) if 0 <= place < len(hashes) else ""


def parse_receipt(text: str) -> tuple[str, list[bytes]]:
    """Take a receipt apart; nothing is verified.

    Args:
        text: the receipt.

    Returns:
        compact JWS of the batch, and the path.

    Raises:
        ProofError: it is not one JWS and one path in their one spelling.
    """
    jws, separator, encoded = text.partition(SEPARATOR)
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofError("the path of the receipt is not base64url") from error
    if not separator or len(data) % HASH_BYTES or len(data) > MAX_PATH * HASH_BYTES:
        raise ProofError("a receipt is a JWS, a tilde and at most 16 hashes")
    path = to_hashes(data)
    if join_receipt(jws, path) != text:
        raise ProofError("the path of the receipt is not canonical base64url")
    return jws, path


def verify_place(
    leaf_hash: bytes, index: int, path: Sequence[bytes], *, first_index: int, tree_size: int, batch_root: bytes
) -> None:
    """Check that an entry stands in a batch where it says.

    Args:
        leaf_hash: of the entry, 32 bytes.
        index: of the entry.
        path: of its receipt.
        first_index: as signed.
        tree_size: as signed, larger than first_index.
        batch_root: as signed, 32 bytes.

    Raises:
        ProofError: it does not.

    Source: RFC 9162, section 2.1.3.2.
    """
    verify_inclusion(leaf_hash, index - first_index, tree_size - first_index, path, batch_root)
