"""Checks of the three on-the-spot reception: registered, evidence taken and receipt given in one visit.

Source: domain model, section 3 (three on-the-spot and enquiry); MPS 169-175; MPS Opinion 2015.
"""

from __future__ import annotations

from typing import Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import to_day, to_instant

NAME: Final = "reception"
_FORMS: Final = (NAME,)
_NAMING: Final = ("name", "phone", "id_number", "address")


def _find_late_receipt(annex: Annex, _: Scene) -> Faults:
    receipt, ended = annex.data["receipt"], to_instant(annex.data["visit_ended_at"])
    if receipt["delivery"] == "NOT_ISSUED" or "no" not in receipt:
        if receipt["delivery"] in ("SIGNED", "NOT_ISSUED"):
            yield "/receipt/no"
    elif "issued_at" not in receipt or to_instant(receipt["issued_at"]) > ended:
        yield "/receipt/issued_at"


def _find_unexplained_receipt(annex: Annex, _: Scene) -> Faults:
    receipt = annex.data["receipt"]
    if receipt["delivery"] != "SIGNED" and "note" not in receipt:
        yield "/receipt/note"


def _find_late_registration(annex: Annex, scene: Scene) -> Faults:
    registered = to_instant(annex.data["registered_at"])
    emergency = annex.data.get("emergency")
    if emergency is None:
        if registered > to_instant(annex.data["visit_ended_at"]):
            yield "/registered_at"
        return
    due = scene.limits.find("K02", to_instant(emergency["handling_ended_at"]))
    if due and due.is_past(registered):
        yield "/registered_at"


def _find_unsigned_evidence(annex: Annex, _: Scene) -> Faults:
    if annex.data["evidence"] and "evidence_signed_at" not in annex.data:
        yield "/evidence_signed_at"


def _find_named_reporter(annex: Annex, _: Scene) -> Faults:
    reporter = annex.data["reporter"]
    if reporter["protected"]:
        yield from (f"/reporter/{name}" for name in _NAMING if name in reporter)


def _find_repeat(annex: Annex, _: Scene) -> Faults:
    repeat = annex.data.get("repeat")
    if repeat and not repeat["new_facts"]:
        if "accepted_on" in annex.data:
            yield "/accepted_on"
        if "explained_at" not in repeat:
            yield "/repeat/explained_at"


def _find_no_code(annex: Annex, _: Scene) -> Faults:
    if {"WEB", "PHONE", "MESSAGE"} & set(annex.data["enquiry"]["methods"]) and "code" not in annex.data["enquiry"]:
        yield "/enquiry/code"


def _find_other_acceptance(annex: Annex, scene: Scene) -> Faults:
    if scene.case is None or scene.case.accepted_on is None or "accepted_on" not in annex.data:
        return
    if to_day(annex.data["accepted_on"]) != scene.case.accepted_on:
        yield "/accepted_on"


CHECKS: Final = (
    Check(ErrorCode.RECEIPT_NOT_ON_THE_SPOT, _FORMS, _find_late_receipt),
    Check(ErrorCode.RECEIPT_UNEXPLAINED, _FORMS, _find_unexplained_receipt),
    Check(ErrorCode.REGISTERED_LATE, _FORMS, _find_late_registration),
    Check(ErrorCode.EVIDENCE_UNSIGNED, _FORMS, _find_unsigned_evidence),
    Check(ErrorCode.REPORTER_NOT_MASKED, _FORMS, _find_named_reporter),
    Check(ErrorCode.REPEAT_REPORT, _FORMS, _find_repeat),
    Check(ErrorCode.ENQUIRY_CODE_MISSING, _FORMS, _find_no_code),
    Check(ErrorCode.ACCEPTANCE_MISMATCH, _FORMS, _find_other_acceptance),
)
