"""The order in which facts are counted: by their own time, whenever they became known, and each once.

Source: domain model, sections 2.2 and 2.3 (the order of the procedure).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from gateway.core.clock.due import Moment, to_day
from gateway.core.clock.rule import RECIPIENT, STEP
from gateway.core.fact.fact import Fact, KnownFact

WORDS: Final = (
    "emergency_handled", "report_registered", "report_accepted", "no_jurisdiction_found", "case_not_filed",
    "case_filed", "notice_served", "remedy_requested", "reconsideration_decided", "review_requested", "remedy_decided",
    "frozen", "unrelated_found", "unrelated_lifted", "freeze_verified", "freeze_lifted",
    "victim_named", "named", "identity_unknown", "summons_arrived", "summons_ended", "measure_ended",
    "detained", "arrest_requested", "pr_arrest_request_received", "arrest_decided", "arrested", "identity_established",
    "surveillance_ordered", "bailed", "measure_changed", "measure_decided", "released",
    "detention_centre_received", "family_notified", "notice_exempted", "interrogation_begun",
    "measure_taken", "measure_reported", "duty_lawyer_requested", "counsel_mandatory_found", "legal_aid_notified",
    "counsel_assigned", "meeting_requested", "meeting_held", "expertise_ordered", "expertise_received",
    "legal_review_asked", "legal_review_given", "assessment_commission_received", "assessment_given",
    "ps_return_received", "transferred_again", "prosecution_transferred", "pr_no_jurisdiction_found",
    "case_transferred", "pr_received", "pr_received_again", "refused_at_large", "counsel_right_notified", "proposed",
    "left_lane",
    "extended", "returned_for_investigation", "not_prosecuted", "non_prosecution_received", "indicted",
    "supplement_asked", "supplement_received", "ct_received", "ct_returned", "ct_accepted", "converted", "judged",
    "judgment_pronounced", "judgment_for_victims", "judgment_served", "victim_served", "ruling_served", "appealed",
    "protest_requested", "protest_answered",
    "judgment_effective", "execution_received", "correction_notified", "correction_documents_received",
    "offender_reported", "property_notice_received", "property_receipt_received", "bank_executed", "taken_over",
    "handed_on", "left",
)  # fmt: skip
"""Every word that a fact may be, in the order in which they follow each other on one day whose times are not known.

Beside the events of ``rules/clocks.yaml``: ``named`` (a record names the person, with what is known), ``victim_named``
(it names a victim), ``identity_unknown`` (nobody knows who the person is), ``proposed`` (a sentence was proposed),
``measure_ended`` (and nothing says what came then), ``extended`` (a limit was made longer), and of splits and merges
``handed_on``, ``taken_over`` and ``left`` (module ``handed_on``)."""
_PLACE: Final = {word: place for place, word in enumerate(WORDS)}


class _Placed(NamedTuple):
    """A fact with what orders it; instants of one day compare by the first three.

    Args:
        moment: as the ledger keeps it: a day, or an instant in whole milliseconds.
        place: of its word.
        text: of all else that it says.
        known: the fact.
    """

    moment: Any
    place: int
    text: str
    known: KnownFact


def order_facts(facts: Iterable[KnownFact]) -> list[KnownFact]:
    """Bring facts into the order in which they happened.

    Args:
        facts: in any order, some more than once; a word that is not in ``WORDS`` is left out.

    Returns:
        each fact once. A day without a time is the same fact as an instant of that day. On one day instants go by their
        time, and a fact without a time follows what precedes it in the procedure.
    """
    timed, untimed = _merge(facts)
    if not untimed:
        return [placed.known for placed in sorted(timed)]
    days: dict[date, list[_Placed]] = {}
    for placed in sorted(timed):
        days.setdefault(to_day(placed.known.fact.at), []).append(placed)
    for placed in sorted(untimed):
        _insert(days.setdefault(to_day(placed.known.fact.at), []), placed)
    return [placed.known for _, found in sorted(days.items()) for placed in found]


def _to_moment(at: Moment) -> Moment:
    rest = at.microsecond % 1_000 if isinstance(at, datetime) else 0
    return at - timedelta(microseconds=rest) if rest else at


def _insert(found: list[_Placed], placed: _Placed) -> None:
    after = [at for at, other in enumerate(found, 1) if other.place <= placed.place]
    found.insert(max(after, default=0), placed)


def _merge(facts: Iterable[KnownFact]) -> tuple[list[_Placed], list[_Placed]]:
    """Each fact once, as it first became known; what later copies say beside it is kept as facts of their own."""
    first: dict[tuple[Moment, str], _Placed] = {}
    for known in facts:
        place = _PLACE.get(known.fact.kind)
        if place is None:
            continue
        placed = _Placed(_to_moment(known.fact.at), place, _text(known.fact), known)
        other = first.setdefault((placed.moment, placed.text), placed)
        if other is not placed and (known.known_at, known.index) < (other.known.known_at, other.known.index):
            first[placed.moment, placed.text] = placed
    timed: list[_Placed] = []
    untimed: list[_Placed] = []
    for placed in first.values():
        (timed if isinstance(placed.known.fact.at, datetime) else untimed).append(placed)
    if untimed:
        proven = {_identity(placed.known.fact) for placed in timed}
        untimed = [placed for placed in untimed if _identity(placed.known.fact) not in proven]
    return timed, untimed


def _identity(fact: Fact) -> tuple[object, ...]:
    return (
        fact.kind, fact.person, to_day(fact.at), fact.inputs.get(STEP), fact.inputs.get(RECIPIENT),
        fact.inputs.get("clock"), fact.inputs.get("extension"),
    )  # fmt: skip


def _text(fact: Fact) -> str:
    return f"{fact.kind} {fact.person} {sorted(fact.inputs.items()) if fact.inputs else '[]'}"
