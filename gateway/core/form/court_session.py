"""Checks of a speedy-court session: listed together, tried one by one.

Source: domain model, section 3 (speedy-court trials 速裁庭审); CPL 222-226; SPC 371-376.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import find_overlaps, to_day, to_instant, to_period

NAME: Final = "court-session"
_FORMS: Final = (NAME,)
_STEPS: Final = ("consent_asked", "voluntariness_verified", "defender_heard", "last_statement_heard")


def _hearings(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((f"/hearings/{at}", hearing) for at, hearing in enumerate(annex.data["hearings"]))


def _find_overlap(annex: Annex, _: Scene) -> Faults:
    periods = [
        (*period, at) for at, hearing in enumerate(annex.data["hearings"]) if (period := to_period(hearing)) is not None
    ]
    yield from (f"/hearings/{at}/start" for at in find_overlaps(periods))


def _find_disorder(annex: Annex, _: Scene) -> Faults:
    reached = 0
    for pointer, hearing in sorted(_hearings(annex), key=lambda item: to_instant(item[1]["start"])):
        if hearing["order"] <= reached:
            yield f"{pointer}/order"
        reached = max(reached, hearing["order"])


def _find_outcome(annex: Annex, _: Scene) -> Faults:
    for pointer, hearing in _hearings(annex):
        if hearing["in_court_judgment"] == ("conversion" in hearing):
            yield f"{pointer}/in_court_judgment"
        elif hearing["in_court_judgment"] != ("judgment_at" in hearing):
            yield f"{pointer}/judgment_at"


def _find_missing_step(annex: Annex, _: Scene) -> Faults:
    for pointer, hearing in _hearings(annex):
        # A hearing that is converted stops where it stands.
        if "conversion" not in hearing:
            yield from (f"{pointer}/{step}" for step in _STEPS if not hearing[step])


def _find_outside(annex: Annex, _: Scene) -> Faults:
    for pointer, hearing in _hearings(annex):
        period = to_period(hearing)
        ends = [("judgment_at", hearing.get("judgment_at")), ("conversion/at", hearing.get("conversion", {}).get("at"))]
        for name, text in ends:
            if period and text and not period[0] <= to_instant(text) <= period[1]:
                yield f"{pointer}/{name}"


def _find_other_judgment(annex: Annex, scene: Scene) -> Faults:
    if scene.case is None or scene.case.judgment_on is None:
        return
    own = [(p, hearing) for p, hearing in _hearings(annex) if hearing.get("case_number") == scene.case.police_no]
    if not own:
        yield "/hearings"
    for pointer, hearing in own:
        if "judgment_at" in hearing and to_day(hearing["judgment_at"]) != scene.case.judgment_on:
            yield f"{pointer}/judgment_at"


CHECKS: Final = (
    Check(ErrorCode.SESSION_OVERLAP, _FORMS, _find_overlap),
    Check(ErrorCode.SESSION_ORDER, _FORMS, _find_disorder),
    Check(ErrorCode.SESSION_OUTCOME, _FORMS, _find_outcome),
    Check(ErrorCode.HEARING_STEP_MISSING, _FORMS, _find_missing_step),
    Check(ErrorCode.JUDGMENT_OUTSIDE_HEARING, _FORMS, _find_outside),
    Check(ErrorCode.JUDGMENT_MISMATCH, _FORMS, _find_other_judgment),
)
