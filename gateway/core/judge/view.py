"""What the checks look at: a dossier with its documents and charges looked up once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from gateway.core.annex import Annex
from gateway.core.case.case import Charge, Document, Organisation, Person
from gateway.core.case.value import CHINA_TIME
from gateway.core.dossier import Dossier, Point
from gateway.core.judge.charge import ChargeRule, ChargeTable
from gateway.core.judge.setting import JudgeSettings

FAST: Final = "FAST"
SUITABLE_ANNEX: Final = "suitability-attestation"
"""Name of the annex by which an official says whether somebody is suitable (X08): ``persons`` with ``key``,
``suitable``, and for an organisation the flags of its plea."""
_STAGES: Final = {"PS": 1, "PR": 2, "CT": 3}


class Subject(NamedTuple):
    """Whom a rule is asked about.

    Args:
        path: canonical, ``person[1]``; "" for the case.
        key: of the person or organisation; "" for the case.
        person: None for an organisation and for the case.
        org: None for a person and for the case.
    """

    path: str
    key: str
    person: Person | None = None
    org: Organisation | None = None


WHOLE_CASE: Final = Subject("", "")


def to_day(at: date | datetime) -> date:
    """The day of an instant or of a day."""
    return at.date() if isinstance(at, datetime) else at


def to_china_day(instant: str) -> date:
    """The day in China of an instant as an annex has it, with its offset."""
    return datetime.fromisoformat(instant).astimezone(CHINA_TIME).date()


class View:
    """A dossier, prepared.

    Args:
        dossier: what is judged.
        settings: readings that an operator may choose.
        charges: table of charges.
    """

    __slots__ = ("_attested", "_by_code", "case", "charges", "dossier", "has_recordings", "is_fast", "on", "persons",
                 "point", "settings", "subjects")  # fmt: skip

    def __init__(self, dossier: Dossier, settings: JudgeSettings, charges: ChargeTable) -> None:
        case = dossier.case
        self.dossier = dossier
        self.case = case
        self.on = dossier.on
        self.point: Point = dossier.point
        self.settings = settings
        self.charges = charges
        self.is_fast = case.procedure == FAST
        self.persons = tuple(
            Subject(f"person[{at}]", person.key, person=person) for at, person in enumerate(case.persons, 1)
        )
        self.subjects = self.persons + tuple(
            Subject(f"org[{at}]", org.key, org=org) for at, org in enumerate(case.orgs, 1)
        )
        self._by_code: dict[str, list[tuple[str, Document]]] = {}
        for at, document in enumerate(case.documents, 1):
            self._by_code.setdefault(document.code, []).append((f"document[{at}].", document))
        for one in dossier.carried:
            if one.document is not None:
                self._by_code.setdefault(one.document.code, []).append((f"{one.path}#/", one.document))
        self.has_recordings = bool(case.recordings) or any(one.recording is not None for one in dossier.carried)
        self._attested: dict[str, Mapping[str, Any]] | None = None

    def documents(self, code: str, subject: Subject = WHOLE_CASE) -> list[tuple[str, Document]]:
        """Documents of a code, those of the record first, then unchanged ones that earlier bundles brought.

        Args:
            code: of the document.
            subject: whose; one that names nobody is everybody's when there is one defendant, else nobody's.

        Returns:
            each with the beginning of the path of its fields, ``document[3].`` or ``/unchanged/2#/``.
        """
        found = self._by_code.get(code, [])
        if not subject.key:
            return found
        is_alone = len(self.subjects) == 1
        return [entry for entry in found if entry[1].person == subject.key or (is_alone and entry[1].person is None)]

    def charges_of(self, subject: Subject) -> Iterator[tuple[str, Charge]]:
        """The charges of the latest stage at which some were named, each with its path."""
        owner = subject.person or subject.org
        named = owner.charges if owner is not None else ()
        latest = max((_STAGES.get(charge.stage or "", 0) for charge in named), default=0)
        for at, charge in enumerate(named, 1):
            if _STAGES.get(charge.stage or "", 0) == latest:
                yield f"{subject.path}.charge[{at}].law", charge

    def rule_of(self, charge: Charge) -> ChargeRule | None:
        """The wording of a charge that counts; None when it is unknown or was not in force, or the act has no day."""
        occurred = self.case.occurred_at
        if occurred is None:
            return None
        return self.charges.find(charge.law, to_day(occurred), self.on)

    def annexes(self, *names: str) -> Iterator[Annex]:
        """The annexes of some forms, in the order of the bundle."""
        return (annex for annex in self.dossier.annexes if annex.name in names)

    def annex_items(self, name: str, items: str, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What the annexes of a form list about a person.

        Args:
            name: of the form.
            items: of the list in it, whose items name their ``person``.
            key: of the person.

        Returns:
            each item with its path, such as ``/materials/3#/presences/0``.
        """
        for annex in self.annexes(name):
            for at, item in enumerate(annex.data.get(items, ())):
                if item.get("person") == key:
                    yield f"{annex.path}#/{items}/{at}", item

    def attestation(self, key: str) -> Mapping[str, Any]:
        """What an official attested of a defendant; empty when nothing was said."""
        if self._attested is None:
            self._attested = {}
            for annex in self.annexes(SUITABLE_ANNEX):
                self._attested.update({item["key"]: item for item in annex.data.get("persons", ())})
        return self._attested.get(key, {})
