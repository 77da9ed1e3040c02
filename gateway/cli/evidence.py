"""Receipts as files: what is written is enough to verify it years later without the gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.connection import SettingsError

if TYPE_CHECKING:
    from gateway.rpc.client_answer import HandoffStatus
    from gateway.rpc.client_receipt import Receipt


def from_receipt(receipt: Receipt) -> dict[str, Any]:
    """Turn a receipt into a plain object.

    Args:
        receipt: verified.

    Returns:
        entry_index, recorded_at, kind, handoff, leaf_hash (hexadecimal), leaf (the canonical text) and jws.
    """
    return {
        "entry_index": receipt.entry_index,
        "recorded_at": receipt.recorded_at,
        "kind": receipt.entry.kind.value,
        "handoff": receipt.entry.handoff,
        "leaf_hash": receipt.leaf_hash.hex(),
        "leaf": receipt.leaf.decode("ascii"),
        "jws": receipt.jws,
    }


def write_proofs(folder: Path, status: HandoffStatus) -> None:
    """Write the proofs of logging of a handoff (C2SP tlog-proof@v1), ``<entry>.tlog-proof`` each.

    Args:
        folder: made when it is not there.
        status: verified.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for receipt, sealed in zip(status.receipts, status.sealed, strict=True):
        if sealed is not None:
            (folder / f"{receipt.entry_index}.tlog-proof").write_bytes(sealed.proof)


def read_receipt(path: Path) -> tuple[str, bytes]:
    """Read a receipt that a command wrote.

    Args:
        path: JSON with jws and leaf.

    Returns:
        receipt (JWS, tilde, path) and canonical bytes of the leaf.

    Raises:
        SettingsError: it is not such a file.
        OSError: it cannot be read.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return str(value["jws"]), str(value["leaf"]).encode("ascii")
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is not a receipt", "give a file that `fasttrack submit --receipt` or `fasttrack fetch` wrote"
        ) from error
