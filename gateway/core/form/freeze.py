"""Checks of the list of frozen funds: filing, terms, verification, record; what a batch needs is in ``freeze_batch``.

Source: domain model, section 3 (freezing of funds 资金冻结); MPS 239-247; Freezing Rules 2024.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_day, to_instant

NAME: Final = "freeze-list"
RENEWAL: Final = "freeze-renewal"
_FORMS: Final = (NAME,)


def _freezes(annex: Annex) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((f"/freezes/{at}", freeze) for at, freeze in enumerate(annex.data["freezes"]))


def _find_before_filing(annex: Annex, scene: Scene) -> Faults:
    filed = to_day(annex.data["filed_on"])
    if scene.case is not None and scene.case.filed_on is not None:
        filed = max(filed, to_day(scene.case.filed_on.isoformat()))
    for pointer, freeze in _freezes(annex):
        # A renewed freeze began with a term that is not in the list.
        if freeze["renewal_no"] == 0 and to_day(freeze["start"]) < filed:
            yield f"{pointer}/start"


def _find_duplicate(annex: Annex, _: Scene) -> Faults:
    frozen: set[tuple[str, str]] = set()
    for pointer, freeze in _freezes(annex):
        account = (freeze["bank"], freeze["account"])
        if "lifted_at" in freeze or "queue_no" in freeze:
            continue
        if account in frozen:
            yield f"{pointer}/account"
        frozen.add(account)


def _find_long(annex: Annex, scene: Scene) -> Faults:
    if annex.name == RENEWAL:
        start: Any = to_day(annex.data["old_expiry"])
        terms = [("/new_expiry", annex.data, start, annex.data["new_expiry"])]
    else:
        terms = [
            (f"{pointer}/expiry", freeze, to_instant(freeze["start"]), freeze["expiry"])
            for pointer, freeze in _freezes(annex)
        ]
    counted: dict[Any, Any] = {}
    for pointer, freeze, begun, expiry in terms:
        # Freezes of one request begin together, and a list has hundreds of them.
        key = (to_day(begun.isoformat()), freeze["asset"], freeze["approver"])
        if key not in counted:
            counted[key] = scene.limits.find("K42", begun, {"asset": freeze["asset"], "approver": freeze["approver"]})
        if counted[key] and counted[key].is_past(to_day(expiry)):
            yield pointer


def _find_unverified(annex: Annex, scene: Scene) -> Faults:
    for pointer, freeze in _freezes(annex):
        if freeze["kind"] == "WHOLE" and "lifted_at" not in freeze:
            extension = "continued" if freeze.get("verification_continued") else ""
            due = scene.limits.find("K43", to_instant(freeze["start"]), {"step": "VERIFY"}, extension=extension)
            if due and due.is_past(_to_moment(freeze.get("verified_at"), scene)):
                yield f"{pointer}/verified_at"
        if "unrelated_found_at" in freeze:
            due = scene.limits.find("K43", to_instant(freeze["unrelated_found_at"]), {"step": "LIFT_UNRELATED"})
            if due and due.is_past(_to_moment(freeze.get("unrelated_lifted_at"), scene)):
                yield f"{pointer}/unrelated_lifted_at"


def _to_moment(text: str | None, scene: Scene) -> Any:
    """When it was done; what is not done yet is judged at the beginning of the day of the proceeding."""
    if text is not None:
        return to_instant(text)
    return scene.on - timedelta(days=1)


def _find_other_total(annex: Annex, scene: Scene) -> Faults:
    total = sum(freeze["amount_fen"] for _, freeze in _freezes(annex) if "lifted_at" not in freeze)
    recorded = scene.case.freeze_total if scene.case else None
    if annex.data["total_fen"] != total or recorded not in (None, annex.data["total_fen"]):
        yield "/total_fen"
    seized, listed = annex.data.get("seized_total_fen"), scene.case.property_total if scene.case else None
    if None not in (seized, listed) and seized != listed:
        yield "/seized_total_fen"


def _find_unrecorded(annex: Annex, scene: Scene) -> Faults:
    if scene.case is None:
        return
    recorded = Counter((freeze.account, freeze.amount) for freeze in scene.case.freezes)
    for pointer, freeze in _freezes(annex):
        key = (freeze["account"], freeze["amount_fen"])
        if "lifted_at" in freeze:
            continue
        if recorded[key] == 0:
            yield f"{pointer}/account"
        recorded[key] -= 1


def _find_unlisted(annex: Annex, scene: Scene) -> Faults:
    if scene.case is not None:
        listed = {freeze["account"] for data in scene.of(NAME) for freeze in data["freezes"]}
        if any(freeze.account not in listed for freeze in scene.case.freezes):
            yield "/freezes"


def _find_ending(annex: Annex, scene: Scene) -> Faults:
    days = scene.settings.receiver_limit_days + scene.settings.renewal_lead_days
    for pointer, freeze in _freezes(annex):
        if "lifted_at" not in freeze and to_day(freeze["expiry"]) < scene.on + timedelta(days=days):
            yield f"{pointer}/expiry"


def _find_late_renewal(annex: Annex, scene: Scene) -> Faults:
    last = to_day(annex.data["old_expiry"]) - timedelta(days=scene.settings.renewal_lead_days)
    decided: datetime = to_instant(annex.data["decided_at"])
    if to_day(decided.isoformat()) > last:
        yield "/decided_at"


CHECKS: Final = (
    Check(ErrorCode.FREEZE_BEFORE_FILING, _FORMS, _find_before_filing),
    Check(ErrorCode.FREEZE_DUPLICATE, _FORMS, _find_duplicate),
    Check(ErrorCode.FREEZE_EXPIRY_TOO_LATE, (NAME, RENEWAL), _find_long),
    Check(ErrorCode.FREEZE_NOT_VERIFIED, _FORMS, _find_unverified),
    Check(ErrorCode.FREEZE_TOTAL_MISMATCH, _FORMS, _find_other_total),
    Check(ErrorCode.FREEZE_NOT_IN_RECORD, _FORMS, _find_unrecorded),
    Check(ErrorCode.FREEZE_NOT_LISTED, _FORMS, _find_unlisted),
    Check(ErrorCode.FREEZE_EXPIRES_SOON, _FORMS, _find_ending),
    Check(ErrorCode.RENEWAL_LATE, (RENEWAL,), _find_late_renewal),
)
