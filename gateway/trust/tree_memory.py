"""The file in which a signer or witness remembers the last tree, so that no crash makes it contradict itself.

It is replaced as a whole: temporary file, fsync, rename, fsync of the folder. One process at a time holds its lock.
Never restore it from a backup: a signer that forgot would sign a fork without knowing.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from pathlib import Path
from typing import Final, Self

from gateway.core.log.checkpoint import MAX_SIZE
from gateway.core.log.merkle import HASH_BYTES, Frontier, ProofError
from gateway.core.log.note import NoteError
from gateway.core.port.seal import MemoryLostError, SeenTree

_FIELDS: Final = {"origin", "size", "root", "frontier"}
_MAX_BYTES: Final = 64 * 1024


def to_text(tree: SeenTree) -> str:
    """Write a tree as the file has it: one JSON object on a line."""
    fields = {"origin": tree.origin, "size": tree.size, "root": tree.root.hex(), "frontier": tree.frontier.hex()}
    return json.dumps(fields, ensure_ascii=True) + "\n"


def parse_tree(text: str) -> SeenTree:
    """Read back what ``to_text`` wrote.

    Args:
        text: of the file.

    Returns:
        the tree.

    Raises:
        MemoryLostError: malformed, or a frontier that does not lead to the root.
    """
    try:
        fields = json.loads(text)
        if fields.keys() != _FIELDS or not isinstance(fields["origin"], str) or type(fields["size"]) is not int:
            raise MemoryLostError("the state file has other fields")
        tree = SeenTree(
            fields["origin"], fields["size"], bytes.fromhex(fields["root"]), bytes.fromhex(fields["frontier"])
        )
        if not 0 <= tree.size <= MAX_SIZE or len(tree.root) != HASH_BYTES:
            raise MemoryLostError("the state file names no tree")
        if tree.frontier and Frontier.from_bytes(tree.size, tree.frontier).root() != tree.root:
            raise MemoryLostError("the state file contradicts itself")
    except (ValueError, TypeError, AttributeError, ProofError, NoteError) as error:
        raise MemoryLostError("the state file cannot be read") from error
    return tree


class FileMemory:
    """A state file that this process holds; implements ``TreeMemory``.

    Args:
        path: the file; its lock lies beside it.
        origin: name of the log that it must be of.
    """

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin
        self._lock = -1
        self._tree = SeenTree(origin)

    def __enter__(self) -> Self:
        """Take the lock and read the file.

        Raises:
            MemoryLostError: another process holds it, there is no file, it is malformed or of another log.
        """
        self._take_lock()
        try:
            self._tree = self._read()
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    @property
    def tree(self) -> SeenTree:
        """The last tree."""
        return self._tree

    def create(self) -> None:
        """Write the empty tree, once, before the first use.

        Raises:
            MemoryLostError: there is a file already; nothing was changed.
            OSError: it cannot be written.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            if self._path.exists():
                raise MemoryLostError("there is a state file already")
            self._write(SeenTree(self._origin))
        finally:
            self._let_go()

    async def swap(self, known: SeenTree, new: SeenTree) -> None:
        """Replace the last tree; see ``TreeMemory``."""
        await asyncio.to_thread(self._swap, known, new)

    def _swap(self, known: SeenTree, new: SeenTree) -> None:
        if self._lock < 0:
            raise MemoryLostError("the state file is not held")
        # Read again: somebody may have put an older copy of the file in its place while we ran.
        if self._read() != known or known != self._tree:
            raise MemoryLostError("the state file was changed by somebody else")
        try:
            self._write(new)
        except OSError as error:
            raise MemoryLostError("the state file cannot be written") from error
        self._tree = new

    def _read(self) -> SeenTree:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise MemoryLostError("there is no state file that can be read") from error
        if len(data) > _MAX_BYTES:
            raise MemoryLostError("the state file is too large")
        tree = parse_tree(data.decode("ascii", "replace"))
        if tree.origin != self._origin:
            raise MemoryLostError("the state file is of another log")
        return tree

    def _write(self, tree: SeenTree) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(to_text(tree).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _take_lock(self) -> None:
        try:
            self._lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise MemoryLostError("the folder of the state file cannot be used") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._let_go()
            raise MemoryLostError("another process holds the state file") from error

    def _let_go(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
