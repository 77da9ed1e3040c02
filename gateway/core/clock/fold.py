"""From the facts of a case to its clocks: pure, and the same whatever the order in which the facts became known.

A fact is applied by its own time. What makes a limit longer counts only if the ledger knew it before the limit had
passed; what makes it shorter counts at once. What is not known is never taken for the answer that gives more time: the
length is the shortest one, and a person whose custody is not known is counted as in custody, whose last day no holiday
moves.

Source: domain model, sections 0, 1.4 to 1.7 and 2.3 (column clock effect).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from gateway.core.clock.assume import assume_shortest
from gateway.core.clock.book import ClockBook, ClockKey, OpenBook
from gateway.core.clock.clock import (
    Clock,
    begin_clock,
    change_custody,
    extend_clock,
    find_due,
    name_part,
    resume_clock,
    revise_clock,
    suspend_clock,
)
from gateway.core.clock.due import Counting, Due, to_day
from gateway.core.clock.knowledge import CUSTODY, OF_EVENT, Knowledge
from gateway.core.clock.length import parse_length
from gateway.core.clock.rule import RECIPIENT, STEP, UNTIL, ClockRule
from gateway.core.clock.sending import find_sent
from gateway.core.clock.table import ClockTable
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.fact.fact import Fact, KnownFact
from gateway.core.fact.handed_on import LEFT
from gateway.core.fact.order import order_facts

INVESTIGATION: Final = "K11"
"""The limit that an identity which is not known keeps from running (CPL 160)."""
_ONE_STEP: Final = ("",)


class Problem(NamedTuple):
    """A fact that could not do to a clock what it says.

    Args:
        kind: of the fact.
        person: pseudonym; "" for the file.
        clock: id.
        code: why.
    """

    kind: str
    person: str
    clock: str
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class Fold:
    """What the facts of a case come to.

    Args:
        book: its clocks.
        custody: whether each person is in custody; None when not known.
        problems: facts that did not count, in the order in which they happened.
        origins: of each who was taken over from another case, that case and the pseudonym in it.
    """

    book: ClockBook
    custody: Mapping[str, bool | None]
    problems: tuple[Problem, ...]
    origins: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def fold_facts(facts: Iterable[KnownFact], table: ClockTable, counting: Counting) -> Fold:
    """Count the clocks of a case from its facts.

    Args:
        facts: of one case, in any order, some perhaps more than once.
        table: of clocks.
        counting: calendar and readings.

    Returns:
        the clocks, and what could not be applied.
    """
    folding = _Folding(table, counting, OpenBook(table))
    for known in order_facts(facts):
        folding.apply(known)
    persons = folding.persons
    return Fold(folding.book.close(), dict(persons.custody), tuple(folding.problems), dict(persons.origins))


@dataclass(slots=True)
class _Folding:
    table: ClockTable
    counting: Counting
    book: OpenBook
    persons: Knowledge = field(default_factory=Knowledge)
    problems: list[Problem] = field(default_factory=list)

    def apply(self, known: KnownFact) -> None:
        """Let a fact do what it does: to the person, to running clocks, then start what it starts."""
        fact = known.fact
        if fact.person in self.persons.left or (fact.kind == "identity_unknown" and self._is_known_late(known)):
            return
        self.persons.learn(fact)
        if fact.kind == LEFT:
            self._end_all(known)
            return
        if fact.kind in CUSTODY:
            self._change_custody(known, CUSTODY[fact.kind])
        self._revise(known)
        if fact.kind == "extended":
            self._extend(known)
        for kind in self.table.stopped_by.get(fact.kind, ()):
            self._stop(kind, known)
        if fact.kind in self.table.started_by:
            self._start_all(self.table.started_by[fact.kind], known)

    def _end_all(self, known: KnownFact) -> None:
        """The limits of whoever has left run in the case that has taken the person over."""
        for key in [key for key in self.book.running if key[0] == known.fact.person]:
            try:
                self.book.stop(key, known.fact.at)
            except GatewayError as error:
                self._report(known, key[1], error.code)

    def _is_known_late(self, known: KnownFact) -> bool:
        """Whether the limit that would not run for lack of an identity had passed before the ledger heard of it."""
        fact = known.fact
        try:
            rule = self.table.find(INVESTIGATION, to_day(fact.at))
            due = find_due(begin_clock(self.table, rule, fact.person, fact.at, in_custody=True), self.counting)
        except GatewayError as error:
            self._report(known, INVESTIGATION, error.code)
            return True
        is_late = due is None or due.is_past(known.known_at)
        if is_late:
            self._report(known, INVESTIGATION, ErrorCode.CLOCK_ACT_TOO_LATE)
        return is_late

    def _change_custody(self, known: KnownFact, in_custody: bool | None) -> None:
        person, at = known.fact.person, known.fact.at
        self.persons.custody[person] = in_custody
        for key, clock in list(self.book.running.items()):
            # A limit of hours is not moved by holidays, in custody or not.
            if key[0] != person or not clock.rule.is_of_person or clock.rule.unit == "h":
                continue
            # Not known counts as in custody, where no holiday moves the last day.
            self._attempt(
                known,
                key,
                lambda clock: change_custody(clock, at, in_custody=in_custody is not False),
                may_lengthen=in_custody is False and clock.rule.rolls,
            )

    def _revise(self, known: KnownFact) -> None:
        if not known.fact.inputs:
            return
        changed = {name: value for name, value in known.fact.inputs.items() if name not in OF_EVENT}
        if not changed:
            return
        for key, clock in list(self.book.running.items()):
            if key[0] != known.fact.person or not clock.rule.is_of_person or not clock.rule.inputs:
                continue
            inputs = {name: changed[name] for name in changed.keys() & clock.rule.inputs.keys()}
            if any(clock.inputs.get(name) != value for name, value in inputs.items()):
                self._attempt(
                    known,
                    key,
                    # The time of the act was checked by when it became known.
                    lambda clock, inputs=inputs: revise_clock(  # type: ignore[misc]
                        clock, inputs, known.fact.at, self.table, self.counting
                    ),
                    may_lengthen=True,
                )

    def _extend(self, known: KnownFact) -> None:
        fact, length = known.fact, known.fact.inputs.get("length")
        keys = [
            key
            for key, clock in self.book.running.items()
            if key[1] == fact.inputs.get("clock") and key[0] in {fact.person, self._subject(clock.rule, fact)}
        ]
        if not keys:
            self._report(known, str(fact.inputs.get("clock", "")), ErrorCode.CLOCK_NOT_RUNNING)
        for key in keys:
            self._attempt(
                known,
                key,
                lambda clock: extend_clock(
                    clock,
                    str(fact.inputs.get("extension", "")),
                    fact.at,
                    self.counting,
                    parse_length(str(length)) if length is not None else None,
                    until=fact.inputs.get(UNTIL),
                ),
                may_lengthen=True,
            )

    def _attempt(self, known: KnownFact, key: ClockKey, act: Callable[[Clock], Clock], *, may_lengthen: bool) -> None:
        """Do an act, unless it would make a limit longer that had passed when the ledger heard of it."""
        before = self.book.running[key]
        try:
            after = act(before)
        except GatewayError as error:
            self._report(known, key[1], error.code)
            return
        if may_lengthen and self._is_late(before, after, known.known_at):
            self._report(known, key[1], ErrorCode.CLOCK_ACT_TOO_LATE)
            return
        self.book.running[key] = after

    def _is_late(self, before: Clock, after: Clock, known_at: datetime) -> bool:
        due = self._due(before)
        if due is None or not due.is_past(known_at):
            return False
        longer = self._due(after)
        return longer is None or longer.expires_at > due.expires_at

    def _due(self, clock: Clock) -> Due | None:
        try:
            return find_due(clock, self.counting)
        except GatewayError:
            # A limit that cannot be counted, for lack of a year of holidays, has an end that nobody knows.
            return None

    def _stop(self, kind: str, known: KnownFact) -> None:
        fact = known.fact
        for key in [key for key in self.book.running if key[1] == kind]:
            clock = self.book.running[key]
            if not self._concerns(clock, known) or not _stops(clock, fact):
                continue
            other = clock.rule.becomes.get(fact.kind)
            try:
                if other is not None and (key[0], other, "") not in self.book.running:
                    self.book.switch(key, other, fact.at)
                else:
                    sent = find_sent(fact, clock.start, self.counting.settings.signed_send_hours)
                    self.book.stop(key, fact.at, rather=sent)
            except GatewayError as error:
                self._report(known, kind, error.code)
            else:
                self._resume_after(kind, known)

    def _resume_after(self, kind: str, known: KnownFact) -> None:
        if kind not in self.table.suspending:
            return
        for key, clock in list(self.book.running.items()):
            if clock.is_suspended and clock.suspensions[-1].by == kind and self._concerns(clock, known):
                self._attempt(known, key, lambda clock: resume_clock(clock, known.fact.at), may_lengthen=False)

    def _start_all(self, kinds: Iterable[str], known: KnownFact) -> None:
        fact, day = known.fact, to_day(known.fact.at)
        about: dict[str, Mapping[str, Any]] = {}
        for kind in kinds:
            try:
                rule = self.table.find(kind, day)
            except GatewayError as error:
                self._report(known, kind, error.code)
                continue
            if known.is_taken_over and not rule.is_of_person:
                continue
            for subject in self._subjects(rule, fact):
                facts = about.get(subject)
                if facts is None:
                    facts = about[subject] = {**self.persons.about.get(subject, {}), **fact.inputs}
                if not rule.guard.is_open and not rule.guard.lets(facts):
                    continue
                for step in self._steps(rule, fact, subject, facts) if rule.steps else _ONE_STEP:
                    self._start_one(rule, subject, step, known, facts)

    def _start_one(self, rule: ClockRule, subject: str, step: str, known: KnownFact, facts: Mapping[str, Any]) -> None:
        fact, part = known.fact, step
        inputs: dict[str, Any] = {}
        if rule.inputs:
            inputs = {name: facts[name] for name in facts if name in rule.inputs and name != STEP}
            if step:
                inputs[STEP] = step
            inputs = assume_shortest(rule, inputs)
            if recipient := inputs.get(RECIPIENT):
                part = name_part(step, recipient)
        key = (subject, rule.id, part)
        # The file and its accounts are nobody's custody; of a person it counts as custody when nobody knows.
        in_custody = self.persons.is_held(subject) if rule.is_of_person else None
        try:
            running = self.book.running.get(key)
            if running is None:
                self.book.start(rule, subject, fact.at, inputs, in_custody=in_custody)
            elif rule.restarts and to_day(fact.at) != to_day(running.start):
                self.book.reset(key, fact.at, inputs)
        except GatewayError as error:
            self._report(known, rule.id, error.code)
        else:
            if rule.id in self.table.suspending:
                for other, clock in list(self.book.running.items()):
                    if other[0] == subject and rule.id in clock.rule.suspended_by:
                        self._suspend(other, rule.id, known)
            for kind in rule.suspended_by:
                if (subject, kind, "") in self.book.running:
                    self._suspend(key, kind, known)

    def _suspend(self, key: ClockKey, by: str, known: KnownFact) -> None:
        """A clock stands still while the other one runs; one that had passed by then goes on having passed."""
        clock = self.book.running[key]
        if clock.is_suspended:
            return
        due = self._due(clock)
        if due is not None and due.is_past(known.known_at):
            self._report(known, key[1], ErrorCode.CLOCK_ACT_TOO_LATE)
            return
        self._attempt(
            known, key, lambda clock: suspend_clock(clock, by, known.fact.at, self.counting), may_lengthen=False
        )

    def _steps(self, rule: ClockRule, fact: Fact, subject: str, facts: Mapping[str, Any]) -> list[str]:
        found = [
            name
            for name, step in rule.steps.items()
            if fact.kind in step.starts and step.guard.lets(facts) and self._has_run(step.after, rule, subject)
        ]
        asked = fact.inputs.get(STEP)
        return [asked] if asked in found else found

    def _has_run(self, step: str, rule: ClockRule, subject: str) -> bool:
        clocks = [*self.book.running.values(), *self.book.ended]
        return not step or any(
            clock.person == subject and clock.rule.id == rule.id and clock.inputs.get(STEP) == step for clock in clocks
        )

    def _subject(self, rule: ClockRule, fact: Fact) -> str:
        return fact.person if rule.is_of_person or rule.is_of_account else ""

    def _subjects(self, rule: ClockRule, fact: Fact) -> list[str]:
        """Whose clock starts; of a fact about the file, the clock of every person that is known by then."""
        if fact.kind == "judgment_for_victims":
            return sorted(self.persons.victims)
        if rule.is_of_person and not fact.person:
            return sorted(self.persons.about)
        return [self._subject(rule, fact)]

    def _concerns(self, clock: Clock, known: KnownFact) -> bool:
        if clock.rule.is_of_person or clock.rule.is_of_account:
            return known.fact.person in ("", clock.person)
        return not known.is_taken_over

    def _report(self, known: KnownFact, clock: str, code: ErrorCode) -> None:
        self.problems.append(Problem(known.fact.kind, known.fact.person, clock, code))


def _stops(clock: Clock, fact: Fact) -> bool:
    """Whether an event of the row stops this one of its limits."""
    step = str(clock.inputs.get(STEP, ""))
    if clock.rule.steps and fact.kind not in clock.rule.steps[step].stops:
        return False
    asked, served = fact.inputs.get(STEP), fact.inputs.get(RECIPIENT)
    candidates = [name for name, item in clock.rule.steps.items() if fact.kind in item.stops]
    if asked in candidates and asked != step:
        return False
    return served is None or clock.inputs.get(RECIPIENT) in (None, served)
