"""An XML file as a source: parsed safely, looked at by path, scanned by a plan.

Entities, network and document types are off; names with a colon and namespace declarations are refused.

Source: agency interfaces, section 4, stage 2, leaf, paths, document order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from adapters.engine.finding import Noted, Places
from adapters.engine.fold import BLANK
from adapters.engine.item import Item
from adapters.engine.plan import ListPlan, Node, RowPlan
from adapters.engine.scan import MOST_DEPTH, MOST_MEMBERS, LimitExceededError, Scan
from gateway.core.errors import ErrorCode

_PARSER: Final = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
)
_ATTRIBUTE: Final = re.compile("=[ \t\r\n]*[\"']")
_TOO_DEEP: Final = "Excessive depth"


class NotWellFormedError(Exception):
    """The text is not what its syntax asks for, or has another root."""


class RowChoice:
    """How a row of a table is read.

    Args:
        plan: of its leaves.
        is_kept: whether it becomes an item; its leaves are looked at anyway.
    """

    __slots__ = ("is_kept", "plan")

    def __init__(self, plan: RowPlan, *, is_kept: bool = True) -> None:
        self.plan = plan
        self.is_kept = is_kept


Chooser = Callable[[Scan, Any, ListPlan, str], RowChoice | None]
"""For a tabular schema: from a row's element, its table and its path to the plan, None when it is not read at all."""


def _check_attributes(text: str) -> None:
    """Refuse an element with very many attributes unparsed: libxml2 takes quadratic time for them."""
    if text.count("=") > MOST_MEMBERS and any(
        chunk.count("=") > MOST_MEMBERS and len(_ATTRIBUTE.findall(chunk)) > MOST_MEMBERS for chunk in text.split("<")
    ):
        raise LimitExceededError


def _check_names(data: bytes) -> None:
    def bad(name: str) -> bool:
        return ":" in name or name == "xmlns"

    def start(name: str, attributes: dict[str, str]) -> None:
        if bad(name) or any(map(bad, attributes)):
            raise NotWellFormedError

    def instruction(target: str, _: str) -> None:
        if bad(target):
            raise NotWellFormedError

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = start
    parser.ProcessingInstructionHandler = instruction
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise NotWellFormedError from error


def _own_text(element: Any) -> str:
    return (element.text or "") + "".join(child.tail or "" for child in element)


class XmlSource:
    """One parsed file.

    Args:
        text: after the XML declaration.
        root: name of the root element.
    """

    def __init__(self, text: str, root: str) -> None:
        _check_attributes(text)
        # libxml2 would pass over a second byte order mark.
        if text.startswith("\ufeff"):
            raise NotWellFormedError
        data = text.encode("utf-8")
        try:
            self._root: Any = etree.fromstring(data, _PARSER)
        except etree.XMLSyntaxError as error:
            if _TOO_DEEP in str(error):
                raise LimitExceededError from error
            raise NotWellFormedError from error
        # A namespace shows in the tree only where it is used, and processing instructions are not kept.
        if "xmlns" in text or "<?" in text or "xml:" in text:
            _check_names(data)
        if self._root.tag != root:
            raise NotWellFormedError

    def syntax_findings(self) -> list[Noted]:
        """Findings of stage 2 that leave the tree readable: XML has none."""
        return []

    @property
    def root(self) -> Any:
        """The root element."""
        return self._root

    def raw(self, path: str) -> str | None:
        """Text of the first leaf with a path, None when it is absent or blank."""
        head, _, attribute = path.partition("/@")
        element = self._root
        for name in head.split("/")[2:]:
            element = next((child for child in element if child.tag == name), None)
            if element is None:
                return None
        text = element.get(attribute, "") if attribute else _own_text(element)
        return text if text.strip(BLANK) else None

    def scan(self, scan: Scan, plan: RowPlan, choose: Chooser | None) -> None:
        """Scan the whole file by a plan into the root item."""
        node = plan.node.children[self._root.tag]
        _element(scan, self._root, node, scan.root, choose, is_checked=True)

    def places(self, plan: RowPlan) -> Places:
        """Where every node stands; made only when there is more than one finding to put in order."""
        places = Places()
        root = self._root
        stack: list[tuple[Any, str, Node | None, bool]] = [(root, f"/{root.tag}", plan.node.children[root.tag], True)]
        while stack:
            element, path, node, is_checked = stack.pop()
            places.add(path)
            for name in element.keys():  # noqa: SIM118 - an element iterates over its children
                places.add(f"{path}/@{name}")
            stack.extend(reversed(list(_children(element, path, node, places, is_checked=is_checked))))
        return places


def _children(
    element: Any, path: str, node: Node | None, places: Places, *, is_checked: bool
) -> list[tuple[Any, str, Node | None, bool]]:
    counts: Counter[str] = Counter()
    totals = Counter(child.tag for child in element)
    found: list[tuple[Any, str, Node | None, bool]] = []
    for child in element:
        tag = child.tag
        counts[tag] += 1
        known = node.children.get(tag) if node is not None else None
        if known is None:
            index = f"[{counts[tag]}]" if totals[tag] > 1 else ""
            found.append((child, f"{path}/{tag}{index}", None, False))
        elif known.rows is not None:
            found.append(
                (child, f"{path}/{tag}[{counts[tag]}]", known.rows.row.node, is_checked and known.rows.in_kind)
            )
        elif counts[tag] == 1 or not is_checked:
            found.append((child, f"{path}/{tag}", known, is_checked))
        elif counts[tag] == 2:
            # The second of a field that may occur once is a node, its content is not.
            found.append((etree.Element(tag), f"{path}/{tag}", None, False))
    return found


def _element(  # noqa: PLR0912 - one call for each element of the hot path
    scan: Scan, element: Any, node: Node, item: Item, choose: Chooser | None, *, is_checked: bool
) -> None:
    text = element.text
    children = element[:] if len(element) else ()
    for child in children:
        tail = child.tail
        if tail is not None and tail.strip(BLANK):
            text = _own_text(element)
            break
    if text is not None:
        stripped = text.strip(BLANK)
        if stripped:
            if node.leaf is not None:
                scan.leaf(item, node.leaf, text, stripped)
            else:
                scan.unknown(item.path + node.suffix, text)
    attributes = element.items()
    if attributes:
        known_attributes = node.attrs
        for name, value in attributes:
            stripped = value.strip(BLANK)
            if stripped:
                leaf = known_attributes.get(name)
                if leaf is not None:
                    scan.leaf(item, leaf, value, stripped)
                else:
                    scan.unknown(f"{item.path}{node.suffix}/@{name}", value)
    if not children:
        return
    known_children = node.children
    counts: dict[str, int] = {}
    totals: Counter[str] | None = None
    for child in children:
        tag = child.tag
        count = counts[tag] = counts.get(tag, 0) + 1
        known = known_children.get(tag)
        if known is None:
            if totals is None:
                totals = Counter(sibling.tag for sibling in children)
            index = f"[{count}]" if totals[tag] > 1 else ""
            _unknown(scan, child, f"{item.path}{node.suffix}/{tag}{index}")
        elif known.rows is not None:
            _row(scan, child, known.rows, item, count, choose, is_checked=is_checked)
        elif count == 1 and known.leaf is not None and not known.attrs and not len(child) and not child.items():
            text = child.text
            if text is not None:
                stripped = text.strip(BLANK)
                if stripped:
                    scan.leaf(item, known.leaf, text, stripped)
        elif count == 1 or not is_checked:
            _element(scan, child, known, item, choose, is_checked=is_checked)
        elif count == 2:
            scan.noted.append(Noted(ErrorCode.REPEATED_FIELD, item.path + known.suffix, is_second=True))


def _row(  # noqa: PLR0917 - one call for each row of the hot path
    scan: Scan, element: Any, rows: ListPlan, owner: Item, count: int, choose: Chooser | None, *, is_checked: bool
) -> None:
    path = f"{owner.path}{rows.suffix}[{count}]"
    choice = None
    if choose is not None and rows.in_kind:
        choice = choose(scan, element, rows, path)
        if choice is None:
            return
    plan = rows.row if choice is None else choice.plan
    row = Item(plan.scope, path, plan)
    before = len(scan.leaves)
    _element(scan, element, plan.node, row, choose, is_checked=is_checked and rows.in_kind)
    scan.check_limits()
    # An item without any leaf is no item, but it keeps its index.
    if len(scan.leaves) == before or not rows.in_kind or (choice is not None and not choice.is_kept):
        return
    scan.finish(row, plan)
    owner.lists.setdefault(rows.key, []).append(row)


def _unknown(scan: Scan, element: Any, path: str) -> None:
    stack: list[tuple[Any, str, int]] = [(element, path, path.count("/"))]
    while stack:
        current, at, depth = stack.pop()
        if depth > MOST_DEPTH:
            raise LimitExceededError
        text = _own_text(current)
        if text.strip(BLANK):
            scan.unknown(at, text)
        for name, value in current.items():
            if value.strip(BLANK):
                scan.unknown(f"{at}/@{name}", value)
        totals = Counter(child.tag for child in current)
        counts: Counter[str] = Counter()
        below = []
        for child in current:
            counts[child.tag] += 1
            index = f"[{counts[child.tag]}]" if totals[child.tag] > 1 else ""
            below.append((child, f"{at}/{child.tag}{index}", depth + 1))
        stack.extend(reversed(below))
