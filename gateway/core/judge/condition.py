"""When a document belongs into a file.

Source: domain model, section 2.4 (condition of a document).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.core.case.case import Measure, Person
from gateway.core.judge.row import Condition
from gateway.core.judge.view import Subject, View, to_day
from gateway.core.route import RecordKind

_CUSTODY: Final = frozenset({"DETAIN", "ARREST"})
_DEFENDERS: Final = frozenset({"RETAINED", "AID"})


def current_measure(view: View, person: Person) -> tuple[int, Measure] | None:
    """The measure that a person is under on the day of the proceeding, with its number from 1; None for none."""
    found = None
    for at, measure in enumerate(person.measures, 1):
        if to_day(measure.start) <= view.on and (measure.end is None or to_day(measure.end) >= view.on):
            found = at, measure
    return found


def _in_custody(view: View, subject: Subject) -> bool:
    current = current_measure(view, subject.person) if subject.person is not None else None
    return current is not None and current[1].kind in _CUSTODY


def _measured(view: View, subject: Subject) -> bool:
    person = subject.person
    return person is not None and any(measure.kind != "SUMMON" for measure in person.measures)


def _summoned(view: View, subject: Subject) -> bool:
    person = subject.person
    return person is not None and any(measure.kind == "SUMMON" for measure in person.measures)


def _probation(view: View, subject: Subject) -> bool:
    return any(
        person.proposal_probation is not None or person.proposal_penalty == "CONTROL" for person in view.case.persons
    )


def _opinion(view: View, subject: Subject) -> bool:
    return any(
        legal.kind in _DEFENDERS and legal.opinion is not None
        for person in view.case.persons
        for legal in person.legals
    )


def _property(view: View, subject: Subject) -> bool:
    case = view.case
    return bool(case.properties or case.freezes or case.property_total or case.freeze_total)


CONDITIONS: Final[Mapping[str, Condition]] = {
    "always": lambda view, subject: True,
    "never": lambda view, subject: False,
    "fast": lambda view, subject: view.is_fast,
    "measured": _measured,
    "summoned": _summoned,
    "in_custody": _in_custody,
    "property": _property,
    "moved": lambda view, subject: any(item.disposal == "TRANSFER" for item in view.case.properties),
    "settled": lambda view, subject: any(victim.settled for victim in view.case.victims),
    "opinion": _opinion,
    "returned": lambda view, subject: bool(view.case.return_round or view.case.return_no),
    "retransfer": lambda view, subject: view.case.kind == RecordKind.RETRANSFER,
    "unproposed": lambda view, subject: subject.person is not None and subject.person.proposal_penalty is None,
    "probation": _probation,
}
"""Conditions that a row of ``documents.yaml`` may name."""
