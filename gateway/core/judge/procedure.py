"""The procedure as a port: the rule set of today judges, earlier ones can still be asked."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.dossier import Dossier
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.outcome import Result, RuleOutcome
from gateway.core.judge.rule_set import JudgeRuleSet, load_history, load_rule_set


class RuleProcedure:
    """Judges by a rule set and keeps those that judged before.

    Args:
        current: the rule set of today; None for that of the package with its own readings.
        earlier: other rule sets that replay may ask for; None for every version of the package.
    """

    def __init__(self, current: JudgeRuleSet | None = None, earlier: Iterable[JudgeRuleSet] | None = None) -> None:
        self._current = current or load_rule_set()
        known = load_history() if earlier is None else earlier
        self._by_id = {rules.id: rules for rules in (*known, self._current)}

    @property
    def rule_set(self) -> str:
        """Id of the rule set that judges what comes now."""
        return self._current.id

    def definitions(self) -> dict[str, str]:
        """SHA-256 of the rule set that judges what comes now, by its id."""
        return {self._current.id: self._current.digest}

    def judge(self, dossier: Dossier | None) -> RuleOutcome:
        """Judge a dossier.

        Args:
            dossier: None for a record that is of no point.

        Returns:
            the outcome; NOT_EVALUATED without findings for None.
        """
        if dossier is None:
            return RuleOutcome(self._current.id, Result.NOT_EVALUATED)
        return judge_dossier(self._current, dossier)

    def find(self, rule_set: str) -> JudgeRuleSet | None:
        """A rule set that judged once, by the id that an entry names; None when it is not here."""
        return self._by_id.get(rule_set)
