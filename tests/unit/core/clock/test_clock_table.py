"""The table of clocks is read strictly, and its readings can be chosen."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clock.calendar import load_calendar
from gateway.core.clock.due import Counting
from gateway.core.clock.length import Length, MonthRule, add_months, parse_length
from gateway.core.clock.request import answer_request
from gateway.core.clock.table import OPTIONAL, REQUIRED, ClockTable, load_clock_rules, load_clock_table, parse_settings
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.rule import RuleFileError, parse_rules

SETTINGS = (
    "settings: {month_rule: same_day, weekend_rolls: true, trial_start: receipt, signed_send_hours: 0, lengths: {}}\n"
)
ROW = """  - id: K22
    title: Decision
    basis: CPL
    article: "172"
    valid_from: 2018-10-26
    valid_to: null
    confidence: statute
    belongs_to: person
    owner: police
    start: [received]
    stop: [indicted]
    inputs: {expected_months: months, lane: [FAST, SLOW]}
    length:
      - {when: {expected_months: "> 12"}, is: 15D}
      - {is: 10D}
    roll: holiday
    force: hard
    extensions:
      - {name: complex, by: 15D, granted_by: [pr], stated_by: [pr]}
"""


def read(rows: str = ROW, settings: str = SETTINGS) -> ClockTable:
    """Read a table of one row."""
    text = f'version: "1"\n{settings}rules:\n{rows}'
    return ClockTable(parse_rules("sample", text.encode(), required=REQUIRED, optional=OPTIONAL))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("is: 15D", "is: 15"),
        ("is: 15D", "is: 15WD"),
        ("is: 15D", "are: 15D"),
        ('"> 12"', '"< 12"'),
        ('expected_months: "> 12"', "other: true"),
        ('expected_months: "> 12"', "lane: MIDDLE"),
        ("      - {is: 10D}\n", ""),
        ("roll: holiday", "roll: always"),
        ("force: hard", "force: soft"),
        ("belongs_to: person", "belongs_to: case"),
        ("start: [received]", "start: []"),
        ("start: [received]", "start: {trial_start: {receipt: [received]}}"),
        ("lane: [FAST, SLOW]", "lane: [fast]"),
        (
            "{name: complex, by: 15D, granted_by: [pr], stated_by: [pr]}",
            "{name: complex, granted_by: [pr], stated_by: [pr]}",
        ),
        (", granted_by: [pr], stated_by: [pr]}", ", granted_by: [pr]}"),
        (", granted_by: [pr], stated_by: [pr]}", ", granted_by: [nobody], stated_by: [pr]}"),
        (
            "{name: complex, by: 15D, granted_by: [pr], stated_by: [pr]}",
            "{name: complex, by: 15D, to: 30D, granted_by: [pr], stated_by: [pr]}",
        ),
        (
            "{name: complex, by: 15D, granted_by: [pr], stated_by: [pr]}",
            "{name: complex, by: 15h, granted_by: [pr], stated_by: [pr]}",
        ),
        (
            "{name: complex, by: 15D, granted_by: [pr], stated_by: [pr]}",
            "{name: complex, by: 15D, after: other, granted_by: [pr], stated_by: [pr]}",
        ),
        ("    force: hard\n", "    force: hard\n    suspended_by: [K99]\n"),
        ("    force: hard\n", "    force: hard\n    assume: {lane: MIDDLE}\n"),
        ("    force: hard\n", "    force: hard\n    remark: none\n"),
    ],
)
def test_row_that_is_not_understood_is_refused(old: str, new: str) -> None:
    """A table with a slip in it is not loaded at all."""
    assert read().rows[0].id == "K22"
    assert old in ROW
    with pytest.raises(RuleFileError):
        read(ROW.replace(old, new))


def test_choices_that_name_every_word_need_no_last_length() -> None:
    """A table may name all words of an input, but must not leave one out."""
    both = ROW.replace('{expected_months: "> 12"}', "{lane: FAST}").replace(
        "{is: 10D}", "{when: {lane: SLOW}, is: 10D}"
    )
    assert len(read(both).rows[0].choices) == 2
    with pytest.raises(RuleFileError, match="every case"):
        read(both.replace("[FAST, SLOW]", "[FAST, SLOW, OTHER]"))


def test_clock_keeps_the_rule_that_held_when_it_started() -> None:
    """An amendment counts from its first day on."""
    old = ROW.replace("valid_to: null", "valid_to: 2026-06-30")
    new = ROW.replace("2018-10-26", "2026-07-01").replace("is: 10D", "is: 20D")
    table = read(old + new)
    counting = Counting(load_calendar(), table.settings)
    for start, due in (("2026-06-30", "2026-07-10"), ("2026-07-01", "2026-07-21")):
        request = {"kind": "K22", "start": start, "custody": True, "inputs": {"expected_months": 12}}
        found = answer_request(request, table, counting).due
        assert found is not None
        assert found.at.isoformat() == due


def count(settings: dict[str, Any], **request: Any) -> str:
    """The end of a clock of the real table with some other readings."""
    rules = load_clock_rules()
    table = ClockTable(rules, parse_settings("chosen", settings, rules.settings))
    due = answer_request(request, table, Counting(load_calendar(), table.settings)).due
    assert due is not None
    return due.at.isoformat()


def test_readings_that_differ_in_practice_can_be_chosen() -> None:
    """Months from the next day, weekends that do not count as holidays, another target: defaults, not code."""
    march = {"kind": "K33", "start": "2025-03-01", "custody": True}
    assert count({}, **march) == "2025-05-01"
    assert count({"month_rule": "next_day"}, **march) == "2025-05-02"
    sunday = {"kind": "K22", "start": "2026-01-29", "custody": False, "inputs": {"expected_months": 1}}
    assert count({}, **sunday) == "2026-02-09"
    assert count({"weekend_rolls": False}, **sunday) == "2026-02-08"
    review = {"kind": "K46", "start": "2026-03-02T09:00:00+08:00"}
    assert count({"lengths": {"K46": "8h"}}, **review) == "2026-03-02T17:00:00+08:00"


def test_trial_starts_with_receipt_unless_acceptance_is_chosen() -> None:
    """The earlier reading is the default."""
    rules = load_clock_rules()
    chosen = ClockTable(rules, parse_settings("chosen", {"trial_start": "acceptance"}, rules.settings))
    assert load_clock_table().find("K31", date(2026, 3, 2)).starts == ("ct_received",)
    assert chosen.find("K31", date(2026, 3, 2)).starts == ("ct_accepted",)


@pytest.mark.parametrize(
    "settings",
    [
        {"month_rule": "other"},
        {"weekend_rolls": "yes"},
        {"lengths": {"K22": "20D"}},
        {"lengths": {"K46": "1D"}},
        {"lengths": {"K99": "1D"}},
        {"lengths": ["K46"]},
        {"signed_send_hours": -1},
        {"signed_send_hours": True},
        {"signed_send_hours": 1_000},
        {"colour": "red"},
    ],
)
def test_setting_that_is_wrong_or_against_the_law_is_refused(settings: dict[str, Any]) -> None:
    """A length that a statute or source gives cannot be set to another."""
    with pytest.raises(RuleFileError):
        count(settings, kind="K46", start="2026-03-02T09:00:00+08:00")


def test_fact_that_is_missing_is_never_taken_for_either_answer() -> None:
    """Not knowing the proposal gives neither ten nor fifteen days; null is not knowing."""
    table = load_clock_table()
    for inputs in ({}, {"expected_months": None}, {"fast_track": True}):
        request = {"kind": "K22", "start": "2026-03-02", "custody": True, "inputs": inputs}
        with pytest.raises(GatewayError) as refusal:
            answer_request(request, table, Counting(load_calendar(), table.settings))
        assert refusal.value.code is ErrorCode.CLOCK_INPUT_MISSING


@pytest.mark.parametrize("text", ["", "10", "D", "0D", "1.5D", "+5D", "1D+1M", "5 D", "5d", "-1D", "99999D"])
def test_length_in_another_form_is_refused(text: str) -> None:
    """A length is written in one way."""
    with pytest.raises(ValueError, match="a length is written"):
        parse_length(text)


@given(
    length=st.one_of(
        st.builds(Length, months=st.integers(0, 99), days=st.integers(1, 99)),
        st.builds(Length, working_days=st.integers(1, 99)),
        st.builds(Length, hours=st.integers(1, 99)),
    )
)
def test_length_written_and_read_is_the_same(length: Length) -> None:
    """What a table shows can be put back into one."""
    assert parse_length(str(length)) == length


@given(start=st.dates(date(2018, 1, 1), date(2040, 1, 1)), months=st.integers(1, 48))
def test_default_month_rule_is_never_later_than_the_other(start: date, months: int) -> None:
    """The default is the safe reading."""
    assert add_months(start, months) <= add_months(start, months, MonthRule.NEXT_DAY)
