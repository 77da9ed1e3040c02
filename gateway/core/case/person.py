"""A person of the canonical case and everything that belongs to a person.

Source: agency interfaces, section 3. Names follow the canonical fields (``plea.on`` of a person is ``Person.plea_on``);
``None`` means that nothing is known, which is never the same as false or zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.core.case.value import PartialDate, RawText, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An alias or nickname."""

    name: str  # alias
    kind: str | None = None  # kind of alias


@dataclass(frozen=True, slots=True, kw_only=True)
class IdDocument:
    """An identity document; the leading one stands first."""

    kind: str | RawText  # kind of document
    number: str  # number of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorPenalty:
    """An earlier penalty."""

    on: PartialDate  # date of the earlier penalty, possibly partial
    organ: str  # deciding organ
    result: str  # penalty given


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A coercive measure; measures stand in time order."""

    kind: str | RawText  # kind of measure
    start: date  # start, or its date when the time is unknown
    end: date | None = None  # end, or its date when the time is unknown
    no: str | None = None  # number of the decision
    organ: str | None = None  # deciding organ
    guarantee: str | None = None  # form of bail
    deposit: int | None = None  # bail deposit, in fen
    place: str | None = None  # place of execution


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalHelp:
    """Legal help given."""

    kind: str  # kind of legal help
    name: str  # name of the lawyer
    licence: str | None = None  # licence number of the lawyer
    firm: str | None = None  # law firm or legal-aid agency
    on: date | None = None  # date of the help
    opinion: str | None = None  # opinion given


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge at a stage."""

    stage: str | None = None  # stage at which the charge was named
    law: str | RawText  # charge
    role: str | None = None  # role in a joint crime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """The sentence for one charge."""

    law: str | RawText  # charge of which the person is convicted
    penalty: str  # penalty for this charge
    term: Term | None = None  # term for this charge
    probation: Term | None = None  # probation period for this charge
    fine: int | None = None  # fine for this charge, in fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A suspect, defendant or offender."""

    key: str  # person key: the police person number
    order: int | None = None  # serial number of the person in the case
    name: str  # name, verbatim
    name_latin: str | None = None  # name in Latin letters, in passport order
    former_name: str | None = None  # former name (曾用名)
    sex: str | None = None  # sex
    birth: PartialDate | None = None  # birth date, possibly partial
    birth_basis: str | None = None  # basis of the birth date
    nation: str | RawText | None = None  # nationality
    ethnic: str | RawText | None = None  # ethnic group
    education: str | RawText | None = None  # education
    occupation: str | None = None  # occupation
    employer: str | None = None  # employer
    household: str | None = None  # place of household registration
    household_division: str | None = None  # division code of the household registration
    residence: str | None = None  # residence
    residence_division: str | None = None  # division code of the residence
    phone: str | None = None  # telephone
    health_blind: bool | None = None  # blind
    health_deaf: bool | None = None  # deaf
    health_mute: bool | None = None  # mute
    health_mental: bool | None = None  # mental illness with partly lost capacity
    plea_guilty: bool | None = None  # admits the facts
    plea_accepts: bool | None = None  # accepts the penalty
    plea_consents: bool | None = None  # consents to the fast-track procedure
    plea_on: date | None = None  # date of the plea statement
    prior_exists: bool | None = None  # earlier penalties exist
    proposal_penalty: str | None = None  # proposed penalty
    proposal_term: Term | None = None  # proposed term
    proposal_probation: Term | None = None  # proposed probation period
    proposal_fine: int | None = None  # proposed fine, in fen
    proposal_no: str | None = None  # number of the sentencing proposal
    proposal_on: date | None = None  # date of the sentencing proposal
    recognizance_on: date | None = None  # date on which the recognizance was signed
    recognizance_lawyer: str | None = None  # lawyer present at the signing
    recognizance_licence: str | None = None  # licence number of that lawyer
    nonpros_ground: str | None = None  # ground of non-prosecution
    nonpros_no: str | None = None  # number of the decision
    nonpros_on: date | None = None  # date of the decision
    nonpros_reason: str | None = None  # reasons
    decision_penalty: str | None = None  # penalty to be executed
    decision_term: Term | None = None  # term to be executed
    decision_probation: Term | None = None  # probation period to be executed
    decision_fine: int | None = None  # fine to be executed, in fen
    decision_additional: str | None = None  # additional penalties other than a fine, as worded
    decision_credit_days: int | None = None  # days of detention credited
    decision_from: date | None = None  # first day of the term
    decision_to: date | None = None  # last day of the term
    decision_appeal_until: date | None = None  # last day for appeal
    execution_from: date | None = None  # first day of community correction
    execution_to: date | None = None  # last day of community correction
    execution_report_by: date | None = None  # last day to report to the correction agency
    result_code: str | None = None  # result of the assessment
    result_text: str | None = None  # opinion of the assessment
    aliases: tuple[Alias, ...] = ()
    id_docs: tuple[IdDocument, ...] = ()
    priors: tuple[PriorPenalty, ...] = ()
    measures: tuple[Measure, ...] = ()
    legals: tuple[LegalHelp, ...] = ()
    charges: tuple[Charge, ...] = ()
    sentences: tuple[Sentence, ...] = ()
