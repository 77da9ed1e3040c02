"""Builds the tree again from the leaf hashes: indices, times, states, receipts and full tiles of one range.

A range begins with the frontier that the state before it claims; whoever checks the range before finds out whether that
claim is true. So ranges can be checked side by side, and together they prove the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.audit.finding import AuditFinding, Report
from gateway.audit.receipt_check import Batch, ReceiptCheck
from gateway.core.entry import WITHOUT_RECEIPT
from gateway.core.log.merkle import TILE_LEVELS, TILE_WIDTH, Frontier, ProofError, fold
from gateway.core.port.fsck import FsckSource, Pages, Row

_LAST_LEVEL: Final = 7


class Cursor:
    """Rows one by one with a look at the next, over a stream of pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._page: Sequence[Row] = ()
        self._at = 0

    async def peek(self) -> Row | None:
        """The next row, which stays; None at the end."""
        while self._at == len(self._page):
            page = await anext(self._pages, None)
            if page is None:
                return None
            self._page, self._at = page, 0
        return self._page[self._at]

    async def take(self) -> Row | None:
        """The next row; None at the end."""
        row = await self.peek()
        if row is not None:
            self._at += 1
        return row

    async def close(self) -> None:
        """Let go of the stream."""
        close = getattr(self._pages, "aclose", None)
        if close is not None:
            await close()


@dataclass(slots=True)
class TreeCheck:
    """Checks one range of the tree.

    Args:
        source: the ledger.
        receipts: checks receipts.
        report: takes the findings.
        wanted_sizes: sizes whose root is to be kept, for checkpoints.
        roots: the roots that were computed for them.
        checked: entries seen.
    """

    source: FsckSource
    receipts: ReceiptCheck
    report: Report
    wanted_sizes: frozenset[int] = frozenset()
    roots: dict[int, bytes] = field(default_factory=dict)
    checked: int = 0

    def _finding(self, check: str, where: str, place: str, reason: str, index: int | None = None) -> None:
        self.report(AuditFinding(check, where, place, reason, index))

    async def run(self, start: int, stop: int | None) -> None:
        """Check entries start <= seq < stop with their states, receipts and the tiles that begin in the range.

        Args:
            start: 0, or the size of a state.
            stop: size of a state; None for whatever is there.
        """
        frontier = await self._beginning(start)
        if frontier is None:
            return
        states = [row async for page in self.source.states(start, stop) for row in page]
        # A tile that the range before only began belongs to this one: its first hashes are read once more.
        first = start - start % TILE_WIDTH
        tiles = Cursor(self.source.tiles(0, start // TILE_WIDTH, None if stop is None else stop // TILE_WIDTH))
        signed = {seq: jws async for page in self.source.receipts(start, stop) for seq, jws in page}
        row: list[bytes] = []
        batch: list[Row] = []
        expected, at, before = first, 0, None
        async for page in self.source.tree(first, stop):
            for entry in page:
                seq, leaf_hash = entry[0], entry[1]
                if seq != expected:
                    self._gap(expected, seq)
                    # Without its leaf hash nothing to the right can be checked any more.
                    return
                expected += 1
                row.append(leaf_hash)
                if len(row) == TILE_WIDTH:
                    await self._tile(tiles, seq // TILE_WIDTH, row)
                    row = []
                if seq < start:
                    continue
                if before is not None and entry[2] < before:
                    self._finding("entry-time", "entry", f"seq={seq}", "older than the entry before", seq)
                before = entry[2]
                frontier.append(leaf_hash)
                batch.append(entry)
                if expected in self.wanted_sizes:
                    self.roots[expected] = frontier.root()
                if at < len(states) and states[at][0] == expected:
                    self._state(states[at], frontier, batch, signed)
                    at, batch = at + 1, []
            self.checked += len(page)
        self._end(start, stop, expected, states[at:], batch)
        for seq in signed:
            reason = "no batch begins at this entry"
            self._finding("receipt-stray", "receipt", f"seq={seq} column=seq", reason, seq)
        if (stray := await tiles.take()) is not None:
            self._finding("tile-stray", "tile", f"level=0 place={stray[0]}", "the tree has no such full tile")
        await tiles.close()

    async def _beginning(self, start: int) -> Frontier | None:
        if start == 0:
            return Frontier()
        claimed = await self.source.frontier(start)
        try:
            return Frontier.from_bytes(start, claimed or b"")
        except ProofError:
            # The range before reports the state itself.
            self._finding("range-unread", "state", f"size={start}", "the entries after this state were not checked")
            return None

    def _gap(self, expected: int, found: int) -> None:
        place = f"seq={expected}" if found == expected + 1 else f"seq={expected}..{found - 1}"
        if found < expected:
            self._finding("entry-index", "entry", f"seq={found}", "the index stands twice", found)
        else:
            self._finding("entry-gap", "entry", place, "the entry is missing", expected)

    def _state(self, state: Row, frontier: Frontier, batch: list[Row], signed: dict[int, str]) -> None:
        size, recorded_at, root, claimed = state
        place, computed = f"size={size}", frontier.root()
        if root != computed:
            self._finding("state-root", "state", f"{place} column=root", "not the root of the entries", size - 1)
        if claimed != frontier.to_bytes():
            self._finding("state-frontier", "state", f"{place} column=frontier", "not the right edge of the entries")
        for entry in batch:
            if entry[2] != recorded_at:
                reason = "the entry and the state of its batch have different times"
                self._finding("state-time", "state", f"{place} column=recorded_at", reason, entry[0])
                break
        first = batch[0][0]
        owed = next((entry[0] for entry in batch if entry[3] not in WITHOUT_RECEIPT), None)
        hashes = [entry[1] for entry in batch]
        self.receipts.add(Batch(first, hashes, owed, size, computed, recorded_at), signed.pop(first, None))

    async def _tile(self, tiles: Cursor, place: int, row: list[bytes]) -> None:
        while (found := await tiles.peek()) is not None and found[0] < place:
            self._finding("tile-stray", "tile", f"level=0 place={found[0]}", "stands twice")
            await tiles.take()
        if found is None or found[0] != place:
            self._finding("tile-missing", "tile", f"level=0 place={place}", "the full tile is missing")
            return
        await tiles.take()
        _compare_tile(self.report, 0, found, row)

    def _end(self, start: int, stop: int | None, expected: int, states: list[Row], batch: list[Row]) -> None:
        if stop is not None and max(expected, start) < stop:
            self._finding("entry-gap", "entry", f"seq={expected}..{stop - 1}", "the entries are missing", expected)
        for state in states:
            reason = "speaks of more entries than there are"
            if state[0] <= expected:
                reason = "stands twice"
            self._finding("state-stray", "state", f"size={state[0]}", reason)
        if batch:
            seq = batch[0][0]
            self._finding("state-missing", "state", f"size={expected}", "no state holds the last entries", seq)


def _compare_tile(report: Report, level: int, found: Row, row: list[bytes]) -> None:
    place, root, data = found
    if data != b"".join(row):
        where = f"level={level} place={place} column=data"
        report(AuditFinding("tile-data", "tile", where, "not the hashes of the tree"))
    if root != fold(row):
        where = f"level={level} place={place} column=root"
        report(AuditFinding("tile-root", "tile", where, "not the hash above its hashes"))


async def check_upper_tiles(source: FsckSource, size: int, report: Report) -> None:
    """Check the tiles above level 0 against the roots of the tiles below them, and that none is too many.

    Args:
        source: the ledger.
        size: number of entries.
        report: takes the findings.
    """
    for level in range(1, _LAST_LEVEL + 1):
        below, width = size >> TILE_LEVELS * level, TILE_WIDTH
        tiles, roots = Cursor(source.tiles(level, 0, None)), Cursor(source.tiles(level - 1, 0, None))
        for place in range(below // width):
            row = [found[1] for found in [await roots.take() for _ in range(width)] if found is not None]
            found = await tiles.peek()
            if found is None or found[0] != place:
                report(AuditFinding("tile-missing", "tile", f"level={level} place={place}", "the full tile is missing"))
            else:
                await tiles.take()
                if len(row) == width:
                    _compare_tile(report, level, found, row)
        while (found := await tiles.take()) is not None:
            report(
                AuditFinding("tile-stray", "tile", f"level={level} place={found[0]}", "the tree has no such full tile")
            )
        await tiles.close()
        await roots.close()
