"""Rows of ``form_fault`` for statements."""

from __future__ import annotations

from functools import partial
from typing import Final

from gateway.core.form.definition import FormKind
from tests.support.form_fault import Fault, june
from tests.support.form_scene import DELETE

_Fault = partial(Fault, kind=FormKind.STATEMENT)
_CHANGE, _ALERTS, _DAILY = "owner-change", "alert-disposal", "daily-clearance"
_RENEWAL, _REGISTER, _ROTA = "freeze-renewal", "qualification-register", "duty-rota"
_NOTICE, _CORRECTION, _PROGRESS = "deadline-notice", "correction", "case-progress"

FAULTS: Final = (
    _Fault(code="OWNER_ANSWER_MISSING", form=_CHANGE, path="/accepted_by", change={"/accepted_at": DELETE}),
    _Fault(code="HANDOVER_LATE", form=_CHANGE, path="/at", change={"/jurisdiction_found_at": june("02T07:00:00")}),
    _Fault(code="INFORMER_NOT_TOLD", form=_CHANGE, path="/informer_told_at", change={"/informer_told_at": DELETE}),
    _Fault(code="REVIEWER_IS_HANDLER", form="legal-review", path="/reviewer", change={"/reviewer": "110001"}),
    _Fault(code="DISPOSAL_DUPLICATE", form=_ALERTS, path="/alerts/1/alert_no",
           change={"/alerts/1/alert_no": "110-2024-060201"}),
    _Fault(code="DISPOSAL_DUPLICATE", form=_ALERTS, path="/alerts/0/review_open",
           change={"/alerts/0/review_open": True}),
    _Fault(code="DISPOSAL_MISSING", form=_ALERTS, path="/alerts/1/disposal", change={"/alerts/1/review_open": False}),
    _Fault(code="DISPOSAL_MISSING", form=_ALERTS, path="/alerts/0/closed_at", change={"/alerts/0/closed_at": DELETE}),
    _Fault(code="SECOND_OFFICER_MISSING", form=_ALERTS, path="/alerts/2/second_officer",
           change={"/alerts/2/second_officer": "110001"}),
    _Fault(code="SECOND_OFFICER_MISSING", form=_ALERTS, path="/alerts/2/second_officer",
           change={"/alerts/2/second_officer": DELETE}),
    _Fault(code="DISPOSAL_LINK_MISSING", form=_ALERTS, path="/alerts/0/filed_case",
           change={"/alerts/0/filed_case": DELETE}),
    _Fault(code="DISPOSAL_LINK_MISSING", form=_ALERTS, path="/alerts/0/disposal_no",
           change={"/alerts/0/disposal": "MEDIATED", "/alerts/0/disposal_no": DELETE}),
    _Fault(code="PERIOD_INVERTED", form=_ALERTS, path="/alerts/0/closed_at",
           change={"/alerts/0/closed_at": june("02T08:49:00")}),
    _Fault(code="CLEARANCE_MISMATCH", form=_DAILY, path="/disposed", change={"/disposed": 19}),
    _Fault(code="CLEARANCE_MISMATCH", form=_DAILY, path="/zero", change={"/zero": True}),
    _Fault(code="CLEARANCE_MISMATCH", form=_DAILY, path="/open/0/age_days", change={"/open/0/age_days": 0}),
    _Fault(code="DISPOSAL_DUPLICATE", form=_DAILY, path="/open/1/alert_no", change={
        "/carried": 2,
        "/open/-": {"alert_no": "110-2024-060202", "classified": "CASE", "received_at": june("02T11:00:00"),
                    "age_days": 1}}),
    _Fault(code="RENEWAL_LATE", form=_RENEWAL, path="/decided_at",
           change={"/decided_at": "2024-11-23T09:00:00+08:00"}),
    _Fault(code="FREEZE_EXPIRY_TOO_LATE", form=_RENEWAL, path="/new_expiry", change={"/new_expiry": "2025-06-04"}),
    _Fault(code="REGISTER_REPEATED", form=_REGISTER, path="/officers/1/officer_no",
           change={"/officers/1/officer_no": "110001"}),
    _Fault(code="QUALIFICATION_MISMATCH", form=_REGISTER, path="/officers/0/level",
           change={"/officers/0/level": "BASIC"}),
    _Fault(code="QUALIFICATION_MISMATCH", form=_REGISTER, path="/officers/2/level",
           change={"/officers/2/post": "OFFICER"}),
    _Fault(code="QUALIFICATION_MISMATCH", form=_REGISTER, path="/officers/1/valid_to",
           change={"/officers/1/valid_to": "2027-01-02"}),
    _Fault(code="QUALIFICATION_MISMATCH", form=_REGISTER, path="/officers/1/obtained_on",
           change={"/officers/1/obtained_on": DELETE}),
    _Fault(code="HELP_OUTSIDE_ROTA", form=_ROTA, path="/rota/1/from",
           change={"/rota/1/from": june("14T17:00:00"), "/rota/1/to": june("14T20:00:00")}),
    _Fault(code="LICENCE_EXPIRED", form=_ROTA, path="/rota/1/licence_valid_to",
           change={"/rota/1/licence_valid_to": "2024-06-14"}),
    _Fault(code="DEADLINE_MISMATCH", form=_NOTICE, path="/due", change={"/due": "2026-02-21"}),
    _Fault(code="DEADLINE_MISMATCH", form=_NOTICE, path="/due", change={"/in_custody": False}),
    _Fault(code="DEADLINE_MISMATCH", form=_NOTICE, path="/clock", change={"/clock": "K99"}),
    _Fault(code="DEADLINE_MISMATCH", form=_NOTICE, path="/supervisor", change={"/level": "BREACHED"}),
    _Fault(code="DEADLINE_MISMATCH", form=_NOTICE, path="/document_no", change={"/level": "EXTENDED"}),
    _Fault(code="CORRECTION_NOT_APPROVED", form=_CORRECTION, path="/approver", change={"/approver": "110001"}),
    _Fault(code="PROGRESS_REMEDY", form=_PROGRESS, path="/remedy_until", change={"/remedy_until": DELETE}),
    _Fault(code="PROGRESS_REMEDY", form=_PROGRESS, path="/next_remedy",
           change={"/stage": "FILED", "/remedy_until": DELETE}),
)  # fmt: skip
