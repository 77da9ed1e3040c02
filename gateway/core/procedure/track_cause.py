"""What a record or a statement brings for the tracks of its persons: words and pseudonyms, nothing else.

The ledger keeps it beside the entry, so that every case can be decided again without any record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from gateway.core.case.case import Case, Person
from gateway.core.fact.fact import Fact
from gateway.core.fact.handed_on import HANDED_ON, tell_handed_on
from gateway.core.fact.of_record import to_account_key
from gateway.core.form.period import CHINA
from gateway.core.procedure.act_table import load_acts
from gateway.core.procedure.service import DEFENDANT, PROCURATORATE
from gateway.core.procedure.track import Tracks
from gateway.core.procedure.track_step import FAST, ORDINARY
from gateway.core.route import RecordKind
from gateway.core.statement import Statement

Pseudonym = Callable[[str], str]
"""From the key of a person to the pseudonym in this case."""

_CUSTODY: Final = {
    "SUMMON": "summoned", "DETAIN": "detained", "ARREST": "arrested", "BAIL": "bail", "RS": "RS", "NONE": "free",
}  # fmt: skip
_UNSUITABLE, _CONTROL = "UNSUITABLE", "CONTROL"
_PROPOSED_FAST, _INELIGIBLE = "FAST", "INELIGIBLE"
_REVIEWS: Final = frozenset({RecordKind.TRANSFER, RecordKind.RETRANSFER})
_WORDS: Final = (
    "ground", "to_agency", "until", "effective_on", "expected_months", "recipient", "clock", "extension", "length",
)  # fmt: skip
VICTIM_SERVED: Final = "victim_served"
_OF_LIMIT: Final = ("clock", "extension", "length")


def read_record_cause(case: Case, kind: RecordKind, *, result: str, pseudonym: Pseudonym) -> dict[str, Any]:
    """Read what a record says of the persons that it names.

    Args:
        case: the record as read.
        kind: of the handoff that carries it.
        result: what the rules said of it; what is INELIGIBLE does not go to the fast lane, whoever proposes it.
        pseudonym: of a person.

    Returns:
        ``persons`` and, for a transfer, ``lane``; "" when the record proposes no procedure.
    """
    cause: dict[str, Any] = {"persons": {pseudonym(person.key): _said(person, kind) for person in case.persons}}
    if kind in _REVIEWS and case.procedure is not None:
        is_fast = case.procedure == _PROPOSED_FAST and result != _INELIGIBLE
        cause["lane"] = FAST if is_fast else ORDINARY
    return cause


def _said(person: Person, kind: RecordKind) -> dict[str, Any]:
    said: dict[str, Any] = {}
    # A measure that has ended, with none after it, leaves open what came then: nobody is free because a field is empty.
    if person.measures and person.measures[-1].end is None and isinstance(person.measures[-1].kind, str):
        custody = _CUSTODY.get(person.measures[-1].kind)
        if custody is not None:
            said["custody"] = custody
    if kind is RecordKind.NON_PROSECUTION and (person.nonpros_ground is not None or person.nonpros_no is not None):
        said["nonprosecuted"] = True
    if kind is RecordKind.ASSESSMENT_OPINION and person.result_code == _UNSUITABLE:
        said["adverse"] = True
    if kind is RecordKind.JUDGMENT and (person.decision_probation is not None or person.decision_penalty == _CONTROL):
        said["correction"] = True
    return said


def read_act_cause(
    statement: Statement,
    *,
    pseudonym: Pseudonym,
    other: str = "",
    there: Pseudonym | None = None,
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Read what a procedural act brings.

    Args:
        statement: whose body was found right.
        pseudonym: of a person.
        other: pseudonym of the other case that it names; "" for none.
        there: of a person in that case.
        given: what that case hands on to this one.

    Returns:
        the cause as ``act_step.do_act`` takes it.
    """
    body = statement.body
    keys = list(dict.fromkeys(body.get("persons", ())))
    cause: dict[str, Any] = {"act": body["act"], "on": statement.occurred_at.astimezone(CHINA).date().isoformat()}
    cause |= {name: body[name] for name in _WORDS if name in body}
    if keys:
        cause["persons"] = [pseudonym(key) for key in keys]
    if "victims" in body:
        cause["victims"] = [pseudonym(key) for key in body["victims"]]
    if "account" in body:
        cause["account"] = pseudonym(to_account_key(body["account"]["bank"], body["account"]["account"]))
    if other:
        cause["other"] = other
        if there is not None and keys:
            cause["there"] = [there(key) for key in keys]
    if given is not None:
        cause["given"] = dict(given)
    return cause


_OF_EVERYBODY: Final = frozenset({"left_lane", "converted", "judgment_effective", "appealed", "execution_received"})
"""Facts of acts of the file whose clocks belong to persons, so that each is told it."""
_BESIDE: Final[Mapping[str, Mapping[str, Any]]] = {
    "bailed": {"measure": "BAIL"},
    "surveillance_ordered": {"measure": "RS"},
    "converted_summary": {"procedure": "SUMMARY"},
    "converted_ordinary": {"procedure": "ORDINARY"},
    "remanded": {"procedure": "ORDINARY"},
    "judgment_served": {"recipient": DEFENDANT},
    "appealed": {"recipient": DEFENDANT},
    "protested": {"recipient": PROCURATORATE},
    "identity_not_known": {"identity": "UNKNOWN"},
    "identity_established": {"identity": "KNOWN"},
    "nonprosecution_served_on_victim": {"step": "VICTIM"},
    "nonprosecution_served_on_person": {"step": "NON_PROSECUTED"},
    "victim_petitioned": {"step": "VICTIM"},
    "nonprosecuted_petitioned": {"step": "NON_PROSECUTED"},
    "reconsideration_asked": {"step": "POLICE_RECONSIDERATION"},
    "reconsidered": {"step": "PR_RECONSIDERATION"},
    "review_asked": {"step": "POLICE_REVIEW"},
    "reviewed": {"step": "UPPER_PR_REVIEW"},
    "protest_asked": {"step": "VICTIM_REQUEST"},
    "protest_answered": {"step": "PROTEST_ANSWER"},
}


def read_act_facts(statement: Statement, cause: Mapping[str, Any], tracks: Tracks) -> list[Fact]:
    """Tell the clocks what a procedural act makes happen.

    Args:
        statement: the act.
        cause: of ``read_act_cause``.
        tracks: persons of the case.

    Returns:
        the facts, by pseudonym; none for an act without a limit.
    """
    row = load_acts()[cause["act"]]
    if not row.fact:
        return []
    if row.fact == HANDED_ON:
        return tell_handed_on(statement.occurred_at, cause["persons"], cause["other"], cause["there"])
    at: date | datetime = statement.occurred_at
    if "effective_on" in cause:
        at = date.fromisoformat(cause["effective_on"])
    inputs = dict(_BESIDE.get(row.id, {})) | {name: cause[name] for name in ("recipient",) if name in cause}
    if "expected_months" in cause:
        inputs["expected_months"] = cause["expected_months"]
    inputs |= {name: cause[name] for name in _OF_LIMIT if name in cause}
    if "account" in cause:
        return [Fact(kind=row.fact, at=at, person=cause["account"], inputs=inputs)]
    served = [Fact(kind=VICTIM_SERVED, at=at, person=victim) for victim in cause.get("victims", ())]
    persons = cause.get("persons") or (list(tracks.with_file()) if row.fact in _OF_EVERYBODY else [""])
    return [*(Fact(kind=row.fact, at=at, person=person, inputs=inputs) for person in persons), *served]
