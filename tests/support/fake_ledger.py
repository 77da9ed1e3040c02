"""A ledger in memory: the real decision of the core, without database, batches and tree."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from gateway.core.command import Command
from gateway.core.entry import Entry, EntryKind, HandoffState, from_leaf, leaf_hash, to_leaf
from gateway.core.errors import ErrorCode, refuse
from gateway.core.fact.fact import KnownFact, from_facts_bytes
from gateway.core.fact.handed_on import find_linked, to_known, with_linked
from gateway.core.handoff import CaseHead, HandoffHead, Place, decide_act
from gateway.core.identity import Agency
from gateway.core.port.ledger import (
    Appended,
    EntryFilter,
    HandoffFacts,
    InboxRow,
    NumberedRow,
    StoredEntry,
    StoredHandoff,
    StoredProgress,
    StoredStatement,
    TreeHead,
)
from gateway.core.procedure.lifecycle import Stage
from gateway.core.procedure.track import Tracks


@dataclass(slots=True)
class FakeClock:
    """A clock that moves when it is told to."""

    at: datetime = datetime(2026, 3, 2, 1, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time now."""
        return self.at

    def advance(self, **period: float) -> None:
        """Move on; arguments are those of ``timedelta``."""
        self.at += timedelta(**period)


@dataclass(slots=True)
class FakeLedger:
    """Implements ``LedgerWriter`` and ``LedgerReader``.

    Args:
        clock: gives the time of entries.
        entries: all of them.
        commands: the command that made each.
        heads: last head of each handoff.
        cases: last head of each case.
        failure: raised by the next append, once.
        told: what parties may be told, by the digest of the enquiry token.
    """

    clock: FakeClock
    entries: list[Appended] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    heads: dict[UUID, HandoffHead] = field(default_factory=dict)
    cases: dict[str, CaseHead] = field(default_factory=dict)
    failure: Exception | None = None
    told: dict[bytes, StoredProgress] = field(default_factory=dict)

    def entry(self, index: int = -1) -> Entry:
        """An entry as its leaf has it."""
        return from_leaf(self.entries[index].leaf)

    async def append(self, command: Command) -> Appended:
        """Append one act at once."""
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        for done, appended in zip(self.commands, self.entries, strict=True):
            if (done.act_id, done.actor) == (command.act_id, command.actor):
                if done.content_sha256 != command.content_sha256:
                    raise refuse(ErrorCode.ACT_ID_REUSED, "act_id")
                return Appended(
                    appended.index, appended.leaf, appended.leaf_hash, appended.recorded_at, appended.receipt_jws, True
                )
        head = self.heads.get(command.handoff) if command.handoff else None
        case_id = head.case if head is not None else command.case
        pair = (str(command.sender), str(command.receiver))
        decided = decide_act(
            command,
            Place(index=len(self.entries), origin="test.example/log", at=self.clock(), salt=secrets.token_bytes(32)),
            case=self.cases.get(case_id, CaseHead()),
            handoff=head,
            last_pair_number=sum((h.sender, h.receiver) == pair for h in self.heads.values()),
        )
        leaf = to_leaf(decided.entry)
        appended = Appended(len(self.entries), leaf, leaf_hash(leaf), self.clock(), f"receipt-{len(self.entries)}")
        self.entries.append(appended)
        self.commands.append(command)
        if decided.entry.case and decided.entry.case_state is not None:
            before = self.cases.get(decided.entry.case, CaseHead()).tracks
            self.cases[decided.entry.case] = CaseHead(
                decided.entry.case_sequence,
                appended.leaf_hash.hex(),
                decided.entry.case_state,
                before if decided.tracks is None else decided.tracks,
            )
        if decided.handoff is not None and command.handoff is not None:
            self.heads[command.handoff] = decided.handoff
        return appended

    def _row(self, handoff: UUID) -> tuple[InboxRow, Command]:
        index = next(i for i, c in enumerate(self.commands) if c.kind is EntryKind.SUBMITTED and c.handoff == handoff)
        command, head = self.commands[index], self.heads[handoff]
        assert command.bundle is not None
        row = InboxRow(
            handoff, head.kind.value, head.sender, head.receiver, command.bundle.case_number, head.pair_number,
            head.state, index, self.entries[index].recorded_at, command.bundle_sha256, head.lease_until,
        )  # fmt: skip
        return row, command

    async def inbox(
        self, receiver: Agency, states: Sequence[HandoffState], *, after_index: int, limit: int
    ) -> list[InboxRow]:
        """Handoffs to a receiver."""
        rows = [self._row(handoff)[0] for handoff in self.heads]
        found = [r for r in rows if r.receiver == str(receiver) and r.index > after_index and r.state in states]
        return sorted(found, key=lambda row: row.index)[:limit]

    async def handoff(self, handoff: UUID) -> StoredHandoff | None:
        """One handoff."""
        if handoff not in self.heads:
            return None
        row, command = self._row(handoff)
        assert command.bundle is not None
        if self._is_destroyed(command.case):
            return StoredHandoff(replace(row, case_number=""), "", b"", (), is_destroyed=True)
        acts = [
            (done, appended)
            for done, appended in zip(self.commands, self.entries, strict=True)
            if done.handoff == handoff and done.kind is not EntryKind.CALL_REFUSED
        ]
        details = [done for done, _ in acts if done.detail]
        return StoredHandoff(
            row,
            command.bundle.manifest_jws,
            command.bundle.record,
            tuple(appended for _, appended in acts),
            details[-1].detail if details else b"",
            details[-1].kind if details else None,
        )

    def _is_destroyed(self, case: str) -> bool:
        return self.cases.get(case, CaseHead()).state.stage is Stage.DESTROYED

    def _stated(self) -> list[StoredStatement]:
        return [
            StoredStatement(
                done.act_id, str(done.actor), done.statement_type, done.case,
                "" if self._is_destroyed(done.case) else done.statement.case_number,
                "" if self._is_destroyed(done.case) else done.statement.statement_jws, appended,
                is_destroyed=self._is_destroyed(done.case),
            )
            for done, appended in zip(self.commands, self.entries, strict=True)
            if done.statement is not None
        ]  # fmt: skip

    async def statements_of_id(self, statement_id: UUID) -> list[StoredStatement]:
        """Statements of an id."""
        return [row for row in self._stated() if row.statement_id == statement_id]

    async def statements(
        self, *, case: str, issuer: str, type_name: str, after_index: int, limit: int
    ) -> list[StoredStatement]:
        """Statements of a case, an issuer, or both."""
        rows = [row for row in self._stated() if case in ("", row.case) and issuer in ("", row.issuer)]
        return [r for r in rows if type_name in ("", r.type) and r.appended.index > after_index][:limit]

    async def progress(self, token: bytes) -> StoredProgress | None:
        """What may be told for a digest."""
        return self.told.get(token)

    async def is_party(self, case: str, agency: Agency) -> bool:
        """Whether an agency is party to a handoff of a case or holds its file."""
        parties = {a for head in self.heads.values() if head.case == case for a in (head.sender, head.receiver)}
        return str(agency) in parties | {self.cases.get(case, CaseHead()).state.holder}

    async def is_case_open(self, case: str) -> bool:
        """Whether a handoff of a case was submitted."""
        return any(head.case == case for head in self.heads.values())

    async def tracks(self, case: str) -> Tracks:
        """Persons of a case."""
        return self.cases.get(case, CaseHead()).tracks

    async def pair(
        self, sender: Agency, receiver: Agency, *, after_number: int, limit: int
    ) -> tuple[list[NumberedRow], int]:
        """Numbers of a direction."""
        rows = [
            self._row(handoff)[0]
            for handoff, head in self.heads.items()
            if (head.sender, head.receiver) == (str(sender), str(receiver))
        ]
        numbered = [
            NumberedRow(r.pair_number, r.handoff, r.bundle_sha256, r.index, self.entries[r.index].leaf_hash, r.state)
            for r in sorted(rows, key=lambda row: row.pair_number)
        ]
        return [row for row in numbered if row.pair_number > after_number][:limit], len(numbered)

    async def case_facts(self, case: str) -> list[KnownFact]:
        """What happened in a case."""
        known = self._facts(case)
        return with_linked(known, case, {name: self._facts(name) for name in find_linked(known)})

    def _facts(self, case: str) -> list[KnownFact]:
        return [
            to_known(fact, appended.recorded_at, appended.index)
            for done, appended in zip(self.commands, self.entries, strict=True)
            if from_leaf(appended.leaf).case == case
            for fact in from_facts_bytes(done.facts)
        ]

    async def handoff_facts(self, handoff: UUID) -> HandoffFacts | None:
        """What the submit of a handoff said."""
        facts = tuple(
            KnownFact(fact, appended.recorded_at, appended.index)
            for done, appended in zip(self.commands, self.entries, strict=True)
            if done.kind is EntryKind.SUBMITTED and done.handoff == handoff
            for fact in from_facts_bytes(done.facts)
        )
        if not facts:
            return None
        done = {from_leaf(entry.leaf).kind for entry in self.entries if from_leaf(entry.leaf).handoff == str(handoff)}
        return HandoffFacts(self.heads[handoff].kind, EntryKind.FETCHED in done, facts)

    async def entries_of(self, condition: EntryFilter) -> list[StoredEntry]:
        """Entries of a case, or all; of some kinds, or all."""
        found = [(appended, from_leaf(appended.leaf)) for appended in self.entries]
        return [
            StoredEntry(appended.index, appended.leaf, appended.leaf_hash)
            for appended, entry in found
            if condition.case in ("", entry.case) and (not condition.kinds or entry.kind in condition.kinds)
        ]

    async def head(self) -> TreeHead:
        """A head whose root is made up, for there is no tree here."""
        return TreeHead(len(self.entries), sha256(str(len(self.entries)).encode()).digest())

    async def inclusion(self, index: int, size: int) -> tuple[list[bytes], bytes, bytes]:
        """An empty path; what a proof holds is tested with the real ledger."""
        self._require_size(size)
        return [], sha256(str(size).encode()).digest(), self.entries[index].leaf_hash

    async def consistency(self, first: int, second: int) -> tuple[list[bytes], bytes, bytes]:
        """An empty proof."""
        self._require_size(second)
        return [], sha256(str(first).encode()).digest(), sha256(str(second).encode()).digest()

    def _require_size(self, size: int) -> None:
        if size > len(self.entries):
            raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "tree_size", "there is no such tree")


@dataclass(slots=True)
class FakeReader:
    """``LedgerReader`` of a fake ledger; apart from it because entries are a field there and a method here."""

    ledger: FakeLedger
    asked: list[EntryFilter] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., object]:
        found: Callable[..., object] = getattr(self.ledger, name)
        return found

    async def entries(self, condition: EntryFilter, *, after_index: int, limit: int) -> list[StoredEntry]:
        """Entries that match."""
        self.asked.append(condition)
        found = await self.ledger.entries_of(condition)
        return [entry for entry in found if entry.index > after_index][:limit]


class FakeWatch:
    """Wakes its readers as often as it is told to, then ends their streams."""

    def __init__(self, wakes: int = 1) -> None:
        self.wakes = wakes
        self.before_wake: Callable[[int], object] = lambda number: None

    @asynccontextmanager
    async def subscribe(self, receiver: Agency | str) -> AsyncIterator[Callable[[], AsyncIterator[None]]]:
        """Give the wake-ups."""

        async def wake_ups() -> AsyncIterator[None]:
            for number in range(self.wakes):
                result = self.before_wake(number)
                if hasattr(result, "__await__"):
                    await result
                yield

        yield wake_ups
