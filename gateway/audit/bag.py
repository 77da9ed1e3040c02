"""BagIt in a zip: written so that public validators accept it, and read as if an enemy had made it.

Source: RFC 8493 (BagIt 1.0).
"""

from __future__ import annotations

import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import IO, Final

MAX_FILES: Final = 50_000
MAX_TAG_BYTES: Final = 16 * 1024**2
MAX_FILE_BYTES: Final = 16 * 1024**2
"""Largest file that is read into memory; materials are only hashed."""
MAX_WHOLE_BYTES: Final = 256 * 1024**3
MAX_RATIO: Final = 200
_BLOCK: Final = 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,7}", re.ASCII)
_LINE: Final = re.compile(r"([0-9a-f]{64})[ \t]+(\S.*)", re.ASCII)
_DECLARATION: Final = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class BagError(ValueError):
    """A container that is not read any further: hostile, damaged, or no bag."""


class BagWriter:
    """Writes one bag into a zip.

    Args:
        file: where to.
        name: folder inside the zip.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._name = name
        self._manifest: dict[str, str] = {}
        self._octets = 0

    def add(self, path: str, content: bytes | Path) -> None:
        """Add a file of the payload.

        Args:
            path: below ``data/``.
            content: bytes, or a file to copy.
        """
        digest, size = self._write(f"data/{path}", content)
        self._manifest[f"data/{path}"] = digest
        self._octets += size

    def _write(self, path: str, content: bytes | Path) -> tuple[str, int]:
        info = zipfile.ZipInfo(f"{self._name}/{path}", _EPOCH)
        info.external_attr = 0o644 << 16
        # A time-stamp or picture does not get smaller, and a reader that fears bombs must not refuse it.
        is_stored = isinstance(content, Path) or _is_like_a_bomb(content)
        info.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=isinstance(content, Path)) as target:
            for block in _blocks(content):
                digest.update(block)
                size += len(block)
                target.write(block)
        return digest.hexdigest(), size

    def finish(self, info: dict[str, str], made_on: date) -> None:
        """Write the tag files and end the zip.

        Args:
            info: lines of bag-info.txt.
            made_on: bagging date.
        """
        lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(self._manifest.items()))
        info = info | {"Bagging-Date": made_on.isoformat(), "Payload-Oxum": f"{self._octets}.{len(self._manifest)}"}
        tags = {
            "bagit.txt": _DECLARATION,
            "bag-info.txt": "".join(f"{key}: {value}\n" for key, value in info.items()),
            "manifest-sha256.txt": lines,
        }
        digests = {name: self._write(name, text.encode())[0] for name, text in tags.items()}
        listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
        self._write("tagmanifest-sha256.txt", listing.encode())
        self._zip.close()


def _is_like_a_bomb(content: bytes) -> bool:
    """Whether it gets so much smaller that readers, the own one among them, would take it for a bomb."""
    return len(content) > _BLOCK and len(content) > MAX_RATIO // 2 * len(zlib.compress(content))


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


@dataclass(slots=True)
class Bag:
    """A bag that was opened; only its container was judged.

    Args:
        problems: what is wrong with the files, as path and reason.
        digests: SHA-256 of every file of the payload as computed, by path below ``data/``.
    """

    _zip: zipfile.ZipFile
    _members: dict[str, zipfile.ZipInfo]
    problems: list[tuple[str, str]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def names(self, folder: str = "") -> list[str]:
        """Paths of the payload below a folder."""
        return [name for name in self.digests if name.startswith(folder)]

    def read(self, path: str) -> bytes | None:
        """Read a file of the payload.

        Args:
            path: below ``data/``.

        Returns:
            at most 16 MiB; None when it is not there or larger.
        """
        member = self._members.get(f"data/{path}")
        return None if member is None or member.file_size > MAX_FILE_BYTES else _read(self._zip, member, MAX_FILE_BYTES)


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """Open a bag and check its digests.

    1. The zip has files only, each once, with plain names below one folder, not too many or too large, no bomb.
    2. The declaration is that of BagIt 1.0. 3. Every file is listed, every listed file is there, and has its digest.

    Args:
        path: the zip.

    Yields:
        the bag; what step 3 found is in ``problems``.

    Raises:
        BagError: step 1 or 2.
        OSError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            # 1
            members = _members(archive)
            bag = Bag(archive, members)
            # 2
            declaration = _tag(archive, members, "bagit.txt")
            if declaration is None or declaration.replace("\r\n", "\n") != _DECLARATION:
                raise BagError("not a bag of BagIt 1.0")
            # 3
            _check_listing(bag, archive, members)
            yield bag
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, zipfile.LargeZipFile) as error:
        raise BagError("not a readable zip") from error
    except ValueError as error:
        if isinstance(error, BagError):
            raise
        raise BagError("not a readable zip") from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    roots: set[str] = set()
    whole = 0
    infos = archive.infolist()
    if not 0 < len(infos) <= MAX_FILES:
        raise BagError(f"a pack has 1 to {MAX_FILES} files")
    for info in infos:
        name = info.filename
        mode = info.external_attr >> 16
        if info.is_dir() or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
            raise BagError("a pack has plain files only")
        if _NAME.fullmatch(name) is None or info.orig_filename != name:
            raise BagError("a file of the pack has a name that is not allowed")
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BagError("a file of the pack is encrypted or packed in an unusual way")
        whole += info.file_size
        is_bomb = info.file_size > MAX_RATIO * max(info.compress_size, 1) and info.file_size > _BLOCK
        if whole > MAX_WHOLE_BYTES or is_bomb:
            raise BagError("the pack is too large")
        root, _, rest = name.partition("/")
        roots.add(root)
        if rest in members or PurePosixPath(rest).as_posix() != rest:
            raise BagError("a file stands in the pack twice")
        members[rest] = info
    if len(roots) != 1:
        raise BagError("a pack has one folder")
    return members


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise BagError("a file of the pack is larger than the zip says")
    return data


def _tag(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str) -> str | None:
    member = members.get(name)
    if member is None or member.file_size > MAX_TAG_BYTES:
        return None
    try:
        return _read(archive, member, MAX_TAG_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _check_listing(bag: Bag, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
    digests = {name: _digest(archive, member) for name, member in members.items()}
    for manifest, is_own in (("manifest-sha256.txt", _is_payload), ("tagmanifest-sha256.txt", _is_tag)):
        listed = _listing(bag, archive, members, manifest)
        for name, digest in listed.items():
            if name not in members or not is_own(name):
                bag.problems.append((name if _NAME.fullmatch(f"x/{name}") else manifest, "listed, but not there"))
                continue
            if digests[name] != digest:
                bag.problems.append((name, f"not the file that {manifest} lists"))
        bag.problems += [(name, f"not listed in {manifest}") for name in members if is_own(name) and name not in listed]
    bag.digests |= {name.removeprefix("data/"): digests[name] for name in members if _is_payload(name)}


def _is_payload(name: str) -> bool:
    return name.startswith("data/")


def _is_tag(name: str) -> bool:
    return not _is_payload(name) and name != "tagmanifest-sha256.txt"


def _listing(bag: Bag, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], manifest: str) -> dict[str, str]:
    text = _tag(archive, members, manifest)
    if text is None:
        bag.problems.append((manifest, "is missing or cannot be read"))
        return {}
    listed: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed:
            bag.problems.append((manifest, f"line {number} is malformed or repeated"))
        else:
            listed[match[2]] = match[1]
    return listed


def _digest(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    digest, size = hashlib.sha256(), 0
    with archive.open(member) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            if size > member.file_size:
                raise BagError("a file of the pack is larger than the zip says")
            digest.update(block)
    return digest.hexdigest()
