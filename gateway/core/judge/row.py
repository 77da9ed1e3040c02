"""What a row of the tables of eligibility and of documents says, and everything that can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.core.dossier import Point
from gateway.core.errors import ErrorCode
from gateway.core.form.register import LEVELS
from gateway.core.identity import Role
from gateway.core.rule import Rule, RuleFileError, RuleRow, RuleSet

if TYPE_CHECKING:
    from gateway.core.judge.view import Subject, View


class Effect(StrEnum):
    """What a rule that is not met does to the bundle."""

    REFUSE = "refuse"
    """The law does not let it be sent; where, the row says."""
    SUPPLEMENT = "supplement"
    """The receiver may ask for what is missing."""
    WARN = "warn"
    """The receiver is told."""


class Hit(NamedTuple):
    """That a rule is not met, or cannot be seen to be.

    Args:
        field: canonical field, or path in an annex.
        is_missing: something is not known.
        part: which part of the rule, "" for the rule itself.
    """

    field: str
    is_missing: bool = False
    part: str = ""


Check = Callable[["View", "Subject", "JudgeRule"], Iterator[Hit]]
Condition = Callable[["View", "Subject"], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """How a rule, or a part of it, is told.

    Args:
        code: when it is not met.
        message: one sentence.
        cure: what would heal it.
    """

    code: ErrorCode
    message: str
    cure: str


@dataclass(frozen=True, slots=True)
class Override:
    """That findings of a rule may be overridden.

    Args:
        about: ``officer`` or ``person`` whom such a finding names, or ``case``.
        by: roles of the agencies that may.
        post: of the approver in the officers' register.
        least: lowest level of qualification of the approver.
        reasons: what is a reason, by code.
    """

    about: str
    by: frozenset[Role]
    post: str
    least: str
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class JudgeRule:
    """One row.

    Args:
        rule: id, basis, article, validity.
        title: what it is about.
        subjects: "person", "org", "case".
        points: where it is evaluated.
        when: condition at each point; a point without one always counts.
        check: what is looked at.
        name: of the check.
        effect: of a failure.
        refuse_at: points at which a failure with the effect ``refuse`` refuses.
        parts: by name, "" for the rule itself.
        data: canonical fields that it needs.
        parameters: of the check.
        routes: letters of the matrix by route (H1, H3, H7); empty for eligibility.
        by: who makes the document; "" for eligibility.
        override: how its findings may be overridden; None for not at all.
    """

    rule: Rule
    title: str
    subjects: frozenset[str]
    points: frozenset[Point]
    when: Mapping[Point, Condition]
    check: Check
    name: str
    effect: Effect
    refuse_at: frozenset[Point]
    parts: Mapping[str, Part]
    data: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    override: Override | None = None

    @property
    def id(self) -> str:
        """Id of the rule."""
        return self.rule.id


REQUIRED: Final = ("title", "of", "check", "effect", "code", "message", "cure", "data")
OPTIONAL: Final = ("points", "parts", "parameters", "routes", "when", "by", "refuse_at", "override")
POINTS_OF_ROUTE: Final[Mapping[str, tuple[Point, ...]]] = {
    "H1": (Point.TRANSFER,),
    "H3": (Point.INDICTMENT, Point.COURT_ACCEPTANCE),
    "H7": (Point.OTHER,),
}
"""Where the documents of a route of the matrix are looked for."""
_SUBJECTS: Final = frozenset({"person", "org", "case"})
_ABOUT: Final = frozenset({"officer", "person", "case"})
_MARKS: Final = frozenset({"M", "C"})


def parse_rows(
    rules: RuleSet, checks: Mapping[str, Check], conditions: Mapping[str, Condition]
) -> tuple[JudgeRule, ...]:
    """Read all rows of a table.

    Args:
        rules: the file.
        checks: what a row may name, by name.
        conditions: what a route may depend on, by name.

    Returns:
        the rows in the order of the file.

    Raises:
        RuleFileError: all problems at once.
    """
    problems: list[str] = []
    rows = []
    for source in rules.rows:
        try:
            rows.append(_parse_row(source, checks, conditions))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problems.append(f"{source.rule.id}: {type(error).__name__}: {error}")
    if problems:
        raise RuleFileError(rules.name, problems)
    return tuple(rows)


def _parse_row(source: RuleRow, checks: Mapping[str, Check], conditions: Mapping[str, Condition]) -> JudgeRule:
    row = source.content
    name, effect = row["check"], Effect(row["effect"])
    subjects = row["of"] if isinstance(row["of"], list) else [row["of"]]
    _require(subjects, _SUBJECTS, "of")
    if ("points" in row) == ("routes" in row):
        raise ValueError("a row has either points or routes")
    routes = row.get("routes", {})
    _require(routes, POINTS_OF_ROUTE.keys(), "routes")
    _require(routes.values(), _MARKS, "routes")
    _require(row.get("when", {}), routes.keys(), "when")
    _require(row.get("when", {}).values(), conditions.keys(), "when")
    points = [Point(point) for point in row.get("points", [])]
    when: dict[Point, Condition] = {}
    for route, mark in routes.items():
        word = row.get("when", {}).get(route, "always" if mark == "M" else "never")
        for point in POINTS_OF_ROUTE[route]:
            points.append(point)
            if word != "always":
                when[point] = conditions[word]
    parts = {"": row, **row.get("parts", {})}
    refuse_at = row.get("refuse_at", ["indictment"] if effect is Effect.REFUSE else [])
    if refuse_at and effect is not Effect.REFUSE:
        raise ValueError("only what refuses names refuse_at")
    return JudgeRule(
        source.rule,
        row["title"],
        frozenset(subjects),
        frozenset(points),
        when,
        checks[name],
        name,
        effect,
        frozenset(map(Point, refuse_at)),
        {part: Part(ErrorCode[told["code"]], told["message"], told["cure"]) for part, told in parts.items()},
        tuple(row["data"]),
        row.get("parameters", {}),
        routes,
        row.get("by", ""),
        _parse_override(row["override"], effect) if "override" in row else None,
    )


def _parse_override(told: Mapping[str, Any], effect: Effect) -> Override:
    if effect is Effect.REFUSE:
        raise ValueError("nobody overrides what the law refuses")
    if told.keys() != {"about", "by", "post", "least", "reasons"} or told["about"] not in _ABOUT or not told["reasons"]:
        raise ValueError("override has about (officer, person, case), by, post, least and reasons")
    if told["least"] not in LEVELS:
        raise ValueError(f"override: least is one of {', '.join(LEVELS)}")
    return Override(told["about"], frozenset(map(Role, told["by"])), told["post"], told["least"], dict(told["reasons"]))


def _require(values: Collection[str], known: Collection[str], name: str) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ValueError(f"{name} does not know {', '.join(unknown)}")
