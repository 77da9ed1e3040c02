"""The order in which facts are counted: by their own time, whenever they became known, and each once.

Source: domain model, sections 2.2 and 2.3 (the order of the procedure).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.core.clock.due import to_day
from gateway.core.clock.rule import RECIPIENT, STEP
from gateway.core.fact.fact import KnownFact, to_moment_text

WORDS: Final = (
    "emergency_handled", "report_registered", "report_accepted", "no_jurisdiction_found", "case_not_filed",
    "case_filed", "notice_served", "remedy_requested", "reconsideration_decided", "review_requested", "remedy_decided",
    "frozen", "unrelated_found", "unrelated_lifted", "freeze_verified", "freeze_lifted",
    "named", "summons_arrived", "summons_ended", "measure_ended",
    "detained", "arrest_requested", "pr_arrest_request_received", "arrest_decided", "arrested",
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
    "judgment_pronounced", "judgment_served", "ruling_served", "appealed", "protest_requested", "protest_answered",
    "judgment_effective", "execution_received", "correction_notified", "correction_documents_received",
    "offender_reported", "property_notice_received", "property_receipt_received", "bank_executed",
)  # fmt: skip
"""Every word that a fact may be, in the order in which they follow each other on one day whose times are not known.

Beside the events of ``rules/clocks.yaml``: ``named`` (a record names the person, with what is known), ``proposed`` (a
sentence was proposed), ``measure_ended`` (and nothing says what came then), ``extended`` (a limit was made longer)."""
_PLACE: Final = {word: place for place, word in enumerate(WORDS)}


def order_facts(facts: Iterable[KnownFact]) -> list[KnownFact]:
    """Bring facts into the order in which they happened.

    Args:
        facts: in any order, some more than once; a word that is not in ``WORDS`` is left out.

    Returns:
        each fact once. A day without a time is the same fact as an instant of that day. On one day instants go by their
        time, and a fact without a time follows what precedes it in the procedure.
    """
    days: dict[object, list[KnownFact]] = {}
    for known in _merge(facts):
        days.setdefault(to_day(known.fact.at), []).append(known)
    ordered: list[KnownFact] = []
    for _, found in sorted(days.items(), key=lambda item: str(item[0])):
        ordered += _order_day(found)
    return ordered


def _order_day(found: list[KnownFact]) -> list[KnownFact]:
    timed = sorted(
        (known for known in found if isinstance(known.fact.at, datetime)),
        key=lambda known: (to_moment_text(known.fact.at), _PLACE[known.fact.kind], _text(known)),
    )
    for known in sorted(
        (known for known in found if not isinstance(known.fact.at, datetime)),
        key=lambda known: (_PLACE[known.fact.kind], _text(known)),
    ):
        place = _PLACE[known.fact.kind]
        after = [at for at, other in enumerate(timed, 1) if _PLACE[other.fact.kind] <= place]
        timed.insert(max(after, default=0), known)
    return timed


def _merge(facts: Iterable[KnownFact]) -> list[KnownFact]:
    """Each fact once, as it first became known; what later copies say beside it is kept as facts of their own."""
    first: dict[tuple[str, str], KnownFact] = {}
    for known in facts:
        if known.fact.kind in _PLACE:
            key = (to_moment_text(known.fact.at), _text(known))
            first[key] = min(first.get(key, known), known, key=lambda item: (item.known_at, item.index))
    timed: dict[tuple[object, ...], list[KnownFact]] = {}
    for known in first.values():
        if isinstance(known.fact.at, datetime):
            timed.setdefault(_identity(known), []).append(known)
    return [known for known in first.values() if isinstance(known.fact.at, datetime) or _identity(known) not in timed]


def _identity(known: KnownFact) -> tuple[object, ...]:
    fact = known.fact
    return (
        fact.kind, fact.person, to_day(fact.at), fact.inputs.get(STEP), fact.inputs.get(RECIPIENT),
        fact.inputs.get("clock"), fact.inputs.get("extension"),
    )  # fmt: skip


def _text(known: KnownFact) -> str:
    fact = known.fact
    return f"{fact.kind} {fact.person} {sorted(fact.inputs.items())}"
