"""``fasttrack material``: documents and recordings by digest."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli.command import Session, gateway_command
from gateway.cli.connection import SettingsError
from gateway.cli.output import console, print_json

app = typer.Typer(help="Upload and download documents and recordings.", no_args_is_help=True)

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@gateway_command(app, "upload")
async def upload(
    session: Session,
    files: Annotated[list[Path], typer.Argument(help="Files.", exists=True, dir_okay=False)],
) -> None:
    """Upload files that the gateway does not have from you yet; a broken upload goes on where it broke."""
    from gateway.cli.progress import transfer_progress  # noqa: PLC0415 - loads what only a call needs
    from gateway.rpc.client_material import digest_file  # noqa: PLC0415 - as above

    rows: list[dict[str, Any]] = []
    async with session.client() as client:
        with transfer_progress() as advance:
            for path in files:
                digest = digest_file(path)
                is_sent = await client.upload(digest, progress=partial(advance, path.name))
                rows.append(
                    {
                        "file": path,
                        "sha256": digest.sha256,
                        "sm3": digest.sm3,
                        "size": digest.size,
                        "uploaded": is_sent,
                    }
                )
    if session.is_json:
        print_json({"materials": rows})
        return
    for row in rows:
        note = "" if row["uploaded"] else "  (the gateway had it)"
        console().print(f"{row['sha256']}  {row['file']}{note}", markup=False)


@gateway_command(app, "download")
async def download(
    session: Session,
    sha256: Annotated[str, typer.Argument(help="SHA-256 of the material, 64 hexadecimal digits.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; it appears when it is complete and right.")],
) -> None:
    """Download a material; a broken download goes on where it broke."""
    from gateway.cli.progress import transfer_progress  # noqa: PLC0415 - as above

    if _DIGEST.fullmatch(sha256) is None:
        raise SettingsError("SHA256 is not a digest", "give 64 lower-case hexadecimal digits, as a manifest has them")
    if out.is_dir():
        raise SettingsError(f"{out} is a folder", "name the file to write")
    async with session.client() as client:
        with transfer_progress() as advance:
            size = await client.download(sha256, out, progress=partial(advance, out.name))
    if session.is_json:
        print_json({"file": out, "sha256": sha256, "size": size})
    else:
        console().print(f"{out}  {size} bytes, digest verified", markup=False)
