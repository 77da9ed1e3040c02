"""Rows of ``form_fault`` for recorder manifest, case-centre log and reception."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from gateway.core.case.case import Recording
from gateway.core.case.value import PartialDate
from tests.support.form_fault import Fault, june
from tests.support.form_scene import DELETE, OTHER_PERSON, agreeing_case, at

RECORDER: Final = "recorder-manifest"
CENTRE: Final = "case-centre-log"
RECEPTION: Final = "reception"
_FIRST, *_OTHERS = agreeing_case().persons
_SESSION: Final = "/visits/0/interrogations/0"
_SECOND_SESSION: Final = {
    "session_no": 2, "room": "R03", "start": june("02T11:59:00"), "end": june("02T12:10:00"),
    "officers": ["110001", "110002"], "recording_ids": ["REC-2"],
}  # fmt: skip

COMMON: Final = (
    Fault(code="PERIOD_INVERTED", form=RECORDER, path="/recordings/1/gaps/0/to",
          change={"/recordings/1/gaps/0/to": june("02T11:29:00")}),
    Fault(code="PERSON_NOT_IN_RECORD", form=CENTRE, path="/visits/0/person", within=True,
          change={"/visits/0/person": "R9"}),
    Fault(code="DOCUMENT_NOT_IN_RECORD", form=RECORDER, path="/recordings/1/transcript", within=True,
          change={"/recordings/1/transcript": "99"}),
    Fault(code="OFFICER_NOT_KNOWN", form=RECEPTION, path="/receiver", within=True, change={"/receiver": "119999"}),
    Fault(code="CASE_NUMBER_OTHER", form=RECORDER, path="/recordings/1/case_number", within=True,
          change={"/recordings/1/case_number": "A1101080000002024069999"}),
    Fault(code="OFFICER_NOT_QUALIFIED", form=CENTRE, path=f"{_SESSION}/officers/1", within=True,
          register={"110002": {"valid_to": "2024-06-01"}}),
    Fault(code="OFFICER_NOT_QUALIFIED", form=CENTRE, path=f"{_SESSION}/officers/0", within=True,
          register={"110001": {"level": "AUXILIARY"}}),
)  # fmt: skip

FAULTS: Final = (
    *COMMON,
    Fault(code="RECORDING_ID_REPEATED", form=RECORDER, path="/recordings/1/recording_id",
          change={"/recordings/1/recording_id": "REC-1"}),
    Fault(code="RECORDING_OVERLAP", form=RECORDER, path="/recordings/2/start",
          change={"/recordings/2/start": june("02T09:29:59"), "/recordings/2/duration_seconds": 1501}),
    Fault(code="CLOCK_DRIFT", form=RECORDER, path="/recordings/0/platform_offset_seconds",
          change={"/recordings/0/platform_offset_seconds": -61}),
    Fault(code="RECORDING_DURATION_MISMATCH", form=RECORDER, path="/recordings/0/duration_seconds",
          change={"/recordings/0/duration_seconds": 1861}),
    Fault(code="RECORDING_UPLOADED_LATE", form=RECORDER, path="/recordings/2/collected_at",
          change={"/recordings/2/collected_at": june("03T18:00:01")}),
    Fault(code="RETENTION_TOO_SHORT", form=RECORDER, path="/recordings/0/retain_until",
          change={"/recordings/0/retain_until": "2024-12-01"}),
    Fault(code="RETENTION_TOO_SHORT", form=RECORDER, path="/recordings/0/retain_until",
          change={"/recordings/0/retain_until": DELETE}),
    Fault(code="RETENTION_TOO_SHORT", form=RECORDER, path="/recordings/1/retain_until",
          change={"/recordings/1/retain_until": "2034-12-01"}),
    Fault(code="RECORDING_GAP_INVALID", form=RECORDER, path="/recordings/1/gaps/0/from",
          change={"/recordings/1/gaps/0": {"from": june("02T10:57:58"), "to": june("02T10:58:01")}}),
    Fault(code="GAP_WITHOUT_REASON", form=RECORDER, path="/recordings/1/gaps/0/reason",
          change={"/recordings/1/gaps/0/to": june("02T11:30:06")}),
    Fault(code="DEVICE_NOT_ASSIGNED", form=RECORDER, path="/recordings/1/device_sn",
          change={"/assignments/1/on": "2024-06-03"}),
    Fault(code="RECORDING_CUSTODY_ORDER", form=RECORDER, path="/recordings/0/custody_log/1/at",
          change={"/recordings/0/custody_log/1/at": june("02T18:19:00")}),
    Fault(code="RECORDING_DIGEST_MISMATCH", form=RECORDER, path="/recordings/1/sm3", within=True,
          change={"/recordings/1/sm3": "00" * 32}),
    Fault(code="RECORDING_DIGEST_MISMATCH", form=RECORDER, path="/recordings/1/sha256", within=True,
          case={"recordings": (
              Recording(device="BAZX-R03", start=at("02T10:58:00"), end=at("02T12:05:00"), sha256="ff" * 32),
          )}),
    Fault(code="RECORDING_MATERIAL_UNKNOWN", form=RECORDER, path="/recordings/1/material_id", within=True,
          change={"/recordings/1/material_id": "m9"}),
    Fault(code="RECORDING_NOT_LISTED", form=RECORDER, path="/recordings", within=True,
          case={"recordings": (
              Recording(device="DSJ-0009", start=at("02T10:58:00"), end=at("02T12:05:00"), sha256="ff" * 32),
          )}),
    Fault(code="RECORDING_OF_ACT_MISSING", form=RECORDER, path="/recordings", within=True,
          change={"/recordings/2/covers": "OTHER"}),
    Fault(code="RECORDING_OF_ACT_MISSING", form=RECORDER, path="/recordings", within=True,
          beside={RECEPTION: {"/on_site_checked_at": june("02T09:20:00")}}),
    Fault(code="STAGE_ORDER", form=CENTRE, path="/visits/0/body_check/at",
          change={"/visits/0/body_check/at": june("02T10:14:00")}),
    Fault(code="STAGE_ORDER", form=CENTRE, path="/visits/0/waits/0/from",
          change={"/visits/0/waits/0/from": june("02T10:34:00")}),
    Fault(code="STAGE_ORDER", form=CENTRE, path=f"{_SESSION}/end",
          change={"/visits/0/exited_at": june("02T11:59:00")}),
    Fault(code="INTERROGATION_ROOM", form=CENTRE, path=f"{_SESSION}/room", change={f"{_SESSION}/room": "W01"}),
    Fault(code="INTERROGATED_AFTER_DELIVERY", form=CENTRE, path=f"{_SESSION}/start",
          change={"/visits/0/delivered_at": june("02T10:59:00"), "/visits/0/detained_at": june("02T10:20:00")}),
    Fault(code="SAME_ROOM", form=CENTRE, path="/visits/0/interrogations/1/start",
          change={"/visits/0/interrogations/-": _SECOND_SESSION}),
    Fault(code="SUMMONS_TOO_LONG", form=CENTRE, path="/visits/0/summons/ended_at",
          change={"/visits/0/summons/ended_at": june("02T22:10:01")}),
    Fault(code="SUMMONS_TOO_LONG", form=CENTRE, path="/visits/0/summons/ended_at",
          change={"/visits/0/summons/ended_at": june("03T10:10:01"), "/visits/0/summons/extended": True,
                  "/visits/0/summons/approved_by": "110005"}),
    Fault(code="DELIVERY_TOO_LATE", form=CENTRE, path="/visits/0/delivered_at",
          change={"/visits/0/delivered_at": june("03T16:00:01")}),
    Fault(code="INTERROGATION_TOO_LATE", form=CENTRE, path="/visits/0/interrogations/1/start",
          change={"/visits/0/interrogations/-": {
              **_SECOND_SESSION, "room": "DC", "exception": "DETENTION_CENTRE",
              "start": june("03T16:00:01"), "end": june("03T17:00:00")}}),
    Fault(code="RECORDING_MISSING", form=CENTRE, path=f"{_SESSION}/recording_ids",
          change={f"{_SESSION}/recording_ids": []}),
    Fault(code="RECORDING_UNKNOWN", form=CENTRE, path=f"{_SESSION}/recording_ids/0", within=True,
          change={f"{_SESSION}/recording_ids": ["REC-9"]}),
    Fault(code="RECORDING_COVERAGE_GAP", form=CENTRE, path=f"{_SESSION}/recording_ids", within=True,
          beside={RECORDER: {"/recordings/1/gaps/0/to": june("02T11:30:40"), "/recordings/1/gaps/0/reason": "停电"}}),
    Fault(code="RECORDING_COVERAGE_GAP", form=CENTRE, path=f"{_SESSION}/recording_ids", within=True,
          beside={RECORDER: {"/recordings/1/end": june("02T11:58:00"), "/recordings/1/duration_seconds": 3600}}),
    Fault(code="AREA_VIDEO_GAP", form=CENTRE, path="/area_video/gaps/0",
          change={"/area_video/gaps/-": {"from": june("02T13:00:00"), "to": june("02T13:00:10")}}),
    Fault(code="AREA_VIDEO_GAP", form=CENTRE, path="/visits/0/entered_at",
          change={"/area_video/from": june("02T10:16:00")}),
    Fault(code="BODY_CHECK_SEX", form=CENTRE, path="/visits/0/body_check/officer_sex",
          change={"/visits/0/body_check/officer_sex": "FEMALE"}),
    Fault(code="REST_MISSING", form=CENTRE, path="/visits/0/rests", change={"/visits/0/rests": []}),
    Fault(code="MEASURE_MISMATCH", form=CENTRE, path="/visits/0/detained_at", within=True,
          change={"/visits/0/person": OTHER_PERSON}),
    *(Fault(code="INTERPRETER_MISSING", form=CENTRE, path=f"{_SESSION}/interpreter", within=True,
            case={"persons": (replace(_FIRST, **about), *_OTHERS)})
      for about in ({"health_deaf": True}, {"health_mute": True}, {"nation": "USA"})),
    Fault(code="APPROPRIATE_ADULT_MISSING", form=CENTRE, path=f"{_SESSION}/appropriate_adult", within=True,
          case={"persons": (replace(_FIRST, birth=PartialDate(2006, 6, 2)), *_OTHERS)}),
    Fault(code="RECEIPT_NOT_ON_THE_SPOT", form=RECEPTION, path="/receipt/issued_at",
          change={"/receipt/issued_at": june("02T09:30:01")}),
    Fault(code="RECEIPT_NOT_ON_THE_SPOT", form=RECEPTION, path="/receipt/no", change={"/receipt/no": DELETE}),
    Fault(code="RECEIPT_UNEXPLAINED", form=RECEPTION, path="/receipt/note", change={"/receipt/delivery": "REFUSED"}),
    Fault(code="REGISTERED_LATE", form=RECEPTION, path="/registered_at",
          change={"/registered_at": june("02T09:31:00")}),
    Fault(code="REGISTERED_LATE", form=RECEPTION, path="/registered_at",
          change={"/registered_at": june("03T08:00:01"), "/emergency": {"handling_ended_at": june("02T08:00:00")}}),
    Fault(code="EVIDENCE_UNSIGNED", form=RECEPTION, path="/evidence_signed_at",
          change={"/evidence_signed_at": DELETE}),
    Fault(code="REPORTER_NOT_MASKED", form=RECEPTION, path="/reporter/phone",
          change={"/reporter/phone": "13000000000"}),
    Fault(code="REPEAT_REPORT", form=RECEPTION, path="/repeat/explained_at",
          change={"/accepted_on": DELETE, "/repeat": {"of": "JB-1", "new_facts": False}}),
    Fault(code="REPEAT_REPORT", form=RECEPTION, path="/accepted_on",
          change={"/repeat": {"of": "JB-1", "new_facts": False, "explained_at": june("02T09:20:00")}}),
    Fault(code="ENQUIRY_CODE_MISSING", form=RECEPTION, path="/enquiry/code", change={"/enquiry/code": DELETE}),
    Fault(code="ACCEPTANCE_MISMATCH", form=RECEPTION, path="/accepted_on", within=True,
          case={"accepted_on": date(2024, 6, 3)}),
)  # fmt: skip
