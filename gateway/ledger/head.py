"""The heads a batch starts from: read in one round trip, then changed in memory by each act of the batch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from gateway.core.command import Command
from gateway.core.entry import EntryKind, HandoffState
from gateway.core.handoff import CaseHead, HandoffHead
from gateway.core.identity import GATEWAY
from gateway.core.log.key_history import NO_MARKS, KeyMarks, registration_id, revocation_id
from gateway.core.log.merkle import TILE_LEVELS, Frontier
from gateway.core.log.merkle_tile import TileEdge, edge_widths
from gateway.core.procedure.lifecycle import CaseState
from gateway.core.procedure.track import NO_TRACKS, Tracks, from_row
from gateway.core.route import RecordKind
from gateway.ledger.statement import load_statements

_SQL: Final = load_statements("append")
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)

Act = tuple[UUID, str]


@dataclass(slots=True)
class Heads:
    """State of everything that a batch touches.

    Args:
        size: entries in the ledger.
        frontier: right edge of the tree.
        recorded_at: time of the last entry.
        acts: place and content digest of acts that are recorded, by act id and actor.
        keys: handoff that a sender's idempotency key stands for.
        pairs: last number of each direction.
        cases: by pseudonym.
        handoffs: by id.
    """

    size: int = 0
    frontier: Frontier = field(default_factory=Frontier)
    recorded_at: datetime = BEGINNING
    acts: dict[Act, tuple[int, str]] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    cases: dict[str, CaseHead] = field(default_factory=dict)
    handoffs: dict[str, HandoffHead] = field(default_factory=dict)

    def key_of(self, command: Command) -> KeyMarks:
        """Where the ledger speaks of the signer key of a command.

        The two acts have ids made of the key, so they are found like every act that was recorded before.
        """
        if not command.public_key_sha256:
            return NO_MARKS
        registered, revoked = (self.acts.get(act) for act in _key_acts(command))
        return KeyMarks(registered[0] if registered else None, revoked[0] if revoked else None)

    def follow(self, ahead: Heads, commands: Sequence[Command]) -> None:
        """Take over what a batch leaves behind that will be committed before this one.

        Only what the commands name is taken: otherwise each batch would hand on all that its forerunners knew.

        Args:
            ahead: the heads after that batch; what they know goes before what was read here.
            commands: the acts of this batch.
        """
        self.size, self.frontier = ahead.size, Frontier(ahead.size, ahead.frontier.hashes)
        for command in commands:
            _take(self.acts, ahead.acts, (command.act_id, str(command.actor)))
            if command.public_key_sha256:
                for act in _key_acts(command):
                    _take(self.acts, ahead.acts, act)
            _take(self.cases, ahead.cases, command.case)
            if command.handoff is not None:
                _take(self.handoffs, ahead.handoffs, str(command.handoff))
                if (handoff := self.handoffs.get(str(command.handoff))) is not None:
                    _take(self.cases, ahead.cases, handoff.case)
            if command.bundle is not None:
                _take(self.pairs, ahead.pairs, (str(command.sender), str(command.receiver)))
                _take(self.keys, ahead.keys, (str(command.sender), command.bundle.idempotency_key))


def _key_acts(command: Command) -> tuple[Act, Act]:
    """The acts that register and revoke the signer key of a command."""
    return (
        (registration_id(command.signer_key), str(GATEWAY)),
        (revocation_id(command.public_key_sha256), str(GATEWAY)),
    )


def _take(here: dict[Any, Any], ahead: Mapping[Any, Any], key: Any) -> None:
    if key in ahead:
        here[key] = ahead[key]


@lru_cache(maxsize=4096)
def to_state_text(state: CaseState) -> str:
    """Write a case state as the column ``case_state`` has it."""
    return json.dumps(state.to_leaf(), sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _from_state_text(text: str) -> CaseState:
    return CaseState.from_leaf(json.loads(text))


def _to_handoff_head(text: str) -> HandoffHead:
    handoff, kind, sender, receiver, number, case, state, before, submitted, consumer, lease = json.loads(text)
    return HandoffHead(
        handoff=handoff,
        kind=RecordKind(kind),
        sender=sender,
        receiver=receiver,
        pair_number=number,
        case=case,
        state=HandoffState(state),
        case_before=CaseState.from_leaf(before),
        submitted_sequence=submitted,
        consumer=consumer or "",
        lease_until=datetime.fromisoformat(lease).astimezone(UTC) if lease else None,
    )


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * width


async def read_heads(connection: Any, commands: Sequence[Command]) -> Heads:
    """Read what a batch starts from, under the ledger's lock.

    Args:
        connection: asyncpg connection inside the batch's transaction.
        commands: the acts of the batch.

    Returns:
        the heads of everything that the acts name.
    """
    heads = await _read(connection, commands, [c for c in commands if c.kind is not EntryKind.SUBMITTED])
    known = {act_id for act_id, _ in heads.acts}
    again = [c for c in commands if c.kind is EntryKind.SUBMITTED and (c.handoff != c.act_id or c.act_id in known)]
    # The handoff of a new bundle id cannot be there, so it is looked for only where the act id is known already.
    return await _read(connection, commands, commands) if again else heads


async def _read(connection: Any, commands: Sequence[Command], of_handoff: Sequence[Command]) -> Heads:
    handoffs = dict.fromkeys(command.handoff for command in of_handoff if command.handoff is not None)
    cases = dict.fromkeys(command.case for command in commands if command.case)
    pairs: dict[tuple[str, str], None] = {}
    keys: dict[tuple[str, str], None] = {}
    acts = dict.fromkeys(command.act_id for command in commands)
    for command in commands:
        if command.public_key_sha256:
            acts |= dict.fromkeys(act_id for act_id, _ in _key_acts(command))
        if command.bundle is not None:
            pairs[str(command.sender), str(command.receiver)] = None
            keys[str(command.sender), command.bundle.idempotency_key] = None
    pair_list, key_list = list(pairs), list(keys)
    rows = await connection.fetch(
        _SQL["heads"],
        list(handoffs),
        list(cases),
        list(acts),
        *_columns(pair_list, 2),
        *_columns(key_list, 2),
    )
    heads = Heads()
    tracks: dict[str, Tracks] = {}
    for what, position, number, digest, value in rows:
        match what:
            case "state":
                heads.size, heads.frontier = number, Frontier.from_bytes(number, digest)
                heads.recorded_at = datetime.fromisoformat(json.loads(value)).astimezone(UTC)
            case "act":
                act_id, _, actor = value.partition(" ")
                heads.acts[UUID(act_id), actor] = (number, digest.hex())
            case "pair":
                heads.pairs[pair_list[position - 1]] = number
            case "key":
                heads.keys[key_list[position - 1]] = value
            case "case":
                case_id, _, state = value.partition("\n")
                heads.cases[case_id] = CaseHead(number, digest.hex(), _from_state_text(state))
            case "track":
                tracks[value] = from_row(digest)[0] or NO_TRACKS
            case _:
                head = _to_handoff_head(value)
                heads.handoffs[head.handoff] = head
    for case_id, found in tracks.items():
        heads.cases[case_id] = replace(heads.cases[case_id], tracks=found)
    return heads


async def read_edge(connection: Any, size: int) -> TileEdge:
    """Read the hashes that do not fill a tile yet.

    Args:
        connection: asyncpg connection inside the batch's transaction.
        size: number of leaves.

    Returns:
        the edge of the tree of this size.
    """
    if size == 0:
        return TileEdge()
    widths = edge_widths(size)
    stops = [size >> TILE_LEVELS * level for level in range(len(widths))]
    starts = [stop - width for stop, width in zip(stops, widths, strict=True)]
    levels = list(range(len(widths) - 1))
    found: list[list[bytes]] = [[] for _ in widths]
    for level, _, digest in await connection.fetch(_SQL["edge"], starts[0], stops[0], levels, starts[1:], stops[1:]):
        found[level].append(digest)
    return TileEdge(size, found)
