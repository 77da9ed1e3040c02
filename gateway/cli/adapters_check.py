"""``fasttrack adapters check``: the contract that every adapter keeps, run on one that somebody wrote."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode
from gateway.cli.output import print_json


def check(
    plugin: Annotated[str, typer.Argument(help="Name of an adapter, or module:ATTRIBUTE of one not installed.")],
    samples: Annotated[
        Path | None, typer.Option("--samples", help="Folder of its samples; else samples/ in its package.")
    ] = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Run the contract that every adapter keeps; see adapters/ADD_AN_AGENCY.md.

    Exit status 0 when every promise is kept, 1 when one is broken (all problems are told), 2 when it cannot be loaded.
    """
    from gateway.app import adapters  # noqa: PLC0415 - the tables are loaded only when needed

    if samples is not None and not samples.is_dir():
        raise typer.BadParameter("there is no such folder", param_hint="--samples")
    # A plug-in that is being written lies in the folder that the command is called from.
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = adapters().check(plugin, samples)
    except ValueError as error:
        raise typer.BadParameter(f"cannot be loaded: {error}", param_hint="PLUGIN") from error
    is_kept = not any(kept.problems for kept in found)
    if is_json:
        print_json({"plugin": plugin, "is_kept": is_kept, "promises": [asdict(kept) for kept in found]})
    else:
        for kept in found:
            sys.stdout.write(f"{'broken' if kept.problems else 'kept  '}  {kept.name}: {kept.promise}\n")
            sys.stdout.writelines(f"          {problem}\n" for problem in kept.problems)
        sys.stdout.write(f"{plugin}: {'every promise is kept' if is_kept else 'not an adapter yet'}\n")
    raise typer.Exit(ExitCode.OK if is_kept else ExitCode.REFUSED)
