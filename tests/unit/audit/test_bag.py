"""Packs that an enemy made: refused before anything in them is looked at, within bounds of time and memory."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.audit import bag
from gateway.audit.bag import BagError, BagWriter, open_bag
from gateway.audit.pack import Trust
from gateway.audit.verify import REFUSED, verify_pack

Change = Callable[[zipfile.ZipFile], None]


def make(path: Path, change: Change | None = None) -> Path:
    """Write a good bag of two files, then let the enemy add to it."""
    with path.open("wb") as file:
        writer = BagWriter(file, "pack")
        writer.add("a.txt", b"a")
        writer.add("folder/b.txt", b"b" * 100)
        writer.finish({"External-Identifier": "x"}, date(2026, 3, 2))
    if change is not None:
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            change(archive)
    return path


def test_bag_of_a_large_file_that_is_nearly_empty_is_read_again(tmp_path: Path) -> None:
    """A record that says one thing many times is no bomb: what is written is never refused by the own reader."""
    content = b"<fact>one thing</fact>" * 100_000
    path = tmp_path / "bag.zip"
    with path.open("wb") as file:
        writer = BagWriter(file, "pack")
        writer.add("record.bin", content)
        writer.finish({"External-Identifier": "x"}, date(2026, 3, 2))
    with open_bag(path) as opened:
        assert opened.read("record.bin") == content and not opened.problems


def link(archive: zipfile.ZipFile) -> None:
    """A symbolic link."""
    info = zipfile.ZipInfo("pack/data/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def again(archive: zipfile.ZipFile) -> None:
    """The same name a second time."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("pack/data/a.txt", "other")


HOSTILE: dict[str, Change] = {
    "absolute": lambda archive: archive.writestr("/etc/evil", "x"),
    "upwards": lambda archive: archive.writestr("pack/../../evil", "x"),
    "upwards inside": lambda archive: archive.writestr("pack/data/../../../evil", "x"),
    "drive": lambda archive: archive.writestr("C:/evil", "x"),
    "backslash": lambda archive: archive.writestr("pack\\data\\evil", "x"),
    "empty part": lambda archive: archive.writestr("pack//data/evil", "x"),
    "control character": lambda archive: archive.writestr("pack/data/e\nvil", "x"),
    "hidden": lambda archive: archive.writestr("pack/data/.evil", "x"),
    "long name": lambda archive: archive.writestr("pack/data/" + "e" * 200, "x"),
    "deep": lambda archive: archive.writestr("pack/" + "d/" * 20 + "evil", "x"),
    "second folder": lambda archive: archive.writestr("other/data/evil", "x"),
    "folder entry": lambda archive: archive.writestr("pack/data/sub/", ""),
    "link": link,
    "twice": again,
    "bomb": lambda archive: archive.writestr("pack/data/bomb", bytes(64 * 1024 * 1024)),
    "lzma": lambda archive: archive.writestr("pack/data/evil", "x", zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bag_hostile_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing of such a pack is unpacked or read."""
    path = make(tmp_path / "pack.zip", HOSTILE[name])
    with pytest.raises(BagError), open_bag(path):
        pass
    verified = verify_pack(path, Trust())
    assert verified.code == REFUSED
    assert [finding.check for finding in verified.findings] == ["bag-refused"]
    assert list(tmp_path.iterdir()) == [path]


def test_bag_good_is_read(tmp_path: Path) -> None:
    """What was written comes back, with its digests."""
    with open_bag(make(tmp_path / "pack.zip")) as opened:
        assert opened.problems == []
        assert opened.read("a.txt") == b"a"
        assert opened.read("no.txt") is None
        assert sorted(opened.digests) == ["a.txt", "folder/b.txt"]


def test_bag_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    """A member that unpacks to more than the directory says is given up as soon as it does."""
    path = make(tmp_path / "pack.zip")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"pack/data/folder/b.txt") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(BagError), open_bag(path):
        pass


@pytest.mark.parametrize("size", [0, 1, 10, 200])
def test_bag_cut_short_is_refused(tmp_path: Path, size: int) -> None:
    """Half a zip is no zip."""
    path = make(tmp_path / "pack.zip")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(BagError), open_bag(path):
        pass


def test_bag_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit on everything."""
    path = make(tmp_path / "pack.zip")
    monkeypatch.setattr(bag, "MAX_FILES", 3)
    with pytest.raises(BagError, match="1 to 3 files"), open_bag(path):
        pass


def test_bag_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes of all files together are bounded before the first is read."""
    path = make(tmp_path / "pack.zip")
    monkeypatch.setattr(bag, "MAX_WHOLE_BYTES", 100)
    with pytest.raises(BagError, match="too large"), open_bag(path):
        pass


def rewrite(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change one file of a zip."""
    with zipfile.ZipFile(path) as archive:
        files = {item: archive.read(item) for item in archive.namelist()}
    files[name] = change(files[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for item, data in files.items():
            archive.writestr(item, data)
    path.write_bytes(buffer.getvalue())


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("pack/data/a.txt", lambda data: b"b", "data/a.txt"),
        ("pack/manifest-sha256.txt", lambda data: data.splitlines(keepends=True)[0], "data/folder/b.txt"),
        ("pack/manifest-sha256.txt", lambda data: data + b"0" * 64 + b"  data/no.txt\n", "data/no.txt"),
        ("pack/manifest-sha256.txt", lambda data: data + b"0" * 64 + b"  ../../etc/passwd\n", "manifest-sha256.txt"),
        ("pack/manifest-sha256.txt", lambda data: b"\xff\n", "manifest-sha256.txt"),
        ("pack/manifest-sha256.txt", lambda data: data * 2, "manifest-sha256.txt"),
        ("pack/tagmanifest-sha256.txt", lambda data: b"", "bagit.txt"),
        ("pack/bag-info.txt", lambda data: b"Other: x\n", "bag-info.txt"),
    ],
)  # fmt: skip
def test_bag_with_a_wrong_listing_is_reported(
    tmp_path: Path, name: str, change: Callable[[bytes], bytes], problem: str
) -> None:
    """What is missing, more or different is named; the rest is still verified."""
    path = make(tmp_path / "pack.zip")
    rewrite(path, name, change)
    with open_bag(path) as opened:
        assert problem in {where for where, _ in opened.problems}


def test_bag_of_another_version_is_refused(tmp_path: Path) -> None:
    """Another declaration is another format."""
    path = make(tmp_path / "pack.zip")
    rewrite(path, "pack/bagit.txt", lambda data: data.replace(b"1.0", b"0.97"))
    with pytest.raises(BagError, match=r"1\.0"), open_bag(path):
        pass
