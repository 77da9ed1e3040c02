"""``fasttrack receipt`` and ``fasttrack reconcile``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.exit_code import ExitCode
from gateway.cli.handoff import Handoff
from gateway.cli.output import console, print_json, print_table, to_plain

if TYPE_CHECKING:
    from gateway.rpc.client_answer import HandoffStatus, Reconciled
    from gateway.rpc.client_sealed import SealedReceipt

receipt_app = typer.Typer()
reconcile_app = typer.Typer()

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Way(StrEnum):
    """Which way a handoff goes, seen from the caller."""

    SENT = "sent"
    RECEIVED = "received"


@gateway_command(receipt_app, "receipt")
async def receipt(
    session: Session,
    handoff: Handoff,
    out: Annotated[Path | None, typer.Option("--out", help="Write the receipt of the submit to this file.")] = None,
    wait: Annotated[int, typer.Option("--wait", min=0, max=20, help="Seconds to wait until all is sealed.")] = 0,
    sealed: Annotated[
        Path | None, typer.Option("--sealed", help="Write a proof of logging for each sealed receipt to this folder.")
    ] = None,
) -> None:
    """Show where a handoff stands, with its receipts and, once decided, the decision; for its two parties.

    A sealed receipt is in a checkpoint that enough witnesses cosigned (--witness-policy says which); its .tlog-proof
    file verifies without the gateway.
    """
    from gateway.cli.evidence import from_receipt, write_proofs  # noqa: PLC0415 - loads what only a call needs

    async with session.client() as client:
        status = await client.get_receipt(handoff, wait_seconds=wait)
    if sealed is not None:
        write_proofs(sealed, status)
    proofs = [from_receipt(item) for item in status.receipts]
    if out is not None and proofs:
        out.write_text(json.dumps(to_plain(proofs[0]), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if session.is_json:
        print_json(_plain(status, proofs))
        return
    console().print(f"{status.state.value}, number {status.pair_number} of its direction")
    print_table(
        f"{len(proofs)} receipts, all verified",
        ("entry", "what", "by", "when", "sealed by", "leaf hash"),
        [
            (item.entry_index, item.entry.kind, item.entry.actor, item.recorded_at, _seal(seal), item.leaf_hash)
            for item, seal in zip(status.receipts, status.sealed, strict=True)
        ],
    )
    for deficiency in status.deficiencies:
        where = " ".join(filter(None, (deficiency.document_code, deficiency.person_key)))
        console().print(f"  missing: {where} {deficiency.text}", markup=False)
    for reason in status.reasons:
        console().print(f"  refused: {reason.code} {reason.text}", markup=False)
    if status.is_case_destroyed:
        console().print("  the case was destroyed; receipts and proofs stay", markup=False)
    if status.withdrawal_reason:
        console().print(f"  withdrawn: {status.withdrawal_reason}", markup=False)


def _seal(sealed: SealedReceipt | None) -> str:
    return f"{len(sealed.witnesses)} witnesses" if sealed is not None else ""


def _plain(status: HandoffStatus, proofs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "state": status.state,
        "pair_number": status.pair_number,
        "receipts": proofs,
        "sealed": [
            {"tree_size": seal.tree_size, "witnesses": seal.witnesses} if seal is not None else None
            for seal in status.sealed
        ],
        "deficiencies": [
            {"document_code": item.document_code, "person_key": item.person_key, "text": item.text}
            for item in status.deficiencies
        ],
        "reasons": [{"code": item.code, "text": item.text} for item in status.reasons],
        "withdrawal_reason": status.withdrawal_reason,
        "is_case_destroyed": status.is_case_destroyed,
    }


@gateway_command(reconcile_app, "reconcile")
async def reconcile(
    session: Session,
    *,
    peer: Annotated[str, typer.Argument(help="The other agency, such as pr:110108.")],
    direction: Annotated[Way, typer.Argument(help="Handoffs that you sent to it, or received from it.")],
    after: Annotated[int, typer.Option("--after", min=0, help="The last number known.")] = 0,
    known: Annotated[
        Path | None,
        typer.Option("--known", help="File or folder of yours that has the ids of all handoffs in its text or names."),
    ] = None,
    statement: Annotated[
        Path | None, typer.Option("--statement", help="Write the gateway's signed statement to this file.")
    ] = None,
) -> ExitCode | None:
    """Prove that nothing is missing between you and another agency.

    Every handoff of a direction has the next number; a gap is evidence of a loss (exit status 4). With --known your own
    list is compared too: what you lack, or what the ledger lacks, is exit status 1.
    """
    from gateway.core.identity import parse_agency  # noqa: PLC0415 - as above

    async with session.client() as client:
        done = await client.reconcile(parse_agency(peer, "PEER"), is_sent=direction is Way.SENT, after_number=after)
    if statement is not None:
        statement.write_text(done.statement_jws + "\n", encoding="ascii")
    mine = frozenset(find_ids(known)) if known is not None else None
    theirs = frozenset(row.handoff for row in done.rows)
    lacking = sorted(theirs - mine) if mine is not None else []
    unknown = sorted(mine - theirs) if mine is not None else []
    if session.is_json:
        print_json(_comparison(done, lacking, unknown))
    else:
        print_table(
            f"numbers {after + 1} to {done.last_number}, no gap",
            ("number", "handoff", "entry", "state", "bundle"),
            [(row.pair_number, row.handoff, row.index, row.state, row.bundle_sha256) for row in done.rows],
        )
        for handoff in lacking:
            console().print(f"  not in your list: {handoff}")
        for handoff in unknown:
            console().print(f"  not in the ledger after number {after}: {handoff}")
    return ExitCode.REFUSED if lacking or unknown else None


def _comparison(done: Reconciled, lacking: list[UUID], unknown: list[UUID]) -> dict[str, Any]:
    return {
        "last_number": done.last_number,
        "items": [
            {
                "pair_number": row.pair_number,
                "handoff": row.handoff,
                "bundle_sha256": row.bundle_sha256,
                "entry_index": row.index,
                "leaf_hash": row.leaf_hash,
                "state": row.state,
            }
            for row in done.rows
        ],
        "not_in_list": lacking,
        "not_in_ledger": unknown,
        "statement_jws": done.statement_jws,
    }


def find_ids(path: Path) -> Iterator[UUID]:
    """Find ids of handoffs.

    Args:
        path: a text file with ids in it, or a folder whose file and folder names have them.

    Yields:
        every UUIDv7.

    Raises:
        OSError: it cannot be read.
    """
    text = "\n".join(item.name for item in path.rglob("*")) if path.is_dir() else path.read_text(encoding="utf-8")
    for match in _ID.finditer(text):
        yield UUID(match[0])
