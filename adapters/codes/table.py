"""A code table of one agency: its codes, their names and the canonical value of each.

Source: agency interfaces, section 5 (codes); ``<table>.<agency>.csv`` beside this file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

TABLES: Final = "adapters.codes"
"""Where the tables of the built-in agencies are."""
OTHER: Final = "*"
"""Standard of the *other* code of an open table."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Args:
        standards: canonical value by code; ``*`` for the other code.
        names: name by code.
        codes_by_name: code by name.
        written: by canonical value, the code and whether reading that code gives the same value back.
        names_by_standard: name by canonical value.
        other: the other code, "" in a closed table.
    """

    standards: dict[str, str]
    names: dict[str, str]
    codes_by_name: dict[str, str]
    written: dict[str, tuple[str, bool]]
    names_by_standard: dict[str, str]
    other: str


_packages: dict[str, str] = {}
"""Where the tables of an agency lie whose adapter is no part of this project."""


def declare_tables(agency: str, package: str) -> None:
    """Say in which package the tables of an agency are; those of the built-in agencies are beside this file.

    Args:
        agency: adapter name.
        package: with ``<table>.<agency>.csv``.
    """
    _packages[agency] = package


@cache
def load_table(name: str, agency: str) -> Table:
    """Load a table once.

    Args:
        name: e.g. ``sex``.
        agency: adapter name, e.g. ``court``.

    Returns:
        the table.
    """
    text = resources.files(_packages.get(agency, TABLES)).joinpath(f"{name}.{agency}.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    standards = {row["code"]: row["standard"] for row in rows}
    written: dict[str, tuple[str, bool]] = {}
    names_by_standard: dict[str, str] = {}
    codes_by_name: dict[str, str] = {}
    for row in rows:
        codes_by_name.setdefault(row["name"], row["code"])
        if row["standard"] != OTHER:
            written.setdefault(row["standard"], (row["code"], True))
            names_by_standard.setdefault(row["standard"], row["name"])
    for row in rows:
        for also in (row["also"] or "").split():
            written.setdefault(also, (row["code"], False))
    other = next((code for code, standard in standards.items() if standard == OTHER), "")
    names = {row["code"]: row["name"] for row in rows}
    return Table(standards, names, codes_by_name, written, names_by_standard, other)
