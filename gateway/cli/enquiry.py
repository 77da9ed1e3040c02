"""``fasttrack enquiry``: how a case stands, for a party."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.output import console, print_json

app = typer.Typer()


@gateway_command(app, "enquiry")
async def enquiry(
    session: Session, code: Annotated[str, typer.Argument(help="The enquiry code on the receipt.")]
) -> None:
    """Tell how far a case is, since when, and where to turn next; nothing else is ever told.

    Exit status 1 for a code by which nobody can be asked after: a wrong one, or a case of which nothing may be told.
    """
    async with session.client() as client:
        told = await client.get_progress(code)
    if session.is_json:
        print_json(asdict(told))
        return
    console().print(f"{told.stage} since {told.since}")
    if told.next_remedy:
        console().print(f"next remedy {told.next_remedy}, until {told.remedy_until}")
