"""``fasttrack annex``: the published forms, and a check of annexes on this machine, without a gateway.

Source: domain model, section 3.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.day import to_day
from gateway.cli.exit_code import ExitCode
from gateway.cli.local_file import read_at_most

if TYPE_CHECKING:
    from gateway.core.annex import Annex
    from gateway.core.case.case import Case
    from gateway.core.errors import Finding
    from gateway.core.form.book import FormBook
    from gateway.core.form.definition import Form

app = typer.Typer(help="Structured materials: their forms, and whether a file is right.", no_args_is_help=True)

_RECEIVERS: Final = {"police": "procuratorate", "procuratorate": "court", "court": "justice", "justice": "court"}
_NO_UNIT: Final = "0" * 12
"""A table names no unit, and nothing that is looked up in it asks for one."""
_HINT: Final = "repair what is named above; `fasttrack annex show NAME --schema` says what each field means"


@app.command("list")
def list_forms(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of the README of the forms.")] = False,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List every form: name, version, who sends it and who may see it.

    Exit status: 0 listed.
    """
    from gateway.cli.output import print_json, print_table  # noqa: PLC0415 - loads rich
    from gateway.core.form.page import describe_form, describe_reader, to_markdown  # noqa: PLC0415 - only here

    book = _book(None)
    if markdown:
        sys.stdout.write(to_markdown(book))
    elif is_json:
        print_json({"rules": book.rules.id, "forms": [describe_form(form, book) for form in book.forms.values()]})
    else:
        rows = [
            (
                form.key.kind.value,
                f"{form.key.name}.v{form.key.version}",
                form.title,
                ", ".join(form.issuers),
                ", ".join(describe_reader(reader) for reader in form.readers),
            )
            for form in book.forms.values()
        ]
        print_table(book.rules.id, ("kind", "form", "what", "from", "seen by"), rows)


@app.command("show")
def show_form(
    name: Annotated[str, typer.Argument(help="Name of a form, such as recorder-manifest or recorder-manifest.v1.")],
    schema: Annotated[bool, typer.Option("--schema", help="Print its JSON Schema.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Print its example.")] = False,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show a form with its fields and checks, or its schema or example.

    Exit status: 0 shown, 2 there is no such form.
    """
    import json  # noqa: PLC0415 - with the forms

    from gateway.cli.output import print_json, print_table  # noqa: PLC0415 - loads rich
    from gateway.core.form.catalog import load_example  # noqa: PLC0415 - only here
    from gateway.core.form.field import describe_fields  # noqa: PLC0415 - only here
    from gateway.core.form.page import describe_form  # noqa: PLC0415 - only here

    if schema and example:
        raise typer.BadParameter("give --schema or --example, not both")
    book = _book(None)
    form = _find_form(book, name, "NAME")
    if schema:
        sys.stdout.write(json.dumps(form.schema, ensure_ascii=False, indent=2) + "\n")
    elif example:
        sys.stdout.write(load_example(form).decode("utf-8"))
    elif is_json:
        print_json({**describe_form(form, book), "fields": [row._asdict() for row in describe_fields(form)]})
    else:
        shown = [(row.path, "yes" if row.is_required else "", row.text) for row in describe_fields(form)]
        print_table(form.title, ("field", "required", "what"), shown)
        checks = [(int(r.code), r.code.name, r.severity.value, r.message, r.rule.citation) for r in book.rows_of(form)]
        print_table("Checks", ("code", "name", "weighs", "when", "article"), checks)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What annexes are compared with."""

    case: Case | None
    register: Mapping[str, Mapping[str, Any]]
    on: date


def read_beside(
    files: list[Path], register: Path | None, role: str
) -> tuple[tuple[Annex, ...], list[Finding], Mapping[str, Mapping[str, Any]], FormBook]:
    """Read what goes with a record, for ``fasttrack rules``.

    Args:
        files: annexes; their form is told by their name NAME.v1.json or guessed.
        register: of officers; None for none.
        role: of the agency that hands the record over, such as ``ps``; "" when the record does not say.

    Returns:
        the annexes that can be read and that an agency of this role sends, with the name of their file as path; what is
        wrong with the others; rows of the register by officer number; the forms.
    """
    from gateway.core.form.definition import judge_issuer  # noqa: PLC0415 - with the forms

    book = _book(None)
    annexes: list[Annex] = []
    findings: list[Finding] = []
    for file in files:
        data = _read(file)
        form = _guess_form(book, file, data)
        wrong = judge_issuer(form, role, file.name) if role else None
        if wrong is not None:
            findings.append(wrong)
            continue
        annex, found = book.parse(form, data, file.name)
        findings += found
        if annex is not None:
            annexes.append(annex)
    return tuple(annexes), findings, _read_register(book, register), book


@app.command("check")
def check_annexes(  # noqa: PLR0917 - typer reads the options from the parameters
    files: Annotated[list[Path], typer.Argument(help="Files of one bundle; they are also checked against each other.")],
    form: Annotated[
        str, typer.Option("--form", help="Form of the files; else it is read from the name NAME.v1.json, or guessed.")
    ] = "",
    record: Annotated[
        Path | None, typer.Option("--record", help="Native record to compare with.", exists=True, dir_okay=False)
    ] = None,
    sender: Annotated[str, typer.Option("--from", help="Schema of the record: police, procuratorate ...")] = "",
    register: Annotated[
        Path | None,
        typer.Option(
            "--register",
            help="Body of a qualification-register, or a table NAME.csv of officers.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="YAML of other tolerances.", exists=True, dir_okay=False)
    ] = None,
    on: Annotated[str, typer.Option("--on", help="Day of the proceeding, 2026-01-02; today when left out.")] = "",
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Check annexes or bodies of statements: their form, what they say, each other, and the record.

    Nothing is sent. Every finding is told at once with its place and article.

    Exit status: 0 nothing refuses (there may be warnings), 1 a finding refuses, 2 a file or option is wrong.
    """
    from gateway.cli.output import from_finding, print_findings, print_json  # noqa: PLC0415 - loads rich
    from gateway.core.errors import Severity  # noqa: PLC0415 - with the forms

    book = _book(settings)
    beside = _Beside(_read_record(record, sender), _read_register(book, register), to_day(on, "--on"))
    named, findings = _check(book, files, form, beside)
    is_refused = any(finding.severity is Severity.ERROR for finding in findings)
    if is_json:
        print_json(
            {
                "forms": [{"file": str(file), "form": name} for file, name in named],
                "rules": book.rules.id,
                "is_acceptable": not is_refused,
                "findings": [from_finding(finding) for finding in findings],
            }
        )
    else:
        for file, name in named:
            sys.stdout.write(f"{file}: {name}\n")
        print_findings(findings, stderr=False)
        sys.stdout.write(f"{'refused' if is_refused else 'nothing refuses'}, {len(findings)} findings\n")
    if is_refused:
        sys.stderr.write(f"  next: {_HINT}\n")
        raise typer.Exit(ExitCode.REFUSED)


def _check(
    book: FormBook, files: list[Path], form_name: str, beside: _Beside
) -> tuple[list[tuple[Path, str]], list[Finding]]:
    from gateway.core.form.definition import Scene  # noqa: PLC0415 - with the forms

    named: list[tuple[Path, str]] = []
    findings: list[Finding] = []
    annexes: list[Annex] = []
    for file in files:
        data = _read(file)
        form = _find_form(book, form_name, "--form") if form_name else _guess_form(book, file, data)
        named.append((file, f"{form.key.kind}/{form.key.name}.v{form.key.version}"))
        annex, found = book.parse(form, data, "" if len(files) == 1 else file.name)
        findings += found
        if annex is not None:
            annexes.append(annex)
    scene = Scene(
        beside.on, book.rules.settings, tuple(annexes), beside.case, register=beside.register, limits=book.limits
    )
    return named, findings + book.check(annexes, scene)


def _book(settings: Path | None) -> FormBook:
    from gateway.core.form.book import load_form_book  # noqa: PLC0415 - loads jsonschema and yaml
    from gateway.core.rule import RuleFileError, parse_yaml  # noqa: PLC0415 - as above

    try:
        return load_form_book(None if settings is None else parse_yaml(settings.name, settings.read_bytes()))
    except RuleFileError as error:
        _fail(str(error), "see the settings in gateway/core/rules/forms.yaml")
    except OSError as error:
        _fail(error.strerror or str(error), "check the path and its permissions")


def _find_form(book: FormBook, name: str, option: str) -> Form:
    base, _, version = name.partition(".v")
    found = [
        form
        for form in book.forms.values()
        if form.key.name == base and (not version or str(form.key.version) == version)
    ]
    if not found:
        raise typer.BadParameter("there is no such form; see `fasttrack annex list`", param_hint=option)
    # Of two kinds with one name the annex, of several versions the newest.
    return min(found, key=lambda form: (form.key.kind.value, -form.key.version))


def _guess_form(book: FormBook, file: Path, data: bytes) -> Form:
    import json  # noqa: PLC0415 - with the forms

    from gateway.core.form.definition import parse_file_name  # noqa: PLC0415 - as above

    by_name = parse_file_name(file.name)
    if by_name and any(key[1:] == by_name for key in book.forms):
        return _find_form(book, f"{by_name[0]}.v{by_name[1]}", "FILE")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    keys = value.keys() if isinstance(value, dict) else set()
    best = max(book.forms.values(), key=lambda form: len(keys & set(form.schema["required"])), default=None)
    if best is None or 2 * len(keys & set(best.schema["required"])) <= len(best.schema["required"]):
        _fail(f"{file}: it cannot be told which form this is", "name it by --form; see `fasttrack annex list`")
    return best


def _read(file: Path, most_bytes: int = 0) -> bytes:
    """One byte more than is allowed at most, by which it is seen that it is too many; 0 is that of a form."""
    from gateway.core.form.book import MAX_FORM_BYTES  # noqa: PLC0415 - with the forms

    try:
        return read_at_most(file, most_bytes or MAX_FORM_BYTES)
    except OSError as error:
        _fail(f"{file}: {error.strerror or error}", "check the path and its permissions")


def _read_record(file: Path | None, sender: str) -> Case | None:
    if file is None:
        return None
    from gateway.app import adapters  # noqa: PLC0415 - their tables take a while to load
    from gateway.core.manifest import MAX_RECORD_BYTES  # noqa: PLC0415 - as above

    known = adapters()
    if sender not in known.names():
        raise typer.BadParameter(f"say which schema the record has: {', '.join(known.names())}", param_hint="--from")
    reading = known.read_any(
        read_at_most(file, MAX_RECORD_BYTES), sender=sender, receiver=_RECEIVERS.get(sender, "procuratorate")
    )
    if reading.case is None:
        from gateway.cli.failure import fail  # noqa: PLC0415 - only when it goes wrong

        hint = "`fasttrack adapters map` shows what is wrong with it"
        fail(ExitCode.REFUSED, "the record has errors", hint, is_json=False, findings=tuple(reading.findings))
    return reading.case


def _read_register(book: FormBook, file: Path | None) -> Mapping[str, Mapping[str, Any]]:
    if file is None:
        return {}
    from gateway.core.form.register import to_register  # noqa: PLC0415 - with the forms

    if file.suffix.lower() == ".csv":
        return _read_table(file)
    data = _read(file)
    annex, findings = book.parse(_find_form(book, "qualification-register", "--register"), data)
    if annex is None:
        from gateway.cli.failure import fail  # noqa: PLC0415 - only when it goes wrong

        fail(ExitCode.REFUSED, "the register has errors", _HINT, is_json=False, findings=tuple(findings))
    return to_register(annex.data)


def _read_table(file: Path) -> Mapping[str, Mapping[str, Any]]:
    """A table is judged as ``fasttrack statement register`` does: what cannot be stated is no register."""
    from gateway.cli.statement_register import make_body  # noqa: PLC0415 - with the forms
    from gateway.core.errors import Severity  # noqa: PLC0415 - as above
    from gateway.core.form.register import to_register  # noqa: PLC0415 - as above
    from gateway.core.form.register_csv import MAX_BYTES  # noqa: PLC0415 - as above

    body, findings = make_body(_read(file, MAX_BYTES), _NO_UNIT, to_day("", "--on"), "utf-8")
    if any(finding.severity is Severity.ERROR for finding in findings):
        from gateway.cli.failure import fail  # noqa: PLC0415 - only when it goes wrong

        hint = (
            "the path is /LINE/COLUMN of the table, which is read as UTF-8; "
            "`fasttrack statement register --encoding gb18030` makes a body of one in GB18030"
        )
        fail(ExitCode.REFUSED, "the register has errors", hint, is_json=False, findings=tuple(findings))
    return to_register(body)


def _fail(message: str, hint: str) -> NoReturn:
    from gateway.cli.failure import fail  # noqa: PLC0415 - only when it goes wrong

    fail(ExitCode.USAGE, message, hint, is_json=False)
