"""The canonical case: what every adapter reads into and writes from.

Source: agency interfaces, section 3. Names follow the canonical fields (``plea.on`` of a person is ``Person.plea_on``);
``None`` means that nothing is known, which is never the same as false or zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.core.case.item import (
    Document,
    Freeze,
    Gap,
    Officer,
    Organisation,
    Property,
    Recording,
    Supplement,
    Victim,
)
from gateway.core.case.person import (
    Alias,
    Charge,
    IdDocument,
    LegalHelp,
    Measure,
    Person,
    PriorPenalty,
    Sentence,
)
from gateway.core.case.record import MaterialReference, Reading, RecordHeader, Rendition, ReportLine
from gateway.core.case.value import PartialDate, RawText, Term

__all__ = [
    "Alias",
    "Case",
    "Charge",
    "Document",
    "Freeze",
    "Gap",
    "IdDocument",
    "LegalHelp",
    "MaterialReference",
    "Measure",
    "Officer",
    "Organisation",
    "PartialDate",
    "Person",
    "PriorPenalty",
    "Property",
    "RawText",
    "Reading",
    "RecordHeader",
    "Recording",
    "Rendition",
    "ReportLine",
    "Sentence",
    "Supplement",
    "Term",
    "Victim",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The canonical case: one record of one kind, whoever sent it."""

    version: str  # version of the sender's schema
    kind: str  # record kind
    sender: str  # sending organ
    receiver: str  # receiving organ
    sent_at: datetime  # time of sending
    message_no: str  # message number given by the sender
    police_no: str  # police case number, the key of the case
    name: str  # name of the case
    category: str | RawText | None = None  # police case category
    occurred_at: date | None = None  # time of the act, or its date when the time is unknown
    occurred_place: str | None = None  # place of the act
    accepted_on: date | None = None  # date of acceptance by the police (受案)
    filed_on: date | None = None  # date of filing by the police (立案)
    procedure: str | None = None  # procedure proposed or used
    major_impact: bool | None = None  # major social impact
    transfer_no: str | None = None  # number of the police opinion for prosecution (起诉意见书)
    transferred_at: datetime | None = None  # time of transfer to the procuratorate
    procuratorate_no: str | None = None  # procuratorate acceptance number (部门受案号)
    unified_no: str | None = None  # procuratorate unified number (统一受案号)
    received_at: datetime | None = None  # time of receipt at the procuratorate
    due_on: date | None = None  # due date of the procuratorate's review
    indictment_no: str | None = None  # number of the indictment (起诉书)
    indicted_on: date | None = None  # date of the indictment
    court_no: str | None = None  # court case number
    court_filed_on: date | None = None  # date of filing at the court
    facts_text: str | None = None  # facts of the case
    facts_evidence: str | None = None  # main evidence
    property_total: int | None = None  # total value of the listed property, in fen
    freeze_total: int | None = None  # total of the frozen funds, in fen
    document_count: int | None = None  # number of listed documents
    return_no: str | None = None  # number of the decision to return
    return_round: int | None = None  # which return of the case this is
    return_on: date | None = None  # date of the decision
    return_due: date | None = None  # due date of the supplement
    judgment_on: date | None = None  # date of pronouncement
    judgment_appeal_days: int | None = None  # length of the appeal period in days
    judgment_property: str | None = None  # disposal of property, as worded
    execution_no: str | None = None  # number of the execution notice
    execution_effective_on: date | None = None  # date on which the judgment became effective
    execution_issued_on: date | None = None  # date of the execution notice
    assessment_no: str | None = None  # number of the commission
    assessment_requested_at: datetime | None = None  # time of the commission
    assessment_due_on: date | None = None  # due date of the opinion
    assessment_reason: str | None = None  # reason for the assessment
    assessment_on: date | None = None  # date of the opinion
    assessment_assessor: str | None = None  # who assessed
    persons: tuple[Person, ...] = ()
    orgs: tuple[Organisation, ...] = ()
    victims: tuple[Victim, ...] = ()
    properties: tuple[Property, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    documents: tuple[Document, ...] = ()
    recordings: tuple[Recording, ...] = ()
    officers: tuple[Officer, ...] = ()
    supplements: tuple[Supplement, ...] = ()
