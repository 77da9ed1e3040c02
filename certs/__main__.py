"""``python -m certs --out DIR [--agency ID ...] [--sm2 ID ...] [--origin NAME --witness ID ...]``: development PKI."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from certs.note import make_note_keys
from certs.pki import load_identities, make_pki
from gateway.core.errors import GatewayError
from gateway.core.log.note import is_key_name


def _require_log(origin: str | None, witnesses: list[str], quorum: int, agencies: list[str] | None) -> None:
    """Before anything is written: note keys need witnesses that are made too, and a quorum that they can reach."""
    if origin is None and not witnesses:
        return
    unknown = {*witnesses} - {*(agencies or (str(identity.agency) for identity in load_identities()))}
    if origin is None or not is_key_name(origin) or unknown or not 1 <= quorum <= len({*witnesses}) == len(witnesses):
        raise ValueError(
            "--origin NAME without spaces, --witness for agencies made here, --quorum from 1 to their number"
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: command line without the program; None for that of the process.

    Returns:
        exit status: 0, or 1 when nothing was written because a key exists, an agency is unknown or SM2 is missing.
    """
    parser = argparse.ArgumentParser(prog="python -m certs", description="Make certificates for development and tests.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write, made with mode 0700")
    parser.add_argument("--agency", action="append", metavar="ID", help="only this agency (repeatable); default: all")
    parser.add_argument("--sm2", action="append", default=[], metavar="ID", help="sign with SM2 (repeatable)")
    parser.add_argument("--origin", metavar="NAME", help="make note keys too, for a log of this name")
    parser.add_argument("--witness", action="append", default=[], metavar="ID", help="a witness of it (repeatable)")
    parser.add_argument("--quorum", type=int, default=1, metavar="N", help="witnesses that must cosign; default 1")
    options = parser.parse_args(arguments)
    try:
        _require_log(options.origin, options.witness, options.quorum, options.agency)
        layout = make_pki(options.out, now=datetime.now(UTC), agencies=options.agency, sm2=options.sm2)
        if options.origin:
            make_note_keys(layout, origin=options.origin, witnesses=options.witness, quorum=options.quorum)
    except GatewayError as error:
        print(f"error: {error}: {error.findings[0].message}", file=sys.stderr)
        return 1
    except (FileExistsError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"development PKI in {layout.root}; valid for 90 days; not for production")
    return 0


if __name__ == "__main__":
    sys.exit(main())
