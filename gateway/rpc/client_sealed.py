"""A sealed receipt as the client keeps it: proved to be in a checkpoint that a quorum of witnesses cosigned.

The gateway's word is not needed for it: leaf, proof and policy are enough, years later and without the gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.log.note import NoteError
from gateway.core.log.tlog_proof import parse_tlog_proof, verify_tlog_proof
from gateway.core.log.witness_policy import WitnessPolicy
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_receipt import Receipt


@dataclass(frozen=True, slots=True)
class SealedReceipt:
    """Proof that a receipt's entry is in the log that the witnesses saw; it was verified.

    Args:
        proof: the file (C2SP tlog-proof@v1); keep it beside the receipt as ``.tlog-proof``.
        tree_size: size of the checkpoint.
        witnesses: names of the witnesses that cosigned, with the time of each (seconds since 1970).
    """

    proof: bytes
    tree_size: int
    witnesses: dict[str, int]


def verify_sealed(data: bytes, receipt: Receipt, policy: WitnessPolicy) -> SealedReceipt:
    """Verify a proof of logging and that it is for this receipt.

    Args:
        data: the proof as it came.
        receipt: verified.
        policy: of the log that the receipt must be in.

    Returns:
        the sealed receipt.

    Raises:
        EvidenceRejected: something does not hold.
    """
    if receipt.entry.origin != policy.log.name:
        raise EvidenceRejected("the receipt is of another log than the witness policy")
    try:
        proof = parse_tlog_proof(data)
        if proof.index != receipt.entry_index:
            raise EvidenceRejected("the proof of logging is for another entry")
        cosigned = verify_tlog_proof(proof, receipt.leaf_hash, policy)
    except NoteError as error:
        raise EvidenceRejected(f"the proof of logging does not verify: {error}") from error
    return SealedReceipt(data, cosigned.checkpoint.size, cosigned.witnesses)


def verify_all_sealed(
    proofs: Sequence[bytes], receipts: Sequence[Receipt], policy: WitnessPolicy | None
) -> tuple[SealedReceipt | None, ...]:
    """Verify the proofs of several receipts.

    Args:
        proofs: one for each receipt; empty where there is none yet, or fewer from a gateway that seals nothing.
        receipts: verified.
        policy: of the log; None when this client was given none, so that nothing can be verified.

    Returns:
        for each receipt the sealed one; None where there is none.

    Raises:
        EvidenceRejected: a proof does not hold.
    """
    if policy is None:
        return (None,) * len(receipts)
    padded = [*proofs, *[b""] * len(receipts)]
    return tuple(
        verify_sealed(proof, receipt, policy) if proof else None
        for proof, receipt in zip(padded, receipts, strict=False)
    )
