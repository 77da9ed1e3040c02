"""What records and acts tell of a case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from gateway.core.case.case import Case, Charge, Document, Freeze, LegalHelp, Measure, Person, Recording, Term
from gateway.core.case.value import CHINA_TIME, PartialDate, RawText
from gateway.core.entry import EntryKind
from gateway.core.fact.fact import Fact, from_facts_bytes, to_facts_bytes, to_moment_text
from gateway.core.fact.of_act import find_persons, read_act_facts
from gateway.core.fact.of_record import read_record_facts, to_account_key, to_expected_months
from gateway.core.fact.order import WORDS
from gateway.core.identity import Role
from gateway.core.route import RecordKind

AT = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA_TIME)
CASE = Case(
    version="1", kind="TRANSFER", sender="ps:999001", receiver="pr:999001", sent_at=AT, message_no="1",
    police_no="A9990010000002026010001", name="x",
)  # fmt: skip
PERSON = Person(key="R1", name="x")


def read(case: Case, kind: RecordKind = RecordKind.TRANSFER, **more: Any) -> dict[str, list[Fact]]:
    """Facts by kind."""
    found: dict[str, list[Fact]] = {}
    for fact in read_record_facts(case, kind, AT, **more):
        assert fact.kind in WORDS
        found.setdefault(fact.kind, []).append(fact)
    return found


def of(person: Person, **case: Any) -> Case:
    """A case of one person."""
    return replace(CASE, persons=(person,), **case)


def test_record_names_every_person_with_what_is_known() -> None:
    """What a limit depends on travels with the name; what nobody said is absent, not false."""
    assert read(of(PERSON))["named"] == [Fact(kind="named", at=AT, person="R1", inputs={})]
    known = replace(
        PERSON, nation="CHN", proposal_penalty="IMPRISONMENT", proposal_term=Term(years=1, months=1),
        charges=(Charge(law="133-1"),),
    )  # fmt: skip
    assert read(of(known, procedure="FAST"))["named"][0].inputs == {
        "procedure": "FAST", "fast_track": True, "expected_months": 13, "foreigner": False, "drunk_driving": True,
    }  # fmt: skip


def test_record_that_is_ineligible_does_not_run_on_the_fast_track() -> None:
    """Whoever proposes it."""
    about = read(of(PERSON, procedure="FAST"), result="INELIGIBLE")["named"][0].inputs
    assert about == {"procedure": "ORDINARY", "fast_track": False}
    assert read(of(PERSON, procedure="FAST"), result="UNKNOWN")["named"][0].inputs["procedure"] == "FAST"


@pytest.mark.parametrize(
    ("penalty", "term", "months"),
    [
        ("IMPRISONMENT", Term(years=1), 12),
        ("IMPRISONMENT", Term(years=1, days=1), 12.033),
        ("IMPRISONMENT", None, None),
        ("CONTROL", Term(years=2), 0),
        ("FINE", None, 0),
        (None, None, None),
    ],
)
def test_expected_months_count_imprisonment_only(penalty: str | None, term: Term | None, months: float | None) -> None:
    """Two years of control are no imprisonment above a year; a day above a year is."""
    assert to_expected_months(penalty, term) == months


def test_record_tells_measures_with_their_times() -> None:
    """A detention with its time, a bail that follows it, and an end that nothing follows."""
    detained = Measure(kind="DETAIN", start=AT, end=date(2026, 3, 4))
    bailed = Measure(kind="BAIL", start=date(2026, 3, 5))
    found = read(of(replace(PERSON, measures=(detained, bailed))))
    assert found["detained"] == [Fact(kind="detained", at=AT, person="R1")]
    assert found["bailed"][0].inputs == {"measure": "BAIL"}
    assert "measure_ended" not in found
    assert read(of(replace(PERSON, measures=(detained,))))["measure_ended"][0].at == date(2026, 3, 4)
    summons = Measure(kind="SUMMON", start=AT, end=AT)
    found = read(of(replace(PERSON, measures=(summons, Measure(kind=RawText("x"), start=AT)))))
    assert set(found) == {"named", "summons_arrived", "summons_ended"}


def test_record_of_a_foreigner_tells_that_a_measure_is_to_be_reported() -> None:
    """K13 runs for a foreigner; a nationality that nobody knows is not one."""
    for nation, is_told in (("USA", True), ("CHN", False), (None, False), (RawText("?"), False)):
        person = replace(PERSON, nation=nation, measures=(Measure(kind="DETAIN", start=AT),))
        assert ("measure_taken" in read(of(person))) is is_told


@pytest.mark.parametrize(
    ("about", "is_found"),
    [
        ({"health_deaf": True}, True),
        ({"health_blind": True, "birth": PartialDate(1990, 1, 1)}, True),
        ({"health_mute": True}, True),
        ({"health_mental": True}, True),
        ({"birth": PartialDate(2008, 3, 2)}, True),
        ({"birth": PartialDate(2008, 3, 1)}, False),
        ({"birth": PartialDate(None, None, None)}, False),
        ({"health_deaf": False}, False),
        ({}, False),
    ],
)
def test_record_finds_who_must_have_counsel_and_has_none(about: dict[str, Any], is_found: bool) -> None:
    """K16: blind, deaf, mute, of partly lost capacity, or a minor on the day; what nobody said finds nothing."""
    person = replace(PERSON, **about)
    found = read(of(person)).get("counsel_mandatory_found", [])
    assert found == [Fact(kind="counsel_mandatory_found", at=AT, person="R1")] * is_found
    assert "counsel_mandatory_found" not in read(of(person), RecordKind.JUDGMENT)
    duty = replace(person, legals=(LegalHelp(kind="DUTY", name="y"),))
    assert ("counsel_mandatory_found" in read(of(duty))) is is_found, "a duty lawyer is nobody's defender"
    aided = read(of(replace(person, legals=(LegalHelp(kind="AID", name="y", on=date(2026, 3, 1)),))))
    assert "counsel_mandatory_found" not in aided
    assert aided["counsel_assigned"] == [Fact(kind="counsel_assigned", at=date(2026, 3, 1), person="R1")]


def test_record_tells_dates_of_the_file_and_of_each_person() -> None:
    """Acceptance and filing by the police; filing also starts the target of a drunk-driving case."""
    person = replace(PERSON, charges=(Charge(law="133-1"),))
    found = read(of(person, accepted_on=date(2026, 3, 1), filed_on=date(2026, 3, 2)))
    assert found["report_accepted"] == [Fact(kind="report_accepted", at=date(2026, 3, 1))]
    assert [(fact.person, dict(fact.inputs)) for fact in found["case_filed"]] == [
        ("", {}),
        ("R1", {"drunk_driving": True}),
    ]


def test_record_tells_freezes_by_account() -> None:
    """Two accounts are two limits, and a whole account is verified."""
    freezes = tuple(
        Freeze(bank="b", account=no, kind=kind, amount=1, from_=date(2026, 3, 1), to=date(2026, 9, 1))
        for no, kind in (("1", "LIMIT"), ("2", "WHOLE"), ("3", None))
    )
    found = read(of(PERSON, freezes=freezes))["frozen"]
    assert [fact.person for fact in found] == [to_account_key("b", no) for no in "123"]
    assert [dict(fact.inputs) for fact in found] == [
        {"whole_account": False, "until": "2026-09-01"},
        {"whole_account": True, "until": "2026-09-01"},
        {"until": "2026-09-01"},
    ]


def test_record_of_judgment_and_execution_tells_their_dates() -> None:
    """Pronouncement, service by its proof, effect; community correction only for probation or control."""
    served = Document(key="d", code="D51", title="x", pages=1, sha256="0" * 64, person="R1", on=date(2026, 3, 4))
    found = read(of(PERSON, judgment_on=date(2026, 3, 3), documents=(served,)), RecordKind.JUDGMENT)
    assert found["judged"][0].at == found["judgment_pronounced"][0].at == date(2026, 3, 3)
    assert dict(found["judgment_served"][0].inputs) == {"recipient": "DEFENDANT"}
    for person, is_community in ((replace(PERSON, decision_probation=Term(months=4)), True), (PERSON, False)):
        effective = read(of(person, execution_effective_on=date(2026, 3, 14)), RecordKind.EXECUTION)[
            "judgment_effective"
        ]
        assert effective[0].inputs["community_correction"] is is_community


def test_record_tells_the_first_interrogation_by_its_recording() -> None:
    """A transcript has a date, its recording a time."""
    document = Document(key="d", code="D13", title="x", pages=1, sha256="0" * 64, person="R1")
    recording = Recording(device="x", start=AT, end=AT, sha256="0" * 64, transcript="d")
    found = read(of(PERSON, documents=(document,), recordings=(recording,)))
    assert found["interrogation_begun"] == [Fact(kind="interrogation_begun", at=AT, person="R1")]


@pytest.mark.parametrize(
    ("kind", "act", "receiver", "told"),
    [
        (RecordKind.TRANSFER, EntryKind.SUBMITTED, Role.PROCURATORATE, []),
        (RecordKind.TRANSFER, EntryKind.ACCEPTED, Role.PROCURATORATE, ["prosecution_transferred", "pr_received"]),
        (RecordKind.TRANSFER, EntryKind.SUPPLEMENT_ASKED, Role.PROCURATORATE, []),
        (RecordKind.RETRANSFER, EntryKind.SUBMITTED, Role.PROCURATORATE, ["transferred_again"]),
        (RecordKind.RETRANSFER, EntryKind.ACCEPTED, Role.PROCURATORATE, ["pr_received_again"]),
        (RecordKind.RETURN, EntryKind.SUBMITTED, Role.POLICE, ["returned_for_investigation"]),
        (RecordKind.RETURN, EntryKind.ACCEPTED, Role.POLICE, ["ps_return_received"]),
        (RecordKind.NON_PROSECUTION, EntryKind.SUBMITTED, Role.POLICE, ["not_prosecuted"]),
        (RecordKind.NON_PROSECUTION, EntryKind.ACCEPTED, Role.POLICE, ["non_prosecution_received"]),
        (RecordKind.INDICTMENT, EntryKind.SUBMITTED, Role.COURT, ["indicted", "supplement_received"]),
        (RecordKind.INDICTMENT, EntryKind.FETCHED, Role.COURT, ["ct_received"]),
        (RecordKind.INDICTMENT, EntryKind.ACCEPTED, Role.COURT, ["ct_accepted"]),
        (RecordKind.INDICTMENT, EntryKind.SUPPLEMENT_ASKED, Role.COURT, ["supplement_asked"]),
        (RecordKind.INDICTMENT, EntryKind.REFUSED, Role.COURT, ["ct_returned"]),
        (RecordKind.JUDGMENT, EntryKind.ACCEPTED, Role.PROCURATORATE, ["judgment_served"]),
        (RecordKind.JUDGMENT, EntryKind.ACCEPTED, Role.POLICE, []),
        (
            RecordKind.EXECUTION, EntryKind.ACCEPTED, Role.JUSTICE,
            ["execution_received", "correction_notified", "correction_documents_received"],
        ),
        (RecordKind.EXECUTION, EntryKind.ACCEPTED, Role.POLICE, ["execution_received", "property_notice_received"]),
        (RecordKind.ASSESSMENT_REQUEST, EntryKind.ACCEPTED, Role.JUSTICE, ["assessment_commission_received"]),
        (RecordKind.ASSESSMENT_OPINION, EntryKind.SUBMITTED, Role.COURT, ["assessment_given"]),
    ],
)  # fmt: skip
def test_act_tells_what_the_procedure_says(kind: RecordKind, act: EntryKind, receiver: Role, told: list[str]) -> None:
    """The receiver's limits begin with its own act, the sender's end by the table of transitions."""
    persons = find_persons([Fact(kind="named", at=AT, person="R1", inputs={"fast_track": True}), Fact(kind="x", at=AT)])
    facts = read_act_facts(kind, act, AT, receiver=receiver, persons=persons)
    assert [fact.kind for fact in facts] == told
    assert {fact.kind for fact in facts} <= set(WORDS)
    assert all(fact.person == ("" if fact.kind == "property_notice_received" else "R1") for fact in facts)


def test_act_tells_a_commission_with_its_lane() -> None:
    """Five working days on the fast track."""
    facts = read_act_facts(
        RecordKind.ASSESSMENT_REQUEST,
        EntryKind.ACCEPTED,
        AT,
        receiver=Role.JUSTICE,
        persons={"R1": {"fast_track": True}},
    )
    assert facts[0].inputs == {"fast_track": True}


@pytest.mark.parametrize(("minutes", "is_told"), [(5, False), (6, True)])
def test_submit_that_was_held_up_tells_when_it_was_signed(minutes: int, is_told: bool) -> None:
    """Both times are kept: the gateway's is the fact's, the signature's stands beside it."""
    signed = AT - timedelta(minutes=minutes)
    (fact,) = read_act_facts(
        RecordKind.RETRANSFER,
        EntryKind.SUBMITTED,
        AT,
        receiver=Role.PROCURATORATE,
        persons={"R1": {}},
        signed_at=signed,
    )
    assert (fact.at, fact.inputs) == (AT, {"signed_at": to_moment_text(signed)} if is_told else {})
    assert from_facts_bytes(to_facts_bytes([replace(fact, person="a" * 32)]))
