"""A case of the ledger as the commands of operators and auditors name it, and what they read it with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

CASE_NUMBER: Final = re.compile(r"A[0-9]{22}", re.ASCII)
_PSEUDONYM: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)

StoredCase = Annotated[str, typer.Argument(help="Police case number, or pseudonym of the case in the ledger.")]
PseudonymKey = Annotated[
    Path | None,
    typer.Option(
        "--pseudonym-key", exists=True, envvar="FASTTRACK_PSEUDONYM_KEY_FILE", help="Needed for a police case number."
    ),
]
MaterialsDir = Annotated[
    Path | None,
    typer.Option(
        "--materials-dir", exists=True, envvar="FASTTRACK_MATERIALS_DIR", help="Folder of the material store."
    ),
]
SchemaVersions = Annotated[
    Path | None,
    typer.Option(
        "--schema-versions", exists=True, envvar="FASTTRACK_SCHEMA_VERSIONS", help="Agencies with another schema."
    ),
]


def to_pseudonym(case: str, key: Path | None) -> str:
    """The pseudonym by which the ledger knows a case.

    Args:
        case: police case number, or the pseudonym itself.
        key: file of the pseudonym key; needed for a police case number.

    Returns:
        32 hexadecimal digits.

    Raises:
        OSError: the key cannot be read.
        ValueError: neither a police case number nor a pseudonym; a number without key, or no key in the file.
    """
    from gateway.core.pseudonym import Pseudonyms  # noqa: PLC0415 - --help stays fast

    if _PSEUDONYM.fullmatch(case):
        return case
    if CASE_NUMBER.fullmatch(case) is None:
        raise ValueError("no police case number (A and 22 digits) and no pseudonym (32 hexadecimal digits)")
    if key is None:
        raise ValueError("a police case number needs the pseudonym key (FASTTRACK_PSEUDONYM_KEY_FILE)")
    return Pseudonyms(key.read_bytes()).case(case)
