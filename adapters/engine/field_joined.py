"""Several canonical values in the text of one leaf: a subclass says which text stands for which values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adapters.engine.field import KEPT, Cells, Naming, SpecField
from adapters.engine.fold import Placeholder
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.item import Item
    from adapters.engine.plan import Leaf
    from adapters.engine.scan import Scan


class JoinedField(SpecField, ABC):
    """A field whose values are read from one text, and written into it, together."""

    placeholder = Placeholder.ALL
    refusal = ErrorCode.BAD_FORMAT

    @abstractmethod
    def parse(self, text: str) -> Sequence[Any] | None:
        """A value for each canonical name, None where the text says nothing of it; None when it says nothing at all."""

    @abstractmethod
    def compose(self, fields: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
        """The text for the values of an item and the names of those that are in it; None when there is no text."""

    def read(self, scan: Scan, item: Item) -> None:
        part = scan.part(item, self.leaves[0], self.placeholder)
        if part is None:
            return
        index, text = part
        values = self.parse(text) if text is not None else None
        if values is None:
            if text is not None:
                scan.note_leaf(self.refusal, index)
            item.bad.update(dict.fromkeys(self.names, index))
            return
        for name, value in zip(self.names, values, strict=True):
            if value is not None:
                item.set(name, value, index)

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        composed = self.compose(item.fields)
        if composed is not None:
            cells[self.leaves[0].suffix] = (composed[0], tuple((item, name, KEPT) for name in composed[1]))

    def is_exact(self, fields: dict[str, Any], leaf: Leaf, raw: Any) -> bool:
        composed = self.compose(fields)
        return composed is not None and bool(composed[0] == raw)
