"""The acts of the procedure that are no handoffs, as data: rules/acts.yaml, read and checked.

Source: domain model, sections 1.6 and 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from gateway.core.errors import Severity
from gateway.core.identity import Role
from gateway.core.procedure.lifecycle import Stage
from gateway.core.procedure.track import REGIONS
from gateway.core.rule import Rule, RuleFileError, load_rules

NEEDS: Final = frozenset({
    "ground", "reason", "other_case", "to_agency", "until", "effective_on", "expected_months",
    "clock", "extension", "organ", "documents", "decided_by", "account",
})  # fmt: skip
"""Fields of a statement that an act may need."""


class Standing(StrEnum):
    """What the issuer of an act must be to the case, besides its role."""

    HOLDER = "holder"
    """It has custody of the file, or nobody has yet."""
    PARTY = "party"
    """It sent or received a handoff of the case."""
    SAME_ROLE = "same_role"
    """It is an organ like the one that has custody of the file: itself, or the one above it."""
    NAMED = "named"
    """A change of jurisdiction named it."""
    ANY = "any"
    """Its role is enough: a court of appeal is no party of the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One act.

    Args:
        rule: id, basis, article and validity.
        title: what happens.
        transition: id of the domain model.
        who: roles that may do it.
        standing: see ``Standing``.
        is_of_persons: whether it names persons; otherwise it is of the file.
        sources: stages of the file from which it may be done.
        target: stage it leads to; None leaves it.
        region: region of each person's track that it sets; "" for none.
        value: what it sets; for ``served`` the day of the act.
        only: values that the region may have before; None for any.
        when_all: stage to which the file goes from one when the region of all persons has the value.
        needs: fields of the statement that must be there.
        documents: codes of the documents that go with it.
        without_documents: what a statement is that does not name them all: ``warn`` or ``refuse``.
        fact: what it tells the clocks; "" for nothing.
        overdue: id of the clock of the case that must have passed before; "" for none.
    """

    rule: Rule
    title: str
    transition: str
    who: frozenset[Role]
    standing: Standing
    is_of_persons: bool
    sources: frozenset[Stage]
    target: Stage | None = None
    region: str = ""
    value: str = ""
    only: frozenset[str] | None = None
    when_all: Mapping[Stage, Stage]
    needs: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    without_documents: Severity = Severity.WARNING
    fact: str = ""
    overdue: str = ""

    @property
    def id(self) -> str:
        """Name of the act, as a statement has it."""
        return self.rule.id


_REQUIRED: Final = ("title", "transition", "who", "standing", "scope", "from")
_OPTIONAL: Final = ("to", "sets", "only", "when_all", "needs", "documents", "without_documents", "fact", "overdue")
_WITHOUT: Final = {"warn": Severity.WARNING, "refuse": Severity.ERROR}
UNSEEN: Final = frozenset({Stage.INTAKE, Stage.CASE_ACCEPTED, Stage.FILED, Stage.INVESTIGATING})
"""Where a case may stand that the gateway has not seen move: it hears of it when the police begin to tell."""


@cache
def load_acts() -> Mapping[str, ActRow]:
    """Read the acts that come with the package.

    Returns:
        all, by id, in the order of the file.

    Raises:
        RuleFileError: the file is not as it must be.
    """
    found = load_rules("acts", required=_REQUIRED, optional=_OPTIONAL)
    rows: dict[str, ActRow] = {}
    problems: list[str] = []
    for row in found.rows:
        if row.rule.id in rows:
            problems.append(f"{row.rule.id}: an act has one row")
        try:
            rows[row.rule.id] = _to_act(row.rule, row.content)
        except (KeyError, ValueError, TypeError) as error:
            problems.append(f"{row.rule.id}: {error}")
    if problems:
        raise RuleFileError("acts", problems)
    return rows


def _to_act(rule: Rule, content: Mapping[str, Any]) -> ActRow:
    sets, only = content.get("sets", {}), content.get("only", {})
    region = next(iter(sets), "")
    if len(sets) > 1 or only.keys() - sets.keys():
        raise ValueError("sets has one region, and only speaks of the same")
    allowed = REGIONS.get(region, ("day",) if region == "served" else ())
    if region and (sets[region] not in allowed or set(only.get(region, ())) - set(allowed)):
        raise ValueError(f"{region} has no such value")
    if set(content.get("needs", ())) - NEEDS:
        raise ValueError("needs names a field that there is not")
    if "without_documents" in content and not content.get("documents"):
        raise ValueError("without_documents speaks of documents that are not there")
    sources = content["from"]
    return ActRow(
        rule=rule,
        title=content["title"],
        transition=content["transition"],
        who=frozenset(Role(role) for role in content["who"]),
        standing=Standing(content["standing"]),
        is_of_persons={"persons": True, "file": False}[content["scope"]],
        sources=frozenset(Stage) if sources == "any" else frozenset(Stage(name) for name in sources),
        target=Stage(content["to"]) if "to" in content else None,
        region=region,
        value=sets.get(region, ""),
        only=frozenset(only[region]) if region in only else None,
        when_all={Stage(a): Stage(b) for a, b in content.get("when_all", {}).items()},
        needs=tuple(content.get("needs", ())),
        documents=tuple(content.get("documents", ())),
        without_documents=_WITHOUT[content.get("without_documents", "warn")],
        fact=content.get("fact", ""),
        overdue=content.get("overdue", ""),
    )
