"""A question about one limit, as other programs ask it, and its answer.

Source: domain model, sections 1.4 and 1.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from gateway.core.clock.clock import Clock, extend_clock, find_due, start_clock
from gateway.core.clock.due import Counting, Due, Moment
from gateway.core.clock.length import Length, parse_length
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse

_KEYS: Final = ("kind", "start", "custody", "inputs")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})")
_LAST_YEAR: Final = 9900
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a limit, and by which rule.

    Args:
        due: None for a clock without length.
        clock: as counted.
    """

    due: Due | None
    clock: Clock


def answer_request(request: Any, table: ClockTable, counting: Counting) -> Answer:
    """Count one limit.

    Args:
        request: {"kind": "K22", "start": day or instant with offset, "custody": bool or absent, "inputs": {...}};
            ``inputs.extensions`` lists names of extensions, or {"name", "length"} where the rule leaves a choice.
        table: of clocks.
        counting: calendar and readings.

    Returns:
        the answer.

    Raises:
        GatewayError: everything that is wrong with the question, with JSON Pointers.
    """
    if not isinstance(request, Mapping):
        raise refuse(ErrorCode.ARGUMENT_INVALID, "", "a line is one JSON object with kind, start, custody and inputs")
    findings: list[Finding] = []
    if request.keys() - set(_KEYS):
        findings.append(Finding(ErrorCode.ARGUMENT_INVALID, "", f"a line has {', '.join(_KEYS)} and nothing else"))
    kind = _collect(findings, lambda: _parse_kind(request, table))
    start = _collect(findings, lambda: parse_start(request.get("start")))
    custody = _collect(findings, lambda: _parse_custody(request.get("custody")))
    inputs = dict(_collect(findings, lambda: _parse_inputs(request.get("inputs"))) or {})
    extensions = _collect(findings, lambda: _parse_extensions(inputs.pop("extensions", [])))
    if kind is None or start is None:
        raise GatewayError(findings)
    clock = _collect(findings, lambda: start_clock(table, kind, "", start, inputs, in_custody=custody))
    answer = _collect(findings, lambda: _answer(clock, extensions or [], counting)) if clock and not findings else None
    if findings or answer is None:
        raise GatewayError(findings)
    return answer


def _answer(clock: Clock, extensions: list[tuple[str, Length | None]], counting: Counting) -> Answer:
    for name, length in extensions:
        clock = extend_clock(clock, name, clock.start, counting, length)
    return Answer(find_due(clock, counting), clock)


def parse_start(value: Any) -> Moment:
    """Read the start of a limit.

    Args:
        value: "2026-02-05", or "2026-02-05T09:30:00+08:00" with any offset.

    Returns:
        a day, or an aware instant.

    Raises:
        GatewayError: CLOCK_START_INVALID.
    """
    if isinstance(value, str) and len(value) <= 40:
        try:
            if _DATE.fullmatch(value) and value.isascii():
                day = date.fromisoformat(value)
                if day.year <= _LAST_YEAR:
                    return day
            elif _INSTANT.fullmatch(value) and value.isascii():
                instant = datetime.fromisoformat(value)
                if 1 < instant.year <= _LAST_YEAR:
                    return instant
        except ValueError:
            pass
    message = "it must be a day, 2026-02-05, or an instant with its offset, 2026-02-05T09:30:00+08:00"
    raise refuse(ErrorCode.CLOCK_START_INVALID, "/start", message)


def _collect(findings: list[Finding], parse: Callable[[], _Value]) -> _Value | None:
    try:
        return parse()
    except GatewayError as error:
        findings.extend(error.findings)
        return None


def _parse_kind(request: Mapping[str, Any], table: ClockTable) -> str:
    kind = request.get("kind")
    if not isinstance(kind, str) or not table.has(kind):
        raise refuse(ErrorCode.CLOCK_UNKNOWN, "/kind", "there is no clock of this kind")
    return kind


def _parse_custody(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise refuse(ErrorCode.CLOCK_INPUT_INVALID, "/custody", "it must be true or false")


def _parse_inputs(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise refuse(ErrorCode.CLOCK_INPUT_INVALID, "/inputs", "it must be an object")
    return value


def _parse_extensions(value: Any) -> list[tuple[str, Length | None]]:
    path, message = "/inputs/extensions", "it must be a list of names, or of objects with name and length"
    if not isinstance(value, list):
        raise refuse(ErrorCode.CLOCK_INPUT_INVALID, path, message)
    read: list[tuple[str, Length | None]] = []
    for item in value:
        try:
            name, length = (item["name"], parse_length(item["length"])) if isinstance(item, dict) else (item, None)
        except (KeyError, ValueError, TypeError):
            raise refuse(ErrorCode.CLOCK_INPUT_INVALID, path, message) from None
        if not isinstance(name, str):
            raise refuse(ErrorCode.CLOCK_INPUT_INVALID, path, message)
        read.append((name, length))
    return read
