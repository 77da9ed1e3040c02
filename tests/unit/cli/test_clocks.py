"""``fasttrack clocks``: a line in, a line out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.clocks import MAX_LINE_BYTES
from tests.support.command import Finished, command_environ, fasttrack_here

K22 = {"kind": "K22", "start": "2026-02-05", "custody": True, "inputs": {"expected_months": 13, "fast_track": True}}


def ask(tmp_path: Path, *lines: str | dict[str, Any], options: tuple[str, ...] = ()) -> Finished:
    """Run ``clocks due`` on a file of lines."""
    file = tmp_path / "lines.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), "utf-8")
    return fasttrack_here("clocks", "due", file, *options)


def answers(done: Finished) -> list[dict[str, Any]]:
    """The lines of an answer."""
    return [json.loads(line) for line in done.output.splitlines()]


def test_due_reads_standard_input_and_answers_each_line() -> None:
    """A pipe of questions gives a pipe of answers, with the keys that programs rely on."""
    lines = [K22, {**K22, "custody": False, "inputs": {"expected_months": 12}}]
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "clocks", "due", "-"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        env=command_environ({}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"due": "2026-02-20", "rolled_from": None, "rule": "K22", "basis": "CPL 172; SPP 273"},
        {"due": "2026-02-24", "rolled_from": "2026-02-15", "rule": "K22", "basis": "CPL 172; SPP 273"},
    ]


def test_due_of_an_instant_is_the_exact_instant_at_plus_eight(tmp_path: Path) -> None:
    """Hours are counted from the instant, whatever its offset; days from the day it is in China."""
    done = ask(
        tmp_path,
        {"kind": "K06", "start": "2026-03-01T20:15:30Z"},
        {"kind": "K22", "start": "2026-03-01T20:15:30Z", "custody": True, "inputs": {"expected_months": 1}},
        {"kind": "K44", "start": "2026-03-01"},
    )
    assert [line["due"] for line in answers(done)] == ["2026-03-03T04:15:30+08:00", "2026-03-12", None]
    assert [line.get("advisory") for line in answers(done)] == ["2026-03-03T05:00:00+08:00", None, None]
    assert done.code == 0


@pytest.mark.parametrize(
    ("line", "name", "path"),
    [
        ({**K22, "kind": "K99"}, "CLOCK_UNKNOWN", "/kind"),
        ({**K22, "kind": ["K22"]}, "CLOCK_UNKNOWN", "/kind"),
        ({**K22, "start": "5 February"}, "CLOCK_START_INVALID", "/start"),
        ({**K22, "start": "2026-02-30"}, "CLOCK_START_INVALID", "/start"),
        ({**K22, "start": "2026-02-05T09:00:00"}, "CLOCK_START_INVALID", "/start"),
        ({**K22, "start": "9999-12-31"}, "CLOCK_START_INVALID", "/start"),
        ({**K22, "start": 20260205}, "CLOCK_START_INVALID", "/start"),
        ({"kind": "K06", "start": "2026-02-05"}, "CLOCK_START_INVALID", "/start"),
        ({**K22, "start": "2018-01-01"}, "CLOCK_NOT_IN_FORCE", "/start"),
        ({**K22, "inputs": {}}, "CLOCK_INPUT_MISSING", "/inputs/expected_months"),
        ({**K22, "inputs": None}, "CLOCK_INPUT_MISSING", "/inputs/expected_months"),
        ({"kind": "K22", "start": "2026-02-05", "inputs": K22["inputs"]}, "CLOCK_INPUT_MISSING", "/custody"),
        ({**K22, "custody": "yes"}, "CLOCK_INPUT_INVALID", "/custody"),
        ({**K22, "inputs": [13]}, "CLOCK_INPUT_INVALID", "/inputs"),
        ({**K22, "inputs": {"expected_months": "13"}}, "CLOCK_INPUT_INVALID", "/inputs/expected_months"),
        ({**K22, "inputs": {"expected_months": True}}, "CLOCK_INPUT_INVALID", "/inputs/expected_months"),
        ({**K22, "inputs": {"expected_months": float("nan")}}, "CLOCK_INPUT_INVALID", "/inputs/expected_months"),
        ({**K22, "inputs": {"expected_months": 13, "colour": 1}}, "CLOCK_INPUT_INVALID", "/inputs"),
        ({**K22, "inputs": {"expected_months": 13, "extensions": "more"}}, "CLOCK_INPUT_INVALID", "/inputs/extensions"),
        ({**K22, "inputs": {"expected_months": 13, "extensions": [{}]}}, "CLOCK_INPUT_INVALID", "/inputs/extensions"),
        (
            {**K22, "inputs": {"expected_months": 13, "extensions": [["x"]]}},
            "CLOCK_INPUT_INVALID",
            "/inputs/extensions",
        ),
        ({**K22, "inputs": {"expected_months": 13, "extensions": ["more"]}}, "CLOCK_ACT_NOT_ALLOWED", ""),
        ({**K22, "start": "2026-12-25", "custody": False}, "CALENDAR_YEAR_MISSING", ""),
        ({**K22, "detained": True}, "ARGUMENT_INVALID", ""),
        ('{"kind": "K44", "kind": "K22", "start": "2026-02-05"}', "ARGUMENT_INVALID", ""),
        ("[" * 60_000, "ARGUMENT_INVALID", ""),
        ("[1]", "ARGUMENT_INVALID", ""),
        ("K22 2026-02-05", "ARGUMENT_INVALID", ""),
        ('{"kind": "' + "K" * MAX_LINE_BYTES + '"}', "ARGUMENT_INVALID", ""),
    ],
)
def test_due_of_a_bad_line_is_its_own_error_and_stops_no_other(
    tmp_path: Path, line: str | dict[str, Any], name: str, path: str
) -> None:
    """Each fault has its code and place; the lines before and after it have their answers."""
    done = ask(tmp_path, K22, line, "", K22)
    first, bad, last = answers(done)
    assert first == last
    assert first["due"] == "2026-02-20"
    assert set(bad) == {"error"}
    assert (bad["error"]["name"], bad["error"]["path"]) == (name, path)
    assert bad["error"]["message"] and bad["error"]["code"] > 1000
    assert done.code == 1


def test_due_of_a_line_with_several_faults_names_all_of_them(tmp_path: Path) -> None:
    """Nobody has to repair one fault to see the next."""
    [bad] = answers(ask(tmp_path, {"kind": "K99", "start": "x", "custody": 1, "inputs": 1, "more": 1}))
    assert [finding["path"] for finding in bad["error"]["findings"]] == ["", "/kind", "/start", "/custody", "/inputs"]


def test_error_never_repeats_what_the_line_said(tmp_path: Path) -> None:
    """A name that slipped into a field does not come back in a message."""
    lines: list[str | dict[str, Any]] = [
        {**K22, "kind": "Zhang San"},
        {**K22, "start": "Zhang San"},
        {**K22, "custody": "Zhang San"},
        {**K22, "inputs": {"Zhang San": 1, "expected_months": "Zhang San"}},
        {**K22, "inputs": {"expected_months": 1, "extensions": ["Zhang San"]}},
        {**K22, "Zhang San": 1},
        "Zhang San",
    ]
    done = ask(tmp_path, *lines)
    assert len(answers(done)) == len(lines)
    assert "Zhang" not in done.output + done.errors


def test_due_counts_by_the_chosen_readings_and_further_years(tmp_path: Path) -> None:
    """An operator's settings and a new year of holidays are read from files."""
    settings, year = tmp_path / "settings.yaml", tmp_path / "2027.yaml"
    settings.write_text("month_rule: next_day\n", "utf-8")
    year.write_text("year: 2027\nlaw: sample\nsource: sample\nholidays: [2027-01-01]\nworkdays: []\n", "utf-8")
    march = {"kind": "K33", "start": "2025-03-01", "custody": True}
    done = ask(tmp_path, march, options=("--settings", str(settings)))
    assert answers(done)[0]["due"] == "2025-05-02"
    january = {**K22, "start": "2026-12-17", "custody": False}
    assert answers(ask(tmp_path, january))[0]["error"]["name"] == "CALENDAR_YEAR_MISSING"
    assert answers(ask(tmp_path, january, options=("--holidays", str(year))))[0]["due"] == "2027-01-04"


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--settings", "month_rule: other"),
        ("--settings", "- 1"),
        ("--settings", "lengths: {K22: 20D}"),
        ("--settings", "{"),
        ("--holidays", "year: 2027"),
    ],
)
def test_file_of_settings_or_holidays_that_is_wrong_is_status_two(tmp_path: Path, option: str, text: str) -> None:
    """Nothing is counted with half a file."""
    file = tmp_path / "wrong.yaml"
    file.write_text(text, "utf-8")
    done = ask(tmp_path, K22, options=(option, str(file)))
    assert (done.code, done.output) == (2, "")
    assert "wrong.yaml" in done.errors or "clocks" in done.errors


def test_due_of_a_file_that_is_not_there_is_status_two(tmp_path: Path) -> None:
    """A wrong path is told, with what to do."""
    done = fasttrack_here("clocks", "due", tmp_path / "none.jsonl")
    assert (done.code, done.output) == (2, "")
    assert "next:" in done.errors


def test_list_shows_every_clock_with_its_article() -> None:
    """People see a table, programs the whole of every rule."""
    shown = fasttrack_here("clocks", "list")
    listed = fasttrack_here("clocks", "list", "--json").object
    assert shown.code == 0
    assert [clock["id"] for clock in listed["clocks"]][:2] == ["K01", "K02"]
    for clock in listed["clocks"]:
        assert clock["id"] in shown.output
        assert clock["basis"] in shown.output
    [k31] = [clock for clock in listed["clocks"] if clock["id"] == "K31"]
    assert k31["inputs"] == {"expected_months": "a number of months, 0 to 1200"}
    assert k31["start"] == ["ct_received"]


def test_list_with_settings_shows_the_chosen_readings(tmp_path: Path) -> None:
    """What is shown is what would be counted."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("trial_start: acceptance\nlengths: {K46: 8h}\n", "utf-8")
    clocks = fasttrack_here("clocks", "list", "--json", "--settings", settings).object["clocks"]
    assert {clock["id"]: clock["length"] for clock in clocks}["K46"] == "8h"
    assert {clock["id"]: clock["start"] for clock in clocks}["K31"] == ["ct_accepted"]


def test_list_as_markdown_is_the_table_of_the_readme() -> None:
    """The page of the rules is written by this command."""
    done = fasttrack_here("clocks", "list", "--markdown")
    assert done.output.startswith("<!-- clocks: begin")
    assert done.output.count("\n| K") == 39
