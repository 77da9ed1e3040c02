"""What can go wrong for a caller: refused, not reached, or answered with evidence that does not hold.

The three need different reactions, so they are three exceptions: repair the bundle, try later, call somebody.
"""

from __future__ import annotations

import grpc
from gateway.rpc.errors import from_rpc_error
from google.rpc import error_details_pb2, status_pb2

from gateway.core.errors import GatewayError


class CallRefused(GatewayError):
    """The gateway answered and refused; ``findings`` says all that is wrong.

    Args:
        error: the refusal as the status details carry it.
        method: RPC that was called, Service/Method.
        entry_index: ledger entry that records the refusal; None when it makes none.
    """

    def __init__(self, error: GatewayError, *, method: str, entry_index: int | None = None) -> None:
        super().__init__(error.findings, retry_after_seconds=error.retry_after_seconds)
        self.method = method
        self.entry_index = entry_index


class GatewayUnreachable(Exception):
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


class EvidenceRejected(Exception):
    """A receipt, digest or proof that the gateway gave does not hold; nothing of the answer may be relied upon."""


_DETAILS = "grpc-status-details-bin"


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
    details = next((value for key, value in error.trailing_metadata() or () if key == _DETAILS), None)
    if not isinstance(details, bytes):
        reason = f"{error.code().name}: {error.details() or 'no reason given'}"
        return GatewayUnreachable(target, reason, is_transient=error.code() is grpc.StatusCode.UNAVAILABLE)
    return CallRefused(from_rpc_error(error), method=method, entry_index=_entry_index(details))


def _entry_index(details: bytes) -> int | None:
    for detail in status_pb2.Status.FromString(details).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.metadata.get("entry_index", "").isdecimal():
            return int(info.metadata["entry_index"])
    return None
