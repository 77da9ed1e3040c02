"""Reading the ledger: inbox, handoffs, directions, entries and proofs; implements ``LedgerReader``.

What oversight may ask (entries, head, proofs) is read from the oversight views, so that it works with either role.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from gateway.core.access.enquiry import Progress
from gateway.core.entry import WITHOUT_RECEIPT, EntryKind, HandoffState
from gateway.core.errors import ErrorCode, GatewayError, refuse
from gateway.core.fact.fact import KnownFact
from gateway.core.fact.handed_on import find_linked, with_linked
from gateway.core.identity import Agency
from gateway.core.log.merkle import (
    EMPTY_ROOT,
    Node,
    consistency_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
    root_nodes,
    root_of,
)
from gateway.core.port.ledger import (
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
from gateway.core.procedure.track import NO_TRACKS, Tracks, from_row
from gateway.core.route import RecordKind
from gateway.ledger.connection import fetch
from gateway.ledger.entry_query import MAX_INDEX, to_statement
from gateway.ledger.node import Nodes
from gateway.ledger.opened import look_up, open_number, open_statement, to_facts, to_inbox_row
from gateway.ledger.receipt import to_appended
from gateway.ledger.sealed import COMMON, Sealer
from gateway.ledger.statement import load_statements
from gateway.ledger.statement_probe import Question, StatementProbe

_SQL: Final = load_statements("read")


class Reader:
    """Reads the ledger.

    Args:
        pool: asyncpg pool of the role ``fasttrack_gateway``, or of ``fasttrack_oversight`` for entries, head and
            proofs.
        sealer: opens what handoffs hold; not needed for entries, head and proofs.
    """

    def __init__(self, pool: asyncpg.Pool[Any], sealer: Sealer | None = None) -> None:
        self._pool = pool
        self._sealer = sealer
        self._nodes = Nodes(self._fetch)
        self._probe = StatementProbe(self._query)
        self._largest = 0

    async def inbox(
        self, receiver: Agency, states: Sequence[HandoffState], *, after_index: int, limit: int
    ) -> list[InboxRow]:
        """List handoffs to a receiver.

        Args:
            receiver: the agency.
            states: states wanted; none for all.
            after_index: index of the submitted entry to go on after; -1 for the beginning.
            limit: rows wanted.

        Returns:
            rows by index; without a case number where it cannot be opened.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE.
        """
        rows = await self._fetch("inbox", str(receiver), after_index, [state.value for state in states], limit)
        seals = await look_up(self._sealer, rows)
        return [to_inbox_row(row, open_number(seals[row["case_id"]], row)) for row in rows]

    async def handoff(self, handoff: UUID) -> StoredHandoff | None:
        """Read one handoff with everything its parties may see.

        Args:
            handoff: its id.

        Returns:
            it, or None when there is none; of a destroyed case only what the ledger itself has.

        Raises:
            GatewayError: CASE_KEY_MISSING, SEAL_BROKEN when it cannot be opened; LEDGER_UNAVAILABLE, VAULT_UNAVAILABLE.
        """
        rows = await self._fetch("handoff", handoff)
        if not rows:
            return None
        entries = await self._fetch("handoff_receipts", handoff)
        receipts = tuple(to_appended(entry) for entry in entries if entry["kind"] not in WITHOUT_RECEIPT)
        seal = (await look_up(self._sealer, rows))[rows[0]["case_id"]]
        if isinstance(seal, GatewayError):
            if seal.code is not ErrorCode.CASE_DESTROYED:
                raise seal
            return StoredHandoff(to_inbox_row(rows[0], ""), "", b"", receipts, is_destroyed=True)
        row = rows[0]
        detail = next((entry for entry in reversed(entries) if entry["body"] is not None), None)
        return StoredHandoff(
            to_inbox_row(row, seal.open("bundle.case_number", str(handoff), row["case_number"]).decode()),
            seal.open("bundle.manifest_jws", str(handoff), row["manifest_jws"]).decode(),
            seal.open("bundle.record", str(handoff), row["record"]),
            receipts,
            seal.open("detail.body", str(detail["seq"]), detail["body"]) if detail else b"",
            EntryKind(detail["kind"]) if detail else None,
        )

    async def statements_of_id(self, statement_id: UUID) -> list[StoredStatement]:
        """Read the statements of an id.

        Args:
            statement_id: as its issuer chose it.

        Returns:
            them, by index; more than one only when issuers chose the same, at most 16.

        Raises:
            GatewayError: CASE_KEY_MISSING or SEAL_BROKEN when one cannot be opened; LEDGER_UNAVAILABLE,
                VAULT_UNAVAILABLE.
        """
        return await self._open_statements(await self._fetch("statements_of_id", statement_id))

    async def _open_statements(self, found: Sequence[Any]) -> list[StoredStatement]:
        rows = await self._fetch("statements", [row["seq"] for row in found]) if found else []
        seals = await look_up(self._sealer, rows)
        return [open_statement(row, seals[row["case_id"] or COMMON]) for row in rows]

    async def statements(
        self, *, case: str, issuer: str, type_name: str, after_index: int, limit: int
    ) -> list[StoredStatement]:
        """List statements.

        Args:
            case: pseudonym; "" for any, when an issuer is named.
            issuer: agency, short form; "" for any, when a case is named.
            type_name: "" for any.
            after_index: index to go on after; -1 for the beginning.
            limit: rows wanted.

        Returns:
            statements by index; of a destroyed case without what was stated.

        Raises:
            GatewayError: CASE_KEY_MISSING or SEAL_BROKEN when one cannot be opened; LEDGER_UNAVAILABLE,
                VAULT_UNAVAILABLE.
        """
        if not await self._probe.ask(Question(case, issuer, type_name, after_index)):
            return []
        if case:
            found = await self._fetch("statements_of_case", case, after_index, type_name, limit, issuer)
        elif type_name:
            found = await self._fetch("statements_of_issuer_and_type", issuer, after_index, limit, type_name)
        else:
            found = await self._fetch("statements_of_issuer", issuer, after_index, limit)
        return await self._open_statements(found)

    async def progress(self, token: bytes) -> StoredProgress | None:
        """Read the newest thing that may be told for an enquiry code.

        Args:
            token: keyed digest, 32 bytes.

        Returns:
            what may be told, and of which case; None for a digest that nobody stated.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await self._fetch("progress", token)
        if not rows:
            return None
        found, case, *told = rows[0].values()
        names = ("stage", "since", "next_remedy", "remedy_until")
        return StoredProgress(bytes(found), case or "", Progress(**dict(zip(names, told, strict=True))))

    async def is_party(self, case: str, agency: Agency) -> bool:
        """Say whether an agency sent or received a handoff of a case, or has custody of its file.

        Args:
            case: pseudonym.
            agency: who asks.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        return bool((await self._fetch("is_party", case, str(agency)))[0]["is_party"])

    async def is_case_open(self, case: str) -> bool:
        """Say whether a handoff of a case has been submitted yet.

        Args:
            case: pseudonym.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        return bool((await self._fetch("is_case_open", case))[0]["is_open"])

    async def tracks(self, case: str) -> Tracks:
        """Read where the persons of a case stand.

        Args:
            case: pseudonym.

        Returns:
            the tracks; none for a case that has none.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await self._fetch("tracks", case)
        return (from_row(rows[0]["body"])[0] if rows else None) or NO_TRACKS

    async def pair(
        self, sender: Agency, receiver: Agency, *, after_number: int, limit: int
    ) -> tuple[list[NumberedRow], int]:
        """List the numbers of a direction.

        Args:
            sender: who sends.
            receiver: who receives.
            after_number: number to go on after; 0 for the beginning.
            limit: rows wanted.

        Returns:
            rows by number, and the last number given out (0 when none).

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        last = await self._fetch("pair_last", str(sender), str(receiver))
        rows = await self._fetch("pair", str(sender), str(receiver), after_number, limit)
        numbered = [
            NumberedRow(number, handoff, digest.hex(), index, leaf_hash, HandoffState(state))
            for number, handoff, digest, index, leaf_hash, state in rows
        ]
        # A number given out between the two statements counts as well.
        return numbered, max([row["pair_number"] for row in last] + [row.pair_number for row in numbered[-1:]] + [0])

    async def case_facts(self, case: str) -> list[KnownFact]:
        """Read what happened in a case.

        Args:
            case: its pseudonym.

        Returns:
            its facts, by the entries that brought them, then what splits and merges leave in other cases.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        known = to_facts(await self._fetch("case_facts", case))
        linked = {name: to_facts(await self._fetch("case_facts", name)) for name in find_linked(known)}
        return with_linked(known, case, linked) if linked else known

    async def handoff_facts(self, handoff: UUID) -> HandoffFacts | None:
        """Read what the submit of a handoff said.

        Args:
            handoff: its id.

        Returns:
            its facts; None when there is no such handoff, or it brought none.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        rows = await self._fetch("handoff_facts", handoff)
        if not rows:
            return None
        return HandoffFacts(RecordKind(rows[0]["handoff_kind"]), rows[0]["is_fetched"], tuple(to_facts(rows)))

    async def entries(self, condition: EntryFilter, *, after_index: int, limit: int) -> list[StoredEntry]:
        """Query entries.

        Args:
            condition: what they must meet.
            after_index: index to go on after; -1 for the beginning.
            limit: entries wanted.

        Returns:
            entries by index.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        start = max(after_index + 1, condition.index_from)
        stop = MAX_INDEX if condition.index_to is None else condition.index_to
        if condition.recorded_from is not None:
            start = max(start, await self._first_at(condition.recorded_from))
        if condition.recorded_to is not None:
            stop = min(stop, await self._first_at(condition.recorded_to))
        statement, arguments = to_statement(condition, start=start, stop=stop, limit=limit)
        return [StoredEntry(*row) for row in await self._query(statement, *arguments)]

    async def _first_at(self, at: datetime) -> int:
        rows = await self._fetch("first_after", at)
        return rows[0]["size"] if rows else 0

    async def head(self) -> TreeHead:
        """Read the present tree.

        Returns:
            its size and root; the empty tree before the first entry.

        Raises:
            GatewayError: LEDGER_UNAVAILABLE.
        """
        before = self._largest
        rows = await self._fetch("head")
        head = TreeHead(*rows[0]) if rows else TreeHead(0, EMPTY_ROOT)
        if head.size < before:
            # A ledger that became smaller is a restored one; what was read of the other is worth nothing.
            self._nodes.forget()
            self._largest = head.size
        else:
            self._largest = max(self._largest, head.size)
        return head

    async def inclusion(self, index: int, size: int) -> tuple[list[bytes], bytes, bytes]:
        """Prove that an entry is in the tree of a size.

        Args:
            index: of the entry.
            size: of the tree, at most the present one.

        Returns:
            path from the leaf upwards, root of the tree, leaf hash; 32 bytes each.

        Raises:
            GatewayError: ARGUMENT_OUT_OF_RANGE when there is no such tree or entry; LEDGER_UNAVAILABLE.
        """
        await self._require_size(size, "inclusion.tree_size")
        if not 0 <= index < size:
            raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "inclusion.entry_index", "the tree has no such entry")
        leaf = Node(0, index)
        nodes = await self._nodes.read([leaf, *inclusion_nodes(index, size), *root_nodes(size)], size)
        read = nodes.__getitem__
        return prove_inclusion(index, size, read), root_of(size, read), nodes[leaf]

    async def consistency(self, first: int, second: int) -> tuple[list[bytes], bytes, bytes]:
        """Prove that the tree of a size begins with an earlier one.

        Args:
            first: size of the earlier tree.
            second: size of the later tree, at most the present one.

        Returns:
            the proof, root of the earlier tree, root of the later tree; 32 bytes each.

        Raises:
            GatewayError: ARGUMENT_OUT_OF_RANGE when there are no such trees; LEDGER_UNAVAILABLE.
        """
        await self._require_size(second, "consistency.second_size")
        if not 0 <= first <= second:
            raise refuse(
                ErrorCode.ARGUMENT_OUT_OF_RANGE, "consistency.first_size", "the earlier tree cannot be the larger one"
            )
        wanted = [*consistency_nodes(first, second), *root_nodes(first), *root_nodes(second)]
        read = (await self._nodes.read(wanted, second)).__getitem__
        return prove_consistency(first, second, read), root_of(first, read), root_of(second, read)

    async def _require_size(self, size: int, path: str) -> None:
        # The head was often read a moment ago, and a tree that was there once has its proofs for ever.
        if 0 <= size <= self._largest:
            return
        if size < 0 or size > (await self.head()).size:
            raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, path, "the ledger has no tree of this size")

    async def _fetch(self, name: str, *arguments: Any) -> list[Any]:
        return await self._query(_SQL[name], *arguments)

    async def _query(self, statement: str, *arguments: Any) -> list[Any]:
        return await fetch(self._pool, statement, *arguments)
