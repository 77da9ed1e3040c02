"""Random acts drive the clocks and the judge too: no limit runs twice, and what is unknown does not become a yes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.clock.book import ClockBook
from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting, to_day
from gateway.core.clock.fold import fold_facts
from gateway.core.clock.table import load_clock_table
from gateway.core.command import Command
from gateway.core.dossier import Dossier, Point
from gateway.core.entry import EntryKind
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.fact.of_act import read_act_facts as read_handoff_facts
from gateway.core.handoff import Decided
from gateway.core.identity import parse_agency
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.outcome import Result
from gateway.core.judge.rule_set import load_rule_set
from gateway.core.procedure.track_cause import read_act_facts
from tests.support.bundle import make_statement
from tests.support.dossier import make_case, make_dossier
from tests.support.random_case import RandomCase
from tests.unit.core.procedure.test_state_machine import World, play

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)
RULES = load_rule_set()
NUMBER = "A9990010000002026010001"


class TimedWorld(World):
    """The core and the facts that its allowed acts tell."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, list[KnownFact]] = {}

    def act(self, command: Command) -> Decided | None:
        """Decide an act, and keep what it tells."""
        decided = super().act(command)
        if decided is not None and decided.entry.case:
            known = [KnownFact(fact, self.at, decided.entry.index) for fact in self._told(command, decided)]
            self.facts.setdefault(decided.entry.case, []).extend(known)
        return decided

    def _told(self, command: Command, decided: Decided) -> list[Fact]:
        tracks = self.cases[decided.entry.case].tracks
        if command.kind is EntryKind.STATED:
            assert command.cause is not None
            body = {"act": command.cause["act"]}
            statement = make_statement(body, NUMBER, created_at=self.at, occurred_at=self.at)
            return read_act_facts(statement, command.cause, tracks)
        assert decided.handoff is not None
        return read_handoff_facts(
            decided.handoff.kind,
            decided.entry.kind,
            self.at,
            receiver=parse_agency(decided.handoff.receiver).role,
            persons={name: {} for name in tracks.persons},
        )


def check_book(book: ClockBook) -> None:
    """No limit of a person runs twice at one time, and a supplementary investigation has two of them in all."""
    runs: dict[Any, list[Any]] = {}
    for clock in [*book.ended, *book.running.values()]:
        runs.setdefault(clock.key, []).append(clock)
    for found in runs.values():
        assert sum(clock.stopped_at is None for clock in found) <= 1
        ordered = sorted(found, key=lambda clock: (to_day(clock.start), clock.stopped_at is None))
        for first, second in pairwise(ordered):
            assert first.stopped_at is not None and to_day(first.stopped_at) <= to_day(second.start)
    of_returns = Counter(clock.person for clock in [*book.ended, *book.running.values()] if clock.rule.id == "K24")
    assert max(of_returns.values(), default=0) <= 2


def check_clocks(world: TimedWorld) -> set[str]:
    """Fold the facts of every case; which clocks there were."""
    seen: set[str] = set()
    for facts in world.facts.values():
        book = fold_facts(facts, TABLE, COUNTING).book
        check_book(book)
        seen |= {clock.rule.id for clock in [*book.ended, *book.running.values()]}
    return seen


@settings(deadline=None, max_examples=6)
@given(st.data())
def test_random_sequences_never_run_a_clock_twice(data: st.DataObject) -> None:
    """Whatever the order of acts, at every step the book has one run of a limit for a person at one time."""

    def choose(options: Any) -> Any:
        return data.draw(st.sampled_from(list(options)))

    world, draw = TimedWorld(), RandomCase(choose)
    for _ in range(4):
        play(world, draw, choose, 12)
        check_clocks(world)


def test_long_sequences_run_many_clocks_and_none_twice() -> None:
    """With a fixed seed enough limits start for the promise to mean something."""
    seen: set[str] = set()
    for seed in range(12):
        rng, world = random.Random(seed), TimedWorld()
        play(world, RandomCase(rng.choice), rng.choice, 150)
        seen |= check_clocks(world)
    assert len(seen) >= 8, seen


PERSON_FIELDS = (
    "birth", "health_blind", "health_deaf", "health_mute", "health_mental", "plea_guilty", "plea_accepts",
    "plea_consents", "plea_on", "proposal_penalty", "proposal_term", "recognizance_on", "decision_term",
)  # fmt: skip
CASE_FIELDS = ("category", "major_impact", "filed_on", "occurred_at", "indicted_on")


def without(dossier: Dossier, field: str) -> Dossier:
    """The dossier without one datum."""
    case = dossier.case
    if field in CASE_FIELDS:
        return replace(dossier, case=replace(case, **{field: None}))  # type: ignore[arg-type]
    (person, *others) = case.persons
    changed = replace(person, **{field: None})  # type: ignore[arg-type]
    return replace(dossier, case=replace(case, persons=(changed, *others)))


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from([Point.TRANSFER, Point.INDICTMENT, Point.HEARING]),
    st.lists(st.sampled_from([*PERSON_FIELDS, *CASE_FIELDS]), max_size=8, unique=True),
)
def test_unknown_never_becomes_eligible_while_nothing_is_added(point: Point, fields: list[str]) -> None:
    """Taking data away makes a case less certain at most: who is UNKNOWN, or INELIGIBLE, stays not ELIGIBLE."""
    dossier = make_dossier(point, case=make_case())
    was_open = False
    for field in fields:
        dossier = without(dossier, field)
        outcome = judge_dossier(RULES, dossier)
        assert not (was_open and outcome.result is Result.ELIGIBLE), field
        was_open = was_open or outcome.result is Result.UNKNOWN


def test_unknown_becomes_eligible_when_the_datum_is_added() -> None:
    """The promise above is about something: a field less is UNKNOWN, the field again is ELIGIBLE."""
    whole = make_dossier(Point.INDICTMENT, case=make_case())
    assert judge_dossier(RULES, whole).result is Result.ELIGIBLE
    assert judge_dossier(RULES, without(whole, "plea_consents")).result is Result.UNKNOWN
