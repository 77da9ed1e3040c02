"""The published schemas and examples, as they come with the package.

Source: design, section 2 (annex, statement).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from gateway.core.form.definition import Concern, Form, FormKey, FormKind, Reader

_SCHEMA_SUFFIX: Final = ".schema.json"


def parse_form_schema(kind: FormKind, name: str, version: int, data: bytes) -> Form:
    """Read a published schema.

    Args:
        kind: annex or statement.
        name: of the file.
        version: of the file.
        data: JSON Schema with the keywords ``x-fasttrack-issuers``, ``-readers``, ``-masked`` and ``-articles``; that
            of a statement also ``-concerns``.

    Returns:
        the form.

    Raises:
        KeyError, TypeError, ValueError: a keyword is missing or not as it must be.
    """
    schema = json.loads(data)
    return Form(
        key=FormKey(kind, name, version),
        title=schema["title"],
        schema=schema,
        issuers=tuple(schema["x-fasttrack-issuers"]),
        readers=tuple(Reader(**reader) for reader in schema["x-fasttrack-readers"]),
        masked=tuple(schema["x-fasttrack-masked"]),
        articles=tuple(schema["x-fasttrack-articles"]),
        concern=Concern(schema["x-fasttrack-concerns"]) if kind is FormKind.STATEMENT else Concern.CASE,
    )


def _read_forms() -> Iterator[Form]:
    for kind in FormKind:
        folder = files("gateway.core").joinpath("form", kind.value)
        if not folder.is_dir():
            # A package holds no empty folder.
            continue
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(_SCHEMA_SUFFIX):
                name, _, version = file.name.removesuffix(_SCHEMA_SUFFIX).rpartition(".v")
                yield parse_form_schema(kind, name, int(version), file.read_bytes())


@cache
def published_forms() -> tuple[Form, ...]:
    """The forms that come with the package, annexes first, by name."""
    return tuple(_read_forms())


def load_example(form: Form) -> bytes:
    """Read the example of a form: data that has no findings.

    Args:
        form: one that comes with the package.

    Returns:
        JSON in UTF-8.
    """
    kind, name, version = form.key
    return files("gateway.core").joinpath("form", kind.value, f"{name}.v{version}.example.json").read_bytes()
