"""All checks of all forms, in the order in which they are made."""

from __future__ import annotations

from itertools import chain
from typing import Final

from gateway.core.form import (
    alert,
    assessment,
    case_centre,
    common,
    court_session,
    custody,
    duty_lawyer,
    freeze,
    freeze_batch,
    legal_review,
    notice,
    owner,
    qualification,
    reception,
    recorder,
)
from gateway.core.form.definition import Check

CHECKS: Final[tuple[Check, ...]] = tuple(
    chain.from_iterable(
        module.CHECKS
        for module in (
            common,
            recorder,
            case_centre,
            reception,
            owner,
            legal_review,
            freeze,
            freeze_batch,
            court_session,
            duty_lawyer,
            assessment,
            custody,
            alert,
            qualification,
            notice,
        )
    )
)
