"""One material on its way in: a part file, its running digests, and the steps that make it complete.

Everything here blocks; ``gateway.materials.local`` calls it in a thread. The order of the steps in ``commit`` makes a
crash harmless at any point: before the last rename there is a resumable part, after it a complete material.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.core.errors import ErrorCode, refuse

READ_BYTES: Final = 4 * 1024 * 1024
SIDECAR: Final = ".sm3"


def make_directory(path: Path) -> None:
    """Make a folder for the owner only, and sync its name to disk.

    Args:
        path: the folder; it may exist, its parent must.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Sync the names in a folder to disk, so that a rename survives a power cut.

    Args:
        path: the folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_sidecar(final: Path, sm3: str) -> None:
    """Write the SM3 of a material beside it, at once or not at all.

    Args:
        final: path of the material.
        sm3: 64 lower-case hexadecimal digits.
    """
    temporary = final.with_name(f"{final.name}.{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(sm3)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(final.with_name(final.name + SIDECAR))
    finally:
        temporary.unlink(missing_ok=True)


def _open_locked(path: Path) -> int:
    """Open the part and lock it against every other upload, of this process or another one."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between open and lock the file may have been completed or removed; then this is no longer the part, and
            # writing to it would write into a finished material.
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise refuse(
                ErrorCode.UPLOAD_OFFSET_WRONG,
                "header.offset",
                "another upload of this material is running; ask again later",
            ) from None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


class Part:
    """A locked part file with the digests of what it holds."""

    def __init__(self, path: Path, offset: int) -> None:
        """Open a part, new or broken off.

        Args:
            path: the part file; its folder is made when missing.
            offset: 0 to start over, or exactly the bytes that are there.

        Raises:
            GatewayError: UPLOAD_OFFSET_WRONG for another offset, or while another upload holds the part.
        """
        self.path = path
        self.received = 0
        self._sha256 = hashlib.sha256()
        self._sm3 = hashlib.new("sm3")
        self._guard = threading.Lock()
        make_directory(path.parent)
        self._descriptor = _open_locked(path)
        try:
            self._resume(offset)
        except BaseException:
            self.close()
            raise

    def _resume(self, offset: int) -> None:
        if offset == 0:
            os.ftruncate(self._descriptor, 0)
            return
        present = os.fstat(self._descriptor).st_size
        if offset != present:
            raise refuse(ErrorCode.UPLOAD_OFFSET_WRONG, "header.offset", f"start over at 0 or resume at {present}")
        # The digests are of what is on disk, not of what was once received: a part that was damaged is found out.
        while self.received < present:
            block = os.pread(self._descriptor, min(READ_BYTES, present - self.received), self.received)
            self._digest(block)
            self.received += len(block)
        os.lseek(self._descriptor, present, os.SEEK_SET)

    def _digest(self, block: bytes) -> None:
        self._sha256.update(block)
        self._sm3.update(block)

    def append(self, chunks: Sequence[bytes]) -> None:
        """Write chunks and digest them; does nothing once closed.

        Args:
            chunks: the next bytes in order.
        """
        # A cancelled call may close the part while its last block still waits for a thread; by then the number of the
        # descriptor may belong to another file.
        with self._guard:
            if self._descriptor < 0:
                return
            try:
                self._write(chunks)
            except OSError:
                # A full disk may have taken half of a chunk: nothing may follow it, so the part takes no more.
                self._close()
                raise

    def _write(self, chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._descriptor, view) :]
            self._digest(chunk)
            self.received += len(chunk)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was received, 64 lower-case hexadecimal digits."""
        return self._sha256.hexdigest()

    @property
    def sm3(self) -> str:
        """SM3 of what was received, 64 lower-case hexadecimal digits."""
        return self._sm3.hexdigest()

    def commit(self, final: Path) -> None:
        """Make the part the complete material.

        1. Sync the part. 2. Write and sync the sidecar. 3. Rename the part. 4. Sync the folders.

        Args:
            final: path of the material.
        """
        make_directory(final.parent)
        with self._guard:
            os.fsync(self._descriptor)
            write_sidecar(final, self.sm3)
            self.path.replace(final)
            sync_directory(final.parent)
            sync_directory(final.parent.parent)

    def discard(self) -> None:
        """Remove the part file; the lock is held until ``close``."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file and free the lock; what is on disk stays for a resume."""
        with self._guard:
            self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
