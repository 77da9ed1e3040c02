"""The manifest of a bundle: what is handed over, by whom, to whom; the payload of the bundle's JWS.

The signed bytes are the JSON as sent, so there is no canonical form on which two implementations could disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from gateway.core.envelope import CASE_NUMBER, INSTANT_TEXT, parse_instant, parse_uuid7
from gateway.core.errors import ErrorCode, Finding, GatewayError
from gateway.core.identity import Agency, parse_agency
from gateway.core.route import RecordKind
from gateway.core.strict_json import parse_object

MAX_MANIFEST_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 6
MAX_MATERIALS: Final = 2_000
MAX_PAGES: Final = 1_000_000
MAX_RECORD_IN_CALL_BYTES: Final = 1024 * 1024
MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
MAX_MATERIAL_BYTES: Final = 64 * 1024**3

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_CODE = re.compile(r"[A-Z][0-9]{2,3}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}", re.ASCII)
_SHORT = re.compile(r"[0-9A-Za-z.-]{1,40}", re.ASCII)
_SCHEMA = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NativeRecord:
    """The sender's file in its own schema, byte for byte.

    Args:
        schema: name of the schema, for example police; which ones there are is known to the adapters.
        version: version of its schema.
        encoding: declared character encoding.
        size: bytes.
        sha256: 64 lower-case hexadecimal digits.
        sm3: 64 lower-case hexadecimal digits (GB/T 32905).
    """

    schema: str
    version: str
    encoding: str
    size: int
    sha256: str
    sm3: str


class Material(NamedTuple):
    """A document or recording of the bundle, addressed by its digest.

    Args:
        id: key within the manifest.
        document_code: gateway document code (D01 ...), "" for one without.
        title: title as the sender words it.
        media_type: type/subtype.
        size: bytes.
        sha256: 64 lower-case hexadecimal digits.
        sm3: 64 lower-case hexadecimal digits.
        person: person key of the record, "" for the whole file.
        pages: number of pages, 0 when it has none.
        recorded_from: start of a recording, None for a document.
        recorded_to: end of a recording, None for a document.
    """

    id: str
    document_code: str
    title: str
    media_type: str
    size: int
    sha256: str
    sm3: str
    person: str = ""
    pages: int = 0
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the sender signed.

    Args:
        bundle_id: UUIDv7, also the id of the handoff.
        sender: agency that signs.
        receiver: agency that gets it.
        kind: what is handed over.
        case_number: police case number.
        idempotency_key: the sender's own key of this handoff, unique for it.
        created_at: aware time of signing.
        native_record: the record.
        materials: documents and recordings that travel with it.
        in_reply_to: the handoff that this one answers, if any.
        unchanged: SHA-256 of materials that an earlier handoff of the case brought and that still count.
    """

    bundle_id: UUID
    sender: Agency
    receiver: Agency
    kind: RecordKind
    case_number: str
    idempotency_key: str
    created_at: datetime
    native_record: NativeRecord
    materials: tuple[Material, ...] = ()
    in_reply_to: UUID | None = None
    unchanged: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader:
    """Collects every finding of one manifest instead of stopping at the first."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, code: ErrorCode, path: str, message: str) -> None:
        self.findings.append(Finding(code, path, message))

    def shape(self, value: Any, path: str, required: frozenset[str], optional: frozenset[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.add(ErrorCode.MANIFEST_FIELD_INVALID, path, "an object is expected")
            return {}
        keys = value.keys()
        for name in sorted(required - keys):
            self.add(ErrorCode.MANIFEST_FIELD_MISSING, f"{path}/{name}", "this field is required")
        for name in sorted(keys - required - optional):
            # Unknown names are the sender's text: they are shown as a pointer, escaped as RFC 6901 asks.
            pointer = name.replace("~", "~0").replace("/", "~1")[:64]
            self.add(ErrorCode.MANIFEST_FIELD_UNKNOWN, f"{path}/{pointer}", "no such field in this version")
        return value

    def items(self, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            self.add(ErrorCode.MANIFEST_FIELD_INVALID, path, "a list is expected")
            return []
        if len(value) > MAX_MATERIALS:
            self.add(ErrorCode.MANIFEST_FIELD_INVALID, path, f"at most {MAX_MATERIALS} items")
            return []
        return value

    def text(self, source: dict[str, Any], name: str, path: str, form: re.Pattern[str], what: str) -> str:
        value = source.get(name)
        if isinstance(value, str) and form.fullmatch(value):
            return value
        if name in source:
            self.add(ErrorCode.MANIFEST_FIELD_INVALID, f"{path}/{name}", what)
        return ""

    def number(self, source: dict[str, Any], name: str, path: str, most: int) -> int:
        value = source.get(name)
        if type(value) is int and 0 <= value <= most:
            return value
        if name in source:
            self.add(ErrorCode.MANIFEST_FIELD_INVALID, f"{path}/{name}", f"an integer from 0 to {most}")
        return 0

    def parsed(self, source: dict[str, Any], name: str, path: str, parse: Callable[[str], Any], what: str) -> Any:
        value = source.get(name)
        if isinstance(value, str):
            try:
                return parse(value)
            except (ValueError, GatewayError):
                pass
        if name in source:
            self.add(ErrorCode.MANIFEST_FIELD_INVALID, f"{path}/{name}", what)
        return None


_TOP = frozenset(
    "bundle_id sender receiver kind case_number idempotency_key created_at native_record materials".split()
)
_TOP_OPTIONAL = frozenset({"in_reply_to", "unchanged"})
_RECORD = frozenset("schema version encoding size sha256 sm3".split())
_MATERIAL = frozenset("id title media_type size sha256 sm3".split())
_MATERIAL_OPTIONAL = frozenset({"document_code", "person", "pages", "recorded"})
_TITLE = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_HEX_TEXT = "64 lower-case hexadecimal digits"


def _native_record(reader: _Reader, value: Any) -> NativeRecord:
    path = "/native_record"
    source = reader.shape(value, path, _RECORD, frozenset())
    return NativeRecord(
        reader.text(source, "schema", path, _SCHEMA, "name of a schema, such as police"),
        reader.text(source, "version", path, _SHORT, "1 to 40 letters, digits, dots"),
        reader.text(source, "encoding", path, _SHORT, "name of an encoding"),
        reader.number(source, "size", path, MAX_RECORD_BYTES),
        reader.text(source, "sha256", path, _HEX, _HEX_TEXT),
        reader.text(source, "sm3", path, _HEX, _HEX_TEXT),
    )


_PLAIN_KEYS = frozenset({"id", "document_code", "title", "media_type", "size", "sha256", "sm3", "person", "pages"})


def _plain_material(value: dict[str, Any]) -> Material | None:
    """Read the usual material in one pass; None leaves it to ``_material``, which says what is wrong.

    A bundle has dozens of materials and nearly all are right; this is a tenth of the work.
    """
    if not _MATERIAL <= value.keys() <= _PLAIN_KEYS:
        return None
    key, title, media_type, size = value["id"], value["title"], value["media_type"], value["size"]
    digest, sm3, code = value["sha256"], value["sm3"], value.get("document_code", "")
    person, pages = value.get("person", ""), value.get("pages", 0)
    for text in (key, title, media_type, digest, sm3, code, person):
        if type(text) is not str:
            return None
    is_good = (
        type(size) is int
        and type(pages) is int
        and 0 <= size <= MAX_MATERIAL_BYTES
        and 0 <= pages <= MAX_PAGES
        and _HEX.fullmatch(digest)
        and _HEX.fullmatch(sm3)
        and _KEY.fullmatch(key)
        and _TITLE.fullmatch(title)
        and _MEDIA_TYPE.fullmatch(media_type)
        and ("document_code" not in value or _CODE.fullmatch(code))
        and ("person" not in value or _KEY.fullmatch(person))
    )
    return Material(key, code, title, media_type, size, digest, sm3, person, pages) if is_good else None


def _material(reader: _Reader, value: Any, path: str) -> Material:
    if type(value) is dict and (plain := _plain_material(value)) is not None:
        return plain
    source = reader.shape(value, path, _MATERIAL, _MATERIAL_OPTIONAL)
    start = end = None
    if "recorded" in source:
        window = reader.shape(source["recorded"], f"{path}/recorded", frozenset({"from", "to"}), frozenset())
        start = reader.parsed(window, "from", f"{path}/recorded", parse_instant, INSTANT_TEXT)
        end = reader.parsed(window, "to", f"{path}/recorded", parse_instant, INSTANT_TEXT)
        if start and end and end < start:
            reader.add(ErrorCode.MANIFEST_FIELD_INVALID, f"{path}/recorded/to", "the end is before the start")
    return Material(
        reader.text(source, "id", path, _KEY, "1 to 100 letters, digits or ._:-"),
        reader.text(source, "document_code", path, _CODE, "a gateway document code such as D13"),
        reader.text(source, "title", path, _TITLE, "1 to 200 characters, no control characters"),
        reader.text(source, "media_type", path, _MEDIA_TYPE, "type/subtype in lower case"),
        reader.number(source, "size", path, MAX_MATERIAL_BYTES),
        reader.text(source, "sha256", path, _HEX, _HEX_TEXT),
        reader.text(source, "sm3", path, _HEX, _HEX_TEXT),
        reader.text(source, "person", path, _KEY, "a person key of the record"),
        reader.number(source, "pages", path, MAX_PAGES),
        start,
        end,
    )


def _duplicates(reader: _Reader, materials: tuple[Material, ...]) -> None:
    seen: set[str] = set()
    for index, material in enumerate(materials):
        if material.id and material.id in seen:
            reader.add(ErrorCode.MANIFEST_FIELD_INVALID, f"/materials/{index}/id", "another material has this id")
        seen.add(material.id)


def parse_manifest(payload: bytes) -> Manifest:
    """Read the payload of a bundle's JWS.

    Args:
        payload: UTF-8 JSON, at most 512 KiB and 6 levels deep.

    Returns:
        the manifest; every field has the form that design section 3.2 asks for.

    Raises:
        GatewayError: MANIFEST_MALFORMED, MANIFEST_DUPLICATE_KEY, MANIFEST_TOO_DEEP or MANIFEST_TOO_LARGE when it
            cannot be read at all; otherwise all of MANIFEST_FIELD_MISSING, MANIFEST_FIELD_INVALID and
            MANIFEST_FIELD_UNKNOWN at once.
    """
    reader = _Reader()
    source = reader.shape(
        parse_object(payload, max_bytes=MAX_MANIFEST_BYTES, max_depth=MAX_DEPTH), "", _TOP, _TOP_OPTIONAL
    )
    materials = tuple(
        _material(reader, item, f"/materials/{index}")
        for index, item in enumerate(reader.items(source.get("materials", []), "/materials"))
    )
    _duplicates(reader, materials)
    unchanged = []
    for index, item in enumerate(reader.items(source.get("unchanged", []), "/unchanged")):
        if isinstance(item, str) and _HEX.fullmatch(item):
            unchanged.append(item)
        else:
            reader.add(ErrorCode.MANIFEST_FIELD_INVALID, f"/unchanged/{index}", _HEX_TEXT)
    sender = reader.parsed(source, "sender", "", parse_agency, "an agency such as ps:110108")
    receiver = reader.parsed(source, "receiver", "", parse_agency, "an agency such as pr:110108")
    if sender is not None and sender == receiver:
        reader.add(ErrorCode.MANIFEST_FIELD_INVALID, "/receiver", "sender and receiver are the same agency")
    bundle_id = reader.parsed(source, "bundle_id", "", parse_uuid7, "a UUIDv7 in lower case with hyphens")
    kind = reader.parsed(source, "kind", "", RecordKind, "one of " + ", ".join(RecordKind))
    case_number = reader.text(
        source, "case_number", "", CASE_NUMBER, "a police case number: A, 12 digits, year, month, 4 digits"
    )
    idempotency_key = reader.text(source, "idempotency_key", "", _KEY, "1 to 100 letters, digits or ._:-")
    created_at = reader.parsed(source, "created_at", "", parse_instant, INSTANT_TEXT)
    native_record = _native_record(reader, source.get("native_record")) if "native_record" in source else None
    in_reply_to = reader.parsed(source, "in_reply_to", "", parse_uuid7, "a UUIDv7 in lower case with hyphens")
    if reader.findings or native_record is None:
        raise GatewayError(reader.findings)
    return Manifest(
        bundle_id, sender, receiver, kind, case_number, idempotency_key, created_at, native_record,
        materials, in_reply_to, tuple(unchanged),
    )  # fmt: skip


def to_payload(manifest: Manifest) -> dict[str, Any]:
    """Write a manifest as the JSON object that ``parse_manifest`` reads.

    Args:
        manifest: what is to be signed.

    Returns:
        an object of strings, integers, lists and objects; optional fields without value are left out.
    """
    record = manifest.native_record
    payload: dict[str, Any] = {
        "bundle_id": str(manifest.bundle_id),
        "sender": str(manifest.sender),
        "receiver": str(manifest.receiver),
        "kind": manifest.kind.value,
        "case_number": manifest.case_number,
        "idempotency_key": manifest.idempotency_key,
        "created_at": manifest.created_at.isoformat(),
        "native_record": {name: getattr(record, name) for name in NativeRecord.__slots__},
        "materials": [_material_payload(material) for material in manifest.materials],
    }
    if manifest.in_reply_to is not None:
        payload["in_reply_to"] = str(manifest.in_reply_to)
    if manifest.unchanged:
        payload["unchanged"] = list(manifest.unchanged)
    return payload


def _material_payload(material: Material) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "id": material.id,
        "title": material.title,
        "media_type": material.media_type,
        "size": material.size,
        "sha256": material.sha256,
        "sm3": material.sm3,
    }
    if material.document_code:
        payload["document_code"] = material.document_code
    if material.person:
        payload["person"] = material.person
    if material.pages:
        payload["pages"] = material.pages
    if material.recorded_from is not None and material.recorded_to is not None:
        payload["recorded"] = {"from": material.recorded_from.isoformat(), "to": material.recorded_to.isoformat()}
    return payload
