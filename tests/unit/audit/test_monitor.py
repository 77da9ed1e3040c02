"""The monitor over a log in memory: growth is believed when it is proved, and nothing is forgotten."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.audit.monitor import Monitor, Verdict
from gateway.audit.monitor_memory import Memory, load_checkpoints
from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint
from gateway.core.log.fork import verify_fork
from gateway.core.log.merkle import HASH_BYTES, TILE_LEVELS, Node
from gateway.core.log.note import NoteError
from gateway.core.log.tile_path import parse_tile_path
from tests.support.notes import ORIGIN, MemoryLog

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Served:
    """A log that is served; what it shows can be exchanged."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.size = len(log.leaves)
        self.is_up = True
        self.has_tiles = True
        self.note: bytes | None = None

    def __call__(self, path: str, most_bytes: int) -> bytes:
        """Answer like a server of tiles."""
        if not self.is_up:
            raise OSError
        if path == "checkpoint":
            return self.note if self.note is not None else self.log.checkpoint(self.size).to_bytes()
        if not self.has_tiles:
            raise OSError
        tile = parse_tile_path(path)
        assert tile.level is not None
        if not tile.is_in(self.size):
            raise OSError
        level = tile.level * TILE_LEVELS
        data = b"".join(self.log.read(Node(level, tile.place * 256 + at)) for at in range(tile.width))
        assert len(data) == tile.width * HASH_BYTES <= most_bytes
        return data


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    """A monitor that remembers nothing yet."""
    log = MemoryLog()
    return Monitor(Memory(tmp_path / "state"), log.key.verifier, stop_after=timedelta(minutes=30))


def test_monitor_growing_log_is_followed(monitor: Monitor, tmp_path: Path) -> None:
    """Each new head is proved from tiles to continue the last one, over full and partial tiles, and is kept."""
    served = Served(MemoryLog.of(700))
    for size in (1, 2, 255, 256, 257, 700):
        served.size = size
        assert monitor.look(served, NOW).verdict is Verdict.GREW
    assert [seen.size for seen in load_checkpoints(tmp_path / "state")] == [1, 2, 255, 256, 257, 700]


def test_monitor_fork_is_evidence(monitor: Monitor) -> None:
    """Another root for a size that was seen: both signed notes are kept and named, for ever."""
    assert monitor.look(Served(MemoryLog.of(9)), NOW).verdict is Verdict.GREW
    for _ in range(2):
        look = monitor.look(Served(MemoryLog.of(9, "other")), NOW)
        assert look.verdict is Verdict.FORK
        *notes, proof = look.evidence
        assert len({path.read_bytes() for path in notes}) == 2
        assert verify_fork(proof.read_bytes(), MemoryLog().key.verifier).larger.size == 9
    assert monitor.look(Served(MemoryLog.of(9)), NOW).verdict is Verdict.FORK


@pytest.mark.parametrize(("first", "second"), [(9, 12), (8, 12), (256, 700), (1, 2)])
def test_monitor_larger_tree_with_another_past_is_evidence(monitor: Monitor, first: int, second: int) -> None:
    """A fork does not hide behind a larger size: its own tiles prove it, now, at each later look, and to anybody."""
    assert monitor.look(Served(MemoryLog.of(first)), NOW).verdict is Verdict.GREW
    for shown in (MemoryLog.of(second, "other"), MemoryLog.of(second, "other"), MemoryLog.of(first)):
        look = monitor.look(Served(shown), NOW)
        assert look.verdict is Verdict.FORK
        (proof,) = look.evidence
        fork = verify_fork(proof.read_bytes(), MemoryLog().key.verifier)
        assert (fork.smaller, fork.larger.size) == (MemoryLog.of(first).head(), second)
        assert fork.prefix_root == MemoryLog.of(first, "other").head().root


def test_monitor_tiles_withheld_is_unproven(monitor: Monitor) -> None:
    """Who shows a head must show the tiles: it is not believed the second time either, but once they are there."""
    served = Served(MemoryLog.of(12))
    served.size = 9
    assert monitor.look(served, NOW).verdict is Verdict.GREW
    served.size, served.has_tiles = 12, False
    for _ in range(2):
        look = monitor.look(served, NOW)
        assert (look.verdict, len(look.evidence)) == (Verdict.UNPROVEN, 2)
    served.has_tiles = True
    assert monitor.look(served, NOW).verdict is Verdict.SAME


def test_monitor_tiles_of_another_tree_prove_nothing(monitor: Monitor) -> None:
    """Tiles that do not lead to the signed root are no evidence against it, and no proof for it."""
    assert monitor.look(Served(MemoryLog.of(9)), NOW).verdict is Verdict.GREW
    served = Served(MemoryLog.of(12, "other"))
    served.note = MemoryLog.of(12).checkpoint().to_bytes()
    assert monitor.look(served, NOW).verdict is Verdict.UNPROVEN


def test_monitor_told_what_others_were_shown_finds_the_fork(monitor: Monitor) -> None:
    """Two clients who compare their checkpoints have evidence when they were shown different logs."""
    assert monitor.look(Served(MemoryLog.of(12)), NOW).verdict is Verdict.GREW
    monitor.hear(MemoryLog.of(7).checkpoint().to_bytes())
    assert monitor.look(Served(MemoryLog.of(12)), NOW).verdict is Verdict.SAME
    monitor.hear(MemoryLog.of(7, "other").checkpoint().to_bytes())
    look = monitor.look(Served(MemoryLog.of(12)), NOW)
    assert look.verdict is Verdict.FORK
    assert verify_fork(look.evidence[0].read_bytes(), MemoryLog().key.verifier).smaller.size == 7


def test_monitor_told_of_a_larger_tree_is_told_an_old_one(monitor: Monitor) -> None:
    """A log that shows one client a larger tree than another keeps something from the second."""
    served = Served(MemoryLog.of(12))
    served.size = 9
    monitor.hear(MemoryLog.of(12).checkpoint().to_bytes())
    assert monitor.look(served, NOW).verdict is Verdict.SHRUNK
    served.size = 12
    assert monitor.look(served, NOW).verdict is Verdict.SAME
    with pytest.raises(NoteError):
        monitor.hear(MemoryLog.of(12, seed="other").checkpoint().to_bytes())


def test_monitor_shrunk_log_is_reported(monitor: Monitor) -> None:
    """A smaller head, also a true old one, is a restored backup or a split view."""
    served = Served(MemoryLog.of(12))
    assert monitor.look(served, NOW).verdict is Verdict.GREW
    served.size = 9
    assert monitor.look(served, NOW).verdict is Verdict.SHRUNK


def test_monitor_false_head_is_reported(monitor: Monitor) -> None:
    """No signature, another key under the same name, another log, or no checkpoint at all."""
    served = Served(MemoryLog.of(3))
    for note in (
        MemoryLog.of(3, seed="other").checkpoint().to_bytes(),
        MemoryLog.of(3, origin="other.invalid/log").checkpoint().to_bytes(),
        b"nothing",
        b"",
    ):
        served.note = note
        assert monitor.look(served, NOW).verdict is Verdict.FALSE
    assert monitor.look(Served(MemoryLog.of(3)), NOW).verdict is Verdict.GREW


def test_monitor_stopped_and_unreachable_log_is_reported(monitor: Monitor, tmp_path: Path) -> None:
    """The same head for longer than allowed is a stop; a fresh cosignature is a sign of life."""
    served = Served(MemoryLog.of(3))
    assert monitor.look(served, NOW).verdict is Verdict.GREW
    seen = next((tmp_path / "state").glob("*.checkpoint"))
    for minutes, verdict in ((29, Verdict.SAME), (31, Verdict.STOPPED), (31, Verdict.STOPPED)):
        at = (NOW - timedelta(minutes=minutes)).timestamp()
        os.utime(seen, (at, at))
        assert monitor.look(served, NOW).verdict is verdict
    log = served.log
    watching = Monitor(
        Memory(tmp_path / "state"),
        log.key.verifier,
        tuple(key.verifier for key in log.witnesses),
        stop_after=timedelta(minutes=30),
    )
    served.note = log.checkpoint(3, cosigners=2).to_bytes()
    stamped = datetime.fromtimestamp(1_772_413_200, UTC)
    assert watching.look(served, stamped + timedelta(minutes=1)).verdict is Verdict.SAME
    served.is_up = False
    assert monitor.look(served, NOW).verdict is Verdict.UNREACHABLE


def test_monitor_memory_damaged_stops_it(monitor: Monitor, tmp_path: Path) -> None:
    """A memory that cannot be read must not be taken for an empty one."""
    assert monitor.look(Served(MemoryLog.of(3)), NOW).verdict is Verdict.GREW
    next((tmp_path / "state").glob("*.checkpoint")).write_bytes(b"")
    with pytest.raises(NoteError):
        monitor.look(Served(MemoryLog.of(4)), NOW)


def test_monitor_empty_log_may_grow(monitor: Monitor) -> None:
    """The empty tree is a beginning of every tree."""
    log = MemoryLog.of(2)
    served = Served(log)
    served.note = sign_checkpoint(Checkpoint(ORIGIN, 0, MemoryLog().head(0).root), log.key).to_bytes()
    assert monitor.look(served, NOW).verdict is Verdict.GREW
    served.note = None
    assert monitor.look(served, NOW).verdict is Verdict.GREW
