"""`fasttrack fsck`: derive everything in the ledger's database again from its records, and name what does not agree."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.cli.failure import fail
from gateway.cli.output import print_json
from gateway.config import SettingsError, parse_database_url, parse_vault

if TYPE_CHECKING:
    from gateway.audit.finding import AuditFinding
    from gateway.audit.fsck import Known, Outcome

CLEAN, FINDINGS, CANNOT_TELL = 0, 1, 2


def command(
    *,
    receipt_cert: Annotated[
        list[Path] | None,
        typer.Option(
            "--receipt-cert", exists=True, help="Receipt certificate of the gateway, PEM; repeat for past ones."
        ),
    ] = None,
    pseudonym_key: Annotated[
        Path | None,
        typer.Option("--pseudonym-key", exists=True, help="Key of the pseudonyms: checks case numbers too."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", exists=True, help="Witness policy: keys of the log and its witnesses.")
    ] = None,
    tsa_ca: Annotated[
        Path | None, typer.Option("--tsa-ca", exists=True, help="CAs of the time-stamp authorities, PEM.")
    ] = None,
    remembered: Annotated[
        Path | None, typer.Option("--remembered", exists=True, help="State folder of `fasttrack monitor`.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = max(1, min(8, os.cpu_count() or 1)),
    vault: Annotated[
        bool,
        typer.Option(
            help="Open what bundles and decisions hold, with the keys of FASTTRACK_VAULT_URL and"
            " FASTTRACK_MASTER_KEY_FILE."
        ),
    ] = True,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check the database that FASTTRACK_DATABASE_URL names; it is only read, and may be in use.

    Everything is derived again from the records alone. What needs a key is checked when the key is given; the summary
    says what was left out. Connect as the owner of the schema, who may read every table. Content of cases is opened
    with the vault and the master key; --no-vault leaves it unread, and then a bundle is only known to be there.

    Exit codes: 0 clean, 1 findings, 2 cannot tell (the database or a file that was named cannot be read).
    """
    # Imported here so that --help does not load the database driver.
    import asyncpg  # noqa: PLC0415
    import uvloop  # noqa: PLC0415

    from gateway.app_audit import run_fsck  # noqa: PLC0415
    from gateway.app_vault import VaultAccess  # noqa: PLC0415
    from gateway.core.errors import GatewayError  # noqa: PLC0415

    try:
        url = parse_database_url(os.environ)
        known = _load(receipt_cert, pseudonym_key, policy, tsa_ca, remembered)
        access = VaultAccess(*parse_vault(os.environ)) if vault else None
        outcome = uvloop.run(run_fsck(url, known, workers, _progress, access))
    except SettingsError as error:
        _cannot_tell("; ".join(error.problems), is_json=is_json)
    except (OSError, ValueError, RuntimeError, GatewayError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _cannot_tell(str(error), is_json=is_json)
    raise typer.Exit(_print(outcome, _left_out(known, has_vault=vault), is_json=is_json))


def _load(
    receipt_cert: list[Path] | None,
    pseudonym_key: Path | None,
    policy: Path | None,
    tsa_ca: Path | None,
    remembered: Path | None,
) -> Known:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    from gateway.app_audit import token_verifier  # noqa: PLC0415
    from gateway.audit.fsck import Known  # noqa: PLC0415
    from gateway.audit.monitor_memory import load_checkpoints  # noqa: PLC0415
    from gateway.audit.seal_check import SealKeys  # noqa: PLC0415
    from gateway.core.log.witness_policy import parse_policy  # noqa: PLC0415
    from gateway.core.pseudonym import Pseudonyms  # noqa: PLC0415

    trusted = parse_policy(policy.read_text(encoding="utf-8")) if policy else None
    certificates = [x509.load_pem_x509_certificates(path.read_bytes())[0] for path in receipt_cert or ()]
    key = pseudonym_key.read_bytes() if pseudonym_key else None
    if key is not None:
        Pseudonyms(key)
    return Known(
        now=datetime.now(UTC),
        receipt_certificates=frozenset(item.public_bytes(Encoding.DER) for item in certificates) or None,
        pseudonym_key=key,
        seals=SealKeys(
            trusted.log if trusted else None,
            trusted.witnesses if trusted else (),
            tuple(load_checkpoints(remembered)) if remembered else (),
            token_verifier(x509.load_pem_x509_certificates(tsa_ca.read_bytes())) if tsa_ca else None,
        ),
    )


def _progress(done: int, whole: int) -> None:
    share = f" of {whole:,}" if whole > done else ""
    print(f"{done:,}{share} entries", file=sys.stderr, flush=True)


def _cannot_tell(problem: str, *, is_json: bool) -> NoReturn:
    hint = "check the database, FASTTRACK_DATABASE_URL and the files that were named, and run it again"
    fail(CANNOT_TELL, f"cannot tell: {problem}", hint, is_json=is_json)


def _left_out(known: Known, *, has_vault: bool) -> list[str]:
    """Checks for which the key is missing."""
    missing = {
        "content of bundles and decisions (--no-vault)": not has_vault,
        "signatures of receipts (--receipt-cert)": known.receipt_certificates is None,
        "case numbers and idempotency keys (--pseudonym-key)": known.pseudonym_key is None,
        "signatures of checkpoints and witnesses (--policy)": known.seals.log is None,
        "signatures of time stamps (--tsa-ca)": known.seals.verify_token is None,
        "a tail that was cut off (--remembered)": not known.seals.remembered,
    }
    return [name for name, is_missing in missing.items() if is_missing]


def _print(outcome: Outcome, left_out: list[str], *, is_json: bool) -> int:
    from gateway.audit.finding import Severity  # noqa: PLC0415

    found = {severity: [item for item in outcome.findings if item.severity is severity] for severity in Severity}
    code = FINDINGS if found[Severity.ERROR] else CANNOT_TELL if found[Severity.UNKNOWN] else CLEAN
    if is_json:
        print_json(
            {
                "exit_code": code,
                "entries": outcome.entries,
                "bundles": outcome.bundles,
                "destroyed_bundles": outcome.gone,
                "findings_total": outcome.total,
                "findings": [to_plain_finding(item) for item in outcome.findings],
                "not_checked": left_out,
            }
        )
        return code
    for item in sorted(outcome.findings, key=lambda item: (item.index is None, item.index or 0)):
        print(f"{item.severity}: {item.to_text()}")
    if outcome.total > len(outcome.findings):
        print(f"... and {outcome.total - len(outcome.findings)} more")
    print(f"{outcome.entries:,} entries, {outcome.bundles:,} bundles, {outcome.total:,} findings")
    if outcome.gone:
        print(f"{outcome.gone:,} of the bundles belong to destroyed cases: they are there, and nobody can read them")
    for name in left_out:
        print(f"not checked: {name}")
    return code


def to_plain_finding(finding: AuditFinding) -> dict[str, Any]:
    """Turn a finding into a plain object: check, severity, where, place, reason, entry_index."""
    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "where": finding.where,
        "place": finding.place,
        "reason": finding.reason,
        "entry_index": finding.index,
    }
