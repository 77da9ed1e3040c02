"""``fasttrack statement register``: from a table of officers to the body of a statement, on this machine.

Source: domain model, section 3 (officer qualification 执法资格).
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.day import to_day
from gateway.cli.exit_code import ExitCode
from gateway.cli.local_file import read_at_most
from gateway.cli.output import from_finding, print_findings, print_json

if TYPE_CHECKING:
    from gateway.core.errors import Finding

FORM: Final = "qualification-register"
_ENCODINGS: Final = ("utf-8", "gb18030")


def register(  # noqa: PLR0917 - typer reads the options from the parameters
    file: Annotated[Path, typer.Argument(help="Table of officers, CSV.", exists=True, dir_okay=False)],
    unit: Annotated[str, typer.Option("--unit", help="Code of the unit, 12 digits.")],
    as_of: Annotated[str, typer.Option("--as-of", help="Day on which it was right; left out, today.")] = "",
    encoding: Annotated[str, typer.Option("--encoding", help="utf-8 or gb18030.")] = "utf-8",
    out: Annotated[Path | None, typer.Option("--out", help="Write the body to this file.")] = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make the body of a qualification-register from a table; nothing is sent.

    Columns officer_no, level, post, status, obtained_on and valid_to, in any order, or their Chinese names
    (gateway/cli/README.md). Every finding is told at once, with its line and column: /7/level.

    Exit status: 0 the body was printed (there may be warnings), 1 the table has errors, 2 a file or option is wrong.
    """
    from gateway.core.errors import Severity  # noqa: PLC0415 - with the forms
    from gateway.core.form.register_csv import MAX_BYTES  # noqa: PLC0415 - as above

    if encoding.lower() not in _ENCODINGS:
        raise typer.BadParameter(f"one of {', '.join(_ENCODINGS)}", param_hint="--encoding")
    body, findings = make_body(read_at_most(file, MAX_BYTES), unit, to_day(as_of, "--as-of"), encoding.lower())
    is_refused = any(finding.severity is Severity.ERROR for finding in findings)
    if out is not None and not is_refused:
        out.write_text(json.dumps(body, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if is_json:
        print_json(
            {
                "is_acceptable": not is_refused,
                "body": None if is_refused else body,
                "findings": [from_finding(finding) for finding in findings],
            }
        )
    elif not is_refused and out is None:
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    if findings and not is_json:
        print_findings(findings)
    if is_refused:
        sys.stderr.write("  next: correct the cells that are named by line and column, and run it again\n")
        raise typer.Exit(ExitCode.REFUSED)
    sys.stderr.write(f"  next: fasttrack statement submit {out or 'BODY.json'} --type {FORM}\n")


def make_body(data: bytes, unit: str, as_of: date, encoding: str) -> tuple[dict[str, Any], list[Finding]]:
    """Make the body and judge it.

    Args:
        data: the table.
        unit: code of the unit.
        as_of: day on which the table was right.
        encoding: of the table.

    Returns:
        the body; all findings of the table, or those of the form with the paths of the table.
    """
    from gateway.core.form.book import load_form_book  # noqa: PLC0415 - loads jsonschema
    from gateway.core.form.definition import FormKind, Scene  # noqa: PLC0415 - as above
    from gateway.core.form.register_csv import parse_register  # noqa: PLC0415 - as above

    rows, lines, findings = parse_register(data, encoding)
    body = {"unit_code": unit, "as_of": as_of.isoformat(), "officers": rows}
    if findings:
        return body, findings
    book = load_form_book()
    annex, findings = book.parse(book.find(FormKind.STATEMENT, FORM, 1), body)
    if annex is not None:
        findings = book.check_statement(annex, Scene(on=as_of, settings=book.rules.settings, limits=book.limits))
    return body, [replace(finding, path=_to_cell(finding.path, lines)) for finding in findings]


def _to_cell(pointer: str, lines: dict[int, int]) -> str:
    """From a place in the body to the line and column that it came from."""
    steps = pointer.split("/")
    if len(steps) < 4 or steps[1] != "officers":
        return pointer
    return f"/{lines[int(steps[2])]}/{steps[3]}"
