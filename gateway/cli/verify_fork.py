"""`fasttrack verify-fork`: judge evidence that a log showed two histories, by its public key alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.output import print_json


def command(
    evidence: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="The .fork.json that a monitor or a mirror wrote."),
    ],
    *,
    policy: Annotated[
        Path | None, typer.Option("--policy", exists=True, help="Witness policy; only the key of the log is used.")
    ] = None,
    log_key: Annotated[
        str | None, typer.Option("--log-key", help="Key of the log instead of a policy: name+id+base64.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Judge evidence of a fork offline: two signed checkpoints, and the hashes that show that they contradict.

    Who collected it need not be trusted: nobody can make such a file against a log that did not fork.

    Exit codes: 0 the log forked, this proves it; 1 the file proves nothing; 2 bad options.
    """
    from gateway.core.log.fork import MAX_FORK_BYTES, verify_fork  # noqa: PLC0415 - --help stays fast
    from gateway.core.log.note import NoteError, parse_verifier_key  # noqa: PLC0415 - as above
    from gateway.core.log.witness_policy import PolicyError, parse_policy  # noqa: PLC0415 - as above

    try:
        if (policy is None) == (log_key is None):
            raise PolicyError("one of --policy and --log-key says who signed")
        log = parse_policy(policy.read_text(encoding="utf-8")).log if policy else parse_verifier_key(log_key or "")
        with evidence.open("rb") as file:
            data = file.read(MAX_FORK_BYTES + 1)
    except (OSError, ValueError) as error:
        hint = "give the witness policy by --policy, or the key of the log by --log-key"
        fail(ExitCode.USAGE, f"cannot judge: {error}", hint, is_json=is_json)
    try:
        fork = verify_fork(data, log)
    except NoteError as error:
        if is_json:
            print_json({"is_proved": False, "reason": str(error)})
        else:
            print(f"proves nothing: {error}")
        raise typer.Exit(ExitCode.REFUSED) from error
    if is_json:
        heads = {
            name: {"size": head.size, "root": head.root.hex()}
            for name, head in (("smaller", fork.smaller), ("larger", fork.larger))
        }
        print_json({"is_proved": True, "origin": log.name, **heads, "prefix_root": fork.prefix_root.hex()})
        return
    print(f"{log.name} forked. Its key signed, for its first {fork.smaller.size} entries,")
    print(f"  {fork.smaller.root.hex()}")
    what = "another head of this size" if fork.smaller.size == fork.larger.size else f"a head of {fork.larger.size}"
    print(f"and {what}, whose first {fork.smaller.size} entries have")
    print(f"  {fork.prefix_root.hex()}")
