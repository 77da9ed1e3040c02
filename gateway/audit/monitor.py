"""The monitor: keeps every checkpoint it ever saw, and compares each new one with all of them.

It reads a log over C2SP tlog-tiles, as anybody can, and believes a tile only as far as it proves something. A
checkpoint that contradicts a kept one is kept too, and both go with what connects them into one file (`core.log.fork`)
that convinces whoever has the key of the log.

Source: C2SP tlog-tiles, tlog-checkpoint; RFC 9162, section 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.audit.monitor_memory import Memory, read_checkpoint
from gateway.core.log.checkpoint import verify_checkpoint
from gateway.core.log.cosignature import find_cosignatures
from gateway.core.log.fork import find_fork
from gateway.core.log.merkle import HASH_BYTES, TILE_LEVELS, TILE_WIDTH, Node, ProofError
from gateway.core.log.merkle_tile import Tile, node_of_tile, tile_of
from gateway.core.log.note import NoteError, VerifierKey
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
    """Two signed checkpoints that cannot both be true; a file proves it to anybody."""
    SHRUNK = "shrunk"
    """The log shows an older head than before; by itself it is no contradiction, but nobody should see it twice."""
    FALSE = "false"
    """The checkpoint is malformed, of another log, or not signed by it."""
    UNPROVEN = "unproven"
    """The tiles that would prove that one head continues another are not given, or lead to neither."""
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
        evidence: files that hold the checkpoints concerned; of a fork also the one that proves it (``.fork.json``).
    """

    verdict: Verdict
    size: int
    reason: str
    evidence: tuple[Path, ...] = ()


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

    def hear(self, note: bytes) -> Path:
        """Keep a checkpoint that somebody else was shown; the next look compares it.

        Args:
            note: as the log signed it.

        Returns:
            the file.

        Raises:
            NoteError: it is malformed, of another log, or not signed by this one.
        """
        checkpoint, _ = verify_checkpoint(note, self._log)
        return self._memory.keep(checkpoint, note)

    def look(self, fetch: Fetch, now: datetime) -> Look:  # noqa: PLR0911 - one way out for each step
        """Look once.

        1. The checkpoint is of the log and signed by it. 2. It is kept. 3. No other root was ever seen for its size,
        and no fork was ever found. 4. The tiles prove that it, and whatever is still doubted, is on one line with the
        largest one. 5. It is not smaller than that. 6. It is fresh.

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
            self._compare(fetch, *same[:2])
            return Look(Verdict.FORK, checkpoint.size, "two trees of one size are signed", (*same, *self._forks()))
        if self._forks():
            return Look(Verdict.FORK, checkpoint.size, "the log forked before", self._forks())
        # 4
        if last is None:
            self._memory.trust(path)
            last = checkpoint, path
        # The head that is shown comes first: the tiles of its tree are those that the log must have.
        unproven = self._settle(fetch, [path, *self._memory.doubted()])
        if self._forks():
            return Look(Verdict.FORK, checkpoint.size, "two signed trees contradict each other", self._forks())
        # 5
        largest, largest_path = last
        if checkpoint.size < largest.size:
            return Look(Verdict.SHRUNK, checkpoint.size, f"smaller than {largest.size} before", (largest_path, path))
        beyond = self._memory.doubted()[-1:]
        if beyond and read_checkpoint(beyond[0]).size > checkpoint.size:
            return Look(Verdict.SHRUNK, checkpoint.size, "smaller than one that was shown elsewhere", (*beyond, path))
        if unproven is not None:
            return unproven
        # 6
        if is_new:
            reason = "first checkpoint" if largest_path == path else f"continues {largest.size}"
            return Look(Verdict.GREW, checkpoint.size, reason)
        newest = max([path.stat().st_mtime, *stamps])
        if now.timestamp() - newest > self._stop_after.total_seconds():
            return Look(Verdict.STOPPED, checkpoint.size, "nothing new for too long")
        return Look(Verdict.SAME, checkpoint.size, "as before")

    def _forks(self) -> tuple[Path, ...]:
        return tuple(self._memory.forks())

    def _settle(self, fetch: Fetch, doubted: Sequence[Path]) -> Look | None:
        """Compare each doubted checkpoint with the largest one; the first of which nothing is proved, or None."""
        unproven = None
        for path in dict.fromkeys(doubted):
            size, last = read_checkpoint(path).size, self._memory.last()
            twins = [twin for twin in self._memory.of_size(size) if twin != path]
            if last is None or last[1] == path:
                continue
            # Two roots of one size need no tile, which a log that forked may not want to give.
            other = (twins or [last[1]])[0]
            problem = self._compare(fetch, path, other)
            if problem is not None and unproven is None:
                unproven = Look(Verdict.UNPROVEN, size, problem, (other, path))
        return unproven

    def _compare(self, fetch: Fetch, one: Path, other: Path) -> str | None:
        """Compare two kept checkpoints; on one line, both are trusted, of a fork the evidence is kept.

        Returns:
            why nothing is proved; None when something is.
        """
        (first, smaller), (second, larger) = sorted(
            ((read_checkpoint(path), path) for path in (one, other)), key=lambda pair: pair[0].size
        )
        if first.size > 0:
            try:
                evidence = find_fork(smaller.read_bytes(), larger.read_bytes(), self._log, _reader(fetch, second.size))
            except OSError:
                return "the tiles that would prove it cannot be had"
            except ProofError:
                return "the tiles do not lead to the root that was signed"
            if evidence is not None:
                self._memory.keep_fork(evidence, second.size)
                return None
        for path in (smaller, larger):
            self._memory.trust(path)
        return None


def _reader(fetch: Fetch, size: int) -> Callable[[Node], bytes]:
    """Read nodes of a tree from its tiles, each tile once."""
    tiles: dict[Tile, bytes] = {}

    def read(node: Node) -> bytes:
        tile = tile_of(node)
        if tile not in tiles:
            width = min(TILE_WIDTH, (size >> TILE_LEVELS * tile.level) - tile.place * TILE_WIDTH)
            tiles[tile] = fetch(TilePath(tile.level, tile.place, width).to_text(), width * HASH_BYTES)
        return node_of_tile(node, tiles[tile])

    return read
