"""Texts that the procuratorate derives from the fields for its old screens: written, compared, never read.

Source: procuratorate interface, schema 2.0, section 4.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from adapters.codes.table import load_table
from adapters.engine.field import Cells, Naming, SpecField
from adapters.engine.fold import BLANK
from adapters.engine.value_date import write_partial
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import FieldSpec
    from adapters.engine.scan import Scan

_AGENCY: Final = "procuratorate"
_POLICE_STAGE: Final = "PS"


def _first_party(root: Item) -> Item | None:
    return next(iter(root.items("person") or root.items("org")), None)


def derive_charge(root: Item) -> tuple[str, str] | None:
    """Code and name of the first charge of the police stage, None when it is not in the table."""
    party = _first_party(root)
    for charge in party.items("charge") if party else ():
        if charge.fields.get("charge.stage") == _POLICE_STAGE:
            table = load_table("charge", _AGENCY)
            law = charge.fields.get("charge.law")
            hit = table.written.get(law) if isinstance(law, str) else None
            return (hit[0], table.names[hit[0]]) if hit else None
    return None


def derive_persons(root: Item) -> str | None:
    """Name, sex and birth of all persons, None when there are fewer than two."""
    persons = root.items("person")
    if len(persons) < 2:
        return None
    words = load_table("sex", _AGENCY).written
    parts = []
    for person in persons:
        sex = words[person.fields.get("person.sex", "0")][0]
        birth = person.fields.get("person.birth")
        parts.append(f"{person.fields.get('person.name', '')}（{sex}，{write_partial(birth) if birth else '不详'}）")
    return "；".join(parts)


class DerivedField(SpecField, ABC):
    """A derived text: compared with the fields once all of them are read."""

    is_special = True

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.is_mandatory = False

    @abstractmethod
    def derive(self, root: Item) -> tuple[str, ...] | None:
        """The texts of its leaves, None when they are not written."""

    @abstractmethod
    def is_uncertain(self, root: Item) -> bool:
        """Whether a field that it is made from is unreadable."""

    def read(self, scan: Scan, item: Item) -> None:
        """Nothing: it holds no value of its own."""

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        for leaf, text in zip(self.leaves, self.derive(item) or (), strict=False):
            cells[leaf.suffix] = (text, ())

    def compare(self, scan: Scan) -> None:
        """Say which of its leaves differ from what would be written."""
        texts = self.derive(scan.root) or (None,) * len(self.leaves)
        is_uncertain = self.is_uncertain(scan.root)
        for leaf, text in zip(self.leaves, texts, strict=True):
            index = scan.root.raw.get(leaf.suffix)
            if index is None:
                continue
            raw = scan.leaves[index][2]
            if raw.__class__ is not str:
                scan.note_leaf(ErrorCode.BAD_FORMAT, index)
            elif raw.strip(BLANK) != text and not is_uncertain:
                scan.note_leaf(ErrorCode.DERIVED_CONFLICT, index)


class DerivedChargeField(DerivedField):
    """``YSAY_AYDM`` and ``YSAY_AYMC``."""

    def derive(self, root: Item) -> tuple[str, ...] | None:
        return derive_charge(root)

    def is_uncertain(self, root: Item) -> bool:
        party = _first_party(root)
        charges = party.items("charge") if party else []
        return any(name in charge.bad for charge in charges for name in ("charge.stage", "charge.law"))


class DerivedPersonsField(DerivedField):
    """``TARYXX``."""

    def derive(self, root: Item) -> tuple[str, ...] | None:
        text = derive_persons(root)
        return None if text is None else (text,)

    def is_uncertain(self, root: Item) -> bool:
        names = ("person.name", "person.sex", "person.birth")
        return any(name in person.bad for person in root.items("person") for name in names)


def check_derived(scan: Scan) -> None:
    """Compare the derived texts of a file with its fields.

    Args:
        scan: a reading whose canonical items are complete.
    """
    plan = scan.root.plan
    for made in plan.fields if plan else ():
        if isinstance(made, DerivedField):
            made.compare(scan)
