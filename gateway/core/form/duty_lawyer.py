"""Checks of duty lawyers: rota, help, presence at a recognizance.

Source: domain model, section 3 (justice cooperation 司法协同); CPL 36, 174; LAL 30; SPP 267-272.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from gateway.core.annex import Annex
from gateway.core.errors import ErrorCode
from gateway.core.form.definition import Check, Faults, Scene
from gateway.core.form.period import find_overlaps, to_day, to_period

NAME: Final = "duty-lawyer"
ROTA: Final = "duty-rota"
_FORMS: Final = (NAME,)


def _find_conflict(annex: Annex, scene: Scene) -> Faults:
    retained = {(row["licence"], row["person"]) for row in annex.data["retained"]}
    for person in scene.case.persons if scene.case else ():
        retained |= {
            (help_.licence, person.key) for help_ in person.legals if help_.kind == "RETAINED" and help_.licence
        }
    clients = defaultdict(set)
    for licence, person_key in retained:
        clients[licence].add(person_key)
    for at, row in enumerate(annex.data["helps"]):
        if clients[row["licence"]] - {row["person"]}:
            yield f"/helps/{at}/licence"


def _find_expired(annex: Annex, _: Scene) -> Faults:
    valid = {row["licence"]: to_day(row["licence_valid_to"]) for row in annex.data["rota"]}
    for at, row in enumerate(annex.data["rota"]):
        if to_day(row["on"]) > to_day(row["licence_valid_to"]):
            yield f"/rota/{at}/licence_valid_to"
    acts = [(f"/helps/{at}", row["licence"], row["at"]) for at, row in enumerate(annex.data.get("helps", ()))]
    acts += [
        (f"/presences/{at}", row["licence"], row["from"]) for at, row in enumerate(annex.data.get("presences", ()))
    ]
    for pointer, licence, moment in acts:
        if licence in valid and to_day(moment) > valid[licence]:
            yield f"{pointer}/licence"


def _find_outside_rota(annex: Annex, _: Scene) -> Faults:
    stations = defaultdict(list)
    slots: Counter[tuple[str, str]] = Counter()
    for at, row in enumerate(annex.data["rota"]):
        slots[row["licence"], row["on"]] += row["slots"]
        if period := to_period(row, "from", "to"):
            stations[row["licence"]].append((*period, at))
    for periods in stations.values():
        yield from (f"/rota/{at}/from" for at in find_overlaps(periods))
    for at, help_ in enumerate(annex.data.get("helps", ())):
        key = (help_["licence"], to_day(help_["at"]).isoformat())
        slots[key] -= 1
        if annex.data["rota"] and slots[key] < 0:
            yield f"/helps/{at}/at"


def _find_absent(annex: Annex, _: Scene) -> Faults:
    for at, row in enumerate(annex.data["presences"]):
        present, signing = to_period(row, "from", "to"), to_period(row, "signing_from", "signing_to")
        if signing is None:
            yield f"/presences/{at}/signing_to"
        elif present is None or signing[0] < present[0] or signing[1] > present[1]:
            yield f"/presences/{at}/from"


def _find_early_reading(annex: Annex, _: Scene) -> Faults:
    for at, row in enumerate(annex.data["helps"]):
        if row["file_access"] and row["stage"] == "INVESTIGATION":
            yield f"/helps/{at}/file_access"


def _find_other_recognizance(annex: Annex, scene: Scene) -> Faults:
    persons = {person.key: person for person in scene.case.persons} if scene.case else {}
    for at, row in enumerate(annex.data["presences"]):
        person = persons.get(row["person"])
        if person is None:
            continue
        if person.recognizance_licence not in (None, row["licence"]):
            yield f"/presences/{at}/licence"
        if person.recognizance_on not in (None, to_day(row["signing_from"])):
            yield f"/presences/{at}/signing_from"


CHECKS: Final = (
    Check(ErrorCode.LAWYER_CONFLICT, _FORMS, _find_conflict),
    Check(ErrorCode.LICENCE_EXPIRED, (NAME, ROTA), _find_expired),
    Check(ErrorCode.HELP_OUTSIDE_ROTA, (NAME, ROTA), _find_outside_rota),
    Check(ErrorCode.PRESENCE_OUTSIDE_SIGNING, _FORMS, _find_absent),
    Check(ErrorCode.FILE_READ_TOO_EARLY, _FORMS, _find_early_reading),
    Check(ErrorCode.RECOGNIZANCE_MISMATCH, _FORMS, _find_other_recognizance),
)
