"""What each check means: rows of ``rules/forms.yaml`` with message, remedy, severity and article.

Source: domain model, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding, Severity
from gateway.core.form.setting import FormSettings, parse_form_settings
from gateway.core.rule import Rule, RuleFileError, RuleRow, RuleSet, load_rules

RULES: Final = "forms"
REQUIRED: Final = ("message", "cure", "severity")
OPTIONAL: Final = ("adjustable",)


@dataclass(frozen=True, slots=True)
class CheckRule:
    """One row.

    Args:
        rule: id (name of the code), article, validity.
        code: of its findings.
        message: one sentence, the same for every finding.
        cure: what to do.
        severity: error refuses.
        is_adjustable: whether an operator may choose another severity.
    """

    rule: Rule
    code: ErrorCode
    message: str
    cure: str
    severity: Severity
    is_adjustable: bool

    def to_finding(self, path: str) -> Finding:
        """The finding for a fault at a path."""
        return Finding(self.code, path, self.message, self.severity, self.rule.citation)


class CheckRules:
    """All rows, with the chosen settings.

    Args:
        rules: of ``rules/forms.yaml``.
        settings: None for the defaults of the file.

    Raises:
        RuleFileError: a row or a setting is not as it must be; all problems at once.
    """

    def __init__(self, rules: RuleSet, settings: Mapping[str, Any] | None = None) -> None:
        self.id: Final = rules.id
        self.digest: Final = rules.digest
        self.settings: Final[FormSettings] = parse_form_settings(rules.name, settings or {}, rules.settings)
        problems: list[str] = []
        self.rows: Final = tuple(
            row for source in rules.rows if (row := _parse_row(source, self.settings, problems)) is not None
        )
        self._in_force: tuple[date, dict[ErrorCode, CheckRule]] = (date.min, {})
        adjustable = {row.code.name for row in self.rows if row.is_adjustable}
        problems += [
            f"settings: severity: {name} is no code whose severity may be chosen"
            for name in sorted(self.settings.severity.keys() - adjustable)
        ]
        if problems:
            raise RuleFileError(rules.name, problems)

    def on(self, day: date) -> dict[ErrorCode, CheckRule]:
        """The rows that hold on a day; those of the last day asked for are remembered."""
        known, rows = self._in_force
        if known != day:
            rows = {row.code: row for row in self.rows if row.rule.is_valid(day)}
            self._in_force = (day, rows)
        return rows


def _parse_row(source: RuleRow, settings: FormSettings, problems: list[str]) -> CheckRule | None:
    rule, content = source.rule, source.content
    message, cure, adjustable = content["message"], content["cure"], content.get("adjustable", False)
    if rule.id not in ErrorCode.__members__:
        problems.append(f"{rule.id}: there is no such code")
    elif content["severity"] not in set(Severity) or not isinstance(adjustable, bool):
        problems.append(f"{rule.id}: severity must be error or warning, adjustable true or false")
    elif not (isinstance(message, str) and isinstance(cure, str) and message and cure):
        problems.append(f"{rule.id}: message and cure must be texts that say something")
    else:
        severity = settings.severity.get(rule.id, Severity(content["severity"]))
        return CheckRule(rule, ErrorCode[rule.id], message, cure, severity, adjustable)
    return None


def load_check_rules(settings: Mapping[str, Any] | None = None) -> CheckRules:
    """Read the rows that come with the package.

    Args:
        settings: of an operator, some or all; None for the defaults.

    Returns:
        the rows.

    Raises:
        RuleFileError: the file or a setting is not as it must be.
    """
    rules = _load_rules()
    return CheckRules(rules, settings)


@cache
def _load_rules() -> RuleSet:
    return load_rules(RULES, required=REQUIRED, optional=OPTIONAL)
