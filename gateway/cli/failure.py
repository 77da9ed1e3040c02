"""From an exception to the exit status, the text and the hint: every error says what to do next."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from gateway.cli.connection import SettingsError
from gateway.cli.exit_code import ExitCode
from gateway.cli.output import from_finding, print_findings, print_json
from gateway.core.errors import ErrorCode, Finding, GatewayError

if TYPE_CHECKING:
    from gateway.rpc.client_error import CallRefused

HINTS: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.CALLER_UNIDENTIFIED: "use the TLS certificate of your agency (--cert, --key or --profile)",
    ErrorCode.METHOD_NOT_ALLOWED: "this command is not for your role; see the table in gateway/cli/README.md",
    ErrorCode.NOT_A_PARTY: "only sender and receiver of a handoff may do this; check its id and your certificate",
    ErrorCode.KEY_NOT_REGISTERED: "ask the operator to register your signing certificate",
    ErrorCode.KEY_REVOKED: "sign with a key that is not revoked (--sign-cert, --sign-key)",
    ErrorCode.CERTIFICATE_NOT_VALID_NOW: "the signing certificate has expired or is not valid yet: get a new one",
    ErrorCode.MANIFEST_FROM_FUTURE: "set the clock of this machine",
    ErrorCode.MATERIAL_MISSING: "name the folder or file that has it: --materials DIR or --material FILE",
    ErrorCode.MATERIAL_NOT_LISTED: "name the folder or file that has it: --materials DIR or --material FILE",
    ErrorCode.FORM_UNKNOWN: "`fasttrack annex list` shows the published forms",
    ErrorCode.FORM_VERSION_UNKNOWN: "`fasttrack annex list` shows the versions of every form",
    ErrorCode.BUNDLE_ID_REUSED: "this id was submitted with other content; to hand over anew run it with --new",
    ErrorCode.IDEMPOTENCY_KEY_REUSED: "this record was handed over before; `fasttrack reconcile` shows it",
    ErrorCode.HANDOFF_UNKNOWN: "copy the id from `fasttrack inbox list`",
    ErrorCode.NOT_CLAIMED: "run `fasttrack claim HANDOFF` first, with the same --consumer",
    ErrorCode.LEASE_EXPIRED: "run `fasttrack claim HANDOFF` again",
    ErrorCode.LEASE_HELD: "another consumer works on it; try again when its lease ends (`fasttrack inbox list`)",
    ErrorCode.NOT_FETCHED: "run `fasttrack fetch HANDOFF` first",
    ErrorCode.ALREADY_DECIDED: "`fasttrack receipt HANDOFF` shows the decision",
    ErrorCode.ALREADY_WITHDRAWN: "`fasttrack receipt HANDOFF` shows why",
    ErrorCode.TRANSITION_NOT_ALLOWED: "`fasttrack receipt` of the last handoff shows where the case stands",
    ErrorCode.DECISION_INCOMPLETE: "give --deficiency for a supplement, --reason for a refusal",
    ErrorCode.MATERIAL_UNKNOWN: "you see only what you uploaded or what a handoff to you brought; check the digest",
    ErrorCode.UPLOAD_OFFSET_WRONG: "run the same command again in a moment",
    ErrorCode.QUEUE_FULL: "run the same command again in a moment",
    ErrorCode.LEDGER_UNAVAILABLE: "run the same command again in a moment; if it stays so, call the operator",
    ErrorCode.SHUTTING_DOWN: "run the same command again in a moment",
    ErrorCode.CASE_DESTROYED: "`fasttrack receipt HANDOFF` still gives its receipts; the case cannot be opened again",
    ErrorCode.VAULT_UNAVAILABLE: "run the same command again in a moment; if it stays so, call the operator",
    ErrorCode.CASE_KEY_MISSING: "call the operator: the vault lacks the key of this case",
    ErrorCode.SEAL_BROKEN: "call the operator: what is stored was changed; `fasttrack fsck` names it",
    ErrorCode.INTERNAL: "run the same command again; if it stays so, give the operator the time of this call",
}
DEFAULT_HINT: Final = "repair what is named above and run it again; `fasttrack validate` records nothing"


class LocalFindings(Exception):  # noqa: N818 - it is an outcome, not a fault
    """A file was checked on this side and has errors; nothing was sent.

    Args:
        findings: all of them.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("the record has errors")
        self.findings = findings


def run(work: Coroutine[Any, Any, ExitCode | None], *, is_json: bool) -> None:
    """Run a command to its end and leave with its exit status.

    Args:
        work: the command.
        is_json: print errors as one JSON object on standard output too.

    Raises:
        typer.Exit: always, unless the command succeeds.
    """
    try:
        code = asyncio.run(work)
    except KeyboardInterrupt:
        fail(
            ExitCode.INTERRUPTED, "interrupted", "run the same command again, it goes on where it was", is_json=is_json
        )
    except SettingsError as error:
        fail(ExitCode.USAGE, str(error), error.hint, is_json=is_json)
    except LocalFindings as error:
        fail(ExitCode.REFUSED, str(error), DEFAULT_HINT, is_json=is_json, findings=error.findings)
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        hint = "check the path and its permissions"
        fail(ExitCode.USAGE, f"{name}{error.strerror or error}", hint, is_json=is_json)
    except Exception as error:
        _fail_call(error, is_json=is_json)
    else:
        if code:
            raise typer.Exit(code)


def _fail_call(error: Exception, *, is_json: bool) -> None:
    from gateway.rpc.client_error import (  # noqa: PLC0415 - grpc loads slowly, and only calls need it
        CallRefused,
        EvidenceRejected,
        GatewayUnreachable,
    )

    if isinstance(error, CallRefused):
        _fail_refused(error, is_json=is_json)
    if isinstance(error, GatewayUnreachable):
        hint = (
            f"is the gateway running at {error.target} and open to this machine? After a change of certificates check "
            "--ca, --cert and --key"
        )
        fail(ExitCode.UNREACHABLE, f"no answer from the gateway at {error}", hint, is_json=is_json)
    if isinstance(error, EvidenceRejected):
        hint = "rely on nothing of this answer; check --signing-ca, then call the operator and keep this message"
        fail(ExitCode.EVIDENCE, f"evidence does not verify: {error}", hint, is_json=is_json)
    if isinstance(error, GatewayError):
        hint = "see --help of this command for the form"
        fail(ExitCode.USAGE, "an argument is wrong", hint, is_json=is_json, findings=error.findings)
    raise error


def _fail_refused(error: CallRefused, *, is_json: bool) -> NoReturn:
    is_ours = not (error.is_passing or error.code is ErrorCode.INTERNAL)
    where = f", recorded as ledger entry {error.entry_index}" if error.entry_index is not None else ""
    fail(
        ExitCode.REFUSED if is_ours else ExitCode.UNREACHABLE,
        f"refused{where}" if is_ours else "the gateway cannot take the call now",
        HINTS.get(error.code, DEFAULT_HINT),
        is_json=is_json,
        findings=error.findings,
        entry_index=error.entry_index,
    )


def fail(
    code: int,
    message: str,
    hint: str,
    *,
    is_json: bool,
    findings: tuple[Finding, ...] = (),
    entry_index: int | None = None,
) -> NoReturn:
    """Say what went wrong and what to do next, and leave.

    Args:
        code: exit status: an ``ExitCode``, or one of the command's own.
        message: what went wrong.
        hint: what to do next.
        is_json: print it as one JSON object on standard output too.
        findings: to be listed.
        entry_index: ledger entry that records a refusal.

    Raises:
        typer.Exit: always.
    """
    sys.stdout.flush()
    if is_json:
        print_json(
            {
                "error": message,
                "hint": hint,
                "exit_code": int(code),
                "findings": [from_finding(finding) for finding in findings],
                "entry_index": entry_index,
            }
        )
    sys.stderr.write(f"fasttrack: {message}\n")
    if findings:
        print_findings(findings)
    sys.stderr.write(f"  next: {hint}\n")
    raise typer.Exit(code)
