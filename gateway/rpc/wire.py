"""Between protobuf messages and core values; the only place that knows both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.core.access.visibility import View
from gateway.core.entry import EntryKind, HandoffState, from_leaf
from gateway.core.errors import ErrorCode, Finding, Severity, refuse
from gateway.core.port.ledger import Appended, InboxRow, NumberedRow, StoredEntry, StoredHandoff
from gateway.core.route import RecordKind
from gateway.core.signed import payload_of
from gateway.flows.fetch import Fetched
from gateway.flows.told import Told
from gateway.v1 import common_pb2, exchange_pb2, ledger_pb2

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

_SEVERITY: Final = {
    Severity.ERROR: common_pb2.SEVERITY_ERROR,
    Severity.WARNING: common_pb2.SEVERITY_WARNING,
}


def _table(wrapper: _EnumTypeWrapper[Any], prefix: str, values: Iterable[str], names: Iterable[str]) -> dict[str, int]:
    return {value: wrapper.Value(f"{prefix}_{name}") for value, name in zip(values, names, strict=True)}


HANDOFF_KIND: Final = _table(
    common_pb2.HandoffKind, "HANDOFF_KIND", [k.value for k in RecordKind], [k.name for k in RecordKind]
)
HANDOFF_STATE: Final = _table(
    common_pb2.HandoffState, "HANDOFF_STATE", [s.value for s in HandoffState], [s.name for s in HandoffState]
)
ENTRY_KIND: Final = _table(
    ledger_pb2.EntryKind, "ENTRY_KIND", [k.value for k in EntryKind], [k.name for k in EntryKind]
)
_VIEW: Final = {
    View.REQUEST: exchange_pb2.MATERIAL_VIEW_ON_REQUEST,
    View.LEAST: exchange_pb2.MATERIAL_VIEW_NONE,
    View.NONE: exchange_pb2.MATERIAL_VIEW_NONE,
}
_STATE_OF: Final = {number: HandoffState(value) for value, number in HANDOFF_STATE.items()}
_ENTRY_KIND_OF: Final = {number: EntryKind(value) for value, number in ENTRY_KIND.items()}


def to_timestamp(at: datetime | None) -> Timestamp | None:
    """Write an aware instant; None stays None."""
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def parse_timestamp(message: ledger_pb2.EntryFilter, name: str) -> datetime | None:
    """Read an optional instant of a filter.

    Args:
        message: the filter.
        name: of its field.

    Returns:
        aware UTC, None when it is absent.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE for a year outside 1 to 9999.
    """
    if not message.HasField(name):  # type: ignore[arg-type]
        return None
    stamp: Timestamp = getattr(message, name)
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, f"filter.{name}", "an instant of the years 1 to 9999") from error


def parse_states(numbers: Iterable[int]) -> list[HandoffState]:
    """Read states of a request; ARGUMENT_INVALID for a number that the enum lacks."""
    try:
        return [_STATE_OF[number] for number in numbers]
    except KeyError as error:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "states", "not a state of HandoffState") from error


def parse_entry_kinds(numbers: Iterable[int]) -> list[EntryKind]:
    """Read entry kinds of a filter; ARGUMENT_INVALID for a number that the enum lacks."""
    try:
        return [_ENTRY_KIND_OF[number] for number in numbers]
    except KeyError as error:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "filter.kinds", "not a kind of EntryKind") from error


def to_findings(findings: Iterable[Finding]) -> list[common_pb2.Finding]:
    """Write findings."""
    return [
        common_pb2.Finding(
            code=int(finding.code),
            name=finding.code.name,
            severity=_SEVERITY[finding.severity],
            path=finding.path,
            message=finding.message,
            basis=finding.basis,
        )
        for finding in findings
    ]


def to_receipt(appended: Appended) -> common_pb2.Receipt:
    """Write the receipt of an entry."""
    return common_pb2.Receipt(
        jws=appended.receipt_jws,
        leaf=appended.leaf,
        leaf_hash=appended.leaf_hash,
        entry_index=appended.index,
        recorded_at=to_timestamp(appended.recorded_at),
    )


def to_inbox_item(row: InboxRow) -> exchange_pb2.InboxItem:
    """Write a row of the inbox."""
    return exchange_pb2.InboxItem(
        handoff_id=str(row.handoff),
        kind=HANDOFF_KIND[row.kind],  # type: ignore[arg-type]
        sender=row.sender,
        receiver=row.receiver,
        case_number=row.case_number,
        pair_number=row.pair_number,
        state=HANDOFF_STATE[row.state],  # type: ignore[arg-type]
        entry_index=row.index,
        offered_at=to_timestamp(row.offered_at),
        bundle_sha256=row.bundle_sha256,
        lease_until=to_timestamp(row.lease_until),
    )


def to_fetch_response(fetched: Fetched) -> exchange_pb2.FetchResponse:
    """Write the content of a handoff."""
    rendition = fetched.rendition
    return exchange_pb2.FetchResponse(
        manifest_jws=fetched.stored.manifest_jws,
        record=b"" if fetched.is_original_withheld else fetched.stored.record,
        rendition=exchange_pb2.Rendition(
            data=rendition.data or b"",
            media_type=rendition.media_type,
            encoding=rendition.encoding,
            mapping_version=rendition.mapping_version,
            sha256=fetched.rendition_sha256,
            report_sha256=fetched.report_sha256,
        ),
        report=[
            exchange_pb2.ReportLine(action=line.action, source=line.source, target=line.target, note=line.note)
            for line in rendition.report
        ],
        warnings=to_findings(fetched.warnings),
        receipt=to_receipt(fetched.appended),
        original_withheld=fetched.is_original_withheld,
        original_sha256=payload_of(fetched.stored.manifest_jws)["native_record"]["sha256"],
        withheld=[
            exchange_pb2.WithheldMaterial(sha256=digest, view=_VIEW[view]) for digest, view in fetched.withheld.items()
        ],
        masked_copies=[
            exchange_pb2.MaskedCopy(
                material_id=copy.material_id, original_sha256=copy.sha256, media_type=copy.media_type, data=copy.data
            )
            for copy in fetched.masked
        ],
        judgement=_to_judgement(fetched.told) if fetched.told.rule_set else None,
    )


def _to_judgement(told: Told) -> exchange_pb2.RuleJudgement:
    return exchange_pb2.RuleJudgement(
        rule_set=told.rule_set,
        result=told.result,
        findings=to_findings(told.findings),
        findings_complete=told.is_complete,
    )


def to_receipt_response(stored: StoredHandoff, proofs: Sequence[bytes]) -> exchange_pb2.GetReceiptResponse:
    """Write the receipts of a handoff with the text of its decision and their proofs of logging."""
    detail = json.loads(stored.detail) if stored.detail else {}
    return exchange_pb2.GetReceiptResponse(
        state=HANDOFF_STATE[stored.row.state],  # type: ignore[arg-type]
        receipts=[to_receipt(appended) for appended in stored.receipts],
        pair_number=stored.row.pair_number,
        deficiencies=[exchange_pb2.Deficiency(**item) for item in detail.get("deficiencies", ())],
        reasons=[exchange_pb2.Reason(**item) for item in detail.get("reasons", ())],
        withdrawal_reason=detail.get("reason", ""),
        sealed_proofs=proofs,
        case_destroyed=stored.is_destroyed,
    )


def to_reconcile_item(row: NumberedRow) -> exchange_pb2.ReconcileItem:
    """Write one number of a direction."""
    return exchange_pb2.ReconcileItem(
        pair_number=row.pair_number,
        handoff_id=str(row.handoff),
        bundle_sha256=row.bundle_sha256,
        entry_index=row.index,
        leaf_hash=row.leaf_hash,
        state=HANDOFF_STATE[row.state],  # type: ignore[arg-type]
    )


def to_entry(stored: StoredEntry) -> ledger_pb2.Entry:
    """Write an entry for oversight; everything comes from the leaf, so what is shown is what was hashed."""
    entry = from_leaf(stored.leaf)
    return ledger_pb2.Entry(
        index=stored.index,
        kind=ENTRY_KIND[entry.kind],  # type: ignore[arg-type]
        case_pseudonym=entry.case,
        case_sequence=entry.case_sequence,
        sender=entry.sender,
        receiver=entry.receiver,
        pair_number=entry.pair_number,
        handoff_id=entry.handoff,
        handoff_kind=HANDOFF_KIND[entry.handoff_kind] if entry.handoff_kind else None,  # type: ignore[arg-type]
        actor=entry.actor,
        recorded_at=to_timestamp(entry.recorded_at),
        transitions=entry.transitions,
        case_stage=entry.case_state.stage.value if entry.case_state else "",
        handoff_state=HANDOFF_STATE[entry.handoff_state] if entry.handoff_state else None,  # type: ignore[arg-type]
        refusal_codes=entry.refusal_codes,
        leaf=stored.leaf,
        leaf_hash=stored.leaf_hash,
        statement_type=entry.statement_type,
    )
