"""The stream of an inbox: nothing missed and nothing twice, however slowly or brokenly it is read."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from gateway.v1 import exchange_pb2 as pb
from tests.rpc.conftest import Signers
from tests.support.bundle import new_case_number, sign, transfer_manifest, transfer_record
from tests.support.gateway import RunningGateway
from tests.support.wire import OVERSIGHT, Desk

# A direction of its own: what is watched here is not disturbed by the tests that hand over to pr:110108.
SENDER, RECEIVER = "ps:110105", "pr:110105"


async def _submit(gateway: RunningGateway, signers: Signers, count: int) -> list[UUID]:
    bundles = []
    for _ in range(count):
        case_number = new_case_number()
        record = transfer_record(case_number, sender=SENDER, receiver=RECEIVER)
        manifest = transfer_manifest(record, case_number, sender=SENDER, receiver=RECEIVER)
        bundles.append((manifest.bundle_id, sign(manifest, signers.other_police), record))
    async with Desk(gateway, SENDER) as desk:
        answers = await asyncio.gather(*(desk.submit(jws, record) for _, jws, record in bundles))
    order = sorted(range(count), key=lambda number: answers[number].receipt.entry_index)
    return [bundles[number][0] for number in order]


async def _cursor(gateway: RunningGateway) -> int:
    """Cursor behind everything that is there now."""
    async with Desk(gateway, OVERSIGHT) as desk:
        return len(await desk.entries())


def _watch(desk: Desk, cursor: int) -> Any:
    return desk.exchange.WatchInbox(pb.WatchInboxRequest(after_cursor=cursor))


async def _take(stream: Any, count: int) -> list[pb.WatchInboxResponse]:
    return [await asyncio.wait_for(stream.read(), 30) for _ in range(count)]


async def test_slow_consumer_misses_nothing(gateway: RunningGateway, signers: Signers) -> None:
    """A consumer that stands still while 250 handoffs come in gets each of them afterwards, once and in order."""
    cursor = await _cursor(gateway)
    async with Desk(gateway, RECEIVER) as desk:
        stream = _watch(desk, cursor)
        first = await _submit(gateway, signers, 1)
        taken = await _take(stream, 1)
        rest = await _submit(gateway, signers, 250)
        taken += await _take(stream, 250)
        stream.cancel()
    assert [UUID(answer.item.handoff_id) for answer in taken] == first + rest
    cursors = [answer.cursor for answer in taken]
    assert cursors == sorted(set(cursors))
    assert all(answer.cursor == answer.item.entry_index + 1 for answer in taken)


@pytest.mark.parametrize("after", [1, 3])
async def test_consumer_that_reconnects_by_cursor_goes_on_where_it_was(
    after: int, gateway: RunningGateway, signers: Signers
) -> None:
    """A broken stream costs nothing: the cursor of the last item seen is the place to go on from."""
    cursor = await _cursor(gateway)
    handoffs = await _submit(gateway, signers, 5)
    async with Desk(gateway, RECEIVER) as desk:
        stream = _watch(desk, cursor)
        seen = await _take(stream, after)
        stream.cancel()
    handoffs += await _submit(gateway, signers, 2)
    async with Desk(gateway, RECEIVER) as desk:
        stream = _watch(desk, seen[-1].cursor)
        seen += await _take(stream, 7 - after)
        stream.cancel()
    assert [UUID(answer.item.handoff_id) for answer in seen] == handoffs


async def test_consumer_that_waits_is_woken_by_each_submit(gateway: RunningGateway, signers: Signers) -> None:
    """Whoever waits hears of a handoff without asking again."""
    cursor = await _cursor(gateway)
    async with Desk(gateway, RECEIVER) as desk:
        stream = _watch(desk, cursor)
        for _ in range(3):
            reading = asyncio.create_task(_take(stream, 1))
            (handoff,) = await _submit(gateway, signers, 1)
            (answer,) = await reading
            assert UUID(answer.item.handoff_id) == handoff
        stream.cancel()


async def test_two_consumers_of_one_agency_see_the_same_stream(gateway: RunningGateway, signers: Signers) -> None:
    """A stream shows and does not hand out: every consumer sees all, and claims decide who works."""
    cursor = await _cursor(gateway)
    async with Desk(gateway, RECEIVER) as one, Desk(gateway, RECEIVER) as two:
        streams = [_watch(one, cursor), _watch(two, cursor)]
        handoffs = await _submit(gateway, signers, 4)
        taken = await asyncio.gather(*(_take(stream, 4) for stream in streams))
        for stream in streams:
            stream.cancel()
    for answers in taken:
        assert [UUID(answer.item.handoff_id) for answer in answers] == handoffs
