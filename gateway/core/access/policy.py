"""Who may call what: one row for each RPC, and nobody may call what has no row.

A row names roles, never agencies; whether an agency is a party to a handoff is decided where the handoff is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import Agency, Role

EXCHANGE: Final = frozenset({Role.POLICE, Role.PROCURATORATE, Role.COURT, Role.JUSTICE})
OVERSIGHT: Final = frozenset({Role.OVERSIGHT})
SELF_SERVICE: Final = frozenset({Role.SELF_SERVICE})
EVERYBODY: Final = frozenset(Role) - SELF_SERVICE

_E = "gateway.v1.ExchangeService/"
_M = "gateway.v1.MaterialService/"
_L = "gateway.v1.LedgerService/"
_W = "gateway.v1.WitnessService/"
_S = "gateway.v1.StatementService/"
_R = "gateway.v1.MirrorService/"
_N = "gateway.v1.NoticeService/"
_C = "gateway.v1.ClockService/"

POLICY: Final[Mapping[str, frozenset[Role]]] = {
    _E + "Validate": EXCHANGE,
    _E + "Submit": EXCHANGE,
    _E + "ListInbox": EXCHANGE,
    _E + "WatchInbox": EXCHANGE,
    _E + "Claim": EXCHANGE,
    _E + "Fetch": EXCHANGE,
    _E + "Decide": EXCHANGE,
    _E + "Withdraw": EXCHANGE,
    _E + "GetReceipt": EXCHANGE,
    _E + "Reconcile": EXCHANGE,
    _M + "FindMissing": EXCHANGE,
    _M + "Upload": EXCHANGE,
    _M + "Download": EXCHANGE,
    _M + "VerifyRecording": frozenset({Role.PROCURATORATE, Role.COURT}),
    _L + "QueryEntries": OVERSIGHT,
    _L + "GetCaseTimeline": OVERSIGHT,
    _L + "GetProof": OVERSIGHT,
    _S + "SubmitStatement": EXCHANGE,
    _S + "ListStatements": EXCHANGE,
    _S + "GetStatement": EXCHANGE,
    _N + "ListNotices": EXCHANGE,
    _N + "WatchNotices": EXCHANGE,
    _C + "GetCaseClocks": EXCHANGE,
    _W + "GetCheckpoint": EVERYBODY,
    _W + "AddCosignature": EVERYBODY,
    _R + "ListEntries": EVERYBODY,
    _R + "ListSeals": EVERYBODY,
    "gateway.v1.EnquiryService/GetProgress": SELF_SERVICE,
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": EVERYBODY | SELF_SERVICE,
}
"""Method, as service/name, to the roles that may call it."""

WITHOUT_IDENTITY: Final = frozenset({"grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch"})
"""Methods that any holder of a certificate of the TLS CA may call: probes have no agency."""


def authorize(caller: Agency, method: str) -> None:
    """Let a caller through or refuse it.

    Args:
        caller: the agency of the certificate.
        method: service/name.

    Raises:
        GatewayError: METHOD_NOT_ALLOWED when the method has no row or the row lacks the caller's role.
    """
    if caller.role not in POLICY.get(method, frozenset()):
        raise refuse(ErrorCode.METHOD_NOT_ALLOWED, message="the role of the caller may not call this method")
