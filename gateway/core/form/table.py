"""All checks of all forms, in the order in which they are made."""

from __future__ import annotations

from itertools import chain
from typing import Final

from gateway.core.form import case_centre, common, reception, recorder
from gateway.core.form.definition import Check

CHECKS: Final[tuple[Check, ...]] = tuple(
    chain(
        common.CHECKS,
        recorder.CHECKS,
        case_centre.CHECKS,
        reception.CHECKS,
    )
)
