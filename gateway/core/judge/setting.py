"""Readings of eligibility and documents that an operator may choose; the defaults stand in the files of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from gateway.core.dossier import Point
from gateway.core.rule import RuleFileError


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """The chosen readings.

    Args:
        most_expected_months: imprisonment that is still three years or less; exactly so many count in.
        attested_by: documents by which an organ says that facts and evidence are clear, by point.
        proven_birth_bases: bases of a birth date that prove an age.
        intermediate_categories: beginnings of police categories that are not a basic court's.
        not_guilty_words: words that plead not guilty.
        not_guilty_exceptions: words that only seem to.
        own_nations: nationalities that need no look by a person.
        qualification: ``warn`` or ``refuse``.
        receiver_limit_days: of the receiver, by point.
        mass_freeze_accounts: frozen accounts from which approval must be proven.
        mass_freeze_whole_accounts: the same, of whole accounts.
        charges: parts of charges that replace those of the table, by the key of the charge.
    """

    most_expected_months: int
    attested_by: Mapping[Point, frozenset[str]]
    proven_birth_bases: frozenset[str]
    intermediate_categories: tuple[str, ...]
    not_guilty_words: tuple[str, ...]
    not_guilty_exceptions: tuple[str, ...]
    own_nations: frozenset[str]
    qualification: str
    receiver_limit_days: Mapping[Point, int]
    mass_freeze_accounts: int
    mass_freeze_whole_accounts: int
    charges: Mapping[str, Mapping[str, Any]]


def parse_settings(name: str, defaults: Mapping[str, Any], chosen: object = None) -> JudgeSettings:
    """Read chosen settings over the defaults of the files.

    Args:
        name: where the chosen ones are from, for messages.
        defaults: settings of the three files together.
        chosen: what the operator's file says; None for nothing.

    Returns:
        the settings.

    Raises:
        RuleFileError: an unknown setting, or one of another form; all at once.
    """
    known = {item.name for item in fields(JudgeSettings)}
    if chosen is not None and not isinstance(chosen, dict):
        raise RuleFileError(name, ["the file must be a mapping of settings"])
    values = {**defaults, **(chosen or {})}
    problems = [f"there is no setting {key}" for key in sorted(map(str, values.keys() - known))]
    problems += [f"{key} is missing" for key in sorted(known - values.keys())]
    read: dict[str, Any] = {}
    for key in sorted(known & values.keys()):
        try:
            read[key] = _READERS[key](values[key])
        except (TypeError, ValueError, AttributeError) as error:
            problems.append(f"{key}: {error}")
    if problems:
        raise RuleFileError(name, problems)
    return JudgeSettings(**read)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number from 1")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("a list of words")
    return tuple(value)


def _word_set(value: Any) -> frozenset[str]:
    return frozenset(_words(value))


def _warn_or_refuse(value: Any) -> str:
    if value not in ("warn", "refuse"):
        raise ValueError("warn or refuse")
    return str(value)


def _codes_by_point(value: Any) -> Mapping[Point, frozenset[str]]:
    return {Point(point): _word_set(codes) for point, codes in value.items()}


def _days_by_point(value: Any) -> Mapping[Point, int]:
    return {Point(point): _number(days) for point, days in value.items()}


def _parts_by_charge(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not all(isinstance(law, str) and isinstance(parts, dict) for law, parts in value.items()):
        raise ValueError('parts by the key of a charge, a text such as "264"')
    return dict(value)


_READERS = {
    "most_expected_months": _number,
    "attested_by": _codes_by_point,
    "proven_birth_bases": _word_set,
    "intermediate_categories": _words,
    "not_guilty_words": _words,
    "not_guilty_exceptions": _words,
    "own_nations": _word_set,
    "qualification": _warn_or_refuse,
    "receiver_limit_days": _days_by_point,
    "mass_freeze_accounts": _number,
    "mass_freeze_whole_accounts": _number,
    "charges": _parts_by_charge,
}
