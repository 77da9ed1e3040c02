"""How police leaves are spelled: the type column of the field table, and the fields that have rules of their own.

Source: police interface, schema 3.2, sections 3 and 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.engine import value_amount, value_date, value_term, value_text
from adapters.engine.field import KEPT, Cells, Naming, scalar
from adapters.engine.field_alias import alias_text
from adapters.engine.field_code import CodeField, Resolved
from adapters.engine.field_iddoc import iddoc
from adapters.engine.type_table import COMMON
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import FieldFactory, FieldSpec, Leaf
    from adapters.engine.scan import Scan

_SURVEILLANCE: Final = "RS"
_DESIGNATED: Final = "RSD"


class MeasureField(CodeField):
    """A measure whose code 303 means designated residential surveillance when a second leaf says 1."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.designated = spec.leaves["designated"]

    def resolve(self, scan: Scan, item: Item) -> Resolved:
        found = super().resolve(scan, item)
        part = scan.part(item, self.designated)
        if part is None or part[1] is None:
            return found
        index, text = part
        if text not in ("0", "1"):
            scan.note_leaf(ErrorCode.BAD_FORMAT, index)
            return found
        if found.value is None:
            return found
        value = _DESIGNATED if found.value == _SURVEILLANCE and text == "1" else found.value
        return Resolved(value, (*found.sources, index))

    def put(self, cells: Cells, item: Item, naming: Naming, least: int) -> None:
        if item.fields[self.name] != _DESIGNATED:
            super().put(cells, item, naming, least)
            return
        entries = ((item, self.name, KEPT),)
        cells[self.code.suffix] = (self.table.written[_SURVEILLANCE][0], entries)
        cells[self.designated.suffix] = ("1", entries)

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        is_designated = fields[self.name] == _DESIGNATED
        if leaf is self.designated:
            return is_designated and bool(raw == "1")
        if is_designated:
            return bool(raw == self.table.written[_SURVEILLANCE][0])
        return super().is_exact(fields, leaf, raw)


FACTORIES: Final[dict[str, FieldFactory]] = {
    **COMMON,
    "quantity": scalar(value_amount.QUANTITY),
    "date": scalar(value_date.POLICE_DATE),
    "pdate": scalar(value_date.POLICE_PARTIAL),
    "dt": scalar(value_date.POLICE_INSTANT),
    "dtd": scalar(value_date.POLICE_EITHER),
    "money": scalar(value_amount.YUAN),
    "term": scalar(value_term.SIX_DIGITS),
    "flag": scalar(value_text.flag("1", "0")),
    "int": scalar(value_amount.COUNT),
    "alias text": alias_text(";"),
    "iddoc": iddoc(),
    "measure": MeasureField,
}
