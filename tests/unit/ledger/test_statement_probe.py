"""Questions for statements that come together are asked together, and each is answered for itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.ledger.statement_probe import Question, StatementProbe

QUESTIONS = [Question(f"case-{number}", "", "legal-review", -1) for number in range(40)]


class FakeFetch:
    """Answers like the database, and remembers how many questions came together."""

    def __init__(self, existing: set[str]) -> None:
        self.existing = existing
        self.sizes: list[int] = []
        self.fault: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, _: str, cases: list[str], *rest: Any) -> list[Any]:
        self.sizes.append(len(cases))
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return [{"number": at} for at, case in enumerate(cases, 1) if case in self.existing]


async def test_probe_many_callers_at_once_each_gets_its_own_answer_in_few_queries() -> None:
    """Forty questions asked at once are at most two queries, and only the two that have statements hear yes."""
    fetch = FakeFetch({"case-3", "case-17"})
    answers = await asyncio.gather(
        *(StatementProbe.ask(probe, q) for probe in [StatementProbe(fetch)] for q in QUESTIONS)
    )
    assert [at for at, yes in enumerate(answers) if yes] == [3, 17]
    assert sum(fetch.sizes) == len(QUESTIONS) and len(fetch.sizes) <= 2


async def test_probe_question_during_a_query_waits_for_the_next_one() -> None:
    """Who asks while a query runs is answered by a later query, which sees what was committed meanwhile."""
    fetch = FakeFetch(set())
    probe = StatementProbe(fetch)
    fetch.gate.clear()
    first = asyncio.create_task(probe.ask(QUESTIONS[0]))
    await asyncio.sleep(0.01)
    fetch.existing.add("case-1")
    second = asyncio.create_task(probe.ask(QUESTIONS[1]))
    await asyncio.sleep(0)
    fetch.gate.set()
    assert (await first, await second) == (False, True) and fetch.sizes == [1, 1]


async def test_probe_unreachable_ledger_is_told_to_everybody_and_the_next_question_is_asked_anew() -> None:
    """A query that fails refuses all that it asked for, and is not remembered."""
    fetch = FakeFetch({"case-0"})
    probe = StatementProbe(fetch)
    fetch.fault = refuse(ErrorCode.LEDGER_UNAVAILABLE, message="away")
    answers = await asyncio.gather(*(probe.ask(question) for question in QUESTIONS[:3]), return_exceptions=True)
    assert all(isinstance(answer, GatewayError) for answer in answers)
    fetch.fault = None
    assert await probe.ask(QUESTIONS[0])


async def test_probe_caller_that_gives_up_leaves_the_others_answered() -> None:
    """A cancelled caller takes nobody with it."""
    fetch = FakeFetch({"case-1"})
    probe = StatementProbe(fetch)
    fetch.gate.clear()
    leaving, staying = (asyncio.create_task(probe.ask(question)) for question in QUESTIONS[:2])
    await asyncio.sleep(0.01)
    leaving.cancel()
    fetch.gate.set()
    assert await staying
    with pytest.raises(asyncio.CancelledError):
        await leaving
