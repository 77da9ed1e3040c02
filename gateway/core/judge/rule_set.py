"""A rule set: the three files of one version with the chosen readings, read once and checked whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from gateway.core.dossier import Point
from gateway.core.judge import check_act, check_document, check_person
from gateway.core.judge.charge import REQUIRED as CHARGE_REQUIRED
from gateway.core.judge.charge import ChargeTable
from gateway.core.judge.condition import CONDITIONS
from gateway.core.judge.row import OPTIONAL, REQUIRED, Effect, JudgeRule, parse_rows
from gateway.core.judge.setting import JudgeSettings, parse_settings
from gateway.core.rule import RuleFileError, RuleSet, parse_rules

FILES: Final = ("eligibility", "documents", "charges")
_DOCUMENT_CHECKS: Final = {**check_document.CHECKS, **check_act.CHECKS}


@dataclass(frozen=True, slots=True, eq=False)
class JudgeRuleSet:
    """Everything by which a case is judged.

    Args:
        id: as entries name it: ``eligibility/2026.1``, with the beginning of the digest of other readings behind it.
        digest: SHA-256 of the three files and the chosen readings, hexadecimal.
        eligibility: rows about defendants.
        documents: rows about documents and acts.
        charges: the charges.
        settings: the chosen readings.
        eligibility_at: rows about defendants, by the point at which they are asked.
        documents_at: rows about documents, by the point at which they are asked.
    """

    id: str
    digest: str
    eligibility: tuple[JudgeRule, ...]
    documents: tuple[JudgeRule, ...]
    charges: ChargeTable
    settings: JudgeSettings
    eligibility_at: Mapping[Point, tuple[JudgeRule, ...]]
    documents_at: Mapping[Point, tuple[JudgeRule, ...]]


def _by_point(rules: tuple[JudgeRule, ...]) -> Mapping[Point, tuple[JudgeRule, ...]]:
    return {point: tuple(rule for rule in rules if point in rule.points) for point in Point}


def read_rule_set(sources: Mapping[str, bytes], chosen: object = None, chosen_name: str = "settings") -> JudgeRuleSet:
    """Read the three files.

    Args:
        sources: text of each file of ``FILES``, YAML in UTF-8.
        chosen: readings that an operator chose, a mapping; None for the defaults.
        chosen_name: of their file, for messages.

    Returns:
        the rule set.

    Raises:
        RuleFileError: a file or a setting is not as it must be.
    """
    eligibility = parse_rules("eligibility", sources["eligibility"], required=REQUIRED, optional=OPTIONAL)
    documents = parse_rules("documents", sources["documents"], required=REQUIRED, optional=OPTIONAL)
    charges = parse_rules("charges", sources["charges"], required=CHARGE_REQUIRED)
    if len({eligibility.version, documents.version, charges.version}) != 1:
        raise RuleFileError("eligibility", ["the three files are not of one version"])
    settings = parse_settings(chosen_name, {**eligibility.settings, **documents.settings, **charges.settings}, chosen)
    digest, mark = _digest((eligibility, documents, charges), chosen)
    persons = parse_rows(eligibility, check_person.CHECKS, CONDITIONS)
    if any(row.override is not None for row in persons):
        raise RuleFileError("eligibility", ["nobody overrides a condition or exclusion of the fast track"])
    papers = _with_profile(parse_rows(documents, _DOCUMENT_CHECKS, CONDITIONS), settings)
    return JudgeRuleSet(
        eligibility.id + mark,
        digest,
        persons,
        papers,
        ChargeTable(charges, settings.charges),
        settings,
        _by_point(persons),
        _by_point(papers),
    )


def _digest(rules: tuple[RuleSet, ...], chosen: object) -> tuple[str, str]:
    digest = sha256(b"".join(one.digest for one in rules))
    if not chosen:
        return digest.hexdigest(), ""
    told = json.dumps(chosen, sort_keys=True, ensure_ascii=True, default=str).encode()
    digest.update(told)
    return digest.hexdigest(), f"+{sha256(told).hexdigest()[:8]}"


def _with_profile(rows: tuple[JudgeRule, ...], settings: JudgeSettings) -> tuple[JudgeRule, ...]:
    """Whether an act without qualification refuses is for the operator to say."""
    if settings.qualification != "refuse":
        return rows
    return tuple(
        replace(row, effect=Effect.REFUSE, refuse_at=row.points) if row.name == "qualified" else row for row in rows
    )


def _read(folder: Traversable) -> dict[str, bytes]:
    return {name: folder.joinpath(f"{name}.yaml").read_bytes() for name in FILES}


@cache
def load_rule_set() -> JudgeRuleSet:
    """The rule set of today with the readings of its files."""
    return read_rule_set(_read(files("gateway.core").joinpath("rules")))


def load_chosen(chosen: object, name: str) -> JudgeRuleSet:
    """The rule set of today with other readings.

    Args:
        chosen: mapping of settings.
        name: of their file, for messages.

    Raises:
        RuleFileError: a setting is not as it must be.
    """
    return read_rule_set(_read(files("gateway.core").joinpath("rules")), chosen, name)


@cache
def load_history(history: Traversable | None = None) -> tuple[JudgeRuleSet, ...]:
    """Every version that ever judged, today's last.

    Args:
        history: folder with a folder for each earlier version; None for that of the package.
    """
    folder = history or files("gateway.core").joinpath("rules", "history")
    earlier = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    return (*(read_rule_set(_read(folder.joinpath(version))) for version in earlier), load_rule_set())
