"""``fasttrack fetch``: the content of a handoff as files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.handoff import DEFAULT_CONSUMER, ActId, Consumer, Handoff
from gateway.cli.output import console, from_finding, print_findings, print_json, to_plain

if TYPE_CHECKING:
    from gateway.core.manifest import Manifest
    from gateway.rpc.client import GatewayClient
    from gateway.rpc.client_answer import Fetched

app = typer.Typer()

_ENDINGS: Final[Mapping[str, str]] = {"application/xml": "xml", "application/json": "json"}
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RECORD_ENDINGS: Final[Mapping[str, str]] = {"police": "xml", "court": "xml"}


@gateway_command(app, "fetch")
async def fetch(
    session: Session,
    *,
    handoff: Handoff,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made when it is not there.", file_okay=False)],
    consumer: Consumer = DEFAULT_CONSUMER,
    claim: Annotated[bool, typer.Option("--claim", help="Take the lease first.")] = False,
    materials: Annotated[bool, typer.Option("--materials", help="Download the materials too.")] = False,
    act_id: ActId = None,
) -> None:
    """Write original, rendition, report and receipt of a handoff to a folder.

    Files: manifest.jws and record.* as the sender signed them, rendition.* in your own schema, report.json (where each
    field went), receipt.json, and with --materials one file for each material that you may read. Digests are checked
    first. There is no record.* for whom it says more than he may see; what is withheld is said. An annex that you see
    without some fields comes as materials/*.masked.json, and the legal reviews that were stated before a transfer as
    statements/*.masked.json; the gateway made these copies, and they name the digest of the original.
    """
    async with session.client() as client:
        if claim:
            await client.claim(handoff, consumer)
        fetched = await client.fetch(handoff, consumer, act_id=act_id)
        out.mkdir(parents=True, exist_ok=True)
        manifest = read_manifest(fetched.manifest_jws, handoff)
        record = await _write_record(client, fetched, manifest, out)
        files = [*([record] if record else []), *_write_rest(fetched, out), *_write_masked(fetched, manifest, out)]
        if materials:
            files += await _download_all(client, fetched, manifest, out)
    if session.is_json:
        print_json(_summary(fetched, files))
        return
    terminal = console()
    terminal.print(f"{len(files)} files in {out}, ledger entry {fetched.receipt.entry_index}")
    for file in files:
        terminal.print(f"  {file.relative_to(out)}", markup=False)
    actions = count_actions(fetched)
    if fetched.is_original_withheld:
        terminal.print("original withheld: it says more than you may see; the manifest names its digest")
    if fetched.withheld:
        asked = sum(fetched.withheld.values())
        masked = f", {len(fetched.masked)} given as masked copies" if fetched.masked else ""
        terminal.print(f"withheld {len(fetched.withheld)} materials, {asked} of them may be asked for{masked}")
    terminal.print("mapping  " + ", ".join(f"{number} {action}" for action, number in actions.items()))
    print_findings(fetched.warnings)
    if fetched.told.rule_set:
        terminal.print(
            f"rules    {fetched.told.result} by {fetched.told.rule_set} when it was handed over", markup=False
        )
        if not fetched.told.is_complete:
            terminal.print("         findings: they cannot be found again; a rule or register is another now")
        print_findings(fetched.told.findings)


def _summary(fetched: Fetched, files: list[Path]) -> dict[str, Any]:
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - as above

    return {
        "files": [str(file) for file in files],
        "mapping_version": fetched.rendition.mapping_version,
        "rendition_sha256": fetched.rendition.sha256,
        "report": count_actions(fetched),
        "warnings": [from_finding(finding) for finding in fetched.warnings],
        "is_original_withheld": fetched.is_original_withheld,
        "withheld": [
            {"sha256": digest, "may_be_asked_for": is_on_request} for digest, is_on_request in fetched.withheld.items()
        ],
        "masked_copies": [copy.sha256 for copy in fetched.masked],
        "judgement": {
            "rule_set": fetched.told.rule_set,
            "result": fetched.told.result,
            "is_complete": fetched.told.is_complete,
            "findings": [from_finding(finding) for finding in fetched.told.findings],
        },
        "receipt": from_receipt(fetched.receipt),
    }


def count_actions(fetched: Fetched) -> dict[str, int]:
    """Count the lines of a mapping report by action.

    Args:
        fetched: content of a handoff.

    Returns:
        number of lines by action, in the order of the interface; actions without lines are left out.
    """
    order = ("carried", "normalised", "defaulted", "unmapped", "dropped", "withheld")
    counts = {action: sum(line.action == action for line in fetched.report) for action in order}
    return {action: number for action, number in counts.items() if number}


def read_manifest(jws: str, handoff: UUID) -> Manifest:
    """Read the manifest of a handoff and check that it is the one asked for.

    The sender's signature was verified by the gateway before it recorded the bundle's digest; the files keep it, so
    that anybody can verify it again.

    Args:
        jws: compact JWS.
        handoff: the handoff.

    Returns:
        the manifest.

    Raises:
        EvidenceRejected: it is another bundle's, or not a manifest.
    """
    import base64  # noqa: PLC0415 - as above
    import binascii  # noqa: PLC0415 - as above

    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.core.manifest import parse_manifest  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import EvidenceRejected  # noqa: PLC0415 - as above

    try:
        payload = jws.split(".")[1]
        manifest = parse_manifest(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, binascii.Error, GatewayError) as error:
        raise EvidenceRejected("the manifest of the handoff cannot be read") from error
    if manifest.bundle_id != handoff:
        raise EvidenceRejected("the manifest is that of another handoff")
    return manifest


async def _write_record(client: GatewayClient, fetched: Fetched, manifest: Manifest, out: Path) -> Path | None:
    from gateway.core.digest import sha256_hex  # noqa: PLC0415 - as above
    from gateway.rpc.client_error import EvidenceRejected  # noqa: PLC0415 - as above

    native = manifest.native_record
    if fetched.is_original_withheld:
        return None
    target = out / f"record.{_RECORD_ENDINGS.get(native.schema, 'json')}"
    if not fetched.record:
        await client.download(native.sha256, target)
        return target
    if sha256_hex(fetched.record) != native.sha256:
        raise EvidenceRejected("the record is not the one that the sender signed")
    write_file(target, fetched.record)
    return target


def _write_rest(fetched: Fetched, out: Path) -> list[Path]:
    from gateway.cli.evidence import from_receipt  # noqa: PLC0415 - as above

    rendition = out / f"rendition.{_ENDINGS.get(fetched.rendition.media_type, 'bin')}"
    report = [
        {"action": line.action, "source": line.source, "target": line.target, "note": line.note}
        for line in fetched.report
    ]
    contents = {
        out / "manifest.jws": fetched.manifest_jws.encode("ascii"),
        rendition: fetched.rendition.data,
        out / "report.json": _json(report),
        out / "receipt.json": _json(to_plain(from_receipt(fetched.receipt))),
    }
    for path, data in contents.items():
        write_file(path, data)
    return list(contents)


async def _download_all(client: GatewayClient, fetched: Fetched, manifest: Manifest, out: Path) -> list[Path]:
    import mimetypes  # noqa: PLC0415 - as above

    from gateway.cli.progress import transfer_progress  # noqa: PLC0415 - as above

    folder = out / "materials"
    folder.mkdir(exist_ok=True)
    files = []
    with transfer_progress() as advance:
        for material in manifest.materials:
            ending = ".wav" if material.media_type == "audio/wav" else mimetypes.guess_extension(material.media_type)
            target = folder / f"{material.sha256}{ending or ''}"
            if material.sha256 in fetched.withheld:
                continue
            if not target.exists():
                await client.download(material.sha256, target, progress=partial(advance, material.title))
            files.append(target)
    return files


def _write_masked(fetched: Fetched, manifest: Manifest, out: Path) -> list[Path]:
    """Copies without some fields, under a name that no annex has: of an annex the digest that the sender signed."""
    signed = {(material.id, material.sha256) for material in manifest.materials}
    files = []
    for copy in fetched.masked:
        is_stated = not copy.material_id and _DIGEST.fullmatch(copy.sha256) is not None
        if is_stated or (copy.material_id, copy.sha256) in signed:
            target = out / ("statements" if is_stated else "materials") / f"{copy.sha256}.masked.json"
            target.parent.mkdir(exist_ok=True)
            write_file(target, copy.data)
            files.append(target)
    return files


def write_file(path: Path, data: bytes) -> None:
    """Write a file that is either whole or not there, also after Ctrl-C or a full disk.

    Args:
        path: replaced if it exists.
        data: its bytes.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
