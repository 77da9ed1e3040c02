"""How procuratorate leaves are spelled, and the fields that have rules of their own.

Source: procuratorate interface, schema 2.0, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from adapters.codes.table import load_table
from adapters.engine import value_amount, value_date, value_identity, value_text
from adapters.engine.codec import Unreadable
from adapters.engine.field import KEPT, LOSSY, Cells, Naming, SpecField, scalar
from adapters.engine.field_code import code
from adapters.engine.field_iddoc import KIND, NUMBER, RESIDENT_CARD, iddoc
from adapters.engine.field_joined import JoinedField
from adapters.engine.item import Item
from adapters.engine.type_table import COMMON
from adapters.engine.value_term import SentenceText, parse_sentence, to_sentence
from adapters.engine.writer import Generated, Writer, own_items
from adapters.procuratorate.derived import DerivedChargeField, DerivedPersonsField

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory, FieldSpec, ListPlan
    from adapters.engine.scan import Scan


class SentenceField(JoinedField):
    """Penalty, term and probation in one text."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._penalties = load_table("penalty", spec.agency)

    def parse(self, text: str) -> Sequence[Any] | None:
        sentence = parse_sentence(text)
        if sentence is None:
            return None
        return self._penalties.standards[sentence.penalty], sentence.term, sentence.probation

    def compose(self, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        penalty, term, probation = self.names
        hit = self._penalties.written.get(fields.get(penalty, ""))
        if hit is None:
            return None
        text = to_sentence(SentenceText(hit[0], fields.get(term), fields.get(probation)))
        return text, tuple(name for name in self.names if name in fields)


def _card_of(person: Item) -> Item | None:
    return next((d for d in person.items("id_doc") if d.fields.get(KIND) == RESIDENT_CARD and NUMBER in d.fields), None)


class FirstCardField(SpecField):
    """The first resident identity card, which stands before all other documents."""

    is_special = True

    def read(self, scan: Scan, item: Item) -> None:
        part = scan.part(item, self.leaves[0])
        if part is None:
            return
        index, text = part
        card = Item("id_doc", item.path)
        if text is not None:
            number = value_identity.read_citizen(text)
            if isinstance(number, Unreadable):
                scan.note_leaf(number.code, index)
                return
            card.set(KIND, RESIDENT_CARD, index)
            card.set(NUMBER, number, index)
            item.lists.setdefault("id_doc", []).insert(0, card)
            scan.exact[index] = number == scan.leaves[index][2]

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        card = _card_of(item)
        if card is not None:
            loss = LOSSY if naming.is_moved(card) else KEPT
            cells[self.leaves[0].suffix] = (card.fields[NUMBER], ((card, KIND, loss), (card, NUMBER, loss)))


def mark_moved(writer: Writer) -> None:
    """Find the identity documents that change places: a card, and those that it passes.

    Args:
        writer: with the whole case.
    """
    for person in writer.root.items("person"):
        card = _card_of(person)
        documents = person.items("id_doc")
        if card is not None and documents[0] is not card:
            writer.set_moved(documents[: documents.index(card) + 1])


def other_documents(writer: Writer, rows: ListPlan, owner: Item) -> list[tuple[Item, Generated | None]]:
    """The items of a list; of identity documents all but the first card.

    Args:
        writer: with the whole case.
        rows: the list.
        owner: the record or one of its items.

    Returns:
        the items.
    """
    if rows.key != "id_doc":
        return own_items(writer, rows, owner)
    card = _card_of(owner)
    return [(document, None) for document in owner.items("id_doc") if document is not card]


FACTORIES: Final[dict[str, FieldFactory]] = {
    **COMMON,
    "quantity": scalar(value_amount.QUANTITY),
    "date": scalar(value_date.ISO_DATE),
    "pdate": scalar(value_date.PARTIAL),
    "dt": scalar(value_date.SPACED_INSTANT),
    "dtd": scalar(value_date.SPACED_EITHER),
    "money": scalar(value_amount.FEN),
    "flag": scalar(value_text.flag("Y", "N")),
    "int": scalar(value_amount.INTEGER),
    "code pair": code,
    "code pair, open": code,
    "sentence text": SentenceField,
    "first card": FirstCardField,
    "iddoc": iddoc(),
    "derived charge": DerivedChargeField,
    "derived persons": DerivedPersonsField,
}
