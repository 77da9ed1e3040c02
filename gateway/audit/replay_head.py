"""Heads of the cases and handoffs that a replay goes through, and the act that an entry records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from gateway.core.command import Command
from gateway.core.entry import Entry, EntryKind, HandoffState
from gateway.core.handoff import HandoffHead
from gateway.core.identity import parse_actor, parse_agency
from gateway.core.procedure.lifecycle import CaseState
from gateway.core.procedure.track import NO_TRACKS, Tracks, from_row
from gateway.core.route import RecordKind
from gateway.core.strict_json import parse_object

INITIAL_TEXT: Final = '{"assessment":"none","holder":"","moved_at":0,"returns":0,"stage":"P4"}'
_PASSED_ON: Final = tuple(
    name
    for name in Command.__slots__
    if name in Entry.__slots__
    and name not in ("kind", "actor", "act_id", "handoff", "handoff_kind", "sender", "receiver")
)


@lru_cache(maxsize=65_536)
def parse_instant(text: str) -> datetime | None:
    """Read the time of a leaf; None for what is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(maxsize=65_536)
def parse_state(text: str) -> CaseState:
    """Read the state of a case as a leaf has it, in canonical JSON.

    Raises:
        ValueError, KeyError, TypeError, GatewayError: another form.
    """
    return CaseState.from_leaf(parse_object(text.encode(), max_bytes=4096, max_depth=2))


@dataclass(slots=True)
class SeenHandoff:
    """Head of a handoff, as the columns have it."""

    kind: str
    sender: str
    receiver: str
    pair_number: int
    case: str
    state: str
    before: str
    submitted: int
    consumer: str = ""
    lease: datetime | None = None


@dataclass(slots=True)
class SeenCase:
    """Head of a case."""

    sequence: int = 0
    leaf_hash: str = ""
    state: str = INITIAL_TEXT
    tracks: Tracks = NO_TRACKS


NO_CASE: Final = SeenCase()


def to_head(handoff_id: str, handoff: SeenHandoff | None) -> HandoffHead | None:
    """The head as the rules take it; None stays None."""
    if handoff is None:
        return None
    return HandoffHead(
        handoff=handoff_id,
        kind=RecordKind(handoff.kind),
        sender=handoff.sender,
        receiver=handoff.receiver,
        pair_number=handoff.pair_number,
        case=handoff.case,
        state=HandoffState(handoff.state),
        case_before=parse_state(handoff.before),
        submitted_sequence=handoff.submitted,
        consumer=handoff.consumer,
        lease_until=handoff.lease,
    )


def head_from_entry(entry: Entry, case: SeenCase) -> SeenHandoff:
    """A head for a handoff whose beginning is wrong or missing, so that what follows is still judged."""
    return SeenHandoff(
        entry.handoff_kind, entry.sender, entry.receiver, entry.pair_number, entry.case,
        entry.handoff_state or "", case.state, entry.case_sequence, entry.consumer, entry.lease_until,
    )  # fmt: skip


def to_command(entry: Entry, track: bytes) -> Command:
    """The act that an entry records, as its caller asked for it."""
    values: dict[str, Any] = {name: getattr(entry, name) for name in _PASSED_ON}
    if entry.kind is EntryKind.SUBMITTED:
        values |= {
            "handoff_kind": RecordKind(entry.handoff_kind),
            "sender": parse_agency(entry.sender),
            "receiver": parse_agency(entry.receiver),
        }
    if track and entry.kind in (EntryKind.SUBMITTED, EntryKind.STATED):
        values["cause"] = from_row(track)[1]
    if entry.kind is EntryKind.CLAIMED and entry.lease_until is not None:
        values["lease"] = entry.lease_until - entry.recorded_at
    kind = EntryKind.FETCHED if entry.kind is EntryKind.VIEWED else entry.kind
    handoff = UUID(entry.handoff) if entry.handoff else None
    return Command(kind=kind, actor=parse_actor(entry.actor), act_id=UUID(entry.act_id), handoff=handoff, **values)
