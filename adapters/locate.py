"""Where a canonical field stands in the sender's own file.

Rules speak of canonical fields (``person[1].plea.guilty``); whoever has to heal a finding looks for it in his own file.
"""

from __future__ import annotations

import re
from typing import Final

from adapters.engine.case_build import CLASSES
from adapters.engine.item import Item
from adapters.engine.scan import Scan

_STEP: Final = re.compile(r"([a-z_]+)(?:\[([1-9][0-9]{0,8})\])?", re.ASCII)


def locate(scan: Scan, field: str) -> str:
    """Find the path of a canonical field.

    Args:
        scan: a reading.
        field: steps separated by dots, items of lists counted from 1: ``person[1].measure[2].start``; a list without
            number is the item that it lacks; a text that begins with "/" or "#" is a path in an annex already.

    Returns:
        path of the leaf that the field was read from; of one that the file does not have, the path that it would have;
        where this cannot be said, the path of the item around it, "" for the whole file.
    """
    if field.startswith(("/", "#")):
        return field
    item, steps = scan.root, field.split(".")
    while steps:
        match = _STEP.fullmatch(steps[0])
        name = match[1] if match is not None else ""
        if name not in CLASSES or (match is not None and match[2] is None and len(steps) > 1):
            break
        entries = item.items(name)
        at = int(match[2]) - 1 if match is not None and match[2] else len(entries)
        if at >= len(entries):
            return _list_path(scan, item, name, at)
        item, steps = entries[at], steps[1:]
    return _leaf_path(scan, item, ".".join(steps) if len(steps) != 1 else f"{item.scope}.{steps[0]}")


def _leaf_path(scan: Scan, item: Item, name: str) -> str:
    source = item.sources.get(name)
    if source is not None:
        return scan.path_of(source if isinstance(source, int) else source[0])
    suffix = item.plan.suffixes.get(name) if item.plan is not None else None
    return item.path + suffix if suffix is not None else item.path


def _list_path(scan: Scan, item: Item, name: str, at: int) -> str:
    lists = item.plan.lists if item.plan is not None else []
    return next((scan.list_path(item, rows, at) for rows in lists if rows.key == name), item.path)
