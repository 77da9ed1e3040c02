"""One reading in progress: the leaves in document order, the items, the findings so far."""

from __future__ import annotations

from typing import Any, Final

from adapters.engine.codec import BAD_FORMAT, Unreadable
from adapters.engine.finding import Noted
from adapters.engine.fold import BLANK, SUSPECT, Placeholder, is_placeholder
from adapters.engine.item import Item
from adapters.engine.plan import UNKNOWN_LEAF, Leaf, ListPlan, RowPlan
from gateway.core.errors import ErrorCode

MOST_DEPTH: Final = 64
MOST_LEAVES: Final = 65_536
MOST_MEMBERS: Final = 1_024
"""Attributes of one element, or members of one object."""
MOST_FINDINGS: Final = 10_000


class LimitExceededError(Exception):
    """The file is deeper or longer than is accepted."""


class Scan:
    """The state of one reading.

    Args:
        is_xml: notation of paths.
    """

    __slots__ = ("exact", "is_xml", "leaves", "noted", "orphans", "root")

    def __init__(self, *, is_xml: bool) -> None:
        self.is_xml = is_xml
        self.leaves: list[tuple[str, Leaf, Any]] = []
        self.noted: list[Noted] = []
        self.exact: dict[int, bool] = {}
        self.orphans: list[Item] = []
        self.root = Item("record")

    def note(self, code: ErrorCode, path: str) -> None:
        """Note a finding at a path."""
        self.noted.append(Noted(code, path))

    def path_of(self, index: int) -> str:
        """Path of a leaf."""
        prefix, leaf, _ = self.leaves[index]
        return prefix + leaf.suffix

    def note_leaf(self, code: ErrorCode, index: int) -> None:
        """Note a finding at a leaf."""
        self.noted.append(Noted(code, self.path_of(index)))

    def missing(self, item: Item, leaf: Leaf) -> None:
        """Note that a leaf should be there."""
        self.noted.append(Noted(ErrorCode.MISSING_FIELD, item.path + leaf.suffix))

    def unknown(self, path: str, raw: Any) -> None:
        """Keep a leaf that the interface does not have."""
        self.leaves.append((path, UNKNOWN_LEAF, raw))
        self.noted.append(Noted(ErrorCode.UNKNOWN_FIELD, path))
        self.check_limits()

    def check_limits(self) -> None:
        """Stop when the file has more leaves or findings than anybody would look at."""
        if len(self.leaves) > MOST_LEAVES or len(self.noted) > MOST_FINDINGS:
            raise LimitExceededError

    def leaf(self, item: Item, leaf: Leaf, raw: Any, text: Any) -> None:
        """Keep a leaf and, if its field has no other, read it.

        Args:
            item: that it belongs to.
            leaf: of the interface.
            raw: its text with the blanks around it; in JSON also a number or a boolean.
            text: the same without blanks around it, not empty.
        """
        leaves = self.leaves
        index = len(leaves)
        leaves.append((item.path, leaf, raw))
        read = leaf.read
        if read is None:
            if leaf.in_kind:
                item.raw[leaf.suffix] = index
            else:
                self.noted.append(Noted(ErrorCode.FIELD_NOT_IN_KIND, item.path + leaf.suffix))
            return
        if text.__class__ is str:
            if text[0] in SUSPECT and is_placeholder(text, leaf.placeholder):
                self.note_leaf(ErrorCode.PLACEHOLDER_VALUE, index)
                return
            value = BAD_FORMAT if leaf.is_integer else read(text)
        elif leaf.is_integer and text.__class__ is int:
            value = read(text)
        else:
            value = BAD_FORMAT
        if value.__class__ is Unreadable:
            self.note_leaf(value.code, index)
            item.bad[leaf.name] = index
        elif value is not None:
            item.fields[leaf.name] = value
            item.sources[leaf.name] = index

    def part(self, item: Item, leaf: Leaf, level: Placeholder = Placeholder.ALL) -> tuple[int, str | None] | None:
        """One leaf of a field that has several.

        Args:
            item: that it belongs to.
            leaf: of the interface.
            level: placeholders that it knows.

        Returns:
            None when it is absent or a placeholder; else its position and its text, None for another JSON type.
        """
        index = item.raw.get(leaf.suffix)
        if index is None:
            return None
        raw = self.leaves[index][2]
        if raw.__class__ is not str:
            self.note_leaf(ErrorCode.BAD_FORMAT, index)
            return index, None
        text = raw.strip(BLANK)
        if text[0] in SUSPECT and is_placeholder(text, level):
            self.note_leaf(ErrorCode.PLACEHOLDER_VALUE, index)
            return None
        return index, text

    def finish(self, item: Item, plan: RowPlan) -> None:
        """Read the fields of several leaves and say what is missing, once all leaves of the item are known."""
        raw = item.raw
        for compound, suffixes in plan.compounds:
            if suffixes.isdisjoint(raw):
                compound.absent(self, item)
            else:
                compound.read(self, item)
        # Mostly nothing is missing, and one comparison of sets says so.
        if not plan.needed <= item.fields.keys():
            for needed in plan.mandatory:
                if not any(name in item.fields or name in item.bad for name in needed.names):
                    self.missing(item, needed.leaves[0])
        for rows in plan.lists:
            if rows.is_mandatory and rows.key not in item.lists:
                self.note(ErrorCode.MISSING_FIELD, self.first_path(item, rows))

    def first_path(self, item: Item, rows: ListPlan) -> str:
        """Path of the first item of a list."""
        return item.path + rows.suffix + ("[1]" if self.is_xml else "/0")

    def list_path(self, item: Item, rows: ListPlan, index: int) -> str:
        """Path of an item of a list, from its position among its siblings (0-based)."""
        return f"{item.path}{rows.suffix}[{index + 1}]" if self.is_xml else f"{item.path}{rows.suffix}/{index}"
