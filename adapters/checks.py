"""Checks that need several fields; the same for every agency, because they look at the canonical case.

In a check an unreadable field, and one with a placeholder, has no value; a comparison that lacks a value is not made.

Source: agency interfaces, section 8.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from adapters.engine.field_iddoc import KIND, NUMBER, RESIDENT_CARD
from adapters.engine.finding import Noted
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import RowPlan
    from adapters.engine.scan import Scan

_ORGANISATION_MAY_STAND_ALONE: Final = frozenset(
    {"TRANSFER", "RETRANSFER", "INDICTMENT", "RETURN", "NON_PROSECUTION", "JUDGMENT"}
)
_PERIODS: Final = {
    "measure": (("measure.start", "measure.end"),),
    "recording": (("recording.start", "recording.end"),),
    "gap": (("gap.start", "gap.end"),),
    "freeze": (("freeze.from", "freeze.to"),),
    "person": (("decision.from", "decision.to"), ("execution.from", "execution.to")),
}
_IDENTITY: Final = ("victim.name", "victim.cid", "victim.phone")


class Checks:
    """The checks of one record.

    Args:
        scan: with the canonical root item.
        plan: of the record.
    """

    def __init__(self, scan: Scan, plan: RowPlan) -> None:
        self._scan = scan
        self._root = scan.root
        self._plan = plan

    def run(self, kind: str, sender_role: str, receiver_role: str) -> None:
        """Run all checks.

        Args:
            kind: canonical record kind.
            sender_role: ps, pr, ct or ja; "" when any will do.
            receiver_role: likewise.
        """
        root = self._root
        self._party("record.sender", sender_role)
        self._party("record.receiver", receiver_role)
        persons, orgs, victims = root.items("person"), root.items("org"), root.items("victim")
        if not persons and not (orgs and kind in _ORGANISATION_MAY_STAND_ALONE):
            self._missing_person()
        keys = self._keys(persons, orgs, victims)
        names: set[str] = set()
        for person in persons:
            self._person(person, names)
        for victim in victims:
            self._victim(victim)
        self._documents(keys)
        self._sum("property.total", "property", "property.value")
        self._sum("freeze.total", "freeze", "freeze.amount")
        for freeze in root.items("freeze"):
            self._periods(freeze)
        for thing in root.items("property"):
            self._reference(thing, "property.owner", keys)
        for orphan in self._scan.orphans:
            self._periods(orphan)

    def _note(self, code: ErrorCode, item: Item, name: str, *, is_warning: bool | None = None) -> None:
        source = item.sources.get(name, item.bad.get(name))
        if source is None:
            path = item.path + (item.plan.suffixes[name] if item.plan else "")
        else:
            path = self._scan.path_of(source if isinstance(source, int) else source[0])
        self._scan.noted.append(Noted(code, path, is_warning))

    def _party(self, name: str, role: str) -> None:
        organ = self._root.fields.get(name)
        if role and organ is not None and not organ.startswith(role + ":"):
            self._note(ErrorCode.PARTY_MISMATCH, self._root, name)

    def _missing_person(self) -> None:
        rows = next(rows for rows in self._plan.lists if "person" in rows.rows)
        self._scan.note(ErrorCode.MISSING_FIELD, self._scan.first_path(self._root, rows))

    def _keys(self, persons: list[Item], orgs: list[Item], victims: list[Item]) -> set[str]:
        seen: set[str] = set()
        known: set[str] = set()
        for items, name in ((persons, "person.key"), (orgs, "org.key"), (victims, "victim.key")):
            for item in items:
                key = item.fields.get(name)
                if key is None:
                    continue
                if key in seen:
                    self._note(ErrorCode.DUPLICATE_PERSON_KEY, item, name)
                seen.add(key)
                if name != "victim.key":
                    known.add(key)
        return known

    def _person(self, person: Item, names: set[str]) -> None:
        fields = person.fields
        name = fields.get("person.name")
        if name is not None:
            if name in names:
                self._note(ErrorCode.SAME_NAME_PERSONS, person, "person.name")
            names.add(name)
        birth = fields.get("person.birth")
        # A schema that has no birth date at all does not lack one.
        has_birth = person.plan is None or "person.birth" in person.plan.suffixes
        if has_birth and (birth is None or birth.day is None) and "person.birth" not in person.bad:
            self._note(ErrorCode.BIRTH_UNKNOWN, person, "person.birth")
        citizen = next(
            (
                document.fields[NUMBER]
                for document in person.items("id_doc")
                if document.fields.get(KIND) == RESIDENT_CARD and NUMBER in document.fields
            ),
            None,
        )
        if citizen is not None:
            is_warning = fields.get("person.birth_basis", "ID") != "ID"
            self._against_id(person, citizen, "person.birth", "person.sex", is_warning=is_warning)
        if fields.get("plea.accepts") is True and fields.get("plea.guilty") is False:
            self._note(ErrorCode.PLEA_INCONSISTENT, person, "plea.accepts")
        self._periods(person)
        latest: date | None = None
        for measure in person.items("measure"):
            self._periods(measure)
            start = measure.fields.get("measure.start")
            if start is not None:
                if latest is not None and _is_before(start, latest):
                    self._note(ErrorCode.MEASURE_ORDER, measure, "measure.start")
                latest = start

    def _against_id(self, item: Item, citizen: str, birth_name: str, sex_name: str, *, is_warning: bool) -> None:
        birth = item.fields.get(birth_name)
        if birth is not None:
            known = ((birth.year, citizen[6:10]), (birth.month, citizen[10:12]), (birth.day, citizen[12:14]))
            if any(part is not None and part != int(digits) for part, digits in known):
                self._note(ErrorCode.BIRTH_CONFLICTS_ID, item, birth_name, is_warning=is_warning)
        sex = item.fields.get(sex_name)
        if sex in ("1", "2") and int(sex) % 2 != int(citizen[16]) % 2:
            self._note(ErrorCode.SEX_CONFLICTS_ID, item, sex_name)

    def _victim(self, victim: Item) -> None:
        fields = victim.fields
        if "victim.sealed" not in victim.bad:
            needed = "victim.pseudonym" if fields.get("victim.sealed") else "victim.name"
            if needed not in fields and victim.plan is not None:
                self._scan.note(ErrorCode.MISSING_FIELD, victim.path + victim.plan.suffixes[needed])
        if fields.get("victim.sealed"):
            for name in _IDENTITY:
                if name in fields or name in victim.bad:
                    self._note(ErrorCode.SEALED_IDENTITY_PRESENT, victim, name)
        citizen = fields.get("victim.cid")
        if citizen is not None:
            self._against_id(victim, citizen, "victim.birth", "victim.sex", is_warning=False)

    def _documents(self, keys: set[str]) -> None:
        documents = self._root.items("document")
        seen: set[str] = set()
        for document in documents:
            key = document.fields.get("document.key")
            if key is not None:
                if key in seen:
                    self._note(ErrorCode.DUPLICATE_DOCUMENT_KEY, document, "document.key")
                seen.add(key)
            self._reference(document, "document.person", keys)
        count = self._root.fields.get("document.count")
        if count is not None and count != len(documents):
            self._note(ErrorCode.COUNT_MISMATCH, self._root, "document.count")
        for recording in self._root.items("recording"):
            self._periods(recording)
            self._reference(recording, "recording.transcript", seen)
            self._gaps(recording)

    def _gaps(self, recording: Item) -> None:
        start, end = recording.fields.get("recording.start"), recording.fields.get("recording.end")
        latest: datetime | None = None
        for gap in recording.items("gap"):
            self._periods(gap)
            gap_start, gap_end = gap.fields.get("gap.start"), gap.fields.get("gap.end")
            is_early = gap_start is not None and start is not None and gap_start < start
            is_late = gap_end is not None and end is not None and gap_end > end
            if is_early or is_late:
                self._note(ErrorCode.GAP_OUTSIDE_RECORDING, gap, "gap.start")
            if gap_start is not None and latest is not None and gap_start < latest:
                self._note(ErrorCode.GAPS_OVERLAP, gap, "gap.start")
            if gap_end is not None and (latest is None or gap_end > latest):
                latest = gap_end

    def _reference(self, item: Item, name: str, keys: set[str]) -> None:
        key = item.fields.get(name)
        if key is not None and key not in keys:
            self._note(ErrorCode.DANGLING_REFERENCE, item, name)

    def _sum(self, total_name: str, list_name: str, amount_name: str) -> None:
        total = self._root.fields.get(total_name)
        if total is None:
            return
        amounts: list[Any] = [item.fields.get(amount_name) for item in self._root.items(list_name)]
        if sum(amount or 0 for amount in amounts) != total:
            self._note(ErrorCode.SUM_MISMATCH, self._root, total_name, is_warning=None in amounts)

    def _periods(self, item: Item) -> None:
        for start_name, end_name in _PERIODS.get(item.scope, ()):
            start, end = item.fields.get(start_name), item.fields.get(end_name)
            if start is not None and end is not None and _is_before(end, start):
                self._note(ErrorCode.END_BEFORE_START, item, end_name)


def _is_before(one: date, other: date) -> bool:
    """Whether one is earlier; without a time in both, the dates decide."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one < other
    first = one.date() if isinstance(one, datetime) else one
    second = other.date() if isinstance(other, datetime) else other
    return first < second
