"""A log of the case centre that agrees with a record."""

from __future__ import annotations

import json

from gateway.core.case.case import Case
from gateway.core.form.book import load_form_book
from gateway.core.form.catalog import load_example
from gateway.core.form.definition import FormKind
from tests.scenario.world import Annex


def case_centre_log(case: Case, *, on: str, interpreter: str = "") -> Annex:
    """The log of one visit of the first person, in which one interrogation was held.

    Args:
        case: whose person it is.
        on: day of the visit.
        interpreter: who interpreted; "" when the log names nobody.
    """
    book = load_form_book()
    example = load_example(book.find(FormKind.ANNEX, "case-centre-log", 1)).decode().replace("2024-06-02", on)
    log = json.loads(example)
    (visit,) = log["visits"]
    (session,) = visit["interrogations"]
    officers = [officer.no for officer in case.officers][:2]
    visit |= {"person": case.persons[0].key, "escorts": officers}
    visit["body_check"]["officers"] = officers
    for name in ("detained_at", "delivered_at", "detention_centre"):
        del visit[name]
    session |= {"officers": officers, "recording_ids": [], **({"interpreter": interpreter} if interpreter else {})}
    del session["transcript"]
    visit["exit_to"] = "RELEASED"
    return Annex("application/vnd.fasttrack.case-centre-log.v1+json", json.dumps(log, ensure_ascii=False).encode())
