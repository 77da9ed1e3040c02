"""Amounts in whole fen, counts and quantities.

Source: section 3 of each interface; the upper limit in section 5 of the common page.
"""

from __future__ import annotations

import re
from typing import Final

from adapters.engine.codec import BAD_FORMAT, NO_UNIT, Codec, Unreadable, same
from adapters.engine.han import parse_capitals

MOST_FEN: Final = 9_007_199_254_740_991
_NUMBER: Final = r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?"
_PLAIN: Final = re.compile(_NUMBER, re.ASCII)
_WITH_UNIT: Final = re.compile(rf"(?:人民币)?{_NUMBER}(万?)元[整正]?", re.ASCII)
_TWO_DECIMALS: Final = re.compile(r"(\d+)\.(\d{2})", re.ASCII)
_QUANTITY: Final = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)
_LONGEST: Final = 400


def _fen(whole: str, decimals: str | None, power: int) -> int | Unreadable:
    # Digits only, shifted by the power of ten of the unit: no binary fraction ever touches an amount.
    shifted = (decimals or "").rstrip("0")
    if len(shifted) > power:
        return BAD_FORMAT
    digits = (whole.replace(",", "") + shifted.ljust(power, "0")).lstrip("0")
    if len(digits) > 16:
        return BAD_FORMAT
    value = int(digits or "0")
    return value if value <= MOST_FEN else BAD_FORMAT


def _read_spoken(text: str) -> int | Unreadable:
    if len(text) > _LONGEST:
        return BAD_FORMAT
    found = _WITH_UNIT.fullmatch(text)
    if found is not None:
        return _fen(found[1], found[2], 6 if found[3] else 2)
    value = parse_capitals(text)
    return BAD_FORMAT if value is None else value


def _read_yuan(text: str) -> int | Unreadable:
    if len(text) > _LONGEST:
        return BAD_FORMAT
    found = _PLAIN.fullmatch(text)
    return _fen(found[1], found[2], 2) if found else _read_spoken(text)


def _read_court(text: str) -> int | Unreadable:
    if len(text) <= _LONGEST and _PLAIN.fullmatch(text):
        return NO_UNIT
    return _read_spoken(text)


def _read_two_decimals(text: str) -> int | Unreadable:
    found = _TWO_DECIMALS.fullmatch(text)
    return _fen(found[1], found[2], 2) if found and len(text) <= _LONGEST else BAD_FORMAT


def _read_fen(number: int) -> int | Unreadable:
    return number if 0 <= number <= MOST_FEN else BAD_FORMAT


def _write_yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _write_court(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}元" if fen % 100 else f"{fen // 100}元"


def _read_count(text: str) -> int | Unreadable:
    return int(text) if len(text) <= 9 and text.isascii() and text.isdigit() else BAD_FORMAT


def _read_integer(number: int) -> int | Unreadable:
    return number if 0 <= number <= 999_999_999 else BAD_FORMAT


def _read_quantity(text: str) -> str | Unreadable:
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return BAD_FORMAT
    decimals = (found[2] or "").rstrip("0")
    return (found[1].lstrip("0") or "0") + (f".{decimals}" if decimals else "")


YUAN: Final = Codec(_read_yuan, _write_yuan)
COURT_YUAN: Final = Codec(_read_court, _write_court)
FEN: Final = Codec(_read_fen, same, is_integer=True)
TWO_DECIMALS: Final = Codec(_read_two_decimals, _write_yuan)
COUNT: Final = Codec(_read_count, str)
INTEGER: Final = Codec(_read_integer, same, is_integer=True)
QUANTITY: Final = Codec(_read_quantity, same)
