"""How results are shown: for people on a terminal, or as one JSON object with ``--json``.

Results go to standard output; progress, hints and errors go to standard error, so that output can be piped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.core.entry import to_instant
from gateway.core.errors import Finding, Severity

if TYPE_CHECKING:
    from rich.console import Console


def to_plain(value: Any) -> Any:
    """Turn a value into what JSON can hold.

    Args:
        value: dataclass fields, enums, UUIDs, instants, bytes, lists and mappings of them.

    Returns:
        strings, numbers, booleans, None, lists and objects; bytes become hexadecimal digits.
    """
    if isinstance(value, datetime):
        return to_instant(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    if value is None or type(value) in (str, int, float, bool):
        return value
    return str(value)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of its own.

    Args:
        value: plain or not, see ``to_plain``.
    """
    sys.stdout.write(json.dumps(to_plain(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """Open the terminal.

    Args:
        stderr: True for hints and errors.

    Returns:
        a rich console; without colours in a pipe or with NO_COLOR.
    """
    from rich.console import Console  # noqa: PLC0415 - rich takes longer to load than a --json command may take

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table for people.

    Args:
        title: above it.
        columns: headings.
        rows: one value for each column.
    """
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    terminal = Console(highlight=False)
    if not terminal.is_terminal:
        # In a pipe there is no width to fit into, and a folded digest cannot be searched for.
        terminal = Console(highlight=False, width=240)
    terminal.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return "" if value is None else str(to_plain(value))


def from_finding(finding: Finding) -> dict[str, Any]:
    """Turn a finding into a plain object.

    Args:
        finding: the finding.

    Returns:
        code, name, severity, path, message and basis.
    """
    return {
        "code": int(finding.code),
        "name": finding.code.name,
        "severity": finding.severity.value,
        "path": finding.path,
        "message": finding.message,
        "basis": finding.basis,
    }


def print_findings(findings: Iterable[Finding], *, stderr: bool = True) -> None:
    """Print findings for people, one a line, errors first.

    Args:
        findings: any number.
        stderr: where to.
    """
    from rich.markup import escape  # noqa: PLC0415 - as above

    terminal = console(stderr=stderr)
    for finding in sorted(findings, key=lambda finding: finding.severity is Severity.WARNING):
        style = "yellow" if finding.severity is Severity.WARNING else "red"
        path = f" {escape(finding.path)}" if finding.path else ""
        basis = f" ({escape(finding.basis)})" if finding.basis else ""
        name = f"{finding.code.name} {int(finding.code)}"
        terminal.print(f"  [{style}]{name}[/]{path}: {escape(finding.message)}{basis}")
