"""What is looked at for each defendant: the conditions and exclusions of the fast track.

Every check yields what is against the defendant and what is not known; one that yields nothing holds. What is not
known never holds.

Source: domain model, section 1.3; Criminal Procedure Law 222, 223.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from gateway.core.case.case import Person, Term
from gateway.core.dossier import Point
from gateway.core.judge.age import is_minor
from gateway.core.judge.row import Check, Hit, JudgeRule
from gateway.core.judge.view import Subject, View

_SHORT: Final = frozenset({"DETENTION", "CONTROL", "FINE", "EXEMPT"})
_DEFENDERS: Final = frozenset({"RETAINED", "AID"})
_FLAGS: Final = (("guilty", ""), ("accepts", "accepts"), ("consents", "consents"))
CITIZEN_ID: Final = "111"


def months_of(term: Term) -> tuple[int, int]:
    """A term as months and further days."""
    return term.years * 12 + term.months, term.days


def _basic_court(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """The court that has tried a case tells no category of the police, and needs none."""
    category = view.case.category
    if view.point is not Point.HEARING:
        if category is None:
            yield Hit("case.category", is_missing=True)
        elif isinstance(category, str) and category.startswith(view.settings.intermediate_categories):
            yield Hit("case.category")
    charged = False
    for path, charge in view.charges_of(subject):
        charged = True
        if charge.law not in view.charges:
            yield Hit(path, is_missing=True)
    if not charged:
        yield Hit(f"{subject.path}.charge", is_missing=True)


def _expected_sentence(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """At the hearing the sentence is known; before it the proposal is what is expected."""
    is_hearing = view.point is Point.HEARING
    if subject.org is not None:
        fine = subject.org.fine if is_hearing else subject.org.proposed_fine
        if fine is None:
            yield Hit(f"{subject.path}.{'fine' if is_hearing else 'proposed_fine'}", is_missing=True)
        return
    person = subject.person
    if person is None:
        return
    head = "decision" if is_hearing else "proposal"
    penalty, term = (
        (person.decision_penalty, person.decision_term)
        if is_hearing
        else (person.proposal_penalty, person.proposal_term)
    )
    if penalty in _SHORT:
        return
    if penalty != "IMPRISONMENT":
        yield Hit(f"{subject.path}.{head}.penalty", is_missing=True)
    elif term is None:
        yield Hit(f"{subject.path}.{head}.term", is_missing=True)
    elif months_of(term) > (view.settings.most_expected_months, 0):
        yield Hit(f"{subject.path}.{head}.term")


def _attested(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    if view.attestation(subject.key).get("evidence_sufficient") is False:
        yield Hit(subject.path)
    for annex in view.annexes("legal-review"):
        # The reviewers of the police look at the transfer; a review of a measure or a freeze says nothing of it.
        if annex.data.get("object") == "TRANSFER" and annex.data.get("opinion") == "DISAGREE":
            yield Hit(f"{annex.path}#/opinion")
    wanted = view.settings.attested_by.get(view.point, frozenset())
    if not any(view.documents(code) for code in wanted):
        yield Hit("document", is_missing=True)


def _plea(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    flags = _flags_of(view, subject)
    stands = False
    for flag, part in _FLAGS:
        said = flags[flag]
        if said is not True:
            yield Hit(_plea_path(subject, flag), is_missing=said is not False, part=part)
        stands = stands or said is True
    if view.point is Point.HEARING:
        yield from _asked_at_hearing(view)
    on = subject.person.plea_on if subject.person is not None else view.on
    if stands and (on is None or on > view.on):
        # A plea without a day, or of a later day, is not shown to stand on the day of the proceeding.
        yield Hit(f"{subject.path}.plea.on", is_missing=True)


def _asked_at_hearing(view: View) -> Iterator[Hit]:
    """Consent that the court did not ask for, or will that it did not verify, is not known to stand (SPC 371, 372)."""
    for annex in view.annexes("court-session"):
        for at, hearing in enumerate(annex.data.get("hearings", ())):
            if hearing.get("case_number") != view.case.police_no:
                continue
            for name in ("consent_asked", "voluntariness_verified"):
                if hearing.get(name) is False:
                    yield Hit(f"{annex.path}#/hearings/{at}/{name}", is_missing=True)


def _flags_of(view: View, subject: Subject) -> Mapping[str, bool | None]:
    if subject.person is not None:
        person = subject.person
        return {"guilty": person.plea_guilty, "accepts": person.plea_accepts, "consents": person.plea_consents}
    # The record has no plea of an organisation; its litigation representative's is attested or not known.
    attested = view.attestation(subject.key)
    return {flag: attested.get(flag) for flag, _ in _FLAGS}


def _plea_path(subject: Subject, flag: str) -> str:
    return f"{subject.path}.plea.{flag}" if subject.person is not None else subject.path


def _co_defendants(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    for other in view.subjects:
        if other.path == subject.path:
            continue
        for flag, said in _flags_of(view, other).items():
            if said is not True:
                yield Hit(_plea_path(other, flag), is_missing=said is not False)


def _senses(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    person = _person(subject)
    for name, said in (("blind", person.health_blind), ("deaf", person.health_deaf), ("mute", person.health_mute)):
        if said is not False:
            yield Hit(f"{subject.path}.health.{name}", is_missing=said is None)


def _capacity(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    said = _person(subject).health_mental
    if said is not False:
        yield Hit(f"{subject.path}.health.mental", is_missing=said is None)


def _age(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    person = _person(subject)
    birth = person.birth
    if birth is None or birth.year is None or birth.month is None or birth.day is None or birth.approximate:
        yield Hit(f"{subject.path}.birth", is_missing=True)
        return
    try:
        born = date(birth.year, birth.month, birth.day)
    except ValueError:
        yield Hit(f"{subject.path}.birth", is_missing=True)
        return
    if is_minor(born, view.on):
        yield Hit(f"{subject.path}.birth")
    elif person.birth_basis not in view.settings.proven_birth_bases and not _is_on_card(person, born):
        yield Hit(f"{subject.path}.birth_basis", is_missing=True)


def _is_on_card(person: Person, born: date) -> bool:
    """A citizen id that says the same day proves it; its places 7 to 14 are the day of birth (GB 11643)."""
    return any(
        document.kind == CITIZEN_ID and document.number[6:14] == born.strftime("%Y%m%d") for document in person.id_docs
    )


def _impact(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    if view.case.major_impact is not False:
        yield Hit("case.major_impact", is_missing=view.case.major_impact is None)


def _settlement(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    for at, victim in enumerate(view.case.victims, 1):
        if victim.settled is not True:
            yield Hit(f"victim[{at}].settled", is_missing=victim.settled is None)
        elif victim.settled_on is not None and victim.settled_on > view.on:
            yield Hit(f"victim[{at}].settled_on", is_missing=True)
    if view.case.victims:
        return
    for _, charge in view.charges_of(subject):
        known = view.charges.any_wording(charge.law)
        if known is not None and known.has_victim:
            yield Hit("victim", is_missing=True)
            return


def _defence(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """Nobody is tried on the fast track without a lawyer heard, so no lawyer named means that it is not known.

    Of the hearing the court's own record tells: a court before which a defender pleads not guilty leaves the fast
    track (SPC 375), so a judgment given on it says that none did.
    """
    if view.point is Point.HEARING:
        if not view.is_fast:
            yield Hit("case.procedure", is_missing=True)
        return
    person = _person(subject)
    if not person.legals:
        yield Hit(f"{subject.path}.legal", is_missing=True)
    for at, legal in enumerate(person.legals, 1):
        if legal.kind not in _DEFENDERS:
            continue
        if legal.opinion is None:
            yield Hit(f"{subject.path}.legal[{at}].opinion", is_missing=True)
        elif _pleads_not_guilty(view, legal.opinion):
            yield Hit(f"{subject.path}.legal[{at}].opinion")


def _pleads_not_guilty(view: View, opinion: str) -> bool:
    for words in view.settings.not_guilty_exceptions:
        opinion = opinion.replace(words, "")
    return any(words in opinion for words in view.settings.not_guilty_words)


def _manual_gate(view: View, subject: Subject, rule: JudgeRule) -> Iterator[Hit]:
    """A foreigner, and somebody whose identity is not known, is for an official to look at."""
    said = view.attestation(subject.key).get("suitable")
    if said is False:
        yield Hit(subject.path)
    if said is not None:
        return
    person = _person(subject)
    if not isinstance(person.nation, str) or person.nation not in view.settings.own_nations:
        yield Hit(f"{subject.path}.nation", is_missing=True)
    if not person.id_docs:
        yield Hit(f"{subject.path}.id_doc", is_missing=True)


def _person(subject: Subject) -> Person:
    if subject.person is None:
        raise ValueError("this rule is asked about persons only")
    return subject.person


CHECKS: Final[Mapping[str, Check]] = {
    "basic_court": _basic_court,
    "expected_sentence": _expected_sentence,
    "attested": _attested,
    "plea": _plea,
    "co_defendants": _co_defendants,
    "senses": _senses,
    "capacity": _capacity,
    "age": _age,
    "impact": _impact,
    "settlement": _settlement,
    "defence": _defence,
    "manual_gate": _manual_gate,
}
"""Checks that a row of ``eligibility.yaml`` may name."""
