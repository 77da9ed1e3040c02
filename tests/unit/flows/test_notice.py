"""What an agency is told of limits: pages, order, and whom a pseudonym stands for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.flows.notice import list_notices, watch_notices
from gateway.flows.parts import Parts
from tests.support.fake_parts import COURT, POLICE, PROCURATORATE, World

CASE = "A9990010000002026010001"


def told_world(count: int) -> World:
    """A world in which the procuratorate was told so many times of a case."""
    world = World()
    for index in range(count):
        world.notices.tell(str(PROCURATORATE), 10 + index, world.clock(), CASE)
    return world


async def pages(parts: Parts, size: int) -> list[list[int]]:
    """Indexes of all pages of the procuratorate."""
    found, token = [], ""
    while True:
        told, token = await list_notices(parts, PROCURATORATE, size, token)
        found.append([item.notice.seq for item in told])
        if not token:
            return found


async def test_notices_come_page_by_page_each_once() -> None:
    """Five notices in pages of two are three pages, in order, and the last has no token."""
    assert await pages(told_world(5).parts, 2) == [[10, 11], [12, 13], [14]]


async def test_notices_of_a_full_last_page_have_no_empty_page_after_it() -> None:
    """A page that is just full is the last when nothing follows."""
    assert await pages(told_world(4).parts, 2) == [[10, 11], [12, 13]]


async def test_notices_of_others_are_not_listed() -> None:
    """Whoever was told nothing lists nothing."""
    assert await list_notices(told_world(2).parts, COURT, 0, "") == ([], "")


async def test_notice_has_title_and_article_of_its_limit() -> None:
    """The row of the table says what the limit is; a limit that the table lacks has none and is told nevertheless."""
    world = told_world(1)
    world.notices.tell(str(PROCURATORATE), 20, world.clock(), CASE, clock="K99")
    (known, unknown), _ = await list_notices(world.parts, PROCURATORATE, 0, "")
    assert known.rule is not None and known.rule.id == "K22" and known.rule.owner == "procuratorate"
    assert unknown.rule is None and unknown.notice.seq == 20


async def test_notice_of_a_person_whom_the_agency_does_not_know_has_no_key() -> None:
    """A pseudonym for which no record of the agency stands stays one."""
    world = World()
    world.notices.tell(str(PROCURATORATE), 1, world.clock(), CASE, person="ab" * 16)
    (told,), _ = await list_notices(world.parts, PROCURATORATE, 0, "")
    assert told.person_key == "" and told.notice.entry.person == "ab" * 16


@pytest.mark.parametrize("size", [-1, 501])
async def test_page_size_out_of_range_is_refused(size: int) -> None:
    """A page has 1 to 500 items."""
    with pytest.raises(GatewayError) as caught:
        await list_notices(World().parts, POLICE, size, "")
    assert [finding.code for finding in caught.value.findings] == [ErrorCode.ARGUMENT_OUT_OF_RANGE]


async def test_page_token_of_another_caller_is_refused() -> None:
    """A token belongs to the one who got it."""
    parts = told_world(3).parts
    _, token = await list_notices(parts, PROCURATORATE, 1, "")
    with pytest.raises(GatewayError) as caught:
        await list_notices(parts, COURT, 1, token)
    assert [finding.code for finding in caught.value.findings] == [ErrorCode.PAGE_TOKEN_INVALID]


async def test_watch_goes_on_after_its_cursor_and_listens_to_the_agency_only() -> None:
    """The stream begins behind the cursor."""
    world = told_world(3)
    stream = watch_notices(world.parts, PROCURATORATE, 11)
    seen = [(await asyncio.wait_for(anext(stream), 5)).notice.seq for _ in range(2)]
    assert seen == [11, 12]


async def test_watch_from_a_negative_cursor_is_refused() -> None:
    """A cursor is an index plus one, never negative."""
    with pytest.raises(GatewayError) as caught:
        await anext(watch_notices(replace(World().parts), PROCURATORATE, -1))
    assert [finding.code for finding in caught.value.findings] == [ErrorCode.ARGUMENT_OUT_OF_RANGE]
