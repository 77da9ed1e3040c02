"""The field table of an agency: one line for each leaf and list of its interface, in the order of the interface.

``fields.csv`` is section 5 of the agency's interface as data. Nothing of it is repeated in code. The folder of a later
version lies in the folder of the version that it changes and has ``changes.csv`` instead: only what differs.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Final

KIND_OF_SHORT = {
    "TR": "TRANSFER",
    "RT": "RETRANSFER",
    "IN": "INDICTMENT",
    "RE": "RETURN",
    "NP": "NON_PROSECUTION",
    "JU": "JUDGMENT",
    "EX": "EXECUTION",
    "AQ": "ASSESSMENT_REQUEST",
    "AO": "ASSESSMENT_OPINION",
}
"""Short names of the record kinds in the cardinality column. Source: agency interfaces, section 2."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        path: of the leaf or list, ``[]`` after the name of a list.
        type: of the leaf; ``list`` for a list.
        cardinality: M, O or D, with the kinds it holds for.
        table: base name of its code table, "" when it has none.
        field: canonical field or fields; for a list the scope or scopes.
        part: which part of its field the leaf is, "" when it is the only one.
        default: what a writer writes when there is no value.
    """

    path: str
    type: str
    cardinality: str
    table: str
    field: str
    part: str
    default: str

    @property
    def owner(self) -> str:
        """Path of the nearest list around it, "" for the record."""
        head, mark, _ = self.path.rpartition("[]")
        if self.type == "list":
            head, mark, _ = self.path[:-2].rpartition("[]")
        return head + mark

    def cardinality_in(self, kind: str, scope: str) -> str:
        """M, O, D, or "" when the kind does not have it.

        Args:
            kind: canonical record kind.
            scope: person, org or victim, where the column differs by party.
        """
        text = self.cardinality
        if ":" in text:
            text = dict(part.split(": ") for part in text.split("; "))[scope]
        for group in text.split("; "):
            mark, *shorts = group.split()
            if not shorts or kind in [KIND_OF_SHORT[short] for short in shorts]:
                return mark
        return ""


_COLUMNS: Final = tuple(Row.__slots__)


def load_rows(agency: str) -> tuple[Row, ...]:
    """Load the field table of an agency.

    Args:
        agency: adapter name.

    Returns:
        its lines, in order.
    """
    return read_rows(f"adapters.{agency}")


@cache
def read_rows(package: str) -> tuple[Row, ...]:
    """Read the field table in the folder of an agency, or of a version of its schema.

    Args:
        package: of the folder, e.g. ``adapters.police`` or ``adapters.police.v3_3``.

    Returns:
        its lines, in order.

    Raises:
        ValueError: a change names a line that is not there.
    """
    folder = resources.files(package).joinpath("schema")
    changes = folder.joinpath("changes.csv")
    if changes.is_file():
        base = package.rpartition(".")[0]
        return _changed(read_rows(base), list(csv.DictReader(changes.read_text("utf-8").splitlines())))
    text = folder.joinpath("fields.csv").read_text("utf-8")
    return tuple(Row(**row) for row in csv.DictReader(text.splitlines()))


def _changed(rows: tuple[Row, ...], changes: list[dict[str, str]]) -> tuple[Row, ...]:
    """Lines of a version: ``change`` gives the leaf ``at`` what is not empty; ``add`` puts a new leaf after it."""
    made = list(rows)
    for change in changes:
        values = {name: change[name] for name in _COLUMNS}
        found = [index for index, row in enumerate(made) if row.path == change["at"] and row.type != "list"]
        if len(found) != 1:
            raise ValueError(f"no leaf {change['at']} to {change['change']}")
        if change["change"] == "change":
            given = {name: value for name, value in values.items() if value}
            made[found[0]] = replace(made[found[0]], **given)
        elif change["change"] == "add":
            made.insert(found[0] + 1, Row(**values))
        else:
            raise ValueError(f"{change['change']} is neither change nor add")
    return tuple(made)


def owner_scope(name: str) -> str:
    """Which party a canonical field of a party table belongs to."""
    head = name.split(".", maxsplit=1)[0]
    return head if head in ("org", "victim") else "person"


def names_in(row: Row, scope: str, *, is_shared: bool) -> tuple[str, ...] | None:
    """Canonical fields of a leaf for one party.

    Args:
        row: the leaf.
        scope: the party.
        is_shared: the table has rows of several parties.

    Returns:
        the fields, or None when the party does not have the leaf.
    """
    if not row.field:
        return ()
    alternatives = [tuple(part.split(", ")) for part in re.split("; ", row.field)]
    if not is_shared:
        return alternatives[0]
    return next((names for names in alternatives if owner_scope(names[0]) == scope), None)
