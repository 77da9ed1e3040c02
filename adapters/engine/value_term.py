"""Terms of a penalty or a probation period, and the sentence text of the procuratorate.

Source: section 3 of the police and justice interfaces, section 4 of the procuratorate interface.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from adapters.engine.codec import BAD_FORMAT, Codec, Unreadable
from adapters.engine.han import HAN_OF_NUMBER, NUMBER_OF_HAN
from gateway.core.case.value import Term

_PERIOD: Final = re.compile(r"P(?=\d)(?:(\d{1,2})Y)?(?:(\d{1,2})M)?(?:(\d{1,2})D)?", re.ASCII)
_N: Final = "[零一二三四五六七八九十两]{1,3}|[0-9]{1,2}"
_TERM: Final = f"(?:({_N})年)?(?:({_N})个?月)?(?:({_N})[日天])?"
_SENTENCE: Final = re.compile(
    f"(管制|拘役|有期徒刑|单处罚金|免予刑事处罚|宣告无罪){_TERM}(?:[，,、;；]?(?:宣告)?(缓刑)(?:考验期)?{_TERM})?",
    re.ASCII,
)
_READ_NUMBER: Final = {
    **NUMBER_OF_HAN,
    "零": 0,
    "两": 2,
    **{str(n): n for n in range(100)},
    **{f"0{n}": n for n in range(10)},
}


def term_of(years: int, months: int, days: int) -> Term | None:
    """A term, or None: a term of zero is no value."""
    return Term(years, months, days) if years or months or days else None


def _read_six(text: str) -> Term | Unreadable | None:
    if len(text) != 6 or not (text.isascii() and text.isdigit()):
        return BAD_FORMAT
    return term_of(int(text[:2]), int(text[2:4]), int(text[4:]))


def _write_six(value: Term) -> str:
    return f"{value.years:02d}{value.months:02d}{value.days:02d}"


def _read_period(text: str) -> Term | Unreadable | None:
    found = _PERIOD.fullmatch(text)
    return term_of(int(found[1] or 0), int(found[2] or 0), int(found[3] or 0)) if found else BAD_FORMAT


def _write_period(value: Term) -> str:
    parts = ((value.years, "Y"), (value.months, "M"), (value.days, "D"))
    return "P" + "".join(f"{number}{unit}" for number, unit in parts if number)


class SentenceText(NamedTuple):
    """What a sentence text says.

    Args:
        penalty: its name.
        term: None when there is none.
        probation: None when there is none.
    """

    penalty: str
    term: Term | None
    probation: Term | None


def parse_sentence(text: str) -> SentenceText | None:
    """Read a sentence text, in any of the spellings that are accepted.

    Args:
        text: e.g. ``有期徒刑一年六个月，缓刑二年``.

    Returns:
        its parts, or None if it is none.
    """
    found = _SENTENCE.fullmatch(text)
    if found is None:
        return None
    numbers = [0 if part is None else _READ_NUMBER.get(part) for part in found.group(2, 3, 4, 6, 7, 8)]
    years, months, days, *rest = numbers
    if years is None or months is None or days is None or None in rest:
        return None
    probation = term_of(rest[0] or 0, rest[1] or 0, rest[2] or 0)
    if found[5] and probation is None:
        return None
    return SentenceText(found[1], term_of(years, months, days), probation)


def _to_han(term: Term) -> str:
    parts = ((term.years, "年"), (term.months, "个月"), (term.days, "日"))
    return "".join(f"{HAN_OF_NUMBER[number]}{unit}" for number, unit in parts if number)


def to_sentence(sentence: SentenceText) -> str:
    """Write a sentence text in its one written form."""
    probation = f"，缓刑{_to_han(sentence.probation)}" if sentence.probation else ""
    return sentence.penalty + (_to_han(sentence.term) if sentence.term else "") + probation


SIX_DIGITS: Final = Codec(_read_six, _write_six)
PERIOD: Final = Codec(_read_period, _write_period)
