"""A rule set is read whole or not at all; amendments and versions stand beside each other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import gateway.core.rules
from gateway.core.dossier import Point
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.outcome import Result
from gateway.core.judge.procedure import RuleProcedure
from gateway.core.judge.rule_set import FILES, load_chosen, load_history, load_rule_set, read_rule_set
from gateway.core.rule import RuleFileError
from tests.support.dossier import make_case, make_dossier

FOLDER = Path(gateway.core.rules.__file__).parent
SOURCES = {name: (FOLDER / f"{name}.yaml").read_bytes() for name in FILES}


def _changed(name: str, *changes: tuple[str, str]) -> dict[str, bytes]:
    text = SOURCES[name].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return {**SOURCES, name: text.encode()}


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("eligibility", ("check: basic_court", "check: no_such"), "E01: KeyError"),
        ("eligibility", ("of: [person, org]", "of: [animal]"), "of does not know animal"),
        ("eligibility", ("effect: refuse", "effect: shrug"), "E01: ValueError"),
        ("eligibility", ("code: NOT_BASIC_COURT", "code: NO_SUCH"), "E01: KeyError"),
        ("eligibility", ("points: [transfer,", "points: [arrest,"), "E01: ValueError"),
        ("eligibility", ("cure: none in this", "curse: none in this"), "row 1: cure is missing"),
        (
            "eligibility",
            ("most_expected_months: 36", "most_expected_months: 0"),
            "most_expected_months: a whole number",
        ),
        ("documents", ("routes: {H1: M, H3: M}", "routes: {H9: M}"), "routes does not know H9"),
        ("documents", ("routes: {H1: M, H3: M}", "routes: {H1: X}"), "routes does not know X"),
        ("documents", ("when: {H1: measured,", "when: {H1: tomorrow,"), "when does not know tomorrow"),
        ("documents", ("effect: supplement", "effect: supplement\n    refuse_at: [transfer]"), "only what refuses"),
        ("documents", ('version: "2026.1"', 'version: "2026.2"'), "not of one version"),
    ],
)
def test_file_with_a_row_that_is_not_understood_is_refused_whole(
    name: str, change: tuple[str, str], problem: str
) -> None:
    """A rule that is half understood is worse than none; the message names row and word."""
    with pytest.raises(RuleFileError, match=problem):
        read_rule_set(_changed(name, change))


def test_amended_rule_counts_from_its_day_and_the_old_one_before() -> None:
    """Scenario 26: the day of the proceeding finds the row; one file holds both."""
    text = SOURCES["eligibility"].decode()
    begin, end = text.index("  - id: X04"), text.index("  - id: X05")
    old = text[begin:end]
    first = old.replace("valid_to: null", "valid_to: 2026-06-16")
    second = old.replace("valid_from: 2018-10-26", "valid_from: 2026-06-17").replace("effect: refuse", "effect: warn")
    rules = read_rule_set({**SOURCES, "eligibility": (text[:begin] + first + second + text[end:]).encode()})
    case = make_case(major_impact=True)
    for on, severity in ((date(2026, 6, 16), "error"), (date(2026, 6, 17), "warning")):
        outcome = judge_dossier(rules, make_dossier(Point.INDICTMENT, on=on, case=case))
        found = [one for one in outcome.persons[0].findings if one.rule == "X04"]
        assert [one.severity.value for one in found] == [severity]


def test_rule_does_not_count_before_it_was_law() -> None:
    """X07 is of the interpretation of 2021; a case of 2020 does not know it."""
    case = make_case()
    person = case.persons[0].legals[0]
    assert person.opinion is not None
    for on, rules in ((date(2021, 2, 28), set()), (date(2021, 3, 1), {"X07"})):
        dossier = make_dossier(Point.INDICTMENT, on=on, case=case)
        told = judge_dossier(load_chosen({"not_guilty_words": ["同意"]}, "test"), dossier).persons[0].findings
        assert {one.rule for one in told if one.rule == "X07"} == rules


def test_other_readings_are_another_rule_set_and_the_same_readings_the_same() -> None:
    """Whoever changes a reading cannot keep the name of the rules."""
    plain, strict = load_rule_set(), load_chosen({"most_expected_months": 12}, "a.yaml")
    again = load_chosen({"most_expected_months": 12}, "b.yaml")
    assert plain.id == "eligibility/2026.1"
    assert strict.id.startswith("eligibility/2026.1+") and len(strict.id) == len(plain.id) + 9
    assert (again.id, again.digest) == (strict.id, strict.digest)
    assert len({plain.digest, strict.digest}) == 2
    procedure = RuleProcedure(strict)
    assert procedure.definitions() == {strict.id: strict.digest}
    assert procedure.find(plain.id) is not None and procedure.find(strict.id) is strict
    assert procedure.find("eligibility/1999.1") is None


def test_digest_of_the_rules_changes_with_every_file() -> None:
    """What the ledger registers is all three files, comments included."""
    digests = {read_rule_set({**SOURCES, name: SOURCES[name] + b"# \n"}).digest for name in FILES}
    assert len(digests | {load_rule_set().digest}) == 4


def test_every_version_that_ever_judged_can_be_loaded(tmp_path: Path) -> None:
    """A version that is replaced goes to a folder of its own and is found by its id; today's is the last."""
    assert load_history()[-1] is load_rule_set()
    earlier = tmp_path / "2025.1"
    earlier.mkdir()
    for name, text in SOURCES.items():
        (earlier / f"{name}.yaml").write_bytes(text.replace(b'version: "2026.1"', b'version: "2025.1"'))
    assert [rules.id for rules in load_history(tmp_path)] == ["eligibility/2025.1", "eligibility/2026.1"]


def test_record_that_nobody_judges_has_the_rule_set_and_no_digest() -> None:
    """NOT_EVALUATED is a result of its own and never reads as ELIGIBLE."""
    outcome = RuleProcedure().judge(None)
    assert (outcome.rule_set, outcome.result) == ("eligibility/2026.1", Result.NOT_EVALUATED)
    assert (outcome.inputs_sha256, outcome.findings, outcome.persons) == ("", (), ())
