"""The leaves of a file, found without the adapters: what the lineage laws are checked against."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from lxml import etree

from adapters.engine.schema import load_rows

_BLANK = " \t\n\r\u3000"


def _list_paths(agency: str) -> set[str]:
    return {row.path for row in load_rows(agency) if row.type == "list"}


def xml_leaves(data: bytes, agency: str) -> list[str]:
    """Paths of all leaves of an XML file in document order."""
    lists = _list_paths(agency)
    text = data.decode("gb18030" if agency == "police" else "utf-8-sig")
    root = etree.fromstring(text.split("?>", 1)[1] if text.startswith("<?xml") else text)
    found: list[str] = []

    def walk(element: Any, path: str, plain: str, known: bool) -> None:
        own = (element.text or "") + "".join(child.tail or "" for child in element)
        if own.strip(_BLANK):
            found.append(path)
        found.extend(f"{path}/@{name}" for name, value in element.items() if value.strip(_BLANK))
        totals = Counter(child.tag for child in element)
        counts: Counter[str] = Counter()
        for child in element:
            if not isinstance(child.tag, str):
                continue
            counts[child.tag] += 1
            is_list = f"{plain}/{child.tag}[]" in lists
            below = f"{plain}/{child.tag}" + ("[]" if is_list else "")
            is_known = any(row.path.startswith(below) for row in load_rows(agency))
            index = f"[{counts[child.tag]}]" if is_list or (not is_known and totals[child.tag] > 1) else ""
            walk(child, f"{path}/{child.tag}{index}", below, is_known)

    walk(root, f"/{root.tag}", f"/{root.tag}", True)
    return found


def json_leaves(data: bytes) -> list[str]:
    """Paths of all leaves of a JSON file in document order."""
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

    walk(json.loads(data.decode("utf-8-sig")), "")
    return found


def leaves(data: bytes, agency: str) -> list[str]:
    """Paths of all leaves of an agency's file in document order."""
    return xml_leaves(data, agency) if agency in ("police", "court") else json_leaves(data)
