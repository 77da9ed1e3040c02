"""The register of officers: who was qualified on which day, and how a table becomes a register."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from gateway.core.form.register import is_qualified, to_register
from gateway.core.form.register_csv import ALSO, COLUMNS, MAX_BYTES, MAX_ROWS, parse_register

ROW: dict[str, Any] = {"level": "BASIC", "status": "VALID", "obtained_on": "2022-01-01", "valid_to": "2026-12-31"}
HEADER = "officer_no,level,post,status,obtained_on,valid_to\n"
LINE = "110001,MEDIUM,UNIT_HEAD,VALID,2022-01-01,2026-12-31\n"


@pytest.mark.parametrize(
    ("changes", "on", "least", "expected"),
    [
        ({}, date(2022, 1, 1), "BASIC", True),
        ({}, date(2026, 12, 31), "BASIC", True),
        ({}, date(2021, 12, 31), "BASIC", False),
        ({}, date(2027, 1, 1), "BASIC", False),
        ({}, date(2024, 1, 1), "MEDIUM", False),
        ({"level": "HIGH"}, date(2024, 1, 1), "MEDIUM", True),
        ({"level": "AUXILIARY"}, date(2024, 1, 1), "BASIC", False),
        ({"status": "SUSPENDED"}, date(2024, 1, 1), "BASIC", False),
        ({"valid_to": None}, date(2024, 1, 1), "BASIC", False),
    ],
)
def test_officer_is_qualified_only_with_a_valid_level_on_the_day(
    changes: dict[str, Any], on: date, least: str, expected: bool
) -> None:
    """Level, status and both ends of the validity count; what the register does not say is no yes."""
    assert is_qualified({**ROW, **changes}, on, least) is expected


def test_officer_who_is_not_in_the_register_is_not_qualified() -> None:
    """Nobody is not somebody."""
    register = to_register({"officers": [{"officer_no": "110001", **ROW}]})
    assert is_qualified(register.get("110001"), date(2024, 1, 1))
    assert not is_qualified(register.get("110002"), date(2024, 1, 1))


def test_table_in_english_or_chinese_gives_the_same_rows() -> None:
    """A unit exports what its system has; order of columns, spaces and forms of days do not matter."""
    rows, lines, findings = parse_register((HEADER + "\n" + LINE + "FJ7,AUXILIARY,AUXILIARY,VALID,,\n").encode())
    assert findings == []
    assert lines == {0: 3, 1: 4}
    assert rows == [
        {
            "officer_no": "110001", "level": "MEDIUM", "post": "UNIT_HEAD", "status": "VALID",
            "obtained_on": "2022-01-01", "valid_to": "2026-12-31",
        },
        {"officer_no": "FJ7", "level": "AUXILIARY", "post": "AUXILIARY", "status": "VALID"},
    ]  # fmt: skip
    chinese = "警号,状态,执法资格等级,职务,有效期至,取得日期\n110001 ,有效,中级,单位负责人,2026/12/31,20220101\n"
    assert parse_register(chinese.encode("gb18030"), "gb18030")[0] == rows[:1]
    assert parse_register(b"\xef\xbb\xbf" + (HEADER + LINE).encode())[0] == rows[:1]
    assert set(ALSO.values()) == set(COLUMNS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [("FORM_FIELD_MISSING", f"/1/{name}") for name in COLUMNS[:4]]),
        (HEADER, [("FORM_FIELD_MISSING", "/2")]),
        ("officer_no,level,post,status,rank\n", [("FORM_FIELD_UNKNOWN", "/1/5")]),
        ("officer_no,level,post,status,level\n", [("FORM_MALFORMED", "/1/level")]),
        (HEADER + LINE + "1,2\n", [("FORM_MALFORMED", "/3")]),
        (
            HEADER + "11 0001,GOOD,,VALID,2022-02-30,31.12.2026\n" + LINE.replace("VALID", ""),
            [
                ("FORM_FIELD_INVALID", "/2/officer_no"),
                ("FORM_FIELD_INVALID", "/2/level"),
                ("FORM_FIELD_MISSING", "/2/post"),
                ("FORM_FIELD_INVALID", "/2/obtained_on"),
                ("FORM_FIELD_INVALID", "/2/valid_to"),
                ("FORM_FIELD_MISSING", "/3/status"),
            ],
        ),
        (HEADER + '"110001', [("FORM_MALFORMED", "")]),
    ],
    ids=["empty", "nobody", "column-unknown", "column-twice", "cells", "values", "quote"],
)
def test_table_with_faults_tells_all_by_line_and_column(text: str, found: list[tuple[str, str]]) -> None:
    """Who repairs a table of thousands of officers repairs it once."""
    assert [(finding.code.name, finding.path) for finding in parse_register(text.encode())[2]] == found


def test_table_when_too_large_or_in_another_encoding_is_refused() -> None:
    """Limits come before reading, and an encoding is said, not guessed."""
    assert [f.code.name for f in parse_register(b"x" * (MAX_BYTES + 1))[2]] == ["FORM_TOO_LARGE"]
    assert [f.code.name for f in parse_register("警号".encode("gb18030"))[2]] == ["FORM_MALFORMED"]
    many = HEADER + LINE * (MAX_ROWS + 1)
    assert [(f.code.name, f.path) for f in parse_register(many.encode())[2]] == [("FORM_TOO_LARGE", f"/{MAX_ROWS + 2}")]
