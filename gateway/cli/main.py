"""The root of ``fasttrack``: a list of commands, each loaded only when it is called."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
import typer.core
import typer.main


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a command lives.

    Args:
        module: its module.
        attribute: a ``typer.Typer`` or a function.
        summary: one line for ``--help``, so that the module need not be loaded for it.
        panel: heading under which it is listed.
    """

    module: str
    attribute: str
    summary: str
    panel: str


_SEND, _RECEIVE, _LOOK, _PROVE, _RUN = "Send", "Receive", "Look and prove", "Audit", "Run"
COMMANDS: Final[dict[str, Mount]] = {
    "submit": Mount("gateway.cli.submit", "submit_app", "Hand a signed case bundle over.", _SEND),
    "validate": Mount("gateway.cli.submit", "validate_app", "Ask what a submit would say; nothing is recorded.", _SEND),
    "withdraw": Mount("gateway.cli.handoff", "withdraw_app", "Take a handoff back before it is decided.", _SEND),
    "material": Mount("gateway.cli.material", "app", "Upload and download documents and recordings.", _SEND),
    "statement": Mount(
        "gateway.cli.statement", "app", "State a signed fact outside a handoff; read statements.", _SEND
    ),
    "inbox": Mount("gateway.cli.inbox", "app", "List or follow what was handed to you.", _RECEIVE),
    "notices": Mount("gateway.cli.notices", "app", "List or follow warnings and breaches of limits.", _RECEIVE),
    "claim": Mount("gateway.cli.handoff", "claim_app", "Take a lease on a handoff.", _RECEIVE),
    "fetch": Mount("gateway.cli.fetch", "app", "Write original, rendition, report and receipt to a folder.", _RECEIVE),
    "decide": Mount("gateway.cli.decide", "app", "Accept, ask for a supplement, or refuse.", _RECEIVE),
    "receipt": Mount("gateway.cli.receipt", "receipt_app", "Show where a handoff stands, with its receipts.", _LOOK),
    "enquiry": Mount("gateway.cli.enquiry", "app", "Tell a party how far a case is.", _LOOK),
    "reconcile": Mount("gateway.cli.receipt", "reconcile_app", "Prove that nothing is missing in a direction.", _LOOK),
    "ledger": Mount("gateway.cli.ledger", "app", "Query the ledger and verify proofs (oversight).", _LOOK),
    "adapters": Mount("gateway.cli.adapters", "app", "Try the mapping between agency schemas on a file.", _LOOK),
    "annex": Mount("gateway.cli.annex", "app", "Show the forms of annexes and check files against them.", _LOOK),
    "rules": Mount("gateway.cli.rules", "app", "Judge a record by the rules of the procedure; replay a case.", _LOOK),
    "clocks": Mount("gateway.cli.clocks", "app", "Draw the limits of a case; count limits on this machine.", _LOOK),
    "demo": Mount("gateway.cli.demo", "app", "Run one case through all agencies on this machine.", _RUN),
    "serve": Mount("gateway.cli.serve", "command", "Run the gateway.", _RUN),
    "case": Mount("gateway.cli.case", "app", "Destroy a case, or finish what was interrupted.", _RUN),
    "vault": Mount("gateway.cli.vault", "app", "Prepare the vault of the case keys, and change its master key.", _RUN),
    "key": Mount("gateway.cli.key", "app", "Register, revoke and list signer keys.", _RUN),
    "signer": Mount("gateway.cli.signer", "command", "Sign the heads of the ledger.", _RUN),
    "witness": Mount("gateway.cli.witness", "command", "Follow a log and cosign its heads, for an agency.", _RUN),
    "mirror": Mount("gateway.cli.mirror", "command", "Keep an agency's full copy of the log.", _RUN),
    "scheduler": Mount("gateway.cli.scheduler", "command", "Warn of statutory limits and record breaches.", _RUN),
    "stamper": Mount("gateway.cli.stamper", "command", "Get time-stamp tokens for checkpoints (RFC 3161).", _RUN),
    "tiles": Mount("gateway.cli.tiles", "command", "Serve the log to public tools (tlog-tiles).", _RUN),
    "fsck": Mount("gateway.cli.fsck", "command", "Derive the whole ledger again from its records.", _PROVE),
    "rebuild": Mount("gateway.cli.rebuild", "command", "Put back what a ledger lost, from mirrors.", _PROVE),
    "evidence": Mount("gateway.cli.evidence_pack", "app", "Pack everything about a case for an auditor.", _PROVE),
    "verify": Mount("gateway.cli.verify", "command", "Verify an evidence pack, offline.", _PROVE),
    "verify-fork": Mount("gateway.cli.verify_fork", "command", "Judge evidence that a log forked, offline.", _PROVE),
    "monitor": Mount(
        "gateway.cli.monitor", "command", "Follow a log and shout when it forks, shrinks or stops.", _PROVE
    ),
    "migrate": Mount("gateway.cli.migrate", "command", "Bring the database to the newest schema.", _RUN),
    "health": Mount("gateway.cli.health", "command", "Ask a gateway whether it serves.", _RUN),
}
HELP: Final = """Exchange signed case bundles between police, procuratorate, court and justice.

Begin with: fasttrack demo
"""
EPILOG: Final = (
    "Exit status: 0 done, 1 refused with findings, 2 wrong usage, 3 gateway not reached, 4 evidence does not verify, "
    "130 interrupted."
)

_IS_LAID_OUT: Final = re.compile(r"\x08|^(?: {2,}|[-*|])", re.MULTILINE)
"""A list, a table or a marked paragraph keeps its lines."""


class LazyGroup(typer.core.TyperGroup):
    """Shows commands from the table above and loads one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The line of a command for a list of commands; ``resolve_command`` gives the command itself."""
        mount = COMMANDS.get(cmd_name)
        if mount is None:
            return None
        line = typer.core.TyperCommand(cmd_name, short_help=mount.summary, help=mount.summary)
        line.rich_help_panel = mount.panel
        return line

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that is called."""
        # Only the names count here: they are what "did you mean" is looked for in.
        self.commands = {known: self.get_command(ctx, known) for known in COMMANDS}
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load_command(name or ""), rest


def load_command(name: str) -> Any:
    """Load a command with everything below it.

    Args:
        name: of ``COMMANDS``.

    Returns:
        the click command.
    """
    mount = COMMANDS[name]
    target = getattr(import_module(mount.module), mount.attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer()
        target.command(name)(function)
    command = typer.main.get_command(target)
    # Completion is installed once, by the root.
    command.params = [item for item in command.params if item.name not in ("install_completion", "show_completion")]
    command.name = name
    _reflow(command)
    return command


def _reflow(command: Any) -> None:
    """Let paragraphs of help texts fill the terminal: the lines of a docstring are as wide as a source file."""
    paragraphs = (command.help or "").split("\n\n")
    command.help = "\n\n".join(
        paragraph if _IS_LAID_OUT.search(paragraph) else " ".join(paragraph.split()) for paragraph in paragraphs
    )
    for part in getattr(command, "commands", {}).values():
        _reflow(part)


app = typer.Typer(
    cls=LazyGroup, help=HELP, epilog=EPILOG, no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False
)


@app.callback()
def _root() -> None:
    """Every command has options of its own; there are none for all."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: without the program's name; None for those of the process.
    """
    # A terminal with another encoding than UTF-8 must not make a Chinese title an error.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app(arguments, prog_name="fasttrack")


if __name__ == "__main__":
    main()
