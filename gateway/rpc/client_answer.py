"""What the calls of the client give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.core.access.mask import MaskedCopy
from gateway.core.case.case import ReportLine
from gateway.core.entry import HandoffState
from gateway.core.errors import Finding
from gateway.core.port.ledger import NumberedRow
from gateway.flows.decide import Deficiency, Reason
from gateway.flows.told import Told
from gateway.rpc.client_receipt import Receipt
from gateway.rpc.client_sealed import SealedReceipt

__all__ = [
    "Claimed",
    "Decision",
    "Deficiency",
    "Fetched",
    "FetchedRendition",
    "HandoffStatus",
    "MaskedCopy",
    "Reason",
    "Reconciled",
    "StatementStatus",
    "Submitted",
    "Told",
    "Validated",
]


class Decision(StrEnum):
    """What a receiver decides."""

    ACCEPT = "accept"
    ASK_SUPPLEMENT = "supplement"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class StatementStatus:
    """What the ledger holds of a statement.

    Args:
        receipt: proof of its entry, verified.
        sealed: its proof of logging, verified; None as long as there is none.
    """

    receipt: Receipt
    sealed: SealedReceipt | None


@dataclass(frozen=True, slots=True)
class Validated:
    """What a submit would say.

    Args:
        is_acceptable: no finding is an error.
        findings: all, errors and warnings.
    """

    is_acceptable: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A handoff in the ledger.

    Args:
        receipt: proof, verified.
        pair_number: gapless number in the direction.
        warnings: of the checks.
        is_replay: it had been submitted before.
    """

    receipt: Receipt
    pair_number: int
    warnings: tuple[Finding, ...]
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A lease.

    Args:
        receipt: proof, verified.
        lease_until: aware UTC, gateway time.
    """

    receipt: Receipt
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class FetchedRendition:
    """The record in the caller's schema; its digest was checked.

    Args:
        data: bytes of the file.
        media_type: application/xml or application/json.
        encoding: GB18030 or UTF-8.
        mapping_version: of the mapping that made it.
        sha256: 64 hexadecimal digits.
        report_sha256: of the report in canonical form, 64 hexadecimal digits.
    """

    data: bytes
    media_type: str
    encoding: str
    mapping_version: str
    sha256: str
    report_sha256: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """The content of a handoff.

    Args:
        manifest_jws: the sender's signed manifest.
        record: the sender's record; empty when it travels as a material.
        rendition: the record in the caller's schema.
        report: lineage of every leaf.
        warnings: of reading the record.
        receipt: proof, verified.
        is_original_withheld: the record says more than the caller may see, so that it is not given; its digest stands
            in the manifest.
        withheld: SHA-256 of the materials that the caller is not granted; True for those that may be asked for.
        masked: copies of withheld annexes without the fields that the caller does not see.
        told: what the rules said of the record when it was handed over.
    """

    manifest_jws: str
    record: bytes
    rendition: FetchedRendition
    report: tuple[ReportLine, ...]
    warnings: tuple[Finding, ...]
    receipt: Receipt
    is_original_withheld: bool = False
    withheld: Mapping[str, bool] = field(default_factory=dict)
    masked: tuple[MaskedCopy, ...] = ()
    told: Told = field(default_factory=Told)


@dataclass(frozen=True, slots=True)
class HandoffStatus:
    """What the ledger holds of one handoff.

    Args:
        state: where it stands.
        receipts: of the submit and each further act, verified, in order.
        pair_number: gapless number in its direction.
        deficiencies: when a supplement was asked for.
        reasons: when it was refused.
        withdrawal_reason: when it was withdrawn.
        sealed: for each receipt its proof of logging, verified; None where there is none yet.
        is_case_destroyed: the case was destroyed, and the text of a decision with it.
    """

    state: HandoffState
    receipts: tuple[Receipt, ...]
    pair_number: int
    deficiencies: tuple[Deficiency, ...]
    reasons: tuple[Reason, ...]
    withdrawal_reason: str
    sealed: tuple[SealedReceipt | None, ...] = ()
    is_case_destroyed: bool = False


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The numbers of one direction.

    Args:
        rows: without a gap, in order.
        last_number: the last given out.
        statement_jws: the gateway's signed statement of it.
    """

    rows: tuple[NumberedRow, ...]
    last_number: int
    statement_jws: str
