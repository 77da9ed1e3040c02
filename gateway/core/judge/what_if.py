"""What would change if something were otherwise: a dossier with other values, judged again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from gateway.core.case.case import Case, Document
from gateway.core.dossier import Dossier, Point
from gateway.core.errors import ErrorCode, refuse
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.field_path import change_field
from gateway.core.judge.outcome import RuleFinding, RuleOutcome
from gateway.core.judge.rule_set import JudgeRuleSet

PLEAS: Final = {
    "withdrawn": "no",
    "full": "yes",
    "unknown": "none",
}
"""Words for all three flags of a plea: taken back, stands, nothing known."""
_PLEA: Final = re.compile(r"person\[[1-9][0-9]{0,5}\]\.plea", re.ASCII)
_DOCUMENT: Final = re.compile(r"document\.(D[0-9]{2})(?:\[([1-9][0-9]{0,5})\])?", re.ASCII)
_PROPOSAL: Final = re.compile(r"(person\[[1-9][0-9]{0,5}\])\.proposal", re.ASCII)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Two judgements beside each other.

    Args:
        before: as it is.
        after: as it would be.
        appear: findings that are new, of defendants and of documents.
        disappear: findings that are gone.
    """

    before: RuleOutcome
    after: RuleOutcome
    appear: tuple[RuleFinding, ...]
    disappear: tuple[RuleFinding, ...]


def compare(rules: JudgeRuleSet, dossier: Dossier, setters: list[str]) -> WhatIf:
    """Judge a dossier as it is and as it would be.

    Args:
        rules: the rule set.
        dossier: as it is.
        setters: ``FIELD=VALUE``, done in order; beside canonical fields there are the words of ``apply_setter``.

    Returns:
        both outcomes and the difference.

    Raises:
        GatewayError: ARGUMENT_INVALID for a setter that means nothing.
    """
    changed = dossier
    for setter in setters:
        changed = apply_setter(changed, setter)
    before, after = judge_dossier(rules, dossier), judge_dossier(rules, changed)
    known, new = _all(before), _all(after)
    return WhatIf(
        before,
        after,
        tuple(finding for key, finding in new.items() if key not in known),
        tuple(finding for key, finding in known.items() if key not in new),
    )


def apply_setter(dossier: Dossier, setter: str) -> Dossier:
    """Change one thing.

    ``FIELD=VALUE`` for any canonical field; ``person[1].plea=withdrawn`` (``full``, ``unknown``) for its three flags;
    ``person[1].proposal=10M`` for imprisonment of that length; ``document.D41=missing`` or ``present`` (of a person:
    ``document.D41[1]``) for documents of a code; ``on=2026-11-24`` for the day of the proceeding; ``point=hearing``.

    Args:
        dossier: stays as it is.
        setter: one of these.

    Returns:
        the changed dossier.

    Raises:
        GatewayError: ARGUMENT_INVALID.
    """
    field, equals, value = setter.partition("=")
    field, value = field.strip(), value.strip()
    if not equals or not field:
        raise refuse(ErrorCode.ARGUMENT_INVALID, setter, "a setter is FIELD=VALUE")
    if field in ("on", "point"):
        return _change_frame(dossier, field, value)
    return replace(dossier, case=_change_case(dossier, field, value))


def _change_frame(dossier: Dossier, field: str, value: str) -> Dossier:
    try:
        if field == "on":
            return replace(dossier, on=date.fromisoformat(value))
        return replace(dossier, point=Point(value))
    except ValueError:
        known = "a day such as 2026-11-24" if field == "on" else f"one of {', '.join(Point)}"
        raise refuse(ErrorCode.ARGUMENT_INVALID, field, known) from None


def _change_case(dossier: Dossier, field: str, value: str) -> Case:
    case = dossier.case
    if _PLEA.fullmatch(field):
        if value not in PLEAS:
            raise refuse(ErrorCode.ARGUMENT_INVALID, field, f"a plea is one of {', '.join(PLEAS)}")
        for flag in ("guilty", "accepts", "consents"):
            case = change_field(case, f"{field}.{flag}", PLEAS[value])
        return case
    if match := _PROPOSAL.fullmatch(field):
        case = change_field(case, f"{match[1]}.proposal.penalty", "none" if value == "none" else "IMPRISONMENT")
        return change_field(case, f"{match[1]}.proposal.term", value)
    if match := _DOCUMENT.fullmatch(field):
        return _change_document(dossier, match[1], match[2], value)
    return change_field(case, field, value)


def _change_document(dossier: Dossier, code: str, person: str | None, value: str) -> Case:
    case, key = dossier.case, None
    if person is not None:
        if int(person) > len(case.persons):
            raise refuse(ErrorCode.ARGUMENT_INVALID, f"document.{code}", f"there are {len(case.persons)} persons here")
        key = case.persons[int(person) - 1].key
    if value == "missing":
        kept = (one for one in case.documents if one.code != code or (key is not None and one.person != key))
        return replace(case, documents=tuple(kept))
    if value == "present":
        made = Document(
            key=f"what-if-{code}", code=code, title=code, on=dossier.on, pages=1, sha256="0" * 64, person=key
        )
        return replace(case, documents=(*case.documents, made))
    raise refuse(ErrorCode.ARGUMENT_INVALID, f"document.{code}", "missing or present")


def _all(outcome: RuleOutcome) -> dict[tuple[str, str, int, bool], RuleFinding]:
    """Findings by what they are about; a document may be missing twice."""
    listed = [finding for person in outcome.persons for finding in person.findings] + list(outcome.documents)
    return {(one.rule, one.field, int(one.code), one.is_missing): one for one in listed}
