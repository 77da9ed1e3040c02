"""The register of officers' qualifications as a table of comma-separated values.

| Column | Also | Values |
|---|---|---|
| officer_no | 警号 | letters, digits, hyphens |
| level | 执法资格等级 | BASIC 基本级, MEDIUM 中级, HIGH 高级, AUXILIARY 辅警 |
| post | 职务 | OFFICER 民警, UNIT_HEAD 单位负责人, AUXILIARY 辅警 |
| status | 状态 | VALID 有效, SUSPENDED 暂停, REVOKED 取消 |
| obtained_on | 取得日期 | 2024-01-31, 20240131 or 2024/1/31; empty for an auxiliary |
| valid_to | 有效期至 | the same |

The first line names the columns, in any order. Lines that are empty are left out. The encoding is the one that is
named, never guessed; a byte order mark may stand at the beginning of a table, because spreadsheets write one, and
nowhere else.

Source: domain model, section 3 (officer qualification 执法资格); RFC 4180.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from gateway.core.errors import ErrorCode, Finding

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_ROWS: Final = 5_000
MAX_CELL: Final = 200

ALSO: Final = {
    "警号": "officer_no",
    "执法资格等级": "level",
    "职务": "post",
    "状态": "status",
    "取得日期": "obtained_on",
    "有效期至": "valid_to",
}
_REQUIRED: Final = ("officer_no", "level", "post", "status")
COLUMNS: Final = (*_REQUIRED, "obtained_on", "valid_to")
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "level": {"基本级": "BASIC", "中级": "MEDIUM", "高级": "HIGH", "辅警": "AUXILIARY"},
    "post": {"民警": "OFFICER", "单位负责人": "UNIT_HEAD", "辅警": "AUXILIARY"},
    "status": {"有效": "VALID", "暂停": "SUSPENDED", "取消": "REVOKED"},
}
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|(\d\d)(\d\d))", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9A-Za-z-]{1,40}", re.ASCII)


def parse_register(data: bytes, encoding: str = "utf-8") -> tuple[list[dict[str, Any]], dict[int, int], list[Finding]]:
    """Read a table of officers.

    Args:
        data: the file, at most 2 MiB and 5,000 rows; a byte order mark is allowed.
        encoding: utf-8 or gb18030.

    Returns:
        rows as the form ``qualification-register`` has them; the line of the file by index of the row; findings whose
        paths are ``/<line>/<column>``, lines counted from 1 and columns named as in the table above.
    """
    if len(data) > MAX_BYTES:
        return [], {}, [Finding(ErrorCode.FORM_TOO_LARGE, "", f"at most {MAX_BYTES} bytes")]
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return [], {}, [Finding(ErrorCode.FORM_MALFORMED, "", f"not comma-separated values in {encoding}")]
    if "\ufeff" in text or "\0" in text:
        what = f"a byte order mark or NUL inside the table; is it in {encoding}?"
        return [], {}, [Finding(ErrorCode.FORM_MALFORMED, "", what)]
    header = [ALSO.get(cell.strip(), cell.strip()) for cell in table[0]] if table else []
    findings = _find_header_faults(header)
    if findings:
        return [], {}, findings
    rows: list[dict[str, Any]] = []
    lines: dict[int, int] = {}
    for line, cells in enumerate(table[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) == MAX_ROWS:
            findings.append(Finding(ErrorCode.FORM_TOO_LARGE, f"/{line}", f"at most {MAX_ROWS} officers"))
            break
        if len(cells) != len(header):
            message = "the line has another number of cells than the first line"
            findings.append(Finding(ErrorCode.FORM_MALFORMED, f"/{line}", message))
            continue
        lines[len(rows)] = line
        rows.append(_read_row(dict(zip(header, cells, strict=True)), line, findings))
    if not rows and not findings:
        findings.append(Finding(ErrorCode.FORM_FIELD_MISSING, "/2", "there is no officer in the table"))
    return rows, lines, findings


def _find_header_faults(header: list[str]) -> list[Finding]:
    findings = [
        Finding(ErrorCode.FORM_FIELD_MISSING, f"/1/{name}", "this column is required")
        for name in _REQUIRED
        if name not in header
    ]
    for at, name in enumerate(header):
        if name not in COLUMNS:
            findings.append(Finding(ErrorCode.FORM_FIELD_UNKNOWN, f"/1/{at + 1}", "there is no such column"))
        elif name in header[:at]:
            findings.append(Finding(ErrorCode.FORM_MALFORMED, f"/1/{name}", "this column stands twice"))
    return findings


def _read_row(cells: Mapping[str, str], line: int, findings: list[Finding]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, cell in cells.items():
        text = cell.strip()
        if not text:
            if name in _REQUIRED:
                findings.append(Finding(ErrorCode.FORM_FIELD_MISSING, f"/{line}/{name}", "this cell is required"))
            continue
        value = _READERS[name](text) if len(text) <= MAX_CELL else None
        if value is None:
            findings.append(Finding(ErrorCode.FORM_FIELD_INVALID, f"/{line}/{name}", _WANTED[name]))
        else:
            row[name] = value
    return row


def _read_number(text: str) -> str | None:
    return text if _NUMBER.fullmatch(text) else None


def _read_date(text: str) -> str | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, *rest = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, *rest).isoformat()
    except ValueError:
        return None


def _read_word(name: str) -> Callable[[str], str | None]:
    words = _WORDS[name]
    return lambda text: words.get(text, text if text in words.values() else None)


_READERS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "officer_no": _read_number,
    "obtained_on": _read_date,
    "valid_to": _read_date,
    **{name: _read_word(name) for name in _WORDS},
}
_WANTED: Final = {
    "officer_no": "up to 40 letters, digits and hyphens",
    "obtained_on": "a day, such as 2024-01-31",
    "valid_to": "a day, such as 2024-01-31",
    **{name: "one of " + ", ".join(dict.fromkeys(words.values())) for name, words in _WORDS.items()},
}
