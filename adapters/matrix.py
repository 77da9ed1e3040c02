"""The table of all canonical fields and the leaves that hold them in each schema; ``MATRIX.md`` is its output.

``fasttrack adapters matrix > adapters/MATRIX.md`` writes it anew; a test says when it is out of date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.engine.adapter import Adapter
from adapters.explain import names_of

_HEAD = """# Which field stands where

Made from the field tables by `fasttrack adapters matrix`. A cell has the leaves of the field in that schema; it is
empty where the schema has none: what comes from elsewhere is then dropped, towards justice withheld. `=` in a later
version of a schema says that it is as in the version before. Lists have `[]` after their name. One field in detail:
`fasttrack adapters explain FIELD`.
"""


@dataclass(frozen=True, slots=True)
class Matrix:
    """The table.

    Args:
        schemas: name and version of each column.
        rows: canonical field, and for each column the paths of its leaves.
    """

    schemas: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]


def make_matrix(adapters: Sequence[Adapter]) -> Matrix:
    """Make the table.

    Args:
        adapters: one for each column.

    Returns:
        the table; fields are in the order of the schemas, each after the one that it follows in the first that has it.
    """
    columns = [_leaves(adapter) for adapter in adapters]
    order: list[str] = []
    for column in columns:
        at = 0
        for name in column:
            if name in order:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
    schemas = tuple((adapter.name, adapter.format.schema_version) for adapter in adapters)
    return Matrix(schemas, tuple((name, tuple(column.get(name, ()) for column in columns)) for name in order))


def _leaves(adapter: Adapter) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in adapter.format.field_rows:
        for name in names_of(row):
            found[name] = (*found.get(name, ()), row.path)
    return found


def to_markdown(matrix: Matrix) -> str:
    """Write the table as Markdown.

    Args:
        matrix: the table.

    Returns:
        the whole document.
    """
    heads = [f"{name} {version}" for name, version in matrix.schemas]
    lines = [_HEAD, f"| field | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for field, cells in matrix.rows:
        shown = []
        for at, paths in enumerate(cells):
            is_later = at > 0 and matrix.schemas[at][0] == matrix.schemas[at - 1][0]
            is_same = is_later and paths and paths == cells[at - 1]
            shown.append("=" if is_same else "<br>".join(f"`{path}`" for path in paths))
        lines.append(f"| {field} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"
