"""Forms that several requests share: ids, names, page sizes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse

_CONSUMER = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
MAX_TEXT: Final = 2_000


def parse_uuid(text: str, path: str) -> UUID:
    """Read a UUID in its usual form.

    Args:
        text: lower case, with hyphens.
        path: request field, for the finding.

    Returns:
        the id.

    Raises:
        GatewayError: ARGUMENT_INVALID.
    """
    try:
        value = UUID(text)
    except ValueError:
        value = None
    if value is None or str(value) != text:
        raise refuse(ErrorCode.ARGUMENT_INVALID, path, "a UUID in lower case with hyphens")
    return value


def parse_act(handoff_id: str, act_id: str, consumer: str | None = None) -> tuple[UUID, UUID]:
    """Read the ids of an act on a handoff, and the name of its consumer, with all findings at once.

    Args:
        handoff_id: as sent.
        act_id: as sent.
        consumer: as sent; None for an act without one.

    Returns:
        handoff and act.

    Raises:
        GatewayError: ARGUMENT_INVALID for each that has another form.
    """
    findings: list[Finding] = []
    ids: list[UUID] = []
    for path, text in (("handoff_id", handoff_id), ("act_id", act_id)):
        try:
            ids.append(parse_uuid(text, path))
        except GatewayError as error:
            findings += error.findings
    if consumer is not None and _CONSUMER.fullmatch(consumer) is None:
        findings.append(Finding(ErrorCode.ARGUMENT_INVALID, "consumer", "1 to 64 characters of A-Z a-z 0-9 . _ -"))
    if findings:
        raise GatewayError(findings)
    return ids[0], ids[1]


def parse_size(value: int, path: str, *, default: int, most: int) -> int:
    """Read a number of rows or seconds; 0 means the default.

    Args:
        value: as sent.
        path: request field, for the finding.
        default: what 0 stands for.
        most: largest value.

    Returns:
        1 to ``most``.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE.
    """
    if not 0 <= value <= most:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, path, f"0 to {most}")
    return value or default


def require_range(low: int, high: int, path: str) -> None:
    """Refuse a range [low, high) that is negative or runs backwards; high 0 is open (ARGUMENT_OUT_OF_RANGE)."""
    if low < 0 or high < 0 or (high and high < low):
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, path, "a range from 0 upwards, its end not before its start")


def to_canonical(value: Mapping[str, Any]) -> bytes:
    """Write plain values as sorted JSON in UTF-8, so that the same request has the same digest."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def content_sha256(**request: Any) -> str:
    """Digest of what is asked, 64 hexadecimal digits."""
    return sha256(to_canonical(request)).hexdigest()
