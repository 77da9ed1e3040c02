"""Asks for many callers at once whether there are statements: nearly always there are none.

A submit asks twice, for the sender's register and for reviews of its case. Questions that come while a query runs wait
and go together in the next one, so that many submits at once cost one round trip, and each sees all that was committed
before it asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("read")["statements_exist"]
_MAX_TOGETHER: Final = 256

Fetch = Callable[..., Awaitable[list[Any]]]


class Question(NamedTuple):
    """Whether there is a statement.

    Args:
        case: pseudonym; "" for any case and none.
        issuer: short form; used when no case is named, so that with one the answer may be yes for another issuer's.
        type_name: "" for any.
        after_index: index that it must be after; -1 for any.
    """

    case: str
    issuer: str
    type_name: str
    after_index: int


class StatementProbe:
    """Answers questions together.

    Args:
        fetch: runs a statement with its parameters.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._waiting: list[tuple[Question, asyncio.Future[bool]]] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> bool:
        """Say whether there is such a statement.

        Args:
            question: what is asked.

        Returns:
            whether there was one when, or after, it was asked.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="statement probe")
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting[:_MAX_TOGETHER], self._waiting[_MAX_TOGETHER:]
                await self._answer(taken)
        finally:
            self._running = None
            for _, answer in self._waiting:
                answer.cancel()
            self._waiting = []

    async def _answer(self, taken: list[tuple[Question, asyncio.Future[bool]]]) -> None:
        try:
            columns = zip(*(question for question, _ in taken), strict=True)
            found = {row["number"] for row in await self._fetch(_SQL, *map(list, columns))}
        except Exception as error:
            for _, answer in taken:
                if not answer.done():
                    answer.set_exception(error)
            return
        for number, (_, answer) in enumerate(taken, 1):
            if not answer.done():
                answer.set_result(number in found)
