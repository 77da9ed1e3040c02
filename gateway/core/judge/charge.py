"""The table of charges: penalties of the first bracket and key evidence, by the law of the day of the act.

Source: domain model, section 4.3; Criminal Law 12 (the law of the act, unless the later one is milder).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from gateway.core.rule import Confidence, Rule, RuleFileError, RuleRow, RuleSet

REQUIRED: Final = ("title", "most_months", "kinds", "has_higher", "has_victim", "evidence")
GENERAL: Final = ("kinds", "has_higher", "has_victim", "evidence")
"""Parts of every row that are general knowledge, whatever its confidence says; an operator may replace them."""
KINDS: Final = frozenset({"CONTROL", "DETENTION", "IMPRISONMENT", "FINE"})


BINDING: Final = frozenset({Confidence.STATUTE, Confidence.SOURCE})
_NOTHING: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the file of a charge needs.

    Args:
        code: code of the document.
        what: in a few words.
    """

    code: str
    what: str


@dataclass(frozen=True, slots=True)
class ChargeRule:
    """One wording of a charge.

    Args:
        rule: its key (article, paragraph), and when the wording is in force.
        title: its names.
        most_months: longest imprisonment of the first bracket; 0 when there is none.
        kinds: penalties that may be given by themselves.
        has_higher: there is a higher bracket, so a longer term is not against the law.
        has_victim: there is a victim by its nature.
        evidence: key evidence.
    """

    rule: Rule
    title: str
    most_months: int
    kinds: frozenset[str]
    has_higher: bool
    has_victim: bool
    evidence: tuple[Evidence, ...]

    @property
    def weight(self) -> tuple[int, int]:
        """How heavy the bracket is, for comparing two wordings of one charge."""
        return self.most_months, int("FINE" not in self.kinds)


class ChargeTable:
    """All charges.

    Args:
        rules: of ``charges.yaml``.
        chosen: by the key of a charge, parts that an operator replaced in all its wordings: those of ``GENERAL``, and
            ``most_months`` of wordings that are not read in the law.

    Raises:
        RuleFileError: a row is not as it must be; all problems at once.
    """

    def __init__(self, rules: RuleSet, chosen: Mapping[str, Mapping[str, Any]] = _NOTHING) -> None:
        known = {source.rule.id for source in rules.rows}
        problems = [f"charges: there is no charge {law}" for law in sorted(chosen.keys() - known)]
        self._by_law: dict[str, list[ChargeRule]] = {}
        for source in rules.rows:
            try:
                self._by_law.setdefault(source.rule.id, []).append(_parse(source, chosen.get(source.rule.id, {})))
            except (KeyError, TypeError, ValueError) as error:
                problems.append(f"{source.rule.id}: {type(error).__name__}: {error}")
        if problems:
            raise RuleFileError(rules.name, problems)
        self.rows: Final[tuple[ChargeRule, ...]] = tuple(row for rows in self._by_law.values() for row in rows)

    def __contains__(self, law: object) -> bool:
        return law in self._by_law

    def find(self, law: object, act: date, on: date) -> ChargeRule | None:
        """Find the wording that counts.

        Args:
            law: charge key, such as "277(5)".
            act: day of the act.
            on: day of the proceeding.

        Returns:
            the wording in force on the day of the act, or that of the day of the proceeding when it is milder; None
            when the charge is unknown or was not in force on the day of the act.
        """
        rows = self._by_law.get(law, []) if isinstance(law, str) else []
        then = next((row for row in rows if row.rule.is_valid(act)), None)
        now = next((row for row in rows if row.rule.is_valid(on)), None)
        if then is None or now is None:
            return then
        return min(then, now, key=lambda row: row.weight)

    def any_wording(self, law: object) -> ChargeRule | None:
        """Some wording of a charge, for what no amendment changed; None when it is unknown."""
        rows = self._by_law.get(law, []) if isinstance(law, str) else []
        return rows[-1] if rows else None


def _parse(source: RuleRow, chosen: Mapping[str, Any]) -> ChargeRule:
    fixed = chosen.keys() - set(GENERAL) - (set() if source.rule.confidence in BINDING else {"most_months"})
    if fixed:
        raise ValueError(f"{', '.join(sorted(map(str, fixed)))} cannot be replaced")
    row: Mapping[str, Any] = {**source.content, **chosen}
    kinds = frozenset(row["kinds"])
    if not kinds or kinds - KINDS:
        raise ValueError(f"kinds are some of {', '.join(sorted(KINDS))}")
    if {row["has_higher"], row["has_victim"]} - {True, False}:
        raise ValueError("has_higher and has_victim are true or false")
    if not isinstance(row["most_months"], int) or (row["most_months"] > 0) != ("IMPRISONMENT" in kinds):
        raise ValueError("most_months is a number of months, and 0 where there is no imprisonment")
    evidence = tuple(Evidence(item["code"], item["what"]) for item in row["evidence"])
    return ChargeRule(
        source.rule, row["title"], row["most_months"], kinds, row["has_higher"], row["has_victim"], evidence
    )
