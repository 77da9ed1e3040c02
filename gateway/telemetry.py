"""Logs, spans and metrics: every name that leaves the process is defined here, and none of them carries personal data.

Exporters are chosen by the standard OTEL_* settings. Without OTEL_EXPORTER_OTLP_ENDPOINT nothing is exported and spans
cost next to nothing.

Source: OpenTelemetry specification (environment variables; semantic conventions for RPC); W3C Trace Context.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

from opentelemetry import context, metrics, propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

SERVICE_NAME: Final = "fasttrack-gateway"

ATTR_METHOD: Final = "rpc.method"
ATTR_STATUS: Final = "rpc.grpc.status_code"
ATTR_ROLE: Final = "fasttrack.caller.role"
ATTR_CODE: Final = "fasttrack.error.code"
ATTR_LEVEL: Final = "fasttrack.clock.level"
ATTR_CLOCK: Final = "fasttrack.clock.id"
ATTR_COUNTING: Final = "fasttrack.clock.counting.name"
ATTR_PROCESS: Final = "fasttrack.seal.process"

METRIC_CALLS: Final = "fasttrack.calls"
METRIC_SECONDS: Final = "fasttrack.call.duration"
METRIC_REFUSALS: Final = "fasttrack.refusals"
METRIC_BATCH: Final = "fasttrack.ledger.batch.size"
METRIC_COMMIT: Final = "fasttrack.ledger.commit.duration"
METRIC_SEALED_SIZE: Final = "fasttrack.seal.size"
METRIC_SEAL_ALARM: Final = "fasttrack.seal.alarm"
METRIC_STAMPED_SIZE: Final = "fasttrack.timestamp.size"
METRIC_CLOCK_ALARMS: Final = "fasttrack.clock.alarms"
METRIC_CLOCK_CASES: Final = "fasttrack.clock.cases"
METRIC_COUNTING: Final = "fasttrack.clock.counting"
METRIC_CLOCK_FAILURES: Final = "fasttrack.clock.failures"
METRIC_STAMP_GAP: Final = "fasttrack.timestamp.gap"

LOG_FIELDS: Final = frozenset(
    {"method", "caller", "code", "codes", "seconds", "entry_index", "error_id", "reason", "listening", "size",
     "applied", "signers", "kind", "workers", "migration", "counting"}
)  # fmt: skip
"""Fields a log line may have beside time, level, logger and event; anything else is a programming error."""

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


_OURS: Final = frozenset({"gateway", "adapters"})
"""First parts of the names of our own loggers, which write constant events."""


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.partition(".")[0] in _OURS:
            line["event"] = record.getMessage()
        else:
            # Another library may put a request, a task or a row into its message: what is left of it is constant.
            line["event"] = str(record.msg) if record.args else "message of a library"
            line["place"] = f"{record.module}.{record.funcName}:{record.lineno}"
        line.update(getattr(record, "fields", {}))
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = f"{span.trace_id:032x}"
        if record.exc_info:
            # The text of an exception can hold a value that it choked on, so only its kind and place are kept.
            line["exception"] = _place(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _place(exc_info: Any) -> list[str]:
    kind, error, trace_back = exc_info
    places = [kind.__name__ if kind is not None else type(error).__name__]
    while trace_back is not None:
        code = trace_back.tb_frame.f_code
        places.append(f"{code.co_qualname}:{trace_back.tb_lineno}")
        trace_back = trace_back.tb_next
    return places


def set_up_logging(level: str = "INFO") -> None:
    """Send log lines as JSON to standard error.

    Args:
        level: name of the lowest level shown.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def log_event(logger: logging.Logger, level: int, event: str, *, exc_info: bool = False, **fields: Any) -> None:
    """Write one structured line.

    Args:
        logger: of the module.
        level: of ``logging``.
        event: what happened, a constant text.
        exc_info: adds kind and place of the exception being handled, never its text.
        fields: names of ``LOG_FIELDS`` only.

    Raises:
        ValueError: for another field.
    """
    if not fields.keys() <= LOG_FIELDS:
        raise ValueError(f"log fields must be declared in telemetry.LOG_FIELDS: {sorted(fields.keys() - LOG_FIELDS)}")
    logger.log(level, event, extra={"fields": fields}, exc_info=exc_info)


_UNRECORDED: Final = nullcontext(trace.INVALID_SPAN)


class Telemetry:
    """Spans and metrics of one process; make it after the SDK is installed."""

    def __init__(self) -> None:
        self._is_traced = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        self._tracer = trace.get_tracer(SERVICE_NAME)
        meter = metrics.get_meter(SERVICE_NAME)
        self._calls = meter.create_counter(METRIC_CALLS, description="calls, by method, role and status")
        self._seconds = meter.create_histogram(METRIC_SECONDS, unit="s", description="duration of calls")
        self._refusals = meter.create_counter(METRIC_REFUSALS, description="refusals, by method and error code")
        self._batch = meter.create_histogram(METRIC_BATCH, description="entries in a ledger batch")
        self._commit = meter.create_histogram(METRIC_COMMIT, unit="s", description="duration of a ledger batch")

    def call(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> AbstractContextManager[trace.Span]:
        """Span of one call, a child of the caller's span when the call brought a W3C trace context.

        Args:
            method: service/name.
            metadata: of the call.

        Returns:
            a context that gives the span; one that records nothing, at no cost, when no SDK is installed.
        """
        return self._recorded_call(method, metadata) if self._is_traced else _UNRECORDED

    @contextmanager
    def _recorded_call(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> Iterator[trace.Span]:
        carrier = {key: value for key, value in metadata if isinstance(value, str) and key.startswith("trace")}
        token = context.attach(propagate.extract(carrier)) if carrier else None
        try:
            # Neither as an event nor as a status: the text of an exception can hold a value that it choked on.
            with self._tracer.start_as_current_span(
                method, kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
            ) as span:
                yield span
        finally:
            if token is not None:
                context.detach(token)

    def end_call(self, span: trace.Span, method: str, role: str, status: str, seconds: float) -> None:
        """Count a call that ended.

        Args:
            span: of the call.
            method: service/name.
            role: of the caller, "" when unknown.
            status: name of the gRPC status.
            seconds: duration.
        """
        attributes = {ATTR_METHOD: method, ATTR_ROLE: role, ATTR_STATUS: status}
        self._calls.add(1, attributes)
        self._seconds.record(seconds, attributes)
        if span.is_recording():
            span.set_attributes(attributes)
            if status != "OK":
                span.set_status(Status(StatusCode.ERROR))

    def refused(self, method: str, code: str) -> None:
        """Count a refusal, by method and error code."""
        self._refusals.add(1, {ATTR_METHOD: method, ATTR_CODE: code})

    def batch(self, size: int, seconds: float) -> None:
        """Record a committed ledger batch: entries and duration in seconds."""
        self._batch.record(size)
        self._commit.record(seconds)


class SealTelemetry:
    """Log lines and metrics of a signer or a witness; the alarm stays up until something is signed again.

    Args:
        logger: of the process.
        process: ``signer``, ``witness`` or ``mirror``.
        meter: None for the one of the process.
    """

    def __init__(self, logger: logging.Logger, process: str, *, meter: metrics.Meter | None = None) -> None:
        meter = meter or metrics.get_meter(SERVICE_NAME)
        self._size = meter.create_gauge(METRIC_SEALED_SIZE, description="size of the last tree, signed or kept")
        self._alarm = meter.create_gauge(METRIC_SEAL_ALARM, description="1 while a tree is refused, else 0")
        self._voice = _Voice(logger)
        self._attributes = {ATTR_PROCESS: process}
        self._alarm.set(0, self._attributes)

    def sealed(self, size: int) -> None:
        """Something was signed, for a tree of a size."""
        self._voice.say(logging.INFO, "sealed", size=size)
        self._size.set(size, self._attributes)
        self._alarm.set(0, self._attributes)

    cosigned = sealed

    def refused(self, fault: str, size: int) -> None:
        """Nothing is signed, for a reason, at a size."""
        self._voice.say(logging.ERROR, "refused to sign", reason=fault, size=size)
        self._alarm.set(1, self._attributes)

    def unavailable(self) -> None:
        """The other side does not answer, or refuses the call."""
        self._voice.say(logging.WARNING, "cannot be reached", reason="unavailable", size=0)


class MirrorTelemetry(SealTelemetry):
    """Log lines and metrics of a mirror; the alarm stays up until a round is taken over again.

    Args:
        logger: of the process.
        meter: None for the one of the process.
    """

    def __init__(self, logger: logging.Logger, *, meter: metrics.Meter | None = None) -> None:
        super().__init__(logger, "mirror", meter=meter)

    def mirrored(self, size: int) -> None:
        """A tree of a size was taken over."""
        self._voice.say(logging.INFO, "mirrored", size=size)
        self._size.set(size, self._attributes)
        self._alarm.set(0, self._attributes)

    def refused(self, fault: str, size: int) -> None:
        """Nothing is taken over, for a reason, at a size."""
        self._voice.say(logging.ERROR, "refused to follow", reason=fault, size=size)
        self._alarm.set(1, self._attributes)


class StampTelemetry:
    """Log lines and metrics of a stamper; the gap is up from the first token that was missed to the next one.

    Args:
        logger: of the process.
        meter: None for the one of the process.
    """

    def __init__(self, logger: logging.Logger, *, meter: metrics.Meter | None = None) -> None:
        meter = meter or metrics.get_meter(SERVICE_NAME)
        self._size = meter.create_gauge(METRIC_STAMPED_SIZE, description="size of the last checkpoint with a token")
        self._gap = meter.create_gauge(METRIC_STAMP_GAP, description="1 while the authority gives no token, else 0")
        self._voice = _Voice(logger)
        self._gap.set(0)

    def stamped(self, size: int) -> None:
        """A token was stored; every gap up to this size is filled."""
        self._voice.say(logging.INFO, "stamped", size=size)
        self._size.set(size)
        self._gap.set(0)

    def missed(self, code: IntEnum, size: int) -> None:
        """The authority gave no token, for a reason, at a size."""
        self._voice.say(logging.WARNING, "no time stamp", code=code.name, size=size)
        self._gap.set(1)

    def unavailable(self) -> None:
        """The database does not answer."""
        self._voice.say(logging.WARNING, "cannot be reached", reason="unavailable")


class ScheduleTelemetry:
    """Metrics of a scheduler, by level and id of the limit; no case, no person.

    Args:
        meter: None for the one of the process.
        progress: told how many cases were read so far.
    """

    def __init__(self, *, meter: metrics.Meter | None = None, progress: Callable[[int], None] | None = None) -> None:
        meter = meter or metrics.get_meter(SERVICE_NAME)
        self._progress = progress
        self._voice = _Voice(logging.getLogger("gateway.scheduler"))
        self._alarms = meter.create_counter(METRIC_CLOCK_ALARMS, description="warnings and breaches recorded")
        self._cases = meter.create_gauge(METRIC_CLOCK_CASES, description="cases that have a limit to come")
        self._failures = meter.create_counter(METRIC_CLOCK_FAILURES, description="cases that could not be counted")
        self.totals: dict[str, int] = {"cases": 0, "raised": 0, "failed": 0}

    def raised(self, level: str, clock: str, *, is_new: bool) -> None:
        """An alarm is in the ledger; only one that this process brought there counts."""
        if is_new:
            self._alarms.add(1, {ATTR_LEVEL: level, ATTR_CLOCK: clock})
            self.totals["raised"] += 1

    def looked(self, cases: int, waiting: int) -> None:
        """So many cases were read so far, so many have a moment to come."""
        self._voice.say(logging.INFO, "looked", size=cases)
        self.totals["cases"] = cases
        if self._progress is not None:
            self._progress(cases)
        self._cases.set(waiting)

    def failed(self, reason: str) -> None:
        """A case could not be counted, for a reason; `fasttrack fsck` says what is wrong with its rows."""
        self._failures.add(1)
        self.totals["failed"] += 1
        self._voice.say(logging.ERROR, "a case cannot be counted", reason=reason)

    def unwatched(self, reason: str) -> None:
        """The watch failed, for a reason; it is started again."""
        self._voice.say(logging.ERROR, "new facts are not watched for", reason=reason)

    def unavailable(self, code: IntEnum) -> None:
        """The ledger does not answer, for a reason."""
        self._voice.say(logging.WARNING, "cannot be reached", reason=code.name)


def count_by(name: str, *, meter: metrics.Meter | None = None) -> None:
    """Say by what this process counts limits; two values among the processes of a ledger are to be alarmed at.

    Args:
        name: of ``name_counting``.
        meter: None for the one of the process.
    """
    meter = meter or metrics.get_meter(SERVICE_NAME)
    gauge = meter.create_gauge(METRIC_COUNTING, description="1, by what limits are counted by")
    gauge.set(1, {ATTR_COUNTING: name})


class _Voice:
    """Says a thing when it is new, and then once a minute: the same line again and again would hide the others."""

    _REPEAT_SECONDS: Final = 60.0

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last: tuple[str, dict[str, Any]] = ("", {})
        self._said_at = 0.0

    def say(self, level: int, event: str, **fields: Any) -> None:
        now = time.monotonic()
        if (event, fields) != self._last or now - self._said_at >= self._REPEAT_SECONDS:
            self._last, self._said_at = (event, fields), now
            log_event(self._logger, level, event, **fields)


def trace_metadata() -> list[tuple[str, str]]:
    """W3C trace context of the current span as call metadata; empty when there is none."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return list(carrier.items())


def set_up_exporters(environ: Mapping[str, str] = os.environ) -> Telemetry:
    """Install the SDK with OTLP exporters when the environment names an endpoint.

    Args:
        environ: read for the standard OTEL_* settings.

    Returns:
        the telemetry of this process.
    """
    if environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(environ.get(name) for name in _ENDPOINTS):
        _install_sdk()
    return Telemetry()


def _install_sdk() -> None:
    # Imported here because the exporters cost a second of start-up that a gateway without telemetry need not pay.
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", SERVICE_NAME)})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(tracers)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader]))
