"""Callers that hand over, claim, fetch and decide, and ask again as long as they got no answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import grpc

from tests.crash.book import Book
from tests.support.bundle import PDF, bundle_of, load_issued, new_case_number
from tests.support.gateway import RunningGateway
from tests.support.wire import Desk

SENDER, RECEIVER = "ps:110108", "pr:110108"
CALLERS = 8
SETTLE_SECONDS = 40.0
_PAUSE_SECONDS = 0.01
_RETRY_SECONDS = 0.05


class Load:
    """Everything that callers do in one round.

    Attributes:
        in_doubt: acts that got no answer at first.
        handed_over: bundles that were acknowledged, by handoff.
    """

    def __init__(self, gateway: RunningGateway, book: Book, random_source: random.Random) -> None:
        self._gateway = gateway
        self._book = book
        self._random = random_source
        files = gateway.pki.agency(SENDER)
        self._signer = load_issued(files.sign_certificate, files.sign_key)
        self._is_calm = False
        self._callers: list[asyncio.Task[None]] = []
        self.in_doubt: set[UUID] = set()
        self.handed_over: dict[UUID, tuple[str, bytes]] = {}

    async def __aenter__(self) -> Load:
        self._sender = await Desk(self._gateway, SENDER).__aenter__()
        self._receiver = await Desk(self._gateway, RECEIVER).__aenter__()
        await self._sender.upload(PDF)
        self._callers = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        await self._sender.__aexit__()
        await self._receiver.__aexit__()

    def calm(self) -> None:
        """Begin nothing new."""
        self._is_calm = True

    async def settle(self) -> None:
        """Wait until every act is answered.

        Raises:
            TimeoutError: one is not.
            grpc.aio.AioRpcError: one was refused.
        """
        async with asyncio.timeout(SETTLE_SECONDS):
            await asyncio.gather(*self._callers)

    async def repeat(self, count: int) -> None:
        """Hand over again what was acknowledged; the book sees whether the receipt is the same."""
        for handoff in self._random.sample(sorted(self.handed_over), min(count, len(self.handed_over))):
            await self._submit(handoff)

    async def _call(self) -> None:
        while not self._is_calm:
            manifest, jws, record = bundle_of(new_case_number(), self._signer)
            handoff = manifest.bundle_id
            self.handed_over[handoff] = (jws, record)
            await self._submit(handoff)
            if self._random.random() < 0.3 and not self._is_calm:
                for act in (self._receiver.claim, self._receiver.fetch, self._receiver.decide):
                    await self._act(act, handoff)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _submit(self, handoff: UUID) -> None:
        bundle = self.handed_over[handoff]
        await self._until_answered(handoff, SENDER, lambda: self._sender.submit(*bundle))

    async def _act(self, act: Callable[..., Awaitable[Any]], handoff: UUID) -> None:
        act_id = uuid4()
        await self._until_answered(act_id, RECEIVER, lambda: act(handoff, act=str(act_id)))

    async def _until_answered(self, act: UUID, actor: str, call: Callable[[], Awaitable[Any]]) -> None:
        while True:
            try:
                answer = await call()
            except grpc.aio.AioRpcError as error:
                # Everything else would be an answer: that the act is not to be, which none of these acts deserves.
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                self.in_doubt.add(act)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._book.acknowledge(act, actor, answer.receipt)
                return
