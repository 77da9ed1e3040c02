"""What the audience of the demo sees; the same text with and without colours."""

from __future__ import annotations

import io
import re
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table

if TYPE_CHECKING:
    from gateway.cli.demo_stage import Stage
    from gateway.cli.demo_story import ActDone, Ending
    from gateway.core.entry import Entry
    from gateway.rpc.client_sealed import SealedReceipt

WIDTH: Final = 100
_FONT_FACE: Final = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_NAMES: Final = {
    "ps": "police",
    "pr": "procuratorate",
    "ct": "court",
    "ja": "judicial administration",
    "ov": "oversight",
}
_TITLES: Final = {
    "TRANSFER": "transfer for prosecution",
    "ASSESSMENT_REQUEST": "request for an assessment",
    "ASSESSMENT_OPINION": "opinion of the assessment",
    "INDICTMENT": "indictment",
    "JUDGMENT": "judgment",
    "EXECUTION": "execution notice",
}
_ORDER: Final = ("carried", "normalised", "defaulted", "unmapped", "dropped", "withheld")


class Screen:
    """Prints the story.

    Args:
        picture: True to record for a picture.
        is_silent: print nothing.
        to_errors: print to standard error.
    """

    def __init__(self, *, picture: bool = False, is_silent: bool = False, to_errors: bool = False) -> None:
        # Somewhere else than standard output, where only JSON is to stand.
        file = io.StringIO() if is_silent else None
        self._console = Console(record=picture, file=file, stderr=to_errors, highlight=False)
        if picture or not self._console.is_terminal:
            self._console.width = WIDTH

    def opening(self) -> None:
        """Say what is coming."""
        say = self._console.print
        say()
        say("[bold]One dangerous-driving case, from the police to community correction[/]")
        say(
            "Four agency systems with four schemas, one gateway between them, one ledger that nobody can rewrite "
            "unnoticed. All data is synthetic.",
            style="dim",
        )
        say()

    def stage(self, stage: Stage, seconds: float) -> None:
        """Say what runs.

        Args:
            stage: the running gateway.
            seconds: how long it took.
        """
        self._console.print(
            f"[green]✓[/] PostgreSQL, certificates and gateway are up at [bold]{stage.target}[/] (mutual TLS) "
            f"in {seconds:.1f} s"
        )

    def act(self, done: ActDone) -> None:
        """Tell one handoff.

        Args:
            done: what happened.
        """
        act, say = done.act, self._console.print
        submit, _, _, decided = done.receipts
        title = _TITLES.get(done.kind, done.kind)
        say()
        say(
            Rule(
                f"[bold]{act.number}  {_name(act.sender)} → {_name(act.receiver)}[/]  {title}",
                align="left",
                characters="─",
                style="dim",
            )
        )
        self._line("", f"[italic]{escape(act.caption)}[/]")
        sent = _count(done.uploaded, "file") + (f", {done.uploaded_bytes / 1000:.0f} kB" if done.uploaded else "")
        self._line("bundle", f"signed by {act.sender}; {sent} uploaded, {done.unchanged} known from earlier handoffs")
        self._line(
            "receipt",
            f"ledger entry {submit.entry_index}, number {done.pair_number} of {act.sender} → {act.receiver} "
            "[green]✓ verified[/]",
        )
        opened = f", {_count(done.downloaded, 'material')} opened" if done.downloaded else ""
        kept = f", {_count(done.withheld, 'material')} withheld" if done.withheld else ""
        self._line("inbox", f"seen after {done.seen_milliseconds:.0f} ms, claimed, fetched{opened}{kept}")
        counts = " · ".join(f"{done.actions[action]} {action}" for action in _ORDER if done.actions.get(action))
        self._line(
            "rendition",
            f"{done.rendition_bytes:,} bytes of {done.encoding} in the receiver's schema, "
            "[green]✓ equal to the published sample[/]",
        )
        self._line("report", f"every leaf accounted for: {counts}")
        stage = decided.entry.case_state
        where = f"; the case stands at {stage.stage.value}" if stage is not None else ""
        self._line("decision", f"accepted by {act.receiver}, entry {decided.entry_index}{where}")

    def _line(self, label: str, text: str) -> None:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=12, style="cyan", justify="right")
        table.add_column(overflow="fold")
        table.add_row(label, text)
        self._console.print(table)

    def ending(self, ending: Ending) -> None:
        """Show what oversight finds.

        Args:
            ending: timeline and proofs.
        """
        say = self._console.print
        say()
        say(Rule("[bold]oversight[/]  the case as the ledger has it", align="left", characters="─", style="dim"))
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
        for heading in ("entries", "handoff", "way", "what happened", "stage", "transitions"):
            table.add_column(heading, no_wrap=True)
        for _, rows in groupby(ending.timeline.entries, key=lambda row: row.entry.handoff):
            table.add_row(*_timeline_row([row.entry for row in rows]))
        say(table)
        say(
            f"[green]✓[/] {len(ending.timeline.entries)} entries, each naming the hash of the one before; "
            "no name, number or text of the case among them"
        )
        proof = ending.inclusion
        say(
            f"[green]✓[/] inclusion proof: entry {proof.entry_index} is in the tree of {proof.tree_size} entries, "
            f"{_count(len(proof.hashes), 'hash', 'hashes')} up to the root"
        )
        say(f"    leaf {proof.leaf_hash.hex()}", style="dim")
        say(f"    root {proof.root_hash.hex()}", style="dim")
        say(
            f"[green]✓[/] consistency proof: the tree of {ending.consistency.second_size} entries extends the tree of "
            f"{ending.consistency.first_size}; nothing was rewritten in between"
        )

    def sealed(self, receipts: list[SealedReceipt]) -> None:
        """Tell who sealed the receipts.

        Args:
            receipts: sealed ones.
        """
        last = max(receipts, key=lambda item: item.tree_size)
        names = ", ".join(name.rsplit("/", 1)[-1].replace("-", ":") for name in sorted(last.witnesses))
        self._console.print(
            f"[green]✓[/] {_count(len(receipts), 'receipt')} sealed: in a checkpoint of {last.tree_size} entries, "
            f"signed by the log, cosigned by the witnesses {names}"
        )

    def close(self, handoffs: int, receipts: int, tree_size: int, seconds: float) -> None:
        """Sum up.

        Args:
            handoffs: that were accepted.
            receipts: that were verified.
            tree_size: entries of the ledger.
            seconds: since the start.
        """
        self._console.print()
        self._console.print(
            f"[bold green]{handoffs} handoffs, {receipts} receipts verified, {tree_size} ledger entries, "
            f"{seconds:.1f} s[/]"
        )

    def commands(self, stage: Stage, case_number: str) -> None:
        """Print commands that work on the gateway that is left running.

        Args:
            stage: the running gateway.
            case_number: police case number of the demo.
        """
        say = self._console.print
        say()
        say("[bold]The gateway goes on running. In another terminal:[/]")
        for command in ready_commands(stage, case_number):
            say()
            # One unbroken line, so that it can be copied.
            say(command, soft_wrap=True, markup=False)
        say()
        say("Ctrl-C ends it and removes everything.")

    def save(self, path: Path) -> None:
        """Write the picture of the terminal.

        Args:
            path: SVG file.

        Raises:
            OSError: it cannot be written.
        """
        picture = self._console.export_svg(title="fasttrack demo")
        # rich asks for its font from a public server; on a closed network any monospaced font has to do.
        path.write_text(_FONT_FACE.sub("", picture).replace("Fira Code", "monospace"), encoding="utf-8")


def ready_commands(stage: Stage, case_number: str) -> list[str]:
    """Write commands for the running gateway.

    Args:
        stage: the running gateway.
        case_number: police case number of the demo.

    Returns:
        one shell command each: fasttrack, buf curl, grpcurl.
    """
    files = stage.pki.agency("ov:110000")
    query = '{"filter": {"kinds": ["ENTRY_KIND_SUBMITTED"]}, "pageSize": 3}'
    method = "gateway.v1.LedgerService/QueryEntries"
    return [
        f"fasttrack ledger case {case_number} --target {stage.target} --profile {files.directory}",
        f"buf curl --protocol grpc --cacert {stage.pki.tls_ca} --cert {files.tls_certificate} --key {files.tls_key} "
        f"-d '{query}' https://{stage.target}/{method}",
        f"grpcurl -cacert {stage.pki.tls_ca} -cert {files.tls_certificate} -key {files.tls_key} "
        f"-d '{query}' {stage.target} {method}",
    ]


def _timeline_row(entries: list[Entry]) -> tuple[str, ...]:
    first, last = entries[0], entries[-1]
    return (
        f"{first.index} to {last.index}",
        first.handoff_kind.lower().replace("_", " "),
        f"{first.sender[:2]} → {first.receiver[:2]}",
        " ".join(entry.kind.value for entry in entries),
        last.case_state.stage.value if last.case_state else "",
        " ".join(transition for entry in entries for transition in entry.transitions),
    )


def _name(agency: str) -> str:
    return _NAMES.get(agency.split(":", maxsplit=1)[0], agency)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
