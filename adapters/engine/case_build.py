"""From items to the typed canonical case and back: the names of both follow one rule.

``plea.on`` of a person is ``Person.plea_on``, ``person.birth`` is ``Person.birth``; fields of the record lose their
``record.`` or ``case.``; a Python keyword gets an underscore.
"""

from __future__ import annotations

import keyword
from dataclasses import fields as dataclass_fields
from typing import Any, Final

from adapters.engine.item import Item
from gateway.core.case import case as core

CLASSES: Final[dict[str, type[Any]]] = {
    "record": core.Case,
    "person": core.Person,
    "org": core.Organisation,
    "victim": core.Victim,
    "alias": core.Alias,
    "id_doc": core.IdDocument,
    "prior": core.PriorPenalty,
    "measure": core.Measure,
    "legal": core.LegalHelp,
    "charge": core.Charge,
    "sentence": core.Sentence,
    "property": core.Property,
    "freeze": core.Freeze,
    "document": core.Document,
    "recording": core.Recording,
    "gap": core.Gap,
    "officer": core.Officer,
    "supplement": core.Supplement,
}
LISTS: Final = {
    "person": "persons",
    "org": "orgs",
    "victim": "victims",
    "alias": "aliases",
    "id_doc": "id_docs",
    "prior": "priors",
    "measure": "measures",
    "legal": "legals",
    "charge": "charges",
    "sentence": "sentences",
    "property": "properties",
    "freeze": "freezes",
    "document": "documents",
    "recording": "recordings",
    "gap": "gaps",
    "officer": "officers",
    "supplement": "supplements",
}
"""Attribute that holds each canonical list."""
_LIST_OF_ATTRIBUTE: Final = {attribute: name for name, attribute in LISTS.items()}
_names: Final[dict[str, dict[str, str]]] = {scope: {} for scope in CLASSES}


def attribute_of(scope: str, name: str) -> str:
    """Attribute of a canonical field.

    Args:
        scope: canonical scope, ``record`` for the record.
        name: canonical field.

    Returns:
        the attribute of the class of the scope.
    """
    head, tail = name.split(".")
    is_own = head == scope or (scope == "record" and head in ("record", "case"))
    attribute = tail if is_own else f"{head}_{tail}"
    return attribute + "_" if keyword.iskeyword(attribute) else attribute


def to_case(item: Item) -> Any:
    """The typed object of an item and its lists; the item has every mandatory field."""
    scope = item.scope
    names = _names[scope]
    try:
        values = {names[name]: value for name, value in item.fields.items()}
    except KeyError:
        names.update((name, attribute_of(scope, name)) for name in item.fields)
        values = {names[name]: value for name, value in item.fields.items()}
    for name, items in item.lists.items():
        values[LISTS[name]] = tuple(to_case(entry) for entry in items)
    return CLASSES[scope](**values)


def from_case(case: Any, names: frozenset[str]) -> Item:
    """An item, without sources, of a typed object.

    Args:
        case: the case, or one of its parts.
        names: every canonical field that there is.

    Returns:
        the item with its lists.
    """
    scope = next(scope for scope, made in CLASSES.items() if made is type(case))
    item = Item(scope)
    # A field of the scope itself comes last and wins: ``org.nonpros_ground`` against ``nonpros.ground`` of a person.
    ordered = sorted(names, key=lambda name: name.startswith(f"{scope}."))
    by_attribute = {attribute_of(scope, name): name for name in ordered}
    for described in dataclass_fields(case):
        value = getattr(case, described.name)
        if described.name in _LIST_OF_ATTRIBUTE:
            if value:
                item.lists[_LIST_OF_ATTRIBUTE[described.name]] = [from_case(part, names) for part in value]
        elif value is not None:
            item.fields[by_attribute[described.name]] = value
    return item
