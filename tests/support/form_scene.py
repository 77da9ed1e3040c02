"""The examples of all forms as one bundle, and a record that agrees; a test changes the one thing it is about."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.case.case import Case, Document, Freeze, Measure, Officer, Person, Recording
from gateway.core.form.book import FormBook, load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import FormKind, MaterialDigest, Scene

DELETE: Final = object()
"""As the value of a change: the field is taken away."""

CASE_NUMBER: Final = "A1101080000002024060012"
PERSON: Final = "R1101080000002024060121"
OTHER_PERSON: Final = "R1101080000002024060122"
ON: Final = date(2024, 9, 20)
MATERIALS: Final = {
    "m2": MaterialDigest("a2" * 32, "b2" * 32, 500_000_000),
    "m7": MaterialDigest("a7" * 32, "b7" * 32, 300_000_000),
}


@cache
def book() -> FormBook:
    """The published forms with default settings."""
    return load_form_book()


def at(text: str) -> datetime:
    """An instant of June 2024 in China, from "02T09:00:00"."""
    return datetime.fromisoformat(f"2024-06-{text}+08:00")


def agreeing_case() -> Case:
    """A record with which the examples agree."""
    return Case(
        version="3.2",
        kind="TRANSFER",
        sender="ps:110108",
        receiver="pr:110108",
        sent_at=at("10T16:30:00"),
        message_no="PS-TEST-01",
        police_no=CASE_NUMBER,
        name="测试人甲危险驾驶案",
        accepted_on=date(2024, 6, 2),
        filed_on=date(2024, 6, 2),
        transferred_at=at("10T16:00:00"),
        judgment_on=date(2024, 6, 20),
        property_total=100_000,
        freeze_total=500_000,
        freezes=tuple(
            Freeze(
                bank="测试银行",
                account=account,
                amount=amount,
                from_=date(2024, 6, 3),
                to=date(2024, 12, 2),
            )
            for account, amount in (("6222020000000001", 300_000), ("6222020000000002", 200_000))
        ),
        persons=(
            Person(
                key=PERSON,
                name="测试人甲",
                residence_division="110108",
                recognizance_on=date(2024, 6, 14),
                recognizance_licence="11101200010000001",
                measures=(Measure(kind="DETAIN", start=at("02T16:00:00")),),
            ),
            Person(key=OTHER_PERSON, name="测试人乙"),
        ),
        documents=(
            Document(key="1", code="D01", title="受案登记表", pages=1, sha256="c1" * 32),
            Document(key="2", code="D13", title="讯问笔录", pages=3, sha256="c2" * 32),
            Document(key="3", code="D17", title="扣押清单", pages=1, sha256="c3" * 32),
        ),
        recordings=(Recording(device="BAZX-R03", start=at("02T10:58:00"), end=at("02T12:05:00"), sha256="a2" * 32),),
        officers=tuple(Officer(no=f"11000{number}") for number in range(1, 6)),
    )


def register() -> dict[str, Mapping[str, Any]]:
    """A register in which every officer of the examples is qualified."""
    row = {"level": "MEDIUM", "obtained_on": "2022-01-01", "valid_to": "2026-12-31", "status": "VALID"}
    return {f"11000{number}": {"officer_no": f"11000{number}", **row} for number in range(1, 6)}


def changed_example(kind: FormKind, name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An example with some fields changed.

    Args:
        kind: annex or statement.
        name: of the form.
        changes: JSON Pointer to value; ``DELETE`` takes a field away, "/-" at the end appends to a list.
    """
    form = next(form for form in book().forms.values() if form.key[:2] == (kind, name))
    data: dict[str, Any] = json.loads(load_example(form))
    for pointer, value in (changes or {}).items():
        *steps, last = pointer.split("/")[1:]
        place: Any = data
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            if last == "-":
                place.append(copy.deepcopy(value))
            elif value is DELETE:
                del place[int(last)]
            else:
                place[int(last)] = value
        elif value is DELETE:
            del place[last]
        else:
            place[last] = value
    return data


def to_annex(kind: FormKind, name: str, changes: Mapping[str, Any] | None = None, path: str = "") -> Annex:
    """An annex as the book reads it; a change that its schema refuses is a fault of the test."""
    data = changed_example(kind, name, changes)
    form = next(form for form in book().forms.values() if form.key[:2] == (kind, name))
    annex, findings = book().parse(form, data, path)
    assert annex is not None, findings
    return annex


def bundle_annexes(
    changes: Mapping[str, Mapping[str, Any]] | None = None, *, without: tuple[str, ...] = ()
) -> list[Annex]:
    """Every annex of the examples, at ``/materials/<name>``.

    Args:
        changes: by name of the form.
        without: forms that are left out.
    """
    names = [key.name for key in book().forms if key.kind is FormKind.ANNEX and key.name not in without]
    return [to_annex(FormKind.ANNEX, name, (changes or {}).get(name), f"/materials/{name}") for name in names]


def to_scene(annexes: list[Annex], **fields: Any) -> Scene:
    """A scene on a day when every rule is in force."""
    return Scene(**{"on": ON, "settings": book().rules.settings, "annexes": tuple(annexes), **fields})
