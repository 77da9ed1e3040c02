"""The gRPC server: services, the chain around them, limits."""

from __future__ import annotations

from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from gateway.flows.parts import Parts
from gateway.rpc.chain import Chain, ChainedHandlers, HandlerCollector
from gateway.rpc.clock import ClockServicer
from gateway.rpc.enquiry import EnquiryServicer
from gateway.rpc.exchange import ExchangeServicer
from gateway.rpc.ledger import LedgerServicer
from gateway.rpc.material import MaterialServicer
from gateway.rpc.mirror import MirrorServicer
from gateway.rpc.notice import NoticeServicer
from gateway.rpc.statement import StatementServicer
from gateway.rpc.witness import WitnessServicer
from gateway.v1 import (
    clock_pb2,
    clock_pb2_grpc,
    enquiry_pb2,
    enquiry_pb2_grpc,
    exchange_pb2,
    exchange_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    material_pb2,
    material_pb2_grpc,
    mirror_pb2,
    mirror_pb2_grpc,
    notice_pb2,
    notice_pb2_grpc,
    statement_pb2,
    statement_pb2_grpc,
    witness_pb2,
    witness_pb2_grpc,
)

SERVICES: Final = (
    exchange_pb2.DESCRIPTOR.services_by_name["ExchangeService"],
    material_pb2.DESCRIPTOR.services_by_name["MaterialService"],
    ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"],
    statement_pb2.DESCRIPTOR.services_by_name["StatementService"],
    enquiry_pb2.DESCRIPTOR.services_by_name["EnquiryService"],
    witness_pb2.DESCRIPTOR.services_by_name["WitnessService"],
    mirror_pb2.DESCRIPTOR.services_by_name["MirrorService"],
    notice_pb2.DESCRIPTOR.services_by_name["NoticeService"],
    clock_pb2.DESCRIPTOR.services_by_name["ClockService"],
)
MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
MAX_CONCURRENT_CALLS: Final = 2_000
STOP_GRACE_SECONDS: Final = 5.0

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.max_concurrent_streams", 1_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 2),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
    ("grpc.so_reuseport", 1),
)


class GatewayServer:
    """A server that serves all services behind one chain.

    Args:
        parts: the filled ports.
        chain: what every call passes.
        credentials: mutual TLS.
    """

    def __init__(self, parts: Parts, chain: Chain, credentials: grpc.ServerCredentials) -> None:
        self._credentials = credentials
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
        collector = HandlerCollector()
        exchange_pb2_grpc.add_ExchangeServiceServicer_to_server(ExchangeServicer(parts), collector)  # type: ignore[arg-type]
        material_pb2_grpc.add_MaterialServiceServicer_to_server(MaterialServicer(parts), collector)  # type: ignore[arg-type]
        ledger_pb2_grpc.add_LedgerServiceServicer_to_server(LedgerServicer(parts), collector)  # type: ignore[arg-type]
        enquiry_pb2_grpc.add_EnquiryServiceServicer_to_server(EnquiryServicer(parts), collector)  # type: ignore[arg-type]
        statement_pb2_grpc.add_StatementServiceServicer_to_server(StatementServicer(parts), collector)  # type: ignore[arg-type]
        witness_pb2_grpc.add_WitnessServiceServicer_to_server(WitnessServicer(parts), collector)  # type: ignore[arg-type]
        mirror_pb2_grpc.add_MirrorServiceServicer_to_server(MirrorServicer(parts), collector)  # type: ignore[arg-type]
        notice_pb2_grpc.add_NoticeServiceServicer_to_server(NoticeServicer(parts), collector)  # type: ignore[arg-type]
        clock_pb2_grpc.add_ClockServiceServicer_to_server(ClockServicer(parts), collector)  # type: ignore[arg-type]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, collector)
        names = [service.full_name for service in SERVICES] + [health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflection.aio.ReflectionServicer(names), collector)
        self.methods = tuple(collector.handlers)
        self._server.add_generic_rpc_handlers((ChainedHandlers(chain, collector.handlers),))

    async def start(self, address: str) -> int:
        """Listen and serve.

        Args:
            address: host:port; port 0 takes a free one.

        Returns:
            the port.

        Raises:
            RuntimeError: the address cannot be bound.
        """
        port = self._server.add_secure_port(address, self._credentials)
        await self._server.start()
        for service in ("", *(service.full_name for service in SERVICES)):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self) -> None:
        """Take no new calls, let the running ones end for five seconds, then stop."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(STOP_GRACE_SECONDS)
