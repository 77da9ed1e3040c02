"""What defines an adapter, in one digest, so that the ledger can say which tables were in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from adapters.engine.format import Format


class Definition(NamedTuple):
    """A version of an adapter.

    Args:
        adapter: name and schema version, ``police 3.2``.
        mapping_version: of its mapping rules.
        sha256: digest of versions, field table and code tables, 64 hexadecimal digits.
    """

    adapter: str
    mapping_version: str
    sha256: str


def define(made: Format) -> Definition:
    """Digest an adapter.

    The digest is over name, schema version and mapping version, then every line of the field table, then name and
    bytes of every code table by name; each part is preceded by its length as 8 bytes.

    Args:
        made: the adapter's format.

    Returns:
        its definition.
    """
    whole = sha256()
    for part in _parts(made):
        whole.update(len(part).to_bytes(8, "big") + part)
    return Definition(f"{made.name} {made.schema_version}", made.mapping_version, whole.hexdigest())


def _parts(made: Format) -> Iterator[bytes]:
    for text in (made.name, made.schema_version, made.mapping_version):
        yield text.encode()
    for row in made.field_rows:
        yield "\n".join(astuple(row)).encode()
    tables = [file for file in resources.files(made.tables).iterdir() if file.name.endswith(f".{made.name}.csv")]
    for file in sorted(tables, key=lambda file: file.name):
        yield file.name.encode()
        yield file.read_bytes()
