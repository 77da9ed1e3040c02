"""``fasttrack submit`` and ``fasttrack validate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.exit_code import ExitCode
from gateway.cli.output import console, from_finding, print_findings, print_json, to_plain

if TYPE_CHECKING:
    from gateway.cli.draft import DraftRequest
    from gateway.cli.progress import Advance
    from gateway.rpc.client import FileProgress

submit_app = typer.Typer()
validate_app = typer.Typer()

Record = Annotated[Path, typer.Argument(help="Native record in your own schema.", exists=True, dir_okay=False)]
To = Annotated[str, typer.Option("--to", help="Receiver, such as pr:110108; left out, the record's own.")]
Folders = Annotated[list[Path] | None, typer.Option("--materials", help="Folder with materials; repeatable.")]
Files = Annotated[list[Path] | None, typer.Option("--material", help="One material; repeatable.")]
Reply = Annotated[UUID | None, typer.Option("--in-reply-to", help="Handoff that this one answers.")]
Key = Annotated[str, typer.Option("--idempotency-key", help="Your key of this handoff; left out, the message number.")]


def _request(
    session: Session,
    *,
    record: Path,
    to: str,
    folders: list[Path] | None,
    files: list[Path] | None,
    reply: UUID | None,
    key: str,
) -> DraftRequest:
    from gateway.cli.connection import SIGN_FIELDS  # noqa: PLC0415 - loads what only a call needs
    from gateway.cli.draft import DraftRequest  # noqa: PLC0415 - as above

    session.settings.require(SIGN_FIELDS)
    return DraftRequest(record, session.settings.agency, to, folders or (), files or (), reply, key)


def _file_progress(advance: Advance) -> FileProgress:
    return lambda file, done: advance(file.path.name, done, file.size)


@gateway_command(submit_app, "submit")
async def submit(
    session: Session,
    *,
    record: Record,
    to: To = "",
    materials: Folders = None,
    material: Files = None,
    in_reply_to: Reply = None,
    idempotency_key: Key = "",
    receipt: Annotated[Path | None, typer.Option("--receipt", help="Write the receipt to this file.")] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="File that keeps the bundle id; left out, RECORD.fasttrack.json.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="A new handoff, even of a record submitted before.")] = False,
) -> ExitCode | None:
    """Hand a signed case bundle over.

    Reads the record, uploads the materials that the gateway lacks, signs the manifest, submits, and verifies the
    receipt. Run again after Ctrl-C or a lost connection it goes on where it was: nothing is handed over twice.
    """
    from gateway.cli.draft import STATE_SUFFIX, make_draft, resume_draft  # noqa: PLC0415 - as above
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - as above
    from gateway.cli.progress import transfer_progress  # noqa: PLC0415 - as above

    request = _request(
        session,
        record=record,
        to=to,
        folders=materials,
        files=material,
        reply=in_reply_to,
        key=idempotency_key,
    )
    async with session.client() as client:
        draft, _ = await make_draft(request, client)
        draft = resume_draft(draft, state or record.with_name(record.name + STATE_SUFFIX), is_new=new)
        with transfer_progress() as advance:
            done = await client.submit_bundle(draft, progress=_file_progress(advance))
    submitted = done.submitted
    proof = from_receipt(submitted.receipt)
    if receipt is not None:
        receipt.write_text(json.dumps(to_plain(proof), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if session.is_json:
        print_json(
            {
                "handoff": draft.bundle_id,
                "sender": draft.sender,
                "receiver": draft.receiver,
                "kind": draft.kind,
                "pair_number": submitted.pair_number,
                "replayed": submitted.is_replay,
                "uploaded": len(done.uploaded),
                "materials": len(draft.materials),
                "unchanged": len(draft.unchanged),
                "warnings": [from_finding(finding) for finding in submitted.warnings],
                "receipt": proof,
            }
        )
        return None
    terminal = console()
    verb = "had been handed over before" if submitted.is_replay else "handed over"
    terminal.print(f"{draft.kind.value} {verb}: {draft.sender} -> {draft.receiver}, number {submitted.pair_number}")
    terminal.print(f"  handoff  {draft.bundle_id}")
    terminal.print(
        f"  files    {len(draft.materials)} ({len(done.uploaded)} uploaded), unchanged {len(draft.unchanged)}"
    )
    terminal.print(f"  receipt  verified, ledger entry {submitted.receipt.entry_index}")
    print_findings(submitted.warnings)
    return None


@gateway_command(validate_app, "validate")
async def validate(
    session: Session,
    *,
    record: Record,
    to: To = "",
    materials: Folders = None,
    material: Files = None,
    in_reply_to: Reply = None,
    idempotency_key: Key = "",
) -> ExitCode | None:
    """Ask what a submit would say; nothing is recorded.

    Materials that the gateway lacks are uploaded, because their digests are part of the check; they stay yours alone
    until a handoff names them.
    """
    from gateway.cli.draft import make_draft  # noqa: PLC0415 - as above
    from gateway.cli.progress import transfer_progress  # noqa: PLC0415 - as above

    request = _request(
        session,
        record=record,
        to=to,
        folders=materials,
        files=material,
        reply=in_reply_to,
        key=idempotency_key,
    )
    async with session.client() as client:
        draft, _ = await make_draft(request, client)
        with transfer_progress() as advance:
            answer = await client.validate_bundle(draft, progress=_file_progress(advance))
    if session.is_json:
        print_json(
            {"acceptable": answer.is_acceptable, "findings": [from_finding(finding) for finding in answer.findings]}
        )
    else:
        console().print("a submit would be accepted" if answer.is_acceptable else "a submit would be refused")
        print_findings(answer.findings, stderr=False)
    return None if answer.is_acceptable else ExitCode.REFUSED
