"""Log lines, spans and metrics: declared names only, and no text that could hold a person."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import gateway
from gateway import telemetry
from gateway.core.errors import ErrorCode
from gateway.telemetry import (
    LOG_FIELDS,
    METRIC_COUNTING,
    METRIC_STAMP_GAP,
    METRIC_STAMPED_SIZE,
    StampTelemetry,
    Telemetry,
    count_by,
    log_event,
    set_up_exporters,
    set_up_logging,
    trace_metadata,
)

LOG = logging.getLogger("gateway.test")
PERSON = "张三"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
METHOD = "gateway.v1.ExchangeService/Submit"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Set logging up on a buffer, and put it back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    buffer = io.StringIO()
    monkeypatch.setattr("sys.stderr", buffer)
    # Taken off first, because setting up closes what it finds, and pytest still needs its own.
    root.handlers.clear()
    set_up_logging("INFO")
    yield buffer
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Spans of every ``Telemetry`` made after this."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


def _read(buffer: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in buffer.getvalue().splitlines()]


def test_log_line_is_one_json_object_with_its_fields(lines: io.StringIO) -> None:
    """A line is read by machines: time, level, logger, event and declared fields."""
    log_event(LOG, logging.WARNING, "caller refused", method=METHOD, code="NOT_A_PARTY")
    (line,) = _read(lines)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning", "logger": "gateway.test", "event": "caller refused", "method": METHOD,
        "code": "NOT_A_PARTY",
    }  # fmt: skip


@pytest.mark.parametrize("field", ["case_number", "name", "record", "manifest", "exception_text"])
def test_log_field_that_is_not_declared_is_an_error(field: str) -> None:
    """Nobody adds a field in passing; what may be logged is decided in one place."""
    assert field not in LOG_FIELDS
    with pytest.raises(ValueError, match=field):
        log_event(LOG, logging.INFO, "event", exc_info=False, **{field: PERSON})


def test_exception_is_logged_by_kind_and_place_and_never_by_text(lines: io.StringIO) -> None:
    """The text of an exception holds the value that it choked on; the line has where it happened instead."""

    def choke() -> None:
        raise KeyError(PERSON) from ValueError(PERSON)

    try:
        choke()
    except KeyError:
        log_event(LOG, logging.ERROR, "unexpected error", exc_info=True, error_id="1")
    (line,) = _read(lines)
    assert line["exception"][0] == "KeyError"
    assert line["exception"][1].startswith("test_exception_is_logged_by_kind_and_place_and_never_by_text:")
    assert PERSON not in lines.getvalue()
    assert json.dumps(PERSON).strip('"') not in lines.getvalue()


def test_message_of_another_library_is_logged_without_its_values(lines: io.StringIO) -> None:
    """A library may put into its message what it was given; the line keeps the constant part and the place."""
    foreign = logging.getLogger("asyncio")
    foreign.error(f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{PERSON}')>")
    foreign.warning("Executing %s took %.3f seconds", PERSON, 0.5)
    logging.getLogger("gatewayother").warning(PERSON)
    foreign.error(PERSON, exc_info=ValueError(PERSON), stack_info=True)
    told = _read(lines)
    assert [line["event"] for line in told] == [
        "message of a library", "Executing %s took %.3f seconds", "message of a library", "message of a library",
    ]  # fmt: skip
    place = "test_telemetry.test_message_of_another_library_is_logged_without_its_values:"
    assert all(line["place"].startswith(place) for line in told)
    assert told[3]["exception"][0] == "ValueError"
    assert PERSON not in lines.getvalue()
    assert json.dumps(PERSON).strip('"') not in lines.getvalue()


@pytest.mark.parametrize("name", ["gateway", "gateway.rpc.chain", "adapters.registry"])
def test_message_of_ours_is_logged_as_it_is(name: str, lines: io.StringIO) -> None:
    """Our own events are constant texts and stay readable."""
    logging.getLogger(name).warning("an event")
    (line,) = _read(lines)
    assert line["event"] == "an event"


def test_log_line_below_its_level_is_not_written(lines: io.StringIO) -> None:
    """The level of the settings holds."""
    log_event(LOG, logging.DEBUG, "detail")
    assert lines.getvalue() == ""


def test_log_line_within_a_call_names_its_trace(lines: io.StringIO, spans: InMemorySpanExporter) -> None:
    """From a line one finds the trace."""
    with Telemetry().call(METHOD, [("traceparent", f"00-{TRACE}-{PARENT}-01")]):
        log_event(LOG, logging.INFO, "inside")
    log_event(LOG, logging.INFO, "outside")
    inside, outside = _read(lines)
    assert inside["trace_id"] == TRACE
    assert "trace_id" not in outside


def _only(spans: InMemorySpanExporter) -> ReadableSpan:
    (span,) = spans.get_finished_spans()
    return span


def test_span_of_a_call_continues_the_trace_of_the_caller(spans: InMemorySpanExporter) -> None:
    """W3C trace context crosses the call: same trace, the caller's span is the parent."""
    with Telemetry().call(METHOD, [("other", "x"), ("traceparent", f"00-{TRACE}-{PARENT}-01"), ("trace-bin", b"x")]):
        inner = trace_metadata()
    span = _only(spans)
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert dict(inner)["traceparent"] == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert (span.name, span.kind) == (METHOD, trace.SpanKind.SERVER)
    assert trace_metadata() == []


@pytest.mark.parametrize("text", ["", "00-zz-zz-01", "nonsense", PERSON])
def test_span_of_a_call_with_a_broken_context_begins_a_trace_of_its_own(text: str, spans: InMemorySpanExporter) -> None:
    """What cannot be read as a context is no reason to fail a call, and does not get into the span."""
    with Telemetry().call(METHOD, [("traceparent", text)]):
        pass
    span = _only(spans)
    assert span.parent is None
    assert PERSON not in span.to_json()


def test_span_of_a_failing_call_has_status_and_no_text(spans: InMemorySpanExporter) -> None:
    """An exception marks the span by the documented attributes; its text stays out."""
    observed = Telemetry()
    with pytest.raises(RuntimeError), observed.call(METHOD, []) as span:
        observed.end_call(span, METHOD, "ps", "INTERNAL", 0.1)
        raise RuntimeError(PERSON)
    finished = _only(spans)
    assert dict(finished.attributes or {}) == {
        telemetry.ATTR_METHOD: METHOD,
        telemetry.ATTR_ROLE: "ps",
        telemetry.ATTR_STATUS: "INTERNAL",
    }
    assert finished.status.status_code is trace.StatusCode.ERROR
    assert PERSON not in finished.to_json()
    assert json.dumps(PERSON).strip('"') not in finished.to_json()


def test_call_without_an_sdk_records_no_span() -> None:
    """A gateway without telemetry spends nothing on it, and its calls work all the same."""
    observed = Telemetry()
    with observed.call(METHOD, [("traceparent", f"00-{TRACE}-{PARENT}-01")]) as span:
        observed.end_call(span, METHOD, "ps", "OK", 0.1)
    assert not span.is_recording()


@pytest.mark.parametrize("environ", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "TRUE"}])
def test_nothing_is_exported_without_an_endpoint_or_when_disabled(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that nobody told to export opens no connection."""
    installed: list[bool] = []
    monkeypatch.setattr(telemetry, "_install_sdk", lambda: installed.append(True))
    set_up_exporters(environ)
    assert installed == []
    set_up_exporters({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert installed == [True]


def _gauges(reader: InMemoryMetricReader) -> dict[str, float]:
    data = reader.get_metrics_data()
    assert data is not None
    points = {}
    for metric in (m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics):
        point = metric.data.data_points[0]
        assert isinstance(point, NumberDataPoint)
        points[metric.name] = point.value
    return points


def test_stamp_telemetry_shows_a_gap_until_the_next_token(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever watches the metric sees that the authority is away; the log says why, once in a while."""
    reader = InMemoryMetricReader()
    observed = StampTelemetry(LOG, meter=MeterProvider(metric_readers=[reader]).get_meter("test"))
    assert _gauges(reader) == {METRIC_STAMP_GAP: 0}
    with caplog.at_level(logging.INFO):
        for size in (7, 7, 8):
            observed.missed(ErrorCode.TIMESTAMP_UNAVAILABLE, size)
        assert _gauges(reader) == {METRIC_STAMP_GAP: 1}
        observed.unavailable()
        assert _gauges(reader) == {METRIC_STAMP_GAP: 1}
        observed.stamped(9)
    assert _gauges(reader) == {METRIC_STAMP_GAP: 0, METRIC_STAMPED_SIZE: 9}
    assert [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records] == [
        ("no time stamp", {"code": "TIMESTAMP_UNAVAILABLE", "size": 7}),
        ("no time stamp", {"code": "TIMESTAMP_UNAVAILABLE", "size": 8}),
        ("cannot be reached", {"reason": "unavailable"}),
        ("stamped", {"size": 9}),
    ]


def test_counting_of_a_process_is_a_metric_by_its_name() -> None:
    """Two processes that would count limits differently are two values of one attribute."""
    reader = InMemoryMetricReader()
    count_by("clocks/1 0123456789abcdef", meter=MeterProvider(metric_readers=[reader]).get_meter("test"))
    assert _gauges(reader) == {METRIC_COUNTING: 1}


def test_names_of_spans_metrics_and_attributes_are_defined_in_one_module() -> None:
    """Whoever wants to know what leaves the process reads one file."""
    root = Path(gateway.__file__).parent
    pattern = re.compile(r"\"(?:fasttrack|rpc)\.[a-z_.]+\"|create_(?:counter|histogram|gauge)|set_attribute")
    elsewhere = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if path.name != "telemetry.py" and "v1" not in path.parts and pattern.search(path.read_text("utf-8"))
    ]
    assert elsewhere == []
