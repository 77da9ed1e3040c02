"""What can go wrong for a caller: refused, not reached, or answered with evidence that does not hold.

The three need different reactions, so they are three exceptions: repair the bundle, try later, call somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import grpc
from google.rpc import error_details_pb2, status_pb2

from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.rpc.errors import DETAILS_KEY, from_rpc_error

# A server that is stopping ends calls it has not begun with either of the two.
_TRANSIENT = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
# UPLOAD_OFFSET_WRONG: the gateway is still putting away what a broken upload brought; asked again it tells the offset.
_PASSING = frozenset(
    {
        ErrorCode.QUEUE_FULL,
        ErrorCode.LEDGER_UNAVAILABLE,
        ErrorCode.SHUTTING_DOWN,
        ErrorCode.UPLOAD_OFFSET_WRONG,
    }
)

# The gateway sends details with every status of its own, so these come from a line that was cut: grpc.aio says INTERNAL
# when a write fails in the middle of a stream.
_TRANSIENT = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED}
)


class CallRefused(GatewayError):  # noqa: N818 - it says what happened
    """The gateway answered and refused; ``findings`` says all that is wrong.

    Args:
        error: the refusal as the status details carry it.
        method: RPC that was called, Service/Method.
        entry_index: ledger entry that records the refusal; None when it makes none.
        findings_total: findings that there were; some may not have fitted into the answer.
    """

    def __init__(
        self, error: GatewayError, *, method: str, entry_index: int | None = None, findings_total: int = 0
    ) -> None:
        super().__init__(error.findings, retry_after_seconds=error.retry_after_seconds)
        self.method = method
        self.entry_index = entry_index
        self.findings_total = max(findings_total, len(error.findings))

    @property
    def is_complete(self) -> bool:
        """Whether all findings fitted into the answer."""
        return len(self.findings) == self.findings_total

    def with_findings(self, findings: Iterable[Finding]) -> CallRefused:
        """Build the same refusal with findings that were asked for again.

        Args:
            findings: all of them; when there are none the refusal stays as it is.

        Returns:
            the refusal.
        """
        error = GatewayError(tuple(findings) or self.findings, retry_after_seconds=self.retry_after_seconds)
        return CallRefused(error, method=self.method, entry_index=self.entry_index)

    @property
    def is_passing(self) -> bool:
        """Whether nothing is wrong with the call, and the same call may be taken a moment later."""
        return self.code in _PASSING


class GatewayUnreachable(Exception):  # noqa: N818 - as above
    """No answer of the gateway: no connection, no trust between the two sides, or no answer in time.

    Args:
        target: host and port that was called.
        reason: what the transport says.
        is_transient: whether the same call may get through a moment later.
    """

    def __init__(self, target: str, reason: str, *, is_transient: bool = True) -> None:
        super().__init__(f"{target}: {reason}")
        self.target = target
        self.reason = reason
        self.is_transient = is_transient


class EvidenceRejected(Exception):  # noqa: N818 - as above
    """A receipt, digest or proof that the gateway gave does not hold; nothing of the answer may be relied upon."""


def to_exception(error: grpc.aio.AioRpcError, *, target: str, method: str) -> CallRefused | GatewayUnreachable:
    """Turn a failed call into what the caller is to see.

    Args:
        error: as grpc.aio raises it.
        target: host and port that was called.
        method: Service/Method.

    Returns:
        ``CallRefused`` when the gateway's findings came with it, else ``GatewayUnreachable``: something between the two
        sides ended the call, and whether the act was done is known only after asking again with the same id.
    """
    details = next((value for key, value in error.trailing_metadata() or () if key == DETAILS_KEY), None)
    if not isinstance(details, bytes):
        reason = f"{error.code().name}: {error.details() or 'no reason given'}"
        return GatewayUnreachable(target, reason, is_transient=error.code() in _TRANSIENT)
    metadata = _metadata(details)
    return CallRefused(
        from_rpc_error(error),
        method=method,
        entry_index=_number(metadata.get("entry_index", "")),
        findings_total=_number(metadata.get("findings_total", "")) or 0,
    )


def _metadata(details: bytes) -> Mapping[str, str]:
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(details).details:
        if detail.Unpack(info):
            return dict(info.metadata)
    return {}


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
