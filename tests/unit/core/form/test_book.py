"""Reading data of a form: what is refused before any check, and how it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.form.book import MAX_DEPTH, MAX_FORM_BYTES, MAX_VALUES
from gateway.core.form.catalog import load_example, published_forms
from gateway.core.form.definition import Form, FormKind, parse_media_type
from gateway.core.form.schema import CompiledSchema
from tests.support.form_scene import DELETE, book, changed_example

NAME = "recorder-manifest"


def _read(data: bytes | dict[str, Any], path: str = "/materials/3") -> list[tuple[str, str]]:
    annex, findings = book().parse(book().find(FormKind.ANNEX, NAME, 1), data, path)
    assert (annex is None) == bool(findings)
    return [(finding.code.name, finding.path) for finding in findings]


def _changed(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return _read(changed_example(FormKind.ANNEX, NAME, changes))


@pytest.mark.parametrize(
    ("kind", "name", "version", "code"),
    [
        (FormKind.ANNEX, "recorder", 1, ErrorCode.FORM_UNKNOWN),
        (FormKind.STATEMENT, NAME, 1, ErrorCode.FORM_UNKNOWN),
        (FormKind.ANNEX, NAME, 2, ErrorCode.FORM_VERSION_UNKNOWN),
    ],
)
def test_find_of_form_that_is_not_published_says_whether_name_or_version_is_unknown(
    kind: FormKind, name: str, version: int, code: ErrorCode
) -> None:
    """The sender learns whether to look for the name or for the version."""
    with pytest.raises(GatewayError) as caught:
        book().find(kind, name, version)
    assert caught.value.code is code


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.fasttrack.recorder-manifest+json",
        "application/vnd.fasttrack.recorder-manifest.v01+json",
        "application/vnd.fasttrack.recorder_manifest.v1+json",
        "application/vnd.fasttrack..v1+json",
    ],
)
def test_material_when_its_media_type_is_misspelt_is_an_unknown_form(media_type: str) -> None:
    """What looks like an annex is never taken for a document."""
    assert parse_media_type(media_type) is None
    with pytest.raises(GatewayError, match="FORM_UNKNOWN"):
        book().find_material(media_type)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FORM_MALFORMED"),
        (b"[]", "FORM_MALFORMED"),
        (b'{"a":1,"a":2}', "FORM_MALFORMED"),
        (b'{"a":NaN}', "FORM_MALFORMED"),
        (b"\xef\xbb\xbf{}", "FORM_MALFORMED"),
        (b'{"a":"\xff"}', "FORM_MALFORMED"),
        (b" " * (MAX_FORM_BYTES + 1), "FORM_TOO_LARGE"),
        (b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "FORM_TOO_LARGE"),
        (json.dumps({"a": [0] * MAX_VALUES}).encode(), "FORM_TOO_LARGE"),
    ],
    ids=["empty", "list", "key-twice", "nan", "byte-order-mark", "not-utf-8", "bytes", "depth", "values"],
)
def test_parse_of_data_that_cannot_be_read_or_is_too_large_is_refused_before_its_schema(data: bytes, code: str) -> None:
    """Nothing is judged that two readers could read differently, or that costs too much."""
    assert _read(data) == [(code, "/materials/3")]


def test_parse_of_data_with_several_faults_tells_all_at_once_with_pointers() -> None:
    """One answer is enough to cure everything; a name that the sender invented is escaped."""
    assert sorted(
        _changed(
            {
                "/manifest_id": DELETE,
                "/recordings/0/gaps": 5,
                "/recordings/1/start": "2024-02-30T10:00:00+08:00",
                "/recordings/1/end": "2024-06-02T10:00:00",
                "/recordings/2/a~b/c".replace("/c", "~1c"): 1,
                "/assignments/0/on": "2024-06-31",
            }
        )
    ) == [
        ("FORM_FIELD_INVALID", "/materials/3#/assignments/0/on"),
        ("FORM_FIELD_INVALID", "/materials/3#/recordings/0/gaps"),
        ("FORM_FIELD_INVALID", "/materials/3#/recordings/1/end"),
        ("FORM_FIELD_INVALID", "/materials/3#/recordings/1/start"),
        ("FORM_FIELD_MISSING", "/materials/3#/manifest_id"),
        ("FORM_FIELD_UNKNOWN", "/materials/3#/recordings/2/a~0b~01c"),
    ]


def test_parse_of_text_with_a_line_feed_at_its_end_is_refused() -> None:
    """In Python ``$`` lets a line feed pass; here it must not."""
    assert _changed({"/manifest_id": "RM-1\n"}) == [("FORM_FIELD_INVALID", "/materials/3#/manifest_id")]


def test_parse_finding_when_it_is_told_never_repeats_a_value() -> None:
    """Findings are sent and logged; an annex may hold personal data."""
    form = book().find(FormKind.ANNEX, "reception", 1)
    data = changed_example(FormKind.ANNEX, "reception", {"/report_no": "张三\x00", "/channel": "张三"})
    _, findings = book().parse(form, data)
    assert len(findings) == 2
    assert not any("张三" in finding.message + finding.path for finding in findings)


def test_parse_of_thousands_of_faults_tells_the_first_thousand() -> None:
    """A list of findings that nobody reads must not cost more than the annex."""
    assert len(_changed({"/assignments": [{}] * 2000})) == 1000


@pytest.mark.parametrize("form", published_forms(), ids=lambda form: f"{form.key.kind}-{form.key.name}")
def test_schema_when_published_is_strict_bounded_and_says_who_may_see(form: Form) -> None:
    """No object takes unknown fields, no list or text is without limit, and nobody is forgotten."""
    Draft202012Validator.check_schema(dict(form.schema))
    for node in _nodes(form.schema):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) <= node["properties"].keys()
        if node.get("type") == "array":
            assert "maxItems" in node
        if node.get("type") == "string":
            assert node["pattern"].startswith("^") and node["pattern"].endswith("$")
        if node.get("type") == "integer":
            assert {"minimum", "maximum"} <= node.keys()
    assert form.schema["$id"] == f"urn:fasttrack:{form.key.kind}:{form.key.name}:v{form.key.version}"
    assert form.issuers and form.readers and form.articles
    assert set(form.masked) <= {name for node in _nodes(form.schema) for name in node.get("properties", {})}
    assert {reader.view for reader in form.readers} <= {"all", "masked", "status", "on_request"}
    roles = {"ps", "pr", "ct", "ja", "ov", "party", "public"}
    assert {reader.role for reader in form.readers} | set(form.issuers) <= roles


@pytest.mark.parametrize("form", published_forms(), ids=lambda form: f"{form.key.kind}-{form.key.name}")
def test_schema_when_read_by_another_library_call_accepts_its_example(form: Form) -> None:
    """An integrator may check with any validator of draft 2020-12, without our keywords."""
    assert list(Draft202012Validator(form.schema).iter_errors(json.loads(load_example(form)))) == []
    assert list(CompiledSchema(form.schema).find_faults(json.loads(load_example(form)))) == []


def _nodes(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in _nodes(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for item in node.values() for found in _nodes(item))]
