"""Overrides of findings: an organ takes a named finding on itself, with a reason and an approver.

An override is a statement (``finding-override``) of the agency that hands the file over. It makes an error of its rule
a warning and is told with the finding; the finding stays, and so does every result. Only rows that say so (``override``
in ``documents.yaml``) can be overridden: never a condition or exclusion of the fast track, never what the law itself
refuses.

Source: domain model, section 2.5 (manual override requires reason and approver), scenario 17.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.core.errors import Severity
from gateway.core.judge.outcome import RuleFinding
from gateway.core.judge.row import JudgeRule
from gateway.core.judge.view import View

NAME: Final = "finding-override"
_SHOWN: Final = ("rule", "officer", "person", "reason")
_OWNER: Final = re.compile(r"(officer|person)\[([1-9][0-9]{0,5})\]", re.ASCII)


def to_override(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a judgement looks at of an override: rule, whom the finding is about, reason; neither approver nor note."""
    return {name: body[name] for name in _SHOWN if name in body}


def override_finding(view: View, rule: JudgeRule, finding: RuleFinding) -> RuleFinding:
    """Let an override count for a finding.

    Args:
        view: whose dossier has the overrides.
        rule: of the finding.
        finding: as it was found.

    Returns:
        the finding; as a warning with the reason when it was overridden.
    """
    if rule.override is None:
        return finding
    finding = replace(finding, is_overridable=True)
    owner = _owner_of(view, finding.field)
    for stated in view.dossier.overrides:
        about = {name: value for name, value in stated.items() if name in ("officer", "person")}
        if stated["rule"] == rule.id and stated["reason"] in rule.override.reasons and about == owner:
            return replace(finding, severity=Severity.WARNING, override=stated["reason"])
    return finding


def _owner_of(view: View, field: str) -> dict[str, str]:
    """Whom a finding is about; nobody when it is about the whole file."""
    match = _OWNER.match(field)
    if match is None:
        return {}
    at = int(match[2]) - 1
    return {match[1]: view.case.officers[at].no if match[1] == "officer" else view.case.persons[at].key}
