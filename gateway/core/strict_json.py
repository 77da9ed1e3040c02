"""JSON that is read in one way only: no duplicate keys, no NaN, bounded depth and size.

Two readers that disagree about a document are how one file is checked and another is executed.

Source: RFC 8259; RFC 7493 (I-JSON) section 2.3.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from gateway.core.errors import ErrorCode, refuse


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise refuse(ErrorCode.MANIFEST_DUPLICATE_KEY, message="an object has the same key twice")
    return value


def _constant(_: str) -> None:
    raise refuse(ErrorCode.MANIFEST_MALFORMED, message="NaN and Infinity are not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise refuse(ErrorCode.MANIFEST_MALFORMED, message="a number is out of range")
    return value


def _is_deeper(value: Any, max_depth: int) -> bool:
    level = [value]
    for _ in range(max_depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


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
    try:
        text = data.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError as error:
        # The decoder counts its own depth and gives up long before the stack does.
        raise refuse(ErrorCode.MANIFEST_TOO_DEEP, message=f"at most {max_depth} levels") from error
    except ValueError as error:
        raise refuse(ErrorCode.MANIFEST_MALFORMED, message="not a JSON document in UTF-8") from error
    if not isinstance(value, dict):
        raise refuse(ErrorCode.MANIFEST_MALFORMED, message="not a JSON object")
    if _is_deeper(value, max_depth):
        raise refuse(ErrorCode.MANIFEST_TOO_DEEP, message=f"at most {max_depth} levels")
    return value
