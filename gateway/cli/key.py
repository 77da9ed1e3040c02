"""`fasttrack key`: register, revoke and list signer keys; every act is an entry of the ledger."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from gateway.cli.command import JSON_OPTION
from gateway.cli.exit_code import ExitCode
from gateway.cli.failure import fail
from gateway.cli.output import print_json
from gateway.config import PREFIX, SettingsError, parse_database_url
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.log.key_history import RevocationReason

if TYPE_CHECKING:
    from cryptography import x509

    from gateway.app_keys import KeyOffice, ListedKey
    from gateway.core.port.ledger import Appended

app = typer.Typer(
    no_args_is_help=True,
    help="Register, revoke and list signer keys. Commands of the operator: they need FASTTRACK_DATABASE_URL, and"
    " FASTTRACK_ORIGIN while the ledger is empty. Running gateways follow within a second.",
)
_KEY_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
T = TypeVar("T")


@app.command("register")
def register(
    certificates: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Certificates, PEM.")],
    *,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Bring signer keys into force; the certificate says whose key it is.

    One that is registered already stays as it is. A key that was revoked is refused (KEY_REVOKED), also under another
    certificate.
    """
    loaded = [_load(path, is_json=is_json) for path in certificates]

    async def work(office: KeyOffice) -> list[Appended]:
        return [await office.register(certificate) for certificate in loaded]

    _print_entries(_run(work, is_json=is_json), is_json=is_json)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Key id (SHA-256 of the certificate) or a certificate file, PEM.")],
    *,
    reason: Annotated[RevocationReason, typer.Option(help="Why.")],
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """End a signer key, and every certificate for it, at once and for good.

    What was submitted before stays as it was; what comes after is refused. A second revocation changes nothing.
    """
    certificate = None if _KEY_ID.fullmatch(key) else _load(Path(key), is_json=is_json)

    async def work(office: KeyOffice) -> list[Appended]:
        named = certificate if certificate is not None else await office.certificate_of(key)
        return [await office.revoke(named, reason)]

    _print_entries(_run(work, is_json=is_json), is_json=is_json)


@app.command("import")
def import_folder(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="With registered/ and revoked/.")],
    *,
    is_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Register what lies in registered/*.crt and revoke what lies in revoked/*.crt, as far as the ledger lacks it."""

    async def work(office: KeyOffice) -> list[Appended]:
        return await office.import_folder(folder)

    _print_entries(_run(work, is_json=is_json), is_json=is_json)


@app.command("list")
def list_keys(*, is_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List all keys that the ledger knows, with the entries that registered and revoked them."""

    async def work(office: KeyOffice) -> list[ListedKey]:
        return await office.list_keys()

    listed = _run(work, is_json=is_json)
    if is_json:
        print_json({"keys": [_to_plain(key) for key in listed]})
        return
    for key in listed:
        state = f"revoked by entry {key.revoked_index} ({key.reason})" if key.revoked_index is not None else "counts"
        since = "never registered" if key.registered_index is None else f"entry {key.registered_index}"
        print(f"{key.facts.key_id}  {key.facts.agency or '-'}  {key.facts.algorithm or '-'}  {since}, {state}")


def _to_plain(key: ListedKey) -> dict[str, Any]:
    return {
        "key_id": key.facts.key_id,
        "agency": key.facts.agency,
        "algorithm": key.facts.algorithm,
        "registered_index": key.registered_index,
        "registered_at": key.registered_at,
        "revoked_index": key.revoked_index,
        "revoked_at": key.revoked_at,
        "reason": key.reason,
    }


def _print_entries(entries: Sequence[Appended], *, is_json: bool) -> None:
    if is_json:
        plain = [{"entry_index": entry.index, "is_new": not entry.is_replay} for entry in entries]
        print_json({"entries": plain})
        return
    for entry in entries:
        print(f"entry {entry.index}" + (", recorded before" if entry.is_replay else ""))
    if not entries:
        print("nothing new")


def _load(path: Path, *, is_json: bool) -> x509.Certificate:
    from cryptography import x509  # noqa: PLC0415 - --help stays fast

    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        problem = f"{path.name}: not a key id and not a certificate in PEM"
        fail(ExitCode.USAGE, problem, "name a file, or an id of `fasttrack key list`", is_json=is_json)


def _run(work: Callable[[KeyOffice], Awaitable[T]], *, is_json: bool) -> T:
    import asyncpg  # noqa: PLC0415 - --help stays fast

    from gateway.app_keys import open_office  # noqa: PLC0415 - as above

    async def inside(url: str) -> T:
        async with open_office(url, os.environ.get(f"{PREFIX}ORIGIN", "")) as office:
            return await work(office)

    try:
        return asyncio.run(inside(parse_database_url(os.environ)))
    except SettingsError as error:
        fail(ExitCode.USAGE, "; ".join(error.problems), "set it in the environment", is_json=is_json)
    except GatewayError as error:
        is_down = error.code is ErrorCode.LEDGER_UNAVAILABLE
        code = ExitCode.UNREACHABLE if is_down else ExitCode.REFUSED
        hint = "run the same command again in a moment" if is_down else "see `fasttrack key list`"
        fail(code, "the ledger refuses it", hint, is_json=is_json, findings=error.findings)
    except ValueError as error:
        fail(ExitCode.USAGE, str(error), "repair it and run the command again", is_json=is_json)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        problem = f"the database cannot be used: {type(error).__name__}"
        hint = "check FASTTRACK_DATABASE_URL, and that `fasttrack migrate` has run"
        fail(ExitCode.UNREACHABLE, problem, hint, is_json=is_json)
