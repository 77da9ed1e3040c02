"""Facts that annexes tell: the times of the case centre, of the reception, of reviews and assessments, and frozen
accounts with what their limits depend on.

A record has dates where the centre has times; only they prove the limits of hours.

Source: domain model, section 3 (case management centre; reception; first-contact responsibility; legal review;
assessments; freezing of funds); K01 to K03, K05, K06, K08, K41 to K43, K46.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.fact.fact import Fact
from gateway.core.fact.of_record import to_account_key
from gateway.core.fact.of_statement import LEGAL_REVIEW, read_legal_review, read_owner_change

CASE_CENTRE: Final = "case-centre-log"
FREEZES: Final = "freeze-list"


def read_annex_facts(annexes: Iterable[Annex]) -> list[Fact]:
    """Read what annexes say has happened.

    Args:
        annexes: that have the form that they name, checked with their record.

    Returns:
        the facts, by person key; frozen accounts have the keys that records give them.
    """
    return [fact for annex in annexes if annex.name in _READERS for fact in _READERS[annex.name](annex.data)]


def _case_centre(data: Mapping[str, Any]) -> Iterator[Fact]:
    for visit in data.get("visits", ()):
        yield from _visit(visit)


def _freezes(data: Mapping[str, Any]) -> Iterator[Fact]:
    for freeze in data.get("freezes", ()):
        yield from _freeze(freeze)


def _reception(data: Mapping[str, Any]) -> Iterator[Fact]:
    if "emergency" in data:
        yield _at("emergency_handled", data["emergency"]["handling_ended_at"])
    yield _at("report_registered", data["registered_at"])
    if "accepted_on" in data:
        yield Fact(kind="report_accepted", at=date.fromisoformat(data["accepted_on"]))


def _owner_chain(data: Mapping[str, Any]) -> Iterator[Fact]:
    for change in data["changes"]:
        yield from read_owner_change(change)


def _assessment(data: Mapping[str, Any]) -> Iterator[Fact]:
    inputs = {"fast_track": data["fast_track"]}
    if "received_at" in data:
        yield _at("assessment_commission_received", data["received_at"], data["person"], **inputs)
    if "completed_at" in data:
        yield _at("assessment_given", data["completed_at"], data["person"])


def _at(kind: str, text: str, person: str = "", **inputs: Any) -> Fact:
    return Fact(kind=kind, at=datetime.fromisoformat(text), person=person, inputs=inputs)


def _visit(visit: Mapping[str, Any]) -> Iterator[Fact]:
    person = visit["person"]

    def tell(kind: str, text: str, **inputs: Any) -> Fact:
        return Fact(kind=kind, at=datetime.fromisoformat(text), person=person, inputs=inputs)

    summons = visit.get("summons") or {}
    if "arrived_at" in summons:
        yield tell("summons_arrived", summons["arrived_at"])
        if summons.get("extended"):
            yield tell("extended", summons["arrived_at"], clock="K01", extension="complex")
        if "ended_at" in summons:
            yield tell("summons_ended", summons["ended_at"])
    if "detained_at" in visit:
        yield tell("detained", visit["detained_at"])
    if "delivered_at" in visit:
        yield tell("detention_centre_received", visit["delivered_at"])
    for session in visit.get("interrogations", ()):
        if "start" in session:
            yield tell("interrogation_begun", session["start"])


def _freeze(freeze: Mapping[str, Any]) -> Iterator[Fact]:
    inputs: dict[str, Any] = {name: freeze[name] for name in ("asset", "approver") if name in freeze}
    if "kind" in freeze:
        inputs["whole_account"] = freeze["kind"] == "WHOLE"
    if "expiry" in freeze:
        inputs["until"] = freeze["expiry"]
    key = to_account_key(freeze["bank"], freeze["account"])
    yield _at("frozen", freeze["start"], key, **inputs)
    if freeze.get("verification_continued"):
        # The list does not say when; it counts from when the ledger hears of it.
        yield _at("extended", freeze["start"], key, clock="K43", extension="continued")
    for name, kind in _OF_FREEZE.items():
        if name in freeze:
            yield _at(kind, freeze[name], key)


_OF_FREEZE: Final = {
    "verified_at": "freeze_verified",
    "unrelated_found_at": "unrelated_found",
    "unrelated_lifted_at": "unrelated_lifted",
    "lifted_at": "freeze_lifted",
}
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterable[Fact]]]] = {
    CASE_CENTRE: _case_centre,
    FREEZES: _freezes,
    "reception": _reception,
    "owner-chain": _owner_chain,
    "assessment-routing": _assessment,
    LEGAL_REVIEW: read_legal_review,
}
"""By the name of the form. Help of duty lawyers names no request and no notice, and a transfer of custody (换押) has no
limit of its own: neither tells a clock anything."""
