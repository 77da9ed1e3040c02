"""Facts that annexes tell: the times of the case centre, and frozen accounts with what their limits depend on.

A record has dates where the centre has times; only they prove the limits of hours.

Source: domain model, section 3 (case management centre; freezing of funds); K01, K06, K08, K42, K43.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.core.annex import Annex
from gateway.core.fact import Fact
from gateway.core.fact_of_record import to_account_key

CASE_CENTRE: Final = "case-centre-log"
FREEZES: Final = "freeze-list"


def read_annex_facts(annexes: Iterable[Annex]) -> list[Fact]:
    """Read what annexes say has happened.

    Args:
        annexes: that have the form that they name, checked with their record.

    Returns:
        the facts, by person key; frozen accounts have the keys that records give them.
    """
    facts: list[Fact] = []
    for annex in annexes:
        if annex.name == CASE_CENTRE:
            for visit in annex.data.get("visits", ()):
                facts += _visit(visit)
        elif annex.name == FREEZES:
            facts += map(_freeze, annex.data.get("freezes", ()))
    return facts


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


def _freeze(freeze: Mapping[str, Any]) -> Fact:
    inputs: dict[str, Any] = {name: freeze[name] for name in ("asset", "approver") if name in freeze}
    if "kind" in freeze:
        inputs["whole_account"] = freeze["kind"] == "WHOLE"
    key = to_account_key(freeze["bank"], freeze["account"])
    return Fact(kind="frozen", at=datetime.fromisoformat(freeze["start"]), person=key, inputs=inputs)
