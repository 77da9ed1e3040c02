"""Cases for scenarios: one suspect, drunken driving, bail, documents complete; a scenario changes what it is about.

A case is the canonical one. Who hands it over writes it in the schema of its own system (``native``), so that the
gateway reads real files of all four agencies. Nobody here exists: division 999001, telephones 1990000xxxx.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from adapters.engine.case_build import from_case
from adapters.engine.schema import load_rows
from adapters.engine.value_identity import citizen_check
from adapters.registry import Adapters
from gateway.core.case.case import (
    Case,
    Charge,
    IdDocument,
    LegalHelp,
    Measure,
    Officer,
    PartialDate,
    Person,
    Sentence,
    Supplement,
    Term,
)
from gateway.core.case.value import CHINA_TIME
from gateway.core.identity import parse_agency
from tests.scenario.paper import bound

ADAPTERS: Final = Adapters()
_NAMES: Final = frozenset(
    name
    for agency in ADAPTERS.names()
    for row in load_rows(agency)
    if row.type != "list" and row.field
    for name in row.field.replace(";", ",").split(", ")
)
_VERSIONS: Final = {agency: ADAPTERS.schema_version(agency) for agency in ADAPTERS.names()}

POLICE, PROCURATORATE, COURT, JUSTICE = "ps:110108", "pr:110108", "ct:110108", "ja:110108"
CHARGE_NAMES: Final = {"133-1": ("危险驾驶", "020790"), "264": ("盗窃", "050100"), "234(1)": ("故意伤害", "040200")}


def at(text: str) -> datetime:
    """An instant in China, such as ``2026-02-05T10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA_TIME)


def day(text: str) -> date:
    """A day, such as ``2026-02-05``."""
    return date.fromisoformat(text)


def person_key(number: int) -> str:
    """Key of the suspect with this number."""
    return f"R110108000000202601{number:04d}"


def citizen_id(birth: date, number: int = 1) -> str:
    """A citizen id of the test division, of a man, with the right check digit."""
    body = f"999001{birth:%Y%m%d}{number:02d}1"
    return body + citizen_check(body)


def bail(start: str = "2026-01-28T16:30", **changes: Any) -> Measure:
    """Bail with a deposit."""
    usual = {"no": "一公(刑)取保字〔2026〕12号", "organ": "第一公安分局", "guarantee": "DEPOSIT", "deposit": 500_000}
    return Measure(kind="BAIL", start=at(start), **{**usual, **changes})


def detention(start: str = "2026-01-28T16:30", **changes: Any) -> Measure:
    """Criminal detention."""
    usual = {"no": "一公(刑)拘字〔2026〕12号", "organ": "第一公安分局", "place": "示范市看守所"}
    return Measure(kind="DETAIN", start=at(start), **{**usual, **changes})


def suspect(number: int = 1, *, law: str = "133-1", measure: Measure | None = None, **changes: Any) -> Person:
    """An adult who pleads guilty, accepts the penalty and consents to the fast track.

    Args:
        number: of the suspect in the case, from 1.
        law: of the charge.
        measure: bail when there is none.
        changes: fields of ``Person`` that are to differ.
    """
    birth = changes.pop("birth", date(1990, 3, 6 + number))
    known = isinstance(birth, date)
    person = Person(
        key=person_key(number),
        order=number,
        name=f"测试人{'甲乙丙丁戊'[number - 1]}",
        sex="1",
        birth=PartialDate(birth.year, birth.month, birth.day) if known else birth,
        birth_basis="ID" if known else "SELF",
        nation="CHN",
        ethnic="01",
        residence=f"示范市测试区和平街{number}号",
        residence_division="999001",
        phone=f"1990000{1000 + number}",
        health_blind=False,
        health_deaf=False,
        health_mute=False,
        health_mental=False,
        plea_guilty=True,
        plea_accepts=True,
        plea_consents=True,
        plea_on=day("2026-01-28"),
        prior_exists=False,
        id_docs=(IdDocument(kind="111", number=citizen_id(birth, number)),) if known else (),
        measures=(measure or bail(),),
        legals=(LegalHelp(kind="DUTY", name="周律言", licence="99900120201012345", on=day("2026-01-29")),),
        charges=(Charge(stage="PS", law=law),),
    )
    return replace(person, **changes)


def transfer(*persons: Person, sent: str = "2026-02-05T09:00", filed: str = "2026-01-28", **changes: Any) -> Case:
    """A police case on its way to the procuratorate; without persons, one suspect of drunken driving on bail.

    Args:
        persons: the suspects.
        sent: time of sending.
        filed: day of the filing.
        changes: fields of ``Case`` that are to differ; ``number`` gives another case number.
    """
    persons = persons or (suspect(),)
    serial = changes.pop("number", 1)
    law = persons[0].charges[0].law
    name, category = CHARGE_NAMES.get(str(law), ("其他", "999999"))
    case = Case(
        version=_VERSIONS["police"],
        kind="TRANSFER",
        sender=POLICE,
        receiver=PROCURATORATE,
        sent_at=at(sent),
        message_no=f"PS-2026-{serial:04d}",
        police_no=f"A110108000000202601{serial:04d}",
        name=f"测试人甲{name}案",
        category=category,
        occurred_at=datetime.combine(day(filed), datetime.min.time(), CHINA_TIME) + timedelta(minutes=30),
        occurred_place="测试路与示范街交叉口",
        accepted_on=day(filed),
        filed_on=day(filed),
        procedure="FAST",
        major_impact=False,
        transfer_no=f"一公(刑)诉字〔2026〕{serial}号",
        transferred_at=at(sent),
        facts_text="测试事实。血液酒精含量为153毫克/100毫升。" if law == "133-1" else "测试事实。",
        facts_evidence="受案登记表、鉴定意见、讯问笔录、视听资料",
        officers=(
            Officer(no="110001", level="BASIC", valid_to=day("2028-12-31"), role="LEAD"),
            Officer(no="110002", level="MEDIUM", valid_to=day("2028-12-31"), role="ASSIST"),
        ),
        persons=persons,
    )
    return replace(case, **changes)


def _sent(case: Case, kind: str, sender: str, receiver: str, sent: str, **changes: Any) -> Case:
    version = _VERSIONS[parse_agency(sender).system]
    number = f"{sender[:2].upper()}-{case.police_no[-4:]}-{at(sent):%m%d%H%M}"
    moved = replace(
        case, kind=kind, sender=sender, receiver=receiver, sent_at=at(sent), message_no=number, version=version
    )
    return replace(moved, **changes)


def proposed(
    person: Person, *, months: int = 2, probation: int = 4, on: str = "2026-02-10", signed: str = "", **changes: Any
) -> Person:
    """A person as the procuratorate proposes the sentence: the charge found, the proposal, the recognizance.

    Args:
        person: as transferred.
        months: proposed term; detention up to six months, above it imprisonment.
        probation: proposed probation in months, 0 for none.
        on: day of the proposal.
        signed: day of the recognizance; the day of the proposal when it is empty.
        changes: fields that are to differ.
    """
    return replace(
        person,
        **{
            "charges": (*person.charges, Charge(stage="PR", law=person.charges[0].law)),
            "proposal_penalty": "DETENTION" if months <= 6 else "IMPRISONMENT",
            "proposal_term": Term(years=months // 12, months=months % 12),
            "proposal_probation": Term(years=probation // 12, months=probation % 12) if probation else None,
            "proposal_fine": 500_000,
            "proposal_no": "一检量建〔2026〕12号",
            "proposal_on": day(on),
            "recognizance_on": day(signed or on),
            "recognizance_lawyer": "周律言",
            "recognizance_licence": "99900120201012345",
            **changes,
        },
    )


def accepted(case: Case, received: str = "2026-02-05T10:00") -> Case:
    """A case as the procuratorate has it once it took the file: with its own numbers."""
    serial = case.police_no[-4:]
    return replace(
        case,
        procuratorate_no=f"一检起诉受[2026]1101080{serial}号",
        unified_no=f"1101082026{serial}",
        received_at=at(received),
    )


def indictment(
    case: Case,
    *persons: Person,
    on: str = "2026-02-11",
    sent: str = "",
    received: str = "2026-02-05T10:00",
    **changes: Any,
) -> Case:
    """An indictment on the fast track.

    Args:
        case: as transferred.
        persons: the defendants; without, all suspects with a proposal of two months on probation.
        on: day of the indictment.
        sent: time of sending; that day at 15:00 when it is empty.
        received: when the procuratorate got the file.
        changes: fields that are to differ.
    """
    taken = accepted(case, received)
    return _sent(
        taken,
        "INDICTMENT",
        PROCURATORATE,
        COURT,
        sent or f"{on}T15:00",
        **{
            "persons": persons or tuple(proposed(person) for person in case.persons),
            "indictment_no": f"一检刑诉〔2026〕{int(case.police_no[-4:])}号",
            "indicted_on": day(on),
            **changes,
        },
    )


def returned(case: Case, *, number: int = 1, on: str = "2026-02-10", due: str = "", **changes: Any) -> Case:
    """A return for supplementary investigation.

    Args:
        case: as transferred.
        number: which return of the case it is.
        on: day of the decision.
        due: last day of the supplement; a month later when it is empty.
        changes: fields that are to differ.
    """
    taken = case if case.procuratorate_no else accepted(case)
    return _sent(
        taken,
        "RETURN",
        PROCURATORATE,
        POLICE,
        f"{on}T15:00",
        **{
            "return_no": f"一检补侦〔2026〕{number}号",
            "return_round": number,
            "return_on": day(on),
            "return_due": day(due) if due else day(on) + timedelta(days=28),
            "supplements": (Supplement(no=1, kind="EVIDENCE", document="D15", text="补充血样提取登记表"),),
            **changes,
        },
    )


def retransfer(case: Case, *, sent: str, **changes: Any) -> Case:
    """The police hand a returned case over again, with their answer."""
    replies = tuple(replace(item, reply="已补充，见补充侦查报告书") for item in case.supplements)
    return _sent(case, "RETRANSFER", POLICE, PROCURATORATE, sent, **{"supplements": replies, **changes})


def not_prosecuted(case: Case, *, on: str = "2026-02-10", ground: str = "177(2)", **changes: Any) -> Case:
    """A decision not to prosecute, for every person of the case."""
    persons = tuple(
        replace(
            person,
            nonpros_ground=ground,
            nonpros_no=f"一检刑不诉〔2026〕{person.order}号",
            nonpros_on=day(on),
            nonpros_reason="犯罪情节轻微",
        )
        for person in case.persons
    )
    return _sent(
        accepted(case), "NON_PROSECUTION", PROCURATORATE, POLICE, f"{on}T15:00", **{"persons": persons, **changes}
    )


def judged(person: Person, *, months: int = 2, probation: int = 4, until: str = "", **changes: Any) -> Person:
    """A defendant as sentenced.

    Args:
        person: as indicted.
        months: term; detention up to six months, above it imprisonment.
        probation: in months, 0 for none.
        until: last day of the appeal; none when it is empty.
        changes: fields that are to differ.
    """
    law = person.charges[0].law
    penalty = "DETENTION" if months <= 6 else "IMPRISONMENT"
    term = Term(years=months // 12, months=months % 12)
    tested = Term(years=probation // 12, months=probation % 12) if probation else None
    return replace(
        person,
        **{
            "charges": (*person.charges, Charge(stage="CT", law=law)),
            "sentences": (Sentence(law=law, penalty=penalty, term=term, probation=tested, fine=500_000),),
            "decision_penalty": penalty,
            "decision_term": term,
            "decision_probation": tested,
            "decision_fine": 500_000,
            "decision_appeal_until": day(until) if until else None,
            **changes,
        },
    )


def judgment(
    case: Case, *persons: Person, on: str = "2026-02-14", receiver: str = PROCURATORATE, **changes: Any
) -> Case:
    """A judgment pronounced in court.

    Args:
        case: as indicted.
        persons: the defendants; without, all with two months on probation.
        on: day of the pronouncement.
        receiver: procuratorate or police.
        changes: fields that are to differ.
    """
    return _sent(
        case,
        "JUDGMENT",
        COURT,
        receiver,
        f"{on}T17:00",
        **{
            "persons": persons or tuple(judged(person) for person in case.persons),
            "court_no": f"(2026)京0108刑初{int(case.police_no[-4:])}号",
            "court_filed_on": case.court_filed_on or day(on),
            "judgment_on": day(on),
            "judgment_appeal_days": 10,
            "judgment_property": "无涉案财物",
            **changes,
        },
    )


def execution(case: Case, *, effective: str = "2026-03-03", receiver: str = JUSTICE, **changes: Any) -> Case:
    """The papers of execution, to the correction agency unless another receiver is named."""
    first = day(effective)
    persons = tuple(
        replace(
            person,
            execution_from=first,
            execution_to=first + timedelta(days=120),
            execution_report_by=first + timedelta(days=10),
        )
        if person.decision_probation
        else person
        for person in case.persons
    )
    return _sent(
        case,
        "EXECUTION",
        COURT,
        receiver,
        f"{effective}T16:00",
        **{
            "persons": persons,
            "execution_no": f"一法执通〔2026〕{int(case.police_no[-4:])}号",
            "execution_effective_on": first,
            "execution_issued_on": first,
            **changes,
        },
    )


def assessment_request(
    case: Case, *, sender: str = PROCURATORATE, sent: str = "2026-02-06T10:00", **changes: Any
) -> Case:
    """A commission of a community-correction assessment."""
    base = case if sender == POLICE else accepted(case)
    return _sent(
        base,
        "ASSESSMENT_REQUEST",
        sender,
        JUSTICE,
        sent,
        **{
            "persons": tuple(
                replace(
                    person,
                    proposal_penalty="DETENTION",
                    proposal_term=Term(months=2),
                    proposal_probation=Term(months=4),
                )
                for person in case.persons
            ),
            "assessment_no": f"WT-2026-{case.police_no[-4:]}",
            "assessment_requested_at": at(sent),
            "assessment_due_on": at(sent).date() + timedelta(days=7),
            "assessment_reason": "拟建议适用缓刑，需核实居住与监管条件",
            **changes,
        },
    )


def assessment_opinion(request: Case, *, receiver: str, sent: str = "2026-02-12T10:00", **changes: Any) -> Case:
    """The opinion of an assessment, with only what the justice schema has."""
    persons = tuple(
        replace(person, result_code="SUITABLE", result_text="居住稳定，具备社区矫正条件") for person in request.persons
    )
    return _sent(
        request,
        "ASSESSMENT_OPINION",
        JUSTICE,
        receiver,
        sent,
        **{
            "persons": persons,
            "assessment_on": at(sent).date(),
            "assessment_assessor": "测试街道司法所",
            **changes,
        },
    )


def native(case: Case) -> bytes:
    """The record as the sender's own system writes it, with every document bound in."""
    system = parse_agency(case.sender).system
    data, _ = ADAPTERS.adapter(system).write(from_case(bound(case), _NAMES), case.kind, system)
    return data
