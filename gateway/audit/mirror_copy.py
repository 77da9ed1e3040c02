"""One round of a mirror's copy: page after page is checked and written, inside a transaction of the store."""

from __future__ import annotations

from gateway.audit.mirror_check import (
    EntryRefusedError,
    MirrorFault,
    PageRefusedError,
    check_batch,
    check_bundle,
    check_entry,
    find_withheld,
    goes_with_case,
    to_row,
)
from gateway.audit.mirror_store import MirrorStore
from gateway.core.entry import WITHOUT_RECEIPT, EntryKind
from gateway.core.identity import Agency
from gateway.core.log.merkle import HASH_BYTES, Frontier
from gateway.core.log.mirror import BatchRow, LogPage, MirroredEntry, may_read


class Copying:
    """The tree in the making, and what came with it.

    Args:
        store: inside ``round``.
        agency: whose mirror it is.
        origin: name of the log.
        size: of the tree that is copied.
    """

    def __init__(self, store: MirrorStore, agency: Agency, origin: str, size: int) -> None:
        seen = store.tree
        self.frontier, self._edge = Frontier.from_bytes(seen.size, seen.frontier), store.edge()
        self.entries = self.bundles = 0
        self._gone: dict[str, PageRefusedError] = {}
        self._store = store
        self._agency = agency
        self._origin = origin
        self._size = size
        # Of the batch whose end has not come yet; a signed tree ends with a batch.
        self._batch: list[bytes] = []
        self._owed: int | None = None

    def take(self, page: LogPage) -> None:
        """Check a page and write it.

        Args:
            page: what was given for the next stretch.

        Raises:
            PageRefusedError: it is not what the log owes.
        """
        start = self.frontier.size
        if not page.leaf_hashes or start + len(page.leaf_hashes) > self._size:
            raise PageRefusedError(MirrorFault.HASHES, "not the leaf hashes that were asked for")
        if any(len(leaf_hash) != HASH_BYTES for leaf_hash in page.leaf_hashes):
            raise PageRefusedError(MirrorFault.HASHES, "a leaf hash has the wrong length")
        entries, batches = _by_index(page, start), {batch.size: batch for batch in page.batches}
        for index, leaf_hash in enumerate(page.leaf_hashes, start):
            self.frontier.append(leaf_hash)
            self._store.add_tiles(self._edge.append(leaf_hash))
            self._batch.append(leaf_hash)
            if index in entries:
                self._take_entry(entries[index], leaf_hash)
            if self.frontier.size in batches:
                self._end_batch(batches[self.frontier.size])
        self.entries += len(entries)

    def finish(self, root: bytes) -> None:
        """Take the tree over.

        Args:
            root: that was signed, 32 bytes.

        Raises:
            PageRefusedError: the leaf hashes do not lead to it, or the last batch has no end.
        """
        if self.frontier.root() != root:
            raise PageRefusedError(MirrorFault.HASHES, "the leaf hashes do not lead to the signed root")
        if self._batch:
            raise PageRefusedError(MirrorFault.WITHHELD, "the last batch was not given")
        for fault in self._gone.values():
            raise fault
        self._store.add_head(self.frontier, self._edge)

    def _take_entry(self, mirrored: MirroredEntry, leaf_hash: bytes) -> None:
        entry = check_entry(mirrored, leaf_hash, self._origin)
        row = to_row(entry, mirrored.leaf, leaf_hash)
        if missing := find_withheld(mirrored, entry, row, self._agency):
            fault = PageRefusedError(MirrorFault.WITHHELD, f"entry {entry.index}: {', '.join(missing)} was not given")
            if not entry.case or not all(goes_with_case(name) for name in missing):
                raise fault
            if not self._store.is_destroyed(entry.case):
                # It may be of a case that was destroyed later; then the log says so before the signed tree ends.
                self._gone.setdefault(entry.case, fault)
        if entry.kind is EntryKind.CASE_DESTROYED:
            self._store.destroy(entry.case, entry.index)
            self._gone.pop(entry.case, None)
        if may_read(row, self._agency) and entry.kind not in WITHOUT_RECEIPT:
            self._owed = entry.index
        if mirrored.bundle is not None:
            check_bundle(mirrored.bundle, entry)
            self.bundles += 1
        self._store.add_entry(mirrored, entry.case)

    def _end_batch(self, batch: BatchRow) -> None:
        check_batch(batch, self._origin, self._batch, self.frontier.root())
        if self._owed is not None and not batch.receipt_jws:
            raise PageRefusedError(MirrorFault.WITHHELD, f"entry {self._owed}: its receipt was not given")
        self._store.add_batch(batch)
        self._batch, self._owed = [], None


def _by_index(page: LogPage, start: int) -> dict[int, MirroredEntry]:
    found: dict[int, MirroredEntry] = {}
    for entry in page.entries:
        if not start <= entry.index < start + len(page.leaf_hashes) or entry.index in found:
            raise EntryRefusedError(entry.index, "the entry is not of the stretch that was asked for, or stands twice")
        found[entry.index] = entry
    return found
