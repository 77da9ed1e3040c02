"""Chinese numerals: numbers as they stand in dates, sentences and financial amounts."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = "一二三四五六七八九"


def _written(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else _DIGITS[tens - 1] + "十")
    return head + (_DIGITS[ones - 1] if ones else "")


HAN_OF_NUMBER: Final = {number: _written(number) for number in range(1, 100)}
"""1-99 as a sentence or a date writes them: 二, 十, 十五, 二十四."""
NUMBER_OF_HAN: Final = {han: number for number, han in HAN_OF_NUMBER.items()}
YEAR_DIGIT_OF_HAN: Final = {**{han: str(n) for n, han in enumerate(_DIGITS, 1)}, "〇": "0", "○": "0", "零": "0"}

_CAPITAL: Final = "壹贰叁肆伍陆柒捌玖"
_N: Final = f"(?:零?[{_CAPITAL}])"
_SECTION: Final = f"(?:拾{_N}?|{_N}仟(?:{_N}佰)?(?:{_N}拾)?{_N}?|{_N}佰(?:{_N}拾)?{_N}?|{_N}拾{_N}?|{_N})"
_JIAO: Final = f"(?P<jiao{{0}}>[{_CAPITAL}零]|零[{_CAPITAL}])角"
_FEN: Final = f"(?P<fen{{0}}>[{_CAPITAL}零]|零[{_CAPITAL}])分"
_AMOUNT: Final = re.compile(
    f"(?:人民币)?(?:"
    f"(?:零|(?:(?P<wan>{_SECTION})万)?(?P<section>{_SECTION})|(?P<onlywan>{_SECTION})万)[元圆]"
    f"(?:{_JIAO.format(1)})?(?:{_FEN.format(1)})?"
    f"|{_JIAO.format(2)}(?:{_FEN.format(2)})?"
    f"|{_FEN.format(3)})[整正]?"
)
_UNITS: Final = {"拾": 10, "佰": 100, "仟": 1000}


def _section(text: str | None) -> int:
    total = digit = 0
    for character in text or "":
        if character in _UNITS:
            # 拾 without a digit is ten.
            total += (digit or 1) * _UNITS[character]
            digit = 0
        elif character != "零":
            digit = _CAPITAL.index(character) + 1
    return total + digit


def parse_capitals(text: str) -> int | None:
    """Read an amount in financial capitals, below one hundred million yuan.

    Args:
        text: e.g. ``人民币壹拾贰万叁仟零伍拾元伍角整``.

    Returns:
        whole fen, or None if the text is no such amount.

    Source: police and court interfaces, section 3 (EBNF).
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    yuan = _section(part["wan"] or part["onlywan"]) * 10_000 + _section(part["section"])
    jiao = _section(part["jiao1"] or part["jiao2"])
    fen = _section(part["fen1"] or part["fen2"] or part["fen3"])
    return yuan * 100 + jiao * 10 + fen
