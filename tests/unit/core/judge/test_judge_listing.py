"""The page of the rules says what the data says, and every rule leads to its law, its file and its test."""

from __future__ import annotations

from pathlib import Path

import gateway.core.rules
from gateway.core.judge.listing import CHARGE_TEST_FILE, MARK_BEGIN, MARK_END, TEST_FILE, to_json, to_markdown
from gateway.core.judge.rule_set import load_rule_set
from tests.unit.core.judge import test_judge_cases as cases

FOLDER = Path(gateway.core.rules.__file__).parent
ROOT = Path(__file__).parents[4]
RULES = load_rule_set()


def test_page_has_the_tables_that_the_command_writes() -> None:
    """``fasttrack rules list --markdown`` was run after the last change of the data."""
    text = (FOLDER / "README.md").read_text("utf-8")
    begin, end = text.index(MARK_BEGIN), text.index(MARK_END) + len(MARK_END) + 1
    assert text[begin:end] == to_markdown(RULES)


def test_every_rule_has_an_article_a_file_that_holds_it_and_a_test() -> None:
    """A rule that cites nothing, or that nothing proves, is an opinion."""
    told = to_json(RULES)
    tested = {row[0] for row in (*cases.ELIGIBILITY, *cases.DOCUMENTS, *cases.PRESENCE)}
    tested |= cases.BY_HAND.keys() | cases.NOT_TESTABLE.keys()
    for row in (*told["eligibility"], *told["documents"], *told["charges"]):
        assert len(row["basis"].split()) > 1, row["id"]
        assert f"id: {row['id']}" in (FOLDER / row["file"]).read_text("utf-8").replace('"', "")
        assert (ROOT / row["test"].split()[0]).is_file()
    assert {row["id"] for row in (*told["eligibility"], *told["documents"])} == tested
    assert {TEST_FILE, CHARGE_TEST_FILE} == {
        row["test"].split()[0] for name in ("documents", "charges") for row in told[name]
    }


def test_page_explains_every_act_that_a_rule_cites() -> None:
    """A short form of an act that nobody can look up proves nothing."""
    text = (FOLDER / "README.md").read_text("utf-8")
    rules = [row.rule for row in (*RULES.eligibility, *RULES.documents)] + [row.rule for row in RULES.charges.rows]
    for rule in rules:
        assert f"| {rule.basis} |" in text, rule.basis


def test_rules_of_the_domain_model_are_all_there() -> None:
    """E01 to E04, X01 to X08 and every document code of the matrix."""
    assert [row.id for row in RULES.eligibility] == [f"E0{n}" for n in range(1, 5)] + [f"X0{n}" for n in range(1, 9)]
    codes = {row.id for row in RULES.documents if "." not in row.id}
    # D21 and D33 never travel with a file that is judged: D21 stays with the police, D33 goes back to them.
    wanted = {
        "D01",
        "D02",
        "D03",
        "D04",
        *(f"D{n}" for n in (*range(10, 21), 22, 23, 30, 31, 32, *range(40, 47), *range(50, 54))),
    }
    assert codes == wanted
