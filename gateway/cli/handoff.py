"""``fasttrack claim`` and ``fasttrack withdraw``."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.output import console, print_json, to_plain

claim_app = typer.Typer()
withdraw_app = typer.Typer()

Handoff = Annotated[UUID, typer.Argument(help="Id of the handoff, from `fasttrack inbox list`.")]
DEFAULT_CONSUMER: Final = "cli"
Consumer = Annotated[
    str, typer.Option("--consumer", envvar="FASTTRACK_CONSUMER", help="Name of this workplace within your agency.")
]
ActId = Annotated[
    UUID | None, typer.Option("--act-id", help="Id of this act: the same id again gives the same receipt.")
]


@gateway_command(claim_app, "claim")
async def claim(
    session: Session,
    handoff: Handoff,
    consumer: Consumer = DEFAULT_CONSUMER,
    lease_seconds: Annotated[
        int, typer.Option("--lease-seconds", min=0, max=86_400, help="Length of the lease; 0 for five minutes.")
    ] = 0,
    act_id: ActId = None,
) -> None:
    """Take a lease on a handoff, so that one workplace of several works on it."""
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - loads what only a call needs

    async with session.client() as client:
        claimed = await client.claim(handoff, consumer, lease_seconds=lease_seconds, act_id=act_id)
    if session.is_json:
        print_json({"lease_until": claimed.lease_until, "receipt": from_receipt(claimed.receipt)})
    else:
        until = to_plain(claimed.lease_until)
        console().print(f"claimed for {consumer} until {until}, ledger entry {claimed.receipt.entry_index}")


@gateway_command(withdraw_app, "withdraw")
async def withdraw(
    session: Session,
    handoff: Handoff,
    reason: Annotated[str, typer.Option("--reason", help="Why, in words; the receiver reads it.")],
    act_id: ActId = None,
) -> None:
    """Take a handoff back before it is decided; only its sender may."""
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - as above

    async with session.client() as client:
        receipt = await client.withdraw(handoff, reason, act_id=act_id)
    if session.is_json:
        print_json({"receipt": from_receipt(receipt)})
    else:
        console().print(f"withdrawn, ledger entry {receipt.entry_index}")
