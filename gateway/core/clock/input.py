"""Facts on which the length of a clock depends, and the conditions that ask for them.

Source: domain model, section 1.4.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

_OVER: Final = re.compile(r"> (\d{1,4})")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MAX_MONTHS: Final = 12 * 100


def is_day(value: Any) -> bool:
    """Whether a value is a day as text, such as "2026-02-05"."""
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class InputKind:
    """The form of a fact.

    Args:
        name: "months", "flag", "day" or "word".
        words: the words that a "word" may be, in capitals.
    """

    name: str
    words: tuple[str, ...] = ()

    @property
    def wording(self) -> str:
        """The form in words, for messages and tables."""
        if self.words:
            return "one of " + ", ".join(self.words)
        return {"months": "a number of months, 0 to 1200", "day": "a day, 2026-02-05"}.get(self.name, "true or false")

    def read(self, value: Any) -> Any:
        """Read a fact.

        Args:
            value: from outside, of any type.

        Returns:
            number, bool, day as text, or word in capitals; None when it has another form.
        """
        if self.words:
            return value.upper() if isinstance(value, str) and value.upper() in self.words else None
        if self.name == "flag":
            return value if isinstance(value, bool) else None
        if self.name == "day":
            return value if is_day(value) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return value if math.isfinite(value) and 0 <= value <= _MAX_MONTHS else None


@dataclass(frozen=True, slots=True)
class Condition:
    """What a fact must be for a length to hold: more than ``over``, the flag, or one of ``words``."""

    name: str
    over: int | None = None
    flag: bool | None = None
    words: tuple[str, ...] = ()

    def is_met(self, value: Any) -> bool:
        """Whether a fact, read by its kind, is so."""
        if self.over is not None:
            return bool(value > self.over)
        return value is self.flag if self.flag is not None else value in self.words

    def __str__(self) -> str:
        if self.over is not None:
            return f"{self.name} > {self.over}"
        if self.flag is not None:
            return f"{self.name} {'yes' if self.flag else 'no'}"
        return f"{self.name} {' or '.join(self.words)}"


def parse_input_kind(value: Any) -> InputKind:
    """Read the form of a fact.

    Args:
        value: "months", "flag", "day", or a list of words.

    Returns:
        the form.

    Raises:
        ValueError: another value.
    """
    if value in ("months", "flag", "day"):
        return InputKind(value)
    if isinstance(value, list) and value and all(isinstance(word, str) and word == word.upper() for word in value):
        return InputKind("word", tuple(value))
    raise ValueError("an input is months, flag, day, or a list of words in capitals")


def parse_condition(name: str, value: Any, inputs: Mapping[str, InputKind]) -> Condition:
    """Read a condition.

    Args:
        name: of the fact.
        value: "> 12", true, false, a word, or a list of words.
        inputs: the facts of the row.

    Returns:
        the condition.

    Raises:
        ValueError: a condition that the form of the fact does not have.
        KeyError: the row has no such fact.
    """
    kind = inputs[name]
    if kind.name == "months" and isinstance(value, str) and (match := _OVER.fullmatch(value)):
        return Condition(name, over=int(match[1]))
    if kind.name == "flag" and isinstance(value, bool):
        return Condition(name, flag=value)
    words = tuple(value) if isinstance(value, list) else (value,)
    if kind.words and set(words) <= set(kind.words):
        return Condition(name, words=words)
    raise ValueError(f"a condition that {name} cannot have")
