"""Writing: the canonical items of a case as the leaves of the receiver's file, and the text around them.

Source: agency interfaces, section 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json.encoder import encode_basestring as _quote
from typing import Final

from adapters.codes.table import load_table
from adapters.engine.field import KEPT, LOSSY, Cells, Entry
from adapters.engine.item import Item
from adapters.engine.plan import ListPlan, Node, RowPlan, attributes_of, members_of

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

    __slots__ = ("_moved", "_rows", "join_ids", "kind", "parts", "party_ids", "root", "sender", "targets")

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
        plain, by_name = plan.plain, plan.by_name
        for name, value in item.fields.items():
            known = plain.get(name)
            if known is None:
                made = by_name.get(name)
                if made is not None:
                    made.write(cells, item, self)
                continue
            suffix, to_text, is_kept = known
            text = value if to_text is None else to_text(value)
            if text is not None:
                loss = KEPT if is_kept is None or is_kept(value) else LOSSY
                cells[suffix] = (text, ((item, name, loss),))
        for special in plan.specials:
            special.write(cells, item, self)
        for suffix, text in plan.defaults:
            if suffix not in cells:
                cells[suffix] = (text, ())
        if generated is not None:
            for suffix, text in generated.items():
                cells[suffix] = (text, ())
        return cells

    def rewind(self, targets: int, parts: int) -> bool:
        """Undo what was written since a mark if nothing but generated leaves came of it; say whether it was undone.

        Args:
            targets: number of target leaves at the mark.
            parts: number of parts of the text at the mark.
        """
        written = self.targets
        for at in range(targets, len(written)):
            if written[at][2]:
                return False
        del written[targets:]
        del self.parts[parts:]
        return True


_ATTRIBUTE: Final = re.compile('[&<>"\t\n]')
_TEXT: Final = re.compile("[&<>]")
_ATTRIBUTE_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;"}


def _escape(match: re.Match[str]) -> str:
    return _ATTRIBUTE_ESCAPES[match[0]]


def _escaped(node: Node, cells: Cells) -> str:
    found = ((begin, cells.get(suffix)) for begin, suffix in attributes_of(node))
    return "".join(begin + _ATTRIBUTE.sub(_escape, str(cell[0])) + '"' for begin, cell in found if cell is not None)


def _escape_text(text: str) -> str:
    return _TEXT.sub(_escape, text) if _TEXT.search(text) else text


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
        _xml_element(writer, name, child, writer.root, cells, "", "")
    return "".join(writer.parts)


def _xml_element(  # noqa: PLR0912, PLR0917 - one call for each element of the hot path
    writer: Writer, name: str, node: Node, item: Item, cells: Cells, path: str, pad: str
) -> None:
    # ``path`` is that of the item, with its index; the element and what is below it are suffixes of that.
    targets, parts, get = writer.targets, writer.parts, cells.get
    first_target, first_part = len(targets), len(parts)
    leaf = node.leaf
    text = attributes = values = ""
    if leaf is not None:
        cell = cells.get(leaf.suffix)
        if cell is not None:
            text = _escape_text(str(cell[0]))
            targets.append((path, leaf.suffix, cell[1]))
    for begin, suffix in attributes_of(node):
        cell = get(suffix)
        if cell is not None:
            value = str(cell[0])
            values += value
            attributes += begin + value + '"'
            targets.append((path, suffix, cell[1]))
    # Hardly any value has something to escape: they are asked all at once.
    if values and _ATTRIBUTE.search(values):
        attributes = _escaped(node, cells)
    if not node.children:
        if text:
            parts.append(f"{pad}<{name}{attributes}>{text}</{name}>\n")
        elif attributes:
            parts.append(f"{pad}<{name}{attributes}/>\n")
        writer.rewind(first_target, first_part)
        return
    parts.append("")
    inner = pad + "  "
    for child_name, begin, suffix, child in members_of(node, "<{}>"):
        if child.rows is not None:
            _xml_rows(writer, child.rows, child_name, item, path, inner)
        elif suffix and not child.attrs:
            cell = cells.get(suffix)
            if cell is not None:
                targets.append((path, suffix, cell[1]))
                parts.append(f"{inner}{begin}{_escape_text(str(cell[0]))}</{child_name}>\n")
        else:
            _xml_element(writer, child_name, child, item, cells, path, inner)
    if len(parts) > first_part + 1:
        parts[first_part] = f"{pad}<{name}{attributes}>\n"
        parts.append(f"{pad}</{name}>\n")
    elif attributes:
        parts[first_part] = f"{pad}<{name}{attributes}/>\n"
    writer.rewind(first_target, first_part)


def _xml_rows(  # noqa: PLR0917 - as above
    writer: Writer, rows: ListPlan, name: str, owner: Item, path: str, pad: str
) -> None:
    count = 1
    for item, generated in writer.rows_of(rows, owner):
        plan = rows.rows.get(item.scope) or rows.row
        before = len(writer.targets)
        cells = writer.cells(item, plan, generated)
        _xml_element(writer, name, plan.node, item, cells, f"{path}{rows.suffix}[{count}]", pad)
        if len(writer.targets) > before:
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


def _json_members(  # noqa: PLR0917 - as above
    writer: Writer, node: Node, item: Item, cells: Cells, path: str, pad: str
) -> None:
    targets, parts, get = writer.targets, writer.parts, cells.get
    lead = pad
    for _, begin, suffix, child in members_of(node, '"{}": '):
        if suffix:
            cell = get(suffix)
            if cell is None:
                continue
            value, entries = cell
            parts.append(lead + begin + (_quote(value) if value.__class__ is str else str(value)))
            targets.append((path, suffix, entries))
        else:
            first_target, first_part = len(targets), len(parts)
            if child.rows is not None:
                items = writer.rows_of(child.rows, item)
                if not items:
                    continue
                parts.append(f"{lead}{begin}[\n")
                _json_rows(writer, child.rows, items, path, pad + "  ")
                end = "]"
            else:
                parts.append(f"{lead}{begin}{{\n")
                _json_members(writer, child, item, cells, path, pad + "  ")
                end = "}"
            if writer.rewind(first_target, first_part):
                continue
            parts.append(f"\n{pad}{end}")
        lead = ",\n" + pad


def _json_rows(writer: Writer, rows: ListPlan, items: list[tuple[Item, Generated | None]], path: str, pad: str) -> None:
    count = 0
    plan = rows.row
    for item, generated in items:
        first_target, first_part = len(writer.targets), len(writer.parts)
        writer.parts.append(f"{pad}{{\n" if count == 0 else f",\n{pad}{{\n")
        cells = writer.cells(item, plan, generated)
        _json_members(writer, plan.node, item, cells, f"{path}{rows.suffix}/{count}", pad + "  ")
        if writer.rewind(first_target, first_part):
            continue
        writer.parts.append(f"\n{pad}}}")
        count += 1
