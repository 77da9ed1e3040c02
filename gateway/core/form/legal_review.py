"""Checks of a legal-review attestation, as annex or statement.

Source: domain model, section 3 (legal review 法制审核); MPS 286; MPS Opinion 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_day, to_instant

NAME: Final = "legal-review"
_SHOWN: Final = ("review_id", "object", "opinion", "reviewed_at")
_FORMS: Final = (NAME,)
AGREES: Final = ("AGREE", "AGREE_WITH_CHANGES")


def to_review(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a judgement looks at of a review: its number, what was reviewed, the opinion and when; no person."""
    return {name: body[name] for name in _SHOWN}


def _find_handler(annex: Annex, _: Scene) -> Faults:
    if annex.data["reviewer"] in annex.data["handlers"]:
        yield "/reviewer"


def _find_late(annex: Annex, scene: Scene) -> Faults:
    due = scene.limits.find("K46", to_instant(annex.data["submitted_at"]))
    if due and due.is_past(to_instant(annex.data["reviewed_at"])):
        yield "/reviewed_at"


def _find_failed(annex: Annex, _: Scene) -> Faults:
    has_failed = any(row["result"] == "FAIL" for row in annex.data["checklist"])
    if has_failed and annex.data["opinion"] == "AGREE":
        yield "/opinion"


def _find_not_before(annex: Annex, scene: Scene) -> Faults:
    if scene.case is None:
        return
    done = {"TRANSFER": scene.case.transferred_at, "FILING": scene.case.filed_on}.get(annex.data["object"])
    if done is None:
        return
    reviewed = annex.data["reviewed_at"]
    is_late = to_instant(reviewed) > done if isinstance(done, datetime) else to_day(reviewed) > done
    if is_late:
        yield "/reviewed_at"
    if annex.data["opinion"] not in AGREES:
        yield "/opinion"


def _find_after_freeze(annex: Annex, scene: Scene) -> Faults:
    for data in scene.of("freeze-list"):
        starts = [to_instant(freeze["start"]) for freeze in data["freezes"]]
        is_of_it = data.get("review_id") == annex.data["review_id"]
        if is_of_it and starts and to_instant(annex.data["reviewed_at"]) > min(starts):
            yield "/reviewed_at"


CHECKS: Final = (
    Check(ErrorCode.REVIEWER_IS_HANDLER, _FORMS, _find_handler),
    Check(ErrorCode.REVIEW_LATE, _FORMS, _find_late),
    Check(ErrorCode.REVIEW_CHECKLIST_FAILED, _FORMS, _find_failed),
    Check(ErrorCode.REVIEW_NOT_BEFORE_ACT, _FORMS, _find_not_before),
    Check(ErrorCode.REVIEW_NOT_BEFORE_ACT, _FORMS, _find_after_freeze),
)
