"""Every clock of the table against dates worked out by hand, the golden table among them."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import pytest

from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.request import answer_request
from gateway.core.clock.table import load_clock_table

TABLE = load_clock_table()
COUNTING = Counting(load_calendar(), TABLE.settings)


class Case(NamedTuple):
    """A start and the end that is right for it."""

    kind: str
    start: str
    custody: bool | None
    inputs: dict[str, Any]
    due: str | None
    rolled_from: str | None = None


ONE_YEAR, OVER = {"expected_months": 12}, {"expected_months": 13}
GOLDEN = [
    # Weekend; Spring Festival 15 to 23 February; make-up Saturday; National Day; Labour Day; start on a weekend.
    Case("K22", "2026-01-29", True, ONE_YEAR, "2026-02-08"),
    Case("K22", "2026-01-29", False, ONE_YEAR, "2026-02-09", "2026-02-08"),
    Case("K22", "2026-02-05", True, ONE_YEAR, "2026-02-15"),
    Case("K22", "2026-02-05", False, ONE_YEAR, "2026-02-24", "2026-02-15"),
    Case("K22", "2026-02-04", True, ONE_YEAR, "2026-02-14"),
    Case("K22", "2026-02-04", False, ONE_YEAR, "2026-02-14"),
    Case("K22", "2026-09-21", True, ONE_YEAR, "2026-10-01"),
    Case("K22", "2026-09-21", False, ONE_YEAR, "2026-10-08", "2026-10-01"),
    Case("K22", "2026-04-16", True, OVER, "2026-05-01"),
    Case("K22", "2026-04-16", False, OVER, "2026-05-06", "2026-05-01"),
    Case("K22", "2025-01-18", True, ONE_YEAR, "2025-01-28"),
    Case("K22", "2025-01-18", False, ONE_YEAR, "2025-02-05", "2025-01-28"),
    # Months: clamped, make-up working day at the end, last day to last day, half a month.
    Case("K23", "2026-01-30", True, {}, "2026-02-28"),
    Case("K23", "2026-01-30", False, {}, "2026-02-28"),
    Case("K23", "2026-01-31", True, {}, "2026-02-28"),
    Case("K23", "2026-01-31", False, {}, "2026-02-28"),
    Case("K23", "2026-02-28", True, {}, "2026-03-31"),
    Case("K23", "2026-02-28", False, {}, "2026-03-31"),
    Case("K23", "2026-03-31", True, {"extensions": ["complex"]}, "2026-05-15"),
    Case("K23", "2026-03-31", False, {"extensions": ["complex"]}, "2026-05-15"),
    # Five working days over the festival: the 14th counts, the 15th to 23rd do not.
    Case("K41", "2026-02-12", None, {"fast_track": True}, "2026-02-26"),
]
MORNING, NOON, NEXT = "2026-03-02T09:30:15+08:00", "2026-03-02T12:00:00Z", "2026-03-03T09:30:15+08:00"
CASES = [
    *GOLDEN,
    Case("K01", MORNING, None, {}, "2026-03-02T21:30:15+08:00"),
    Case("K01", MORNING, None, {"extensions": ["complex"]}, NEXT),
    Case("K02", MORNING, None, {}, NEXT),
    Case("K03", "2026-03-02", None, {}, "2026-03-05"),
    Case("K03", "2026-03-02", None, {"extensions": ["leads_checked"]}, "2026-03-09"),
    Case("K03", "2026-03-02", None, {"extensions": ["leads_checked", "county_head"]}, "2026-04-01"),
    Case("K04", "2026-03-02", None, {}, "2026-03-05"),
    Case("K04", "2026-03-02", None, {"step": "reconsideration_request"}, "2026-03-09"),
    Case("K04", "2026-03-02", None, {"step": "RECONSIDERATION"}, "2026-04-01"),
    Case("K05", NOON, None, {}, "2026-03-03T20:00:00+08:00"),
    Case("K06", MORNING, True, {}, NEXT),
    Case("K07", MORNING, True, {}, NEXT),
    Case("K08", MORNING, True, {}, NEXT),
    Case("K09", "2026-03-02", True, {}, "2026-03-05"),
    Case("K09", "2026-03-02", True, {"extensions": [{"name": "special", "length": "1D"}]}, "2026-03-06"),
    Case("K09", "2026-03-02", True, {"extensions": [{"name": "special", "length": "4D"}]}, "2026-03-09"),
    Case("K09", "2026-03-02", True, {"extensions": ["roving_repeated_or_gang"]}, "2026-04-01"),
    Case("K10", "2026-03-01", True, {}, "2026-03-08"),
    Case("K11", "2026-03-02", True, {}, "2026-05-02"),
    Case("K11", "2026-03-02", True, {"extensions": ["complex"]}, "2026-06-02"),
    Case("K11", "2026-03-02", True, {"extensions": ["complex", "four_kinds"]}, "2026-08-02"),
    Case("K11", "2026-03-02", True, {"extensions": ["complex", "four_kinds", "ten_years"]}, "2026-10-02"),
    Case("K12", "2025-03-03", False, {"measure": "BAIL"}, "2026-03-03"),
    Case("K12", "2026-03-03", False, {"measure": "RS"}, "2026-09-03"),
    Case("K13", MORNING, True, {}, "2026-03-04T09:30:15+08:00"),
    Case("K14", MORNING, True, {}, "2026-03-04T09:30:15+08:00"),
    Case("K15", MORNING, True, {}, NEXT),
    Case("K16", "2026-03-02", True, {}, "2026-03-05"),
    Case("K16", "2026-03-02", True, {"step": "ASSIGN"}, "2026-03-05"),
    Case("K20", "2026-03-05", False, {}, "2026-03-09", "2026-03-08"),
    Case("K21", "2026-03-03", False, {}, "2026-03-09", "2026-03-08"),
    Case("K22", "2026-03-02T23:59:59+08:00", True, ONE_YEAR, "2026-03-12"),
    Case("K22", "2026-03-01T16:00:00Z", True, {"expected_months": 12.5}, "2026-03-17"),
    Case("K24", "2026-03-31", True, {}, "2026-04-30"),
    Case("K25", "2026-03-02", False, {"step": "VICTIM"}, "2026-03-09"),
    Case("K25", "2026-03-02", False, {"step": "UPPER_PR_REVIEW"}, "2026-04-01"),
    Case("K30", "2026-03-02", True, {}, "2026-03-09"),
    Case("K31", "2026-03-02", True, ONE_YEAR, "2026-03-12"),
    Case("K31", "2026-03-02", True, OVER, "2026-03-17"),
    Case("K32", "2026-03-02", True, {"expected_months": 36}, "2026-03-22"),
    Case("K32", "2026-03-31", True, {"expected_months": 37}, "2026-05-15"),
    Case("K33", "2025-12-31", True, {}, "2026-02-28"),
    Case("K33", "2025-12-31", True, {"extensions": ["at_the_latest"]}, "2026-03-31"),
    Case("K33", "2025-12-31", True, {"extensions": ["at_the_latest", "upper_court"]}, "2026-06-30"),
    Case("K34", "2026-03-02", True, {}, "2026-03-05"),
    Case("K35", "2026-03-02", False, {}, "2026-03-09"),
    Case("K36", "2026-03-02", True, {}, "2026-03-07"),
    Case("K37", "2026-03-02", False, {}, "2026-03-12"),
    Case("K37", "2026-03-02", True, {"step": "RULING"}, "2026-03-07"),
    Case("K38", "2026-03-02", True, {}, "2026-03-12"),
    Case("K39", "2026-03-02", True, {}, "2026-03-07"),
    Case("K39", "2026-03-02", True, {"step": "REPORT_IN"}, "2026-03-12"),
    Case("K40", "2026-03-02", None, {}, "2026-03-12"),
    Case("K40", "2026-03-02", None, {"step": "RECEIPT"}, "2026-04-02"),
    Case("K40", "2026-03-02", None, {"step": "BANK"}, "2026-03-17"),
    Case("K41", "2026-03-02", None, {"fast_track": False}, "2026-03-16"),
    Case(
        "K41",
        "2026-03-02",
        None,
        {"fast_track": False, "extensions": [{"name": "agreed", "length": "2WD"}]},
        "2026-03-18",
    ),
    Case("K42", "2026-03-02", None, {"asset": "DEPOSIT"}, "2026-09-02"),
    Case("K42", "2025-03-03", None, {"asset": "DEPOSIT", "approver": "CITY_HEAD"}, "2026-03-03"),
    Case("K42", "2024-03-04", None, {"asset": "SECURITIES"}, "2026-03-04"),
    Case("K42", "2026-03-02", None, {"asset": "EQUITY", "approver": "CITY_HEAD"}, "2026-09-02"),
    Case("K42", "2025-03-03", None, {"asset": "POLICY", "extensions": ["renewed"]}, "2026-03-03"),
    Case("K43", "2026-03-02", None, {}, "2026-04-02"),
    Case("K43", "2026-03-02", None, {"extensions": ["continued"]}, "2026-06-02"),
    Case("K43", "2026-03-02", None, {"step": "LIFT_UNRELATED"}, "2026-03-05"),
    Case("K44", "2026-03-02", True, {}, None),
    Case("K45", "2026-03-02", True, {}, "2026-04-01"),
    Case("K46", MORNING, None, {}, NEXT),
]


def to_id(case: Case) -> str:
    """The id of a case, which the README of the rules promises to begin with that of the rule."""
    inputs = ",".join(str(value) for value in case.inputs.values()).replace("'", "")
    return f"{case.kind}-{case.start}-{'in' if case.custody else 'out'}-{inputs}"


@pytest.mark.parametrize("case", CASES, ids=to_id)
def test_clock_ends_on_the_day_worked_out_by_hand(case: Case) -> None:
    """Start, length, extensions, custody and holidays give exactly this end."""
    request = {"kind": case.kind, "start": case.start, "custody": case.custody, "inputs": case.inputs}
    due = answer_request(request, TABLE, COUNTING).due
    assert (due.at.isoformat() if due else None) == case.due
    assert (due.rolled_from if due else None) == (date.fromisoformat(case.rolled_from) if case.rolled_from else None)


def test_every_rule_has_its_case_and_its_article() -> None:
    """No clock is in the table that nobody has worked out by hand, or that names no law."""
    assert {row.id for row in TABLE.rows} == {case.kind for case in CASES}
    assert all(row.rule.basis and row.rule.article for row in TABLE.rows)


@pytest.mark.parametrize("row", TABLE.rows, ids=lambda row: row.id)
def test_every_length_and_extension_of_a_rule_has_its_case(row: Any) -> None:
    """Each way in which the end can be found is among the cases."""
    cases = [case for case in CASES if case.kind == row.id]
    named = {
        item["name"] if isinstance(item, dict) else item for case in cases for item in case.inputs.get("extensions", [])
    }
    assert named == set(row.extensions)
    plain = [{key: value for key, value in case.inputs.items() if key != "extensions"} for case in cases]
    lengths = {str(row.choose_length({**row.assume, **TABLE.check_inputs(row, inputs)})) for inputs in plain}
    assert lengths == {str(choice.length) for choice in row.choices} or not row.choices


def test_table_has_every_clock_of_the_domain_model() -> None:
    """K01 to K16, K20 to K25, K30 to K46."""
    numbers = [*range(1, 17), *range(20, 26), *range(30, 47)]
    assert [row.id for row in TABLE.rows] == [f"K{number:02}" for number in numbers]
