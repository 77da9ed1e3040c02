"""``fasttrack adapters``: try the mapping between agency schemas on a file, look at the schemas, check a new one.

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

from gateway.cli.adapters_check import check
from gateway.cli.adapters_look import explain, matrix
from gateway.cli.adapters_remap import add_remap
from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from gateway.core.case.case import Reading, Rendition, ReportLine

app = typer.Typer(help="Try the mapping between agency schemas; look at them.", no_args_is_help=True)

_ORDER: Final = ("carried", "normalised", "unmapped", "dropped", "withheld", "defaulted")


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
    *,
    file: Annotated[Path, typer.Argument(help="Record in the sender's schema.")],
    sender: Annotated[str, typer.Option("--from", help="Agency that wrote the file.", metavar="AGENCY")],
    receiver: Annotated[str, typer.Option("--to", help="Agency that it is for.", metavar="AGENCY")],
    sender_version: Annotated[
        str, typer.Option("--from-version", help="Version of the sender's schema; else the published one.")
    ] = "",
    receiver_version: Annotated[
        str, typer.Option("--to-version", help="Version of the receiver's schema; else the published one.")
    ] = "",
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Map a record into the schema of another agency; `fasttrack adapters list` shows agencies and versions."""
    from gateway.app import adapters  # noqa: PLC0415 - the tables are loaded only when a file is mapped

    known = adapters()
    for option, name, version in (("--from", sender, sender_version), ("--to", receiver, receiver_version)):
        if name not in known.names():
            raise typer.BadParameter(f"not one of {', '.join(known.names())}", param_hint=option)
        if version and version not in known.versions(name):
            raise typer.BadParameter(f"not one of {', '.join(known.versions(name))}", param_hint=f"{option}-version")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"cannot be read: {error.strerror}", param_hint="FILE") from error
    reading = known.read(data, sender=sender, receiver=receiver, version=sender_version)
    rendition = known.render(reading, receiver=receiver, version=receiver_version)
    if is_json:
        _print(_to_json(reading, rendition))
    else:
        _show(reading, rendition)
        other = known.read_any(data, sender=sender, receiver=receiver).header
        if reading.header is None and other is not None and not sender_version:
            sys.stdout.write(f"the record is of another version: --from-version {other.version}\n")
    raise typer.Exit(ExitCode.REFUSED if reading.has_errors else ExitCode.OK)


@app.command("list")
def list_adapters(is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the adapters, built-in and plug-ins, with the schema versions and the format that each reads and writes.

    Exit status 1 when a plug-in is installed that cannot be used.
    """
    from gateway.app import adapters  # noqa: PLC0415 - as above

    known = adapters()
    found = [
        {
            "name": name,
            "schema_version": known.schema_version(name),
            "versions": known.versions(name),
            "media_type": known.media_type(name),
            "encoding": known.encoding(name),
            "is_plugin": known.is_plugin(name),
        }
        for name in known.names()
    ]
    if is_json:
        _print({"adapters": found, "broken": [plugin._asdict() for plugin in known.broken]})
    else:
        _show_list(found)
        for plugin in known.broken:
            sys.stdout.write(f"plug-in {plugin.name} cannot be used: {plugin.problem}\n")
    raise typer.Exit(ExitCode.REFUSED if known.broken else ExitCode.OK)


def _show_list(found: list[dict[str, Any]]) -> None:
    from gateway.cli.output import print_table  # noqa: PLC0415 - loads rich

    rows = [
        (
            entry["name"],
            ", ".join(entry["versions"]),
            entry["media_type"],
            entry["encoding"],
            "plug-in" if entry["is_plugin"] else "built-in",
        )
        for entry in found
    ]
    print_table("Adapters", ("adapter", "schemas, published first", "media type", "encoding", "from"), rows)


app.command("explain")(explain)
app.command("matrix")(matrix)
app.command("check")(check)
add_remap(app)


if __name__ == "__main__":
    app()
