"""Identity documents: a kind by table and a number whose form depends on the kind.

Source: agency interfaces, section 5 (identity document); section 4 of each interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.engine.codec import Codec
from adapters.engine.field import KEPT, LOSSY, Cells, Naming, set_read
from adapters.engine.field_code import CodeField
from adapters.engine.item import Item
from adapters.engine.value_identity import CITIZEN, IDTEXT

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory, FieldSpec, Leaf
    from adapters.engine.scan import Scan

KIND: Final = "id_doc.kind"
NUMBER: Final = "id_doc.number"
RESIDENT_CARD: Final = "111"
"""Canonical kind whose number is a citizen id."""


class IdDocumentField(CodeField):
    """A document that is an item of a list.

    Args:
        spec: its lines of the field table.
        citizen: how the agency spells a citizen id.
    """

    def __init__(self, spec: FieldSpec, citizen: Codec = CITIZEN) -> None:
        super().__init__(spec)
        self.number = spec.leaves["number"]
        self._citizen = citizen
        self._needs_both = spec.is_mandatory
        # It says itself what is missing: which leaf depends on what is there.
        self.is_mandatory = False

    def read(self, scan: Scan, item: Item) -> None:
        self.read_into(scan, item, item)

    def absent(self, scan: Scan, item: Item) -> None:
        if self._needs_both:
            scan.missing(item, self.code)

    def read_into(self, scan: Scan, item: Item, document: Item) -> None:
        """Read the leaves of an item as the values of a document."""
        found = self.resolve(scan, item)
        self.keep(document, found)
        if found.value is None:
            if not found.is_bad and (self._needs_both or self.number.suffix in item.raw):
                scan.missing(item, self.code)
            return
        part = scan.part(item, self.number)
        if part is None:
            scan.missing(item, self.number)
        elif part[1] is None:
            document.bad[NUMBER] = part[0]
        else:
            set_read(scan, document, NUMBER, part[0], self.number_codec(found.value).read(part[1]))

    def number_codec(self, kind: Any) -> Codec:
        """How the number of a document of this kind is spelled."""
        return self._citizen if kind == RESIDENT_CARD else IDTEXT

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        if KIND not in item.fields or NUMBER not in item.fields:
            return
        loss = LOSSY if naming.is_moved(item) else KEPT
        self.put(cells, item, naming, loss)
        number = self.number_codec(item.fields[KIND]).write(item.fields[NUMBER])
        cells[self.number.suffix] = (number, ((item, NUMBER, loss),))

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        if leaf is self.number:
            return bool(self.number_codec(fields[KIND]).write(fields[NUMBER]) == raw)
        return super().is_exact(fields, leaf, raw)


class FirstDocumentField(IdDocumentField):
    """The leading document, among the leaves of the person."""

    is_special = True

    def read(self, scan: Scan, item: Item) -> None:
        document = Item("id_doc", item.path)
        self.read_into(scan, item, document)
        if document.fields:
            item.lists.setdefault("id_doc", []).insert(0, document)

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        documents = item.items("id_doc")
        if documents:
            super().write(cells, documents[0], naming)


def iddoc(citizen: Codec = CITIZEN) -> FieldFactory:
    """A factory of documents in lists."""
    return lambda spec: IdDocumentField(spec, citizen)


def first_document(citizen: Codec = CITIZEN) -> FieldFactory:
    """A factory of leading documents."""
    return lambda spec: FirstDocumentField(spec, citizen)
