"""The table of charges: every wording by hand, and which wording counts for an old act."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from gateway.core.dossier import Point
from gateway.core.judge.charge import ChargeRule, ChargeTable
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.listing import describe_charge
from gateway.core.judge.rule_set import load_chosen, load_rule_set
from gateway.core.judge.what_if import apply_setter
from gateway.core.rule import RuleFileError, parse_rules
from tests.support.dossier import make_dossier

RULES = load_rule_set()
WORDINGS = [pytest.param(row, id=f"{row.rule.id}-{row.rule.valid_from}") for row in RULES.charges.rows]
TODAY = date(2026, 6, 17)
# The first bracket of domain model 4.3, typed in by hand: charge, longest months, 0 for no imprisonment.
BRACKETS = {
    "133-1": 0, "133": 36, "134-1": 12, "128(1)": 36, "177-1": 36, "214": 36, "225": 60, "234(1)": 36, "238": 36,
    "245": 36, "253-1": 36, "264": 36, "266": 36, "267": 36, "271": 36, "274": 36, "275": 36, "276-1": 36,
    "277(1)": 36, "277(5)": 36, "280(3)": 36, "280-1": 0, "287-2": 36, "291-2": 12, "292": 36, "293": 60, "293-1": 36,
    "303(1)": 36, "303(2)": 60, "312": 36, "313": 36, "322": 12, "340": 36, "341(2)": 36, "345(2)": 36, "347(4)": 36,
    "348": 36, "354": 36, "359": 60,
}  # fmt: skip


def _found(law: str, act: str, *setters: str) -> set[tuple[str, str]]:
    dossier = make_dossier(Point.INDICTMENT)
    for setter in (f"person[1].charge[2].law={law}", f"case.occurred_at={act}", *setters):
        dossier = apply_setter(dossier, setter)
    rules = {"D20.1", "D43.1", "D15.1"}
    return {(one.rule, one.field) for one in judge_dossier(RULES, dossier).documents if one.rule in rules}


@pytest.mark.parametrize("row", WORDINGS)
def test_wording_of_a_charge_has_its_bracket_its_evidence_and_its_days(row: ChargeRule) -> None:
    """The longest term is within, a month more is not; evidence is asked for; the day before it there was no crime."""
    law, act = row.rule.id, row.rule.valid_from
    term = f"{row.most_months}M" if row.most_months else "6M"
    years = f"{row.most_months // 12}Y{row.most_months % 12}M" if row.most_months else term
    kind = "IMPRISONMENT" if row.most_months else "DETENTION"
    setters = (
        f"person[1].proposal.penalty={kind}",
        f"person[1].proposal.term={years}",
        "person[1].proposal.probation=none",
    )
    counted = RULES.charges.find(law, act, TODAY)
    assert counted is not None
    assert counted.most_months == min(row.most_months, BRACKETS[law])
    if counted is row:
        assert ("D43.1", "person[1].proposal.term") not in _found(law, str(act), *setters)
        more = "person[1].proposal.term=" + (
            f"{row.most_months // 12}Y{row.most_months % 12 + 1}M" if row.most_months else "7M"
        )
        expected = not row.has_higher
        assert (("D43.1", "person[1].proposal.term") in _found(law, str(act), *setters[:1], more)) == expected
    assert row.evidence
    gone = [f"document.{item.code}=missing" for item in row.evidence]
    assert any(rule == "D15.1" for rule, _ in _found(law, str(act), *gone, "recording=none"))
    before = act - timedelta(days=1)
    is_first = min(one.rule.valid_from for one in RULES.charges.rows if one.rule.id == law) == act
    assert (("D20.1", "person[1].charge[2].law") in _found(law, str(before))) == is_first


def test_table_has_every_charge_of_the_domain_model_and_no_other() -> None:
    """A charge that somebody forgot would be UNKNOWN for ever."""
    assert {row.rule.id for row in RULES.charges.rows} == BRACKETS.keys()


@pytest.mark.parametrize(
    ("law", "act", "months"),
    [
        ("303(2)", "2021-02-28", 36),  # the old wording is milder and was in force: it counts
        ("303(2)", "2021-03-01", 60),
        ("271", "2021-02-28", 36),  # the new wording is milder: it counts though the act is older
        ("271", "2021-03-01", 36),
        ("214", "2020-01-01", 36),  # the same longest term, and the old wording had detention as well
    ],
)
def test_old_act_is_measured_by_the_old_law_unless_the_new_is_milder(law: str, act: str, months: int) -> None:
    """Criminal Law 12."""
    found = RULES.charges.find(law, date.fromisoformat(act), TODAY)
    assert found is not None
    assert found.most_months == months


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("most_months: 36", "most_months: 0"), "most_months"),
        (("kinds: [IMPRISONMENT]", "kinds: [DEATH]"), "kinds are some of"),
        (("has_victim: true", "has_victim: 2"), "has_higher and has_victim"),
    ],
)
def test_charge_that_contradicts_itself_refuses_the_file(change: tuple[str, str], problem: str) -> None:
    """A row that is half understood is worse than none."""
    text = (
        'version: "1"\nrules:\n  - {id: "1", basis: CL, article: "1", valid_from: 2000-01-01, valid_to: null, '
        "confidence: statute, title: x, most_months: 36, kinds: [IMPRISONMENT], has_higher: false, has_victim: true, "
        "evidence: []}\n"
    )
    required = ("title", "most_months", "kinds", "has_higher", "has_victim", "evidence")
    ChargeTable(parse_rules("charges", text.encode(), required=required))
    with pytest.raises(RuleFileError, match=problem):
        ChargeTable(parse_rules("charges", text.replace(*change).encode(), required=required))


def test_what_is_general_knowledge_in_a_charge_can_be_replaced_and_what_was_read_cannot() -> None:
    """Penalties and evidence are a default; the bracket that was read in the law is not."""
    chosen = load_chosen({"charges": {"264": {"kinds": ["IMPRISONMENT"], "has_higher": False}}}, "x")
    row = chosen.charges.find("264", TODAY, TODAY)
    assert row is not None and (row.kinds, row.has_higher, row.most_months) == (frozenset({"IMPRISONMENT"}), False, 36)
    assert chosen.id != RULES.id
    for law, part, problem in (
        ("264", {"most_months": 60}, "most_months cannot be replaced"),
        ("214", {"most_months": 60}, "most_months cannot be replaced"),
        ("264", {"article": "1"}, "article cannot be replaced"),
        ("264", {"kinds": ["DEATH"]}, "kinds are some of"),
        ("1", {"has_victim": True}, "there is no charge 1"),
        (264, {"has_victim": True}, "a text such as"),
    ):
        with pytest.raises(RuleFileError, match=problem):
            load_chosen({"charges": {law: part}}, "x")


def test_listing_says_which_parts_of_a_charge_are_general_knowledge() -> None:
    """A row whose bracket was read in the law does not lend that to the rest of it."""
    told = describe_charge(RULES.charges.find("264", TODAY, TODAY))  # type: ignore[arg-type]
    assert told["confidence"] == "statute"
    assert told["confidence_of"] == dict.fromkeys(("kinds", "has_higher", "has_victim", "evidence"), "general")
