"""Checks of the first-contact owner chain and of a change of owner.

Source: domain model, section 3 (first-contact responsibility 首接责任制); MPS 175.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_instant

CHAIN: Final = "owner-chain"
CHANGE: Final = "owner-change"
_BOTH: Final = (CHAIN, CHANGE)


def _changes(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if annex.name == CHANGE:
        yield "", annex.data
    else:
        for at, change in enumerate(annex.data["changes"]):
            yield f"/changes/{at}", change


def _find_gap(annex: Annex, _: Scene) -> Faults:
    first = annex.data["first"]
    owner, since = {"unit_code": first["unit_code"], "officer": first["officer"]}, to_instant(first["at"])
    for pointer, change in _changes(annex):
        if change["from"] != owner:
            yield f"{pointer}/from"
        if to_instant(change["at"]) < since:
            yield f"{pointer}/at"
        if "accepted_by" in change and "accepted_at" in change:
            owner = {"unit_code": change["to"]["unit_code"], "officer": change["accepted_by"]}
            since = max(since, to_instant(change["accepted_at"]))


def _find_no_answer(annex: Annex, _: Scene) -> Faults:
    for pointer, change in _changes(annex):
        is_accepted = "accepted_by" in change and "accepted_at" in change
        is_refused = "refused_at" in change and "refusal_reason" in change
        if is_accepted == is_refused:
            yield f"{pointer}/accepted_by"


def _find_late(annex: Annex, scene: Scene) -> Faults:
    for pointer, change in _changes(annex):
        if "jurisdiction_found_at" in change:
            due = scene.limits.find("K05", to_instant(change["jurisdiction_found_at"]))
            if due and due.is_past(to_instant(change["at"])):
                yield f"{pointer}/at"


def _find_untold(annex: Annex, _: Scene) -> Faults:
    for pointer, change in _changes(annex):
        if change["reason"] == "JURISDICTION":
            yield from (
                f"{pointer}/{name}" for name in ("jurisdiction_found_at", "informer_told_at") if name not in change
            )


CHECKS: Final = (
    Check(ErrorCode.OWNER_GAP, (CHAIN,), _find_gap),
    Check(ErrorCode.OWNER_ANSWER_MISSING, _BOTH, _find_no_answer),
    Check(ErrorCode.HANDOVER_LATE, _BOTH, _find_late),
    Check(ErrorCode.INFORMER_NOT_TOLD, _BOTH, _find_untold),
)
