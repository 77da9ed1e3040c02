"""Checks of an assessment for community correction and of its routing.

Source: domain model, section 1.7 (routing follows the file) and section 3 (justice cooperation); CCL 17-18.
"""

from __future__ import annotations

from typing import Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_day, to_instant

NAME: Final = "assessment-routing"
_FORMS: Final = (NAME,)


def _find_other_county(annex: Annex, scene: Scene) -> Faults:
    agency, division = annex.data["correction_agency"], annex.data["residence_division"]
    if agency != f"ja:{division}":
        yield "/correction_agency"
    for person in scene.case.persons if scene.case else ():
        recorded = person.residence_division
        if person.key == annex.data["person"] and recorded is not None and recorded[:6] != division:
            yield "/residence_division"


def _find_wrong_way(annex: Annex, _: Scene) -> Faults:
    data = annex.data
    if "completed_at" not in data:
        return
    if data.get("routed_to") != data["file_holder"]:
        yield "/routed_to"
    if data["commissioner"] not in (data["file_holder"], *data.get("copies_to", ())):
        yield "/copies_to"


def _find_late(annex: Annex, scene: Scene) -> Faults:
    data = annex.data
    if "received_at" in data and not data.get("agreed_longer", False):
        due = scene.limits.find("K41", to_instant(data["received_at"]), {"fast_track": data["fast_track"]})
        if due and due.is_past(to_day(data["due_on"])):
            yield "/due_on"
    if "completed_at" in data and to_day(data["completed_at"]) > to_day(data["due_on"]):
        yield "/completed_at"


def _find_incomplete(annex: Annex, _: Scene) -> Faults:
    data = annex.data
    if ("completed_at" in data) != ("result" in data):
        yield "/result"
    elif data.get("result") == "REFUSED" and "refused_reason" not in data:
        yield "/refused_reason"


CHECKS: Final = (
    Check(ErrorCode.ASSESSMENT_WRONG_COUNTY, _FORMS, _find_other_county),
    Check(ErrorCode.ASSESSMENT_ROUTING, _FORMS, _find_wrong_way),
    Check(ErrorCode.ASSESSMENT_LATE, _FORMS, _find_late),
    Check(ErrorCode.ASSESSMENT_INCOMPLETE, _FORMS, _find_incomplete),
)
