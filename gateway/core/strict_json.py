"""JSON that is read in one way only: no duplicate keys, no NaN, bounded depth and size.

Two readers that disagree about a document are how one file is checked and another is executed.

Source: RFC 8259; RFC 7493 (I-JSON) section 2.3.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gateway.core.errors import ErrorCode, refuse

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise refuse(ErrorCode.MANIFEST_DUPLICATE_KEY, message="an object has the same key twice")
    return value


def _constant(_: str) -> None:
    raise refuse(ErrorCode.MANIFEST_MALFORMED, message="NaN and Infinity are not JSON")


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for byte in _STRING.sub(b"", data):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def parse_object(data: bytes, *, max_bytes: int, max_depth: int) -> dict[str, Any]:
    """Read one JSON object strictly.

    Args:
        data: UTF-8 without byte order mark.
        max_bytes: largest size accepted.
        max_depth: deepest nesting accepted; the outermost object counts 1.

    Returns:
        the object.

    Raises:
        GatewayError: MANIFEST_TOO_LARGE, MANIFEST_TOO_DEEP, MANIFEST_DUPLICATE_KEY, or MANIFEST_MALFORMED when it is
            not a JSON object in UTF-8 (a lone surrogate makes it none).
    """
    if len(data) > max_bytes:
        raise refuse(ErrorCode.MANIFEST_TOO_LARGE, message=f"at most {max_bytes} bytes")
    if data.count(b"{") + data.count(b"[") > max_depth and _depth(data) > max_depth:
        raise refuse(ErrorCode.MANIFEST_TOO_DEEP, message=f"at most {max_depth} levels")
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise refuse(ErrorCode.MANIFEST_MALFORMED, message="not a JSON document in UTF-8") from error
    if not isinstance(value, dict):
        raise refuse(ErrorCode.MANIFEST_MALFORMED, message="not a JSON object")
    return value
