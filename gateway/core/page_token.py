"""Page tokens that a caller cannot make or bend: the place to go on from, sealed with the query that it belongs to."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from gateway.core.errors import ErrorCode, refuse

_TAG_BYTES: Final = 16


def _tag(key: bytes, body: bytes, query: bytes) -> bytes:
    return hmac.digest(key, body + b"\x00" + query, "sha256")[:_TAG_BYTES]


def seal_page_token(key: bytes, after_index: int, query: bytes) -> str:
    """Write a token.

    Args:
        key: 32 secret bytes.
        after_index: index of the last row of the page.
        query: caller and conditions of the query; a token is worth nothing for another.

    Returns:
        URL-safe base64.
    """
    body = after_index.to_bytes(8, "big")
    return base64.urlsafe_b64encode(body + _tag(key, body, query)).decode("ascii")


def open_page_token(key: bytes, token: str, query: bytes) -> int:
    """Read a token.

    Args:
        key: 32 secret bytes.
        token: what ``seal_page_token`` gave, or "" for the first page.
        query: caller and conditions of the query.

    Returns:
        index of the last row of the page before; -1 for the first page.

    Raises:
        GatewayError: PAGE_TOKEN_INVALID when it was forged, cut, or belongs to another query.
    """
    if not token:
        return -1
    try:
        data = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    body, tag = data[:8], data[8:]
    if len(body) != 8 or not hmac.compare_digest(tag, _tag(key, body, query)):
        raise refuse(ErrorCode.PAGE_TOKEN_INVALID, "page_token", "start again from the first page with an empty token")
    return int.from_bytes(body, "big")
