"""``fasttrack inbox``: what was handed to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.output import console, print_json, print_table
from gateway.core.entry import HandoffState

if TYPE_CHECKING:
    from gateway.core.port.ledger import InboxRow

app = typer.Typer(help="List or follow what was handed to you.", no_args_is_help=True)


def _plain(row: InboxRow) -> dict[str, Any]:
    return {
        "handoff": row.handoff,
        "kind": row.kind,
        "sender": row.sender,
        "receiver": row.receiver,
        "case_number": row.case_number,
        "pair_number": row.pair_number,
        "state": row.state,
        "entry_index": row.index,
        "offered_at": row.offered_at,
        "bundle_sha256": row.bundle_sha256,
        "lease_until": row.lease_until,
    }


@gateway_command(app, "list")
async def list_inbox(
    session: Session,
    state: Annotated[
        list[HandoffState] | None, typer.Option("--state", help="State wanted; repeatable. Left out: not decided yet.")
    ] = None,
) -> None:
    """List the handoffs to you, oldest first."""
    async with session.client() as client:
        rows = [row async for row in client.list_inbox(state or ())]
    if session.is_json:
        print_json({"items": [_plain(row) for row in rows]})
        return
    print_table(
        f"{len(rows)} handoffs",
        ("handoff", "kind", "from", "number", "case", "state", "offered", "lease until"),
        [
            (
                row.handoff,
                row.kind,
                row.sender,
                row.pair_number,
                row.case_number,
                row.state,
                row.offered_at,
                row.lease_until,
            )
            for row in rows
        ],
    )


@gateway_command(app, "watch")
async def watch_inbox(
    session: Session,
    after: Annotated[int, typer.Option("--after", min=0, help="Cursor of the last item seen; 0 for the oldest.")] = 0,
    count: Annotated[int, typer.Option("--count", min=0, help="Stop after so many; 0 for never.")] = 0,
) -> None:
    """Follow the handoffs to you as they come, one line each; with --json one JSON object a line.

    Each line tells its cursor: start again with --after CURSOR and nothing is lost or shown twice.
    """
    seen = 0
    async with session.client() as client:
        async for row, cursor in client.watch_inbox(after):
            if session.is_json:
                print_json({**_plain(row), "cursor": cursor})
            else:
                number = f"{row.sender} -> {row.receiver} {row.pair_number}"
                console().print(f"{cursor:>6}  {row.kind:<18} {number:<28} {row.handoff}  {row.state}")
            seen += 1
            if count and seen >= count:
                return
