"""The fields of a form in words, read from its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.core.form.definition import Form


class FieldRow(NamedTuple):
    """One field.

    Args:
        path: such as ``recordings[].gaps[].from``.
        is_required: within the object that it belongs to.
        text: description and kind.
    """

    path: str
    is_required: bool
    text: str


def describe_fields(form: Form) -> Iterator[FieldRow]:
    """Every field of a form, from the outside in.

    Args:
        form: with its schema.

    Yields:
        one row for each field.
    """
    yield from _fields(form.schema, form.schema.get("$defs", {}), "")


def resolve(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema node with its reference replaced by what it refers to; what stands beside the reference counts more."""
    if "$ref" not in node:
        return node
    return {**definitions[node["$ref"].removeprefix("#/$defs/")], **node}


def _fields(node: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[FieldRow]:
    for name, given in node.get("properties", {}).items():
        inner = resolve(given, definitions)
        path = f"{prefix}{name}"
        yield FieldRow(path, name in node["required"], _describe(inner, definitions))
        items = resolve(inner.get("items", {}), definitions)
        if "properties" in items:
            yield from _fields(items, definitions, f"{path}[].")
        else:
            yield from _fields(inner, definitions, f"{path}.")


def _describe(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    says = node.get("description", "")
    if "enum" in node:
        kind = "one of " + ", ".join(map(str, node["enum"]))
    elif node.get("type") == "array":
        least, most = node.get("minItems", 0), node["maxItems"]
        inner = resolve(node["items"], definitions)
        of = "" if "properties" in inner else ": " + _describe(inner, definitions)
        kind = f"list of {least} to {most}{of}"
    elif node.get("type") == "integer":
        kind = f"whole number, {node['minimum']} to {node['maximum']}"
    else:
        kind = {"boolean": "true or false", "object": "object"}.get(str(node.get("type")), "")
    return " ".join(filter(None, (says, kind and (f"({kind})" if says else kind))))
