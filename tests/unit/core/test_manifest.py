"""The manifest parser: what it accepts it round-trips, what it refuses it refuses with every finding."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import Agency, Role
from gateway.core.manifest import (
    MAX_MANIFEST_BYTES,
    MAX_MATERIAL_BYTES,
    MAX_MATERIALS,
    MAX_RECORD_BYTES,
    Manifest,
    Material,
    NativeRecord,
    parse_manifest,
    to_payload,
)
from gateway.core.route import RecordKind

MATERIAL: dict[str, Any] = {
    "id": "m1",
    "document_code": "D01",
    "title": "起诉意见书",
    "media_type": "application/pdf",
    "size": 1000,
    "sha256": "a" * 64,
    "sm3": "b" * 64,
    "person": "p1",
    "pages": 3,
    "recorded": {"from": "2026-01-02T03:04:05+08:00", "to": "2026-01-02T04:04:05+08:00"},
}
PAYLOAD: dict[str, Any] = {
    "bundle_id": "0195c1d2-7b7e-7a3a-8f00-0000000000a1",
    "sender": "ps:110108",
    "receiver": "pr:110108",
    "kind": "TRANSFER",
    "case_number": "A9990010000002026010001",
    "idempotency_key": "k-1",
    "created_at": "2026-03-02T09:00:00.125Z",
    "native_record": {
        "schema": "police",
        "version": "1.0",
        "encoding": "GB18030",
        "size": 10,
        "sha256": "c" * 64,
        "sm3": "d" * 64,
    },
    "materials": [MATERIAL],
    "in_reply_to": "0195c1d2-7b7e-7a3a-8f00-0000000000a0",
    "unchanged": ["e" * 64],
}

_HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
_KEY = st.from_regex(r"[A-Za-z0-9._:-]{1,100}", fullmatch=True)
_AGENCY = st.builds(Agency, st.sampled_from(Role), st.from_regex(r"[0-9]{6}", fullmatch=True))
_INSTANT = st.datetimes(
    min_value=datetime(1900, 1, 2),
    max_value=datetime(2199, 12, 30),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
_UUID7 = st.uuids().map(lambda value: UUID(int=value.int & ~(0xF << 76) & ~(3 << 62) | (7 << 76) | (2 << 62)))
_TITLE = st.text(
    st.characters(exclude_categories=["Cs"]).filter(lambda character: character >= " " and character != "\x7f"),
    min_size=1,
    max_size=200,
)
_MEDIA_TYPE = st.from_regex(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}", fullmatch=True)
_WINDOW = st.none() | st.tuples(_INSTANT, _INSTANT).map(sorted)


@st.composite
def _material(draw: st.DrawFn, number: int) -> Material:
    window = draw(_WINDOW)
    return Material(
        f"{number}.{draw(_KEY)}"[:100],
        draw(st.just("") | st.from_regex(r"[A-Z][0-9]{2,3}", fullmatch=True)),
        draw(_TITLE),
        draw(_MEDIA_TYPE),
        draw(st.integers(0, MAX_MATERIAL_BYTES)),
        draw(_HEX),
        draw(_HEX),
        draw(st.just("") | _KEY),
        draw(st.integers(0, 1_000_000)),
        *(window or (None, None)),
    )


@st.composite
def _manifest(draw: st.DrawFn) -> Manifest:
    sender = draw(_AGENCY)
    return Manifest(
        draw(_UUID7),
        sender,
        draw(_AGENCY.filter(lambda agency: agency != sender)),
        draw(st.sampled_from(RecordKind)),
        draw(st.from_regex(r"A[0-9]{16}(0[1-9]|1[0-2])[0-9]{4}", fullmatch=True)),
        draw(_KEY),
        draw(_INSTANT),
        NativeRecord(
            draw(st.sampled_from(["police", "procuratorate", "court", "justice"])),
            draw(st.from_regex(r"[0-9A-Za-z.-]{1,40}", fullmatch=True)),
            draw(st.sampled_from(["GB18030", "UTF-8"])),
            draw(st.integers(0, MAX_RECORD_BYTES)),
            draw(_HEX),
            draw(_HEX),
        ),
        tuple(draw(_material(number)) for number in range(draw(st.integers(0, 3)))),
        draw(st.none() | _UUID7),
        tuple(draw(st.lists(_HEX, max_size=3))),
    )


def encode(payload: object) -> bytes:
    """Write a payload as JSON."""
    return json.dumps(payload, ensure_ascii=False).encode()


def findings(payload: object) -> list[tuple[ErrorCode, str]]:
    """Code and path of all findings of a refused payload."""
    with pytest.raises(GatewayError) as caught:
        parse_manifest(payload if isinstance(payload, bytes) else encode(payload))
    return [(finding.code, finding.path) for finding in caught.value.findings]


def changed(path: str, value: object) -> dict[str, Any]:
    """The sample with one value replaced; the path is a JSON Pointer, Ellipsis removes."""
    payload = copy.deepcopy(PAYLOAD)
    *parents, name = path.removeprefix("/").split("/")
    target: Any = payload
    for step in parents:
        target = target[int(step)] if isinstance(target, list) else target[step]
    key: Any = int(name) if isinstance(target, list) else name
    if value is ...:
        del target[key]
    else:
        target[key] = value
    return payload


@given(_manifest())
def test_parse_manifest_every_manifest_round_trips(manifest: Manifest) -> None:
    """What can be written is read back as the same value."""
    assert parse_manifest(encode(to_payload(manifest))) == manifest


def test_parse_manifest_every_field_of_the_sample_is_read() -> None:
    """Each field of the payload is found in the value, and written back the same."""
    manifest = parse_manifest(encode(PAYLOAD))
    material = manifest.materials[0]
    assert (str(manifest.sender), str(manifest.receiver), manifest.kind) == ("ps:110108", "pr:110108", "TRANSFER")
    assert manifest.created_at == datetime.fromisoformat("2026-03-02T09:00:00.125+00:00")
    assert (material.title, material.pages, material.person) == ("起诉意见书", 3, "p1")
    assert material.recorded_from == datetime.fromisoformat("2026-01-02T03:04:05+08:00")
    assert manifest.unchanged == ("e" * 64,)
    assert parse_manifest(encode(to_payload(manifest))) == manifest


REQUIRED = [
    *(f"/{name}" for name in PAYLOAD if name not in ("in_reply_to", "unchanged")),
    *(f"/native_record/{name}" for name in PAYLOAD["native_record"]),
    *(f"/materials/0/{name}" for name in ("id", "title", "media_type", "size", "sha256", "sm3")),
    "/materials/0/recorded/from",
    "/materials/0/recorded/to",
]


@pytest.mark.parametrize("path", REQUIRED)
def test_parse_manifest_missing_field_is_named(path: str) -> None:
    """A required field that is missing is one finding at its path."""
    assert findings(changed(path, ...)) == [(ErrorCode.MANIFEST_FIELD_MISSING, path)]


OPTIONAL = [
    "/in_reply_to",
    "/unchanged",
    *(f"/materials/0/{name}" for name in ("document_code", "person", "pages", "recorded")),
]


@pytest.mark.parametrize("path", OPTIONAL)
def test_parse_manifest_optional_field_may_be_left_out(path: str) -> None:
    """Optional fields are optional."""
    assert parse_manifest(encode(changed(path, ...)))


@pytest.mark.parametrize("value", [None, True, 1.5, [None], {}, "", "\x00", "ü" * 300])
@pytest.mark.parametrize("path", [*REQUIRED, *OPTIONAL])
def test_parse_manifest_value_of_another_form_is_named(path: str, value: object) -> None:
    """A value of the wrong type, or of the wrong form, is refused at its path and never taken for absent."""
    assert all(
        code in (ErrorCode.MANIFEST_FIELD_INVALID, ErrorCode.MANIFEST_FIELD_MISSING) and place.startswith(path)
        for code, place in findings(changed(path, value))
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/bundle_id", "0195c1d2-7b7e-4a3a-8f00-0000000000a1"),
        ("/bundle_id", "0195C1D2-7B7E-7A3A-8F00-0000000000A1"),
        ("/bundle_id", "{0195c1d2-7b7e-7a3a-8f00-0000000000a1}"),
        ("/sender", "ps:11010"),
        ("/receiver", "ps:110108"),
        ("/kind", "transfer"),
        ("/case_number", "A9990010000002026130001"),
        ("/case_number", "A999001000000202601000１"),
        ("/idempotency_key", "a b"),
        ("/idempotency_key", "k" * 101),
        ("/created_at", "2026-03-02T09:00:00"),
        ("/created_at", "2026-02-30T09:00:00Z"),
        ("/created_at", "2026-03-02 09:00:00Z"),
        ("/created_at", "2026-03-02T09:00:00+25:00"),
        ("/created_at", "２０２６-03-02T09:00:00Z"),
        ("/created_at", "9999-12-31T23:59:59Z"),
        ("/materials/0/recorded/to", "9999-12-31T23:59:59-08:00"),
        ("/native_record/schema", "Police 3"),
        ("/native_record/size", -1),
        ("/native_record/size", MAX_RECORD_BYTES + 1),
        ("/native_record/size", "10"),
        ("/native_record/sha256", "C" * 64),
        ("/native_record/sha256", "c" * 64 + "\n"),
        ("/materials/0/size", MAX_MATERIAL_BYTES + 1),
        ("/materials/0/media_type", "application"),
        ("/materials/0/title", "a\nb"),
        ("/materials/0/recorded/to", "2026-01-02T03:04:04+08:00"),
        ("/materials/0/document_code", "d1"),
        ("/unchanged/0", "e" * 63),
        ("/in_reply_to", "x"),
    ],
)
def test_parse_manifest_odd_value_is_named(path: str, value: object) -> None:
    """A value that is almost right is one finding at its path."""
    assert findings(changed(path, value)) == [(ErrorCode.MANIFEST_FIELD_INVALID, path)]


def test_parse_manifest_unknown_field_is_named_as_a_pointer_at_any_place() -> None:
    """A field that this version does not know is refused, its name escaped and cut."""
    for path, place in [("/x~y", "/x~0y"), ("/native_record/kind", "/native_record/kind"), ("/materials/0/sha1",) * 2]:
        assert findings(changed(path, 1)) == [(ErrorCode.MANIFEST_FIELD_UNKNOWN, place)]
    long = {**PAYLOAD, "a/" * 100: 1}
    assert findings(long) == [(ErrorCode.MANIFEST_FIELD_UNKNOWN, "/" + ("a~1" * 100)[:64])]


def test_parse_manifest_second_material_with_the_same_id_is_named() -> None:
    """The id of a material is unique within the manifest."""
    payload = {**PAYLOAD, "materials": [MATERIAL, {**MATERIAL, "id": "m2"}, MATERIAL]}
    assert findings(payload) == [(ErrorCode.MANIFEST_FIELD_INVALID, "/materials/2/id")]


@pytest.mark.parametrize("name", ["materials", "unchanged"])
def test_parse_manifest_too_many_items_are_one_finding(name: str) -> None:
    """A list over the limit is one finding, not thousands."""
    payload = {**PAYLOAD, name: [1] * (MAX_MATERIALS + 1)}
    assert findings(payload) == [(ErrorCode.MANIFEST_FIELD_INVALID, f"/{name}")]


def test_parse_manifest_all_findings_come_at_once() -> None:
    """A manifest with faults in several places is refused with all of them."""
    payload = changed("/sender", "x")
    payload["extra"] = 1
    del payload["kind"]
    payload["materials"][0]["size"] = -1
    payload["native_record"]["sm3"] = ""
    assert set(findings(payload)) == {
        (ErrorCode.MANIFEST_FIELD_INVALID, "/sender"),
        (ErrorCode.MANIFEST_FIELD_UNKNOWN, "/extra"),
        (ErrorCode.MANIFEST_FIELD_MISSING, "/kind"),
        (ErrorCode.MANIFEST_FIELD_INVALID, "/materials/0/size"),
        (ErrorCode.MANIFEST_FIELD_INVALID, "/native_record/sm3"),
    }


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[]", ErrorCode.MANIFEST_MALFORMED),
        (b'{"kind":"TRANSFER","kind":"RETURN"}', ErrorCode.MANIFEST_DUPLICATE_KEY),
        (b'{"a":[[[[[[1]]]]]]}', ErrorCode.MANIFEST_TOO_DEEP),
        (b" " * (MAX_MANIFEST_BYTES + 1), ErrorCode.MANIFEST_TOO_LARGE),
    ],
)
def test_parse_manifest_that_cannot_be_read_at_all_has_its_own_code(data: bytes, code: ErrorCode) -> None:
    """Size, depth, duplicate keys and syntax each have a code."""
    assert findings(data) == [(code, "")]


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PAYLOAD, *MATERIAL, "x"]), inner),
    max_leaves=8,
)


@given(st.sampled_from([*REQUIRED, *OPTIONAL]), _ANY)
def test_parse_manifest_arbitrary_value_is_read_or_refused_with_a_gateway_error(path: str, value: object) -> None:
    """Whatever stands in a field, the manifest is refused with findings or round-trips; no other exception escapes."""
    try:
        manifest = parse_manifest(encode(changed(path, value)))
    except GatewayError as error:
        assert error.findings
        return
    assert parse_manifest(encode(to_payload(manifest))) == manifest


@given(st.binary(max_size=300))
def test_parse_manifest_arbitrary_bytes_are_refused_with_a_gateway_error(data: bytes) -> None:
    """Whatever bytes arrive, they are refused with findings."""
    assert findings(data)
