"""`fasttrack vault`: the database of the case keys, and the master key that wraps them."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.output import print_json
from gateway.config import SettingsError, parse_vault, parse_vault_url
from gateway.core.errors import ErrorCode, GatewayError

if TYPE_CHECKING:
    from gateway.vault.store import Vault

app = typer.Typer(
    no_args_is_help=True,
    help="The vault of the case keys. Commands of the operator: they need FASTTRACK_VAULT_URL, and all but init and"
    " new-key FASTTRACK_MASTER_KEY_FILE.",
)
T = TypeVar("T")


@app.command("init")
def init(*, is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Make the tables of the vault in a database of its own; safe to repeat.

    Connect as the role that is to own the vault, the same as the gateway uses.
    """
    import asyncpg  # noqa: PLC0415 - --help stays fast

    from gateway.vault.store import VaultError, init_vault  # noqa: PLC0415 - as above

    try:
        asyncio.run(init_vault(parse_vault_url(os.environ)))
    except SettingsError as error:
        fail(ExitCode.USAGE, "; ".join(error.problems), "set it in the environment", is_json=is_json)
    except VaultError as error:
        fail(ExitCode.USAGE, str(error), "make a database for the vault and name it", is_json=is_json)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        problem = f"the database cannot be used: {type(error).__name__}"
        fail(ExitCode.UNREACHABLE, problem, "check FASTTRACK_VAULT_URL", is_json=is_json)
    if is_json:
        print_json({"is_ready": True})
    else:
        print("the vault is ready")


@app.command("new-key")
def new_key(
    out: Annotated[Path, typer.Argument(help="File to write; it must not exist.")],
    *,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write a new master key, 32 random bytes that only their owner may read."""
    from gateway.vault.master_key import MASTER_KEY_BYTES, MasterKeys  # noqa: PLC0415 - --help stays fast

    key = secrets.token_bytes(MASTER_KEY_BYTES)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        fail(ExitCode.USAGE, f"{out.name}: {error.strerror}", "name a file that is not there", is_json=is_json)
    if is_json:
        print_json({"file": str(out), "id": MasterKeys(key).first})
    else:
        print(f"{out}: master key {MasterKeys(key).first}")


@app.command("status")
def status(*, is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Count the keys, and name the master keys that wrap them."""

    async def work(vault: Vault) -> tuple[int, int, tuple[str, ...]]:
        return await vault.count()

    keys, destroyed, master_keys = _run(work, is_json=is_json)
    if is_json:
        print_json({"keys": keys, "destroyed": destroyed, "master_keys": master_keys})
        return
    print(f"{keys:,} keys, {destroyed:,} destroyed; wrapped with {', '.join(master_keys) or 'nothing yet'}")


@app.command("rotate")
def rotate(*, is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Wrap every key with the first key of FASTTRACK_MASTER_KEY_FILE, and take the others out of use.

    First give every process the file with the new key before the old one (`cat new.key old.key`) and restart it.
    Afterwards the old one can go: with it every older copy of the vault becomes worthless.
    """

    async def work(vault: Vault) -> tuple[int, tuple[str, ...]]:
        done = await vault.rotate(lambda count: print(f"{count:,} keys", file=sys.stderr, flush=True))
        return done, (await vault.count()).master_keys

    done, master_keys = _run(work, is_json=is_json)
    if is_json:
        print_json({"wrapped": done, "master_keys": master_keys})
        return
    print(f"{done:,} keys wrapped anew; now all of them with {', '.join(master_keys)}")


def _run(work: Callable[[Vault], Awaitable[T]], *, is_json: bool) -> T:
    from gateway.app_vault import VaultAccess  # noqa: PLC0415 - --help stays fast

    async def inside() -> T:
        async with VaultAccess(*parse_vault(os.environ)).open("fasttrack vault") as vault:
            return await work(vault)

    try:
        return asyncio.run(inside())
    except SettingsError as error:
        fail(ExitCode.USAGE, "; ".join(error.problems), "set it in the environment", is_json=is_json)
    except GatewayError as error:
        is_down = error.code is ErrorCode.VAULT_UNAVAILABLE
        code = ExitCode.UNREACHABLE if is_down else ExitCode.REFUSED
        hint = "check FASTTRACK_VAULT_URL" if is_down else "put the master key that is named into the file"
        fail(code, "the vault cannot be used", hint, is_json=is_json, findings=error.findings)
    except (ValueError, RuntimeError, OSError) as error:
        hint = "see `fasttrack vault --help` and gateway/vault/README.md"
        fail(ExitCode.USAGE, str(error), hint, is_json=is_json)
