"""Rows of ``form_fault`` for owner chain, legal review, freezes, court session, lawyers, assessment and custody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from gateway.core.case.case import LegalHelp
from tests.support.form_fault import Fault, june
from tests.support.form_scene import DELETE, OTHER_PERSON, PERSON, agreeing_case

OWNER: Final = "owner-chain"
REVIEW: Final = "legal-review"
FREEZE: Final = "freeze-list"
SESSION: Final = "court-session"
LAWYER: Final = "duty-lawyer"
ASSESSMENT: Final = "assessment-routing"
CUSTODY: Final = "custody-transfer"
HEARING: Final = "hearing-recording"

_FIRST, _SECOND = agreeing_case().persons
_RETAINER: Final = LegalHelp(kind="RETAINED", name="律师丁", licence="11101200010000001")
_BATCH: Final = {"batch_once": 2}
_CITY: Final = {"city_fen": 100_000}

FAULTS: Final = (
    Fault(code="OWNER_GAP", form=OWNER, path="/changes/1/from", change={"/changes/1/from/officer": "110001"}),
    Fault(code="OWNER_GAP", form=OWNER, path="/changes/1/at", change={"/changes/1/at": june("02T09:44:00")}),
    Fault(code="OWNER_GAP", form=OWNER, path="/changes/1/from",
          change={"/changes/0/accepted_by": DELETE, "/changes/0/accepted_at": DELETE,
                  "/changes/0/refused_at": june("02T09:45:00"), "/changes/0/refusal_reason": "无管辖权"}),
    Fault(code="OWNER_ANSWER_MISSING", form=OWNER, path="/changes/1/accepted_by",
          change={"/changes/1/refusal_reason": DELETE}),
    Fault(code="OWNER_ANSWER_MISSING", form=OWNER, path="/changes/1/accepted_by",
          change={"/changes/1/accepted_by": "110004", "/changes/1/accepted_at": june("03T08:06:00")}),
    Fault(code="HANDOVER_LATE", form=OWNER, path="/changes/1/at",
          change={"/changes/1/jurisdiction_found_at": june("02T07:59:59")}),
    Fault(code="INFORMER_NOT_TOLD", form=OWNER, path="/changes/1/informer_told_at",
          change={"/changes/1/reason": "JURISDICTION", "/changes/1/jurisdiction_found_at": june("02T20:00:00")}),
    Fault(code="REVIEWER_IS_HANDLER", form=REVIEW, path="/reviewer", change={"/reviewer": "110002"}),
    Fault(code="REVIEW_LATE", form=REVIEW, path="/reviewed_at", change={"/submitted_at": june("02T07:59:59")}),
    Fault(code="REVIEW_CHECKLIST_FAILED", form=REVIEW, path="/opinion", change={"/checklist/0/result": "FAIL"}),
    Fault(code="REVIEW_NOT_BEFORE_ACT", form=REVIEW, path="/reviewed_at", within=True,
          change={"/object": "TRANSFER", "/reviewed_at": june("10T16:00:01"), "/submitted_at": june("10T15:00:00")},
          beside={FREEZE: {"/review_id": "FZ-OTHER"}}),
    Fault(code="REVIEW_NOT_BEFORE_ACT", form=REVIEW, path="/opinion", within=True,
          change={"/object": "TRANSFER", "/opinion": "DISAGREE"}),
    Fault(code="REVIEW_NOT_BEFORE_ACT", form=REVIEW, path="/reviewed_at", within=True,
          change={"/reviewed_at": june("03T10:00:01")}),
    Fault(code="FREEZE_BEFORE_FILING", form=FREEZE, path="/freezes/0/start",
          change={"/freezes/0/start": june("01T23:59:59"), "/freezes/0/expiry": "2024-11-30"}),
    Fault(code="FREEZE_BEFORE_FILING", form=FREEZE, path="/freezes/0/start", within=True,
          case={"filed_on": date(2024, 6, 3)},
          change={"/freezes/0/start": june("02T10:00:00"), "/review_id": DELETE}),
    Fault(code="FREEZE_DUPLICATE", form=FREEZE, path="/freezes/1/account",
          change={"/freezes/1/account": "6222020000000001"}),
    Fault(code="FREEZE_EXPIRY_TOO_LATE", form=FREEZE, path="/freezes/0/expiry",
          change={"/freezes/0/expiry": "2024-12-04"}),
    Fault(code="FREEZE_NOT_VERIFIED", form=FREEZE, path="/freezes/1/verified_at",
          change={"/freezes/1/verified_at": june("03T10:00:00").replace("-06-", "-07-").replace("03T", "04T")}),
    Fault(code="FREEZE_NOT_VERIFIED", form=FREEZE, path="/freezes/1/unrelated_lifted_at",
          change={"/freezes/1/unrelated_found_at": june("03T10:00:00"),
                  "/freezes/1/unrelated_lifted_at": june("07T10:00:00")}),
    Fault(code="FREEZE_NOT_VERIFIED", form=FREEZE, path="/freezes/1/unrelated_lifted_at",
          change={"/freezes/1/unrelated_found_at": june("03T10:00:00"), "/freezes/1/unrelated_lifted_at": DELETE}),
    Fault(code="FREEZE_BATCH_UNAPPROVED", form=FREEZE, path="/city_approval", settings=_BATCH,
          change={"/city_approval": DELETE}),
    Fault(code="FREEZE_BATCH_UNAPPROVED", form=FREEZE, path="/county_approval", settings={"batch_total": 2},
          change={"/county_approval": DELETE}),
    Fault(code="FREEZE_BATCH_UNAPPROVED", form=FREEZE, path="/review_id", settings={"batch_once_whole": 1},
          change={"/review_id": DELETE}),
    Fault(code="FREEZE_BATCH_UNAPPROVED", form=FREEZE, path="/review_id", settings={"batch_total_whole": 1},
          change={"/review_id": DELETE}),
    Fault(code="FREEZE_BATCH_UNAPPROVED", form=FREEZE, path="/review_id", settings={"telecom_account_fen": 299_999},
          change={"/review_id": DELETE, "/telecom_fraud": True}),
    Fault(code="FREEZE_BATCH_UNAPPROVED", form=FREEZE, path="/review_id", within=True, settings=_BATCH,
          without=(REVIEW,)),
    Fault(code="FREEZE_NOTICE_MISSING", form=FREEZE, path="/city_notices", settings=_CITY,
          change={"/city_notices": []}),
    Fault(code="FREEZE_NOTICE_MISSING", form=FREEZE, path="/city_notices/0/sent_at", settings={"city_accounts": 0},
          change={"/city_notices/0/sent_at": june("10T10:00:01")}),
    Fault(code="FREEZE_TOTAL_MISMATCH", form=FREEZE, path="/total_fen", change={"/total_fen": 500_001}),
    Fault(code="FREEZE_TOTAL_MISMATCH", form=FREEZE, path="/total_fen", within=True, case={"freeze_total": 499_999}),
    Fault(code="FREEZE_TOTAL_MISMATCH", form=FREEZE, path="/seized_total_fen", within=True,
          case={"property_total": 99_999}),
    Fault(code="FREEZE_NOT_IN_RECORD", form=FREEZE, path="/freezes/1/account", within=True,
          case={"freezes": (agreeing_case().freezes[0],)}),
    Fault(code="FREEZE_NOT_LISTED", form=FREEZE, path="/freezes", within=True,
          case={"freezes": (*agreeing_case().freezes, replace(agreeing_case().freezes[0], account="6222029"))}),
    Fault(code="FREEZE_EXPIRES_SOON", form=FREEZE, path="/freezes/0/expiry",
          change={"/freezes/0/expiry": "2024-10-14"}),
    Fault(code="SESSION_OVERLAP", form=SESSION, path="/hearings/1/start",
          change={"/hearings/1/start": june("20T09:07:59")}),
    Fault(code="SESSION_ORDER", form=SESSION, path="/hearings/1/order", change={"/hearings/1/order": 1}),
    Fault(code="SESSION_OUTCOME", form=SESSION, path="/hearings/0/in_court_judgment",
          change={"/hearings/0/in_court_judgment": False}),
    Fault(code="SESSION_OUTCOME", form=SESSION, path="/hearings/0/judgment_at",
          change={"/hearings/0/judgment_at": DELETE}),
    *(
        Fault(code="HEARING_STEP_MISSING", form=SESSION, path=f"/hearings/1/{step}",
              change={f"/hearings/1/{step}": False})
        for step in ("consent_asked", "voluntariness_verified", "defender_heard", "last_statement_heard")
    ),
    Fault(code="JUDGMENT_OUTSIDE_HEARING", form=SESSION, path="/hearings/0/judgment_at",
          change={"/hearings/0/judgment_at": june("20T09:08:01")}),
    Fault(code="JUDGMENT_OUTSIDE_HEARING", form=SESSION, path="/hearings/0/conversion/at",
          change={"/hearings/0/in_court_judgment": False, "/hearings/0/judgment_at": DELETE,
                  "/hearings/0/conversion": {"to": "SUMMARY", "at": june("20T09:30:00"), "reason": "否认事实"}}),
    Fault(code="JUDGMENT_MISMATCH", form=SESSION, path="/hearings/1/judgment_at", within=True,
          case={"judgment_on": date(2024, 6, 21)}),
    Fault(code="JUDGMENT_MISMATCH", form=SESSION, path="/hearings", within=True,
          change={"/hearings/1/case_number": DELETE}),
    Fault(code="LAWYER_CONFLICT", form=LAWYER, path="/helps/0/licence",
          change={"/retained/0/licence": "11101200010000001"}),
    Fault(code="LAWYER_CONFLICT", form=LAWYER, path="/helps/0/licence", within=True,
          case={"persons": (_FIRST, replace(_SECOND, legals=(_RETAINER,)))}),
    Fault(code="LICENCE_EXPIRED", form=LAWYER, path="/rota/0/licence_valid_to",
          change={"/rota/0/licence_valid_to": "2024-06-13", "/helps": [], "/presences": []}),
    Fault(code="HELP_OUTSIDE_ROTA", form=LAWYER, path="/helps/0/at", change={"/helps/0/at": june("13T09:30:00")}),
    Fault(code="PRESENCE_OUTSIDE_SIGNING", form=LAWYER, path="/presences/0/from",
          change={"/presences/0/from": june("14T10:10:01")}),
    Fault(code="PRESENCE_OUTSIDE_SIGNING", form=LAWYER, path="/presences/0/signing_to",
          change={"/presences/0/signing_to": june("14T10:09:00")}),
    Fault(code="FILE_READ_TOO_EARLY", form=LAWYER, path="/helps/0/file_access",
          change={"/helps/0/stage": "INVESTIGATION"}),
    Fault(code="RECOGNIZANCE_MISMATCH", form=LAWYER, path="/presences/0/licence", within=True,
          case={"persons": (replace(_FIRST, recognizance_licence="11101200010000008"), _SECOND)}),
    Fault(code="RECOGNIZANCE_MISMATCH", form=LAWYER, path="/presences/0/signing_from", within=True,
          case={"persons": (replace(_FIRST, recognizance_on=date(2024, 6, 15)), _SECOND)}),
    Fault(code="ASSESSMENT_WRONG_COUNTY", form=ASSESSMENT, path="/correction_agency",
          change={"/correction_agency": "ja:110105"}),
    Fault(code="ASSESSMENT_WRONG_COUNTY", form=ASSESSMENT, path="/residence_division", within=True,
          case={"persons": (replace(_FIRST, residence_division="110105"), _SECOND)}),
    Fault(code="ASSESSMENT_ROUTING", form=ASSESSMENT, path="/routed_to", change={"/routed_to": "ps:110108"}),
    Fault(code="ASSESSMENT_ROUTING", form=ASSESSMENT, path="/copies_to", change={"/copies_to": []}),
    Fault(code="ASSESSMENT_LATE", form=ASSESSMENT, path="/due_on", change={"/due_on": "2024-06-14"}),
    Fault(code="ASSESSMENT_LATE", form=ASSESSMENT, path="/completed_at",
          change={"/completed_at": june("14T10:00:00")}),
    Fault(code="ASSESSMENT_INCOMPLETE", form=ASSESSMENT, path="/result", change={"/result": DELETE}),
    Fault(code="ASSESSMENT_INCOMPLETE", form=ASSESSMENT, path="/refused_reason", change={"/result": "REFUSED"}),
    Fault(code="CUSTODY_TRANSFER_ORDER", form=CUSTODY, path="/sent_at", change={"/sent_at": june("10T16:00:00")}),
    Fault(code="CUSTODY_TERM", form=CUSTODY, path="/kind", change={"/reason": "EXTENSION"}),
    Fault(code="CUSTODY_TERM", form=CUSTODY, path="/term_until",
          change={"/reason": "EXTENSION", "/kind": "TERM_CHANGE", "/term_until": DELETE}),
    Fault(code="DETAINEE_NUMBER_INVALID", form=CUSTODY, path="/detainee_no",
          change={"/detainee_no": "110108111202406310007"}),
    Fault(code="DETAINEE_NUMBER_INVALID", form=CUSTODY, path="/person", within=True,
          change={"/person": OTHER_PERSON}),
    Fault(code="SIGNING_NOT_RECORDED", form=HEARING, path="/recordings/0/signing_from",
          change={"/recordings/0/signing_from": june("14T09:57:00")}),
    Fault(code="SIGNING_NOT_RECORDED", form=HEARING, path="/recordings/0/signing_from",
          change={"/recordings/0/gaps/0": {"from": june("14T10:11:00"), "to": june("14T10:12:00"), "reason": "断电"}}),
    Fault(code="RECORDING_DIGEST_MISMATCH", form=HEARING, path="/recordings/0/bytes", within=True,
          change={"/recordings/0/bytes": 299_999_999}),
    Fault(code="PERSON_NOT_IN_RECORD", form=HEARING, path="/recordings/0/person", within=True,
          change={"/recordings/0/person": PERSON + "9"}),
)  # fmt: skip
