"""At which point and on which day a record is judged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.core.dossier import Point
from gateway.core.judge.proceeding import make_dossier
from tests.support.dossier import at, make_case

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "point", "day"),
    [
        ("TRANSFER", Point.TRANSFER, date(2026, 6, 17)),
        ("RETRANSFER", Point.TRANSFER, date(2026, 6, 17)),
        ("INDICTMENT", Point.INDICTMENT, date(2026, 6, 17)),
        ("JUDGMENT", Point.HEARING, date(2026, 6, 25)),
        ("EXECUTION", Point.OTHER, date(2026, 6, 17)),
    ],
)
def test_record_is_judged_at_its_point_on_its_own_day(kind: str, point: Point, day: date) -> None:
    """Sending, indictment, pronouncement: what waits in a queue is not judged by another age or law."""
    dossier = make_dossier(make_case(kind=kind), NOW)
    assert dossier is not None
    assert (dossier.point, dossier.on) == (point, day)


@pytest.mark.parametrize("kind", ["RETURN", "NON_PROSECUTION", "ASSESSMENT_REQUEST", "ASSESSMENT_OPINION"])
def test_record_of_another_kind_has_no_dossier(kind: str) -> None:
    """Nobody asks there whether the fast track is right."""
    assert make_dossier(make_case(kind=kind), NOW) is None


def test_execution_to_the_procuratorate_is_a_copy_and_has_no_dossier() -> None:
    """The papers of an execution are looked for where it is done."""
    assert make_dossier(make_case(kind="EXECUTION", receiver="pr:110108"), NOW) is None


@pytest.mark.parametrize(
    ("kind", "changes", "day"),
    [
        ("INDICTMENT", {"indicted_on": date(2027, 1, 1)}, date(2026, 11, 26)),
        ("INDICTMENT", {"indicted_on": date(2026, 6, 1)}, date(2026, 6, 2)),
        ("INDICTMENT", {"indicted_on": date(2026, 6, 8), "received_at": at(10)}, date(2026, 6, 10)),
        ("JUDGMENT", {"judgment_on": date(2026, 6, 1)}, date(2026, 6, 17)),
        ("JUDGMENT", {"judgment_on": date(2026, 6, 18), "court_filed_on": date(2026, 6, 19)}, date(2026, 6, 19)),
        ("JUDGMENT", {"judgment_on": None, "sent_at": at(30)}, date(2026, 6, 30)),
    ],
)
def test_day_of_the_record_is_bounded_by_today_and_by_what_it_names_before(
    kind: str, changes: dict[str, Any], day: date
) -> None:
    """A day to come makes nobody an adult, and nobody indicts before he received the file."""
    dossier = make_dossier(make_case(kind=kind, **changes), NOW)
    assert dossier is not None
    assert dossier.on == day


def test_acceptance_is_on_the_day_of_the_gateway_in_china() -> None:
    """At 16:30 UTC it is tomorrow in China."""
    late = datetime(2026, 11, 26, 16, 30, tzinfo=UTC)
    dossier = make_dossier(make_case(), late, point=Point.COURT_ACCEPTANCE)
    assert dossier is not None
    assert (dossier.point, dossier.on) == (Point.COURT_ACCEPTANCE, date(2026, 11, 27))


def test_register_is_cut_to_the_officers_of_a_transfer() -> None:
    """A register of thousands is no part of a judgement of two; who is not in it has an empty row."""
    register = {"1": {"level": "BASIC"}, "7": {"level": "HIGH"}}
    dossier = make_dossier(make_case(kind="TRANSFER"), NOW, register=register)
    assert dossier is not None
    assert dossier.register == {"1": {"level": "BASIC"}, "2": {}}
    other = make_dossier(make_case(), NOW, register=register)
    assert other is not None and other.register == {}
