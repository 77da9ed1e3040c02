"""``fasttrack rules``: who may be tried by the fast track, what a file lacks, and what would heal it.

Source: domain model, sections 1.3 and 2.4.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode
from gateway.cli.output import console, from_finding, print_findings, print_json, print_table
from gateway.cli.rules_read import LocalRecord, load_rules, read_local
from gateway.cli.rules_replay import replay

if TYPE_CHECKING:
    from gateway.core.judge.outcome import RuleFinding, RuleOutcome
    from gateway.core.judge.rule_set import JudgeRuleSet

app = typer.Typer(help="Judge a record by the rules of the procedure; look at the rules.", no_args_is_help=True)

_FILE: Final = typer.Argument(help="Record in the sender's schema.")
_FROM: Final = typer.Option("--from", help="Agency that wrote the file; else that of its schema.", metavar="AGENCY")
_TO: Final = typer.Option(
    "--to", help="Agency that it is for; else the first that it has a route to.", metavar="AGENCY"
)
_DAY: Final = typer.Option("--day", formats=["%Y-%m-%d"], help="Day of the gateway, in China; else today.")
_SETTINGS: Final = typer.Option(
    "--settings", help="YAML of other readings of the rules (FASTTRACK_RULE_SETTINGS of a gateway).", dir_okay=False
)

_ANNEX: Final = typer.Option(
    "--annex", exists=True, dir_okay=False,
    help="Annex, NAME.v1.json; may be given again. A legal-review or finding-override is one that was stated.",
)  # fmt: skip
_REGISTER: Final = typer.Option(
    "--register", exists=True, dir_okay=False,
    help="Your officers: body of a qualification-register, or a table NAME.csv.",
)  # fmt: skip


@app.command("list")
def list_rules(
    settings: Annotated[Path | None, _SETTINGS] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables of the README of the rules.")] = False,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show every rule: whom it asks about, what it does, its article and what would cure it.

    Exit status: 0 shown, 2 the file of settings is wrong.
    """
    from gateway.core.judge.listing import to_json, to_markdown  # noqa: PLC0415 - only here

    rules = load_rules(settings)
    if markdown:
        sys.stdout.write(to_markdown(rules))
        return
    told = to_json(rules)
    if is_json:
        print_json(told)
        return
    columns = ("id", "title", "effect", "basis", "confidence", "cure")
    for name in ("eligibility", "documents"):
        print_table(f"{name} of {rules.id}", columns, [[row[column] for column in columns] for row in told[name]])
    heads = ("id", "title", "most_months", "kinds", "basis", "valid_from", "valid_to")
    print_table(f"charges of {rules.id}", heads, [[row[head] for head in heads] for row in told["charges"]])


@app.command("check")
def check(
    file: Annotated[Path, _FILE],
    *,
    sender: Annotated[str, _FROM] = "",
    receiver: Annotated[str, _TO] = "",
    day: Annotated[datetime | None, _DAY] = None,
    settings: Annotated[Path | None, _SETTINGS] = None,
    annexes: Annotated[list[Path] | None, _ANNEX] = None,
    register: Annotated[Path | None, _REGISTER] = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Judge a record as the gateway would when it is handed over: {result, persons, documents, rule_set}.

    A record that cannot be read is NOT_EVALUATED, and what is wrong with it stands in documents. With --annex there may
    be annexes too: what their forms say of them, alone, against each other, the record and the register.

    Exit status: 0 nothing refuses it, 1 a finding does, 2 a file or option is wrong.
    """
    rules, record = load_rules(settings), _read(file, sender, receiver, day, annexes=annexes, register=register)
    outcome = _judge(rules, record)
    told = _to_json(rules, record, outcome)
    if is_json:
        print_json(told)
    else:
        sys.stdout.write(f"{told['result']} by {told['rule_set']}\n")
        for person in told["persons"]:
            sys.stdout.write(f"{person['key']}: {person['result']}\n")
        sys.stdout.flush()
        print_findings([*_to_findings(record, outcome), *record.beside], stderr=False)
    raise typer.Exit(ExitCode.REFUSED if _is_refused(told) else ExitCode.OK)


@app.command("explain")
def explain(
    file: Annotated[Path, _FILE],
    *,
    sender: Annotated[str, _FROM] = "",
    receiver: Annotated[str, _TO] = "",
    day: Annotated[datetime | None, _DAY] = None,
    settings: Annotated[Path | None, _SETTINGS] = None,
    annexes: Annotated[list[Path] | None, _ANNEX] = None,
    register: Annotated[Path | None, _REGISTER] = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Explain every finding of a record: what is wrong or not known, where, by which article, and what would cure it.

    Exit status: 0 nothing refuses it, 1 a finding does, 2 a file or option is wrong.
    """
    rules, record = load_rules(settings), _read(file, sender, receiver, day, annexes=annexes, register=register)
    outcome = _judge(rules, record)
    told = _to_json(rules, record, outcome)
    if is_json:
        day_told = record.dossier.on.isoformat() if record.dossier is not None else None
        point = record.dossier.point.value if record.dossier is not None else None
        print_json({**told, "point": point, "on": day_told})
    else:
        _explain(record, told)
    raise typer.Exit(ExitCode.REFUSED if _is_refused(told) else ExitCode.OK)


@app.command("whatif")
def what_if(
    file: Annotated[Path, _FILE],
    *,
    sender: Annotated[str, _FROM] = "",
    setters: Annotated[
        list[str], typer.Option("--set", help="FIELD=VALUE, such as person[1].plea=withdrawn; may be given again.")
    ],
    receiver: Annotated[str, _TO] = "",
    day: Annotated[datetime | None, _DAY] = None,
    settings: Annotated[Path | None, _SETTINGS] = None,
    annexes: Annotated[list[Path] | None, _ANNEX] = None,
    register: Annotated[Path | None, _REGISTER] = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what would change if something were otherwise: results before and after, findings that come and go.

    FIELD is any canonical field (person[1].plea.guilty=no, victim[1].settled=yes, case.major_impact=none), or
    person[1].plea=withdrawn, full or unknown; person[1].proposal=10M; document.D41=missing or present, of one person
    document.D41[1]=missing; on=2026-11-24; point=hearing. The value none takes a field away.

    Exit status: 0 shown, 1 the record has errors or nobody judges its kind, 2 a setter, file or option is wrong.
    """
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - with the rules
    from gateway.core.judge.what_if import compare  # noqa: PLC0415 - as above

    rules, record = load_rules(settings), _read(file, sender, receiver, day, annexes=annexes, register=register)
    if record.dossier is None:
        _say_unjudged(record, is_json=is_json)
        raise typer.Exit(ExitCode.REFUSED)
    try:
        found = compare(rules, record.dossier, setters)
    except GatewayError as error:
        finding = error.findings[0]
        raise typer.BadParameter(f"{finding.path}: {finding.message}", param_hint="--set") from error
    told: dict[str, Any] = {
        "rule_set": rules.id,
        "before": _results(found.before),
        "after": _results(found.after),
        "appear": [record.to_plain(finding) for finding in found.appear],
        "disappear": [record.to_plain(finding) for finding in found.disappear],
    }
    if is_json:
        print_json(told)
        return
    sys.stdout.write(f"{found.before.result.value} -> {found.after.result.value}\n")
    for before, after in zip(found.before.persons, found.after.persons, strict=True):
        if before.result is not after.result:
            sys.stdout.write(f"{before.key}: {before.result.value} -> {after.result.value}\n")
    sys.stdout.flush()
    for title, name in (("would come", "appear"), ("would go", "disappear")):
        for finding in told[name]:
            console().print(f"  {title}: {finding['rule']} {finding['message']} {finding['path']}", markup=False)


app.command("replay")(replay)


def _read(
    file: Path,
    sender: str,
    receiver: str,
    day: datetime | None,
    *,
    annexes: list[Path] | None,
    register: Path | None,
) -> LocalRecord:
    return read_local(file, sender, receiver, day, annexes=annexes or [], register=register)


def _judge(rules: JudgeRuleSet, record: LocalRecord) -> RuleOutcome | None:
    from gateway.core.judge.engine import judge_dossier  # noqa: PLC0415 - with the rules

    return None if record.dossier is None else judge_dossier(rules, record.dossier)


def _results(outcome: RuleOutcome) -> dict[str, Any]:
    persons = [{"key": person.key, "result": person.result.value} for person in outcome.persons]
    return {"result": outcome.result.value, "persons": persons}


def _to_json(rules: JudgeRuleSet, record: LocalRecord, outcome: RuleOutcome | None) -> dict[str, Any]:
    if outcome is None:
        documents = [from_finding(finding) for finding in record.reading.findings]
        told = {"result": "NOT_EVALUATED", "persons": [], "documents": documents, "rule_set": rules.id}
        return told | _beside(record)
    return {
        "result": outcome.result.value,
        "persons": [
            {
                "key": person.key,
                "result": person.result.value,
                "findings": [record.to_plain(finding) for finding in person.findings],
            }
            for person in outcome.persons
        ],
        "documents": [record.to_plain(finding) for finding in outcome.documents],
        "rule_set": rules.id,
    } | _beside(record)


def _beside(record: LocalRecord) -> dict[str, Any]:
    return {"annexes": [from_finding(finding) for finding in record.beside]} if record.beside else {}


def _listed(told: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for person in told["persons"]:
        yield from person["findings"]
    yield from told["documents"]
    yield from told.get("annexes", ())


def _is_refused(told: dict[str, Any]) -> bool:
    return any(finding["severity"] == "error" for finding in _listed(told))


def _to_findings(record: LocalRecord, outcome: RuleOutcome | None) -> Iterable[Any]:
    if outcome is None:
        return record.reading.findings
    listed: list[RuleFinding] = [finding for person in outcome.persons for finding in person.findings]
    return [finding.to_finding(record.locate) for finding in (*listed, *outcome.documents)]


def _explain(record: LocalRecord, told: dict[str, Any]) -> None:
    dossier = record.dossier
    if dossier is None:
        _say_unjudged(record, is_json=False)
        return
    terminal = console()
    terminal.print(f"{told['result']} at {dossier.point.value} on {dossier.on}, by {told['rule_set']}", markup=False)
    groups = [(f"{person['key']}: {person['result']}", person["findings"]) for person in told["persons"]]
    for title, findings in [*groups, ("documents and acts", told["documents"])]:
        terminal.print(f"\n{title}" + ("" if findings else ": nothing to say"), markup=False)
        for finding in findings:
            kind = "not known" if finding["is_missing"] else finding["severity"]
            terminal.print(f"  {finding['rule']} [{kind}] {finding['name']} ({finding['basis']})", markup=False)
            terminal.print(f"      {finding['message']}", markup=False)
            terminal.print(f"      at    {finding['path'] or 'the whole file'}  {finding['field']}", markup=False)
            terminal.print(f"      cure  {finding['cure']}", markup=False)
            if finding["override"]:
                terminal.print(f"      overridden  {finding['override']}, with reason and approver", markup=False)
            elif finding["is_overridable"]:
                terminal.print("      or    a finding-override with reason and approver", markup=False)
    if record.beside:
        terminal.print("\nannexes", markup=False)
        print_findings(record.beside, stderr=False)


def _say_unjudged(record: LocalRecord, *, is_json: bool) -> None:
    findings = record.reading.findings
    problem = "the record has errors" if record.reading.has_errors else "nobody judges a record of this kind"
    if is_json:
        print_json({"error": problem, "findings": [from_finding(finding) for finding in findings]})
        return
    sys.stdout.write(f"{problem}\n")
    sys.stdout.flush()
    print_findings(findings, stderr=False)
