"""Files that a user names, read up to a limit: what is too large is refused by its size, not by the memory it takes."""

from __future__ import annotations

from pathlib import Path


def read_at_most(file: Path, most_bytes: int) -> bytes:
    """Read the beginning of a file.

    Args:
        file: any file, also a device or a pipe without end.
        most_bytes: what may be in it.

    Returns:
        all of it; one byte more than may be, by which whoever judges it sees that it is too large.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        return stream.read(most_bytes + 1)
