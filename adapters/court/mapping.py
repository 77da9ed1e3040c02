"""How court leaves are spelled, and the fields that have rules of their own.

Source: court interface, schema 1.1, sections 3 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from adapters.engine import value_amount, value_date, value_identity, value_text
from adapters.engine.codec import Unreadable
from adapters.engine.field import (
    KEPT,
    Cells,
    Field,
    Naming,
    ScalarField,
    SkippedField,
    SpecField,
    TermPartsField,
    scalar,
)
from adapters.engine.field_alias import alias_text
from adapters.engine.field_code import ChargeNameField, code
from adapters.engine.field_iddoc import first_document, iddoc
from adapters.engine.field_joined import JoinedField
from adapters.engine.fold import BLANK, Placeholder
from adapters.engine.item import Item
from adapters.engine.type_table import COMMON
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory, FieldSpec
    from adapters.engine.scan import Scan

_HEALTH_WORDS: Final = ("盲", "聋", "哑", "精神障碍")
_NONE: Final = "无"
_HEALTH_SEPARATOR: Final = re.compile("[、;；,，]")
_PLEAS: Final[dict[str, tuple[bool, bool | None]]] = {
    "1": (True, True),
    "2": (True, False),
    "3": (False, False),
    "4": (True, None),
    "5": (False, None),
}
_PLEA_CODES: Final[dict[tuple[bool, bool | None], str]] = {plea: text for text, plea in _PLEAS.items()}


class HealthField(JoinedField):
    """Four flags in one text: what is true by name, or 无 when all four are known to be false."""

    placeholder = Placeholder.MARKS

    def parse(self, text: str) -> Sequence[bool | None] | None:
        if text == _NONE:
            return [False] * len(self.names)
        words = _HEALTH_SEPARATOR.split(text)
        if not all(word in _HEALTH_WORDS for word in words):
            return None
        return [True if word in words else None for word in _HEALTH_WORDS]

    def compose(self, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        true = tuple(name for name in self.names if fields.get(name) is True)
        if true:
            words = (word for name, word in zip(self.names, _HEALTH_WORDS, strict=True) if name in true)
            return "、".join(words), true
        return (_NONE, self.names) if all(fields.get(name) is False for name in self.names) else None


class PleaField(JoinedField):
    """Admission and acceptance in one code; not admitting and accepting loses the acceptance."""

    refusal = ErrorCode.CODE_NOT_IN_TABLE

    def parse(self, text: str) -> Sequence[bool | None] | None:
        return _PLEAS.get(text)

    def compose(self, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        guilty, accepts = (fields.get(name) for name in self.names)
        if guilty is None:
            return None
        if guilty is False and accepts is True:
            accepts = None
        return _PLEA_CODES[guilty, accepts], self.names if accepts is not None else self.names[:1]


class GapTextField(SpecField):
    """All interruptions of a recording in one text; their reasons are not kept."""

    is_special = True

    def read(self, scan: Scan, item: Item) -> None:
        part = scan.part(item, self.leaves[0])
        if part is None:
            return
        index, text = part
        gaps = []
        for period in (text or "").split(";"):
            times = [value_date.read_court_instant(time.strip(BLANK)) for time in period.split("~")]
            if len(times) != 2 or any(isinstance(time, Unreadable) for time in times):
                scan.note_leaf(ErrorCode.BAD_FORMAT, index)
                item.bad.update(dict.fromkeys(self.names, index))
                return
            gap = Item("gap", item.path)
            for name, time in zip(self.names, times, strict=True):
                gap.set(name, time, index)
            gaps.append(gap)
        item.lists["gap"] = gaps
        scan.exact[index] = self._text(gaps) == scan.leaves[index][2]

    def _text(self, gaps: list[Item]) -> str:
        return ";".join("~".join(value_date.write_iso_instant(gap.fields[name]) for name in self.names) for gap in gaps)

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        gaps = [gap for gap in item.items("gap") if all(name in gap.fields for name in self.names)]
        if gaps:
            entries = tuple((gap, name, KEPT) for gap in gaps for name in self.names)
            cells[self.leaves[0].suffix] = (self._text(gaps), entries)


class JoinedReferenceField(ScalarField):
    """A reference to a person: the key in the case, the join id of its row in the file."""

    is_scalar = False

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec, value_text.REFERENCE)

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        join_id = naming.join_id(item.fields[self.name])
        if join_id is not None:
            cells[self.leaf.suffix] = (join_id, ((item, self.name, KEPT),))


def _open_code(spec: FieldSpec) -> Field:
    return ChargeNameField(spec) if spec.table == "charge" else code(spec)


FACTORIES: Final[dict[str, FieldFactory]] = {
    **COMMON,
    "courtno": scalar(value_text.FULL_WIDTH_COURTNO),
    "quantity": scalar(value_amount.QUANTITY),
    "date": scalar(value_date.COURT_DATE),
    "pdate": scalar(value_date.COURT_PARTIAL),
    "dt": scalar(value_date.COURT_INSTANT),
    "dtd": scalar(value_date.COURT_EITHER),
    "money": scalar(value_amount.COURT_YUAN),
    "flag": scalar(value_text.flag("是", "否")),
    "int": scalar(value_amount.COUNT),
    "code, open": _open_code,
    "join id": SkippedField,
    "join reference": SkippedField,
    "party": SkippedField,
    "reference to person": JoinedReferenceField,
    "first document": first_document(value_identity.FULL_WIDTH_CITIZEN),
    "iddoc": iddoc(value_identity.FULL_WIDTH_CITIZEN),
    "alias text": alias_text("、"),
    "health text": HealthField,
    "plea code": PleaField,
    "gap text": GapTextField,
    "term parts": TermPartsField,
}
