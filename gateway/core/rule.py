"""Rules as effective-dated data: what every row has, and the strict reading of a file of rows.

A file in ``gateway/core/rules`` is a mapping with ``version`` and ``rules``, a list of rows. Each row has the keys of
``Rule``; what else it may have, the reader of that file says. A file that is not exactly so is refused whole: a rule
that is half understood is worse than none.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final, TypeGuard

from yaml import MappingNode, SafeLoader, YAMLError
from yaml.constructor import ConstructorError


class Confidence(StrEnum):
    """Where a rule was taken from; what is not ``statute`` or ``source`` is a default that an operator may replace."""

    STATUTE = "statute"
    """The text of the article was read."""
    SOURCE = "source"
    """A public source says so."""
    GENERAL = "general"
    """General knowledge, not verified."""
    ESTIMATE = "estimate"
    """Our own estimate."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What every rule says of itself.

    Args:
        id: "K22", "E02"; the same id comes again when a rule is amended.
        basis: principal act, in the short form of ``gateway/core/rules/README.md``, such as "CPL".
        article: its articles, followed by those of other acts, such as "172; SPP 273".
        valid_from: first day on which it holds.
        valid_to: last day on which it holds; None while there is no end.
        confidence: where it was taken from.
    """

    id: str
    basis: str
    article: str
    valid_from: date
    valid_to: date | None
    confidence: Confidence

    @property
    def citation(self) -> str:
        """Act and articles in one text, as findings and answers quote it."""
        return f"{self.basis} {self.article}"

    def is_valid(self, on: date) -> bool:
        """Whether the rule holds on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row of a file.

    Args:
        rule: the keys that every row has.
        content: the others, as YAML has them.
    """

    rule: Rule
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A file of rules.

    Args:
        name: of the file, without ".yaml".
        version: as the file says.
        digest: SHA-256 of the file, 32 bytes.
        rows: in the order of the file.
        settings: defaults of the file that an operator may replace; empty when it has none.
    """

    name: str
    version: str
    digest: bytes
    rows: tuple[RuleRow, ...]
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        """Name and version, as entries and answers name the set: "clocks/2026.1"."""
        return f"{self.name}/{self.version}"


class RuleFileError(ValueError):
    """A file of rules is not as it must be.

    Args:
        name: of the file.
        problems: all that is wrong, each with its row.
    """

    def __init__(self, name: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{name}: " + "; ".join(self.problems))


class _StrictLoader(SafeLoader):
    """YAML lets a later key replace an earlier one; here that would silently drop a rule's condition."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for at, key in enumerate(keys):
            if key in keys[:at]:
                raise ConstructorError(None, None, f"key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def parse_yaml(name: str, data: bytes) -> Any:
    """Read YAML of plain values, refusing what other readers let pass.

    Args:
        name: of the file, for messages.
        data: YAML in UTF-8.

    Returns:
        mappings, lists, texts, numbers, dates, None.

    Raises:
        RuleFileError: not YAML, a tag that makes objects, or a key twice in a mapping.
    """
    try:
        return _StrictLoader(data).get_single_data()
    except (YAMLError, ValueError) as error:
        raise RuleFileError(name, [f"not readable: {error}"]) from error


RULE_KEYS: Final = ("id", "basis", "article", "valid_from", "valid_to", "confidence")
_TEXT_KEYS: Final = ("id", "basis", "article")


def load_rules(name: str, *, required: Collection[str] = (), optional: Collection[str] = ()) -> RuleSet:
    """Read a file of rules that comes with the package.

    Args:
        name: file in ``gateway/core/rules``, without ".yaml".
        required: keys that each row has besides those of ``Rule``.
        optional: keys that a row may have.

    Returns:
        all rows, valid at any time.

    Raises:
        RuleFileError: see ``parse_rules``.
        FileNotFoundError: there is no such file.
    """
    data = files("gateway.core").joinpath("rules", f"{name}.yaml").read_bytes()
    return parse_rules(name, data, required=required, optional=optional)


def parse_rules(name: str, data: bytes, *, required: Collection[str] = (), optional: Collection[str] = ()) -> RuleSet:
    """Read the text of a file of rules.

    Args:
        name: for messages and for ``RuleSet.id``.
        data: YAML in UTF-8.
        required: keys that each row has besides those of ``Rule``.
        optional: keys that a row may have.

    Returns:
        all rows, valid at any time.

    Raises:
        RuleFileError: not YAML, a key twice, missing or unknown, no basis or article, an unknown confidence, or two
            rows of one id that hold on the same day.
    """
    value = parse_yaml(name, data)
    if not isinstance(value, dict) or not {"version", "rules"} <= value.keys() <= {"version", "settings", "rules"}:
        raise RuleFileError(name, ["the file must have version and rules, it may have settings, and nothing else"])
    version, rows, settings = value["version"], value["rules"], value.get("settings", {})
    if not isinstance(version, str) or not isinstance(rows, list) or not isinstance(settings, dict) or not rows:
        raise RuleFileError(name, ["version must be a text, settings a mapping, rules a list of at least one row"])
    problems = [
        f"row {at}: {problem}"
        for at, row in enumerate(rows, 1)
        for problem in _find_problems(row, {*RULE_KEYS, *required}, optional)
    ]
    if not problems:
        problems = _find_overlaps([_to_rule(row) for row in rows])
    if problems:
        raise RuleFileError(name, problems)
    return RuleSet(
        name,
        version,
        sha256(data).digest(),
        tuple(RuleRow(_to_rule(row), {key: row[key] for key in row if key not in RULE_KEYS}) for row in rows),
        settings,
    )


def _find_problems(row: object, required: Collection[str], optional: Collection[str]) -> Iterable[str]:
    if not isinstance(row, dict):
        yield "not a mapping"
        return
    yield from (f"{key} is missing" for key in sorted(set(required) - row.keys()))
    yield from (f"{key} is not known" for key in sorted(map(str, row.keys() - set(required) - set(optional))))
    for key in _TEXT_KEYS:
        if key in row and not (isinstance(row[key], str) and row[key].strip()):
            yield f"{key} must be a text that says something"
    start, end = row.get("valid_from"), row.get("valid_to")
    if "valid_from" in row and not _is_date(start):
        yield "valid_from must be a date"
    if end is not None and not _is_date(end):
        yield "valid_to must be a date or null"
    if _is_date(start) and _is_date(end) and end < start:
        yield "valid_to is before valid_from"
    if "confidence" in row and row["confidence"] not in set(Confidence):
        yield f"confidence must be one of {', '.join(Confidence)}"


def _is_date(value: object) -> TypeGuard[date]:
    return isinstance(value, date) and not isinstance(value, datetime)


def _to_rule(row: Mapping[str, Any]) -> Rule:
    return Rule(**{key: row[key] for key in RULE_KEYS if key != "confidence"}, confidence=Confidence(row["confidence"]))


def _find_overlaps(rules: Iterable[Rule]) -> list[str]:
    ordered = sorted(rules, key=lambda rule: (rule.id, rule.valid_from))
    return [
        f"{first.id}: the rows valid from {first.valid_from} and from {second.valid_from} overlap"
        for first, second in pairwise(ordered)
        if first.id == second.id and (first.valid_to is None or second.valid_from <= first.valid_to)
    ]
