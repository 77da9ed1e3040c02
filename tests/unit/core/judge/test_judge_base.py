"""The case from which all others are made is eligible and complete at every point."""

from __future__ import annotations

import pytest

from gateway.core.dossier import Point
from gateway.core.judge.engine import judge_dossier
from gateway.core.judge.outcome import Result
from gateway.core.judge.rule_set import load_rule_set
from tests.support.dossier import make_case, make_dossier

POINTS = [point for point in Point if point is not Point.OTHER]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("persons", [1, 2])
def test_case_in_which_nothing_is_wrong_is_eligible_everywhere(point: Point, persons: int) -> None:
    """Otherwise the cases that spoil it would prove nothing."""
    outcome = judge_dossier(load_rule_set(), make_dossier(point, case=make_case(persons)))
    assert outcome.result is Result.ELIGIBLE
    assert [person.result for person in outcome.persons] == [Result.ELIGIBLE] * persons
    assert outcome.findings == outcome.documents == ()


def test_record_of_an_execution_has_documents_and_no_result() -> None:
    """After the judgment nobody asks whether the fast track was right; the papers must still be there."""
    outcome = judge_dossier(load_rule_set(), make_dossier(Point.OTHER))
    assert outcome.result is Result.NOT_EVALUATED
    assert (outcome.persons, outcome.findings) == ((), ())
