"""`fasttrack migrate`: bring the database's schema up to date."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Annotated, Literal, cast

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.config import SettingsError, parse_database_url

PHASES = ("pre", "post", "all")


def command(
    phase: Annotated[
        str, typer.Option(help="pre: what the new version needs; post: what the old one no longer needs; all: both")
    ] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="print {applied: [names]}")] = False,
) -> None:
    """Apply the migrations that FASTTRACK_DATABASE_URL does not have yet; safe to repeat.

    Connect as the owner of the database, not as the gateway. Exit codes: 0 done, 2 bad settings, 3 the database cannot
    be reached or refuses.
    """
    # Imported here so that --help does not load the database driver.
    import asyncpg  # noqa: PLC0415

    from gateway.ledger.migrate import MigrationError, migrate  # noqa: PLC0415

    if phase not in PHASES:
        fail(ExitCode.USAGE, "--phase: there is no such phase", f"one of {', '.join(PHASES)}", is_json=as_json)
    try:
        url = parse_database_url(os.environ)
    except SettingsError as error:
        fail(ExitCode.USAGE, "; ".join(error.problems), "set it in the environment", is_json=as_json)
    try:
        applied = asyncio.run(migrate(url, phase=cast(Literal["pre", "post", "all"], phase)))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, MigrationError) as error:
        hint = "check FASTTRACK_DATABASE_URL, as the owner of the database, and run it again: what was applied stays"
        fail(ExitCode.UNREACHABLE, f"cannot migrate: {error}", hint, is_json=as_json)
    if as_json:
        print(json.dumps({"applied": applied}))
    else:
        print("\n".join(f"applied {name}" for name in applied) or "nothing to apply")
