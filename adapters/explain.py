"""Where a field of one agency goes in every other agency, and when it does not arrive.

Nothing is written down for this: field tables, code tables and routes are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from adapters.codes.table import load_table
from adapters.engine.adapter import Adapter
from adapters.engine.plan import RowPlan
from adapters.engine.schema import Row
from gateway.core.errors import ErrorCode, refuse

_INDEX: Final = re.compile(r"\[\d*\]|/\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf that holds a field.

    Args:
        agency: adapter name.
        version: of its schema.
        path: of the leaf.
        type: how it is spelled.
        cardinality: M, O or D, with the kinds that it holds for.
        table: its code table, "" for none.
        fields: canonical fields that it holds.
    """

    agency: str
    version: str
    path: str
    type: str
    cardinality: str
    table: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """What becomes of the fields of a leaf on the way to one receiver.

    Args:
        agency: the receiver's adapter.
        version: of its schema.
        places: its leaves for them; empty when it has none.
        arrives_in: record kinds in which they arrive.
        lost_in: record kinds in which they do not, though the sender has them.
        loss: ``dropped`` or ``withheld``, what the report says then.
        no_code_for: canonical values that the sender's code table has and the receiver's lacks.
    """

    agency: str
    version: str
    places: tuple[Place, ...]
    arrives_in: tuple[str, ...]
    lost_in: tuple[str, ...]
    loss: str
    no_code_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A leaf and its ways.

    Args:
        place: the leaf.
        ways: one for each version of each other agency's schema.
    """

    place: Place
    ways: tuple[Way, ...]


def names_of(row: Row) -> tuple[str, ...]:
    """Canonical fields of a line of the field table, of all parties that share it."""
    if row.type == "list":
        return ()
    return tuple(name for part in row.field.split("; ") for name in part.split(", ") if name)


def explain(adapters: Sequence[Adapter], sender: Adapter, query: str) -> tuple[Explained, ...]:
    """Say where a field goes.

    Args:
        adapters: all adapters, every version.
        sender: whose field it is.
        query: path (indices do not matter), tag, attribute or member, or canonical field.

    Returns:
        one for each leaf that is meant.

    Raises:
        GatewayError: ARGUMENT_INVALID when none is; the message names fields that are written alike.
    """
    rows = find_rows(sender, query)
    others = [adapter for adapter in adapters if adapter.name != sender.name]
    return tuple(
        Explained(place, tuple(_way(sender, place, other) for other in others))
        for place in (_place(sender, row) for row in rows)
    )


def find_rows(adapter: Adapter, query: str) -> list[Row]:
    """Lines of the field table that a path, tag or canonical field means.

    Raises:
        GatewayError: ARGUMENT_INVALID when none is meant; the message names fields that are written alike.
    """
    rows = [row for row in adapter.format.field_rows if row.type != "list"]
    wanted = _INDEX.sub("", query)
    by_path = [row for row in rows if _INDEX.sub("", row.path) == wanted]
    found = by_path or [row for row in rows if query.lstrip("@") == _tag(row) or query in names_of(row)]
    if found:
        return found
    words = {_tag(row): None for row in rows} | {name: None for row in rows for name in names_of(row)}
    paths = {_INDEX.sub("", row.path): row.path for row in rows}
    near = get_close_matches(query, words, 5, 0.5) or [paths[path] for path in get_close_matches(wanted, paths, 5, 0.6)]
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise refuse(ErrorCode.ARGUMENT_INVALID, message=f"the {adapter.name} schema has no such field{hint}")


def _tag(row: Row) -> str:
    return row.path.rpartition("/")[2].lstrip("@")


def _place(adapter: Adapter, row: Row) -> Place:
    made = adapter.format
    return Place(made.name, made.schema_version, row.path, row.type, row.cardinality, row.table, names_of(row))


def _way(sender: Adapter, place: Place, receiver: Adapter) -> Way:
    made = receiver.format
    rows = [row for row in made.field_rows if set(names_of(row)) & set(place.fields)]
    arrives: list[str] = []
    lost: list[str] = []
    for kind in sorted(sender.format.kinds_to(made)):
        if set(place.fields) & set(_names_in(sender.plan(kind))):
            (arrives if set(place.fields) & set(_names_in(receiver.plan(kind))) else lost).append(kind)
    table = next((row.table for row in rows if row.table), "")
    unknown: tuple[str, ...] = ()
    if place.table and table:
        known = load_table(table, made.name).written
        standards = load_table(place.table, place.agency).written
        unknown = tuple(sorted(standard for standard in standards if standard not in known))
    loss = "withheld" if made.is_withholding else "dropped"
    places = tuple(_place(receiver, row) for row in rows)
    return Way(made.name, made.schema_version, places, tuple(arrives), tuple(lost), loss, unknown)


def _names_in(plan: RowPlan) -> Iterator[str]:
    """Canonical fields that a record kind has."""
    for field in plan.fields:
        yield from field.names
    for rows in plan.lists:
        if rows.in_kind:
            for row in rows.rows.values():
                yield from _names_in(row)
