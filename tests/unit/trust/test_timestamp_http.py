"""The HTTP under a time stamp: every way in which a server can be slow, long, strange or gone."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.trust.timestamp_http import Address, parse_address, post
from tests.support.tsa import http_reply, serve

MEDIA_TYPES = ("application/timestamp-query", "application/timestamp-reply")
MAX_BYTES = 1000


async def send(url: str, *, timeout_seconds: float = 20.0) -> bytes:
    """Send a request with a small limit."""
    return await post(
        parse_address(url), b"query", media_types=MEDIA_TYPES, max_bytes=MAX_BYTES, timeout_seconds=timeout_seconds
    )


async def message_of(answer: bytes | None, *, timeout_seconds: float = 20.0) -> str:
    """What is said about an answer that is refused."""
    async with serve(lambda _: answer) as url:
        with pytest.raises(GatewayError) as caught:
            await send(url, timeout_seconds=timeout_seconds)
    assert caught.value.code is ErrorCode.TIMESTAMP_UNAVAILABLE
    return caught.value.findings[0].message


@pytest.mark.parametrize("body", [b"", b"a", b"a" * MAX_BYTES])
async def test_post_right_answer_gives_its_body(body: bytes) -> None:
    """A 200 of the right type is read to its end, with its length or without."""
    without = http_reply(body).replace(b"Content-Length", b"X-Length")
    for answer in (http_reply(body), without):
        async with serve(lambda _, answer=answer: answer) as url:  # type: ignore[misc]
            assert await send(url) == body


async def test_post_sends_the_body_with_its_type() -> None:
    """The server gets what was to be sent."""
    seen: list[bytes] = []

    def reply(body: bytes) -> bytes:
        seen.append(body)
        return http_reply(b"yes")

    async with serve(reply) as url:
        assert await send(url) == b"yes"
    assert seen == [b"query"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "connection failed"),
        (b"HTTP/1.0 200 OK\r\n", "connection failed"),
        (http_reply(b"abc")[:-1], "connection failed"),
        (b"HTTP/1.0 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", "connection failed"),
        (b"hello\r\n\r\n", "not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "not HTTP"),
        (http_reply(b"").replace(b"200 OK", b"500 Oh"), "not a 200"),
        (http_reply(b"").replace(b"200 OK", b"302 Found\r\nLocation: http://127.0.0.1/"), "not a 200"),
        (http_reply(b"").replace(b"timestamp-reply", b"json"), "media type"),
        (http_reply(b"a").replace(b"Content-Length: 1", b"Transfer-Encoding: chunked"), "chunks"),
        (http_reply(b"a").replace(b"Length: 1", b"Length: -1"), "length"),
        (http_reply(b"a").replace(b"Length: 1", b"Length: 99999999999"), "length"),
        (http_reply(b"a" * (MAX_BYTES + 1)), "too long"),
        (http_reply(b"a" * (MAX_BYTES + 1)).replace(b"Content-Length", b"X-Length"), "too long"),
    ],
)
async def test_post_other_answer_is_refused(answer: bytes, message: str) -> None:
    """A broken, long or strange answer is the same as no answer, and redirects are not followed."""
    assert message in await message_of(answer)


async def test_post_server_that_never_answers_costs_no_more_than_the_time() -> None:
    """A server that takes the request and is silent is given up."""
    assert await message_of(None, timeout_seconds=0.05) == "no answer in time"


async def test_post_server_that_sends_drop_by_drop_costs_no_more_than_the_time() -> None:
    """The time is for the whole answer, so a byte now and then does not prolong it."""

    ended = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.01)
        except OSError:
            writer.transport.abort()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            ended.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(GatewayError) as caught:
            await send(f"http://127.0.0.1:{port}/", timeout_seconds=0.1)
        await ended.wait()
    assert caught.value.findings[0].message == "no answer in time"


async def test_post_nobody_at_the_port_is_refused() -> None:
    """A server that is down is an error with its code."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(GatewayError) as caught:
        await send(f"http://127.0.0.1:{port}/")
    assert caught.value.code is ErrorCode.TIMESTAMP_UNAVAILABLE


async def test_post_https_server_that_speaks_no_tls_is_refused() -> None:
    """TLS is not given up when the other side does not speak it."""
    async with serve(lambda _: http_reply(b"yes")) as url:
        with pytest.raises(GatewayError) as caught:
            await send(url.replace("http:", "https:"), timeout_seconds=5)
    assert caught.value.code is ErrorCode.TIMESTAMP_UNAVAILABLE


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://tsa.example", Address("tsa.example", 80, "tsa.example", "/", False)),
        ("https://tsa.example/a?b=c", Address("tsa.example", 443, "tsa.example", "/a?b=c", True)),
        ("http://[::1]:8080/tsa", Address("::1", 8080, "[::1]:8080", "/tsa", False)),
    ],
)
def test_parse_address_gives_its_parts(url: str, address: Address) -> None:
    """Host, port and path of an address are those that it names, or the usual ones."""
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tsa.example",
        "ftp://tsa.example/",
        "http://",
        "http://name:word@tsa.example/",
        "http://tsa.example:port/",
        "http://tsa.example:99999/",
        "http://tsa.example/\r\nX: y",
        "http://tsa.example/a b",
        "http://tsa.éxample/",
    ],
)
def test_parse_address_of_another_form_is_refused(url: str) -> None:
    """An address that is another scheme, has a password in it or could smuggle a header is refused."""
    with pytest.raises(ValueError, match=r".+"):
        parse_address(url)
