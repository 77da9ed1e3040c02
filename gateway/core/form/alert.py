"""Checks of disposals of alerts and of the daily clearance.

Source: domain model, section 3 (dynamic clearance of alerts 警情动态清零).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_day

DISPOSAL: Final = "alert-disposal"
CLEARANCE: Final = "daily-clearance"
_FORMS: Final = (DISPOSAL,)
_NUMBERED: Final = ("ADMIN_CASE", "MEDIATED", "TRANSFERRED")


def _alerts(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = "open" if annex.name == CLEARANCE else "alerts"
    return ((f"/{name}/{at}", alert) for at, alert in enumerate(annex.data[name]))


def _find_duplicate(annex: Annex, _: Scene) -> Faults:
    seen: set[str] = set()
    for pointer, alert in _alerts(annex):
        if alert["alert_no"] in seen:
            yield f"{pointer}/alert_no"
        elif "disposal" in alert and alert.get("review_open", False):
            yield f"{pointer}/review_open"
        seen.add(alert["alert_no"])


def _find_missing(annex: Annex, _: Scene) -> Faults:
    for pointer, alert in _alerts(annex):
        if alert["classified"] == "CASE" and "disposal" not in alert and not alert.get("review_open", False):
            yield f"{pointer}/disposal"
        elif "disposal" in alert and "closed_at" not in alert:
            yield f"{pointer}/closed_at"


def _find_one_officer(annex: Annex, _: Scene) -> Faults:
    for pointer, alert in _alerts(annex):
        if alert.get("disposal") == "NO_CASE" and alert.get("second_officer") in (None, alert.get("closed_by")):
            yield f"{pointer}/second_officer"


def _find_unlinked(annex: Annex, _: Scene) -> Faults:
    for pointer, alert in _alerts(annex):
        if alert.get("disposal") == "FILED" and "filed_case" not in alert:
            yield f"{pointer}/filed_case"
        if alert.get("disposal") in _NUMBERED and "disposal_no" not in alert:
            yield f"{pointer}/disposal_no"


def _find_wrong_count(annex: Annex, _: Scene) -> Faults:
    data = annex.data
    if data["carried"] + data["received"] - data["disposed"] != len(data["open"]):
        yield "/disposed"
    if data["zero"] == bool(data["open"]):
        yield "/zero"
    for pointer, alert in _alerts(annex):
        if alert["age_days"] != (to_day(data["on"]) - to_day(alert["received_at"])).days:
            yield f"{pointer}/age_days"


CHECKS: Final = (
    Check(ErrorCode.DISPOSAL_DUPLICATE, (DISPOSAL, CLEARANCE), _find_duplicate),
    Check(ErrorCode.DISPOSAL_MISSING, _FORMS, _find_missing),
    Check(ErrorCode.SECOND_OFFICER_MISSING, _FORMS, _find_one_officer),
    Check(ErrorCode.DISPOSAL_LINK_MISSING, _FORMS, _find_unlinked),
    Check(ErrorCode.CLEARANCE_MISMATCH, (CLEARANCE,), _find_wrong_count),
)
