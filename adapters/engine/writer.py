"""Writing: the canonical items of a case as the leaves of the receiver's file, and the text around them.

Source: agency interfaces, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from adapters.codes.table import load_table
from adapters.engine.field import KEPT, LOSSY, Cells, Entry
from adapters.engine.item import Item
from adapters.engine.plan import ListPlan, Node, RowPlan

Generated = dict[str, str]
"""Generated leaves of one row of a table: text by path below the row."""
RowSource = Callable[["Writer", ListPlan, Item], list[tuple[Item, Generated | None]]]
"""From a list and its owner to the items that are written, each with its generated leaves."""


def own_items(writer: Writer, rows: ListPlan, owner: Item) -> list[tuple[Item, Generated | None]]:
    """The items of a list that belongs to its owner: all of them, in their order."""
    return [(item, None) for item in owner.lists.get(rows.key, ())]


class Writer:
    """One writing in progress.

    Args:
        sender: adapter name of the source, whose names unmapped codes are given.
        kind: canonical record kind.
        root: the canonical items.
        rows: which items of a list are written.

    ``join_ids`` (by key) and ``party_ids`` (by identity) are set by a tabular schema when it writes its parties.
    """

    __slots__ = ("_moved", "_rows", "_written", "join_ids", "kind", "parts", "party_ids", "root", "sender", "targets")

    def __init__(self, sender: str, kind: str, root: Item, rows: RowSource = own_items) -> None:
        self.sender = sender
        self.kind = kind
        self.root = root
        self.targets: list[tuple[str, str, tuple[Entry, ...]]] = []
        self.parts: list[str] = []
        self._rows = rows
        self.join_ids: dict[str, str] = {}
        self.party_ids: dict[int, str] = {}
        self._moved: set[int] = set()
        self._written = 0

    def raw_name(self, table: str, standard: str) -> str:
        """The name that the sender's table gives a canonical value."""
        return load_table(table, self.sender).names_by_standard.get(standard, standard)

    def join_id(self, key: str) -> str | None:
        """The join id of the party with this key."""
        return self.join_ids.get(key)

    def is_moved(self, item: Item) -> bool:
        """Whether an identity document changes its place in the list."""
        return id(item) in self._moved

    def set_moved(self, items: list[Item]) -> None:
        """Say which identity documents change their place."""
        self._moved.update(map(id, items))

    def rows_of(self, rows: ListPlan, owner: Item) -> list[tuple[Item, Generated | None]]:
        """The items of a list that are written."""
        return self._rows(self, rows, owner)

    def cells(self, item: Item, plan: RowPlan, generated: Generated | None) -> Cells:
        """What is to be written into the leaves of one item."""
        cells: Cells = {}
        by_name = plan.by_name
        for name in item.fields:
            made = by_name.get(name)
            if made is not None:
                made.write(cells, item, self)
        for special in plan.specials:
            special.write(cells, item, self)
        for made in plan.fields:
            if made.default and made.leaves[0].suffix not in cells:
                cells[made.leaves[0].suffix] = (made.default, ())
        if generated is not None:
            for suffix, text in generated.items():
                cells[suffix] = (text, ())
        return cells

    def put(self, path: str, suffix: str, entries: tuple[Entry, ...]) -> None:
        """Note a target leaf, in document order."""
        self.targets.append((path, suffix, entries))
        if entries:
            self._written += 1

    def mark(self) -> tuple[int, int, int]:
        """The state before a group or item, to go back to if nothing but generated leaves comes of it."""
        return len(self.targets), len(self.parts), self._written

    def rewind(self, mark: tuple[int, int, int]) -> bool:
        """Undo what was written since a mark if all of it was generated; say whether it was."""
        if self._written != mark[2]:
            return False
        del self.targets[mark[0] :]
        del self.parts[mark[1] :]
        return True


_ATTRIBUTE: Final = re.compile('[&<>"\t\n]')
_TEXT: Final = re.compile("[&<>]")
_STRING: Final = re.compile('["\\\\\n\t]')
_ATTRIBUTE_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;"}
_STRING_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def _escape_attribute(text: str) -> str:
    return _ATTRIBUTE.sub(lambda m: _ATTRIBUTE_ESCAPES[m[0]], text)


def _escape_text(text: str) -> str:
    return _TEXT.sub(lambda m: _ATTRIBUTE_ESCAPES[m[0]], text)


def _escape_string(text: str) -> str:
    return _STRING.sub(lambda m: _STRING_ESCAPES[m[0]], text)


def write_xml(writer: Writer, plan: RowPlan, declaration: str) -> str:
    """Write the record as XML.

    Args:
        writer: with the canonical items.
        plan: of the receiver, for the kind.
        declaration: the first line.

    Returns:
        the whole text.
    """
    writer.parts.append(declaration + "\n")
    cells = writer.cells(writer.root, plan, None)
    for name, child in plan.node.children.items():
        _xml_element(writer, plan, name, child, writer.root, cells, "", "", "")
    return "".join(writer.parts)


def _xml_element(
    writer: Writer, plan: RowPlan, name: str, node: Node, item: Item, cells: Cells, path: str, index: str, pad: str
) -> None:
    # ``path`` is that of the item; an item's own element carries the index in it already.
    mark = writer.mark()
    leaf = node.leaf
    text = ""
    if leaf is not None:
        cell = cells.get(leaf.suffix)
        if cell is not None:
            text = _escape_text(str(cell[0]))
            writer.put(path, leaf.suffix, cell[1])
    attributes = ""
    for attribute, leaf in node.attrs.items():
        cell = cells.get(leaf.suffix)
        if cell is not None:
            attributes += f' {attribute}="{_escape_attribute(str(cell[0]))}"'
            writer.put(path, leaf.suffix, cell[1])
    parts = writer.parts
    if not node.children:
        if text:
            parts.append(f"{pad}<{name}{attributes}>{text}</{name}>\n")
        elif attributes:
            parts.append(f"{pad}<{name}{attributes}/>\n")
        writer.rewind(mark)
        return
    head = len(parts)
    parts.append("")
    inner = pad + "  "
    for child_name, child in node.children.items():
        if child.rows is None:
            suffix_leaf = child.leaf
            if suffix_leaf is not None and not child.attrs and not child.children:
                cell = cells.get(suffix_leaf.suffix)
                if cell is not None:
                    writer.put(path, suffix_leaf.suffix, cell[1])
                    parts.append(f"{inner}<{child_name}>{_escape_text(str(cell[0]))}</{child_name}>\n")
            else:
                _xml_element(writer, plan, child_name, child, item, cells, path, "", inner)
        elif child.rows.in_kind:
            _xml_rows(writer, child.rows, child_name, item, path, inner)
    if len(parts) > head + 1:
        parts[head] = f"{pad}<{name}{attributes}>\n"
        parts.append(f"{pad}</{name}>\n")
    elif attributes:
        parts[head] = f"{pad}<{name}{attributes}/>\n"
    writer.rewind(mark)


def _xml_rows(writer: Writer, rows: ListPlan, name: str, owner: Item, path: str, pad: str) -> None:
    count = 0
    for item, generated in writer.rows_of(rows, owner):
        plan = rows.rows.get(item.scope) or rows.row
        mark = writer.mark()
        here = f"{path}{rows.suffix}[{count + 1}]"
        cells = writer.cells(item, plan, generated)
        _xml_element(writer, plan, name, plan.node, item, cells, here, "", pad)
        if not writer.rewind(mark):
            count += 1


def write_json(writer: Writer, plan: RowPlan) -> str:
    """Write the record as JSON.

    Args:
        writer: with the canonical items.
        plan: of the receiver, for the kind.

    Returns:
        the whole text.
    """
    cells = writer.cells(writer.root, plan, None)
    writer.parts.append("{\n")
    _json_members(writer, plan.node, writer.root, cells, "", "  ")
    return "".join(writer.parts) + "\n}\n"


def _json_members(writer: Writer, node: Node, item: Item, cells: Cells, path: str, pad: str) -> None:
    parts = writer.parts
    lead = ""
    for name, child in node.children.items():
        leaf = child.leaf
        if leaf is not None:
            cell = cells.get(leaf.suffix)
            if cell is None:
                continue
            value = cell[0]
            text = f'"{_escape_string(value)}"' if value.__class__ is str else str(value)
            parts.append(f'{lead}{pad}"{name}": {text}')
            writer.put(path, leaf.suffix, cell[1])
        elif child.rows is not None:
            if not child.rows.in_kind:
                continue
            mark = writer.mark()
            parts.append(f'{lead}{pad}"{name}": [\n')
            _json_rows(writer, child.rows, item, path, pad + "  ")
            if writer.rewind(mark):
                continue
            parts.append(f"\n{pad}]")
        else:
            mark = writer.mark()
            parts.append(f'{lead}{pad}"{name}": {{\n')
            _json_members(writer, child, item, cells, path, pad + "  ")
            if writer.rewind(mark):
                continue
            parts.append(f"\n{pad}}}")
        lead = ",\n"


def _json_rows(writer: Writer, rows: ListPlan, owner: Item, path: str, pad: str) -> None:
    count = 0
    for item, generated in writer.rows_of(rows, owner):
        plan = rows.row
        mark = writer.mark()
        writer.parts.append(f"{',' + chr(10) if count else ''}{pad}{{\n")
        _json_members(writer, plan.node, item, writer.cells(item, plan, generated), f"{path}{rows.suffix}/{count}", pad + "  ")
        if writer.rewind(mark):
            continue
        writer.parts.append(f"\n{pad}}}")
        count += 1


__all__ = ["KEPT", "LOSSY", "Generated", "RowSource", "Writer", "own_items", "write_json", "write_xml"]
