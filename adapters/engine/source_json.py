"""A JSON file as a source: parsed safely, looked at by path, scanned by a plan.

Source: agency interfaces, section 4, stage 2, leaf, paths, document order; RFC 8259; RFC 6901.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from adapters.engine.finding import Noted, Places
from adapters.engine.fold import BLANK
from adapters.engine.item import Item
from adapters.engine.plan import ListPlan, Node, RowPlan
from adapters.engine.scan import MOST_DEPTH, MOST_MEMBERS, LimitExceededError, Scan
from adapters.engine.source_bytes import has_forbidden
from adapters.engine.source_xml import Chooser, NotWellFormedError
from gateway.core.errors import ErrorCode

_MOST_DIGITS: Final = 18
_ESCAPE: Final = re.compile(r"\\[ubf]")


class OtherNumber:
    """A JSON number that is no integer of the interfaces: with fraction, exponent, ``-0``, or far too long."""

    __slots__ = ()


_OTHER_NUMBER: Final = OtherNumber()


def _integer(text: str) -> int | OtherNumber:
    return _OTHER_NUMBER if text == "-0" or len(text) > _MOST_DIGITS else int(text)


def _other(_: str) -> OtherNumber:
    return _OTHER_NUMBER


def _constant(_: str) -> Any:
    raise NotWellFormedError


class _Watch:
    """Object hook that remembers whether any object had a key twice."""

    __slots__ = ("has_duplicate",)

    def __init__(self) -> None:
        self.has_duplicate = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self.has_duplicate = True
        return value


def escape(key: str) -> str:
    """A key as a token of a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def is_leaf(value: Any) -> bool:
    """Whether a scalar is a leaf: null and blank text are absent."""
    return bool(value.strip(BLANK)) if value.__class__ is str else value is not None


def _load(text: str, hook: Any) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=hook, parse_int=_integer, parse_float=_other, parse_constant=_constant
        )
    except RecursionError as error:
        raise LimitExceededError from error
    except ValueError as error:
        raise NotWellFormedError from error


class JsonSource:
    """One parsed file.

    Args:
        text: the whole text.
    """

    def __init__(self, text: str) -> None:
        watch = _Watch()
        self._root = _load(text, watch)
        if self._root.__class__ is not dict:
            raise NotWellFormedError
        self._text = text
        self._places: Places | None = None
        self._is_suspect = watch.has_duplicate or ("\\" in text and _ESCAPE.search(text) is not None)

    def syntax_findings(self) -> list[Noted]:
        """Duplicate keys, and control characters that came in by an escape, in document order."""
        if not self._is_suspect:
            return []
        found: list[Noted] = []
        # The tree that was read keeps one of two equal keys; where nodes stand is seen only while both are there.
        places = self._places = Places()
        stack: list[tuple[Any, str, int]] = [(_load(self._text, tuple), "", 0)]
        while stack:
            value, path, depth = stack.pop()
            if depth > MOST_DEPTH:
                raise LimitExceededError
            if value.__class__ is _Duplicate:
                places.add_second(path)
                found.append(Noted(ErrorCode.DUPLICATE_KEY, path, is_second=True))
            elif path and value.__class__ is not list:
                places.add(path)
            if value.__class__ is str and has_forbidden(value):
                found.append(Noted(ErrorCode.CONTROL_CHARACTER, path))
            elif value.__class__ is list:
                below = [(entry, f"{path}/{index}", depth + 1) for index, entry in enumerate(value)]
                stack.extend(reversed(below))
            elif value.__class__ is tuple:
                seen: set[str] = set()
                below = []
                for key, entry in value:
                    if has_forbidden(key):
                        return [Noted(ErrorCode.CONTROL_CHARACTER, "")]
                    at = f"{path}/{escape(key)}"
                    if key in seen:
                        below.append((_Duplicate(), at, depth + 1))
                    seen.add(key)
                    below.append((entry, at, depth + 1))
                stack.extend(reversed(below))
        if not found:
            self._places = None
        return found

    @property
    def root(self) -> Any:
        """The root object."""
        return self._root

    def raw(self, path: str) -> Any:
        """Value of the leaf with a path, None when it is absent or blank or not a scalar."""
        value: Any = self._root
        for key in path.split("/")[1:]:
            value = value.get(key) if value.__class__ is dict else None
        return value if value.__class__ not in (dict, list) and is_leaf(value) else None

    def scan(self, scan: Scan, plan: RowPlan, choose: Chooser | None) -> None:
        """Scan the whole file by a plan into the root item; JSON schemas have no tables to choose rows from."""
        _object(scan, self._root, plan.node, scan.root)

    def places(self, plan: RowPlan) -> Places:
        """Where every node stands; made only when there is more than one finding to put in order."""
        if self._places is not None:
            return self._places
        places = Places()
        stack: list[tuple[Any, str]] = [(self._root, "")]
        while stack:
            value, path = stack.pop()
            # An array is not a node, its items are; the root is there already.
            if value.__class__ is not list and path:
                places.add(path)
            below: list[tuple[Any, str]] = []
            if value.__class__ is dict:
                below = [(entry, f"{path}/{escape(key)}") for key, entry in value.items()]
            elif value.__class__ is list:
                below = [(entry, f"{path}/{index}") for index, entry in enumerate(value)]
            stack.extend(reversed(below))
        return places


class _Duplicate:
    """Marks the place of a key that the object already has."""


def _object(scan: Scan, value: dict[str, Any], node: Node, item: Item) -> None:
    known_members = node.children
    if len(value) > MOST_MEMBERS:
        raise LimitExceededError
    for key, entry in value.items():
        known = known_members.get(key)
        kind = entry.__class__
        if known is None:
            _unknown(scan, entry, f"{item.path}{node.suffix}/{escape(key)}")
        elif known.leaf is not None and kind is not dict and kind is not list:
            text = entry.strip(BLANK) if kind is str else entry
            if text is not None and text != "":
                scan.leaf(item, known.leaf, entry, text)
        elif known.rows is not None and kind is list:
            _rows(scan, entry, known.rows, item)
        elif known.leaf is None and known.rows is None and kind is dict:
            _object(scan, entry, known, item)
        else:
            _unknown(scan, entry, item.path + known.suffix)


def _rows(scan: Scan, entries: list[Any], rows: ListPlan, owner: Item) -> None:
    plan = rows.row
    for index, entry in enumerate(entries):
        path = f"{owner.path}{rows.suffix}/{index}"
        if entry.__class__ is not dict:
            _unknown(scan, entry, path)
            continue
        row = Item(plan.scope, path, plan)
        before = len(scan.leaves)
        _object(scan, entry, plan.node, row)
        scan.check_limits()
        # An item without any leaf is no item, but it keeps its index.
        if len(scan.leaves) == before or not rows.in_kind:
            continue
        scan.finish(row, plan)
        owner.lists.setdefault(rows.key, []).append(row)


def _unknown(scan: Scan, value: Any, path: str) -> None:
    stack: list[tuple[Any, str, int]] = [(value, path, path.count("/"))]
    while stack:
        current, at, depth = stack.pop()
        if depth > MOST_DEPTH:
            raise LimitExceededError
        if current.__class__ is dict:
            below = [(entry, f"{at}/{escape(key)}", depth + 1) for key, entry in current.items()]
            stack.extend(reversed(below))
        elif current.__class__ is list:
            below = [(entry, f"{at}/{index}", depth + 1) for index, entry in enumerate(current)]
            stack.extend(reversed(below))
        elif is_leaf(current):
            scan.unknown(at, current)
