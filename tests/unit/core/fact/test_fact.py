"""Facts as the ledger keeps them: one form, and no place for personal data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.case.value import CHINA_TIME
from gateway.core.fact.fact import INPUTS, Fact, facts_sha256, from_facts_bytes, to_facts_bytes

PERSON = "0123456789abcdef" * 2
MOMENT = st.dates(date(2020, 1, 1), date(2030, 1, 1)) | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=CHINA_TIME)
)
FACT = st.builds(
    Fact,
    kind=st.sampled_from(["detained", "pr_received", "judged"]),
    at=MOMENT,
    person=st.sampled_from(["", PERSON, "f" * 32]),
    inputs=st.fixed_dictionaries(
        {}, optional={"expected_months": st.integers(0, 1200), "fast_track": st.booleans(), "step": st.just("NOTICE")}
    ),
)


@given(st.lists(FACT, max_size=8))
def test_facts_in_any_order_have_the_same_bytes(facts: list[Fact]) -> None:
    """Order and repetition change nothing, and what is written is read back."""
    data = to_facts_bytes(facts)
    assert to_facts_bytes([*reversed(facts), *facts]) == data
    assert to_facts_bytes(from_facts_bytes(data)) == data
    assert len(from_facts_bytes(data)) == len({to_facts_bytes([fact]) for fact in facts})


def test_facts_instant_is_written_in_utc() -> None:
    """One instant has one form, whatever the offset that it came with."""
    at = datetime(2026, 2, 5, 9, 30, tzinfo=CHINA_TIME)
    data = to_facts_bytes([Fact(kind="detained", at=at, person=PERSON, inputs={"foreigner": False})])
    assert data == f'[["detained","2026-02-05T01:30:00.000Z","{PERSON}",{{"foreigner":false}}]]'.encode()


def test_facts_none_have_no_bytes_and_no_digest() -> None:
    """An entry without facts has no row beside it and no field in its leaf."""
    assert to_facts_bytes([]) == b""
    assert facts_sha256(b"") == ""
    assert from_facts_bytes(b"") == ()


@pytest.mark.parametrize(
    "fact",
    [
        Fact(kind="detained", at=date(2026, 2, 5), person="R1101085500002024060034"),
        Fact(kind="Detained by Li", at=date(2026, 2, 5)),
        Fact(kind="detained", at=date(2026, 2, 5), inputs={"name": "X"}),
        Fact(kind="detained", at=date(2026, 2, 5), inputs={"step": "11010519491231002X"}),
        Fact(kind="detained", at=date(2026, 2, 5), inputs={"step": "张三"}),
        Fact(kind="detained", at=date(2026, 2, 5), inputs={"expected_months": True}),
        Fact(kind="detained", at=datetime(2026, 2, 5, 9, 30)),
    ],
    ids=["person key", "kind", "unknown input", "number", "name", "flag for months", "no offset"],
)
def test_facts_of_another_form_are_refused(fact: Fact) -> None:
    """A name, a number of a person or free text has no way into the ledger."""
    with pytest.raises(ValueError, match=r"."):
        to_facts_bytes([fact])


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[1]",
        b"[[]]",
        b"\xff",
        b"[",
        b'[["detained","2026-02-05","",{}] ]',
        b'[["detained","2026-02-05","",[]]]',
    ],
)
def test_facts_bytes_of_another_form_are_refused(data: bytes) -> None:
    """What was not written by the gateway is not read as facts."""
    with pytest.raises(ValueError, match=r"."):
        from_facts_bytes(data)


@pytest.mark.parametrize("name", sorted(INPUTS))
@pytest.mark.parametrize("value", ["x y", "张三", "1" * 18, None, [], -1, timedelta(1)], ids=repr)
def test_facts_input_takes_no_free_text(name: str, value: Any) -> None:
    """No input can carry text, numbers of documents or nested values."""
    assert not INPUTS[name](value)
