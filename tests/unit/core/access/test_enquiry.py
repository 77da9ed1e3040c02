"""What a party may be told, and how often one may ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest

from gateway.core.access.enquiry import EnquiryLimit, Progress, is_closed_to_enquiry, parse_code, to_progress
from gateway.core.case.case import PartialDate
from gateway.core.errors import ErrorCode, GatewayError
from tests.scenario.case_file import suspect, transfer

NOW = datetime(2026, 2, 5, 2, tzinfo=UTC)
TODAY = date(2026, 3, 1)


def test_code_becomes_the_digest_that_a_statement_names() -> None:
    """A code is never kept: what is compared is its SHA-256."""
    assert parse_code("Q7K2-M9Q4") == sha256(b"Q7K2-M9Q4").hexdigest()


@pytest.mark.parametrize("code", ["", "short-1", "x" * 65, "Q7K2 M9Q4", "Q7K2M9Q4\n", "代码代码代码代码"])
def test_code_of_another_form_is_refused(code: str) -> None:
    """Nothing but 8 to 64 plain characters is looked up."""
    with pytest.raises(GatewayError) as refusal:
        parse_code(code)
    assert refusal.value.code is ErrorCode.ARGUMENT_INVALID


def test_progress_has_five_words_and_two_days() -> None:
    """An answer has no other field than those that the form lets a party see."""
    told = to_progress({"subject_token": "t", "stage": "FILED", "on": "2026-01-28"})
    assert told == Progress(stage="FILED", since="2026-01-28")


@pytest.mark.parametrize(
    ("birth", "is_closed"),
    [
        (date(1990, 1, 1), False),
        (date(2008, 1, 28), True),  # a minor on the day of the act, which was the birthday
        (date(2008, 1, 27), False),
        (PartialDate(), True),
        (PartialDate(2008), True),
    ],
)
def test_case_of_a_minor_is_closed_and_silence_closes_it_too(birth: date | PartialDate, is_closed: bool) -> None:
    """Whoever was a minor at the act has a sealed record; a birth that is not known may be a minor's."""
    case = transfer(suspect(birth=birth))
    assert is_closed_to_enquiry([case], TODAY) is is_closed


def test_minor_of_an_earlier_record_closes_the_case_though_the_newest_leaves_it_out() -> None:
    """A later record may be about one adult alone; the case stays that of a minor."""
    adult, minor = suspect(1), suspect(2, birth=date(2009, 5, 1))
    records = [transfer(adult, minor), transfer(adult)]
    assert [is_closed_to_enquiry(records, TODAY), is_closed_to_enquiry(records[1:], TODAY)] == [True, False]


def test_birth_date_of_one_record_serves_the_others_unless_another_makes_a_minor() -> None:
    """An answer without birth dates closes nothing that the file has told, and a doubt is the minor's."""
    told, silent, younger = (transfer(suspect(birth=birth)) for birth in (date(1990, 1, 1), None, date(2009, 5, 1)))
    assert is_closed_to_enquiry([told, silent], TODAY) is False
    assert is_closed_to_enquiry([silent], TODAY) is True
    assert is_closed_to_enquiry([told, younger], TODAY) is True


def test_case_without_persons_or_day_of_the_act_is_closed() -> None:
    """Whoever is an adult today may have been a minor then."""
    case = transfer()
    assert is_closed_to_enquiry([replace(case, occurred_at=None)], TODAY) is True
    assert is_closed_to_enquiry([replace(case, persons=())], TODAY) is True
    assert is_closed_to_enquiry([replace(case, occurred_at=None), case], TODAY) is False


def test_limit_holds_for_each_code_and_each_caller_and_passes() -> None:
    """A code that is tried too often is refused with the time to wait, and answered again after it."""
    limit = EnquiryLimit(most=5, most_a_code=2, within=timedelta(minutes=10))
    for _ in range(2):
        limit.count("xx:110000", "a", NOW)
    with pytest.raises(GatewayError) as refusal:
        limit.count("xx:110000", "a", NOW + timedelta(minutes=4))
    assert refusal.value.code is ErrorCode.ENQUIRY_TOO_OFTEN
    assert refusal.value.retry_after_seconds == 360
    for code in "bc":
        limit.count("xx:110000", code, NOW)
    with pytest.raises(GatewayError):
        limit.count("xx:110000", "d", NOW)
    limit.count("xx:110000", "a", NOW + timedelta(minutes=10))


def test_refusals_for_asking_too_often_are_recorded_once_in_a_window() -> None:
    """A self-service system that asks in a loop, by one code or many, makes one entry in ten minutes."""
    limit, recorded = EnquiryLimit(most=600, most_a_code=1, within=timedelta(minutes=10)), []
    for code in "ab":
        limit.count("xx:110000", code, NOW)
    for minute in range(9):
        with pytest.raises(GatewayError) as refusal:
            limit.count("xx:110000", "ab"[minute % 2], NOW + timedelta(minutes=minute))
        recorded.append(refusal.value.is_recorded)
    assert recorded == [True, *[False] * 8]
    for agency, code, minute in (("xx:120000", "c", 9), ("xx:110000", "a", 10)):
        at = NOW + timedelta(minutes=minute)
        limit.count(agency, code, at)
        with pytest.raises(GatewayError) as refusal:
            limit.count(agency, code, at)
        assert refusal.value.is_recorded
