"""Checks of statements about limits, corrections and the progress of a case.

Source: domain model, sections 1.4, 2.5 and 3 (statutory time limits, case progress enquiry); SPP 612-618; MPS 178-179.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_day, to_instant

DEADLINE: Final = "deadline-notice"
CORRECTION: Final = "correction"
PROGRESS: Final = "case-progress"


def _to_moment(text: str) -> date | datetime:
    return to_day(text) if len(text) == 10 else to_instant(text)


def _find_wrong_limit(annex: Annex, scene: Scene) -> Faults:
    data = annex.data
    if not scene.limits.table.has(data["clock"]):
        yield "/clock"
        return
    if data["level"] == "BREACHED" and "supervisor" not in data:
        yield "/supervisor"
    if data["level"] == "EXTENDED":
        # How much longer, its document says; the statement of the act itself extends the clock.
        if "document_no" not in data:
            yield "/document_no"
        return
    due = scene.limits.find(data["clock"], _to_moment(data["start"]), data.get("inputs"), in_custody=data["in_custody"])
    if due is not None and due.at != _to_moment(data["due"]):
        yield "/due"


def _find_unapproved(annex: Annex, _: Scene) -> Faults:
    if annex.data["author"] == annex.data["approver"]:
        yield "/approver"


def _find_wrong_remedy(annex: Annex, _: Scene) -> Faults:
    is_refused = annex.data["stage"] == "NOT_FILED"
    yield from (f"/{name}" for name in ("next_remedy", "remedy_until") if (name in annex.data) != is_refused)


CHECKS: Final = (
    Check(ErrorCode.DEADLINE_MISMATCH, (DEADLINE,), _find_wrong_limit),
    Check(ErrorCode.CORRECTION_NOT_APPROVED, (CORRECTION,), _find_unapproved),
    Check(ErrorCode.PROGRESS_REMEDY, (PROGRESS,), _find_wrong_remedy),
)
