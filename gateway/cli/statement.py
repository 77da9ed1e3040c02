"""``fasttrack statement``: state a signed fact outside a handoff, and read what was stated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.connection import SIGN_FIELDS, SettingsError
from gateway.cli.exit_code import ExitCode
from gateway.cli.output import console, from_finding, print_findings, print_json, print_table
from gateway.cli.statement_register import register

if TYPE_CHECKING:
    from gateway.core.identity import Agency
    from gateway.core.statement import Statement
    from gateway.rpc.client_statement import ReadStatement

app = typer.Typer(help="State a signed fact outside a handoff, and read statements.", no_args_is_help=True)
_STATE_SUFFIX: Final = ".statement.json"
_ENVELOPE: Final = ("type", "version", "case_number", "occurred_at")


def make_statement(  # noqa: PLR0917 - what the options say
    path: Path, issuer: Agency, type_name: str, version: int, case_number: str, occurred_at: datetime | None
) -> Statement:
    """Make a statement of a file.

    Args:
        path: JSON: the body alone, or an object with ``body`` and the fields of the envelope that it knows.
        issuer: the caller.
        type_name: of the form; "" to take it from the file.
        version: of the form; 0 to take it from the file, or 1.
        case_number: "" to take it from the file.
        occurred_at: None to take it from the file, or now; without offset it is UTC.

    Returns:
        the statement with a new id, signed by nobody yet.

    Raises:
        SettingsError: the file is not as above, or names no type.
    """
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - loads what only a call needs
    from gateway.core.statement import parse_statement  # noqa: PLC0415 - as above
    from gateway.core.strict_json import parse_object  # noqa: PLC0415 - as above
    from gateway.rpc.client_bundle import make_uuid7  # noqa: PLC0415 - as above

    try:
        source = parse_object(path.read_bytes(), max_bytes=1 << 20, max_depth=16)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}", "FILE holds the body of the statement") from error
    except GatewayError as error:
        raise SettingsError(f"{path}: {error.findings[0].message}", "FILE is one JSON object") from error
    is_whole = isinstance(source.get("body"), dict) and source.keys() <= {"body", *_ENVELOPE}
    now = datetime.now(UTC).replace(microsecond=0)
    at = occurred_at.replace(tzinfo=occurred_at.tzinfo or UTC) if occurred_at else None
    payload: dict[str, Any] = {
        "statement_id": str(make_uuid7()),
        "version": 1,
        "issuer": str(issuer),
        "created_at": now.isoformat(),
        "occurred_at": now.isoformat(),
        **(source if is_whole else {"body": source}),
    }
    given = {"type": type_name, "version": version, "case_number": case_number, "occurred_at": at and at.isoformat()}
    payload |= {name: value for name, value in given.items() if value}
    if not payload.get("type"):
        raise SettingsError(f"{path} names no type", "say which form it has: --type NAME")
    try:
        return parse_statement(json.dumps(payload, ensure_ascii=False).encode())
    except GatewayError as error:
        what = "; ".join(f"{finding.path}: {finding.message}" for finding in error.findings)
        raise SettingsError(f"no statement can be made of {path}: {what}", "correct the file or the option") from error


def resume_statement(statement: Statement, state_path: Path, *, is_new: bool) -> Statement:
    """Give a statement the id that an interrupted run had already chosen, so that nothing is stated twice.

    Args:
        statement: just made.
        state_path: file beside FILE that keeps the id.
        is_new: forget an earlier run.

    Returns:
        the statement with the earlier id and times when it says the same.

    Raises:
        SettingsError: the file cannot be written.
    """
    said = [statement.type, statement.version, str(statement.issuer), statement.case_number, statement.body]
    digest = sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    try:
        kept = None if is_new else json.loads(state_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = None
    if isinstance(kept, dict) and kept.get("sha256") == digest:
        try:
            return replace(
                statement,
                statement_id=UUID(kept["statement_id"]),
                created_at=datetime.fromisoformat(kept["created_at"]),
                occurred_at=datetime.fromisoformat(kept["occurred_at"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise SettingsError(f"{state_path} cannot be read", "remove it, or state it anew with --new") from error
    times = {name: getattr(statement, name).isoformat() for name in ("created_at", "occurred_at")}
    state = {"statement_id": str(statement.statement_id), **times, "sha256": digest}
    try:
        state_path.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        hint = "the id is kept there, so that a second run is no second statement; name another file with --state"
        raise SettingsError(f"{state_path}: {error.strerror}", hint) from error
    return statement


@gateway_command(app, "submit")
async def submit(
    session: Session,
    *,
    file: Annotated[Path, typer.Argument(help="JSON: the body, or body with envelope.", exists=True, dir_okay=False)],
    type_name: Annotated[str, typer.Option("--type", help="Form of the statement, such as procedural-act.")] = "",
    version: Annotated[int, typer.Option("--version", min=0, help="Version of the form; left out, 1.")] = 0,
    case: Annotated[str, typer.Option("--case", help="Police case number, when it concerns a case.")] = "",
    occurred_at: Annotated[
        datetime | None, typer.Option("--occurred-at", help="When it happened, UTC; left out, now.")
    ] = None,
    receipt: Annotated[Path | None, typer.Option("--receipt", help="Write the receipt to this file.")] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="File that keeps the id; left out, FILE.statement.json.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="A new statement, even of a file stated before.")] = False,
) -> ExitCode | None:
    """State a signed fact: sign it, submit it, verify the receipt.

    Run again after Ctrl-C or a lost connection it goes on where it was: nothing is stated twice. All findings of the
    form come at once, with the path in FILE.
    """
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - as above
    from gateway.cli.output import to_plain  # noqa: PLC0415 - as above

    session.settings.require(SIGN_FIELDS)
    statement = make_statement(file, session.settings.agency, type_name, version, case, occurred_at)
    statement = resume_statement(statement, state or file.with_name(file.name + _STATE_SUFFIX), is_new=new)
    async with session.client() as client:
        done = await client.submit_statement(statement)
    proof = from_receipt(done.receipt)
    if receipt is not None:
        receipt.write_text(json.dumps(to_plain(proof), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if session.is_json:
        print_json(
            {
                "statement": statement.statement_id,
                "type": statement.type,
                "case_number": statement.case_number,
                "transitions": done.receipt.entry.transitions,
                "replayed": done.is_replay,
                "warnings": [from_finding(finding) for finding in done.warnings],
                "receipt": proof,
            }
        )
        return None
    terminal = console()
    terminal.print(f"{statement.type} {'had been stated before' if done.is_replay else 'stated'}")
    terminal.print(f"  statement  {statement.statement_id}")
    terminal.print(f"  receipt    verified, ledger entry {done.receipt.entry_index}")
    if done.receipt.entry.transitions:
        terminal.print(f"  moves      {' '.join(done.receipt.entry.transitions)}")
    print_findings(done.warnings)
    return None


def _plain(read: ReadStatement) -> dict[str, Any]:
    statement = read.statement
    return {
        "statement": statement.statement_id,
        "type": statement.type,
        "version": statement.version,
        "issuer": statement.issuer,
        "case_number": statement.case_number,
        "occurred_at": statement.occurred_at,
        "recorded_at": read.receipt.recorded_at,
        "entry_index": read.receipt.entry_index,
        "body": statement.body,
    }


@gateway_command(app, "list")
async def list_statements(
    session: Session,
    case: Annotated[str, typer.Option("--case", help="Police case number; left out, all that you stated.")] = "",
    type_name: Annotated[str, typer.Option("--type", help="Form wanted; left out, any.")] = "",
) -> None:
    """List the statements of a case that you may read, or all that you stated, oldest first."""
    async with session.client() as client:
        rows = [row async for row in client.list_statements(case_number=case, type_name=type_name)]
    if session.is_json:
        print_json({"items": [_plain(row) for row in rows]})
        return
    print_table(
        f"{len(rows)} statements, receipts verified",
        ("statement", "type", "issuer", "case", "occurred", "entry", "moves"),
        [
            (
                row.statement.statement_id, row.statement.type, row.statement.issuer, row.statement.case_number,
                row.statement.occurred_at, row.receipt.entry_index, " ".join(row.receipt.entry.transitions),
            )
            for row in rows
        ],
    )  # fmt: skip


@gateway_command(app, "show")
async def show(
    session: Session,
    statement: Annotated[UUID, typer.Argument(help="Id of the statement.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the signed statement (JWS) to this file.")] = None,
    wait: Annotated[int, typer.Option("--wait", min=0, max=20, help="Seconds to wait until it is sealed.")] = 0,
) -> None:
    """Show one statement as it was signed, with its receipt."""
    async with session.client() as client:
        read = await client.get_statement(statement)
        status = await client.get_statement_receipt(statement, wait_seconds=wait)
    if out is not None:
        out.write_text(read.statement_jws + "\n", encoding="ascii")
    witnesses = len(status.sealed.witnesses) if status.sealed is not None else 0
    if session.is_json:
        print_json({**_plain(read), "statement_jws": read.statement_jws, "witnesses": witnesses})
        return
    terminal = console()
    item = read.statement
    terminal.print(f"{item.type} {item.version} of {item.issuer}, occurred {item.occurred_at.isoformat()}")
    terminal.print(f"  receipt  verified, ledger entry {read.receipt.entry_index}, sealed by {witnesses} witnesses")
    terminal.print(json.dumps(dict(item.body), ensure_ascii=False, indent=2), markup=False)


app.command("register")(register)
