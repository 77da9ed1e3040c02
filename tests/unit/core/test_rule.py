"""Files of rules are read strictly."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.core.rule import Confidence, RuleFileError, parse_rules

HEAD = 'version: "1"\nrules:\n'
ROW = "{id: K01, basis: CPL, article: '119', valid_from: 2018-10-26, valid_to: null, confidence: statute}"


def parse(*rows: str, head: str = HEAD) -> list[str]:
    """Read rows and return what is wrong with them."""
    try:
        parse_rules("sample", (head + "".join(f"  - {row}\n" for row in rows)).encode())
    except RuleFileError as error:
        return list(error.problems)
    return []


def test_rules_that_are_complete_are_read() -> None:
    """Every key arrives, own keys of the file apart from those that every rule has."""
    row = ROW.replace("}", ", length: 12h}")
    rules = parse_rules("sample", f"{HEAD}  - {row}\n".encode(), required=["length"])
    assert rules.id == "sample/1"
    assert len(rules.digest) == 32
    [read] = rules.rows
    assert (read.rule.id, read.rule.citation, read.rule.confidence) == ("K01", "CPL 119", Confidence.STATUTE)
    assert read.rule.valid_from == date(2018, 10, 26)
    assert read.rule.valid_to is None
    assert read.content == {"length": "12h"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("basis: CPL, ", ""), "row 1: basis is missing"),
        (("article: '119', ", ""), "row 1: article is missing"),
        (("basis: CPL", "basis: ' '"), "row 1: basis must be a text that says something"),
        (("article: '119'", "article: 119"), "row 1: article must be a text that says something"),
        (("basis", "bases"), "row 1: bases is not known"),
        (("2018-10-26", "2018-10-26T00:00:00Z"), "row 1: valid_from must be a date"),
        (("valid_to: null", "valid_to: 2018-10-25"), "row 1: valid_to is before valid_from"),
        (("statute", "certain"), "row 1: confidence must be one of statute, source, general, estimate"),
    ],
)
def test_rule_with_a_bad_key_is_refused(change: tuple[str, str], problem: str) -> None:
    """A row that is not wholly understood is refused, and the message says which row and why."""
    assert problem in parse(ROW.replace(*change))


def test_rules_with_several_problems_are_refused_with_all_of_them() -> None:
    """Whoever writes a file sees everything at once."""
    assert len(parse(ROW.replace("basis: CPL, ", ""), ROW.replace("statute", "certain"), "K03")) == 3


@pytest.mark.parametrize(
    ("first_end", "second_start", "overlaps"),
    [("2026-06-30", "2026-07-01", False), ("2026-07-01", "2026-07-01", True), ("null", "2026-07-01", True)],
)
def test_rules_of_one_id_that_overlap_are_refused(first_end: str, second_start: str, overlaps: bool) -> None:
    """On any day at most one wording of a rule holds."""
    first = ROW.replace("valid_to: null", f"valid_to: {first_end}")
    second = ROW.replace("2018-10-26", second_start)
    assert bool(parse(second, first)) is overlaps


def test_rules_of_different_ids_may_hold_on_the_same_day() -> None:
    """Only rows of the same rule exclude each other."""
    assert parse(ROW, ROW.replace("K01", "K02")) == []


@pytest.mark.parametrize(
    "text",
    [
        "rules: []",
        'version: "1"\nrules: []',
        'version: "1"\nrules: [',
        'version: "1"\nother: 1\nrules:\n  - ' + ROW,
        "version: 1\nrules:\n  - " + ROW,
        'version: "1"\nversion: "2"\nrules:\n  - ' + ROW,
        'version: "1"\nrules:\n  - !!python/object/apply:os.getcwd []',
        "- 1",
        HEAD + "  - " + ROW.replace("2018-10-26", "2018-13-26"),
    ],
)
def test_file_that_is_not_of_the_form_is_refused(text: str) -> None:
    """A key twice, a key too much, a missing version and YAML that makes objects are all refused."""
    with pytest.raises(RuleFileError):
        parse_rules("sample", text.encode())
