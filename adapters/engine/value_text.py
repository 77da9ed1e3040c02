"""Plain texts and the numbers that authorities give to cases and documents.

Source: agency interfaces, section 5 (common types).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from adapters.engine.codec import BAD_FORMAT, Codec, Unreadable, same
from adapters.engine.fold import Placeholder, fold, strip_space

_OPEN: Final = "〔［\\[【"
_CLOSE: Final = "〕］\\]】"
_YEAR: Final = re.compile(f"[{_OPEN}]([0-9]{{4}})[{_CLOSE}]")
_DOCNO_END: Final = re.compile("号(?:之[一二三四五六七八九十百]+)?$")
_BMSAH: Final = re.compile(f"(.+受)[{_OPEN}]([0-9]{{4}})[{_CLOSE}]([0-9]{{8,16}}号)", re.DOTALL)
_COURTNO: Final = re.compile(r"\([0-9]{4}\)[\u4e00-\u9fff][0-9]{2,4}刑[初终再][1-9][0-9]*号")
_POLICENO: Final = re.compile(r"A[0-9]{16}(?:0[1-9]|1[0-2])[0-9]{4}")
_FULL_WIDTH_BRACKETS: Final = {ord("("): "（", ord(")"): "）"}


def read_text(text: str) -> str:
    """Read a text: line ends become LF, nothing else changes."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _read_docno(text: str) -> str | Unreadable:
    compact = strip_space(text)
    years = _YEAR.findall(compact)
    if len(years) != 1 or not _DOCNO_END.search(compact):
        return BAD_FORMAT
    return _YEAR.sub(r"〔\1〕", compact)


def _read_bmsah(text: str) -> str | Unreadable:
    found = _BMSAH.fullmatch(strip_space(text))
    return f"{found[1]}[{found[2]}]{found[3]}" if found else BAD_FORMAT


def _read_courtno(text: str) -> str | Unreadable:
    if _COURTNO.fullmatch(text):
        return text
    compact = strip_space(unicodedata.normalize("NFKC", text))
    return compact if _COURTNO.fullmatch(compact) else BAD_FORMAT


def _write_full_width(number: str) -> str:
    return number.translate(_FULL_WIDTH_BRACKETS)


def _read_policeno(text: str) -> str | Unreadable:
    if _POLICENO.fullmatch(text):
        return text
    folded = fold(text)
    return folded if _POLICENO.fullmatch(folded) else BAD_FORMAT


TEXT: Final = Codec(read_text, same, placeholder=Placeholder.MARKS)
REFERENCE: Final = Codec(same, same)
DOCNO: Final = Codec(_read_docno, same)
BMSAH: Final = Codec(_read_bmsah, same)
COURTNO: Final = Codec(_read_courtno, same)
FULL_WIDTH_COURTNO: Final = Codec(_read_courtno, _write_full_width)
POLICENO: Final = Codec(_read_policeno, same)


def flag(yes: str, no: str) -> Codec:
    """A codec of a flag.

    Args:
        yes: spelling of true.
        no: spelling of false.

    Returns:
        the codec.
    """
    values = {yes: True, no: False}

    def read(text: str) -> bool | Unreadable:
        return values.get(text, BAD_FORMAT)

    def write(value: bool) -> str:
        return yes if value else no

    return Codec(read, write)
