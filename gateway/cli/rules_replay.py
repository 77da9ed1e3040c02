"""``fasttrack rules replay``: judge the stored records of a case again, and compare with what its entries say."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.failure import fail
from gateway.cli.output import print_json, print_table
from gateway.cli.stored_case import MaterialsDir, PseudonymKey, SchemaVersions, StoredCase, to_pseudonym
from gateway.config import SettingsError, parse_database_url, parse_vault

SAME, DIFFERS, CANNOT_TELL = 0, 1, 2


def replay(
    case: StoredCase,
    *,
    pseudonym_key: PseudonymKey = None,
    materials_dir: MaterialsDir = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", exists=True, envvar="FASTTRACK_RULE_SETTINGS", help="YAML of other readings of the rules."
        ),
    ] = None,
    schema_versions: SchemaVersions = None,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Judge every stored record of a case by the rule set that its entry names, and compare result and inputs.

    FASTTRACK_DATABASE_URL names the ledger; connect as the owner of the schema.
    FASTTRACK_VAULT_URL and FASTTRACK_MASTER_KEY_FILE open it. Nothing is written.

    Exit status: 0 every judgement comes out the same, 1 one differs, 2 cannot tell: no such case, nothing of it was
    judged, a record that was destroyed, a rule set or annex that is not here, a database that cannot be read.
    """
    # Imported here so that the other commands do not load the database driver.
    import asyncpg  # noqa: PLC0415

    from gateway.app_rules import replay_case  # noqa: PLC0415
    from gateway.app_vault import VaultAccess  # noqa: PLC0415
    from gateway.core.errors import GatewayError  # noqa: PLC0415
    from gateway.core.judge.replay import Verdict  # noqa: PLC0415

    try:
        url, pseudonym = parse_database_url(os.environ), to_pseudonym(case, pseudonym_key)
        vault = VaultAccess(*parse_vault(os.environ))
        found = asyncio.run(
            replay_case(
                url, pseudonym, vault=vault, materials=materials_dir, settings=settings, register=schema_versions
            )
        )
    except SettingsError as error:
        _cannot_tell("; ".join(error.problems), is_json=is_json)
    except (OSError, ValueError, RuntimeError, GatewayError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _cannot_tell(str(error), is_json=is_json)
    if not found:
        _cannot_tell("the ledger has no judged entry of this case", is_json=is_json)
    verdicts = {one.verdict for one in found}
    code = DIFFERS if Verdict.DIFFERS in verdicts else CANNOT_TELL if Verdict.CANNOT_TELL in verdicts else SAME
    if is_json:
        print_json({"exit_code": code, "entries": [asdict(one) for one in found]})
    else:
        columns = ("index", "rule_set", "recorded", "again", "verdict", "reason")
        rows = [[getattr(one, column) for column in columns] for one in found]
        print_table(f"{len(found)} judgements", columns, rows)
    raise typer.Exit(code)


def _cannot_tell(problem: str, *, is_json: bool) -> NoReturn:
    hint = "check the database, FASTTRACK_DATABASE_URL and the files that were named, and run it again"
    fail(CANNOT_TELL, f"cannot tell: {problem}", hint, is_json=is_json)
