"""What a running gateway exports by OTLP: one trace across the call, declared names, and nobody's data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from gateway import telemetry
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.v1 import exchange_pb2
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.wire import PERSON, Desk, refusal_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SUBMIT = "gateway.v1.ExchangeService/Submit"
DEADLINE_SECONDS = 30


class Receiver(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Keeps what is exported to it."""

    def __init__(self) -> None:
        self.traces: list[trace_service_pb2.ExportTraceServiceRequest] = []
        self.metrics: list[metrics_service_pb2.ExportMetricsServiceRequest] = []

    def Export(self, request: Any, context: Any) -> Any:
        """Take spans or metrics, told apart by their message."""
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            self.traces.append(request)
            return trace_service_pb2.ExportTraceServiceResponse()
        self.metrics.append(request)
        return metrics_service_pb2.ExportMetricsServiceResponse()

    @property
    def spans(self) -> list[Any]:
        """All spans so far."""
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metric_names(self) -> set[str]:
        """Names of all metrics so far."""
        return {
            metric.name
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def wait(self, is_there: Any) -> None:
        """Wait until something has come."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not is_there():
            assert time.monotonic() < deadline, "nothing was exported"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[Receiver, str]]:
    """An OTLP receiver in this process, and its address."""
    receiver = Receiver()
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(receiver, server)  # type: ignore[no-untyped-call]
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(receiver, server)  # type: ignore[no-untyped-call]
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield receiver, f"http://127.0.0.1:{port}"
        server.stop(0).wait()


@pytest.fixture(scope="module")
def observed(
    receiver: tuple[Receiver, str],
    postgres_server: EmbeddedPostgres,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[RunningGateway, Receiver]]:
    """A gateway that exports to the receiver."""
    home: Path = tmp_path_factory.mktemp("observed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver[1])
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        patch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "300")
        with running_gateway(postgres_server, migrated_template, home) as gateway:
            yield gateway, receiver[0]


async def test_submit_is_a_span_in_the_trace_of_its_caller_and_a_count(
    observed: tuple[RunningGateway, Receiver],
) -> None:
    """A call is followed from the caller's system into the gateway, counted, and tells nothing of the case."""
    gateway, receiver = observed
    files = gateway.pki.agency("ps:110108")
    signer = load_issued(files.sign_certificate, files.sign_key)
    case_number = new_case_number()
    manifest, jws, record = bundle_of(case_number, signer)
    async with Desk(gateway) as desk:
        await desk.upload(PDF)
        request = exchange_pb2.SubmitRequest(manifest_jws=jws, record=record)
        await desk.exchange.Submit(request, metadata=[("traceparent", f"00-{TRACE}-{PARENT}-01")])
        refusal = await refusal_of(desk.claim(manifest.bundle_id, "wang.wu"))
    assert refusal.reason == "NOT_A_PARTY"
    receiver.wait(lambda: {SUBMIT, "gateway.v1.ExchangeService/Claim"} <= {span.name for span in receiver.spans})
    (span,) = [span for span in receiver.spans if span.name == SUBMIT]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    attributes = {pair.key: pair.value.string_value for pair in span.attributes}
    assert attributes == {telemetry.ATTR_METHOD: SUBMIT, telemetry.ATTR_ROLE: "ps", telemetry.ATTR_STATUS: "OK"}
    names = {value for name, value in vars(telemetry).items() if name.startswith("METRIC_")}
    receiver.wait(lambda: {telemetry.METRIC_CALLS, telemetry.METRIC_REFUSALS} <= receiver.metric_names)
    assert receiver.metric_names <= names
    exported = b"".join(message.SerializeToString() for message in [*receiver.traces, *receiver.metrics])
    for secret in (case_number, PERSON, str(manifest.bundle_id), "wang.wu", manifest.idempotency_key):
        assert secret.encode() not in exported
        assert secret not in gateway.log.read_text("utf-8")


async def test_our_client_carries_the_trace_into_the_gateway(observed: tuple[RunningGateway, Receiver]) -> None:
    """A consumer that uses our client is followed without doing anything."""
    from opentelemetry.sdk.trace import TracerProvider

    gateway, receiver = observed
    async with gateway.client("pr:110108") as client:
        with TracerProvider().get_tracer("agency").start_as_current_span("take over") as outer:
            _ = [row async for row in client.list_inbox()]
    context = outer.get_span_context()
    name = "gateway.v1.ExchangeService/ListInbox"
    receiver.wait(lambda: name in {span.name for span in receiver.spans})
    (span,) = [span for span in receiver.spans if span.name == name]
    assert span.trace_id.hex() == f"{context.trace_id:032x}"
    assert span.parent_span_id.hex() == f"{context.span_id:016x}"
