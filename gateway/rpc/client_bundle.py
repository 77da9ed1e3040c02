"""A bundle before it is sent: the record, the files, and the manifest that is signed."""

from __future__ import annotations

import mimetypes
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.form.catalog import published_forms
from gateway.core.form.definition import FormKind, parse_file_name
from gateway.core.identity import Agency
from gateway.core.manifest import MAX_RECORD_IN_CALL_BYTES, Manifest, Material, NativeRecord
from gateway.core.route import RecordKind
from gateway.rpc.client_material import FileDigest, digest_file

_MEDIA_TYPES: Final = {".wav": "audio/wav", ".xml": "application/xml", ".json": "application/json"}
_UNKNOWN_MEDIA_TYPE: Final = "application/octet-stream"


class BundleSigner(Protocol):
    """Signs manifests for the agency."""

    def __call__(self, payload: Mapping[str, Any], /) -> str:
        """Sign a manifest.

        Args:
            payload: as ``to_payload`` writes it.

        Returns:
            compact JWS of type fasttrack-bundle+jws.
        """


@dataclass(frozen=True, slots=True)
class MaterialFile:
    """A file of a bundle and what the manifest says of it.

    Args:
        path: the file.
        title: 1 to 200 characters.
        document_code: gateway document code (D01 ...), "" for none.
        person: person key of the record, "" for the whole file.
        pages: number of pages, 0 when it has none.
        recorded_from: start of a recording, aware; None for a document.
        recorded_to: end of a recording, aware; None for a document.
        media_type: "" to tell it from the file name.
    """

    path: Path
    title: str
    document_code: str = ""
    person: str = ""
    pages: int = 0
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDraft:
    """What is to be handed over.

    Args:
        bundle_id: UUIDv7; keep it to submit the same bundle again.
        sender: agency that signs.
        receiver: agency that gets it.
        kind: record kind.
        case_number: police case number.
        idempotency_key: the sender's own key of this handoff, 1 to 100 characters of A-Z a-z 0-9 . _ : -.
        created_at: aware time of signing.
        record_path: file with the native record.
        record_version: version of its schema.
        record_encoding: its encoding.
        materials: files that travel with it.
        unchanged: SHA-256 of materials that an earlier handoff of the case brought.
        in_reply_to: the handoff that this one answers.
    """

    bundle_id: UUID
    sender: Agency
    receiver: Agency
    kind: RecordKind
    case_number: str
    idempotency_key: str
    created_at: datetime
    record_path: Path
    record_version: str
    record_encoding: str
    materials: Sequence[MaterialFile] = ()
    unchanged: Sequence[str] = ()
    in_reply_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle ready to be signed.

    Args:
        manifest: what is signed.
        record: native record for the call; empty when it is uploaded as a material.
        files: what is uploaded, each digest once.
    """

    manifest: Manifest
    record: bytes
    files: tuple[FileDigest, ...]


def make_uuid7(at_seconds: float | None = None) -> UUID:
    """Make a bundle id.

    Args:
        at_seconds: seconds since 1970; None for now.

    Returns:
        a UUID of version 7: 48 bits of milliseconds, the rest random.

    Source: RFC 9562, section 5.7.
    """
    milliseconds = int((time.time() if at_seconds is None else at_seconds) * 1000)
    value = milliseconds << 80 | secrets.randbits(80)
    return UUID(int=value & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x7000 << 64 | 0x8000 << 48)


def to_media_type(path: Path) -> str:
    """Tell the media type from the end of a file's name.

    Args:
        path: the file.

    Returns:
        type/subtype; that of a published form for a name such as ``recorder-manifest.v1.json``;
        application/octet-stream for an unknown ending.
    """
    if (named := parse_file_name(path.name)) is not None:
        for form in published_forms():
            if form.key == (FormKind.ANNEX, *named):
                return form.media_type
    known = _MEDIA_TYPES.get(path.suffix.lower())
    return known or mimetypes.guess_type(path.name, strict=True)[0] or _UNKNOWN_MEDIA_TYPE


def make_bundle(draft: BundleDraft) -> Bundle:
    """Read the files of a draft and write its manifest.

    Args:
        draft: what is to be handed over.

    Returns:
        the manifest with all sizes and digests.

    Raises:
        OSError: a file cannot be read.
    """
    digests = [digest_file(material.path) for material in draft.materials]
    record = draft.record_path.read_bytes()
    files = {digest.sha256: digest for digest in digests}
    if len(record) > MAX_RECORD_IN_CALL_BYTES:
        large = digest_file(draft.record_path)
        files[large.sha256] = large
    manifest = Manifest(
        bundle_id=draft.bundle_id,
        sender=draft.sender,
        receiver=draft.receiver,
        kind=draft.kind,
        case_number=draft.case_number,
        idempotency_key=draft.idempotency_key,
        created_at=draft.created_at,
        native_record=NativeRecord(
            draft.sender.system,
            draft.record_version,
            draft.record_encoding,
            len(record),
            sha256_hex(record),
            sm3_hex(record),
        ),
        materials=tuple(
            Material(
                id=f"m{number}",
                document_code=material.document_code,
                title=material.title,
                media_type=material.media_type or to_media_type(material.path),
                size=digest.size,
                sha256=digest.sha256,
                sm3=digest.sm3,
                person=material.person,
                pages=material.pages,
                recorded_from=material.recorded_from,
                recorded_to=material.recorded_to,
            )
            for number, (material, digest) in enumerate(zip(draft.materials, digests, strict=True), 1)
        ),
        in_reply_to=draft.in_reply_to,
        unchanged=tuple(draft.unchanged),
    )
    return Bundle(manifest, record if len(record) <= MAX_RECORD_IN_CALL_BYTES else b"", tuple(files.values()))
