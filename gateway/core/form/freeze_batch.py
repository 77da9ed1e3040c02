"""What freezes of many accounts or large sums need: legal review, county and city heads, notice to the other city.

Source: domain model, section 3 (freezing of funds 资金冻结); Freezing Rules 2024.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.legal_review import AGREES
from gateway.core.form.legal_review import NAME as LEGAL_REVIEW
from gateway.core.form.period import to_instant

_FORMS: Final = ("freeze-list",)


def needs_approval(data: Mapping[str, Any], scene: Scene) -> bool:
    """Whether a list of freezes reaches a threshold from which it needs review and two approvals.

    Args:
        data: of a freeze list.
        scene: with the thresholds.

    Returns:
        True from the threshold on: accounts of one request or of the case, whole accounts, or one account of a
        telecom fraud above its amount.
    """
    limits, freezes = scene.settings, data["freezes"]
    once = Counter(freeze["request_no"] for freeze in freezes)
    whole = [freeze for freeze in freezes if freeze["kind"] == "WHOLE"]
    once_whole = Counter(freeze["request_no"] for freeze in whole)
    return (
        max(once.values(), default=0) >= limits.batch_once
        or len(freezes) >= limits.batch_total
        or max(once_whole.values(), default=0) >= limits.batch_once_whole
        or len(whole) >= limits.batch_total_whole
        or (data["telecom_fraud"] and any(freeze["amount_fen"] > limits.telecom_account_fen for freeze in freezes))
    )


def _find_unapproved(annex: Annex, scene: Scene) -> Faults:
    if not needs_approval(annex.data, scene):
        return
    review_id = annex.data.get("review_id")
    agreeing = {
        review["review_id"]
        for review in scene.of(LEGAL_REVIEW)
        if review["object"] == "FREEZE" and review["opinion"] in AGREES
    }
    # Alone nobody can see the review; in a bundle it must be there and agree.
    if review_id is None or (scene.case is not None and review_id not in agreeing):
        yield "/review_id"
    yield from (f"/{name}" for name in ("county_approval", "city_approval") if name not in annex.data)


def _find_untold_city(annex: Annex, scene: Scene) -> Faults:
    limits, own = scene.settings, annex.data["unit_code"][:4]
    accounts: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for freeze in annex.data["freezes"]:
        accounts[freeze["city"]] += 1
        amounts[freeze["city"]] += freeze["amount_fen"]
    notices = {notice["city"]: (at, notice) for at, notice in enumerate(annex.data["city_notices"])}
    for city in sorted(accounts):
        is_large = accounts[city] > limits.city_accounts or amounts[city] > limits.city_fen
        if city == own or not is_large:
            continue
        if city not in notices:
            yield "/city_notices"
            continue
        first = min(to_instant(freeze["start"]) for freeze in annex.data["freezes"] if freeze["city"] == city)
        at, notice = notices[city]
        if to_instant(notice["sent_at"]) > first + timedelta(days=limits.city_notice_days):
            yield f"/city_notices/{at}/sent_at"


CHECKS: Final = (
    Check(ErrorCode.FREEZE_BATCH_UNAPPROVED, _FORMS, _find_unapproved),
    Check(ErrorCode.FREEZE_NOTICE_MISSING, _FORMS, _find_untold_city),
)
