"""What is looked at in acts: who did them, what was frozen, what is proposed.

Source: domain model, sections 2.4, 3 (officer qualification, legal review, freezing of funds), 4.2 and 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from gateway.core.case.case import Officer, Term
from gateway.core.form.legal_review import AGREES
from gateway.core.form.period import to_instant
from gateway.core.form.register import is_qualified
from gateway.core.judge.check_person import months_of
from gateway.core.judge.row import Check, Hit, JudgeRule
from gateway.core.judge.view import Subject, View, to_china_day


def _investigators(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    officers = view.case.officers
    if not officers:
        yield Hit("officer", is_missing=True)
        return
    acted = {officer.no for officer in officers if officer.role is None or officer.role in rule.parameters["roles"]}
    if len(acted) < rule.parameters["least"]:
        yield Hit("officer")


def _qualified(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """The register of the agency counts before what the record says of its own officers."""
    days = [document.on for _, document in view.documents("D13") if document.on is not None]
    register = view.dossier.register
    for at, officer in enumerate(view.case.officers, 1):
        if officer.role is not None and officer.role not in rule.parameters["roles"]:
            continue
        path = f"officer[{at}]"
        if not register:
            yield from _qualified_by_record(officer, path, days, rule.parameters["levels"])
        elif not register.get(officer.no):
            yield Hit(f"{path}.no", is_missing=True)
        elif not all(is_qualified(register[officer.no], day) for day in days):
            yield Hit(f"{path}.no")
    if view.case.officers and not days:
        yield Hit("document", is_missing=True)


def _qualified_by_record(officer: Officer, path: str, days: list[date], levels: list[str]) -> Iterator[Hit]:
    if officer.level not in levels:
        yield Hit(f"{path}.level", is_missing=officer.level is None)
    if officer.valid_to is None:
        yield Hit(f"{path}.valid_to", is_missing=True)
    elif days and officer.valid_to < max(days):
        yield Hit(f"{path}.valid_to")


def _reviewed(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """The last review before the opinion for prosecution counts: who disagreed later did not agree.

    The opinion of the reviewer stays with the police (D21); what is looked at is the attestation, which comes with the
    bundle or was stated before. An opinion without a day, or none, is measured by the day of the transfer.
    """
    attested = [annex.data for annex in view.annexes(*rule.parameters["annexes"])]
    by = max((document.on for _, document in view.documents("D20") if document.on is not None), default=view.on)
    reviews = [
        review
        for review in (*view.dossier.reviews, *attested)
        if review["object"] == rule.parameters["object"] and to_china_day(review["reviewed_at"]) <= by
    ]
    last = max(reviews, key=lambda review: to_instant(review["reviewed_at"]), default=None)
    if last is None or last["opinion"] not in AGREES:
        yield Hit("document")


def _freeze_lasts(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    limit = view.on + timedelta(days=view.settings.receiver_limit_days.get(view.point, 0))
    for at, freeze in enumerate(view.case.freezes, 1):
        if freeze.to < limit:
            yield Hit(f"freeze[{at}].to")


def _totals(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    case = view.case
    for path, total, values in (
        ("property.total", case.property_total, [item.value for item in case.properties]),
        ("freeze.total", case.freeze_total, [item.amount for item in case.freezes]),
    ):
        known = [value for value in values if value is not None]
        if total is None:
            if known:
                yield Hit(path, is_missing=True)
        elif len(known) == len(values) and total != sum(known):
            yield Hit(path)


def _mass_freeze(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    accounts = {freeze.account for freeze in view.case.freezes}
    whole = {freeze.account for freeze in view.case.freezes if freeze.kind == "WHOLE"}
    settings = view.settings
    if len(accounts) < settings.mass_freeze_accounts and len(whole) < settings.mass_freeze_whole_accounts:
        return
    needed = rule.parameters["approvals"]
    if not any(all(annex.data.get(name) for name in needed) for annex in view.annexes(*rule.parameters["annexes"])):
        yield Hit("freeze")


def _moved_listed(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    if view.documents("D18") and not view.case.properties and not view.case.freezes:
        yield Hit("property")


def _charge_in_force(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    for path, charge in view.charges_of(subject):
        if charge.law not in view.charges:
            continue
        if view.case.occurred_at is None:
            yield Hit("case.occurred_at", is_missing=True)
            return
        if view.rule_of(charge) is None:
            yield Hit(path)


def _proposal_in_range(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """One bracket is the measure; of several charges together the limits of combined penalties are."""
    person = subject.person
    if person is None or person.proposal_penalty in (None, "EXEMPT", "ACQUITTAL"):
        return
    kind = person.proposal_penalty
    rows = [view.rule_of(charge) for _, charge in view.charges_of(subject)]
    known = [row for row in rows if row is not None]
    if not known or len(known) < len(rows):
        return
    if all(kind not in row.kinds and not row.has_higher for row in known):
        yield Hit(f"{subject.path}.proposal.penalty")
        return
    if kind == "FINE":
        return
    if person.proposal_term is None:
        yield Hit(f"{subject.path}.proposal.term", is_missing=True)
        return
    least, most, combined = rule.parameters[kind]
    if len(known) > 1:
        most = combined
    elif kind == "IMPRISONMENT" and not known[0].has_higher:
        most = known[0].most_months
    months, days = months_of(person.proposal_term)
    if not (least, 0) <= (months, days) <= (most, 0):
        yield Hit(f"{subject.path}.proposal.term")


def _probation_in_range(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    person = subject.person
    if person is None or person.proposal_probation is None:
        return
    probation, term = months_of(person.proposal_probation), person.proposal_term
    limits = rule.parameters.get(person.proposal_penalty or "")
    if limits is None:
        yield Hit(f"{subject.path}.proposal.probation")
        return
    if term is None:
        yield Hit(f"{subject.path}.proposal.term", is_missing=True)
        return
    least, most = limits
    if _is_outside(probation, least, most, term) or months_of(term) > (rule.parameters["most_term"], 0):
        yield Hit(f"{subject.path}.proposal.probation")


def _is_outside(probation: tuple[int, int], least: int, most: int, term: Term) -> bool:
    return not (least, 0) <= probation <= (most, 0) or probation < months_of(term)


CHECKS: Final[Mapping[str, Check]] = {
    "investigators": _investigators,
    "qualified": _qualified,
    "reviewed": _reviewed,
    "freeze_lasts": _freeze_lasts,
    "totals": _totals,
    "mass_freeze": _mass_freeze,
    "moved_listed": _moved_listed,
    "charge_in_force": _charge_in_force,
    "proposal_in_range": _proposal_in_range,
    "probation_in_range": _probation_in_range,
}
"""Checks of acts that a row of ``documents.yaml`` may name."""
