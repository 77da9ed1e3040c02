"""Builds the tree again batch by batch, to find out whether anything is wrong at all.

The database gives one row for each state, with the leaf hashes of its batch in one piece; each is hashed once into the
tree and once into the tree of its batch. ``tree_check`` does several times that work, reads entry by entry and names
what is wrong; it runs only when this here says that something is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from gateway.audit.finding import Findings
from gateway.audit.receipt_check import Batch, ReceiptCheck
from gateway.audit.tree_check import Cursor
from gateway.core.entry import WITHOUT_RECEIPT
from gateway.core.log.merkle import HASH_BYTES, TILE_LEVELS, TILE_WIDTH, Frontier, ProofError, to_hashes
from gateway.core.port.fsck import FsckSource, Row


class _Edge:
    """The right edge of the tree: full tiles, then what fills the next one.

    Args:
        frontier: of the tree so far.
        row: its leaf hashes after the last full tile.

    Raises:
        ProofError: the row does not belong to the frontier.
    """

    def __init__(self, frontier: Frontier, row: Sequence[bytes]) -> None:
        above = (frontier.size >> TILE_LEVELS).bit_count()
        self._tiles = Frontier(frontier.size >> TILE_LEVELS, frontier.hashes[:above])
        self._tops: list[bytes] = []
        self.row: list[bytes] = []
        self._extend(row)
        if self._tops != frontier.hashes[above:]:
            raise ProofError("the hashes before a range do not belong to its frontier")

    def _extend(self, leaf_hashes: Sequence[bytes]) -> None:
        tops, width = self._tops, len(self.row)
        for top in leaf_hashes:
            size = width
            while size & 1:
                top = sha256(b"\x01" + tops.pop() + top).digest()  # noqa: PLW2901 - the node grows
                size >>= 1
            tops.append(top)
            width += 1
        self.row += leaf_hashes

    def append(self, leaf_hashes: Sequence[bytes]) -> list[tuple[list[bytes], bytes]]:
        """Add leaves; the rows that they filled, each with the hash above it."""
        full, at = [], 0
        while at < len(leaf_hashes):
            room = TILE_WIDTH - len(self.row)
            self._extend(leaf_hashes[at : at + room])
            at += room
            if len(self.row) == TILE_WIDTH:
                full.append((self.row, self._tops[0]))
                self._tiles.append(self._tops[0])
                self.row, self._tops = [], []
        return full

    def frontier(self) -> Frontier:
        """The right edge as a state has it."""
        tiles = self._tiles
        return Frontier((tiles.size << TILE_LEVELS) + len(self.row), tiles.hashes + self._tops)


@dataclass(slots=True)
class TreeScan:
    """Scans one range of the tree.

    Args:
        source: the ledger.
        origin: name of the log.
        certificates: DER of the gateway's receipt certificates; None leaves the signatures unchecked.
        wanted_sizes: sizes whose root is to be kept.
        roots: the roots that were computed for them.
        checked: entries seen.
    """

    source: FsckSource
    origin: str
    certificates: frozenset[bytes] | None = None
    wanted_sizes: frozenset[int] = frozenset()
    roots: dict[int, bytes] = field(default_factory=dict)
    checked: int = 0

    async def is_sound(self, start: int, stop: int | None) -> bool:
        """Whether ``TreeCheck.run`` would find nothing in the same range.

        Args:
            start: 0, or the size of a state.
            stop: size of a state; None for whatever is there.

        Returns:
            True; False when something differs, and then nothing that was counted here means anything.
        """
        edge = await self._edge(start)
        if edge is None:
            return False
        findings = Findings()
        receipts = ReceiptCheck(findings, self.origin, self.certificates)
        tiles = Cursor(self.source.tiles(0, start // TILE_WIDTH, None if stop is None else stop // TILE_WIDTH))
        size, signed, at = start, 0, None
        wanted = {item for item in self.wanted_sizes if start < item and (stop is None or item <= stop)}
        async for page in self.source.batches(start, stop):
            for row in page:
                hashes = _leaf_hashes(row, size)
                if hashes is None or (at is not None and row[1] < at):
                    return False
                if not await _are_stored(edge.append(hashes), size // TILE_WIDTH, tiles):
                    return False
                frontier = edge.frontier()
                root = frontier.root()
                if (row[2], row[3]) != (root, frontier.to_bytes()):
                    return False
                owed = size if any(kind not in WITHOUT_RECEIPT for kind in row[10]) else None
                receipts.add(Batch(size, hashes, owed, row[0], root, row[1]), row[11])
                if findings.total:
                    return False
                size, at, signed = row[0], row[1], signed + (row[11] is not None)
                if size in wanted:
                    self.roots[size] = root
                    wanted.remove(size)
        self.checked = size - start
        # A wanted size inside of a batch, entries without a state, a receipt or a tile too many: that is for TreeCheck.
        is_whole = (
            not wanted
            and (stop is None or size == stop)
            and await self.source.count_entries(size, stop) == 0
            and await self.source.count_receipts(start, stop) == signed
            and await tiles.take() is None
        )
        await tiles.close()
        return is_whole

    async def _edge(self, start: int) -> _Edge | None:
        claimed = b"" if start == 0 else await self.source.frontier(start)
        first = start - start % TILE_WIDTH
        rows = [row async for page in self.source.tree(first, start) for row in page] if first < start else []
        try:
            frontier = Frontier.from_bytes(start, claimed or b"")
            return _Edge(frontier, [row[1] for row in rows]) if len(rows) == start - first else None
        except ProofError:
            return None


def _leaf_hashes(row: Row, size: int) -> list[bytes] | None:
    """The leaf hashes of a batch; None when its entries are not just those between two states."""
    after, before, first, last, entries, data, is_same_time = row[0], *row[4:10]
    if (before, first, last, entries, is_same_time) != (size, size, after - 1, after - size, True):
        return None
    return to_hashes(data) if len(data) == entries * HASH_BYTES else None


async def _are_stored(full: list[tuple[list[bytes], bytes]], place: int, tiles: Cursor) -> bool:
    for number, (row, root) in enumerate(full):
        if await tiles.take() != (place + number, root, b"".join(row)):
            return False
    return True
