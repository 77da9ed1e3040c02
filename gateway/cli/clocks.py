"""``fasttrack clocks``: the limits of a case as a timeline; and limits counted on this machine, without a gateway.

Source: domain model, sections 1.4 and 1.5.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
import typer.core

from gateway.cli.command import JSON_OPTION, Session, gateway_command
from gateway.cli.exit_code import ExitCode
from gateway.cli.stored_case import CASE_NUMBER

if TYPE_CHECKING:
    from gateway.core.clock.due import Counting
    from gateway.core.clock.table import ClockTable
    from gateway.core.errors import Finding


class _CaseOrCommand(typer.core.TyperGroup):
    """Takes a case number for the command ``case``: no command of the group looks like one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command."""
        return super().resolve_command(ctx, ["case", *args] if args and CASE_NUMBER.fullmatch(args[0]) else args)


app = typer.Typer(
    help="Show the limits of a case (fasttrack clocks CASE), or count limits.", no_args_is_help=True, cls=_CaseOrCommand
)

MAX_LINE_BYTES: Final = 64 * 1024
_JSON_ALWAYS: Final = typer.Option("--json", help="Changes nothing: the answers are JSON lines anyway.")
_SETTINGS: Final = typer.Option(
    "--settings",
    help="YAML with month_rule, weekend_rolls, trial_start, signed_send_hours and lengths, instead of the defaults.",
    exists=True,
    dir_okay=False,
)
_HOLIDAYS: Final = typer.Option(
    "--holidays", help="YAML of a further year of holidays; may be given again.", exists=True, dir_okay=False
)


@gateway_command(app, "case")
async def case_clocks(
    session: Session,
    case_number: Annotated[str, typer.Argument(metavar="CASE", help="Police case number: A and 22 digits.")],
) -> None:
    """Draw the limits of a case that you may see as a timeline; the word case may be left out.

    The supervising procuratorate and the holder of the file see all limits, other parties those that are their duty.
    Exit status: 0 shown, 1 refused, 3 gateway not reached.
    """
    from gateway.cli.clock_timeline import draw_timeline, terminal_width, to_plain_clocks  # noqa: PLC0415 - only here
    from gateway.cli.output import print_json  # noqa: PLC0415 - as above

    async with session.client() as client:
        found = await client.get_case_clocks(case_number)
    if session.is_json:
        print_json({"case_number": case_number, **to_plain_clocks(found)})
        return
    sys.stdout.write("\n".join(draw_timeline(case_number, found, terminal_width())) + "\n")


@app.command("due")
def due(
    file: Annotated[Path, typer.Argument(help="File of JSON lines; - for standard input.", allow_dash=True)],
    settings: Annotated[Path | None, _SETTINGS] = None,
    holidays: Annotated[list[Path] | None, _HOLIDAYS] = None,
    is_json: Annotated[bool, _JSON_ALWAYS] = False,
) -> None:
    """Count a limit for each line: {"kind": "K22", "start": "2026-02-05", "custody": true, "inputs": {...}}.

    Prints a line for each: {due, rolled_from, rule, basis}, or {error: {code, name, path, message, findings}}. A day
    clock ends with its day, an hour clock at an instant at +08:00; due is null for a clock without length. An hour
    clock has advisory too: its end if the hour of the start is not counted. An empty line has no answer.

    Exit status: 0 every line has an answer, 1 at least one has an error, 2 a file is wrong.
    """
    del is_json
    table, counting = _load(settings, holidays or [])
    source: Any = nullcontext(sys.stdin.buffer) if str(file) == "-" else _open(file)
    failed = False
    with source as stream:
        for line in _read_lines(stream):
            answer = answer_line(line, table, counting)
            failed = failed or "error" in answer
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    if failed:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("list")
def list_clocks(
    settings: Annotated[Path | None, _SETTINGS] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of the README of the rules.")] = False,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show every clock: length, what the length depends on, extensions and legal basis.

    Exit status: 0 shown, 2 the file of settings is wrong.
    """
    from gateway.cli.output import print_json, print_table  # noqa: PLC0415 - loads rich
    from gateway.core.clock.listing import describe_rule, to_markdown  # noqa: PLC0415 - only here

    table, _ = _load(settings, [])
    rows = [describe_rule(row) for row in table.rows]
    if markdown:
        sys.stdout.write(to_markdown(table))
    elif is_json:
        print_json({"rules": table.id, "clocks": rows})
    else:
        columns = ("id", "title", "length", "extensions", "force", "basis", "confidence")
        print_table(table.id, columns, [[row[column] for column in columns] for row in rows])


def answer_line(line: bytes | None, table: ClockTable, counting: Counting) -> dict[str, Any]:
    """Answer one line.

    Args:
        line: JSON in UTF-8; None for a line that was too long to read.
        table: of clocks.
        counting: calendar and readings.

    Returns:
        {due, rolled_from, rule, basis}, for hours with advisory, or {error}.
    """
    from gateway.core.clock.request import answer_request  # noqa: PLC0415 - with the table
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - with the table

    try:
        answer = answer_request(_parse(line), table, counting)
    except GatewayError as error:
        return _to_error(error.findings)
    rule, found = answer.clock.rule.rule, answer.due
    advisory = {"advisory": found.advisory.isoformat()} if found and found.advisory else {}
    return {
        "due": found.at.isoformat() if found else None,
        "rolled_from": found.rolled_from.isoformat() if found and found.rolled_from else None,
        "rule": rule.id,
        "basis": rule.citation,
        **advisory,
    }


def _to_error(findings: tuple[Finding, ...]) -> dict[str, Any]:
    from gateway.cli.output import from_finding  # noqa: PLC0415 - with the table

    listed = [from_finding(finding) for finding in findings]
    first = {key: listed[0][key] for key in ("code", "name", "path", "message")}
    return {"error": {**first, "findings": listed}}


def _parse(line: bytes | None) -> Any:
    from gateway.core.errors import ErrorCode, refuse  # noqa: PLC0415 - with the table

    if line is None:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "", f"a line may have {MAX_LINE_BYTES} bytes")
    try:
        return json.loads(line.decode("utf-8"), object_pairs_hook=_to_object)
    except (ValueError, RecursionError):
        message = "a line is one JSON object in UTF-8 with every key once"
        raise refuse(ErrorCode.ARGUMENT_INVALID, "", message) from None


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _read_lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
            yield None
        elif line.strip():
            yield line


def _load(settings: Path | None, holidays: list[Path]) -> tuple[ClockTable, Counting]:
    from gateway.app_counting import load_counting  # noqa: PLC0415 - loads yaml
    from gateway.core.rule import RuleFileError  # noqa: PLC0415 - as above

    try:
        return load_counting(tuple(holidays), settings)
    except RuleFileError as error:
        _fail(str(error), "see gateway/core/rules/README.md for the form")
    except OSError as error:
        _fail(error.strerror or str(error), "check the path and its permissions")


def _open(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        _fail(f"{file}: {error.strerror or error}", "check the path and its permissions, or give - for standard input")


def _fail(message: str, hint: str) -> NoReturn:
    from gateway.cli.failure import fail  # noqa: PLC0415 - only when it goes wrong

    fail(ExitCode.USAGE, message, hint, is_json=False)
