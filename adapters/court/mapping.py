"""How court leaves are spelled, and the fields that have rules of their own.

Source: court interface, schema 1.1, sections 3 and 4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from adapters.engine import value_amount, value_date, value_identity, value_text
from adapters.engine.codec import Unreadable
from adapters.engine.field import (
    KEPT,
    Cells,
    ConstantField,
    Field,
    Naming,
    ScalarField,
    SkippedField,
    TermPartsField,
    scalar,
)
from adapters.engine.field_alias import alias_text
from adapters.engine.field_code import ChargeNameField, code
from adapters.engine.field_iddoc import first_document, iddoc
from adapters.engine.fold import BLANK, Placeholder
from adapters.engine.item import Item
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory, FieldSpec, Leaf
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


class HealthField(Field):
    """Four flags in one text: what is true by name, or 无 when all four are known to be false."""

    def read(self, scan: Scan, item: Item) -> None:
        part = scan.part(item, self.leaves[0], Placeholder.MARKS)
        if part is None:
            return
        index, text = part
        if text == _NONE:
            for name in self.names:
                item.set(name, value=False, source=index)
            return
        words = _HEALTH_SEPARATOR.split(text or "")
        if not all(word in _HEALTH_WORDS for word in words):
            scan.note_leaf(ErrorCode.BAD_FORMAT, index)
            item.bad.update(dict.fromkeys(self.names, index))
            return
        for name, word in zip(self.names, _HEALTH_WORDS, strict=True):
            if word in words:
                item.set(name, value=True, source=index)

    def _written(self, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        true = tuple(name for name in self.names if fields.get(name) is True)
        if true:
            words = (word for name, word in zip(self.names, _HEALTH_WORDS, strict=True) if name in true)
            return "、".join(words), true
        return (_NONE, self.names) if all(fields.get(name) is False for name in self.names) else None

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        written = self._written(item.fields)
        if written is not None:
            cells[self.leaves[0].suffix] = (written[0], tuple((item, name, KEPT) for name in written[1]))

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        written = self._written(fields)
        return written is not None and bool(written[0] == raw)


class PleaField(Field):
    """Admission and acceptance in one code; not admitting and accepting loses the acceptance."""

    def read(self, scan: Scan, item: Item) -> None:
        part = scan.part(item, self.leaves[0])
        if part is None:
            return
        index, text = part
        plea = _PLEAS.get(text or "")
        if plea is None:
            scan.note_leaf(ErrorCode.CODE_NOT_IN_TABLE, index)
            item.bad.update(dict.fromkeys(self.names, index))
            return
        for name, value in zip(self.names, plea, strict=True):
            if value is not None:
                item.set(name, value, index)

    def _written(self, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        guilty, accepts = (fields.get(name) for name in self.names)
        if guilty is None:
            return None
        if guilty is False and accepts is True:
            accepts = None
        return _PLEA_CODES[guilty, accepts], self.names if accepts is not None else self.names[:1]

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        written = self._written(item.fields)
        if written is not None:
            cells[self.leaves[0].suffix] = (written[0], tuple((item, name, KEPT) for name in written[1]))

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        written = self._written(fields)
        return written is not None and bool(written[0] == raw)


class GapTextField(Field):
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
    "constant": ConstantField,
    "text": scalar(value_text.TEXT),
    "key": scalar(value_identity.KEY),
    "idtext": scalar(value_identity.IDTEXT),
    "division": scalar(value_identity.DIVISION),
    "uscc": scalar(value_identity.USCC),
    "policeno": scalar(value_text.POLICENO),
    "docno": scalar(value_text.DOCNO),
    "courtno": scalar(value_text.FULL_WIDTH_COURTNO),
    "bmsah": scalar(value_text.BMSAH),
    "sha256": scalar(value_identity.SHA256),
    "quantity": scalar(value_amount.QUANTITY),
    "date": scalar(value_date.COURT_DATE),
    "pdate": scalar(value_date.COURT_PARTIAL),
    "dt": scalar(value_date.COURT_INSTANT),
    "dtd": scalar(value_date.COURT_EITHER),
    "money": scalar(value_amount.COURT_YUAN),
    "flag": scalar(value_text.flag("是", "否")),
    "int": scalar(value_amount.COUNT),
    "code": code,
    "code, open": _open_code,
    "join id": SkippedField,
    "join reference": SkippedField,
    "party": SkippedField,
    "reference to person": JoinedReferenceField,
    "reference to document": scalar(value_text.REFERENCE),
    "first document": first_document(value_identity.FULL_WIDTH_CITIZEN),
    "iddoc": iddoc(value_identity.FULL_WIDTH_CITIZEN),
    "alias text": alias_text("、"),
    "health text": HealthField,
    "plea code": PleaField,
    "gap text": GapTextField,
    "term parts": TermPartsField,
}
