"""The folder of a mirror: one SQLite file that only ever grows, except for what a destroyed case takes with it.

A round is one transaction: what was verified together appears together, on disk (``synchronous = FULL``), or not at
all. Rows are inserted and never updated; the partial tiles at the right edge alone are replaced. Evidence against the
log lies beside the file, as plain text.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from gateway.audit.mirror_file import FILE, connect, require_version, transaction
from gateway.core.log.merkle import Frontier, Node, ProofError, root_of, to_hashes
from gateway.core.log.merkle_tile import FullTile, TileEdge, node_of_tile, tile_of
from gateway.core.log.mirror import BESIDE, BatchRow, MirroredEntry, SealRow, StoredBundle, WithheldMaterial
from gateway.core.port.seal import MemoryLostError, SeenTree

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MirrorStore:
    """A mirror's folder, held by this process alone unless it is only read.

    Args:
        folder: of the mirror.
        is_read_only: whether it may be read while another process follows.
    """

    def __init__(self, folder: Path, *, is_read_only: bool = False) -> None:
        self.folder = folder
        self._is_read_only = is_read_only
        self._lock = -1
        self._open: sqlite3.Connection | None = None
        self.origin = ""
        self.agency = ""

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            MemoryLostError: there is none, it is damaged, of another version, or held by another process.
        """
        path = self.folder / FILE
        if not path.is_file():
            raise MemoryLostError(f"there is no mirror in {self.folder}")
        try:
            if not self._is_read_only:
                self._take_lock()
            mode = "ro" if self._is_read_only else "rw"
            self._open = connect(f"{path.absolute().as_uri()}?mode={mode}")
            version, self.origin, self.agency = self._db.execute("SELECT * FROM about").fetchone()
            require_version(version)
        except sqlite3.Error as error:
            self._let_go()
            raise MemoryLostError("the file of the mirror cannot be read") from error
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    @property
    def _db(self) -> sqlite3.Connection:
        if self._open is None:
            raise RuntimeError("use the store as: with MirrorStore(folder) as store")
        return self._open

    @contextmanager
    def round(self) -> Iterator[None]:
        """Everything that is written inside appears together, durably, or not at all.

        Raises:
            MemoryLostError: it cannot be written, or what is there cannot be read.
        """
        try:
            with transaction(self._db):
                yield
        except sqlite3.Error as error:
            raise MemoryLostError(f"the file of the mirror cannot be used: {error}") from error

    @property
    def tree(self) -> SeenTree:
        """The last tree that was followed; the empty one at the beginning."""
        row = self._db.execute("SELECT size, root, frontier FROM head ORDER BY size DESC LIMIT 1").fetchone()
        return SeenTree(self.origin, *row) if row else SeenTree(self.origin)

    def edge(self) -> TileEdge:
        """The hashes that do not fill a tile yet.

        Raises:
            MemoryLostError: they do not belong to the tree.
        """
        rows = [to_hashes(data) for (data,) in self._db.execute("SELECT data FROM edge ORDER BY level")]
        try:
            return TileEdge(self.tree.size, rows)
        except ProofError as error:
            raise MemoryLostError("the mirror contradicts itself") from error

    def add_tiles(self, tiles: Iterable[FullTile]) -> None:
        """Keep tiles that became full."""
        rows = [(full.tile.level, full.tile.place, full.root, full.data) for full in tiles]
        self._db.executemany("INSERT INTO tile VALUES (?, ?, ?, ?)", rows)

    def add_head(self, frontier: Frontier, edge: TileEdge) -> None:
        """Take over a tree as the last one."""
        self._db.execute("INSERT INTO head VALUES (?, ?, ?)", (frontier.size, frontier.root(), frontier.to_bytes()))
        self._db.execute("DELETE FROM edge")
        rows = [(level, b"".join(row)) for level, row in enumerate(edge.rows)]
        self._db.executemany("INSERT INTO edge VALUES (?, ?)", rows)

    def add_batch(self, batch: BatchRow) -> None:
        """Keep where a batch ended, and what was signed for its receipts."""
        self._db.execute("INSERT INTO batch VALUES (?, ?, ?)", (batch.size, batch.first_index, batch.receipt_jws))

    def add_entry(self, entry: MirroredEntry, case: str) -> None:
        """Keep an entry with what came beside it; nothing readable of a case that was destroyed."""
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?)", (entry.index, entry.leaf, case))
        is_gone = bool(case) and self.is_destroyed(case)
        rows = [
            (entry.index, name, case, body)
            for name, body in entry.beside.items()
            if not (is_gone and BESIDE[name].goes_with_case)
        ]
        self._db.executemany("INSERT INTO beside VALUES (?, ?, ?, ?)", rows)
        if entry.bundle is not None and not is_gone:
            self._db.execute(
                "INSERT INTO bundle VALUES (?, ?, ?, ?)",
                (str(entry.bundle.handoff), case, entry.bundle.manifest_jws, entry.bundle.record),
            )
            rows_of_materials = [
                (str(entry.bundle.handoff), one.sha256, one.view, one.is_granted) for one in entry.bundle.withheld
            ]
            self._db.executemany("INSERT INTO withheld VALUES (?, ?, ?, ?)", rows_of_materials)

    def destroy(self, case: str, seq: int) -> None:
        """Remove what can be read of a case, for good; the deleted bytes are overwritten with zeros.

        Args:
            case: pseudonym.
            seq: index of the entry that says so.
        """
        self._db.execute("INSERT OR IGNORE INTO destroyed VALUES (?, ?)", (case, seq))
        for name in (name for name, beside in BESIDE.items() if beside.goes_with_case):
            self._db.execute("DELETE FROM beside WHERE case_id = ? AND name = ?", (case, name))
        self._db.execute("DELETE FROM bundle WHERE case_id = ?", (case,))

    def is_destroyed(self, case: str) -> bool:
        """Whether the log said that a case was destroyed."""
        return self._db.execute("SELECT 1 FROM destroyed WHERE case_id = ?", (case,)).fetchone() is not None

    def add_seals(self, rows: Iterable[SealRow]) -> int:
        """Keep seals; those that are there stay as they are.

        Returns:
            how many were new.
        """
        before = self._db.total_changes
        self._db.executemany(
            "INSERT OR IGNORE INTO seal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (row.what, row.size, (row.at - _EPOCH) // timedelta(microseconds=1), row.witness, row.text, row.digest,
                 row.token, row.code)
                for row in rows
            ],
        )  # fmt: skip
        return self._db.total_changes - before

    def recent_size(self, back: int) -> int:
        """The size from which on seals are to be asked for again: so many checkpoints before the last; 0 for all."""
        row = self._db.execute(
            "SELECT DISTINCT size FROM seal WHERE what = 'checkpoint' ORDER BY size DESC LIMIT 1 OFFSET ?", (back,)
        ).fetchone()
        return int(row[0]) if row else 0

    def leaf(self, seq: int) -> bytes | None:
        """A leaf that is kept; None for another agency's."""
        row = self._db.execute("SELECT leaf FROM entry WHERE seq = ?", (seq,)).fetchone()
        return row[0] if row else None

    def entries(self, start: int, stop: int) -> Iterator[MirroredEntry]:
        """Entries of a range that are kept, by index; the bundle of a handoff comes by ``bundle``."""
        found = self._db.execute("SELECT seq, leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (start, stop))
        for seq, leaf in found:
            if not isinstance(leaf, bytes):
                raise MemoryLostError("the mirror was changed by somebody else")
            beside = dict(self._db.execute("SELECT name, body FROM beside WHERE seq = ?", (seq,)).fetchall())
            yield MirroredEntry(seq, leaf, beside)

    def bundle(self, handoff: str) -> StoredBundle | None:
        """The bundle of a handoff; None when it is not kept."""
        row = self._db.execute("SELECT manifest_jws, record FROM bundle WHERE handoff = ?", (handoff,)).fetchone()
        if row is None:
            return None
        found = self._db.execute("SELECT sha256, view, is_granted FROM withheld WHERE handoff = ?", (handoff,))
        withheld = tuple(WithheldMaterial(digest, view, bool(is_granted)) for digest, view, is_granted in found)
        return StoredBundle(UUID(handoff), row[0], row[1], withheld)

    def batches(self, after: int) -> Iterator[BatchRow]:
        """Batches that ended beyond a size, in order."""
        found = self._db.execute("SELECT first_index, size, receipt FROM batch WHERE size > ? ORDER BY size", (after,))
        for row in found:
            yield BatchRow(*row)

    def seals(self) -> Iterator[SealRow]:
        """All seals, by size and time."""
        found = self._db.execute(
            "SELECT what, size, at, witness, text, digest, token, code FROM seal ORDER BY size, at, what, witness"
        )
        for what, size, at, witness, text, digest, token, code in found:
            yield SealRow(
                what=what, size=size, at=_EPOCH + timedelta(microseconds=at), witness=witness, text=text,
                digest=digest, token=token, code=code,
            )  # fmt: skip

    def leaf_hashes(self) -> Iterator[bytes]:
        """The hash of every leaf, 32 bytes each, from the first."""
        for (data,) in self._db.execute("SELECT data FROM tile WHERE level = 0 ORDER BY place"):
            yield from to_hashes(data)
        row = self._db.execute("SELECT data FROM edge WHERE level = 0").fetchone()
        yield from to_hashes(row[0] if row else b"")

    def read_node(self, node: Node) -> bytes:
        """Give a node of the last tree, 32 bytes.

        Raises:
            ProofError: its tile is missing or too short.
        """
        tile = tile_of(node)
        row = self._db.execute("SELECT data FROM tile WHERE level = ? AND place = ?", tile).fetchone()
        if row is None:
            row = self._db.execute("SELECT data FROM edge WHERE level = ?", (tile.level,)).fetchone()
        return node_of_tile(node, row[0] if row else b"")

    def root_at(self, size: int) -> bytes:
        """Compute the root of an earlier tree from the tiles.

        Args:
            size: number of leaves, at most those of the last tree.

        Returns:
            32 bytes.

        Raises:
            MemoryLostError: a tile is missing or too short.
        """
        try:
            return root_of(size, self.read_node)
        except ProofError as error:
            raise MemoryLostError("a tile of the mirror is missing") from error

    def count(self) -> tuple[int, int, int]:
        """How many entries, bundles and seals are kept."""
        entries, bundles, seals = (
            self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a fixed list of names
            for table in ("entry", "bundle", "seal")
        )
        return entries, bundles, seals

    def last_note(self) -> bytes:
        """The checkpoint of the last tree that was followed, newest first; empty at the beginning."""
        row = self._db.execute(
            "SELECT text FROM seal WHERE what = 'checkpoint' AND size = ? ORDER BY at DESC LIMIT 1", (self.tree.size,)
        ).fetchone()
        return row[0].encode("utf-8") if row else b""

    def _take_lock(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise MemoryLostError("another process holds the mirror") from error

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
