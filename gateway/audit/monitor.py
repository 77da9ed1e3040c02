"""The monitor: keeps every checkpoint it ever saw, and compares each new one with all of them.

It reads a log over C2SP tlog-tiles, as anybody can, and believes a tile only as far as it proves something. A
checkpoint that contradicts a kept one is kept too, because the two together, signed by one key, are the evidence.

Source: C2SP tlog-tiles, tlog-checkpoint; RFC 9162, section 2.1.4.2.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.core.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from gateway.core.log.cosignature import find_cosignatures
from gateway.core.log.merkle import (
    HASH_BYTES,
    TILE_LEVELS,
    TILE_WIDTH,
    Node,
    ProofError,
    prove_consistency,
    verify_consistency,
)
from gateway.core.log.merkle_tile import Tile, node_of_tile, tile_of
from gateway.core.log.note import NoteError, VerifierKey, parse_note
from gateway.core.log.tile_path import TilePath

Fetch = Callable[[str, int], bytes]
"""Gives the bytes below a path without leading slash, at most so many.

Raises:
    OSError: they cannot be had.
"""
MAX_CHECKPOINT_BYTES: Final = 256 * 1024


class Verdict(StrEnum):
    """What a look at the log showed."""

    GREW = "grew"
    SAME = "same"
    FORK = "fork"
    """Two signed checkpoints that cannot both be true: evidence against the log."""
    SHRUNK = "shrunk"
    """The log shows an older head than before; by itself it is no contradiction, but nobody should see it twice."""
    FALSE = "false"
    """The checkpoint is malformed, of another log, or not signed by it."""
    UNPROVEN = "unproven"
    """The tiles do not prove that the new head continues the old one."""
    STOPPED = "stopped"
    """Nothing new for longer than the log promises."""
    UNREACHABLE = "unreachable"


ALARMS: Final = frozenset({Verdict.FORK, Verdict.SHRUNK, Verdict.FALSE, Verdict.UNPROVEN})


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the log.

    Args:
        verdict: what it showed.
        size: of the head that was shown; 0 when there was none.
        reason: in words.
        evidence: files that hold the checkpoints concerned.
    """

    verdict: Verdict
    size: int
    reason: str
    evidence: tuple[Path, ...] = ()


class Memory:
    """Every checkpoint seen, one file each, in a folder.

    Args:
        folder: made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, checkpoint: Checkpoint, note: bytes) -> Path:
        """Keep a checkpoint durably; another note of the same head replaces it, and keeps the time it was first seen.

        Args:
            checkpoint: its head.
            note: the note as it came.

        Returns:
            the file.
        """
        digest = sha256(checkpoint.root).hexdigest()[:16]
        path = self._folder / f"{checkpoint.size:019d}-{digest}.checkpoint"
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            first_seen = path.stat().st_mtime
            os.utime(part, (first_seen, first_seen))
        part.replace(path)
        return path

    def files(self) -> list[Path]:
        """All files, smallest tree first."""
        return sorted(self._folder.glob("*.checkpoint"))

    def of_size(self, size: int) -> list[Path]:
        """Files of one size; more than one is a fork."""
        return sorted(self._folder.glob(f"{size:019d}-*.checkpoint"))

    def last(self) -> tuple[Checkpoint, Path] | None:
        """The largest checkpoint; None at the beginning.

        Raises:
            NoteError: the file is damaged.
        """
        files = self.files()
        return (_read(files[-1]), files[-1]) if files else None


def _read(path: Path) -> Checkpoint:
    return parse_checkpoint(parse_note(path.read_bytes()).text)


def load_checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """Read every checkpoint that a monitor kept.

    Args:
        folder: its state folder.

    Yields:
        the heads, smallest first.

    Raises:
        NoteError: a file is damaged.
        OSError: the folder cannot be read.
    """
    for path in sorted(folder.glob("*.checkpoint")):
        yield _read(path)


class Monitor:
    """Looks at one log.

    Args:
        memory: checkpoints seen.
        log: key of the log.
        witnesses: keys of witnesses, whose cosignatures tell the time.
        stop_after: longest time without anything new.
    """

    def __init__(
        self, memory: Memory, log: VerifierKey, witnesses: tuple[VerifierKey, ...] = (), *, stop_after: timedelta
    ) -> None:
        self._memory = memory
        self._log = log
        self._witnesses = witnesses
        self._stop_after = stop_after

    def look(self, fetch: Fetch, now: datetime) -> Look:  # noqa: PLR0911 - one way out for each step
        """Look once.

        1. The checkpoint is of the log and signed by it. 2. It is kept. 3. No other root was ever seen for its size.
        4. It is not smaller than the largest one. 5. The tiles prove that it continues the largest one. 6. It is fresh.

        Args:
            fetch: reads the log.
            now: aware time.

        Returns:
            what was seen.

        Raises:
            NoteError, OSError: the memory itself cannot be used.
        """
        last = self._memory.last()
        try:
            note = fetch("checkpoint", MAX_CHECKPOINT_BYTES)
        except OSError:
            return Look(Verdict.UNREACHABLE, 0, "the log does not answer")
        # 1
        try:
            checkpoint, parsed = verify_checkpoint(note, self._log)
            stamps = [stamp for key in self._witnesses for stamp in find_cosignatures(parsed, key)]
        except NoteError as error:
            return Look(Verdict.FALSE, 0, str(error))
        # 2
        is_new = not self._memory.of_size(checkpoint.size)
        path = self._memory.keep(checkpoint, note)
        # 3
        same = self._memory.of_size(checkpoint.size)
        if len(same) > 1:
            return Look(Verdict.FORK, checkpoint.size, "two trees of one size are signed", tuple(same))
        if last is None:
            return Look(Verdict.GREW, checkpoint.size, "first checkpoint")
        largest, largest_path = last
        # 4
        if checkpoint.size < largest.size:
            # The smaller one is judged too: it must be a beginning of the larger one.
            verdict = self._compare(fetch, checkpoint, largest)
            reason = "smaller than before" if verdict is None else f"smaller than before, and {verdict}"
            return Look(Verdict.SHRUNK, checkpoint.size, reason, (largest_path, path))
        # 5
        if is_new and (problem := self._compare(fetch, largest, checkpoint)) is not None:
            return Look(Verdict.UNPROVEN, checkpoint.size, problem, (largest_path, path))
        # 6
        if is_new:
            return Look(Verdict.GREW, checkpoint.size, f"continues {largest.size}")
        newest = max([path.stat().st_mtime, *stamps])
        if now.timestamp() - newest > self._stop_after.total_seconds():
            return Look(Verdict.STOPPED, checkpoint.size, "nothing new for too long")
        return Look(Verdict.SAME, checkpoint.size, "as before")

    def _compare(self, fetch: Fetch, first: Checkpoint, second: Checkpoint) -> str | None:
        """What is wrong between two heads; None when the second continues the first."""
        if first.size == 0:
            return None
        tiles: dict[Tile, bytes] = {}

        def read(node: Node) -> bytes:
            tile = tile_of(node)
            if tile not in tiles:
                width = min(TILE_WIDTH, (second.size >> TILE_LEVELS * tile.level) - tile.place * TILE_WIDTH)
                path = TilePath(tile.level, tile.place, width).to_text()
                tiles[tile] = fetch(path, width * HASH_BYTES)
            return node_of_tile(node, tiles[tile])

        try:
            proof = prove_consistency(first.size, second.size, read)
            verify_consistency(first.size, second.size, first.root, second.root, proof)
        except OSError:
            return "the tiles that would prove it cannot be had"
        except ProofError:
            return "the tiles do not prove that the larger tree continues the smaller"
        return None
