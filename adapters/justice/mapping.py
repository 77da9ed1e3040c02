"""How judicial-administration leaves are spelled, and which persons, charges and pages a task needs.

Source: justice interface, schema 1.4, sections 3 and 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.engine import value_amount, value_date, value_term
from adapters.engine.field import scalar
from adapters.engine.field_iddoc import first_document
from adapters.engine.type_table import COMMON
from adapters.engine.writer import Generated, Writer, own_items

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import FieldFactory, ListPlan

_NEEDED_PAGES: Final = {
    "ASSESSMENT_REQUEST": frozenset({"D16", "D20", "D41", "D43", "D44"}),
    "EXECUTION": frozenset({"D50", "D51", "D52"}),
}
_CONCERNED_BY: Final = {"ASSESSMENT_REQUEST": "proposal", "EXECUTION": "decision"}
_STAGES: Final = ("CT", "PR", "PS")

FACTORIES: Final[dict[str, FieldFactory]] = {
    **COMMON,
    "date": scalar(value_date.SLASH_DATE),
    "pdate": scalar(value_date.SLASH_PARTIAL),
    "dt": scalar(value_date.MILLISECONDS),
    "money": scalar(value_amount.TWO_DECIMALS),
    "term": scalar(value_term.PERIOD),
    "int": scalar(value_amount.INTEGER),
    "first document": first_document(),
}


def _is_concerned(person: Item, prefix: str) -> bool:
    return f"{prefix}.probation" in person.fields or person.fields.get(f"{prefix}.penalty") == "CONTROL"


def _subjects(writer: Writer) -> list[Item]:
    persons = writer.root.items("person")
    prefix = _CONCERNED_BY.get(writer.kind)
    if prefix is None:
        return persons
    return [person for person in persons if _is_concerned(person, prefix)] or persons


def _latest_charges(person: Item) -> list[Item]:
    charges = person.items("charge")
    stages = {charge.fields.get("charge.stage") for charge in charges}
    latest = next((stage for stage in _STAGES if stage in stages), None)
    return [charge for charge in charges if charge.fields.get("charge.stage") == latest]


def _needed_pages(writer: Writer) -> list[Item]:
    documents = writer.root.items("document")
    codes = _NEEDED_PAGES.get(writer.kind)
    if codes is None:
        return documents
    keys = {None} | {subject.fields.get("person.key") for subject in _subjects(writer)}
    return [
        document
        for document in documents
        if document.fields.get("document.code") in codes and document.fields.get("document.person") in keys
    ]


def needed_items(writer: Writer, rows: ListPlan, owner: Item) -> list[tuple[Item, Generated | None]]:
    """The items of a list that the task needs.

    Args:
        writer: with the whole case and its kind.
        rows: the list.
        owner: the record or a subject.

    Returns:
        the items; the others are withheld.
    """
    if rows.key == "person":
        items = _subjects(writer)
    elif rows.key == "charge":
        items = _latest_charges(owner)
    elif rows.key == "document":
        items = _needed_pages(writer)
    else:
        return own_items(writer, rows, owner)
    return [(item, None) for item in items]
