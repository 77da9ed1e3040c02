"""Ten rounds of what ``make crash`` plays by the hundred."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.round import begin, play
from tests.crash.world import Victim, World, open_world

ROUNDS = 10


@pytest.fixture
def world() -> Iterator[World]:
    """A log at work, with everything of its own: no other test may meet a database that dies."""
    with open_world() as world:
        yield world


@pytest.mark.timeout(300)  # a minute where the machine is not busy with other tests
async def test_log_with_processes_killed_under_load_keeps_every_promise(world: World) -> None:
    """Whoever is killed, what was acknowledged is there once, and every receipt and every seal says so."""
    outcome = begin(world)
    await play(world, ROUNDS, seed=5, outcome=outcome, tell=print)
    assert outcome.to_line().startswith(f"rounds={ROUNDS} acknowledged=")
    assert outcome.to_line().endswith(" lost=0 doubled=0 lying_receipts=0")
    assert outcome.killed.keys() == set(Victim)
    assert outcome.in_doubt, "no kill met a call on its way; the rounds proved nothing"
    assert outcome.sealed >= ROUNDS
