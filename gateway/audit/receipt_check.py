"""Receipts of a ledger: each batch has one signature, and it says what the tree says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.jws_check import JwsError, decode_segment, encode_segment, parse_header, verify_jws
from gateway.core.log.batch_receipt import BatchTree, to_claims

RECEIPT_TYPE: Final = "fasttrack-receipt+jws"
_SIGNATURE: Final = re.compile(r"[A-Za-z0-9_-]{85}[AQgw]", re.ASCII)
"""64 bytes in their one spelling."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the entries have it.

    Args:
        first: index of its first entry.
        leaf_hashes: of all its entries, 32 bytes each.
        owed: index of the first entry for which somebody is owed a receipt; None for none.
        size: of the tree after it.
        root: its root as computed, 32 bytes.
        recorded_at: time of the batch.
    """

    first: int
    leaf_hashes: Sequence[bytes]
    owed: int | None
    size: int
    root: bytes
    recorded_at: datetime


@dataclass(slots=True)
class ReceiptCheck:
    """Checks receipts batch by batch.

    Args:
        report: takes the findings.
        origin: name of the log.
        certificates: DER of the gateway's receipt certificates; None leaves the signatures unchecked.
        headers: what is known of headers seen.
    """

    report: Report
    origin: str
    certificates: frozenset[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def add(self, batch: Batch, jws: str | None) -> None:
        """Check the receipt of a batch; with the leaf hashes it gives the receipt of every entry.

        Args:
            batch: as computed.
            jws: what was signed in the row of the first entry; None for nothing.
        """
        if jws is None:
            if batch.owed is not None:
                self._finding("receipt-missing", batch.owed, "the batch of the entry has no receipt")
            return
        first = batch.first
        if batch.owed is None:
            self._finding("receipt-stray", first, "nobody is owed a receipt for entries of these kinds")
            return
        header, _, rest = jws.partition(".")
        payload, _, signature = rest.partition(".")
        batch_root = BatchTree(batch.leaf_hashes).root
        claims = to_claims(
            self.origin, first, batch.size, batch_root=batch_root, root=batch.root, recorded_at=batch.recorded_at
        )
        # What the gateway writes is compared as it stands; anything else must at least say the same.
        text = json.dumps(claims, separators=(",", ":"))
        if payload != encode_segment(text.encode()) and not _says(payload, claims):
            self._finding("receipt-claims", first, "does not say what the tree says")
        if reason := self._header(header):
            self._finding("receipt-header", first, reason)
        elif self.certificates is not None:
            self._signature(first, jws)
        elif _SIGNATURE.fullmatch(signature) is None:
            self._finding("receipt-signature", first, "the signature is malformed")

    def _finding(self, check: str, seq: int, reason: str) -> None:
        self.report(AuditFinding(check, "receipt", f"seq={seq} column=jws", reason, seq))

    def _header(self, segment: str) -> str:
        """What is wrong with a header; "" for nothing. There are as many headers as certificates ever used."""
        if segment not in self.headers:
            self.headers[segment] = self._judge(segment)
        return self.headers[segment]

    def _judge(self, segment: str) -> str:
        try:
            header = parse_header(segment)
        except JwsError as error:
            return str(error)
        if (header.typ, header.algorithm) != (RECEIPT_TYPE, "EdDSA"):
            return "not the header of a receipt"
        if self.certificates is not None and header.certificates[0] not in self.certificates:
            return "signed with another certificate than the gateway's"
        return ""

    def _signature(self, seq: int, jws: str) -> None:
        try:
            verify_jws(jws)
        except JwsError as error:
            self._finding("receipt-signature", seq, str(error))


def _says(payload: str, claims: dict[str, Any]) -> bool:
    try:
        found: dict[str, Any] = json.loads(decode_segment(payload))
    except (ValueError, RecursionError):
        return False
    return found == claims
