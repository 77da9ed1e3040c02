"""From a native record and a heap of files to a bundle; who, what and which documents is read from the record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway.cli.connection import SettingsError
from gateway.cli.failure import LocalFindings
from gateway.core.errors import ErrorCode, Severity
from gateway.core.identity import Agency, parse_agency
from gateway.core.route import RecordKind
from gateway.rpc.client_bundle import BundleDraft, MaterialFile, make_uuid7
from gateway.rpc.client_material import FileDigest, digest_file

if TYPE_CHECKING:
    from gateway.core.case.case import Case, Reading
    from gateway.rpc.client import GatewayClient

STATE_SUFFIX: Final = ".fasttrack.json"
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_RECORDING_TITLE: Final = "recording"


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What the sender gave.

    Args:
        record_path: file with the native record.
        sender: the caller.
        receiver: short form; "" to take it from the record.
        folders: where the materials lie; every file in them is looked at.
        files: materials, one by one.
        in_reply_to: the handoff that this one answers.
        idempotency_key: "" to take the record's own message number.
    """

    record_path: Path
    sender: Agency
    receiver: str = ""
    folders: Sequence[Path] = ()
    files: Sequence[Path] = ()
    in_reply_to: UUID | None = None
    idempotency_key: str = ""


def read_record(path: Path, sender: Agency, receiver: str) -> Reading:
    """Read a record by the sender's schema, on this machine.

    Args:
        path: the file.
        sender: the caller.
        receiver: short form; "" to try who could be meant.

    Returns:
        a reading without errors.

    Raises:
        SettingsError: the caller exchanges no records.
        LocalFindings: the record has errors.
        OSError: the file cannot be read.
    """
    from gateway.app import adapters  # noqa: PLC0415 - schemas take longer to load than --help may take

    if not sender.system:
        raise SettingsError(f"{sender} exchanges no records", "use the certificate of the agency that sends")
    data = path.read_bytes()
    systems = [parse_agency(receiver, "--to").system] if receiver else _other_systems(sender)
    readings: list[Reading] = [adapters().read_any(data, sender=sender.system, receiver=system) for system in systems]
    best = min(readings, key=_distance)
    if best.has_errors or best.header is None or best.case is None:
        raise LocalFindings(best.findings)
    return best


def _distance(reading: Reading) -> tuple[bool, bool, int]:
    """How far a reading is from being for this receiver: route and party come before the number of errors."""
    errors = [item.code for item in reading.findings if item.severity is Severity.ERROR]
    return ErrorCode.KIND_NOT_ROUTED in errors, ErrorCode.PARTY_MISMATCH in errors, len(errors)


def _other_systems(sender: Agency) -> list[str]:
    return [name for name in ("police", "procuratorate", "court", "justice") if name != sender.system]


async def make_draft(request: DraftRequest, client: GatewayClient) -> tuple[BundleDraft, Reading]:
    """Make the draft of a bundle from a record.

    A material that the record names is taken from the folders; one that is not there and that an earlier handoff
    brought is listed as unchanged.

    Args:
        request: what the sender gave.
        client: asked which materials the gateway has.

    Returns:
        the draft, and the record as read.

    Raises:
        SettingsError: a material is nowhere, or the caller exchanges no records.
        LocalFindings: the record has errors.
        OSError: a file cannot be read.
    """
    from gateway.app import adapters  # noqa: PLC0415 - as above

    reading = read_record(request.record_path, request.sender, request.receiver)
    header, case = reading.header, reading.case
    if header is None or case is None:
        raise LocalFindings(reading.findings)
    wanted = dict.fromkeys(reference.sha256 for reference in reading.digests)
    given = [digest_file(path) for path in request.files]
    found = {digest.sha256: digest for digest in (*_search(request.folders, wanted), *given)}
    absent = [digest for digest in wanted if digest not in found]
    missing = await client.find_missing(absent) if absent else {}
    if missing:
        paths = [reference.path for reference in reading.digests if reference.sha256 in missing]
        raise SettingsError(
            f"{len(missing)} materials that the record names are in no folder given: {', '.join(paths)}",
            "name the folder or file that has them: --materials DIR or --material FILE",
        )
    described = describe_materials(case)
    materials = [
        replace(described[sha256], path=digest.path)
        if sha256 in described
        else MaterialFile(digest.path, to_title(digest.path.name))
        for sha256, digest in found.items()
    ]
    key = request.idempotency_key or (header.message_no if _KEY.fullmatch(header.message_no) else "")
    draft = BundleDraft(
        bundle_id=make_uuid7(),
        sender=request.sender,
        receiver=parse_agency(request.receiver or header.receiver, "--to"),
        kind=RecordKind(header.kind),
        case_number=header.police_no,
        idempotency_key=key,
        created_at=datetime.now(UTC).replace(microsecond=0),
        record_path=request.record_path,
        record_version=header.version,
        record_encoding=adapters().encoding(request.sender.system),
        materials=materials,
        unchanged=absent,
        in_reply_to=request.in_reply_to,
    )
    return draft if key else replace(draft, idempotency_key=str(draft.bundle_id)), reading


def _search(folders: Iterable[Path], wanted: Iterable[str]) -> list[FileDigest]:
    """Files of the folders that the record names; others are left where they are."""
    names = frozenset(wanted)
    files: list[FileDigest] = []
    for folder in folders:
        if not folder.is_dir():
            raise SettingsError(f"no such folder: {folder}", "--materials takes a folder, --material a file")
        digests = (digest_file(path) for path in sorted(folder.iterdir()) if path.is_file())
        files += [digest for digest in digests if digest.sha256 in names]
    return files


def describe_materials(case: Case) -> dict[str, MaterialFile]:
    """Say of each digest of a record what the record says of it.

    Args:
        case: the record, read.

    Returns:
        title, code, person, pages and recorded window by SHA-256; the path is empty.
    """
    nowhere = Path()
    described = {
        document.sha256: MaterialFile(
            nowhere,
            to_title(document.title),
            document_code=document.code,
            person=document.person or "",
            pages=document.pages,
        )
        for document in case.documents
    }
    titles = {document.key: document.title for document in case.documents}
    for recording in case.recordings:
        title = titles.get(recording.transcript or "", "")
        described[recording.sha256] = MaterialFile(
            nowhere,
            to_title(f"{title} · {_RECORDING_TITLE}" if title else _RECORDING_TITLE),
            recorded_from=recording.start,
            recorded_to=recording.end,
        )
    return described


def to_title(text: str) -> str:
    """Write a title as a manifest takes it.

    Args:
        text: any text.

    Returns:
        1 to 200 characters without control characters.
    """
    return _CONTROL.sub(" ", text).strip()[:200] or "-"


def resume_draft(draft: BundleDraft, state_path: Path, *, is_new: bool) -> BundleDraft:
    """Give a draft the id that an interrupted run had already chosen, so that nothing is handed over twice.

    Args:
        draft: just made.
        state_path: file beside the record that keeps the id.
        is_new: forget an earlier run.

    Returns:
        the draft with the earlier id and time when it is the same record for the same receiver.

    Raises:
        SettingsError: the file cannot be written.
    """
    record = digest_file(draft.record_path).sha256
    same = {"record_sha256": record, "receiver": str(draft.receiver)}
    kept = None if is_new else _read_state(state_path)
    if kept is not None and all(kept.get(name) == value for name, value in same.items()):
        bundle_id = UUID(kept["bundle_id"])
        key = str(bundle_id) if draft.idempotency_key == str(draft.bundle_id) else draft.idempotency_key
        created_at = datetime.fromisoformat(kept["created_at"])
        return replace(draft, bundle_id=bundle_id, created_at=created_at, idempotency_key=key)
    state = {"bundle_id": str(draft.bundle_id), "created_at": draft.created_at.isoformat(), **same}
    try:
        state_path.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{state_path}: {error.strerror}",
            "the bundle id is kept there, so that a second run is no second handoff; name another file with --state",
        ) from error
    return draft


def _read_state(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) and {"bundle_id", "created_at"} <= value.keys() else None
