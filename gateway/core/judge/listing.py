"""The tables of eligibility, documents and charges in words, for the command line and the README of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gateway.core.dossier import Point
from gateway.core.judge.charge import GENERAL, ChargeRule
from gateway.core.judge.row import JudgeRule, Override
from gateway.core.judge.rule_set import JudgeRuleSet
from gateway.core.rule import Confidence, Rule

MARK_BEGIN: Final = "<!-- rules: begin, written by `fasttrack rules list --markdown` -->"
MARK_END: Final = "<!-- rules: end -->"
TEST_FILE: Final = "tests/unit/core/judge/test_judge_cases.py"
CHARGE_TEST_FILE: Final = "tests/unit/core/judge/test_judge_charge.py"
_NONE: Final = "–"


def describe_rule(row: JudgeRule, file: str) -> dict[str, Any]:
    """Put a row about defendants or documents into plain values.

    Args:
        row: of the table.
        file: that holds it, without folder.

    Returns:
        values by name, as ``fasttrack rules list --json`` prints them.
    """
    part = row.parts[""]
    return {
        "id": row.id,
        "title": row.title,
        **_describe_law(row.rule),
        "of": sorted(row.subjects),
        "points": [point.value for point in Point if point in row.points],
        "routes": dict(row.routes),
        "by": row.by,
        "effect": row.effect.value,
        "refuse_at": [point.value for point in Point if point in row.refuse_at],
        "codes": [told.code.name for told in row.parts.values()],
        "message": part.message,
        "cure": part.cure,
        "override": _describe_override(row.override),
        "data": list(row.data),
        "file": file,
        "test": f"{TEST_FILE} [{row.id}-",
    }


def _describe_override(override: Override | None) -> dict[str, Any] | None:
    if override is None:
        return None
    return {
        "about": override.about,
        "by": sorted(role.value for role in override.by),
        "post": override.post,
        "least": override.least,
        "reasons": dict(override.reasons),
    }


def describe_charge(row: ChargeRule) -> dict[str, Any]:
    """Put a row of the charges into plain values, as ``describe_rule`` does."""
    return {
        "id": row.rule.id,
        "title": row.title,
        **_describe_law(row.rule),
        "confidence_of": dict.fromkeys(GENERAL, Confidence.GENERAL.value),
        "most_months": row.most_months,
        "kinds": sorted(row.kinds),
        "has_higher": row.has_higher,
        "has_victim": row.has_victim,
        "evidence": [{"code": item.code, "what": item.what} for item in row.evidence],
        "file": "charges.yaml",
        "test": f"{CHARGE_TEST_FILE} [{row.rule.id}-{row.rule.valid_from}]",
    }


def _describe_law(rule: Rule) -> dict[str, Any]:
    return {
        "basis": rule.citation,
        "confidence": rule.confidence.value,
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
    }


def to_json(rules: JudgeRuleSet) -> dict[str, Any]:
    """The whole rule set as plain values.

    Args:
        rules: the rule set.

    Returns:
        ``rule_set``, ``definition_sha256``, and a list for each of the three files.
    """
    return {
        "rule_set": rules.id,
        "definition_sha256": rules.digest,
        "eligibility": [describe_rule(row, "eligibility.yaml") for row in rules.eligibility],
        "documents": [describe_rule(row, "documents.yaml") for row in rules.documents],
        "charges": [describe_charge(row) for row in rules.charges.rows],
    }


def to_markdown(rules: JudgeRuleSet) -> str:
    """Write the tables for the README of the rules.

    Args:
        rules: the rule set.

    Returns:
        Markdown, from the begin mark to the end mark, with a last newline.
    """
    told = to_json(rules)
    lines = [
        MARK_BEGIN,
        f"Rule set `{rules.id}`: each rule has cases of its own in `{TEST_FILE}`,",
        f"each charge in `{CHARGE_TEST_FILE}`.",
        "",
        f"#### Eligibility ({len(rules.eligibility)} rules, [eligibility.yaml](eligibility.yaml))",
        "",
        *_table(
            ("Id", "Rule", "Of", "Effect", "Codes", "Cure", "Needs", "Article", "Valid", "Confidence", "File", "Test"),
            (
                (
                    row["id"], row["title"], ", ".join(row["of"]), _effect(row), ", ".join(row["codes"]), row["cure"],
                    _fields(row), *_law(row), row["file"], _test(row),
                )
                for row in told["eligibility"]
            ),
        ),
        "",
        f"#### Documents and acts ({len(rules.documents)} rules, [documents.yaml](documents.yaml))",
        "",
        *_table(
            ("Id", "Document or check", "By", "H1", "H3", "H7", "Of", "Effect", "Code", "Cure", "Needs", "Article",
             "Valid", "Confidence", "File", "Test"),
            (
                (
                    row["id"], row["title"], row["by"],
                    *(row["routes"].get(route, _NONE) for route in ("H1", "H3", "H7")),
                    ", ".join(row["of"]), _effect(row), ", ".join(row["codes"]), row["cure"], _fields(row), *_law(row),
                    row["file"], _test(row),
                )
                for row in told["documents"]
            ),
        ),
        "",
        f"#### Charges ({len(rules.charges.rows)} wordings, [charges.yaml](charges.yaml))",
        "",
        "*Confidence* speaks of article, name and longest term; penalties, higher bracket, victim, evidence and",
        "days are `general` in every row.",
        "",
        *_table(
            ("Charge", "Name", "Longest term", "Penalties by themselves", "Higher bracket", "Victim", "Key evidence",
             "Article", "Valid", "Confidence", "File", "Test"),
            (
                (
                    row["id"], row["title"], f"{row['most_months']} months" if row["most_months"] else _NONE,
                    ", ".join(row["kinds"]), "yes" if row["has_higher"] else "no", "yes" if row["has_victim"] else "no",
                    "; ".join(f"{item['code']} {item['what']}" for item in row["evidence"]), *_law(row), row["file"],
                    _test(row),
                )
                for row in told["charges"]
            ),
        ),
        MARK_END,
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _effect(row: dict[str, Any]) -> str:
    effect = f"refuse at {', '.join(row['refuse_at'])}" if row["refuse_at"] else str(row["effect"])
    return f"{effect}, may be overridden" if row["override"] else effect


def _fields(row: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in row["data"])


def _law(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["basis"], f"{row['valid_from']} to {row['valid_to'] or 'now'}", row["confidence"]


def _test(row: dict[str, Any]) -> str:
    return f"`{row['test'].partition(' ')[2]}`"
