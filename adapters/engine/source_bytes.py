"""Stage 1 of reading: from bytes to text, or the one finding that says why not.

GB18030 is read and written by its 2022 edition. Python knows the edition of 2000; the two differ in nineteen pairs of
positions, which are exchanged after decoding and before encoding.

Source: agency interfaces, section 4, stage 1; GB 18030-2022.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Final

from gateway.core.errors import ErrorCode

_ALLOWED: Final = bytes(b for b in range(256) if b in b"\t\n\r" or (b >= 0x20 and b != 0x7F))
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_REFERENCE: Final = re.compile(r"&#(?:([0-9]+)|x([0-9A-Fa-f]+));", re.ASCII)
_ENCODING: Final = re.compile(r"<\?xml\s[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]*)[\"']", re.ASCII)
_DECLARATION: Final = re.compile(
    r"<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:\"1\.0\"|'1\.0')"
    r"(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:\"[A-Za-z][A-Za-z0-9._-]*\"|'[A-Za-z][A-Za-z0-9._-]*'))?"
    r"(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:\"(?:yes|no)\"|'(?:yes|no)'))?[ \t\r\n]*\?>",
    re.ASCII,
)
_BOM: Final = b"\xef\xbb\xbf"


def _edition_2022() -> dict[int, int]:
    table = resources.files("adapters.codes").joinpath("gb18030-2022.csv").read_text("utf-8").splitlines()
    swap: dict[int, int] = {}
    for row in csv.DictReader(table):
        standard, private = int(row["standard_character"][2:], 16), int(row["private_use_character"][2:], 16)
        swap[standard], swap[private] = private, standard
    return swap


_SWAP: Final = _edition_2022()
_SWAPPED: Final = re.compile("[" + "".join(map(chr, sorted(_SWAP))) + "]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, or why it has none.

    Args:
        text: without byte order mark and XML declaration.
        has_bom: a UTF-8 byte order mark was dropped.
        error: the finding of stage 1; the text is empty then.
    """

    text: str = ""
    has_bom: bool = False
    error: ErrorCode | None = None


def decode_gb18030(data: bytes) -> str:
    """Decode GB18030 by the edition of 2022; UnicodeDecodeError if the bytes are not valid."""
    text = data.decode("gb18030")
    return text.translate(_SWAP) if _SWAPPED.search(text) else text


def encode_gb18030(text: str) -> bytes:
    """Encode as GB18030 by the edition of 2022; total for text without surrogates."""
    return (text.translate(_SWAP) if _SWAPPED.search(text) else text).encode("gb18030")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def has_forbidden(text: str) -> bool:
    """Whether a text has a control character, a noncharacter or a surrogate that no record may have."""
    return _FORBIDDEN.search(text) is not None


def _has_forbidden_reference(text: str) -> bool:
    for match in _REFERENCE.finditer(text):
        digits = (match[1] or match[2]).lstrip("0")
        number = int(digits or "0", 10 if match[1] else 16) if len(digits) <= 8 else 0x110000
        if number > 0x10FFFF or has_forbidden(chr(number)):
            return True
    return False


def _stage(data: bytes, text: str, *, is_xml: bool) -> ErrorCode | None:
    # A byte below 0x20, or 0x7F, is never part of a longer character in UTF-8 or GB18030: bytes answer for text.
    if data.translate(None, _ALLOWED) or has_forbidden_pair(data, text):
        return ErrorCode.CONTROL_CHARACTER
    if is_xml:
        if "&#" in text and _has_forbidden_reference(text):
            return ErrorCode.CONTROL_CHARACTER
        if "<!DOCTYPE" in text:
            return ErrorCode.DOCTYPE_FORBIDDEN
    return None


def has_forbidden_pair(data: bytes, text: str) -> bool:
    """Whether U+FFFE or U+FFFF occur; the bytes are asked first because almost no file has them."""
    suspect = b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data or b"\x84\x31\xa4" in data
    return suspect and ("\ufffe" in text or "\uffff" in text)


def _split_declaration(text: str, error: ErrorCode | None) -> Decoded:
    if error is not None:
        return Decoded(error=error)
    if not text.startswith("<?xml") or text[5:6] not in (" ", "\t", "\r", "\n"):
        return Decoded(text)
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return Decoded(error=ErrorCode.NOT_WELL_FORMED)
    return Decoded(text[declaration.end() :])


def decode_xml_gb18030(data: bytes) -> Decoded:
    """Decode a police file: GB18030, declared as such, and not UTF-8 with a wrong declaration.

    Args:
        data: the whole file.

    Returns:
        the text after the XML declaration, or the finding.
    """
    mismatch = Decoded(error=ErrorCode.ENCODING_MISMATCH)
    if data.startswith(_BOM) or (not data.isascii() and _is_utf8(data)):
        return mismatch
    try:
        text = decode_gb18030(data)
    except UnicodeDecodeError:
        return mismatch
    declared = _ENCODING.match(text)
    if declared is None or declared[1].upper() != "GB18030":
        return mismatch
    return _split_declaration(text, _stage(data, text, is_xml=True))


def decode_xml_utf8(data: bytes) -> Decoded:
    """Decode a court file: UTF-8, whose declaration, if it names an encoding, names UTF-8.

    Args:
        data: the whole file.

    Returns:
        the text after the XML declaration, or the finding.
    """
    has_bom = data.startswith(_BOM)
    body = data[3:] if has_bom else data
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return Decoded(has_bom=has_bom, error=ErrorCode.ENCODING_MISMATCH)
    declared = _ENCODING.match(text)
    if declared is not None and declared[1].upper() != "UTF-8":
        return Decoded(has_bom=has_bom, error=ErrorCode.ENCODING_MISMATCH)
    decoded = _split_declaration(text, _stage(body, text, is_xml=True))
    return Decoded(decoded.text, has_bom, decoded.error)


def decode_json_utf8(data: bytes) -> Decoded:
    """Decode a JSON file: UTF-8.

    Args:
        data: the whole file.

    Returns:
        the text, or the finding.
    """
    has_bom = data.startswith(_BOM)
    body = data[3:] if has_bom else data
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return Decoded(has_bom=has_bom, error=ErrorCode.ENCODING_MISMATCH)
    error = _stage(body, text, is_xml=False)
    return Decoded("" if error else text, has_bom, error)


Decoder = Callable[[bytes], Decoded]
