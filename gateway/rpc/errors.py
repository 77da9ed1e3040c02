"""Findings on the wire: one table from ErrorCode to gRPC status, and the two directions between exception and details.

Details travel in a trailer, and most clients take no more than 8 KiB of trailers. So the findings are cut where they
would not fit; ErrorInfo says how many there were, and Validate answers with all of them in its body.

Source: google.rpc.Status, ErrorInfo, BadRequest and RetryInfo (googleapis, google/rpc).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from gateway.core.errors import ErrorCode, Finding, GatewayError, Severity

DOMAIN: Final = "gateway.fasttrack"
MAX_DETAIL_BYTES: Final = 5_000
DETAILS_KEY: Final = "grpc-status-details-bin"

_S = grpc.StatusCode
_BY_SUBJECT: Final = {
    10: _S.PERMISSION_DENIED,
    11: _S.UNAUTHENTICATED,
    12: _S.INVALID_ARGUMENT,
    13: _S.INVALID_ARGUMENT,
    14: _S.FAILED_PRECONDITION,
    15: _S.INVALID_ARGUMENT,
    16: _S.INVALID_ARGUMENT,
    17: _S.UNAVAILABLE,
    18: _S.FAILED_PRECONDITION,
    19: _S.UNAVAILABLE,
    20: _S.INVALID_ARGUMENT,
    21: _S.INVALID_ARGUMENT,
    22: _S.FAILED_PRECONDITION,
    23: _S.INVALID_ARGUMENT,
    24: _S.INVALID_ARGUMENT,
    25: _S.FAILED_PRECONDITION,
    26: _S.FAILED_PRECONDITION,
    27: _S.PERMISSION_DENIED,
    28: _S.INVALID_ARGUMENT,
}
_SPECIAL: Final = {
    ErrorCode.CALLER_UNIDENTIFIED: _S.UNAUTHENTICATED,
    ErrorCode.SIGNER_NOT_CALLER: _S.PERMISSION_DENIED,
    ErrorCode.ALGORITHM_UNAVAILABLE: _S.FAILED_PRECONDITION,
    ErrorCode.MATERIAL_MISSING: _S.FAILED_PRECONDITION,
    ErrorCode.RECORD_MISSING: _S.FAILED_PRECONDITION,
    ErrorCode.REPLY_NOT_ASKED: _S.FAILED_PRECONDITION,
    ErrorCode.BUNDLE_ID_REUSED: _S.ALREADY_EXISTS,
    ErrorCode.IDEMPOTENCY_KEY_REUSED: _S.ALREADY_EXISTS,
    ErrorCode.ACT_ID_REUSED: _S.ALREADY_EXISTS,
    ErrorCode.HANDOFF_UNKNOWN: _S.NOT_FOUND,
    ErrorCode.MATERIAL_UNKNOWN: _S.NOT_FOUND,
    ErrorCode.CHECKPOINT_UNKNOWN: _S.NOT_FOUND,
    ErrorCode.WITNESS_UNKNOWN: _S.PERMISSION_DENIED,
    ErrorCode.LEASE_HELD: _S.ABORTED,
    ErrorCode.ARGUMENT_OUT_OF_RANGE: _S.OUT_OF_RANGE,
    ErrorCode.MATERIAL_DIGEST_MISMATCH: _S.DATA_LOSS,
    ErrorCode.CLOCK_UNKNOWN: _S.INVALID_ARGUMENT,
    ErrorCode.CLOCK_START_INVALID: _S.INVALID_ARGUMENT,
    ErrorCode.CLOCK_INPUT_MISSING: _S.INVALID_ARGUMENT,
    ErrorCode.CLOCK_INPUT_INVALID: _S.INVALID_ARGUMENT,
    ErrorCode.ACT_NOT_BY_ISSUER: _S.PERMISSION_DENIED,
    ErrorCode.CALLER_NOT_ISSUER: _S.PERMISSION_DENIED,
    ErrorCode.STATEMENT_NOT_FOR_ISSUER: _S.PERMISSION_DENIED,
    ErrorCode.STATEMENT_NOT_BY_PARTY: _S.PERMISSION_DENIED,
    ErrorCode.STATEMENT_ID_REUSED: _S.ALREADY_EXISTS,
    ErrorCode.STATEMENT_UNKNOWN: _S.NOT_FOUND,
    ErrorCode.STATEMENTS_TOO_MANY: _S.FAILED_PRECONDITION,
    ErrorCode.REQUEST_TOO_EARLY: _S.FAILED_PRECONDITION,
    ErrorCode.REQUEST_PURPOSE_WRONG: _S.INVALID_ARGUMENT,
    ErrorCode.RECORDING_MISSING_AT_PULL: _S.FAILED_PRECONDITION,
    ErrorCode.RECORDING_DIFFERS_AT_PULL: _S.DATA_LOSS,
    ErrorCode.RECORDING_INTERRUPTED_AT_PULL: _S.FAILED_PRECONDITION,
    ErrorCode.ENQUIRY_UNKNOWN: _S.NOT_FOUND,
    ErrorCode.ENQUIRY_TOO_OFTEN: _S.RESOURCE_EXHAUSTED,
    ErrorCode.QUEUE_FULL: _S.RESOURCE_EXHAUSTED,
    ErrorCode.INTERNAL: _S.INTERNAL,
    ErrorCode.CASE_UNKNOWN: _S.NOT_FOUND,
    ErrorCode.CASE_KEY_MISSING: _S.DATA_LOSS,
    ErrorCode.SEAL_BROKEN: _S.DATA_LOSS,
}
STATUS_OF: Final[Mapping[ErrorCode, grpc.StatusCode]] = {
    code: _SPECIAL.get(code, _BY_SUBJECT[code // 100]) for code in ErrorCode
}
"""The status that a refusal has when this code is its first error."""


def to_status(error: GatewayError, entry_index: int | None = None) -> status_pb2.Status:
    """Write a refusal as google.rpc.Status.

    Args:
        error: the refusal.
        entry_index: ledger entry that records it; None when it makes none.

    Returns:
        status with ErrorInfo (reason: name of the first error; metadata: code, findings_total, errors_total,
        findings_sent, entry_index), BadRequest (field: path, description: message, reason: code name; errors first) and
        RetryInfo when it may succeed later; at most about 5 KB.
    """
    code = error.code
    total = len(error.findings)
    errors = sum(finding.severity is Severity.ERROR for finding in error.findings)
    metadata = {"code": str(int(code)), "findings_total": str(total), "errors_total": str(errors)}
    if entry_index is not None:
        metadata["entry_index"] = str(entry_index)
    violations = _fitting(sorted(error.findings, key=lambda finding: finding.severity is not Severity.ERROR))
    metadata["findings_sent"] = str(len(violations))
    status = status_pb2.Status(
        code=code_pb2.Code.Value(STATUS_OF[code].name), message=f"{code.name}: {_summary(error)}"
    )
    _add(status, error_details_pb2.ErrorInfo(reason=code.name, domain=DOMAIN, metadata=metadata))
    _add(status, error_details_pb2.BadRequest(field_violations=violations))
    if error.retry_after_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(error.retry_after_seconds * 1000))
        _add(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _add(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def _summary(error: GatewayError) -> str:
    first = next((f for f in error.findings if f.severity is Severity.ERROR), error.findings[0])
    more = len(error.findings) - 1
    return f"{first.message or 'refused'}" + (f" (and {more} more)" if more else "")


def _fitting(findings: list[Finding]) -> list[error_details_pb2.BadRequest.FieldViolation]:
    violations: list[error_details_pb2.BadRequest.FieldViolation] = []
    size = 0
    for finding in findings:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=finding.path[:256],
            description=finding.message if not finding.basis else f"{finding.message} [{finding.basis}]",
            reason=finding.code.name,
        )
        size += violation.ByteSize() + 4
        if violations and size > MAX_DETAIL_BYTES:
            break
        violations.append(violation)
    return violations


def from_status(status: status_pb2.Status) -> GatewayError | None:
    """Read a refusal back from google.rpc.Status.

    Args:
        status: as ``to_status`` wrote it.

    Returns:
        the refusal; None when the status is not one of the gateway's.
    """
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    is_ours = False
    after: float | None = None
    for detail in status.details:
        if detail.Unpack(info):
            is_ours = info.domain == DOMAIN
        elif detail.Unpack(retry):
            after = retry.retry_delay.ToMilliseconds() / 1000
        else:
            detail.Unpack(bad)
    if not is_ours or info.reason not in ErrorCode.__members__:
        return None
    errors = int(info.metadata.get("errors_total", "1"))
    findings = [
        Finding(
            ErrorCode[violation.reason],
            violation.field,
            violation.description,
            Severity.ERROR if index < errors else Severity.WARNING,
        )
        for index, violation in enumerate(bad.field_violations)
        if violation.reason in ErrorCode.__members__
    ]
    return GatewayError(findings or Finding(ErrorCode[info.reason]), retry_after_seconds=after)


def from_rpc_error(error: grpc.aio.AioRpcError) -> GatewayError:
    """Read the refusal that came with a failed call.

    Args:
        error: as grpc.aio raises it.

    Returns:
        the refusal; INTERNAL when the details are missing or not the gateway's.
    """
    details = next((value for key, value in error.trailing_metadata() or () if key == DETAILS_KEY), None)
    refusal = from_status(status_pb2.Status.FromString(details)) if isinstance(details, bytes) else None
    return refusal or GatewayError(Finding(ErrorCode.INTERNAL, message=f"the call failed: {error.code().name}"))
