"""What an act tells: facts of the record and of the act itself, with pseudonyms, as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.core.command import Command
from gateway.core.entry import EntryKind
from gateway.core.errors import ErrorCode, refuse
from gateway.core.fact.fact import MAX_FACTS, Fact, facts_sha256, to_facts_bytes
from gateway.core.fact.of_act import TELLING, find_persons, read_act_facts
from gateway.core.fact.of_record import read_record_facts
from gateway.core.identity import Agency
from gateway.core.pseudonym import Pseudonyms
from gateway.flows.parts import Parts

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.core.case.case import Case


def with_facts(command: Command, facts: Iterable[Fact]) -> Command:
    """Put facts into a command.

    Args:
        command: of any act.
        facts: with pseudonyms.

    Returns:
        the command.

    Raises:
        GatewayError: RECORD_LIMIT_EXCEEDED.
    """
    told = list(facts)
    if len(told) > MAX_FACTS:
        raise refuse(ErrorCode.RECORD_LIMIT_EXCEEDED, "", f"a record may tell {MAX_FACTS} facts that limits depend on")
    data = to_facts_bytes(told)
    return replace(command, facts=data, facts_sha256=facts_sha256(data)) if data else command


def hide_persons(facts: Iterable[Fact], pseudonyms: Pseudonyms, case_number: str) -> list[Fact]:
    """Put pseudonyms in the place of person keys.

    Args:
        facts: as a record, an annex or a statement tells them.
        pseudonyms: makes them.
        case_number: police case number.

    Returns:
        the facts as an entry may have them.
    """
    names = {"": ""}
    hidden: list[Fact] = []
    for fact in facts:
        if fact.person not in names:
            names[fact.person] = pseudonyms.person(case_number, fact.person)
        hidden.append(replace(fact, person=names[fact.person]))
    return hidden


def tell_submit(
    command: Command,
    case: Case | None,
    pseudonyms: Pseudonyms,
    at: datetime,
    told: Iterable[Fact] = (),
    *,
    signed_at: datetime | None = None,
) -> Command:
    """Add what a submit tells.

    Args:
        command: of the submit.
        case: its record as read; None when nothing could be read, which tells nothing.
        pseudonyms: makes those of the persons.
        at: gateway time, aware.
        told: what annexes tell, by person key.
        signed_at: when the sender signed it, aware.

    Returns:
        the command.

    Raises:
        GatewayError: RECORD_LIMIT_EXCEEDED.
    """
    if case is None or command.handoff_kind is None or command.receiver is None or command.bundle is None:
        return command
    kind = command.handoff_kind
    facts = [*read_record_facts(case, kind, at, result=command.rule_result), *told]
    facts += read_act_facts(
        kind,
        EntryKind.SUBMITTED,
        at,
        receiver=command.receiver.role,
        persons=find_persons(facts),
        signed_at=signed_at,
    )
    return with_facts(command, hide_persons(facts, pseudonyms, command.bundle.case_number))


async def tell_act(parts: Parts, command: Command, caller: Agency) -> Command:
    """Add what an act on a handoff tells of its persons.

    Args:
        parts: the filled ports.
        command: of the act; one that the ledger refuses tells nothing.
        caller: who acts.

    Returns:
        the command.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    if command.kind not in TELLING or command.handoff is None:
        return command
    found = await parts.reader.handoff_facts(command.handoff)
    if found is None or (command.kind is EntryKind.FETCHED and found.is_fetched):
        return command
    persons = find_persons(known.fact for known in found.facts)
    return with_facts(
        command,
        read_act_facts(found.kind, command.kind, parts.clock(), receiver=caller.role, persons=persons),
    )
