"""``python -m certs --out DIR [--agency ps:110108 ...] [--sm2 ps:110108 ...]``: makes the development PKI."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from certs.pki import make_pki
from gateway.core.errors import GatewayError


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
    options = parser.parse_args(arguments)
    try:
        layout = make_pki(options.out, now=datetime.now(UTC), agencies=options.agency, sm2=options.sm2)
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
