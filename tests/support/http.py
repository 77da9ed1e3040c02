"""Plain HTTP from tests, by the client of the standard library: nothing of ours on this side."""

from __future__ import annotations

import asyncio
import http.client
from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Args:
        status: number.
        headers: all.
        body: bytes as they came.
    """

    status: int
    headers: Message
    body: bytes

    @property
    def content_type(self) -> str:
        """Value of Content-Type, "" for none."""
        return self.headers.get("Content-Type", "")


async def ask(
    address: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Make one request.

    Args:
        address: host:port.
        method: GET or POST.
        path: as it is sent.
        body: for POST.
        headers: further ones.

    Returns:
        the answer.
    """

    def call() -> Answer:
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    return await asyncio.to_thread(call)
