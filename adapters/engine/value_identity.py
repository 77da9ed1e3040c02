"""Citizen ids, social credit codes, keys and other identifiers, with their check characters.

Source: GB 11643-1999 (citizen id), GB 32100-2015 and GB 11714-1997 (unified social credit code); agency interfaces,
section 5.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from adapters.engine.codec import BAD_CHECK, BAD_FORMAT, Codec, Unreadable, same
from adapters.engine.fold import fold

_CITIZEN: Final = re.compile(r"\d{17}[\dX]", re.ASCII)
_OLD_CITIZEN: Final = re.compile(r"\d{15}", re.ASCII)
_CITIZEN_WEIGHTS: Final = tuple(2 ** (17 - place) % 11 for place in range(17))
_CITIZEN_CHECK: Final = "10X98765432"
_USCC: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.ASCII)
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(3**place % 31 for place in range(17))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_KEY: Final = re.compile(r"[0-9A-Z-]{1,40}", re.ASCII)
_IDTEXT: Final = re.compile(r"[0-9A-Z()-]{1,40}", re.ASCII)
_DIVISION: Final = re.compile(r"\d{6}(?:\d{3})?", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FULL_WIDTH: Final = {ord(c): ord(c) + 0xFEE0 for c in "0123456789X"}


def citizen_check(digits: str) -> str:
    """The check character of the first 17 digits of a citizen id.

    Args:
        digits: 17 ASCII digits.

    Returns:
        a digit or X.

    Source: GB 11643-1999, ISO 7064 MOD 11-2.
    """
    return _CITIZEN_CHECK[sum(int(digit) * weight for digit, weight in zip(digits, _CITIZEN_WEIGHTS, strict=True)) % 11]


def _has_real_date(number: str) -> bool:
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return True


def read_citizen(text: str) -> str | Unreadable:
    """Read a citizen id, of 18 characters or of 15 digits.

    Args:
        text: in any width, with or without spaces.

    Returns:
        18 half-width characters, BAD_FORMAT or BAD_CHECK_DIGIT.
    """
    number = text if _CITIZEN.fullmatch(text) else fold(text)
    if _OLD_CITIZEN.fullmatch(number):
        number = number[:6] + "19" + number[6:]
        return number + citizen_check(number) if _has_real_date(number) else BAD_FORMAT
    if not _CITIZEN.fullmatch(number) or not _has_real_date(number):
        return BAD_FORMAT
    return number if citizen_check(number[:17]) == number[17] else BAD_CHECK


def _to_full_width(number: str) -> str:
    return number.translate(_FULL_WIDTH)


def uscc_check(body: str) -> str:
    """The last character of a unified social credit code.

    Args:
        body: its first 17 characters.

    Returns:
        one character of its alphabet.

    Source: GB 32100-2015, MOD 31.
    """
    total = sum(_USCC_ALPHABET.index(c) * weight for c, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def organisation_check(body: str) -> str:
    """The check character of an organisation code.

    Args:
        body: its eight characters.

    Returns:
        a digit or X.

    Source: GB 11714-1997, MOD 11.
    """
    total = sum(int(c, 36) * weight for c, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def _read_uscc(text: str) -> str | Unreadable:
    code = fold(text)
    if not _USCC.fullmatch(code):
        return BAD_FORMAT
    return code if uscc_check(code[:17]) == code[17] and organisation_check(code[8:16]) == code[16] else BAD_CHECK


def _read_key(text: str) -> str | Unreadable:
    return text if _KEY.fullmatch(text) else BAD_FORMAT


def read_idtext(text: str) -> str | Unreadable:
    """Read a number of any document, folded."""
    if _IDTEXT.fullmatch(text):
        return text
    folded = fold(text)
    return folded if _IDTEXT.fullmatch(folded) else BAD_FORMAT


def _read_division(text: str) -> str | Unreadable:
    if _DIVISION.fullmatch(text):
        return text
    folded = fold(text)
    return folded if _DIVISION.fullmatch(folded) else BAD_FORMAT


def _read_sha256(text: str) -> str | Unreadable:
    lower = text.lower()
    return lower if _SHA256.fullmatch(lower) and text.isascii() else BAD_FORMAT


CITIZEN: Final = Codec(read_citizen, same)
FULL_WIDTH_CITIZEN: Final = Codec(read_citizen, _to_full_width)
USCC: Final = Codec(_read_uscc, same)
KEY: Final = Codec(_read_key, same)
IDTEXT: Final = Codec(read_idtext, same)
DIVISION: Final = Codec(_read_division, same)
SHA256: Final = Codec(_read_sha256, same)
