"""Tolerances and thresholds of the checks: defaults of ``rules/forms.yaml`` that an operator may replace.

Source: domain model, section 3 (what is marked configurable, [G] or [E]).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from gateway.core.errors import Severity
from gateway.core.rule import RuleFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSettings:
    """Values by which checks judge; see ``rules/forms.yaml`` for their meaning.

    Numbers are whole and not negative; what unit they have, their name says.
    """

    clock_drift_seconds: int
    gap_seconds: int
    duration_tolerance_seconds: int
    transcript_tolerance_seconds: int
    upload_hours: int
    retention_months: int
    rest_after_hours: int
    recording_required: str
    recorded_documents: Mapping[str, str]
    qualification_years: int
    batch_once: int
    batch_total: int
    batch_once_whole: int
    batch_total_whole: int
    telecom_account_fen: int
    city_accounts: int
    city_fen: int
    city_notice_days: int
    receiver_limit_days: int
    renewal_lead_days: int
    severity: Mapping[str, Severity]


_CHOICES = {"recording_required": ("always", "major", "never")}


def parse_form_settings(name: str, value: Any, defaults: Mapping[str, Any] | None = None) -> FormSettings:
    """Read settings.

    Args:
        name: of the file, for messages.
        value: mapping of some or all settings.
        defaults: for those that are left out; None when all must be there.

    Returns:
        the settings.

    Raises:
        RuleFileError: one is missing, unknown or has another form; all problems at once.
    """
    if not isinstance(value, dict):
        raise RuleFileError(name, ["settings must be a mapping"])
    value = {**(defaults or {}), **value}
    known = {field.name: str(field.type) for field in fields(FormSettings)}
    problems = [f"settings: {key} is missing" for key in sorted(known.keys() - value.keys())]
    problems += [f"settings: {key} is not known" for key in sorted(map(str, value.keys() - known.keys()))]
    for key in sorted(known.keys() & value.keys()):
        problem = _find_problem(key, known[key], value[key])
        if problem:
            problems.append(f"settings: {key} must be {problem}")
    if problems:
        raise RuleFileError(name, problems)
    severity = {code: Severity(text) for code, text in value["severity"].items()}
    return FormSettings(**{**value, "severity": severity})


def _find_problem(key: str, kind: str, value: Any) -> str:
    if kind == "int":
        return "" if type(value) is int and value >= 0 else "a whole number from 0"
    if kind == "str":
        return "" if value in _CHOICES[key] else "one of " + ", ".join(_CHOICES[key])
    texts = isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair)
    if not texts:
        return "a mapping of texts"
    if key == "severity" and not set(value.values()) <= set(Severity):
        return "a mapping of codes to error or warning"
    return ""
