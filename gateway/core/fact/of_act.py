"""Facts that an act on a handoff makes: what is sent, received, returned, accepted.

The receiver's limits run from receipt, and custody of the file moves only then. A limit of the police is not touched by
a handoff that was merely sent: it ends when the procuratorate has accepted.

Source: domain model, sections 0 (5), 1.6, 1.7 and 2.3 (column clock effect).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from gateway.core.entry import EntryKind
from gateway.core.fact.fact import Fact, to_moment_text
from gateway.core.identity import Role
from gateway.core.route import RecordKind


class _Told(NamedTuple):
    """What an act tells of every person of the handoff.

    Args:
        kind: of the fact.
        inputs: beside it.
        of_file: told once of the file, not of each person.
        from_receiver: only when a receiver of this role acts; None for any.
    """

    kind: str
    inputs: Mapping[str, Any] = {}
    of_file: bool = False
    from_receiver: Role | None = None


LATE: Final = timedelta(minutes=5)
"""Clocks differ by so much; what took longer was held up on the way."""
_K, _S, _A = RecordKind, EntryKind.SUBMITTED, EntryKind.ACCEPTED
_SERVED: Final = {"recipient": "PROCURATORATE"}
_POLICE_STEP: Final = {"step": "POLICE_RECONSIDERATION"}
TABLE: Final[Mapping[tuple[RecordKind, EntryKind], tuple[_Told, ...]]] = {
    (_K.TRANSFER, _A): (_Told("prosecution_transferred"), _Told("pr_received")),
    (_K.RETRANSFER, _S): (_Told("transferred_again"),),
    (_K.RETRANSFER, _A): (_Told("pr_received_again"),),
    (_K.RETURN, _S): (_Told("returned_for_investigation"),),
    (_K.RETURN, _A): (_Told("ps_return_received"),),
    (_K.NON_PROSECUTION, _S): (_Told("not_prosecuted"),),
    (_K.NON_PROSECUTION, _A): (_Told("non_prosecution_received", _POLICE_STEP),),
    # The procuratorate's limit ends with the decision to send, the court's begins with the receipt.
    (_K.INDICTMENT, _S): (_Told("indicted"), _Told("supplement_received")),
    (_K.INDICTMENT, EntryKind.FETCHED): (_Told("ct_received"),),
    (_K.INDICTMENT, _A): (_Told("ct_accepted"),),
    (_K.INDICTMENT, EntryKind.SUPPLEMENT_ASKED): (_Told("supplement_asked"),),
    (_K.INDICTMENT, EntryKind.REFUSED): (_Told("ct_returned"),),
    (_K.INDICTMENT, EntryKind.WITHDRAWN): (_Told("ct_returned"),),
    (_K.JUDGMENT, _A): (_Told("judgment_served", _SERVED, from_receiver=Role.PROCURATORATE),),
    (_K.EXECUTION, _A): (
        _Told("execution_received"),
        _Told("correction_notified", from_receiver=Role.JUSTICE),
        _Told("correction_documents_received", from_receiver=Role.JUSTICE),
        _Told("property_notice_received", of_file=True, from_receiver=Role.POLICE),
    ),
    (_K.ASSESSMENT_REQUEST, _A): (_Told("assessment_commission_received"),),
    (_K.ASSESSMENT_OPINION, _S): (_Told("assessment_given"),),
}
"""The first fetch of an indictment is its receipt at the court, whose review runs until it accepts or returns. What is
not here tells nothing that a limit depends on; a supplement that the procuratorate asks for starts none."""
TELLING: Final = frozenset(act for _, act in TABLE) - {EntryKind.SUBMITTED}
"""Acts on a handoff that may tell something."""


def read_act_facts(
    kind: RecordKind,
    act: EntryKind,
    at: datetime,
    *,
    receiver: Role,
    persons: Mapping[str, Mapping[str, Any]],
    signed_at: datetime | None = None,
) -> list[Fact]:
    """Tell what an act on a handoff makes happen.

    Args:
        kind: of the handoff.
        act: what was done to it.
        at: gateway time, aware.
        receiver: role of the agency that receives it.
        persons: key or pseudonym of every person of the handoff, with what is known of the person.
        signed_at: when the sender signed what is submitted, aware; told when the gateway heard of it much later.

    Returns:
        the facts.
    """
    facts: list[Fact] = []
    is_late = act is EntryKind.SUBMITTED and signed_at is not None and at - signed_at > LATE
    sent = {"signed_at": to_moment_text(signed_at)} if is_late and signed_at is not None else {}
    for told in TABLE.get((kind, act), ()):
        if told.from_receiver not in (None, receiver):
            continue
        for person in ("",) if told.of_file else persons:
            about = persons.get(person, {})
            fast = {"fast_track": about["fast_track"]} if told.kind in _ASKS_LANE and "fast_track" in about else {}
            facts.append(Fact(kind=told.kind, at=at, person=person, inputs={**told.inputs, **fast, **sent}))
    return facts


_ASKS_LANE: Final = frozenset({"assessment_commission_received"})


def find_persons(facts: Iterable[Fact]) -> dict[str, dict[str, Any]]:
    """Find the persons of a handoff in what its submit told.

    Args:
        facts: of the entry that submitted it.

    Returns:
        what is known of each person, by key or pseudonym.
    """
    return {fact.person: dict(fact.inputs) for fact in facts if fact.kind == "named"}
