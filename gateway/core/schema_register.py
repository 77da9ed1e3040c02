"""Which schema an agency is registered with: the one that its records are rendered in.

The register is a TOML file with one table; agencies that it does not name use the published schema of their system:

    [schema]
    "ps:110105" = "police 3.3"
"""

from __future__ import annotations

import tomllib
from typing import NamedTuple

from gateway.core.errors import GatewayError
from gateway.core.identity import parse_agency


class Schema(NamedTuple):
    """A version of an agency schema.

    Args:
        name: of its adapter, e.g. ``police``.
        version: e.g. ``3.3``.
    """

    name: str
    version: str


def parse_schema_register(text: str) -> dict[str, Schema]:
    """Read a register.

    Args:
        text: TOML.

    Returns:
        schema by agency, in short form.

    Raises:
        ValueError: it is no such file; every bad line is named.
    """
    values = tomllib.loads(text)
    table = values.pop("schema", {})
    if values or not isinstance(table, dict):
        raise ValueError("one table [schema] is needed and nothing else")
    found: dict[str, Schema] = {}
    bad = []
    for agency, schema in table.items():
        name, _, version = schema.partition(" ") if isinstance(schema, str) else ("", "", "")
        try:
            has_system = bool(parse_agency(agency).system)
        except GatewayError:
            has_system = False
        if has_system and name and version and version == version.strip():
            found[agency] = Schema(name, version)
        else:
            bad.append(f'{agency}: write it as "ps:110105" = "police 3.3"')
    if bad:
        raise ValueError("; ".join(bad))
    return found
