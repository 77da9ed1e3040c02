"""What an agency is told of statutory limits: its own, and as the supervising procuratorate those that have passed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.core.case.value import CHINA_TIME
from gateway.core.clock.rule import ClockRule
from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.fact.fact import notice_topic
from gateway.core.identity import Agency
from gateway.core.page_token import open_page_token, seal_page_token
from gateway.core.port.ledger import Notice
from gateway.flows.parts import Parts
from gateway.flows.person_key import find_person_keys
from gateway.flows.request import parse_size

WATCH_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with what stands beside its entry.

    Args:
        notice: the entry.
        rule: of the limit; None for a limit that this gateway no longer knows.
        person_key: "" when there is none, or the agency does not know it.
    """

    notice: Notice
    rule: ClockRule | None
    person_key: str


async def list_notices(parts: Parts, caller: Agency, page_size: int, page_token: str) -> tuple[list[Told], str]:
    """One page of the notices to the caller.

    Args:
        parts: the filled ports.
        caller: to whom they are.
        page_size: 1 to 500, 0 for 50.
        page_token: of the page before, "" for the first.

    Returns:
        notices in order of their entries, and the token of the next page ("" on the last).

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE, PAGE_TOKEN_INVALID, LEDGER_UNAVAILABLE.
    """
    limit = parse_size(page_size, "page_size", default=50, most=500)
    query = f"notices {caller}".encode()
    key = parts.pseudonyms.page_key()
    after = open_page_token(key, page_token, query)
    rows = await parts.notices.notices(str(caller), after, limit + 1)
    token = seal_page_token(key, rows[limit - 1].seq, query) if len(rows) > limit else ""
    return await _tell(parts, caller, rows[:limit]), token


async def watch_notices(parts: Parts, caller: Agency, after_cursor: int) -> AsyncIterator[Told]:
    """Notices to the caller as they are recorded; what a slow reader has not taken stays in the database.

    Args:
        parts: the filled ports.
        caller: to whom they are.
        after_cursor: index of the last entry seen plus 1; 0 for the beginning.

    Yields:
        notices in order of their entries, for ever.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE.
    """
    if after_cursor < 0:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "after_cursor", "0 or more")
    after = after_cursor - 1
    async with parts.watch.subscribe(notice_topic(str(caller))) as wakes:
        async for _ in wakes():
            while rows := await parts.notices.notices(str(caller), after, WATCH_PAGE):
                for told in await _tell(parts, caller, rows):
                    yield told
                after = rows[-1].seq
                if len(rows) < WATCH_PAGE:
                    break


async def _tell(parts: Parts, caller: Agency, rows: Iterable[Notice]) -> list[Told]:
    ruled = [(row, _find_rule(parts, row)) for row in rows]
    wanted: dict[str, set[str]] = {}
    for row, rule in ruled:
        if rule is None or not rule.is_of_account:
            wanted.setdefault(row.case_number, set()).add(row.entry.person)
    keys = {number: await find_person_keys(parts, caller, number, persons) for number, persons in wanted.items()}
    return [Told(row, rule, keys.get(row.case_number, {}).get(row.entry.person, "")) for row, rule in ruled]


def _find_rule(parts: Parts, notice: Notice) -> ClockRule | None:
    try:
        # The entry has no start of the limit; the row in force when it was written says what it is called.
        return parts.clocks.find(notice.entry.clock, notice.recorded_at.astimezone(CHINA_TIME).date())
    except GatewayError:
        return None
