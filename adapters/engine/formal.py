"""The formal schema of an agency, XSD or JSON Schema, made from its field table.

It describes the *written* form: what the gateway writes, and what a sender that spells values as written may send. A
reader accepts more spellings; what is missing or wrong for one record kind is said by findings, not by the schema.

``python -m adapters.engine.formal`` writes the files anew; a test says when they are out of date.

Source: section 5 of each agency interface.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from adapters.engine.schema import Row, load_rows

FILES: Final = {
    "police": "police-3.2.xsd",
    "procuratorate": "procuratorate-2.0.schema.json",
    "court": "court-1.1.xsd",
    "justice": "justice-1.4.schema.json",
    "police.v3_3": "police-3.3.xsd",
}
"""Formal schema of each agency, or version of an agency's schema, by its package; beside its field table."""

_ISO: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_COMMON: Final = {
    "key": "[0-9A-Z-]{1,40}",
    "idtext": "[0-9A-Z()-]{1,40}",
    "division": "[0-9]{6}([0-9]{3})?",
    "cid": "[0-9]{17}[0-9X]",
    "uscc": "[0-9A-HJ-NPQRTUWXY]{18}",
    "policeno": "A[0-9]{22}",
    "sha256": "[0-9a-f]{64}",
    "quantity": "[0-9]+(\\.[0-9]+)?",
    "courtno": "\\([0-9]{4}\\).[0-9]{2,4}刑[初终再][1-9][0-9]*号",
    "docno": "[^〔]*〔[0-9]{4}〕.*号(之[一二三四五六七八九十百]+)?",
    "term parts": "[1-9][0-9]?",
    "first card": "[0-9]{17}[0-9X]",
}
_WRITTEN: Final[dict[str, dict[str, str]]] = {
    "police": {
        "date": "[0-9]{8}",
        "pdate": "[0-9]{8}",
        "dt": "[0-9]{14}",
        "dtd": "[0-9]{8}([0-9]{6})?",
        "money": "[0-9]+\\.[0-9]{2}",
        "term": "[0-9]{6}",
        "flag": "[01]",
        "int": "[0-9]{1,9}",
    },
    "procuratorate": {
        "date": _ISO,
        "dt": f"{_ISO} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}",
        "dtd": f"{_ISO}( [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})?",
        "flag": "[YN]",
    },
    "court": {
        "date": _ISO,
        "dt": f"{_ISO}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}",
        "dtd": f"{_ISO}(T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})?",
        "money": "[0-9]+(\\.[0-9]{2})?元",
        "flag": "[是否]",
        "int": "[0-9]{1,9}",
        "plea code": "[1-5]",
        "courtno": "（[0-9]{4}）.[0-9]{2,4}刑[初终再][1-9][0-9]*号",
    },
    "justice": {
        "date": "[0-9]{4}/[0-9]{2}/[0-9]{2}",
        "money": "[0-9]+\\.[0-9]{2}",
        "term": "P([0-9]{1,2}Y)?([0-9]{1,2}M)?([0-9]{1,2}D)?",
    },
}
_INTEGERS: Final = {"procuratorate": {"money", "int"}, "justice": {"dt", "int"}, "police": set(), "court": set()}


class _Tree:
    """An element or member with what is below it."""

    def __init__(self, row: Row | None = None) -> None:
        self.row = row
        self.is_list = False
        self.children: dict[str, _Tree] = {}


def _tree(rows: tuple[Row, ...]) -> _Tree:
    root = _Tree()
    for row in rows:
        node = root
        for token in row.path.split("/")[1:]:
            name = token.removesuffix("[]")
            node = node.children.setdefault(name, _Tree())
            node.is_list |= token.endswith("[]")
        if row.type != "list":
            node.row = row
    return root


def _pattern(agency: str, row: Row) -> str | None:
    return _WRITTEN[agency].get(row.type) or _COMMON.get(row.type)


def _is_required(row: Row | None) -> bool:
    return row is not None and row.cardinality == "M" and row.part in ("", "code")


def _json_node(agency: str, node: _Tree) -> dict[str, Any]:
    row = node.row
    if row is None:
        made: dict[str, Any] = {"type": "object", "additionalProperties": False}
        made["properties"] = {name: _json_node(agency, child) for name, child in node.children.items()}
        required = [name for name, child in node.children.items() if _is_required(child.row)]
        if required:
            made["required"] = required
    elif row.type == "constant":
        made = {"const": row.default}
    elif row.type in _INTEGERS[agency]:
        made = {"type": "integer", "minimum": 0}
    else:
        made = {"type": "string", "minLength": 1}
        pattern = _pattern(agency, row)
        if pattern:
            made["pattern"] = f"^({pattern})$"
    return {"type": "array", "minItems": 1, "items": made} if node.is_list else made


def _simple(agency: str, row: Row) -> str:
    if row.type == "constant":
        facet = f"<xs:enumeration value={quoteattr(row.default)}/>"
    else:
        pattern = _pattern(agency, row)
        facet = f"<xs:pattern value={quoteattr(pattern)}/>" if pattern else '<xs:minLength value="1"/>'
    return f'<xs:simpleType><xs:restriction base="xs:string">{facet}</xs:restriction></xs:simpleType>'


def _xsd_attributes(agency: str, node: _Tree, pad: str) -> list[str]:
    lines = []
    for name, child in node.children.items():
        if name.startswith("@") and child.row is not None:
            use = ' use="required"' if _is_required(child.row) else ""
            lines.append(f'{pad}<xs:attribute name="{name[1:]}"{use}>{_simple(agency, child.row)}</xs:attribute>')
    return lines


def _xsd_node(agency: str, name: str, node: _Tree, pad: str, occurs: str) -> list[str]:
    head = f'{pad}<xs:element name="{name}"{occurs}>'
    below = {key: child for key, child in node.children.items() if not key.startswith("@")}
    attributes = _xsd_attributes(agency, node, pad + "    ")
    if node.row is not None and not attributes:
        return [f"{head}{_simple(agency, node.row)}</xs:element>"]
    lines = [head, f"{pad}  <xs:complexType>"]
    if node.row is not None:
        attributes = [f'{pad}    <xs:simpleContent><xs:extension base="xs:string">', *attributes]
        attributes.append(f"{pad}    </xs:extension></xs:simpleContent>")
    elif below:
        # Elements of a group may stand in any order; where one is a list XSD 1.0 asks for the order of the table.
        group = "sequence" if any(child.is_list for child in below.values()) else "all"
        lines.append(f"{pad}    <xs:{group}>")
        for key, child in below.items():
            least = "" if _is_required(child.row) else ' minOccurs="0"'
            lines += _xsd_node(agency, key, child, pad + "      ", least + (' maxOccurs="unbounded"' * child.is_list))
        lines.append(f"{pad}    </xs:{group}>")
    return [*lines, *attributes, f"{pad}  </xs:complexType>", f"{pad}</xs:element>"]


def formal_schema(package: str) -> str:
    """The formal schema of an agency, or of a version of it.

    Args:
        package: one of ``FILES``.

    Returns:
        the text of an XSD or of a JSON Schema (draft 2020-12).
    """
    tree = _tree(load_rows(package))
    agency = package.partition(".")[0]
    if FILES[package].endswith(".json"):
        made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_json_node(agency, tree)}
        return json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">']
    for name, child in tree.children.items():
        lines += _xsd_node(agency, name, child, "  ", "")
    return "\n".join([*lines, "</xs:schema>"]) + "\n"


def main() -> None:
    """Write all formal schemas beside their field tables."""
    for package, name in FILES.items():
        path = Path(__file__).parents[1].joinpath(*package.split("."), "schema", name)
        path.write_text(formal_schema(package), encoding="utf-8")


if __name__ == "__main__":
    main()
