"""The leaves of a file, found by nothing but its field table: what the lineage laws are checked against.

Nothing of the engine is used here, so that a fault of the engine shows.

Source: agency interfaces, section 4, leaf, paths, document order.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from lxml import etree

from adapters.engine.schema import Row

_BLANK: Final = " \t\n\r\u3000"
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)


def find_leaves(text: str, rows: tuple[Row, ...], *, is_xml: bool) -> list[str]:
    """Paths of all leaves of a file.

    Args:
        text: of the file, well formed, without XML declaration.
        rows: field table of its schema.
        is_xml: notation.

    Returns:
        the paths in document order.
    """
    return _xml_leaves(text, rows) if is_xml else _json_leaves(text)


def _xml_leaves(text: str, rows: tuple[Row, ...]) -> list[str]:
    lists = {row.path for row in rows if row.type == "list"}
    known = {
        "/".join(tokens[:end]) for row in rows for tokens in [row.path.split("/")] for end in range(len(tokens) + 1)
    }
    found: list[str] = []

    def walk(element: Any, path: str, plain: str) -> None:
        own = str(element.text or "") + "".join(str(child.tail or "") for child in element)
        if own.strip(_BLANK):
            found.append(path)
        found.extend(f"{path}/@{name}" for name, value in element.items() if value.strip(_BLANK))
        children: list[Any] = [child for child in element if isinstance(child.tag, str)]
        totals = Counter(child.tag for child in children)
        counts: Counter[str] = Counter()
        for child in children:
            counts[child.tag] += 1
            is_list = f"{plain}/{child.tag}[]" in lists
            below = f"{plain}/{child.tag}" + ("[]" if is_list else "")
            is_indexed = is_list or (below not in known and totals[child.tag] > 1)
            walk(child, path + "/" + child.tag + (f"[{counts[child.tag]}]" if is_indexed else ""), below)

    root: Any = etree.fromstring(text.encode("utf-8"), _PARSER)
    walk(root, f"/{root.tag}", f"/{root.tag}")
    return found


def _json_leaves(text: str) -> list[str]:
    found: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, entry in value.items():
                walk(entry, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                walk(entry, f"{path}/{index}")
        elif value is not None and (not isinstance(value, str) or value.strip(_BLANK)):
            found.append(path)

    walk(json.loads(text), "")
    return found
