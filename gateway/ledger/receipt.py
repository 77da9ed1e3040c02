"""Receipts as they are stored: the signature once a batch, in the row of its first entry; the path is made again."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from gateway.core.entry import WITHOUT_RECEIPT
from gateway.core.log.batch_receipt import receipt_of
from gateway.core.port.ledger import Appended


def to_receipt(row: Any) -> str:
    """Make the receipt of an entry.

    Args:
        row: seq and kind of the entry; jws, first_index and leaf_hashes of the last signed batch that begins at or
            before it.

    Returns:
        the receipt; "" when nobody is owed one, or it is not there.
    """
    if row["kind"] in WITHOUT_RECEIPT or row["jws"] is None or row["leaf_hashes"] is None:
        return ""
    return receipt_of(row["jws"], row["first_index"], row["leaf_hashes"], row["seq"])


def to_appended(row: Any) -> Appended:
    """Read a committed entry with its receipt.

    Args:
        row: what ``to_receipt`` takes, and leaf, leaf_hash, recorded_at.

    Returns:
        the entry.
    """
    return Appended(row["seq"], row["leaf"], row["leaf_hash"], row["recorded_at"].astimezone(UTC), to_receipt(row))
