"""SQL by name: each file of ``sql/`` holds statements, each below a line ``-- name: what_it_is``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_MARK: Final = "-- name: "


def load_statements(name: str) -> Mapping[str, str]:
    """Read the statements of a file.

    Args:
        name: file name without ``.sql``.

    Returns:
        SQL by name.

    Raises:
        ValueError: a statement has no name, or two have the same.
    """
    found: dict[str, str] = {}
    head, *parts = (files("gateway.ledger") / "sql" / f"{name}.sql").read_text(encoding="utf-8").split(_MARK)
    if any(line and not line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"{name}.sql has a statement without a name")
    for part in parts:
        title, _, body = part.partition("\n")
        if title in found:
            raise ValueError(f"{name}.sql has two statements named {title}")
        found[title] = body.strip()
    return found
