"""Facts of persons whom a split or a merge takes into another case: their limits go along, and end where they ran.

The case that hands persons on tells ``handed_on`` and goes on counting. The case that takes them over tells
``taken_over`` and, in the same entry, what the first one knew of each by then, with the time since when it was known:
an extension that was in time stays in time. From the moment of ``taken_over`` nothing of them runs in the first case
(``left``, which is told by nobody: whoever reads the facts of that case finds it in the other one). So a limit runs in
one of the two at every moment, and a split that nobody takes over loses none.

Limits of the file and of frozen accounts stay with the case that has them.

Source: domain model, section 2.3, T24 (clocks stay per person); SPP 459; SPC 220.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def find_takers(known: Iterable[KnownFact]) -> frozenset[str]:
    """Cases, by pseudonym, to which a case has handed persons on."""
    return frozenset(str(item.fact.inputs["to_case"]) for item in known if item.fact.kind == HANDED_ON)


def with_left(known: Iterable[KnownFact], case: str, taken: Mapping[str, Iterable[KnownFact]]) -> list[KnownFact]:
    """Add to the facts of a case who has left it, because another case has taken the person over.

    Args:
        known: facts of the case.
        case: its pseudonym.
        taken: facts of the cases of ``find_takers``, by pseudonym.

    Returns:
        the facts, and ``left`` for each who was taken over, at that time but never before the person was handed on.
    """
    facts = list(known)
    over: dict[tuple[str, Any], KnownFact] = {
        (name, item.fact.inputs["from_person"]): item
        for name, items in taken.items()
        for item in items
        if item.fact.kind == TAKEN_OVER and item.fact.inputs.get("from_case") == case
    }
    for item in list(facts):
        found = over.get((str(item.fact.inputs.get("to_case")), item.fact.person))
        if item.fact.kind == HANDED_ON and found is not None:
            at = max(to_latest(item.fact.at), to_latest(found.fact.at))
            facts.append(KnownFact(Fact(kind=LEFT, at=at, person=item.fact.person), found.known_at, found.index))
    return facts
