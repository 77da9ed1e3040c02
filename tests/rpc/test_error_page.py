"""The page of error codes against the enum and the table of statuses."""

from __future__ import annotations

from pathlib import Path

import pytest

import gateway.rpc.errors
from gateway.core.errors import UNRECORDED, ErrorCode
from gateway.rpc.errors import STATUS_OF

PAGE = Path(gateway.rpc.errors.__file__).with_name("ERRORS.md")


def _rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| 1") or line.startswith("| 2")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_page_lists_every_error_code_once_in_order() -> None:
    """An integrator who gets a code finds it, and finds nothing that cannot come."""
    assert [(row[0], row[1]) for row in _rows()] == [(str(int(code)), code.name) for code in ErrorCode]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[1])
def test_page_row_tells_status_recording_cause_and_remedy(row: list[str]) -> None:
    """What the page says of a code is what the gateway does, and it says what to do next."""
    code = ErrorCode[row[1]]
    assert row[2] == STATUS_OF[code].name
    assert row[3] == ("no" if code in UNRECORDED else "yes")
    assert all(row[4:6])
    assert len(row) == 6
