"""Aliases in one text: split at separators, joined with the one that the agency writes.

Source: agency interfaces, section 5 (alias texts); section 4 of the police and court interfaces.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adapters.engine.field import KEPT, LOSSY, Cells, Entry, Naming, SpecField
from adapters.engine.fold import BLANK, Placeholder, is_placeholder
from adapters.engine.item import Item
from adapters.engine.value_text import read_text
from gateway.core.errors import ErrorCode

if TYPE_CHECKING:
    from adapters.engine.plan import FieldFactory, FieldSpec
    from adapters.engine.scan import Scan

NAME: Final = "alias.name"
_SEPARATOR: Final = re.compile("[;；、,，/]")


def split_aliases(text: str) -> list[str]:
    """The aliases of a text; empty and placeholder items are none.

    Args:
        text: the whole text.

    Returns:
        the aliases in order.
    """
    items = (part.strip(BLANK) for part in _SEPARATOR.split(text))
    return [part for part in items if part and not is_placeholder(part, Placeholder.MARKS)]


class AliasTextField(SpecField):
    """All aliases of a person in one leaf.

    Args:
        spec: its line of the field table.
        joiner: the separator that the agency writes.
    """

    is_special = True

    def __init__(self, spec: FieldSpec, joiner: str) -> None:
        super().__init__(spec)
        self._joiner = joiner

    def read(self, scan: Scan, item: Item) -> None:
        # Separators are looked at before placeholders: "/" alone is a separator, and a text of separators is nothing.
        part = scan.part(item, self.leaves[0], Placeholder.NEVER)
        if part is None:
            return
        index, text = part
        if text is None:
            item.bad[NAME] = index
            return
        if is_placeholder(text, Placeholder.MARKS) or self._is_all_placeholders(text):
            scan.note_leaf(ErrorCode.PLACEHOLDER_VALUE, index)
            return
        names = split_aliases(read_text(text))
        for name in names:
            alias = Item("alias", item.path)
            alias.set(NAME, name, index)
            item.lists.setdefault("alias", []).append(alias)
        scan.exact[index] = self._joiner.join(names) == scan.leaves[index][2]

    @staticmethod
    def _is_all_placeholders(text: str) -> bool:
        parts = [part.strip(BLANK) for part in _SEPARATOR.split(text)]
        return any(parts) and not split_aliases(text)

    def write(self, cells: Cells, item: Item, naming: Naming) -> None:
        entries: list[Entry] = []
        names = []
        for alias in item.items("alias"):
            name = alias.fields.get(NAME)
            if name is None:
                continue
            names.append(name)
            read_back = split_aliases(name)
            if read_back:
                entries.append((alias, NAME, KEPT if read_back == [name] else LOSSY))
        if entries:
            cells[self.leaves[0].suffix] = (self._joiner.join(names), tuple(entries))


def alias_text(joiner: str) -> FieldFactory:
    """A factory of alias texts."""
    return lambda spec: AliasTextField(spec, joiner)
