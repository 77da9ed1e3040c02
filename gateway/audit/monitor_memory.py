"""What a monitor never forgets: every signed checkpoint that it was shown, and evidence of forks, one file each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from gateway.core.log.checkpoint import Checkpoint, parse_checkpoint
from gateway.core.log.note import parse_note


class Memory:
    """Every checkpoint seen, in a folder.

    A checkpoint is *doubted* (an empty file ``.doubted`` beside it says so) until it is proved to be on one line with
    the others; so a head that nothing proves is asked about again at each look, and never taken for the last one.

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
            the file; it is doubted when it is new.
        """
        digest = sha256(checkpoint.root).hexdigest()[:16]
        path = self._folder / f"{checkpoint.size:019d}-{digest}.checkpoint"
        if path.exists():
            first_seen = path.stat().st_mtime
            _write(path, note, first_seen)
        else:
            # In this order: a kill between the two leaves a mark without a checkpoint, which says nothing.
            _doubt_of(path).touch()
            _write(path, note)
        return path

    def keep_fork(self, evidence: bytes, size: int) -> Path:
        """Keep evidence of a fork durably.

        Args:
            evidence: of ``core.log.fork``.
            size: of the larger tree.

        Returns:
            the file.
        """
        path = self._folder / f"{size:019d}-{sha256(evidence).hexdigest()[:16]}.fork.json"
        _write(path, evidence)
        return path

    def forks(self) -> list[Path]:
        """All evidence of forks."""
        return sorted(self._folder.glob("*.fork.json"))

    def trust(self, path: Path) -> None:
        """Take the doubt from a checkpoint."""
        _doubt_of(path).unlink(missing_ok=True)

    def doubted(self) -> list[Path]:
        """Checkpoints that are not proved to be on one line with the others, smallest tree first."""
        return [path for path in self.files() if _doubt_of(path).exists()]

    def files(self) -> list[Path]:
        """All checkpoints, smallest tree first."""
        return sorted(self._folder.glob("*.checkpoint"))

    def of_size(self, size: int) -> list[Path]:
        """Checkpoints of one size; more than one is a fork."""
        return sorted(self._folder.glob(f"{size:019d}-*.checkpoint"))

    def last(self) -> tuple[Checkpoint, Path] | None:
        """The largest checkpoint that is not doubted; None at the beginning.

        Raises:
            NoteError: the file is damaged.
        """
        files = [path for path in self.files() if not _doubt_of(path).exists()]
        return (read_checkpoint(files[-1]), files[-1]) if files else None


def _doubt_of(path: Path) -> Path:
    return path.with_suffix(".doubted")


def _write(path: Path, data: bytes, modified: float | None = None) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if modified is not None:
        os.utime(part, (modified, modified))
    part.replace(path)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that was kept; it was verified before.

    Raises:
        NoteError: the file is damaged.
        OSError: it cannot be read.
    """
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
        yield read_checkpoint(path)
