"""Checks of the recorder manifest; some of them count for every list of recordings.

Source: domain model, section 3 (body-worn recorders); GA/T 947.1-4-2015.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import Span, add_months, cut, find_overlaps, to_day, to_instant, to_period, to_span

NAME: Final = "recorder-manifest"
_FORMS: Final = (NAME,)
_ALL_RECORDINGS: Final = (NAME, "hearing-recording")


def _recordings(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((f"/recordings/{at}", recording) for at, recording in enumerate(annex.data["recordings"]))


def _find_repeated(annex: Annex, _: Scene) -> Faults:
    seen: set[str] = set()
    for pointer, recording in _recordings(annex):
        if recording["recording_id"] in seen:
            yield f"{pointer}/recording_id"
        seen.add(recording["recording_id"])


def _find_overlap(annex: Annex, _: Scene) -> Faults:
    by_device = defaultdict(list)
    for at, recording in enumerate(annex.data["recordings"]):
        if period := to_period(recording):
            by_device[recording["device_sn"]].append((*period, at))
    for periods in by_device.values():
        yield from (f"/recordings/{at}/start" for at in find_overlaps(periods))


def _find_drift(annex: Annex, scene: Scene) -> Faults:
    for pointer, recording in _recordings(annex):
        if abs(recording["platform_offset_seconds"]) > scene.settings.clock_drift_seconds:
            yield f"{pointer}/platform_offset_seconds"


def _find_wrong_duration(annex: Annex, scene: Scene) -> Faults:
    for pointer, recording in _recordings(annex):
        if period := to_period(recording):
            seconds = (period[1] - period[0]).total_seconds()
            if abs(seconds - recording["duration_seconds"]) > scene.settings.duration_tolerance_seconds:
                yield f"{pointer}/duration_seconds"


def _find_late_upload(annex: Annex, scene: Scene) -> Faults:
    for pointer, recording in _recordings(annex):
        limit = to_instant(recording["duty_ended_at"]) + timedelta(hours=scene.settings.upload_hours)
        if to_instant(recording["collected_at"]) > limit:
            yield f"{pointer}/collected_at"


def _find_short_retention(annex: Annex, scene: Scene) -> Faults:
    for pointer, recording in _recordings(annex):
        until = recording.get("retain_until")
        if recording["retention_class"] == "CASE":
            # Kept until the end of the file, whose day nobody knows yet.
            is_short = until is not None
        else:
            least = add_months(to_day(recording["start"]), scene.settings.retention_months)
            is_short = until is None or to_day(until) < least
        if is_short:
            yield f"{pointer}/retain_until"


def _find_wrong_gap(annex: Annex, _: Scene) -> Faults:
    for pointer, recording in _recordings(annex):
        whole, reached = to_period(recording), None
        for at, gap in enumerate(recording["gaps"]):
            hole = to_period(gap, "from", "to")
            if whole is None or hole is None:
                continue
            if hole[0] < whole[0] or hole[1] > whole[1] or (reached is not None and hole[0] < reached):
                yield f"{pointer}/gaps/{at}/from"
            reached = hole[1]


def _find_unexplained_gap(annex: Annex, scene: Scene) -> Faults:
    most = timedelta(seconds=scene.settings.gap_seconds)
    for pointer, recording in _recordings(annex):
        for at, gap in enumerate(recording["gaps"]):
            hole = to_period(gap, "from", "to")
            if hole and hole[1] - hole[0] > most and "reason" not in gap:
                yield f"{pointer}/gaps/{at}/reason"


def _find_unassigned(annex: Annex, _: Scene) -> Faults:
    assigned = {(row["device_sn"], row["officer_no"], to_day(row["on"])) for row in annex.data["assignments"]}
    for pointer, recording in _recordings(annex):
        if (recording["device_sn"], recording["officer_no"], to_day(recording["start"])) not in assigned:
            yield f"{pointer}/device_sn"


def _find_custody_disorder(annex: Annex, _: Scene) -> Faults:
    for pointer, recording in _recordings(annex):
        reached = to_instant(recording["end"])
        for at, step in enumerate(recording.get("custody_log", ())):
            moment = to_instant(step["at"])
            if moment < reached:
                yield f"{pointer}/custody_log/{at}/at"
            reached = max(reached, moment)


def _find_wrong_digest(annex: Annex, scene: Scene) -> Faults:
    recorded = {(r.device, r.start): r.sha256 for r in scene.case.recordings} if scene.case else {}
    for pointer, recording in _recordings(annex):
        said = recorded.get((recording["device_sn"], to_instant(recording["start"])))
        if said is not None and said != recording["sha256"]:
            yield f"{pointer}/sha256"
        material = scene.materials.get(recording.get("material_id", ""))
        if material is not None:
            for name, value in (("sha256", material.sha256), ("sm3", material.sm3), ("bytes", material.size)):
                if recording[name] != value:
                    yield f"{pointer}/{name}"


def _find_unknown_material(annex: Annex, scene: Scene) -> Faults:
    if scene.materials:
        for pointer, recording in _recordings(annex):
            if "material_id" in recording and recording["material_id"] not in scene.materials:
                yield f"{pointer}/material_id"


def _find_unlisted(annex: Annex, scene: Scene) -> Faults:
    """A recording of the record that no manifest of the bundle lists; told once, by the first manifest."""
    if scene.case is None or next(scene.of(NAME), None) is not annex.data:
        return
    listed = {recording["sha256"] for data in scene.of(NAME) for recording in data["recordings"]}
    devices = {
        (recording["device_sn"], to_instant(recording["start"]))
        for data in scene.of(NAME)
        for recording in data["recordings"]
    }
    if any(r.sha256 not in listed and (r.device, r.start) not in devices for r in scene.case.recordings):
        yield "/recordings"


def _find_uncovered_act(annex: Annex, scene: Scene) -> Faults:
    if next(scene.of(NAME), None) is not annex.data:
        return
    covered = {recording["covers"] for data in scene.of(NAME) for recording in data["recordings"]}
    codes = {document.code for document in scene.case.documents} if scene.case else set()
    wanted = {act for code, act in scene.settings.recorded_documents.items() if code in codes}
    for reception in scene.of("reception"):
        if reception["channel"] == "COUNTER":
            wanted.add("RECEPTION")
        if "on_site_checked_at" in reception:
            wanted.add("ON_SITE_CHECK")
    if wanted - covered:
        yield "/recordings"


def find_footage(scene: Scene) -> dict[str, list[Span]]:
    """What was really recorded: spans without their gaps, by recording id, of every manifest of the bundle."""
    footage: dict[str, list[Span]] = {}
    tolerated = timedelta(seconds=scene.settings.gap_seconds)
    for data in scene.of(NAME):
        for recording in data["recordings"]:
            if whole := to_period(recording):
                holes = [hole for gap in recording["gaps"] if (hole := to_period(gap, "from", "to"))]
                parts = cut(whole, [hole for hole in holes if hole[1] - hole[0] > tolerated])
                footage[recording["recording_id"]] = [to_span(part) for part in parts]
    return footage


CHECKS: Final = (
    Check(ErrorCode.RECORDING_ID_REPEATED, _ALL_RECORDINGS, _find_repeated),
    Check(ErrorCode.RECORDING_OVERLAP, _FORMS, _find_overlap),
    Check(ErrorCode.CLOCK_DRIFT, _FORMS, _find_drift),
    Check(ErrorCode.RECORDING_DURATION_MISMATCH, _FORMS, _find_wrong_duration),
    Check(ErrorCode.RECORDING_UPLOADED_LATE, _FORMS, _find_late_upload),
    Check(ErrorCode.RETENTION_TOO_SHORT, _FORMS, _find_short_retention),
    Check(ErrorCode.RECORDING_GAP_INVALID, _ALL_RECORDINGS, _find_wrong_gap),
    Check(ErrorCode.GAP_WITHOUT_REASON, _ALL_RECORDINGS, _find_unexplained_gap),
    Check(ErrorCode.DEVICE_NOT_ASSIGNED, _FORMS, _find_unassigned),
    Check(ErrorCode.RECORDING_CUSTODY_ORDER, _FORMS, _find_custody_disorder),
    Check(ErrorCode.RECORDING_DIGEST_MISMATCH, _ALL_RECORDINGS, _find_wrong_digest),
    Check(ErrorCode.RECORDING_MATERIAL_UNKNOWN, _ALL_RECORDINGS, _find_unknown_material),
    Check(ErrorCode.RECORDING_NOT_LISTED, _FORMS, _find_unlisted),
    Check(ErrorCode.RECORDING_OF_ACT_MISSING, _FORMS, _find_uncovered_act),
)
