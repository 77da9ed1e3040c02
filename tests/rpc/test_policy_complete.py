"""The policy table against the real service descriptors."""

from typing import Any

from gateway.core.access.policy import POLICY, WITHOUT_IDENTITY
from gateway.rpc.chain import HandlerCollector
from gateway.rpc.clock import ClockServicer
from gateway.rpc.enquiry import EnquiryServicer
from gateway.rpc.exchange import ExchangeServicer
from gateway.rpc.ledger import LedgerServicer
from gateway.rpc.material import MaterialServicer
from gateway.rpc.mirror import MirrorServicer
from gateway.rpc.notice import NoticeServicer
from gateway.rpc.server import SERVICES
from gateway.rpc.statement import StatementServicer
from gateway.rpc.witness import WitnessServicer
from gateway.v1 import (
    clock_pb2_grpc,
    enquiry_pb2_grpc,
    exchange_pb2_grpc,
    ledger_pb2_grpc,
    material_pb2_grpc,
    mirror_pb2_grpc,
    notice_pb2_grpc,
    statement_pb2_grpc,
    witness_pb2_grpc,
)


def _described() -> set[str]:
    return {f"{service.full_name}/{method.name}" for service in SERVICES for method in service.methods}


def test_every_method_of_the_protos_has_a_policy_row() -> None:
    """A new method that nobody thought about is found here, before it is found by somebody else."""
    assert _described() <= POLICY.keys()


def test_every_policy_row_of_the_gateway_is_a_method_of_the_protos() -> None:
    """A row for a method that is gone would open its name to a later one."""
    ours = {method for method in POLICY if method.startswith("gateway.v1.")}
    assert ours == _described()


def test_methods_without_identity_are_health_checks_only() -> None:
    """Only probes may call without being an agency."""
    assert {method.split("/")[0] for method in WITHOUT_IDENTITY} == {"grpc.health.v1.Health"}


def test_collector_sees_every_method_that_generated_code_registers() -> None:
    """No handler slips past the chain: what is registered is what is wrapped."""
    collector = HandlerCollector()
    parts: Any = None
    exchange_pb2_grpc.add_ExchangeServiceServicer_to_server(ExchangeServicer(parts), collector)  # type: ignore[arg-type]
    material_pb2_grpc.add_MaterialServiceServicer_to_server(MaterialServicer(parts), collector)  # type: ignore[arg-type]
    ledger_pb2_grpc.add_LedgerServiceServicer_to_server(LedgerServicer(parts), collector)  # type: ignore[arg-type]
    statement_pb2_grpc.add_StatementServiceServicer_to_server(StatementServicer(parts), collector)  # type: ignore[arg-type]
    witness_pb2_grpc.add_WitnessServiceServicer_to_server(WitnessServicer(parts), collector)  # type: ignore[arg-type]
    enquiry_pb2_grpc.add_EnquiryServiceServicer_to_server(EnquiryServicer(parts), collector)  # type: ignore[arg-type]
    mirror_pb2_grpc.add_MirrorServiceServicer_to_server(MirrorServicer(parts), collector)  # type: ignore[arg-type]
    notice_pb2_grpc.add_NoticeServiceServicer_to_server(NoticeServicer(parts), collector)  # type: ignore[arg-type]
    clock_pb2_grpc.add_ClockServiceServicer_to_server(ClockServicer(parts), collector)  # type: ignore[arg-type]
    assert set(collector.handlers) == _described()
