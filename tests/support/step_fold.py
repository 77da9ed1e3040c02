"""Clocks from facts, one step after the other: a plain second way for tests, beside ``fold_facts``.

Every fact makes a new state of the values before; nothing is indexed, skipped or changed in place. It looks at every
row and every clock each time, so it is slow and there is little in it that can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.core.clock.assume import assume_shortest
from gateway.core.clock.clock import (
    Clock,
    change_custody,
    extend_clock,
    find_due,
    resume_clock,
    revise_clock,
    start_clock,
    stop_clock,
    suspend_clock,
)
from gateway.core.clock.due import Counting, Due, to_day
from gateway.core.clock.fold import Problem
from gateway.core.clock.knowledge import CUSTODY, MEASURES
from gateway.core.clock.length import parse_length
from gateway.core.clock.rule import ClockRule
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.fact.order import order_facts

OF_EVENT = {"step", "recipient", "clock", "extension", "length", "asset", "approver", "whole_account", "until"}
OF_NO_SUSPECT = {
    "frozen", "unrelated_found", "unrelated_lifted", "freeze_verified", "freeze_lifted", "extended",
    "victim_named", "victim_served",
}  # fmt: skip


class State(NamedTuple):
    """What is known after some facts; never changed, only replaced."""

    clocks: tuple[Clock, ...] = ()
    ended: tuple[Clock, ...] = ()
    custody: Mapping[str, bool | None] = {}
    about: Mapping[str, Mapping[str, Any]] = {}
    problems: tuple[Problem, ...] = ()
    victims: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()

    def put(self, before: Clock, *after: Clock) -> State:
        """Another clock in the place of one, or none."""
        found = [new for clock in self.clocks for new in (after if clock is before else (clock,))]
        return self._replace(clocks=tuple(found))

    def report(self, known: KnownFact, clock: str, code: ErrorCode) -> State:
        """What could not be applied."""
        problem = Problem(known.fact.kind, known.fact.person, clock, code)
        return self._replace(problems=(*self.problems, problem))


class Steps(NamedTuple):
    """The steps, with what they are counted by."""

    table: ClockTable
    counting: Counting

    def fold(self, facts: list[KnownFact]) -> State:
        """The state after all facts."""
        state = State()
        for known in order_facts(facts):
            state = self.step(state, known)
        return state

    def step(self, state: State, known: KnownFact) -> State:
        """The state after one more fact."""
        fact = known.fact
        if fact.person in state.left:
            return state
        if fact.kind == "left":
            return self.leave(state, known)
        if fact.kind == "identity_unknown":
            limit = self.due(start_clock(self.table, "K11", fact.person, fact.at, in_custody=True))
            if limit is None or limit.is_past(known.known_at):
                return state.report(known, "K11", ErrorCode.CLOCK_ACT_TOO_LATE)
        state = self.learn(state, fact)
        if fact.kind in CUSTODY:
            state = self.hold(state, known)
        state = self.revise(state, known)
        if fact.kind == "extended":
            state = self.extend(state, known)
        for kind in dict.fromkeys(row.id for row in self.table.rows if fact.kind in row.stops):
            state = self.stop(state, kind, known)
        for kind in dict.fromkeys(row.id for row in self.table.rows if fact.kind in row.starts):
            state = self.start(state, kind, known)
        return state

    def leave(self, state: State, known: KnownFact) -> State:
        """Another case has taken the person over: nothing of the person runs here any more."""
        at, person = known.fact.at, known.fact.person
        state = state._replace(about={name: about for name, about in state.about.items() if name != person})
        for clock in state.clocks:
            if clock.person != person:
                continue
            try:
                stopped = stop_clock(clock, at)
            except GatewayError as error:
                state = state.report(known, clock.rule.id, error.code)
            else:
                state = state.put(clock)._replace(ended=(*state.ended, stopped))
        return state._replace(left=state.left | {person})

    def learn(self, state: State, fact: Fact) -> State:
        """What the fact says of its person."""
        if fact.kind == "victim_named":
            return state._replace(victims=state.victims | {fact.person})
        if not fact.person or fact.kind in OF_NO_SUSPECT:
            return state
        about = dict(state.about.get(fact.person, {}))
        about |= {"procedure": "SUMMARY"} if fact.kind == "converted" else {}
        about |= {name: value for name, value in fact.inputs.items() if name not in OF_EVENT | {"measure"}}
        about |= {"procedure": "ORDINARY"} if fact.kind == "left_lane" else {}
        about |= {"measure": MEASURES[fact.kind]} if fact.kind in MEASURES else {}
        return state._replace(about={**state.about, fact.person: about})

    def attempt(
        self, state: State, known: KnownFact, clock: Clock, act: Callable[[Clock], Clock], *, longer: bool
    ) -> State:
        """An act on a clock; what makes it longer is late when the limit had passed before the ledger knew."""
        try:
            after = act(clock)
        except GatewayError as error:
            return state.report(known, clock.rule.id, error.code)
        old, new = self.due(clock), self.due(after)
        if longer and old is not None and old.is_past(known.known_at) and (new is None or new.at > old.at):
            return state.report(known, clock.rule.id, ErrorCode.CLOCK_ACT_TOO_LATE)
        return state.put(clock, after)

    def due(self, clock: Clock) -> Due | None:
        """Its end; None when it has none or nobody can count it."""
        try:
            return find_due(clock, self.counting)
        except GatewayError:
            return None

    def hold(self, state: State, known: KnownFact) -> State:
        """Custody began, ended, or is not known any more."""
        fact, held = known.fact, CUSTODY[known.fact.kind]
        state = state._replace(custody={**state.custody, fact.person: held})
        for clock in state.clocks:
            if clock.person == fact.person and clock.rule.is_of_person and clock.rule.unit != "h":
                act = _bind(change_custody, fact.at, in_custody=held is not False)
                state = self.attempt(state, known, clock, act, longer=held is False)
        return state

    def revise(self, state: State, known: KnownFact) -> State:
        """What a limit depends on has changed."""
        fact = known.fact
        for clock in state.clocks:
            names = [name for name in fact.inputs if name in clock.rule.inputs and name not in OF_EVENT]
            inputs = {name: fact.inputs[name] for name in names}
            is_new = any(clock.inputs.get(name) != value for name, value in inputs.items())
            if clock.person == fact.person and clock.rule.is_of_person and is_new:
                act = _bind(revise_clock, inputs, fact.at, self.table, self.counting)
                state = self.attempt(state, known, clock, act, longer=True)
        return state

    def extend(self, state: State, known: KnownFact) -> State:
        """A limit was made longer."""
        fact, length = known.fact, known.fact.inputs.get("length")
        named = [clock for clock in state.clocks if clock.rule.id == fact.inputs.get("clock")]
        found = [clock for clock in named if clock.person in (fact.person, self.subject(clock.rule, fact))]
        if not found:
            state = state.report(known, str(fact.inputs.get("clock", "")), ErrorCode.CLOCK_NOT_RUNNING)
        for clock in found:
            added = parse_length(length) if length else None
            name, until = str(fact.inputs.get("extension", "")), fact.inputs.get("until")
            act = _bind(extend_clock, name, fact.at, self.counting, added, until=until)
            state = self.attempt(state, known, clock, act, longer=True)
        return state

    def stop(self, state: State, kind: str, known: KnownFact) -> State:
        """Limits that the event ends, and those that go on because another one ended."""
        fact = known.fact
        for clock in state.clocks:
            if clock.rule.id != kind or not self.concerns(clock, fact) or not _is_stopped(clock, fact):
                continue
            try:
                stopped, other = stop_clock(clock, fact.at), clock.rule.becomes.get(fact.kind)
                follows = []
                if other and not any(item.key == (clock.person, other, "") for item in state.clocks):
                    new = start_clock(self.table, other, clock.person, clock.start, clock.inputs)
                    follows = [new._replace(custody=clock.custody, suspensions=clock.suspensions)]
            except GatewayError as error:
                state = state.report(known, kind, error.code)
                continue
            state = state.put(clock)._replace(ended=(*state.ended, stopped))
            state = state._replace(clocks=(*state.clocks, *follows))
            for stood in state.clocks:
                if stood.is_suspended and stood.suspensions[-1].by == kind and self.concerns(stood, fact):
                    state = self.attempt(state, known, stood, _bind(resume_clock, fact.at), longer=False)
        return state

    def start(self, state: State, kind: str, known: KnownFact) -> State:
        """Limits that the event begins."""
        fact = known.fact
        try:
            rule = self.table.find(kind, to_day(fact.at))
        except GatewayError as error:
            return state.report(known, kind, error.code)
        of_all = rule.is_of_person and not fact.person
        persons = sorted(state.about) if of_all else [self.subject(rule, fact)]
        for person in sorted(state.victims) if fact.kind == "judgment_for_victims" else persons:
            facts = {**state.about.get(person, {}), **fact.inputs}
            runs = {(item.person, item.rule.id, item.inputs.get("step")) for item in (*state.clocks, *state.ended)}
            steps = [
                name
                for name, step in rule.steps.items()
                if fact.kind in step.starts
                and step.guard.lets(facts)
                and (not step.after or (person, kind, step.after) in runs)
            ]
            asked = [fact.inputs["step"]] if fact.inputs.get("step") in steps else steps
            for name in (asked if rule.steps else [""]) if rule.guard.lets(facts) else []:
                state = self.begin(state, rule, person, name, known, facts)
        return state

    def begin(
        self, state: State, rule: ClockRule, person: str, step: str, known: KnownFact, facts: Mapping[str, Any]
    ) -> State:
        """One limit begins, or begins anew."""
        fact = known.fact
        inputs = {name: value for name, value in facts.items() if name in rule.inputs and name != "step"}
        inputs = assume_shortest(rule, {**inputs, **({"step": step} if step else {})})
        key = (person, rule.id, "/".join(part for part in (step, inputs.get("recipient")) if part))
        held = person not in state.victims and state.custody.get(person) is not False if rule.is_of_person else None
        running = next((clock for clock in state.clocks if clock.key == key), None)
        try:
            if running is None:
                clock = start_clock(self.table, rule.id, person, fact.at, inputs, in_custody=held)
                ended = [item for item in state.ended if item.key == key]
                if rule.max_runs is not None and len(ended) >= rule.max_runs:
                    return state.report(known, rule.id, ErrorCode.CLOCK_RUNS_EXHAUSTED)
                state = state._replace(clocks=(*state.clocks, clock))
            elif rule.restarts and to_day(fact.at) != to_day(running.start):
                facts, custody = {**running.inputs, **inputs}, running.custody[-1][1]
                clock = start_clock(self.table, rule.id, person, fact.at, facts, in_custody=custody)
                stopped = stop_clock(running, fact.at)
                state = state.put(running)._replace(ended=(*state.ended, stopped))
                state = state._replace(clocks=(*state.clocks, clock))
        except GatewayError as error:
            return state.report(known, rule.id, error.code)
        return self.suspend(state, person, rule.id, known)

    def suspend(self, state: State, person: str, started: str, known: KnownFact) -> State:
        """What stands still while another limit runs, as one of the two has just begun."""
        by = {clock.rule.id for clock in state.clocks if clock.person == person}
        for clock in state.clocks:
            found = [kind for kind in clock.rule.suspended_by if kind in by and started in (kind, clock.rule.id)]
            if clock.person != person or not found or clock.is_suspended:
                continue
            due = self.due(clock)
            if due is not None and due.is_past(known.known_at):
                state = state.report(known, clock.rule.id, ErrorCode.CLOCK_ACT_TOO_LATE)
                continue
            act = _bind(suspend_clock, found[0], known.fact.at, self.counting)
            state = self.attempt(state, known, clock, act, longer=False)
        return state

    def subject(self, rule: ClockRule, fact: Fact) -> str:
        """Whose limit a row is."""
        return fact.person if rule.is_of_person or rule.is_of_account else ""

    def concerns(self, clock: Clock, fact: Fact) -> bool:
        """Whether the event is one of this person, or of all."""
        return not (clock.rule.is_of_person or clock.rule.is_of_account) or fact.person in ("", clock.person)


def _bind(act: Callable[..., Clock], *args: Any, **names: Any) -> Callable[[Clock], Clock]:
    return lambda clock: act(clock, *args, **names)


def _is_stopped(clock: Clock, fact: Fact) -> bool:
    steps, own = clock.rule.steps, str(clock.inputs.get("step", ""))
    if steps and fact.kind not in steps[own].stops:
        return False
    asked = str(fact.inputs.get("step", ""))
    if asked in steps and fact.kind in steps[asked].stops and asked != own:
        return False
    return not fact.inputs.get("recipient") or clock.inputs.get("recipient") in (None, fact.inputs["recipient"])
