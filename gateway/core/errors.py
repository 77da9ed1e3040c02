"""Every code by which the gateway refuses something, and the one exception that carries the findings.

A code is a number and a name; neither is ever reused or renumbered, because callers in other languages and ledger
entries written years ago keep them. A retired code stays in this table with the word *retired* in its line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from uuid import UUID


class Severity(StrEnum):
    """How much a finding weighs: an ``error`` refuses, a ``warning`` does not."""

    ERROR = "error"
    WARNING = "warning"


class ErrorCode(IntEnum):
    """Numbers by subject: 10xx caller, 11xx signature, 12xx manifest, 13xx bundle, 14xx lifecycle, 15xx request,
    16xx material, 17xx time stamp, 18xx clock, 19xx system, 20xx record (closed list of the agency interfaces,
    section 8), 21xx checkpoint, 22xx destruction of cases, 23xx statement, 24xx form, 25xx eligibility, 26xx documents
    and acts (by rule, the last two digits 90 for what is not known), 27xx visibility and enquiry."""

    CALLER_UNIDENTIFIED = 1001
    METHOD_NOT_ALLOWED = 1002
    CALLER_NOT_SENDER = 1003
    NOT_A_PARTY = 1004

    JWS_MALFORMED = 1101
    JWS_TYPE_WRONG = 1102
    ALGORITHM_NOT_ALLOWED = 1103
    CRITICAL_HEADER_UNKNOWN = 1104
    CERTIFICATE_CHAIN_INVALID = 1105
    CERTIFICATE_NOT_VALID_NOW = 1106
    KEY_USAGE_WRONG = 1107
    KEY_NOT_REGISTERED = 1108
    KEY_REVOKED = 1109
    THUMBPRINT_MISMATCH = 1110
    SIGNATURE_INVALID = 1111
    SIGNER_NOT_CALLER = 1112
    ALGORITHM_UNAVAILABLE = 1113

    MANIFEST_MALFORMED = 1201
    MANIFEST_DUPLICATE_KEY = 1202
    MANIFEST_FIELD_MISSING = 1203
    MANIFEST_FIELD_INVALID = 1204
    MANIFEST_FIELD_UNKNOWN = 1205
    MANIFEST_TOO_DEEP = 1206
    MANIFEST_TOO_LARGE = 1207
    MANIFEST_FROM_FUTURE = 1208

    RECORD_TOO_LARGE = 1301
    RECORD_DIGEST_MISMATCH = 1302
    RECORD_MISSING = 1303
    SCHEMA_VERSION_UNKNOWN = 1304
    MATERIAL_MISSING = 1305
    MATERIAL_NOT_LISTED = 1306
    MANIFEST_RECORD_MISMATCH = 1307
    ROUTE_NOT_ALLOWED = 1308
    BUNDLE_ID_REUSED = 1309
    IDEMPOTENCY_KEY_REUSED = 1310
    REPLY_UNKNOWN = 1311
    ENCODING_NOT_OF_SCHEMA = 1312
    REPLY_NOT_ASKED = 1313
    REPLY_OF_OTHER_KIND = 1314

    TRANSITION_NOT_ALLOWED = 1401
    HANDOFF_UNKNOWN = 1402
    ALREADY_DECIDED = 1403
    NOT_CLAIMED = 1404
    LEASE_EXPIRED = 1405
    LEASE_HELD = 1406
    ALREADY_WITHDRAWN = 1407
    NOT_FETCHED = 1408
    DECISION_INCOMPLETE = 1409
    FILE_NOT_HELD = 1410
    ACT_ID_REUSED = 1411
    PERSON_UNKNOWN = 1412
    PERSON_HAS_LEFT = 1413
    PERSON_LEFT_BEHIND = 1414
    TRACK_NOT_ALLOWED = 1415
    ACT_NOT_BY_ISSUER = 1416
    NOBODY_LEFT = 1417
    LINK_UNKNOWN = 1418

    ARGUMENT_INVALID = 1501
    ARGUMENT_OUT_OF_RANGE = 1502
    PAGE_TOKEN_INVALID = 1503

    MATERIAL_UNKNOWN = 1601
    MATERIAL_DIGEST_MISMATCH = 1602
    MATERIAL_SIZE_MISMATCH = 1603
    UPLOAD_OFFSET_WRONG = 1604
    MATERIAL_TOO_LARGE = 1605

    TIMESTAMP_UNAVAILABLE = 1701
    TIMESTAMP_REFUSED = 1702
    TIMESTAMP_INVALID = 1703

    CALENDAR_YEAR_MISSING = 1801
    CLOCK_UNKNOWN = 1802
    CLOCK_START_INVALID = 1803
    CLOCK_INPUT_MISSING = 1804
    CLOCK_INPUT_INVALID = 1805
    CLOCK_NOT_IN_FORCE = 1806
    CLOCK_ALREADY_RUNNING = 1807
    CLOCK_NOT_RUNNING = 1808
    CLOCK_ACT_NOT_ALLOWED = 1809
    CLOCK_ACT_TOO_LATE = 1810
    CLOCK_ACT_OUT_OF_ORDER = 1811
    CLOCK_RUNS_EXHAUSTED = 1812
    CLOCK_NOT_PASSED = 1813

    QUEUE_FULL = 1901
    LEDGER_UNAVAILABLE = 1902
    INTERNAL = 1903
    SHUTTING_DOWN = 1904
    VAULT_UNAVAILABLE = 1905

    ENCODING_MISMATCH = 2001
    CONTROL_CHARACTER = 2002
    DOCTYPE_FORBIDDEN = 2003
    NOT_WELL_FORMED = 2004
    DUPLICATE_KEY = 2005
    UNKNOWN_VERSION = 2006
    KIND_NOT_ROUTED = 2007
    PARTY_MISMATCH = 2008
    REPEATED_FIELD = 2009
    MISSING_FIELD = 2010
    BAD_FORMAT = 2011
    CODE_NOT_IN_TABLE = 2012
    BAD_CHECK_DIGIT = 2013
    AMOUNT_WITHOUT_UNIT = 2014
    DUPLICATE_PERSON_KEY = 2015
    DUPLICATE_DOCUMENT_KEY = 2016
    DANGLING_REFERENCE = 2017
    COUNT_MISMATCH = 2018
    END_BEFORE_START = 2019
    GAP_OUTSIDE_RECORDING = 2020
    GAPS_OVERLAP = 2021
    SEALED_IDENTITY_PRESENT = 2022
    BIRTH_CONFLICTS_ID = 2023
    SUM_MISMATCH = 2024
    BOM_PRESENT = 2025
    UNKNOWN_FIELD = 2026
    FIELD_NOT_IN_KIND = 2027
    CODE_UNKNOWN = 2028
    CODE_NAME_CONFLICT = 2029
    PLACEHOLDER_VALUE = 2030
    BIRTH_UNKNOWN = 2031
    SEX_CONFLICTS_ID = 2032
    SAME_NAME_PERSONS = 2033
    PLEA_INCONSISTENT = 2034
    MEASURE_ORDER = 2035
    DERIVED_CONFLICT = 2036
    RECORD_LIMIT_EXCEEDED = 2090

    CHECKPOINT_UNKNOWN = 2101
    WITNESS_UNKNOWN = 2102
    COSIGNATURE_INVALID = 2103

    CASE_DESTROYED = 2201
    CASE_UNKNOWN = 2202
    CASE_KEY_MISSING = 2203
    SEAL_BROKEN = 2204

    STATEMENT_MALFORMED = 2301
    STATEMENT_TOO_LARGE = 2302
    STATEMENT_FIELD_MISSING = 2303
    STATEMENT_FIELD_INVALID = 2304
    STATEMENT_FIELD_UNKNOWN = 2305
    STATEMENT_TYPE_UNKNOWN = 2306
    STATEMENT_NOT_FOR_ISSUER = 2307
    STATEMENT_CASE_MISSING = 2308
    STATEMENT_CASE_NOT_ALLOWED = 2309
    STATEMENT_FROM_FUTURE = 2310
    STATEMENT_TOO_OLD = 2311
    CALLER_NOT_ISSUER = 2312
    STATEMENT_ID_REUSED = 2313
    STATEMENT_UNKNOWN = 2314
    STATEMENT_NOT_BY_PARTY = 2315
    STATEMENTS_TOO_MANY = 2316

    FORM_UNKNOWN = 2401
    FORM_VERSION_UNKNOWN = 2402
    FORM_MALFORMED = 2403
    FORM_TOO_LARGE = 2404
    FORM_FIELD_MISSING = 2405
    FORM_FIELD_INVALID = 2406
    FORM_FIELD_UNKNOWN = 2407
    FORM_ISSUER_WRONG = 2408

    PERIOD_INVERTED = 2409
    PERSON_NOT_IN_RECORD = 2410
    DOCUMENT_NOT_IN_RECORD = 2411
    OFFICER_NOT_KNOWN = 2412
    CASE_NUMBER_OTHER = 2413
    OFFICER_NOT_QUALIFIED = 2414

    RECORDING_ID_REPEATED = 2415
    RECORDING_OVERLAP = 2416
    CLOCK_DRIFT = 2417
    RECORDING_DURATION_MISMATCH = 2418
    RECORDING_UPLOADED_LATE = 2419
    RETENTION_TOO_SHORT = 2420
    RECORDING_GAP_INVALID = 2421
    GAP_WITHOUT_REASON = 2422
    DEVICE_NOT_ASSIGNED = 2423
    RECORDING_CUSTODY_ORDER = 2424
    RECORDING_DIGEST_MISMATCH = 2425
    RECORDING_MATERIAL_UNKNOWN = 2426
    RECORDING_NOT_LISTED = 2427
    RECORDING_OF_ACT_MISSING = 2428

    STAGE_ORDER = 2429
    INTERROGATION_ROOM = 2430
    INTERROGATED_AFTER_DELIVERY = 2431
    SAME_ROOM = 2432
    SUMMONS_TOO_LONG = 2433
    DELIVERY_TOO_LATE = 2434
    INTERROGATION_TOO_LATE = 2435
    RECORDING_MISSING = 2436
    RECORDING_UNKNOWN = 2437
    RECORDING_COVERAGE_GAP = 2438
    AREA_VIDEO_GAP = 2439
    BODY_CHECK_SEX = 2440
    REST_MISSING = 2441
    MEASURE_MISMATCH = 2442

    RECEIPT_NOT_ON_THE_SPOT = 2443
    RECEIPT_UNEXPLAINED = 2444
    REGISTERED_LATE = 2445
    EVIDENCE_UNSIGNED = 2446
    REPORTER_NOT_MASKED = 2447
    REPEAT_REPORT = 2448
    ENQUIRY_CODE_MISSING = 2449
    ACCEPTANCE_MISMATCH = 2450

    OWNER_GAP = 2451
    OWNER_ANSWER_MISSING = 2452
    HANDOVER_LATE = 2453
    INFORMER_NOT_TOLD = 2454

    REVIEWER_IS_HANDLER = 2455
    REVIEW_LATE = 2456
    REVIEW_CHECKLIST_FAILED = 2457
    REVIEW_NOT_BEFORE_ACT = 2458

    FREEZE_BEFORE_FILING = 2459
    FREEZE_DUPLICATE = 2460
    FREEZE_EXPIRY_TOO_LATE = 2461
    FREEZE_NOT_VERIFIED = 2462
    FREEZE_BATCH_UNAPPROVED = 2463
    FREEZE_NOTICE_MISSING = 2464
    FREEZE_TOTAL_MISMATCH = 2465
    FREEZE_NOT_IN_RECORD = 2466
    FREEZE_NOT_LISTED = 2467
    FREEZE_EXPIRES_SOON = 2468
    RENEWAL_LATE = 2469

    SESSION_OVERLAP = 2470
    SESSION_ORDER = 2471
    SESSION_OUTCOME = 2472
    HEARING_STEP_MISSING = 2473
    JUDGMENT_OUTSIDE_HEARING = 2474
    JUDGMENT_MISMATCH = 2475

    LAWYER_CONFLICT = 2476
    LICENCE_EXPIRED = 2477
    HELP_OUTSIDE_ROTA = 2478
    PRESENCE_OUTSIDE_SIGNING = 2479
    FILE_READ_TOO_EARLY = 2480
    RECOGNIZANCE_MISMATCH = 2481

    ASSESSMENT_WRONG_COUNTY = 2482
    ASSESSMENT_ROUTING = 2483
    ASSESSMENT_LATE = 2484
    ASSESSMENT_INCOMPLETE = 2485

    CUSTODY_TRANSFER_ORDER = 2486
    CUSTODY_TERM = 2487
    DETAINEE_NUMBER_INVALID = 2488

    SIGNING_NOT_RECORDED = 2489

    DISPOSAL_DUPLICATE = 2490
    DISPOSAL_MISSING = 2491
    SECOND_OFFICER_MISSING = 2492
    DISPOSAL_LINK_MISSING = 2493
    CLEARANCE_MISMATCH = 2494

    REGISTER_REPEATED = 2495
    QUALIFICATION_MISMATCH = 2496

    DEADLINE_MISMATCH = 2497
    CORRECTION_NOT_APPROVED = 2498

    PROGRESS_REMEDY = 2499

    NOT_BASIC_COURT = 2501
    SENTENCE_TOO_LONG = 2502
    EVIDENCE_NOT_SUFFICIENT = 2503
    PLEA_NOT_GUILTY = 2504
    PENALTY_NOT_ACCEPTED = 2505
    PROCEDURE_NOT_CONSENTED = 2506
    BLIND_DEAF_OR_MUTE = 2511
    CAPACITY_LIMITED = 2512
    DEFENDANT_IS_MINOR = 2513
    MAJOR_SOCIAL_IMPACT = 2514
    CO_DEFENDANT_OBJECTS = 2515
    VICTIM_NOT_SETTLED = 2516
    NOT_GUILTY_DEFENCE = 2517
    OTHERWISE_UNSUITABLE = 2518
    ELIGIBILITY_UNKNOWN = 2590

    DOCUMENT_MISSING = 2601
    DOCUMENT_WITHOUT_NUMBER = 2602
    ACT_BEFORE_FILING = 2603
    MEASURE_TIME_MISSING = 2604
    RIGHTS_NOTICE_LATE = 2605
    INVESTIGATORS_TOO_FEW = 2606
    QUALIFICATION_NOT_VALID = 2607
    KEY_EVIDENCE_MISSING = 2608
    FREEZE_ENDS_EARLY = 2609
    PROPERTY_TOTALS_DIFFER = 2610
    FREEZE_APPROVAL_MISSING = 2611
    PROPERTY_LIST_EMPTY = 2612
    CHARGE_NOT_IN_FORCE = 2613
    RECOGNIZANCE_MISSING = 2614
    RECOGNIZANCE_WITHOUT_COUNSEL = 2615
    RECOGNIZANCE_LATE = 2616
    RECOGNIZANCE_OUTDATED = 2617
    PROPOSAL_OUT_OF_RANGE = 2618
    PROBATION_OUT_OF_RANGE = 2619
    LEGAL_REVIEW_MISSING = 2620
    ACT_DOCUMENT_MISSING = 2621
    ACT_NOT_IN_FORCE = 2622
    OVERRIDE_NOT_ALLOWED = 2623
    OVERRIDE_NOT_APPROVED = 2624
    PROOF_MISSING = 2690

    MATERIAL_WITHHELD = 2701
    MATERIAL_ON_REQUEST = 2702
    REQUEST_TOO_EARLY = 2703
    REQUEST_PURPOSE_WRONG = 2704
    RECORDING_MISSING_AT_PULL = 2705
    RECORDING_DIFFERS_AT_PULL = 2706
    RECORDING_INTERRUPTED_AT_PULL = 2707
    ENQUIRY_UNKNOWN = 2711
    ENQUIRY_TOO_OFTEN = 2712

    INTERPRETER_MISSING = 2801
    APPROPRIATE_ADULT_MISSING = 2802


UNRECORDED = frozenset(
    {
        ErrorCode.LEASE_HELD,
        ErrorCode.TIMESTAMP_UNAVAILABLE,
        ErrorCode.TIMESTAMP_REFUSED,
        ErrorCode.TIMESTAMP_INVALID,
        ErrorCode.QUEUE_FULL,
        ErrorCode.LEDGER_UNAVAILABLE,
        ErrorCode.INTERNAL,
        ErrorCode.SHUTTING_DOWN,
        ErrorCode.VAULT_UNAVAILABLE,
        ErrorCode.CASE_KEY_MISSING,
        ErrorCode.SEAL_BROKEN,
        ErrorCode.CALLER_UNIDENTIFIED,
    }
)
"""Codes that make no ledger entry: losing a race, a fault of the gateway itself or of a time-stamp authority,
and a caller without identity."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or odd, with what a caller sent.

    Args:
        code: what is wrong.
        path: where, in the caller's own notation (XML path, JSON Pointer, request field); "" is the whole.
        message: one sentence for a person; it never repeats a value of the record, because it is sent and logged.
        severity: error or warning.
        basis: statute, standard or section that asks for it; "" when the interface itself does.
    """

    code: ErrorCode
    path: str = ""
    message: str = ""
    severity: Severity = Severity.ERROR
    basis: str = ""


class GatewayError(Exception):
    """A refusal with all its findings; the only exception that crosses a boundary on purpose.

    Args:
        findings: at least one finding; the first error decides the status that the caller sees.
        retry_after_seconds: set when the same call may succeed later.

    Attributes:
        case: pseudonym of the case that the refused call was about, once that is verified; "" before.
        handoff: the handoff that the refused call named, if any.
        is_repeated: whether the caller was refused so a short time before, and that was recorded.
    """

    def __init__(self, findings: Iterable[Finding] | Finding, *, retry_after_seconds: float | None = None) -> None:
        self.findings: tuple[Finding, ...] = (findings,) if isinstance(findings, Finding) else tuple(findings)
        self.retry_after_seconds = retry_after_seconds
        self.case = ""
        self.handoff: UUID | None = None
        self.is_repeated = False
        super().__init__(", ".join(finding.code.name for finding in self.findings))

    @property
    def code(self) -> ErrorCode:
        """The code of the first finding with severity error, by which the status is chosen."""
        return next((f.code for f in self.findings if f.severity is Severity.ERROR), self.findings[0].code)

    @property
    def is_recorded(self) -> bool:
        """Whether the refusal belongs into the ledger: no code of ``UNRECORDED``, and no mere repetition."""
        return self.code not in UNRECORDED and not self.is_repeated


def refuse(code: ErrorCode, path: str = "", message: str = "", basis: str = "") -> GatewayError:
    """Build the exception for a single error finding.

    Args:
        code: what is wrong.
        path: where, in the caller's notation.
        message: one sentence without any value of the record.
        basis: statute or standard, if any.

    Returns:
        the exception, for the caller to raise.
    """
    return GatewayError(Finding(code, path, message, basis=basis))
