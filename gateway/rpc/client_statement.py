"""Calls of StatementService; every receipt is verified and compared with the statement that it is for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from gateway.core.digest import sha256_hex
from gateway.core.entry import EntryKind
from gateway.core.errors import Finding, GatewayError
from gateway.core.signed import payload_bytes_of
from gateway.core.statement import Statement, parse_statement, to_payload
from gateway.rpc.client_call import Connection
from gateway.rpc.client_error import EvidenceRejected
from gateway.rpc.client_receipt import GatewayVerifier, Receipt, verify_receipt
from gateway.rpc.client_wire import from_findings
from gateway.v1 import statement_pb2 as wire
from gateway.v1.statement_pb2_grpc import StatementServiceStub

if TYPE_CHECKING:
    from gateway.v1.common_pb2 import Receipt as ReceiptMessage
    from gateway.v1.statement_pb2_grpc import StatementServiceAsyncStub


class StatementSigner(Protocol):
    """Signs statements for the agency."""

    def __call__(self, payload: Mapping[str, Any], /) -> str:
        """Sign a statement.

        Args:
            payload: as ``to_payload`` writes it.

        Returns:
            compact JWS of type fasttrack-statement+jws.
        """


@dataclass(frozen=True, slots=True)
class SubmittedStatement:
    """A statement in the ledger.

    Args:
        receipt: proof, verified.
        statement_jws: what was signed; keep it with the receipt.
        warnings: of the checks.
        is_replay: it had been submitted before.
    """

    receipt: Receipt
    statement_jws: str
    warnings: tuple[Finding, ...]
    is_replay: bool


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A statement as the gateway gave it.

    Args:
        statement: read from what was signed; the ledger's entry names its digests.
        statement_jws: as its issuer signed it.
        receipt: proof of its entry, verified.
    """

    statement: Statement
    statement_jws: str
    receipt: Receipt


class StatementCalls(Connection):
    """Calls of StatementService."""

    verifier: GatewayVerifier
    statement_signer: StatementSigner | None

    @property
    def _statements(self) -> StatementServiceAsyncStub:
        return StatementServiceStub(self.channel)

    async def submit_statement(self, statement: Statement) -> SubmittedStatement:
        """Sign a statement and submit it.

        Args:
            statement: what is stated; keep its id to submit the same again.

        Returns:
            the verified receipt; the same for the same statement however often it is submitted.

        Raises:
            CallRefused: all findings at once.
            GatewayUnreachable: no answer; submit the same statement again.
            EvidenceRejected: the receipt does not verify.
            RuntimeError: the client was made without a signer.
        """
        if self.statement_signer is None:
            raise RuntimeError("this client was made without a signer")
        jws = self.statement_signer(to_payload(statement))
        request = wire.SubmitStatementRequest(statement_jws=jws)
        answer = await self.unary(self._statements.SubmitStatement, request)
        receipt = self._stated_receipt(answer.receipt, str(statement.statement_id), is_fresh=not answer.replayed)
        # ES256 never gives the same signature twice, so a replay is told by what was signed.
        if receipt.entry.content_sha256 != sha256_hex(payload_bytes_of(jws)) or (
            not answer.replayed and receipt.entry.statement_sha256 != _sha256(jws)
        ):
            raise EvidenceRejected("the receipt is for another statement")
        return SubmittedStatement(receipt, jws, from_findings(answer.warnings), answer.replayed)

    async def list_statements(
        self, *, case_number: str = "", type_name: str = "", page_size: int = 100
    ) -> AsyncIterator[ReadStatement]:
        """Go through the statements of a case that the caller may read, or all that it issued, page by page.

        Args:
            case_number: police case number; "" for all that the caller issued.
            type_name: name of a form; "" for any.
            page_size: 1 to 500.

        Yields:
            statements in order of their entries.

        Raises:
            CallRefused: NOT_A_PARTY and others.
            GatewayUnreachable: no answer.
            EvidenceRejected: a receipt does not verify, or is not for the statement beside it.
        """
        token = ""
        while True:
            request = wire.ListStatementsRequest(
                case_number=case_number, type=type_name, page_size=page_size, page_token=token
            )
            answer = await self.unary(self._statements.ListStatements, request)
            for item in answer.items:
                yield self._read(item)
            token = answer.next_page_token
            if not token:
                return

    async def get_statement(self, statement_id: UUID) -> ReadStatement:
        """Read one statement.

        Args:
            statement_id: as its issuer chose it.

        Returns:
            the statement with its receipt.

        Raises:
            CallRefused: STATEMENT_UNKNOWN, NOT_A_PARTY.
            GatewayUnreachable: no answer.
            EvidenceRejected: the receipt does not verify, or is not for this statement.
        """
        request = wire.GetStatementRequest(statement_id=str(statement_id))
        answer = await self.unary(self._statements.GetStatement, request)
        if answer.item.statement_id != str(statement_id):
            raise EvidenceRejected("the gateway gave another statement")
        return self._read(answer.item)

    def _read(self, item: wire.StatementItem) -> ReadStatement:
        receipt = self._stated_receipt(item.receipt, item.statement_id, is_fresh=False)
        return read_statement(item.statement_jws, receipt)

    def _stated_receipt(self, message: ReceiptMessage, statement_id: str, *, is_fresh: bool) -> Receipt:
        receipt = verify_receipt(message, self.verifier, handoff=None, kinds=(EntryKind.STATED,), is_fresh=is_fresh)
        if receipt.entry.act_id != statement_id:
            raise EvidenceRejected("the receipt is for another statement")
        return receipt


def read_statement(statement_jws: str, receipt: Receipt) -> ReadStatement:
    """Read a statement that the gateway gave, by the receipt that was verified for it.

    Args:
        statement_jws: compact JWS, as it came.
        receipt: proof of its entry, verified.

    Returns:
        the statement.

    Raises:
        EvidenceRejected: it is not the one that the entry records, or is no statement.
    """
    if receipt.entry.statement_sha256 != _sha256(statement_jws):
        raise EvidenceRejected("the statement is not the one that the ledger records")
    try:
        statement = parse_statement(payload_bytes_of(statement_jws))
    except (GatewayError, ValueError, IndexError) as error:
        raise EvidenceRejected("the statement that the ledger records cannot be read") from error
    return ReadStatement(statement, statement_jws, receipt)


def _sha256(jws: str) -> str:
    # What came over the wire is any text; only ASCII has the digest of what was signed.
    return sha256_hex(jws.encode())
