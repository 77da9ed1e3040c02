"""Judging stored records again: does a rule set of then say today what its entry says?

Source: domain model, section 1.3; design, section 5 (a case keeps the rule version it was judged by).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import product
from typing import Any

from gateway.core.annex import Annex
from gateway.core.case.case import Case
from gateway.core.dossier import Carried, Point
from gateway.core.entry import Entry, EntryKind
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.proceeding import make_dossier
from gateway.core.judge.rule_set import JudgeRuleSet


class Verdict(StrEnum):
    """What became of one entry."""

    SAME = "same"
    DIFFERS = "differs"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One entry, judged again.

    Args:
        index: of the entry.
        rule_set: that it names.
        recorded: result that it names.
        again: result of today; "" when it cannot be told.
        verdict: whether result and digest of the inputs are the same.
        reason: in words; "" for the same.
    """

    index: int
    rule_set: str
    recorded: str
    again: str
    verdict: Verdict
    reason: str = ""


def is_judged(entry: Entry) -> bool:
    """Whether an entry says that somebody judged."""
    return bool(entry.rule_set and entry.inputs_sha256)


Register = Mapping[str, Mapping[str, Any]]
Stated = tuple[Mapping[str, Any], ...]


def replay_entry(
    entry: Entry,
    case: Case | None,
    annexes: tuple[Annex, ...],
    find: Callable[[str], JudgeRuleSet | None],
    *,
    registers: Sequence[Register] = ({},),
    reviews: Sequence[Stated] = ((),),
    carried: Sequence[tuple[Carried, ...]] = ((),),
    overrides: Sequence[Stated] = ((),),
) -> Replayed:
    """Judge the record of an entry again.

    Args:
        entry: for which ``is_judged`` holds.
        case: the stored record as read today; None when it is not there any more, or cannot be read.
        annexes: of its bundle.
        find: gives a rule set by its id.
        registers: officers' registers that may have been in force.
        reviews: legal reviews that may have been stated.
        carried: unchanged documents that earlier bundles may have brought.
        overrides: findings that may have been overridden; they count where something was found that may be.

    Returns:
        the comparison. A judgement was made a moment before its entry: at midnight that was the day before, and a
        register, statement or bundle that came in that moment may or may not have been seen.
    """

    def answer(verdict: Verdict, reason: str = "", again: str = "") -> Replayed:
        return Replayed(entry.index, entry.rule_set, entry.rule_result, again, verdict, reason)

    rules = find(entry.rule_set)
    if rules is None:
        return answer(Verdict.CANNOT_TELL, "this rule set is not here; give its settings with --settings")
    if case is None:
        return answer(Verdict.CANNOT_TELL, "the record is not stored any more, or cannot be read")
    point = Point.COURT_ACCEPTANCE if entry.kind is EntryKind.ACCEPTED else None
    results = []
    moments = (timedelta(0), timedelta(minutes=10))
    for earlier, register, stated, brought in product(moments, registers, reviews, carried):
        at = entry.recorded_at - earlier
        dossier = make_dossier(
            case, at, point=point, annexes=annexes, carried=brought, reviews=stated, register=register
        )
        if dossier is None:
            return answer(Verdict.DIFFERS, "nobody judges a record of this kind")
        first = judge_dossier(rules, dossier)
        chosen = overrides if first.is_overridable else ((),)
        outcomes = [judge_dossier(rules, replace(dossier, overrides=one)) if one else first for one in chosen]
        for outcome in outcomes:
            if (outcome.result, outcome.inputs_sha256) == (entry.rule_result, entry.inputs_sha256):
                return answer(Verdict.SAME, again=outcome.result)
        results += outcomes
    again = results[0]
    reason = "the result is another" if again.result != entry.rule_result else "the inputs are others"
    return answer(Verdict.DIFFERS, reason, again.result)
