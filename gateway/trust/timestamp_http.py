"""One POST over HTTP/1.0, with a bound on everything: what RFC 3161 asks for and no more.

HTTP/1.0, so that no answer comes in chunks; redirects are not followed, so that an authority is only ever the one that
the operator named.

Source: RFC 1945; RFC 3161, section 3.4.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gateway.core.errors import ErrorCode, GatewayError, refuse

_MAX_HEAD_BYTES: Final = 16 * 1024
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send a request.

    Args:
        host: name or IP address.
        port: TCP port.
        authority: both as the header ``Host`` wants them.
        path: path and query.
        is_secure: whether TLS is spoken, against the CAs of this machine.
    """

    host: str
    port: int
    authority: str
    path: str
    is_secure: bool


def parse_address(url: str) -> Address:
    """Read an address.

    Args:
        url: ``http://host[:port]/path`` or the same with https, ASCII, without user name.

    Returns:
        the address.

    Raises:
        ValueError: it is something else.
    """
    # A line feed in the address would begin another header; urlsplit takes some of them out without a word.
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("an address is ASCII without blanks")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("an address is http://host[:port]/path or https://host[:port]/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port if parts.port is not None else _PORTS[parts.scheme]
    return Address(parts.hostname, port, parts.netloc, path, parts.scheme == "https")


async def post(
    address: Address, body: bytes, *, media_types: tuple[str, str], max_bytes: int, timeout_seconds: float
) -> bytes:
    """Send a request and read the answer.

    Args:
        address: where to.
        body: what is sent.
        media_types: that of the request, and the one that the answer must have.
        max_bytes: largest body accepted.
        timeout_seconds: longest time for everything, from the look-up of the name to the last byte.

    Returns:
        the body of the answer.

    Raises:
        GatewayError: TIMESTAMP_UNAVAILABLE when there is no answer in time, or it is no 200 of this form and size.
    """
    head = (
        f"POST {address.path} HTTP/1.0\r\nHost: {address.authority}\r\nContent-Type: {media_types[0]}\r\n"
        f"Accept: {media_types[1]}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _exchange(address, head.encode("ascii") + body, media_types[1], max_bytes)
    except TimeoutError as error:
        raise _unavailable("no answer in time") from error
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise _unavailable("the connection failed") from error


async def _exchange(address: Address, request: bytes, media_type: str, max_bytes: int) -> bytes:
    context = ssl.create_default_context() if address.is_secure else None
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context, limit=_MAX_HEAD_BYTES)
    try:
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        size = _body_size(head, media_type)
        if size is not None and size > max_bytes:
            raise _unavailable("the answer is too long")
        if size is not None:
            return await reader.readexactly(size)
        body = bytearray()
        while chunk := await reader.read(max_bytes + 1 - len(body)):
            body += chunk
            if len(body) > max_bytes:
                raise _unavailable("the answer is too long")
        return bytes(body)
    finally:
        # Not a polite end: whoever is at the other side must not hold us up beyond the time.
        writer.transport.abort()


def _body_size(head: bytes, media_type: str) -> int | None:
    """Length of the body that an answer announces, None when it ends with the connection."""
    lines = head.decode("latin-1").split("\r\n")
    status = lines[0].split(" ", 2)
    if not status[0].startswith("HTTP/1.") or len(status) < 2:
        raise _unavailable("the answer is not HTTP")
    if status[1] != "200":
        raise _unavailable("the answer is not a 200")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "transfer-encoding" in fields or fields.get("content-type", "").split(";")[0].lower() != media_type:
        raise _unavailable("the answer has another media type, or comes in chunks")
    length = fields.get("content-length")
    if length is None:
        return None
    if not (length.isascii() and length.isdigit() and len(length) < 10):
        raise _unavailable("the answer has no good length")
    return int(length)


def _unavailable(what: str) -> GatewayError:
    return refuse(ErrorCode.TIMESTAMP_UNAVAILABLE, message=what)
