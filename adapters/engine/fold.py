"""Blanks, folding and placeholders: the three questions that are asked of every text before its type is.

Source: agency interfaces, section 4 (leaf) and section 5 (placeholders, fold).
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from typing import Final

BLANK: Final = " \t\n\r\u3000"
"""Characters that count as nothing around a value; narrower than what Unicode calls white space."""

_MARKS: Final = frozenset({"/", "／", "-", "－", "—", "--", "——"})
_UNKNOWN: Final = "不详"
_WORDS: Final = frozenset({"无", _UNKNOWN, "详见卷宗", "详见案卷"})
# Every character by which the fold of a placeholder can begin: compatibility forms, and white space (fold drops it).
SUSPECT: Final = frozenset(
    "/／-－\ufe63—\ufe58\ufe31无\u2f46不\uf967详"
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


class Placeholder(IntEnum):
    """Which placeholders a type of field knows."""

    NEVER = 0
    MARKS = 1
    ALL = 2
    DATE = 3


def fold(text: str) -> str:
    """Fold a text as the interfaces do: NFKC, all white space removed, upper case.

    Args:
        text: any text.

    Returns:
        the folded text.
    """
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def strip_space(text: str) -> str:
    """Remove every character that Unicode calls white space."""
    return "".join(text.split())


def is_placeholder(text: str, level: Placeholder) -> bool:
    """Whether a text stands for "nothing" in a field of this kind.

    Args:
        text: without blanks around it, not empty.
        level: what the type of the field knows; in a partial date the word for "unknown" is a value.

    Returns:
        whether the leaf holds no value.
    """
    if text[0] not in SUSPECT or not level:
        return False
    folded = fold(text)
    if text in _MARKS or folded in _MARKS:
        return True
    if level < Placeholder.ALL:
        return False
    if level == Placeholder.DATE and _UNKNOWN in (text, folded):
        return False
    return text in _WORDS or folded in _WORDS
