"""``fasttrack adapters``: try the mapping between agency schemas on a file, without a gateway.

Source: agency interfaces, section 9.
"""

from __future__ import annotations

import base64
import json
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from gateway.core.case import Reading, Rendition, ReportLine

app = typer.Typer(help="Try the mapping between agency schemas on a file.", no_args_is_help=True)

_ORDER: Final = ("carried", "normalised", "unmapped", "dropped", "withheld", "defaulted")
_JSON: Final = typer.Option("--json", help="Print JSON for programs.")


def _to_json(reading: Reading, rendition: Rendition) -> dict[str, Any]:
    return {
        "mapping_version": rendition.mapping_version,
        "media_type": rendition.media_type,
        "encoding": rendition.encoding,
        "rendition": None if rendition.data is None else base64.b64encode(rendition.data).decode("ascii"),
        "report": [line._asdict() for line in rendition.report],
        "findings": [
            {"code": found.code.name, "severity": found.severity.value, "path": found.path, "message": found.message}
            for found in reading.findings
        ],
    }


def _print(value: Any) -> None:
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def _show(reading: Reading, rendition: Rendition) -> None:
    from gateway.cli.output import print_findings, print_table  # noqa: PLC0415 - loads rich

    def rank(line: ReportLine) -> int:
        return _ORDER.index(line.action)

    for at, group in groupby(sorted(rendition.report, key=rank), key=rank):
        lines = list(group)
        rows = [(line.source, line.target, line.note) for line in lines]
        print_table(f"{_ORDER[at]} ({len(lines)})", ("source", "target", "note"), rows)
    if reading.findings:
        sys.stdout.write(f"findings ({len(reading.findings)})\n")
        sys.stdout.flush()
        print_findings(reading.findings, stderr=False)
    size = "no rendition" if rendition.data is None else f"{len(rendition.data)} bytes"
    sys.stdout.write(f"{rendition.media_type}, {rendition.encoding}, schema {rendition.schema_version}: {size}\n")


@app.command("map")
def map_file(
    file: Annotated[Path, typer.Argument(help="Record in the sender's schema.")],
    sender: Annotated[str, typer.Option("--from", help="Agency that wrote the file.", metavar="AGENCY")],
    receiver: Annotated[str, typer.Option("--to", help="Agency that it is for.", metavar="AGENCY")],
    is_json: Annotated[bool, _JSON] = False,
) -> None:
    """Map a record into the schema of another agency; AGENCY is police, procuratorate, court or justice."""
    from gateway.app import adapters  # noqa: PLC0415 - the tables are loaded only when a file is mapped

    known = adapters()
    for option, name in (("--from", sender), ("--to", receiver)):
        if name not in known.names():
            raise typer.BadParameter(f"not one of {', '.join(known.names())}", param_hint=option)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="FILE") from error
    reading, rendition = known.map(data, sender=sender, receiver=receiver)
    if is_json:
        _print(_to_json(reading, rendition))
    else:
        _show(reading, rendition)
    raise typer.Exit(ExitCode.REFUSED if reading.has_errors else ExitCode.OK)


@app.command("list")
def list_adapters(is_json: Annotated[bool, _JSON] = False) -> None:
    """List the adapters with the schema version and the format that each reads and writes."""
    from gateway.app import adapters  # noqa: PLC0415 - as above

    known = adapters()
    rows = [(name, known.schema_version(name), known.media_type(name), known.encoding(name)) for name in known.names()]
    if is_json:
        names = ("name", "schema_version", "media_type", "encoding")
        _print({"adapters": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    from gateway.cli.output import print_table  # noqa: PLC0415 - loads rich

    print_table("Adapters", ("adapter", "schema", "media type", "encoding"), rows)


if __name__ == "__main__":
    app()
