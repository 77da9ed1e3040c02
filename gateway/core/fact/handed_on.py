"""Facts of persons whom a split or a merge takes into another case: their limits go along, and end where they ran.

The case that hands persons on tells ``handed_on`` and goes on counting. The case that takes them over tells
``taken_over`` and, in the same entry, what the first one knew of each by then, with the time since when it was known:
an extension that was in time stays in time. From the moment of ``taken_over`` nothing of them runs in the first case
(``left``, which is told by nobody: whoever reads the facts of that case finds it in the other one). So a limit runs in
one of the two at every moment, and a split that nobody takes over loses none. What the first case hears of the person
later, such as an assessment that was under way, counts in the other one (``with_linked``).

Limits of the file and of frozen accounts stay with the case that has them.

Source: domain model, section 2.3, T24 (clocks stay per person); SPP 459; SPC 220.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gateway.core.clock.due import to_latest
from gateway.core.errors import ErrorCode, refuse
from gateway.core.fact.fact import MAX_FACT_BYTES, MAX_FACTS, Fact, KnownFact, to_facts_bytes, to_moment_text
from gateway.core.fact.order import order_facts

HANDED_ON: Final = "handed_on"
TAKEN_OVER: Final = "taken_over"
LEFT: Final = "left"
KNOWN_AT: Final = "known_at"
_OF_LINK: Final = frozenset({HANDED_ON, TAKEN_OVER, LEFT})
_OF_VICTIMS: Final = "judgment_for_victims"


def to_known(fact: Fact, recorded_at: datetime, index: int = 0) -> KnownFact:
    """Read a fact of an entry, and of one that was taken over since when it was known before.

    Args:
        fact: as the entry has it.
        recorded_at: gateway time of the entry, aware.
        index: place of the entry in the ledger.
    """
    known_at = fact.inputs.get(KNOWN_AT)
    if known_at is None:
        return KnownFact(fact, recorded_at, index)
    inputs = {name: value for name, value in fact.inputs.items() if name != KNOWN_AT}
    return KnownFact(replace(fact, inputs=inputs), datetime.fromisoformat(known_at), index, is_taken_over=True)


def tell_handed_on(at: datetime, persons: Iterable[str], other: str, there: Iterable[str]) -> list[Fact]:
    """Tell that persons are to be in another case.

    Args:
        at: of the split or merge, aware.
        persons: pseudonyms.
        other: pseudonym of the other case.
        there: pseudonyms in it, in the same order.
    """
    return [
        Fact(kind=HANDED_ON, at=at, person=person, inputs={"to_case": other, "to_person": name})
        for person, name in zip(persons, there, strict=True)
    ]


def take_over(known: Iterable[KnownFact], *, other: str, case: str, at: datetime, events: frozenset[str]) -> list[Fact]:
    """Tell again, of the persons whom a case takes over, what the other case knows of them.

    Args:
        known: facts of the other case.
        other: its pseudonym.
        case: pseudonym of the case that takes over.
        at: when, aware.
        events: that start or stop a limit of a person; of the file only these are told, as of each person.

    Returns:
        the facts, each with the time since when it was known; empty when nobody was handed on to the case.

    Raises:
        GatewayError: TRANSITION_NOT_ALLOWED: more than one entry may have.
    """
    ordered = order_facts(known)
    names = {
        item.fact.person: str(item.fact.inputs["to_person"])
        for item in ordered
        if item.fact.kind == HANDED_ON and item.fact.inputs.get("to_case") == case
    }
    told = [
        Fact(kind=TAKEN_OVER, at=at, person=there, inputs={"from_case": other, "from_person": here})
        for here, there in names.items()
    ]
    for item in ordered:
        fact = item.fact
        if fact.kind in (HANDED_ON, LEFT):
            continue
        is_of_file = not fact.person and fact.kind in events and fact.kind != _OF_VICTIMS
        inputs = {**fact.inputs, KNOWN_AT: to_moment_text(item.known_at)}
        persons = names.values() if is_of_file else (names[fact.person],) if fact.person in names else ()
        told += [replace(fact, person=person, inputs=inputs) for person in persons]
    if len(told) > MAX_FACTS or len(to_facts_bytes(told)) > MAX_FACT_BYTES:
        what = "more is known of these persons than one entry may take over: hand them on in several cases"
        raise refuse(ErrorCode.TRANSITION_NOT_ALLOWED, "/body/other_case", what, "domain model 2.3")
    return told


def find_linked(known: Iterable[KnownFact]) -> frozenset[str]:
    """Cases, by pseudonym, to which a case has handed persons on, and those from which it has taken some over."""
    names = {HANDED_ON: "to_case", TAKEN_OVER: "from_case"}
    return frozenset(str(item.fact.inputs.get(names[item.fact.kind])) for item in known if item.fact.kind in names)


def with_linked(known: Iterable[KnownFact], case: str, linked: Mapping[str, Iterable[KnownFact]]) -> list[KnownFact]:
    """Add to the facts of a case what splits and merges leave in others.

    Args:
        known: facts of the case.
        case: its pseudonym.
        linked: facts of the cases of ``find_linked``, by pseudonym.

    Returns:
        the facts; ``left`` for each whom another case has taken over, at that time but never before the person was
        handed on; and what the case that handed a person on still hears of the person, such as an assessment that was
        under way.
    """
    own = list(known)
    return [*own, *_find_left(own, case, linked), *_find_heard(own, linked)]


def _find_left(own: list[KnownFact], case: str, linked: Mapping[str, Iterable[KnownFact]]) -> Iterator[KnownFact]:
    over: dict[tuple[str, Any], KnownFact] = {
        (name, item.fact.inputs["from_person"]): item
        for name, items in linked.items()
        for item in items
        if item.fact.kind == TAKEN_OVER and item.fact.inputs.get("from_case") == case
    }
    for item in own:
        found = over.get((str(item.fact.inputs.get("to_case")), item.fact.person))
        if item.fact.kind == HANDED_ON and found is not None:
            at = max(to_latest(item.fact.at), to_latest(found.fact.at))
            yield KnownFact(Fact(kind=LEFT, at=at, person=item.fact.person), found.known_at, found.index)


def _find_heard(own: list[KnownFact], linked: Mapping[str, Iterable[KnownFact]]) -> Iterator[KnownFact]:
    """What was told again already is the same fact, which counts once."""
    names = {
        (item.fact.inputs["from_case"], item.fact.inputs["from_person"]): item.fact.person
        for item in own
        if item.fact.kind == TAKEN_OVER and not item.is_taken_over
    }
    for name, items in linked.items():
        for item in items:
            there = names.get((name, item.fact.person))
            if there is not None and item.fact.kind not in _OF_LINK:
                yield replace(item, fact=replace(item.fact, person=there), is_taken_over=True)
