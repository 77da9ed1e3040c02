"""The leaves of a file of a built-in agency: what the lineage laws are checked against."""

from __future__ import annotations

from adapters.contract_leaf import find_leaves
from adapters.registry import Adapters

_ADAPTERS = Adapters()


def leaves(data: bytes, agency: str) -> list[str]:
    """Paths of all leaves of a file in document order."""
    made = _ADAPTERS.adapter(agency).format
    text = data.decode("gb18030" if agency == "police" else "utf-8-sig")
    if text.startswith("<?xml"):
        text = text.split("?>", 1)[1]
    return find_leaves(text, made.field_rows, is_xml=bool(made.root))
