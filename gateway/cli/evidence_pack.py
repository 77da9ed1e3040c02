"""`fasttrack evidence export`: pack everything about a case for an auditor."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.output import print_json
from gateway.cli.stored_case import MaterialsDir, PseudonymKey, SchemaVersions, StoredCase, to_pseudonym
from gateway.config import SettingsError, parse_database_url, parse_vault

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Pack everything about a case for an auditor."""


@app.command("export")
def export(
    case: StoredCase,
    *,
    out: Annotated[Path, typer.Option("--out", help="The zip to write.")],
    signing_ca: Annotated[
        Path,
        typer.Option("--signing-ca", exists=True, envvar="FASTTRACK_SIGNING_CA", help="CA of signing certificates."),
    ],
    pseudonym_key: PseudonymKey = None,
    policy: Annotated[Path | None, typer.Option("--policy", exists=True, help="Witness policy of the log.")] = None,
    tsa_ca: Annotated[
        Path | None, typer.Option("--tsa-ca", exists=True, help="CAs of the time-stamp authority.")
    ] = None,
    materials_dir: MaterialsDir = None,
    schema_versions: SchemaVersions = None,
    with_materials: Annotated[
        bool, typer.Option("--with-materials", help="Put the documents and recordings into the pack too.")
    ] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Write the evidence pack of a case: a zip in BagIt layout that verifies without the gateway.

    It holds personal data: records and, if asked for, documents. FASTTRACK_DATABASE_URL names the ledger; connect as
    the owner of the schema. FASTTRACK_VAULT_URL and FASTTRACK_MASTER_KEY_FILE open it; of a destroyed case the pack has
    entries, receipts and proofs. Renditions are made again by the schemas that --schema-versions gives the agencies, as
    the gateway made them. `fasttrack verify` reads the pack, and its README.md says how to do it with openssl.

    Exit codes: 0 done, 1 there is no such case, 2 bad settings, 3 the database cannot be reached.
    """
    import asyncpg  # noqa: PLC0415 - --help stays fast

    from gateway.app_audit import export_case  # noqa: PLC0415 - as above
    from gateway.app_vault import VaultAccess  # noqa: PLC0415 - as above
    from gateway.audit.evidence import CaseUnknownError  # noqa: PLC0415 - as above
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.core.port.evidence import PackKeys  # noqa: PLC0415 - as above

    try:
        url, vault = parse_database_url(os.environ), VaultAccess(*parse_vault(os.environ))
        keys = PackKeys(
            signing_ca=signing_ca.read_bytes(),
            policy=policy.read_text(encoding="utf-8") if policy else "",
            tsa_ca=tsa_ca.read_bytes() if tsa_ca else b"",
        )
        pseudonym = to_pseudonym(case, pseudonym_key)
    except (SettingsError, OSError, ValueError) as error:
        hint = "set or repair what is named above; see --help of this command"
        fail(ExitCode.USAGE, f"cannot export: {error}", hint, is_json=is_json)
    try:
        today = datetime.now(UTC).date()
        packed = asyncio.run(
            export_case(
                url,
                pseudonym,
                keys,
                out,
                materials_dir,
                vault=vault,
                register=schema_versions,
                with_materials=with_materials,
                made_on=today,
            )
        )
    except CaseUnknownError as error:
        hint = "give the police case number with --pseudonym-key, or the pseudonym that the ledger shows"
        fail(ExitCode.REFUSED, str(error), hint, is_json=is_json)
    except (OSError, ValueError, RuntimeError, GatewayError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        hint = "check FASTTRACK_DATABASE_URL, FASTTRACK_VAULT_URL and that both run, then run it again"
        fail(ExitCode.UNREACHABLE, f"cannot export: {error}", hint, is_json=is_json)
    if is_json:
        print_json({"pack": str(out), **asdict(packed)})
        return
    print(f"{out}: {packed.entries} entries, {packed.bundles} bundles, {packed.renditions} renditions,")
    print(f"  {packed.statements} statements, {packed.included} of {packed.materials} materials")
    for line in packed.missing:
        print(f"not in the pack: {line}")
