"""``fasttrack adapters explain`` and ``matrix``: which field stands where, asked of the field tables themselves."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.output import print_json, print_table

_NOWHERE: Final = {"path": "no leaf", "type": "", "cardinality": "", "table": ""}
"""Shown where an agency has no leaf for a field."""


def explain(
    field: Annotated[str, typer.Argument(help="Path, tag, attribute or member, or canonical field such as plea.on.")],
    agency: Annotated[str, typer.Option("--of", help="Agency whose field it is.", metavar="AGENCY")] = "police",
    version: Annotated[str, typer.Option("--version", help="Version of its schema; else the published one.")] = "",
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show where a field goes in every other agency: leaf, type, cardinality, code table, and when it is lost.

    A field that does not exist is exit status 2, with fields that are written alike.
    """
    from gateway.app import adapters  # noqa: PLC0415 - the tables are loaded only when needed
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above

    known = adapters()
    if agency not in known.names():
        raise typer.BadParameter(f"not one of {', '.join(known.names())}", param_hint="--of")
    if version and version not in known.versions(agency):
        raise typer.BadParameter(f"not one of {', '.join(known.versions(agency))}", param_hint="--version")
    try:
        found = [asdict(leaf) for leaf in known.explain(field, agency=agency, version=version)]
    except GatewayError as error:
        raise typer.BadParameter(error.findings[0].message, param_hint="FIELD") from error
    if is_json:
        print_json({"leaves": found})
        return
    for leaf in found:
        _show(leaf)


def _show(leaf: dict[str, Any]) -> None:
    place = leaf["place"]
    held = ", ".join(place["fields"]) or "nothing: it is structure of the file"
    codes = f", code table {place['table']}" if place["table"] else ""
    sys.stdout.write(f"{place['agency']} {place['version']}  {place['path']}\n  holds {held}\n")
    sys.stdout.write(f"  type {place['type']}, cardinality {place['cardinality']}{codes}\n")
    sys.stdout.flush()
    rows = []
    for way in leaf["ways"]:
        told = _told(way)
        for there in way["places"] or (_NOWHERE,):
            rows.append((f"{way['agency']} {way['version']}", *(there[name] for name in _NOWHERE), told))
            told = ""
    print_table("goes to", ("schema", "leaf", "type", "cardinality", "codes", "what becomes of it"), rows)


def _told(way: dict[str, Any]) -> str:
    told = []
    if way["arrives_in"]:
        told.append("arrives in " + ", ".join(way["arrives_in"]))
    if way["lost_in"]:
        told.append(f"{way['loss']} in " + ", ".join(way["lost_in"]))
    if way["arrives_in"] and way["loss"] == "withheld":
        told.append("withheld for persons and pages that the task does not need")
    if way["no_code_for"]:
        told.append("no code there for " + ", ".join(way["no_code_for"]))
    return "; ".join(told) or "no record with it goes there directly"


def matrix(is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Print the table of all fields and the leaves that hold them in each schema, as Markdown or JSON."""
    from gateway.app import adapters  # noqa: PLC0415 - as above

    known = adapters()
    if not is_json:
        sys.stdout.write(known.matrix_document())
        return
    made = known.matrix()
    heads = [f"{name} {version}" for name, version in made.schemas]
    fields = [{"field": name, "leaves": dict(zip(heads, cells, strict=True))} for name, cells in made.rows]
    print_json({"schemas": heads, "fields": fields})
