"""The table of clocks in words, for people and for the README of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gateway.core.clock.rule import ClockRule, Extension
from gateway.core.clock.table import ClockTable

RULE_FILE: Final = "clocks.yaml"
TEST_FILE: Final = "tests/unit/core/clock/test_clock_cases.py"
MARK_BEGIN: Final = "<!-- clocks: begin, written by `fasttrack clocks list --markdown` -->"
MARK_END: Final = "<!-- clocks: end -->"


def describe_rule(row: ClockRule) -> dict[str, Any]:
    """Put a row into words.

    Args:
        row: of the table.

    Returns:
        plain values by name: texts for people in ``length`` and ``extensions``, the rest as in the row.
    """
    return {
        "id": row.id,
        "title": row.title,
        "length": _describe_length(row),
        "extensions": ", ".join(_describe_extension(item) for item in row.extensions.values()),
        "rolls": row.rolls,
        "force": "hard" if row.is_hard else "service",
        "basis": row.rule.citation,
        "confidence": row.rule.confidence.value,
        "valid_from": row.rule.valid_from.isoformat(),
        "valid_to": row.rule.valid_to.isoformat() if row.rule.valid_to else None,
        "inputs": {name: kind.wording for name, kind in row.inputs.items()},
        "assume": dict(row.assume),
        "belongs_to": "person" if row.is_of_person else "file",
        "start": list(row.starts),
        "stop": list(row.stops),
        "suspended_by": list(row.suspended_by),
        "max_runs": row.max_runs,
    }


def to_markdown(table: ClockTable) -> str:
    """Write the table for the README of the rules.

    Args:
        table: of clocks.

    Returns:
        Markdown, from the begin mark to the end mark, with a last newline.
    """
    lines = [
        MARK_BEGIN,
        f"{len({row.id for row in table.rows})} clocks of `{table.id}` in [{RULE_FILE}]({RULE_FILE}), "
        f"each with cases of its own in `{TEST_FILE}`.",
        "",
        "| Id | Clock | Length | Extensions | Inputs | Holidays | Kind | Article | Valid | Confidence | Test |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines.extend(_to_row(describe_rule(row)) for row in table.rows)
    return "\n".join([*lines, MARK_END, ""])


def _to_row(row: dict[str, Any]) -> str:
    cells: Iterable[str] = (
        row["id"],
        row["title"],
        row["length"],
        row["extensions"],
        "; ".join(f"`{name}`: {wording}" for name, wording in row["inputs"].items()),
        "moves" if row["rolls"] else "",
        row["force"],
        row["basis"],
        f"{row['valid_from']} to {row['valid_to'] or 'now'}",
        row["confidence"],
        f"`[{row['id']}-`",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _describe_length(row: ClockRule) -> str:
    parts: list[str] = []
    for choice in row.choices:
        when = " and ".join(map(str, choice.conditions))
        parts.append(f"{choice.length} if {when}" if when else f"{'else ' if parts else ''}{choice.length}")
    return ", ".join(parts) or "none"


def _describe_extension(extension: Extension) -> str:
    if extension.to is not None:
        text = f"to {extension.to}"
    elif extension.by is None:
        text = "by the first length again"
    else:
        text = f"by {extension.at_least} to {extension.by}" if extension.at_least else f"by {extension.by}"
    after = f" after {extension.after}" if extension.after else ""
    return f"{extension.name} {text}{after}"
