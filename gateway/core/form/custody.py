"""Checks of the transfer of custody, and of the recording at which a recognizance is signed.

Source: domain model, sections 2.3 (T08), 2.4 (D30, D42) and 4.1 (number of a detainee, GA 300.3).
"""

from __future__ import annotations

from datetime import date
from typing import Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import cut, is_covered, to_instant, to_period, to_span

TRANSFER: Final = "custody-transfer"
HEARING: Final = "hearing-recording"
_CUSTODY: Final = ("DETAIN", "ARREST")


def _find_disorder(annex: Annex, _: Scene) -> Faults:
    reached = to_instant(annex.data["filed_at"])
    for name in ("received_at", "sent_at", "confirmed_at"):
        if name in annex.data:
            moment = to_instant(annex.data[name])
            if moment < reached:
                yield f"/{name}"
            reached = max(reached, moment)


def _find_wrong_term(annex: Annex, _: Scene) -> Faults:
    is_extension = annex.data["reason"] == "EXTENSION"
    if is_extension != (annex.data["kind"] == "TERM_CHANGE"):
        yield "/kind"
    elif is_extension and "term_until" not in annex.data:
        yield "/term_until"


def _find_wrong_number(annex: Annex, scene: Scene) -> Faults:
    digits = annex.data["detainee_no"][9:17]
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        yield "/detainee_no"
    for person in scene.case.persons if scene.case else ():
        is_held = any(measure.kind in _CUSTODY for measure in person.measures)
        if person.key == annex.data["person"] and not is_held:
            yield "/person"


def _find_unrecorded_signing(annex: Annex, scene: Scene) -> Faults:
    for at, recording in enumerate(annex.data["recordings"]):
        whole, signing = to_period(recording), to_period(recording, "signing_from", "signing_to")
        holes = [hole for gap in recording["gaps"] if (hole := to_period(gap, "from", "to"))]
        parts = [to_span(part) for part in cut(whole, holes)] if whole else []
        if signing is None or not is_covered(to_span(signing), parts, scene.settings.gap_seconds):
            yield f"/recordings/{at}/signing_from"


CHECKS: Final = (
    Check(ErrorCode.CUSTODY_TRANSFER_ORDER, (TRANSFER,), _find_disorder),
    Check(ErrorCode.CUSTODY_TERM, (TRANSFER,), _find_wrong_term),
    Check(ErrorCode.DETAINEE_NUMBER_INVALID, (TRANSFER,), _find_wrong_number),
    Check(ErrorCode.SIGNING_NOT_RECORDED, (HEARING,), _find_unrecorded_signing),
)
