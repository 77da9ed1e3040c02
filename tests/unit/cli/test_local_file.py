"""Files that a user names: a large one costs its limit of memory, and is refused as too large."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from gateway.cli.local_file import read_at_most
from tests.support.command import fasttrack_here

MIB = 1024 * 1024


def test_file_is_read_to_one_byte_beyond_its_limit(tmp_path: Path) -> None:
    """Whoever judges it sees that it is too large, and no more of it is in memory."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10)
    assert [len(read_at_most(file, most)) for most in (0, 9, 10, 11)] == [1, 10, 10, 10]


@pytest.mark.parametrize(
    ("arguments", "size", "name"),
    [
        (("rules", "check", "{file}", "--from", "police", "--to", "procuratorate"), 8 * MIB, "RECORD_LIMIT_EXCEEDED"),
        (("statement", "register", "{file}", "--unit", "110108000000"), 2 * MIB, "FORM_TOO_LARGE"),
    ],
    ids=["record", "table"],
)
def test_file_that_is_too_large_is_refused_and_not_read_whole(
    arguments: tuple[str, ...], size: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that somebody picked by mistake ends a command with a finding."""

    def never(path: Path) -> NoReturn:
        raise AssertionError(f"{path.name} is read whole")

    file = tmp_path / "large"
    with file.open("wb") as stream:
        stream.truncate(64 * size)
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: never(path) if path == file else read_bytes(path))
    done = fasttrack_here(*(part.format(file=file) for part in arguments), "--json")
    assert done.code == 1
    assert name in done.output
