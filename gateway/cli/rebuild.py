"""``fasttrack rebuild``: put back what a ledger lost, from the mirrors of agencies."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.exit_code import ExitCode
from gateway.cli.fsck import to_plain_finding
from gateway.cli.output import print_json
from gateway.cli.process import complain
from gateway.config import SettingsError, parse_database_url, parse_vault

if TYPE_CHECKING:
    from gateway.app_mirror import Rebuilt


def command(
    *,
    folders: Annotated[
        list[Path], typer.Option("--from", exists=True, file_okay=False, help="Folder of a mirror; repeat.")
    ],
    policy: Annotated[
        Path,
        typer.Option(
            envvar="FASTTRACK_WITNESS_POLICY", exists=True, dir_okay=False, help="Keys of the log and its witnesses."
        ),
    ],
    pseudonym_key: Annotated[
        Path,
        typer.Option(
            envvar="FASTTRACK_PSEUDONYM_KEY_FILE", exists=True, dir_okay=False, help="Key of the ledger's pseudonyms."
        ),
    ],
    receipt_cert: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="Receipt certificate of the gateway, PEM; repeat. Checks receipts too."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then take it back.")] = False,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put the lost tail of the ledger in FASTTRACK_DATABASE_URL back, bit for bit, or write nothing at all.

    Stop the gateway and its signer first, and connect as the owner of the schema. The mirrors must hold every entry of
    the tail between them: those of all agencies that acted, or the mirror of an oversight agency for the leaves with
    those of the senders for the bundles. The rows are committed only when the tree has the signed root and fsck finds
    the whole ledger clean. FASTTRACK_VAULT_URL and FASTTRACK_MASTER_KEY_FILE give the keys with which content is sealed
    again, to the same bytes; the content of a case that was destroyed since cannot be put back.

    Exit codes: 0 done; 1 something is held by no mirror, or fsck finds something (all of it is printed, nothing was
    written); 2 bad options or a mirror that cannot be read; 3 the database does not answer; 4 the mirrors, or a mirror
    and the database, show different histories (nothing was written: keep everything as it is).
    """
    import asyncpg  # noqa: PLC0415 - --help needs no database driver
    import uvloop  # noqa: PLC0415 - as above
    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

    from gateway.app_mirror import rebuild_ledger  # noqa: PLC0415 - as above
    from gateway.app_vault import VaultAccess  # noqa: PLC0415 - as above
    from gateway.audit.fsck import Known  # noqa: PLC0415 - as above
    from gateway.audit.rebuild import ContradictionError  # noqa: PLC0415 - as above
    from gateway.audit.seal_check import SealKeys  # noqa: PLC0415 - as above
    from gateway.core.errors import GatewayError  # noqa: PLC0415 - as above
    from gateway.core.log.witness_policy import parse_policy  # noqa: PLC0415 - as above
    from gateway.core.port.seal import MemoryLostError  # noqa: PLC0415 - as above
    from gateway.core.pseudonym import Pseudonyms  # noqa: PLC0415 - as above
    from gateway.ledger.rebuild import RowDiffersError, UnknownTableError  # noqa: PLC0415 - as above
    from gateway.vault.master_key import MasterKeyError  # noqa: PLC0415 - as above
    from gateway.vault.store import VaultError  # noqa: PLC0415 - as above

    try:
        url, vault = parse_database_url(os.environ), VaultAccess(*parse_vault(os.environ))
        pseudonyms = Pseudonyms(pseudonym_key.read_bytes())
        trusted = parse_policy(policy.read_text(encoding="utf-8"))
        certificates = [x509.load_pem_x509_certificates(path.read_bytes())[0] for path in receipt_cert or ()]
        known = Known(
            now=datetime.now(UTC),
            receipt_certificates=frozenset(item.public_bytes(Encoding.DER) for item in certificates) or None,
            pseudonym_key=pseudonym_key.read_bytes(),
            seals=SealKeys(trusted.log, trusted.witnesses),
        )
    except SettingsError as error:
        complain("; ".join(error.problems), ExitCode.USAGE, as_json=is_json)
    except (OSError, ValueError) as error:
        complain(f"cannot rebuild: {error}", ExitCode.USAGE, as_json=is_json)
    try:

        async def work() -> Rebuilt:
            async with vault.open("fasttrack rebuild") as keys:
                return await rebuild_ledger(
                    url, folders, trusted, known, _progress, keys=keys, pseudonyms=pseudonyms, is_kept=not dry_run
                )

        rebuilt = uvloop.run(work())
    except (MemoryLostError, UnknownTableError) as error:
        complain(f"cannot rebuild: {error}", ExitCode.USAGE, as_json=is_json)
    except (GatewayError, MasterKeyError, VaultError) as error:
        complain(f"nothing was written: {error}", ExitCode.UNREACHABLE, as_json=is_json)
    except (ContradictionError, RowDiffersError) as error:
        complain(f"nothing was written: {error}", ExitCode.EVIDENCE, as_json=is_json)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        complain(f"nothing was written: the database: {error}", ExitCode.UNREACHABLE, as_json=is_json)
    raise typer.Exit(_print(rebuilt, is_dry=dry_run, is_json=is_json))


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(rebuilt: Rebuilt, *, is_dry: bool, is_json: bool) -> int:
    code = ExitCode.REFUSED if rebuilt.missing or rebuilt.findings else ExitCode.OK
    if is_json:
        print_json(
            {
                "exit_code": int(code),
                "from_size": rebuilt.start,
                "to_size": rebuilt.size,
                "is_written": code == ExitCode.OK and not is_dry,
                "inserted": rebuilt.inserted,
                "missing": [to_plain_finding(item) for item in rebuilt.missing],
                "findings": [to_plain_finding(item) for item in rebuilt.findings],
                "findings_not_listed": rebuilt.not_listed,
            }
        )
        return code
    for item in (*rebuilt.missing, *rebuilt.findings):
        print(item.to_text())
    if code:
        more = f" and {rebuilt.not_listed} more" if rebuilt.not_listed else ""
        print(f"nothing was written: {len(rebuilt.missing) + len(rebuilt.findings)} findings{more}")
        return code
    done = "would put back" if is_dry else "put back"
    rows = ", ".join(f"{count:,} {table}" for table, count in rebuilt.inserted.items() if count) or "nothing"
    print(f"{done} entries {rebuilt.start:,} to {rebuilt.size:,}: {rows}; root and fsck are right")
    return code
