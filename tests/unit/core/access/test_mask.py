"""Masked copies: nothing of a masked field is left, everything else is, and nobody takes it for the original."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.access.mask import MASKED_PREFIX, mask_annex
from gateway.core.access.visibility import ReaderKind, View, load_visibility
from gateway.core.digest import sha256_hex
from gateway.core.form.catalog import load_example, published_forms
from gateway.core.form.definition import Form, FormKind, parse_media_type

TABLE = load_visibility()
MASKING = [form for form in published_forms() if form.key.kind is FormKind.ANNEX and form.masked]


def _copy(form: Form) -> tuple[dict[str, Any], dict[str, Any]]:
    """The example of a form and what a masked copy of it says."""
    data = load_example(form)
    copy = mask_annex(form, json.loads(data), material_id="m1", sha256=sha256_hex(data))
    assert (copy.material_id, copy.sha256) == ("m1", sha256_hex(data))
    return json.loads(data), json.loads(copy.data)


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return value.keys() | {name for inner in value.values() for name in _names(inner)}
    return {name for inner in value for name in _names(inner)} if isinstance(value, list) else set()


def _put_back(content: Any, original: dict[str, Any], pointer: str) -> None:
    steps = pointer.split("/")[1:]
    for step in steps[:-1]:
        key: Any = int(step) if isinstance(content, list) else step
        content, original = content[key], original[key]
    content[steps[-1]] = original[steps[-1]]


@pytest.mark.parametrize("form", MASKING, ids=lambda form: form.key.name)
def test_masked_copy_has_no_masked_field_and_everything_else(form: Form) -> None:
    """What was left out, put back at the places that the copy names, gives the original again."""
    original, copy = _copy(form)
    assert bool(copy["masked"]) == bool(_names(original) & set(form.masked))
    assert not _names(copy["content"]) & set(form.masked)
    for pointer in copy["masked"]:
        assert pointer.rpartition("/")[2] in form.masked
        _put_back(copy["content"], original, pointer)
    assert copy["content"] == original


@pytest.mark.parametrize("form", MASKING, ids=lambda form: form.key.name)
def test_masked_copy_says_what_it_is_and_is_the_same_twice(form: Form) -> None:
    """It names form and original, has a media type of its own, and whoever has the original makes the same bytes."""
    data = load_example(form)
    first, second = (mask_annex(form, json.loads(data), material_id="m1", sha256="a" * 64) for _ in range(2))
    assert first == second
    assert json.loads(first.data)["masked_copy_of"] == "a" * 64
    assert json.loads(first.data)["form"] == f"{form.key.name}.v{form.key.version}"
    assert first.media_type == f"{MASKED_PREFIX}{form.key.name}.v{form.key.version}+json"
    assert parse_media_type(first.media_type) is None


@pytest.mark.parametrize(("name", "reader", "is_masked"), [
    ("reception", ReaderKind.PROCURATORATE, True),
    ("legal-review", ReaderKind.PROCURATORATE, True),
    ("case-centre-log", ReaderKind.COURT, True),
    ("case-centre-log", ReaderKind.PROCURATORATE, False),
    ("legal-review", ReaderKind.COURT, False),
    ("owner-chain", ReaderKind.PROCURATORATE, False),
    ("duty-lawyer", ReaderKind.POLICE, False),
    ("reception", ReaderKind.ASSESSOR, False),
])  # fmt: skip
def test_masked_copy_is_for_those_whom_the_form_names_as_masked_readers(
    name: str, reader: ReaderKind, is_masked: bool
) -> None:
    """Who sees all gets the annex, who sees nothing or a status gets no copy; the original stays withheld from both."""
    media_type = f"application/vnd.fasttrack.{name}.v1+json"
    found = TABLE.masked_form(media_type, reader)
    assert (found is not None) == is_masked
    if is_masked:
        assert TABLE.of_form(media_type, reader) is View.NONE
    assert TABLE.masked_form("application/pdf", reader) is None
