"""Facts that a native record tells, whoever sent it: measures, acceptance, filing, proposals, freezes, judgment.

What the handoff itself makes happen (receipt, return, indictment) is in ``fact_of_act``.

Source: domain model, sections 1.4 and 1.7; agency interfaces, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from gateway.core.case.case import Case, Measure, Person
from gateway.core.case.value import RawText, Term
from gateway.core.clock.calendar import is_minor
from gateway.core.clock.due import Moment, to_day
from gateway.core.fact.fact import Fact
from gateway.core.route import RecordKind

MEASURES: Final = {"DETAIN": "detained", "ARREST": "arrested", "RS": "surveillance_ordered", "BAIL": "bailed"}
DRUNK_DRIVING: Final = "133-1"
HOME: Final = "CHN"
INELIGIBLE: Final = "INELIGIBLE"
INTERROGATION: Final = "D13"
SERVICE: Final = "D51"
SERVED_ON: Final = ("DEFENDANT", "PROCURATORATE")
"""On whom the judgment of each person is served, beside the victims (CPL 202)."""
_DAYS_A_MONTH: Final = 30
_COUNSEL: Final = frozenset({"RETAINED", "AID"})
"""A duty lawyer is nobody's defender."""
_FINDING: Final = frozenset({RecordKind.TRANSFER, RecordKind.RETRANSFER, RecordKind.INDICTMENT})


def read_record_facts(case: Case, kind: RecordKind, at: datetime, *, result: str = "") -> list[Fact]:
    """Read what a record says has happened.

    Args:
        case: the record as read.
        kind: of the handoff that carries it.
        at: gateway time of the handoff, aware.
        result: what the rules said of it; what is INELIGIBLE does not run on the fast track, whoever proposes it.

    Returns:
        the facts, by person key; frozen accounts have keys of their own. What the record leaves open is left out.
    """
    facts = [*_file_facts(case, kind)]
    named: Moment = case.judgment_on if kind is RecordKind.JUDGMENT and case.judgment_on is not None else at
    facts += [Fact(kind="victim_named", at=named, person=victim.key) for victim in case.victims]
    for person in case.persons:
        facts.append(Fact(kind="named", at=at, person=person.key, inputs=_about(case, person, result)))
        facts += _measure_facts(case, person)
        if case.filed_on is not None:
            facts.append(Fact(kind="case_filed", at=case.filed_on, person=person.key, inputs=_charge(person)))
        facts += _counsel_facts(person, kind, at)
    facts += _document_facts(case)
    return facts


def to_account_key(bank: str, account: str) -> str:
    """Key by which a frozen account is told apart from persons and from other accounts."""
    return f"account\x00{bank}\x00{account}"


def to_expected_months(penalty: str | None, term: Term | None) -> float | None:
    """Bring a proposed sentence into months of imprisonment, by which the limits of the fast track differ.

    Args:
        penalty: canonical penalty; None when nothing was proposed.
        term: its length.

    Returns:
        months, a day being a thirtieth; 0 for a penalty that is no imprisonment; None when it is not known.

    Source: Criminal Procedure Law 172, 225 (imprisonment of more than one year).
    """
    if penalty is None or isinstance(penalty, RawText) or (penalty == "IMPRISONMENT" and term is None):
        return None
    if penalty != "IMPRISONMENT" or term is None:
        return 0
    months = term.years * 12 + term.months
    return round(months + term.days / _DAYS_A_MONTH, 3) if term.days else months


def _file_facts(case: Case, kind: RecordKind) -> Iterator[Fact]:
    if case.accepted_on is not None:
        yield Fact(kind="report_accepted", at=case.accepted_on)
    if case.filed_on is not None:
        yield Fact(kind="case_filed", at=case.filed_on)
    for freeze in case.freezes:
        whole = {"WHOLE": True, "LIMIT": False}.get(freeze.kind or "")
        inputs: dict[str, Any] = {} if whole is None else {"whole_account": whole}
        inputs["until"] = freeze.to.isoformat()
        yield Fact(kind="frozen", at=freeze.from_, person=to_account_key(freeze.bank, freeze.account), inputs=inputs)
    if kind is RecordKind.JUDGMENT and case.judgment_on is not None:
        # Who the victims are, the records before it have told.
        yield Fact(kind="judgment_for_victims", at=case.judgment_on, inputs={"recipient": "VICTIM"})
    for person in case.persons:
        if kind is RecordKind.JUDGMENT and case.judgment_on is not None:
            yield Fact(kind="judged", at=case.judgment_on, person=person.key)
            for recipient in SERVED_ON:
                on = {"recipient": recipient}
                yield Fact(kind="judgment_pronounced", at=case.judgment_on, person=person.key, inputs=on)
        if kind is RecordKind.EXECUTION and case.execution_effective_on is not None:
            inputs = {
                "community_correction": person.decision_probation is not None or person.decision_penalty == "CONTROL",
                "frozen_funds": bool(case.freezes),
            }
            yield Fact(kind="judgment_effective", at=case.execution_effective_on, person=person.key, inputs=inputs)


def _about(case: Case, person: Person, result: str) -> dict[str, Any]:
    """What the limits of a person depend on, as far as the record knows it."""
    known: dict[str, Any] = _charge(person)
    if case.procedure is not None:
        known["procedure"] = "ORDINARY" if case.procedure == "FAST" and result == INELIGIBLE else case.procedure
        known["fast_track"] = known["procedure"] == "FAST"
    months = to_expected_months(person.proposal_penalty, person.proposal_term)
    if months is not None:
        known["expected_months"] = months
    if isinstance(person.nation, str):
        known["foreigner"] = person.nation != HOME
    return known


def _charge(person: Person) -> dict[str, Any]:
    if not person.charges or any(isinstance(charge.law, RawText) for charge in person.charges):
        return {}
    return {"drunk_driving": all(charge.law == DRUNK_DRIVING for charge in person.charges)}


def _counsel_facts(person: Person, kind: RecordKind, at: datetime) -> Iterator[Fact]:
    """Whoever the law gives counsel and the record names none for; what is not known of a person finds nothing.

    Source: Legal Aid Law 25, 36.
    """
    counsel = [legal for legal in person.legals if legal.kind in _COUNSEL]
    for legal in counsel:
        if legal.on is not None:
            yield Fact(kind="counsel_assigned", at=legal.on, person=person.key)
    health = (person.health_blind, person.health_deaf, person.health_mute, person.health_mental)
    is_entitled = any(flag is True for flag in health) or is_minor(person.birth, to_day(at)) is True
    if kind in _FINDING and is_entitled and not counsel:
        yield Fact(kind="counsel_mandatory_found", at=at, person=person.key)


def _measure_facts(case: Case, person: Person) -> Iterator[Fact]:
    measures = person.measures
    for place, measure in enumerate(measures):
        if measure.kind == "SUMMON":
            yield Fact(kind="summons_arrived", at=measure.start, person=person.key)
            if measure.end is not None:
                yield Fact(kind="summons_ended", at=measure.end, person=person.key)
            continue
        word = MEASURES.get(measure.kind) if isinstance(measure.kind, str) else None
        if word is None:
            continue
        inputs = {"measure": measure.kind} if measure.kind in ("RS", "BAIL") else {}
        yield Fact(kind=word, at=measure.start, person=person.key, inputs=inputs)
        if isinstance(person.nation, str) and person.nation != HOME:
            yield Fact(kind="measure_taken", at=measure.start, person=person.key, inputs={"foreigner": True})
        if measure.end is not None and not _is_followed(measure, measures[place + 1 :]):
            yield Fact(kind="measure_ended", at=measure.end, person=person.key)


def _is_followed(measure: Measure, later: tuple[Measure, ...]) -> bool:
    """Whether another measure took the place of one that ended, at the latest on the day after."""
    return measure.end is not None and any(
        isinstance(other.kind, str)
        and other.kind in MEASURES
        and abs((to_day(other.start) - to_day(measure.end)).days) <= 1
        for other in later
    )


def _document_facts(case: Case) -> Iterator[Fact]:
    documents = {document.key: document for document in case.documents}
    for recording in case.recordings:
        document = documents.get(recording.transcript or "")
        if document is not None and document.code == INTERROGATION and document.person:
            yield Fact(kind="interrogation_begun", at=recording.start, person=document.person)
    for document in case.documents:
        # A proof of service names whom the judgment was served on; it belongs to the defendant.
        if document.code == SERVICE and document.person and document.on is not None:
            yield Fact(
                kind="judgment_served", at=document.on, person=document.person, inputs={"recipient": "DEFENDANT"}
            )
