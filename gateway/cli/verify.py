"""`fasttrack verify`: verify an evidence pack on this machine, without gateway, database or network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.fsck import to_plain_finding
from gateway.cli.output import print_json


def command(
    pack: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The zip that `evidence export` wrote.")],
    *,
    signing_ca: Annotated[
        Path | None, typer.Option("--signing-ca", exists=True, help="CA of signing certificates that you trust, PEM.")
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", exists=True, help="Witness policy that you trust: log, witnesses, quorum."),
    ] = None,
    tsa_ca: Annotated[
        Path | None, typer.Option("--tsa-ca", exists=True, help="CAs of the time-stamp authority that you trust, PEM.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Verify an evidence pack; everything that is wrong is listed at once.

    Without --signing-ca, --policy and --tsa-ca the keys in the pack are used, which proves only that the pack agrees
    with itself: it then ends with 1.

    Exit codes: 0 everything verifies, 1 nothing is wrong but something could not be checked, 2 bad options,
    4 something is wrong, 5 the file is no pack, or is built to do harm; nothing in it was looked at.
    """
    from cryptography import x509  # noqa: PLC0415 - --help stays fast

    from gateway.audit.pack import Trust  # noqa: PLC0415 - --help stays fast
    from gateway.audit.verify import verify_pack  # noqa: PLC0415 - as above
    from gateway.core.log.witness_policy import parse_policy  # noqa: PLC0415 - as above

    try:
        trust = Trust(
            tuple(x509.load_pem_x509_certificates(signing_ca.read_bytes())) if signing_ca else (),
            parse_policy(policy.read_text(encoding="utf-8")) if policy else None,
            tuple(x509.load_pem_x509_certificates(tsa_ca.read_bytes())) if tsa_ca else (),
        )
        verified = verify_pack(pack, trust)
    except (OSError, ValueError) as error:
        hint = "check the files that were named: PEM for --signing-ca and --tsa-ca, TOML for --policy"
        fail(ExitCode.USAGE, f"cannot verify: {error}", hint, is_json=is_json)
    if is_json:
        print_json(
            {
                "exit_code": verified.code,
                "entries": verified.entries,
                "bundles": verified.bundles,
                "tree_size": verified.size,
                "findings": [to_plain_finding(finding) for finding in verified.findings],
            }
        )
    else:
        for finding in verified.findings:
            print(f"{finding.severity}: {finding.to_text()}")
        print(f"{verified.entries} entries, {verified.bundles} bundles, tree of {verified.size}: ", end="")
        print({0: "verified", 1: "nothing wrong, not everything checked", 4: "WRONG", 5: "refused"}[verified.code])
    raise typer.Exit(verified.code)
