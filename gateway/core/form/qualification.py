"""Checks of the register of officers' qualifications.

Source: domain model, section 3 (officer qualification 执法资格).
"""

from __future__ import annotations

from typing import Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import add_months, to_day

NAME: Final = "qualification-register"
_FORMS: Final = (NAME,)
_LEAST: Final = {"OFFICER": ("BASIC", "MEDIUM", "HIGH"), "UNIT_HEAD": ("MEDIUM", "HIGH"), "AUXILIARY": ("AUXILIARY",)}


def _find_repeated(annex: Annex, _: Scene) -> Faults:
    seen: set[str] = set()
    for at, row in enumerate(annex.data["officers"]):
        if row["officer_no"] in seen:
            yield f"/officers/{at}/officer_no"
        seen.add(row["officer_no"])


def _find_mismatch(annex: Annex, scene: Scene) -> Faults:
    months = 12 * scene.settings.qualification_years
    for at, row in enumerate(annex.data["officers"]):
        pointer = f"/officers/{at}"
        if row["level"] not in _LEAST[row["post"]]:
            yield f"{pointer}/level"
        if row["level"] == "AUXILIARY":
            continue
        missing = [name for name in ("obtained_on", "valid_to") if name not in row]
        yield from (f"{pointer}/{name}" for name in missing)
        if not missing and to_day(row["valid_to"]) > add_months(to_day(row["obtained_on"]), months):
            yield f"{pointer}/valid_to"


CHECKS: Final = (
    Check(ErrorCode.REGISTER_REPEATED, _FORMS, _find_repeated),
    Check(ErrorCode.QUALIFICATION_MISMATCH, _FORMS, _find_mismatch),
)
