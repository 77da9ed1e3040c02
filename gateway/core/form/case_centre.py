"""Checks of the stage log of a case-handling centre.

Source: domain model, section 3 (case management centre); CPL 85, 86, 119; MPS 198-208.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.clock.calendar import is_minor
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import Span, find_overlaps, is_covered, to_day, to_instant, to_period, to_span
from gateway.core.form.recorder import NAME as RECORDER_MANIFEST
from gateway.core.form.recorder import find_footage

NAME: Final = "case-centre-log"
_FORMS: Final = (NAME,)
HOME: Final = "CHN"
_DETENTIONS: Final = ("DETAIN", "ARREST")


def _visits(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((f"/visits/{at}", visit) for at, visit in enumerate(annex.data["visits"]))


def _sessions(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    for pointer, visit in _visits(annex):
        for at, session in enumerate(visit["interrogations"]):
            yield f"{pointer}/interrogations/{at}", session, visit


def _find_disorder(annex: Annex, _: Scene) -> Faults:
    """Enter, check, capture, then wait or be interrogated, then leave."""
    for pointer, visit in _visits(annex):
        steps = [
            (visit["entered_at"], f"{pointer}/entered_at"),
            (visit["body_check"]["at"], f"{pointer}/body_check/at"),
            (visit["capture"]["at"], f"{pointer}/capture/at"),
        ]
        reached = to_instant(visit["entered_at"])
        for text, place in steps:
            if to_instant(text) < reached:
                yield place
            reached = max(reached, to_instant(text))
        stays = [(wait["from"], wait["to"], f"{pointer}/waits/{at}") for at, wait in enumerate(visit.get("waits", ()))]
        stays += [
            (session["start"], session["end"], f"{pointer}/interrogations/{at}")
            for at, session in enumerate(visit["interrogations"])
            if "exception" not in session
        ]
        for start, end, place in stays:
            if to_instant(start) < reached:
                yield f"{place}/{'from' if '/waits/' in place else 'start'}"
            if "exited_at" in visit and to_instant(end) > to_instant(visit["exited_at"]):
                yield f"{place}/{'to' if '/waits/' in place else 'end'}"
        if "exited_at" in visit and to_instant(visit["exited_at"]) < reached:
            yield f"{pointer}/exited_at"


def _find_other_room(annex: Annex, _: Scene) -> Faults:
    kinds = {room["id"]: room["kind"] for room in annex.data["rooms"]}
    for pointer, session, _visit in _sessions(annex):
        if "exception" not in session and kinds.get(session["room"]) != "INTERROGATION":
            yield f"{pointer}/room"


def _find_after_delivery(annex: Annex, _: Scene) -> Faults:
    for pointer, session, visit in _sessions(annex):
        is_elsewhere = session.get("exception") != "DETENTION_CENTRE"
        if (
            "delivered_at" in visit
            and is_elsewhere
            and to_instant(session["start"]) > to_instant(visit["delivered_at"])
        ):
            yield f"{pointer}/start"


def _find_shared_room(annex: Annex, _: Scene) -> Faults:
    by_room = defaultdict(list)
    places: list[str] = []
    for pointer, session, _visit in _sessions(annex):
        if period := to_period(session):
            by_room[session["room"]].append((*period, len(places)))
            places.append(pointer)
    for periods in by_room.values():
        yield from (f"{places[at]}/start" for at in find_overlaps(periods))


def _find_long_summons(annex: Annex, scene: Scene) -> Faults:
    for pointer, visit in _visits(annex):
        summons = visit.get("summons", {})
        if "ended_at" in summons:
            is_extended = summons.get("extended", False) and "approved_by" in summons
            arrived = to_instant(summons["arrived_at"])
            due = scene.limits.find("K01", arrived, extension="complex" if is_extended else "")
            if due and due.is_past(to_instant(summons["ended_at"])):
                yield f"{pointer}/summons/ended_at"


def _find_late_delivery(annex: Annex, scene: Scene) -> Faults:
    for pointer, visit in _visits(annex):
        if "detained_at" in visit and "delivered_at" in visit:
            due = scene.limits.find("K06", to_instant(visit["detained_at"]))
            if due and due.is_past(to_instant(visit["delivered_at"])):
                yield f"{pointer}/delivered_at"


def _find_late_interrogation(annex: Annex, scene: Scene) -> Faults:
    for pointer, visit in _visits(annex):
        if "detained_at" not in visit or not visit["interrogations"]:
            continue
        detained = to_instant(visit["detained_at"])
        # A session before the detention was one of the summons; only one after it stops the clock.
        after = [
            (to_instant(session["start"]), at)
            for at, session in enumerate(visit["interrogations"])
            if to_instant(session["start"]) >= detained
        ]
        due = scene.limits.find("K08", detained)
        if after and due and due.is_past(min(after)[0]):
            yield f"{pointer}/interrogations/{min(after)[1]}/start"


def _needs_recording(session: Mapping[str, Any], scene: Scene) -> bool:
    wanted = scene.settings.recording_required
    return wanted == "always" or (wanted == "major" and session.get("serious", False))


def _find_unrecorded(annex: Annex, scene: Scene) -> Faults:
    for pointer, session, _ in _sessions(annex):
        if not session["recording_ids"] and _needs_recording(session, scene):
            yield f"{pointer}/recording_ids"


def _find_unknown_recording(annex: Annex, scene: Scene) -> Faults:
    if len(scene.annexes) == 1 and scene.case is None:
        return  # looked at alone: the manifest stays with the rest of the bundle
    known = {recording["recording_id"] for data in scene.of(RECORDER_MANIFEST) for recording in data["recordings"]}
    for pointer, session, _ in _sessions(annex):
        for at, recording_id in enumerate(session["recording_ids"]):
            if recording_id not in known:
                yield f"{pointer}/recording_ids/{at}"


def _find_coverage_gap(annex: Annex, scene: Scene) -> Faults:
    footage, merged = find_footage(scene), dict[frozenset[str], list[Span]]()
    tolerance = scene.settings.transcript_tolerance_seconds
    for pointer, session, _ in _sessions(annex):
        named = frozenset(recording_id for recording_id in session["recording_ids"] if recording_id in footage)
        period = to_period(session)
        if not named or period is None:
            continue
        if named not in merged:
            merged[named] = sorted(part for recording_id in named for part in footage[recording_id])
        start, end = to_span(period)
        start, end = start + tolerance, end - tolerance
        if start < end and not is_covered((start, end), merged[named], scene.settings.gap_seconds):
            yield f"{pointer}/recording_ids"


def _find_area_gap(annex: Annex, _: Scene) -> Faults:
    video = annex.data["area_video"]
    whole = to_period(video, "from", "to")
    for at, _gap in enumerate(video["gaps"]):
        yield f"/area_video/gaps/{at}"
    if whole is None:
        return
    for pointer, visit in _visits(annex):
        if to_instant(visit["entered_at"]) < whole[0]:
            yield f"{pointer}/entered_at"
        if "exited_at" in visit and to_instant(visit["exited_at"]) > whole[1]:
            yield f"{pointer}/exited_at"


def _find_other_sex(annex: Annex, _: Scene) -> Faults:
    for pointer, visit in _visits(annex):
        check = visit["body_check"]
        if check["officer_sex"] != check["person_sex"]:
            yield f"{pointer}/body_check/officer_sex"


def _find_no_rest(annex: Annex, scene: Scene) -> Faults:
    most = timedelta(hours=scene.settings.rest_after_hours)
    for pointer, visit in _visits(annex):
        stay = to_period(visit, "entered_at", "exited_at")
        if stay and stay[1] - stay[0] > most:
            rests = [to_instant(rest["at"]) for rest in visit.get("rests", ()) if rest["kind"] in ("MEAL", "REST")]
            stops = sorted([stay[0], *(rest for rest in rests if stay[0] <= rest <= stay[1]), stay[1]])
            if any(later - earlier > most for earlier, later in pairwise(stops)):
                yield f"{pointer}/rests"


def _find_no_measure(annex: Annex, scene: Scene) -> Faults:
    if scene.case is None:
        return
    starts = {
        person.key: {measure.start for measure in person.measures if measure.kind in _DETENTIONS}
        for person in scene.case.persons
    }
    for pointer, visit in _visits(annex):
        if "detained_at" in visit and visit["person"] in starts:
            days = {to_day(str(start.isoformat())) for start in starts[visit["person"]]}
            if to_day(visit["detained_at"]) not in days:
                yield f"{pointer}/detained_at"


def _find_no_interpreter(annex: Annex, scene: Scene) -> Faults:
    """What nobody said of a person finds nothing: the record tells who is deaf, mute or a foreigner."""
    persons = {person.key: person for person in scene.case.persons} if scene.case else {}
    for pointer, session, visit in _sessions(annex):
        person = persons.get(visit["person"])
        if person is None or "interpreter" in session:
            continue
        is_foreign = isinstance(person.nation, str) and person.nation != HOME
        if person.health_deaf or person.health_mute or is_foreign:
            yield f"{pointer}/interpreter"


def _find_no_adult(annex: Annex, scene: Scene) -> Faults:
    persons = {person.key: person for person in scene.case.persons} if scene.case else {}
    for pointer, session, visit in _sessions(annex):
        person = persons.get(visit["person"])
        if person is None or "appropriate_adult" in session:
            continue
        if is_minor(person.birth, to_day(session["start"])):
            yield f"{pointer}/appropriate_adult"


CHECKS: Final = (
    Check(ErrorCode.STAGE_ORDER, _FORMS, _find_disorder),
    Check(ErrorCode.INTERROGATION_ROOM, _FORMS, _find_other_room),
    Check(ErrorCode.INTERROGATED_AFTER_DELIVERY, _FORMS, _find_after_delivery),
    Check(ErrorCode.SAME_ROOM, _FORMS, _find_shared_room),
    Check(ErrorCode.SUMMONS_TOO_LONG, _FORMS, _find_long_summons),
    Check(ErrorCode.DELIVERY_TOO_LATE, _FORMS, _find_late_delivery),
    Check(ErrorCode.INTERROGATION_TOO_LATE, _FORMS, _find_late_interrogation),
    Check(ErrorCode.RECORDING_MISSING, _FORMS, _find_unrecorded),
    Check(ErrorCode.RECORDING_UNKNOWN, _FORMS, _find_unknown_recording),
    Check(ErrorCode.RECORDING_COVERAGE_GAP, _FORMS, _find_coverage_gap),
    Check(ErrorCode.AREA_VIDEO_GAP, _FORMS, _find_area_gap),
    Check(ErrorCode.BODY_CHECK_SEX, _FORMS, _find_other_sex),
    Check(ErrorCode.REST_MISSING, _FORMS, _find_no_rest),
    Check(ErrorCode.MEASURE_MISMATCH, _FORMS, _find_no_measure),
    Check(ErrorCode.INTERPRETER_MISSING, _FORMS, _find_no_interpreter),
    Check(ErrorCode.APPROPRIATE_ADULT_MISSING, _FORMS, _find_no_adult),
)
