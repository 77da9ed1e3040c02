"""StatementService: from message to flow and back, nothing else."""

from __future__ import annotations

from typing import Any

from gateway.core.port.ledger import StoredStatement
from gateway.flows import state
from gateway.flows.parts import Parts
from gateway.rpc import wire
from gateway.rpc.chain import caller_of_call
from gateway.v1 import statement_pb2 as pb
from gateway.v1 import statement_pb2_grpc


class StatementServicer(statement_pb2_grpc.StatementServiceServicer):
    """Signed facts outside a handoff, see statement.proto; every method runs inside ``Chain``.

    Args:
        parts: the filled ports.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def SubmitStatement(self, request: pb.SubmitStatementRequest, context: Any) -> pb.SubmitStatementResponse:
        """Commit a statement."""
        stated = await state.submit_statement(self._parts, caller_of_call(), request.statement_jws)
        return pb.SubmitStatementResponse(
            receipt=wire.to_receipt(stated.appended),
            warnings=wire.to_findings(stated.warnings),
            replayed=stated.appended.is_replay,
        )

    async def ListStatements(self, request: pb.ListStatementsRequest, context: Any) -> pb.ListStatementsResponse:
        """List a page of statements."""
        rows, token = await state.list_statements(
            self._parts,
            caller_of_call(),
            case_number=request.case_number,
            type_name=request.type,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListStatementsResponse(items=[_item(row) for row in rows], next_page_token=token)

    async def GetStatement(self, request: pb.GetStatementRequest, context: Any) -> pb.GetStatementResponse:
        """Give one statement."""
        return pb.GetStatementResponse(
            item=_item(await state.read_statement(self._parts, caller_of_call(), request.statement_id))
        )


def _item(row: StoredStatement) -> pb.StatementItem:
    return pb.StatementItem(
        statement_id=str(row.statement_id),
        type=row.type,
        issuer=row.issuer,
        case_number=row.case_number,
        statement_jws=row.statement_jws,
        receipt=wire.to_receipt(row.appended),
    )
