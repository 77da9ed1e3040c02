"""The page of the state machine: a picture and the tables, written from the data.

Source: domain model, sections 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.core.errors import Severity
from gateway.core.procedure.act_table import ActRow, load_acts
from gateway.core.procedure.lifecycle import TABLE, Stage

MARK_BEGIN: Final = "<!-- state machine: begin, written by `python -m tests.support.state_page` -->"
MARK_END: Final = "<!-- state machine: end -->"
_COLUMNS: Final = (
    "Act", "T", "Who", "Standing", "From", "To", "Sets", "Only from", "Needs", "Documents", "Article",
)  # fmt: skip
_WITH_FILE: Final = "with the file"


def to_markdown() -> str:
    """Write the part of the page between its marks.

    Returns:
        Markdown with a mermaid picture, ending with the mark and a line feed.
    """
    lines = [MARK_BEGIN, "", "```mermaid", "stateDiagram-v2"]
    lines += [f"    {stage.value} : {stage.value} {stage.name}" for stage in Stage]
    lines += sorted(set(_arrows()))
    lines += ["```", "", "## Handoffs", "", "| Kind | Act | From | To | Transitions |", "|---|---|---|---|---|"]
    for (kind, act), moves in TABLE.items():
        lines += [
            f"| {kind.value} | {act.value} | {_stages(move.sources)} | {move.target.value if move.target else '-'} "
            f"| {' '.join(move.transitions)} |"
            for move in moves
        ]
    lines += ["", "## Acts", "", f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in load_acts().values()]
    return "\n".join([*lines, "", MARK_END, ""])


def _cells(row: ActRow) -> Iterator[str]:
    yield f"`{row.id}`: {row.title}"
    yield row.transition
    yield " ".join(sorted(row.who))
    yield row.standing.value
    yield _stages(row.sources)
    goes = [row.target.value] if row.target else []
    goes += [f"{source.value} to {target.value} with the last person" for source, target in row.when_all.items()]
    yield ", ".join(goes) or "-"
    yield f"{row.region} {row.value or _WITH_FILE}" if row.region else "-"
    values = ["any"] if row.only is None else sorted(value or _WITH_FILE for value in row.only)
    yield ", ".join(values) if row.region else "-"
    yield " ".join(row.needs) or "-"
    demanded = " (refused without)" if row.without_documents is Severity.ERROR else ""
    yield " ".join(row.documents) + demanded or "-"
    yield row.rule.citation


def _stages(stages: frozenset[Stage]) -> str:
    return "any" if len(stages) == len(Stage) else " ".join(stage.value for stage in Stage if stage in stages)


def _arrows() -> Iterator[str]:
    for (kind, act), moves in TABLE.items():
        label = kind.value if act.value == "submitted" else f"{kind.value} {act.value}"
        for move in moves:
            if move.target is not None:
                yield from (f"    {source.value} --> {move.target.value} : {label}" for source in move.sources)
    for row in load_acts().values():
        if row.target is not None:
            sources = row.sources - {row.target}
            yield from (f"    {source.value} --> {row.target.value} : {row.id}" for source in sources)
        for source, target in row.when_all.items():
            yield f"    {source.value} --> {target.value} : {row.id}"
