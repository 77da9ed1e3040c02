"""`fasttrack case`: destroy a case, so that nothing of it can be read any more and every proof still holds."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.output import print_json
from gateway.cli.stored_case import StoredCase, to_pseudonym
from gateway.config import PREFIX, SettingsError, parse_database_url, parse_vault
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.destruction import DestructionReason

if TYPE_CHECKING:
    from gateway.app_vault import CaseOffice, CaseSummary, Destroyed

app = typer.Typer(
    no_args_is_help=True,
    help="Destroy cases. Commands of the operator: they need FASTTRACK_DATABASE_URL as the gateway's role,"
    " FASTTRACK_VAULT_URL, FASTTRACK_MASTER_KEY_FILE, FASTTRACK_PSEUDONYM_KEY_FILE and FASTTRACK_MATERIALS_DIR.",
)
T = TypeVar("T")


@app.command("destroy")
def destroy(
    case: StoredCase,
    *,
    reason: Annotated[DestructionReason, typer.Option(help="Why; it stands in the entry.")],
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Destroy everything that a case holds, for good; its entries, receipts and proofs stay.

    An entry says so first, then the materials go that no other case names, and the key of the case last. Interrupted,
    the same command goes on; a gateway that starts finishes it too. Backups of the vault still have the key: they
    must end as well, or the master key be changed (gateway/vault/README.md).
    """
    if not is_sure and (is_json or not sys.stdin.isatty()):
        fail(ExitCode.USAGE, "nobody is there to be asked", "say --yes", is_json=is_json)
    pseudonym = _pseudonym(case, is_json=is_json)

    async def work(office: CaseOffice) -> Destroyed | None:
        found = await office.look(pseudonym)
        if not is_sure and not _confirm(found):
            return None
        return await office.destroy(pseudonym, reason)

    done = _run(work, is_json=is_json)
    if done is None:
        fail(ExitCode.USAGE, "nothing was done", "answer yes, or say --yes", is_json=is_json)
    if is_json:
        print_json(
            {
                "case_pseudonym": pseudonym,
                "entry_index": done.entry_index,
                "is_new": done.is_new,
                "key_destroyed": done.had_key,
                "materials_removed": done.materials_removed,
                "materials_shared": done.materials_shared,
            }
        )
        return
    print(f"entry {done.entry_index}" + ("" if done.is_new else ", recorded before"))
    print("the key was destroyed" if done.had_key else "there was no key any more")
    print(f"{done.materials_removed} materials removed, {done.materials_shared} stay because other cases name them")


@app.command("finish")
def finish(*, is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Finish destructions that were interrupted after their entry; without any it does nothing."""

    async def work(office: CaseOffice) -> list[int]:
        return await office.finish()

    finished = _run(work, is_json=is_json)
    if is_json:
        print_json({"entries": finished})
        return
    print("\n".join(f"entry {index}: finished" for index in finished) or "nothing to finish")


def _confirm(found: CaseSummary) -> bool:
    state = f"destroyed by entry {found.destroyed_index}" if found.destroyed_index is not None else "whole"
    print(
        f"the case is {state}: {found.entries} entries, {found.handoffs} handoffs, {found.open_handoffs} of them open"
    )
    return typer.confirm("Destroy it for good?")


def _pseudonym(case: str, *, is_json: bool) -> str:
    name = os.environ.get(f"{PREFIX}PSEUDONYM_KEY_FILE", "")
    try:
        return to_pseudonym(case, Path(name) if name else None)
    except OSError:
        problem = f"{PREFIX}PSEUDONYM_KEY_FILE: the file cannot be read"
        fail(ExitCode.USAGE, problem, "set it in the environment", is_json=is_json)
    except ValueError as error:
        fail(ExitCode.USAGE, str(error), "check the number and FASTTRACK_PSEUDONYM_KEY_FILE", is_json=is_json)


def _materials() -> Path:
    folder = os.environ.get(f"{PREFIX}MATERIALS_DIR", "")
    if not folder or not Path(folder).is_dir():
        raise SettingsError([f"{PREFIX}MATERIALS_DIR: there is no such folder"])
    return Path(folder)


def _run(work: Callable[[CaseOffice], Awaitable[T]], *, is_json: bool) -> T:
    import asyncpg  # noqa: PLC0415 - --help stays fast

    from gateway.app_vault import VaultAccess, open_case_office  # noqa: PLC0415 - as above

    async def inside(url: str, vault: VaultAccess, materials: Path) -> T:
        async with open_case_office(url, vault, materials) as office:
            return await work(office)

    try:
        url, vault = parse_database_url(os.environ), VaultAccess(*parse_vault(os.environ))
        return asyncio.run(inside(url, vault, _materials()))
    except SettingsError as error:
        fail(ExitCode.USAGE, "; ".join(error.problems), "set it in the environment", is_json=is_json)
    except GatewayError as error:
        is_down = error.code in (ErrorCode.LEDGER_UNAVAILABLE, ErrorCode.VAULT_UNAVAILABLE)
        code = ExitCode.UNREACHABLE if is_down else ExitCode.REFUSED
        hint = (
            "run the same command again in a moment" if is_down else "check the number and FASTTRACK_PSEUDONYM_KEY_FILE"
        )
        fail(code, "it cannot be done", hint, is_json=is_json, findings=error.findings)
    except (ValueError, RuntimeError) as error:
        fail(ExitCode.USAGE, str(error), "repair it and run the command again", is_json=is_json)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        problem = f"the database or the store cannot be used: {type(error).__name__}"
        fail(ExitCode.UNREACHABLE, problem, "check the settings, then run it again: it goes on", is_json=is_json)
