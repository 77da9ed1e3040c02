"""A case in which nothing is wrong, to be spoiled one field at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from gateway.core.case.case import (
    Case,
    Charge,
    Document,
    Freeze,
    IdDocument,
    LegalHelp,
    Measure,
    Officer,
    Organisation,
    PartialDate,
    Person,
    Property,
    Recording,
    Term,
    Victim,
)
from gateway.core.case.value import CHINA_TIME
from gateway.core.dossier import Dossier, Point

FILED, INDICTED, ON = date(2026, 6, 2), date(2026, 6, 17), date(2026, 6, 17)
CASE_CODES = ("D01", "D02", "D04", "D15", "D17", "D18", "D19", "D20", "D22", "D23", "D44", "D45", "D46", "D50",
              "D51", "D52", "D53")  # fmt: skip
PERSON_CODES = ("D10", "D12", "D13", "D16", "D30", "D40", "D41", "D42", "D43")
REVIEW = {"review_id": "1", "object": "TRANSFER", "opinion": "AGREE", "reviewed_at": "2026-06-02T18:00:00+08:00"}
DATES = {"D44": INDICTED, "D45": INDICTED, "D41": date(2026, 6, 14), "D43": date(2026, 6, 14), "D04": FILED}


def at(day: int, hour: int = 10) -> datetime:
    """A time in June 2026, in China."""
    return datetime(2026, 6, day, hour, tzinfo=CHINA_TIME)


def make_document(number: int, code: str, person: str | None = None) -> Document:
    """A document of the file with number and day."""
    return Document(
        key=str(number), code=code, title=code, no=f"{code}〔2026〕{number}号", on=DATES.get(code, date(2026, 6, 3)),
        pages=1, sha256="0" * 64, person=person,
    )  # fmt: skip


def make_person(number: int = 1, **changes: Any) -> Person:
    """A defendant of drunk driving who pleads guilty and is on bail."""
    made = Person(
        key=f"R{number}",
        name="x",
        birth=PartialDate(1990, 3, 7),
        birth_basis="ID",
        nation="CHN",
        health_blind=False,
        health_deaf=False,
        health_mute=False,
        health_mental=False,
        plea_guilty=True,
        plea_accepts=True,
        plea_consents=True,
        plea_on=date(2026, 6, 14),
        proposal_penalty="DETENTION",
        proposal_term=Term(months=2),
        proposal_probation=Term(months=4),
        proposal_on=date(2026, 6, 14),
        recognizance_on=date(2026, 6, 14),
        recognizance_lawyer="y",
        decision_penalty="DETENTION",
        decision_term=Term(months=2),
        id_docs=(IdDocument(kind="111", number="999001199003070114"),),
        measures=(Measure(kind="DETAIN", start=at(2), end=at(3)), Measure(kind="BAIL", start=at(3))),
        legals=(LegalHelp(kind="AID", name="y", opinion="同意量刑建议"),),
        charges=(Charge(stage="PS", law="133-1"), Charge(stage="PR", law="133-1")),
    )
    return replace(made, **changes)


def make_case(persons: int = 1, **changes: Any) -> Case:
    """A complete case with a victim who settled, an item of property and a frozen account."""
    owners = [f"R{number}" for number in range(1, persons + 1)]
    codes: list[tuple[str, str | None]] = [(code, None) for code in CASE_CODES]
    codes += [(code, owner) for owner in owners for code in PERSON_CODES]
    made = Case(
        version="1",
        kind="INDICTMENT",
        sender="pr:110108",
        receiver="ct:110108",
        sent_at=at(17, 16),
        message_no="1",
        police_no="A1101080000002026060012",
        name="x",
        category="020790",
        occurred_at=at(1, 23),
        filed_on=FILED,
        procedure="FAST",
        major_impact=False,
        indicted_on=INDICTED,
        judgment_on=date(2026, 6, 25),
        property_total=100,
        freeze_total=200,
        persons=tuple(make_person(number) for number in range(1, persons + 1)),
        victims=(Victim(key="V1", settled=True, settled_on=date(2026, 6, 5)),),
        properties=(Property(name="x", value=100, disposal="TRANSFER"),),
        freezes=(
            Freeze(bank="b", account="1", kind="LIMIT", amount=200, from_=date(2026, 6, 4), to=date(2026, 12, 3)),
        ),
        documents=tuple(make_document(number, *code) for number, code in enumerate(codes, 1)),
        recordings=(Recording(device="1", start=at(2, 11), end=at(2, 12), sha256="1" * 64),),
        officers=(
            Officer(no="1", level="BASIC", valid_to=date(2027, 1, 1), role="LEAD"),
            Officer(no="2", level="MEDIUM", valid_to=date(2027, 1, 1), role="ASSIST"),
        ),
    )
    return replace(made, **changes)


def make_org(**changes: Any) -> Organisation:
    """An organisation that is a defendant."""
    made = Organisation(
        key="O1", name="z", lit_rep="w", proposed_fine=100_000, fine=100_000, charges=(Charge(stage="PR", law="225"),)
    )
    return replace(made, **changes)


def make_dossier(point: Point = Point.INDICTMENT, *, on: date = ON, case: Case | None = None, **more: Any) -> Dossier:
    """The dossier of a case in which nothing is wrong."""
    if point is Point.TRANSFER:
        more = {"reviews": (REVIEW,), **more}
    return Dossier(point=point, on=on, case=case or make_case(), **more)
