"""Checks of every form: periods, and the persons, officers, documents and cases that its schema says are referred to.

A schema marks what its fields mean by keywords: ``x-fasttrack-period`` names the start and end of an object,
``x-fasttrack-refers`` says what a text refers to, ``x-fasttrack-acted-at`` names the field beside a list of officers
that says when they acted.

Source: domain model, section 3 (persons and officers named exist; officers of valid basic level on the day of the act).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.catalog import published_forms
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.field import resolve
from gateway.core.form.period import to_day, to_instant
from gateway.core.form.register import is_qualified

_ITEM: Final = "*"
_Steps = tuple[str, ...]

ALL_FORMS: Final = tuple(sorted({form.key.name for form in published_forms()}))


def _find_places(
    schema: Any, keyword: str, definitions: Mapping[str, Any], steps: _Steps = ()
) -> Iterator[tuple[_Steps, Any]]:
    schema = resolve(schema, definitions)
    if keyword in schema:
        yield steps, schema[keyword]
    for name, inner in schema.get("properties", {}).items():
        yield from _find_places(inner, keyword, definitions, (*steps, name))
    if "items" in schema:
        yield from _find_places(schema["items"], keyword, definitions, (*steps, _ITEM))


def names_officers(schema: Mapping[str, Any]) -> bool:
    """Whether data of a schema may name officers, so that a register has something to say about it."""
    places = _find_places(schema, "x-fasttrack-refers", schema.get("$defs", {}))
    return any(mark == "officer" for _, mark in places)


@cache
def _places(name: str, version: int, keyword: str) -> tuple[tuple[_Steps, Any], ...]:
    found: list[tuple[_Steps, Any]] = []
    for form in published_forms():
        if (form.key.name, form.key.version) == (name, version):
            places = _find_places(form.schema, keyword, form.schema.get("$defs", {}))
            # An annex and a statement may share a name, and then their fields; a fault is told once.
            found += [place for place in places if place not in found]
    return tuple(found)


def _walk(value: Any, steps: _Steps, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if not steps:
        yield pointer, value
    elif steps[0] == _ITEM:
        for at, item in enumerate(value):
            yield from _walk(item, steps[1:], f"{pointer}/{at}")
    elif steps[0] in value:
        yield from _walk(value[steps[0]], steps[1:], f"{pointer}/{steps[0]}")


def _find_marked(annex: Annex, keyword: str) -> Iterator[tuple[str, Any, Any]]:
    for steps, mark in _places(annex.name, annex.version, keyword):
        for pointer, value in _walk(annex.data, steps):
            yield pointer, value, mark


def _find_inverted(annex: Annex, _: Scene) -> Faults:
    for pointer, value, (start, end) in _find_marked(annex, "x-fasttrack-period"):
        if start in value and end in value and _to_order(value[end]) < _to_order(value[start]):
            yield f"{pointer}/{end}"


def _to_order(text: str) -> Any:
    return to_day(text) if len(text) == 10 else to_instant(text)


def _find_persons(annex: Annex, scene: Scene) -> Faults:
    if scene.case is not None:
        for pointer, value, mark in _find_marked(annex, "x-fasttrack-refers"):
            if mark == "person" and value not in scene.person_keys:
                yield pointer


def _find_documents(annex: Annex, scene: Scene) -> Faults:
    if scene.case is not None:
        for pointer, value, mark in _find_marked(annex, "x-fasttrack-refers"):
            if mark == "document" and value not in scene.document_keys:
                yield pointer


def _find_officers(annex: Annex, scene: Scene) -> Faults:
    if scene.officer_numbers:
        for pointer, value, mark in _find_marked(annex, "x-fasttrack-refers"):
            if mark == "officer" and value not in scene.officer_numbers:
                yield pointer


def _find_other_case(annex: Annex, scene: Scene) -> Faults:
    if scene.case is not None:
        for pointer, value, mark in _find_marked(annex, "x-fasttrack-refers"):
            if mark == "case" and value != scene.case.police_no:
                yield pointer


def _find_unqualified(annex: Annex, scene: Scene) -> Faults:
    if not scene.register:
        return
    for steps, beside in _places(annex.name, annex.version, "x-fasttrack-acted-at"):
        for pointer, holder in _walk(annex.data, steps[:-1]):
            if beside not in holder or steps[-1] not in holder:
                continue
            day, acted = to_day(holder[beside]), holder[steps[-1]]
            for at, number in enumerate(acted if isinstance(acted, list) else [acted]):
                if not is_qualified(scene.register.get(number), day):
                    yield f"{pointer}/{steps[-1]}" + (f"/{at}" if isinstance(acted, list) else "")


CHECKS: Final = (
    Check(ErrorCode.PERIOD_INVERTED, ALL_FORMS, _find_inverted),
    Check(ErrorCode.PERSON_NOT_IN_RECORD, ALL_FORMS, _find_persons),
    Check(ErrorCode.DOCUMENT_NOT_IN_RECORD, ALL_FORMS, _find_documents),
    Check(ErrorCode.OFFICER_NOT_KNOWN, ALL_FORMS, _find_officers),
    Check(ErrorCode.CASE_NUMBER_OTHER, ALL_FORMS, _find_other_case),
    Check(ErrorCode.OFFICER_NOT_QUALIFIED, ALL_FORMS, _find_unqualified),
)
