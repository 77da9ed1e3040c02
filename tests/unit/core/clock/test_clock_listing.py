"""The page of the rules says what the data says."""

from __future__ import annotations

from pathlib import Path

import gateway.core.rules
from gateway.core.clock.listing import MARK_BEGIN, MARK_END, TEST_FILE, describe_rule, to_markdown
from gateway.core.clock.table import load_clock_table

PAGE = Path(gateway.core.rules.__file__).with_name("README.md")
ROOT = Path(__file__).parents[4]


def test_page_has_the_table_that_the_command_writes() -> None:
    """``fasttrack clocks list --markdown`` was run after the last change of the data."""
    text = PAGE.read_text("utf-8")
    begin, end = text.index(MARK_BEGIN), text.index(MARK_END) + len(MARK_END) + 1
    assert text[begin:end] == to_markdown(load_clock_table())


def test_page_names_file_test_and_article_of_every_rule() -> None:
    """Each row leads to its law and to the cases that prove it."""
    rows = [line for line in to_markdown(load_clock_table()).splitlines() if line.startswith("| K")]
    assert len(rows) == len(load_clock_table().rows)
    for line, row in zip(rows, load_clock_table().rows, strict=True):
        assert row.rule.citation in line
        assert f"[{row.id}-" in line
    assert (ROOT / TEST_FILE).is_file()


def test_page_explains_every_act_that_a_rule_cites() -> None:
    """A short form of an act that nobody can look up proves nothing."""
    text = PAGE.read_text("utf-8")
    for row in load_clock_table().rows:
        assert f"| {row.rule.basis} |" in text, row.rule.basis


def test_description_of_a_rule_has_words_for_lengths_and_extensions() -> None:
    """What a person reads is what is counted."""
    rows = {row.id: describe_rule(row) for row in load_clock_table().rows}
    assert rows["K22"]["length"] == "15D if expected_months > 12, else 10D"
    assert rows["K41"]["length"] == "5WD if fast_track yes, else 10WD"
    assert rows["K09"]["extensions"] == "special by 1D to 4D, roving_repeated_or_gang to 30D"
    assert rows["K11"]["extensions"].endswith("ten_years by 2M after four_kinds")
    assert rows["K42"]["extensions"] == "renewed by the first length again"
    assert rows["K44"]["length"] == "none"
