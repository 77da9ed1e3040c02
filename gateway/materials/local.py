"""Materials in a local directory: complete ones in ``sha256/ab/cdef...``, others in ``incoming/<owner>/``."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from gateway.core.errors import ErrorCode, refuse
from gateway.core.manifest import MAX_MATERIAL_BYTES
from gateway.core.port.material import StoredMaterial
from gateway.materials.part import READ_BYTES, SIDECAR, Part, make_directory, sync_directory, write_sidecar

BLOCK_BYTES: Final = 1024 * 1024
CHUNK_BYTES: Final = 256 * 1024
KNOWN_SECONDS: Final = 10.0
"""So long a process may believe that a material is there which another one has removed."""
_MAX_CACHED: Final = 100_000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_OWNER: Final = re.compile(r"[a-z]{2}:[0-9]{6}", re.ASCII)


def _require_digest(sha256: str) -> str:
    # Before it becomes part of a path: "../" is not a digest.
    if _DIGEST.fullmatch(sha256) is None:
        raise refuse(ErrorCode.ARGUMENT_INVALID, "sha256", "64 lower-case hexadecimal digits")
    return sha256


def stored_path(root: Path, sha256: str) -> Path | None:
    """Where a store keeps a complete material, for who reads the store without a gateway.

    Args:
        root: folder of the store.
        sha256: 64 lower-case hexadecimal digits; not trusted.

    Returns:
        the file; None for a malformed digest, and when it is not there.
    """
    if _DIGEST.fullmatch(sha256) is None:
        return None
    path = _path_of(root, sha256)
    return path if path.is_file() else None


def _path_of(root: Path, sha256: str) -> Path:
    return root / "sha256" / sha256[:2] / sha256[2:]


class Upload:
    """A running upload; at most two blocks of it are in memory, whatever its size."""

    def __init__(self, part: Part, final: Path, sha256: str, size: int) -> None:
        """Hold what the store opened; made by ``LocalStore.open_upload`` only."""
        self._part = part
        self._final = final
        self._sha256 = sha256
        self._size = size
        self._taken = part.received
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._writing: asyncio.Task[None] | None = None

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes; one block is written and digested while the next one arrives.

        Args:
            chunk: bytes in order.

        Raises:
            GatewayError: MATERIAL_SIZE_MISMATCH when more arrives than was declared; the chunk is not kept.
        """
        if self._taken + len(chunk) > self._size:
            raise refuse(ErrorCode.MATERIAL_SIZE_MISMATCH, "header.size", f"more than the {self._size} bytes declared")
        self._taken += len(chunk)
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        if self._waiting_bytes >= BLOCK_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        await self._settle()
        if self._waiting:
            chunks, self._waiting, self._waiting_bytes = self._waiting, [], 0
            self._start(self._part.append, chunks)

    def _start(self, step: Callable[..., None], *arguments: Any) -> None:
        self._writing = asyncio.create_task(asyncio.to_thread(step, *arguments))

    async def _settle(self) -> None:
        # A cancelled call must not cancel the step itself: a block dropped between two others would spoil the part.
        writing = self._writing
        if writing is not None:
            try:
                await asyncio.shield(writing)
            finally:
                if writing.done():
                    self._writing = None

    async def finish(self) -> StoredMaterial:
        """Check size and digest, sync, and make the material visible.

        Returns:
            the stored material.

        Raises:
            GatewayError: MATERIAL_SIZE_MISMATCH when bytes are missing (the part can be resumed);
                MATERIAL_DIGEST_MISMATCH when the digest is another one (the part is removed).
        """
        await self._flush()
        await self._settle()
        if self._part.received != self._size:
            raise refuse(
                ErrorCode.MATERIAL_SIZE_MISMATCH,
                "header.size",
                f"{self._part.received} bytes of {self._size} have arrived; resume there",
            )
        if self._part.sha256 != self._sha256:
            self._start(self._part.discard)
            await self._settle()
            raise refuse(
                ErrorCode.MATERIAL_DIGEST_MISMATCH, "header.sha256", "the bytes have another SHA-256; start over"
            )
        self._start(self._part.commit, self._final)
        await self._settle()
        return StoredMaterial(self._sha256, self._part.sm3, self._size)

    async def close(self) -> None:
        """Keep what has arrived for a resume, and free the part."""
        try:
            await self._flush()
            await self._settle()
        finally:
            self._part.close()


class LocalStore:
    """A content-addressed store in one directory; several processes may share it."""

    def __init__(
        self, root: Path, *, max_bytes: int = MAX_MATERIAL_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make the folders.

        Args:
            root: folder of the store; made when missing, for the owner only.
            max_bytes: largest material.
            clock: seconds that only grow.
        """
        self._root = root
        self._max_bytes = max_bytes
        self._clock = clock
        self._known: dict[str, tuple[StoredMaterial, float]] = {}
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("sha256", "incoming"):
            make_directory(root / name)

    def _final(self, sha256: str) -> Path:
        return _path_of(self._root, sha256)

    def _part(self, owner: str, sha256: str) -> Path:
        if _OWNER.fullmatch(owner) is None:
            raise refuse(ErrorCode.ARGUMENT_INVALID, "owner", "an agency such as ps:110108")
        return self._root / "incoming" / owner.replace(":", "-") / f"{_require_digest(sha256)}.part"

    async def info(self, sha256: str) -> StoredMaterial | None:
        """Describe a complete material.

        Content under a digest never changes, so what was seen is remembered; not for long, because it may be removed
        with the last case that names it.

        Args:
            sha256: 64 lower-case hexadecimal digits.

        Returns:
            its digests and size; None when it is not complete.

        Raises:
            GatewayError: ARGUMENT_INVALID for a malformed digest.
        """
        known, until = self._known.get(_require_digest(sha256), (None, 0.0))
        if known is None or until <= self._clock():
            known = await asyncio.to_thread(_describe, self._final(sha256), sha256)
            self._known.pop(sha256, None)
            if known is not None:
                self._remember(known)
        return known

    def _remember(self, material: StoredMaterial) -> None:
        if len(self._known) >= _MAX_CACHED:
            del self._known[next(iter(self._known))]
        self._known[material.sha256] = (material, self._clock() + KNOWN_SECONDS)

    async def remove(self, sha256: str) -> bool:
        """Remove a material, and every broken upload of it; readers that have it open read on to its end.

        Args:
            sha256: 64 lower-case hexadecimal digits.

        Returns:
            whether it was there; after a crash in the middle the next call removes the rest.

        Raises:
            GatewayError: ARGUMENT_INVALID for a malformed digest.
            OSError: a file cannot be removed.
        """
        final = self._final(_require_digest(sha256))
        self._known.pop(sha256, None)
        return await asyncio.to_thread(_remove, final, self._root / "incoming", sha256)

    async def size(self, sha256: str) -> int | None:
        """Tell the size of a complete material.

        Args:
            sha256: 64 lower-case hexadecimal digits.

        Returns:
            bytes; None when it is not complete.

        Raises:
            GatewayError: ARGUMENT_INVALID for a malformed digest.
        """
        material = await self.info(sha256)
        return None if material is None else material.size

    async def received_bytes(self, owner: str, sha256: str) -> int:
        """Tell how much of a broken upload is there.

        Args:
            owner: the uploading agency, ``ps:110108``.
            sha256: 64 lower-case hexadecimal digits.

        Returns:
            bytes to resume at; 0 when there is no part.

        Raises:
            GatewayError: ARGUMENT_INVALID for a malformed owner or digest.
        """
        return await asyncio.to_thread(_size_of, self._part(owner, sha256))

    @asynccontextmanager
    async def open_upload(self, owner: str, sha256: str, size: int, offset: int) -> AsyncIterator[Upload]:
        """Start an upload, or resume one.

        An agency sends every byte even of a material that is here already: to know a digest is not to have the bytes.

        Args:
            owner: the uploading agency, ``ps:110108``; nobody resumes the part of another one.
            sha256: 64 lower-case hexadecimal digits of the whole.
            size: bytes of the whole.
            offset: 0 to start over, or what ``received_bytes`` tells.

        Yields:
            the upload; left without ``finish``, what arrived is kept for a resume.

        Raises:
            GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE, MATERIAL_TOO_LARGE; UPLOAD_OFFSET_WRONG also while
                another upload of the same owner and digest is running.
        """
        path = self._part(owner, sha256)
        if size > self._max_bytes:
            raise refuse(ErrorCode.MATERIAL_TOO_LARGE, "header.size", f"at most {self._max_bytes} bytes")
        if not 0 <= offset <= size:
            raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "header.offset", "0 <= offset <= size")
        part = await _open_part(path, offset)
        upload = Upload(part, self._final(sha256), sha256, size)
        try:
            yield upload
        finally:
            await upload.close()

    async def read(self, sha256: str, offset: int, length: int, chunk_bytes: int = CHUNK_BYTES) -> AsyncIterator[bytes]:
        """Read a range of a complete material.

        Args:
            sha256: 64 lower-case hexadecimal digits.
            offset: first byte, from 0.
            length: bytes; the range must lie within the material.
            chunk_bytes: largest chunk.

        Yields:
            the bytes in order.

        Raises:
            GatewayError: ARGUMENT_INVALID, MATERIAL_UNKNOWN, ARGUMENT_OUT_OF_RANGE.
        """
        material = await self.info(sha256)
        if material is None:
            raise refuse(ErrorCode.MATERIAL_UNKNOWN, "sha256", "no complete material has this digest")
        if offset < 0 or length < 0 or offset + length > material.size:
            raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "offset", "a range within the material")
        try:
            descriptor = os.open(self._final(sha256), os.O_RDONLY)
        except FileNotFoundError:
            self._known.pop(sha256, None)
            raise refuse(ErrorCode.MATERIAL_UNKNOWN, "sha256", "no complete material has this digest") from None
        try:
            end = offset + length
            while offset < end:
                # One hop into a thread for several chunks: the hop costs as much as the read.
                block = await asyncio.to_thread(os.pread, descriptor, min(BLOCK_BYTES, end - offset), offset)
                if not block:
                    raise OSError("a complete material became shorter")
                for start in range(0, len(block), chunk_bytes):
                    yield block[start : start + chunk_bytes]
                offset += len(block)
        finally:
            os.close(descriptor)


async def _open_part(path: Path, offset: int) -> Part:
    opening = asyncio.create_task(asyncio.to_thread(Part, path, offset))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # Re-hashing a large part takes a while; when the caller has gone meanwhile, its lock must not outlive it.
        opening.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(opening: asyncio.Task[Part]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _describe(final: Path, sha256: str) -> StoredMaterial | None:
    try:
        size = final.stat().st_size
    except FileNotFoundError:
        return None
    try:
        sm3 = final.with_name(final.name + SIDECAR).read_text("ascii")
    except FileNotFoundError:
        # Written before the rename, so it is missing only if somebody restored the materials without it.
        sm3 = _sm3_of(final)
        write_sidecar(final, sm3)
    return StoredMaterial(sha256, sm3, size)


def _remove(final: Path, incoming: Path, sha256: str) -> bool:
    # The material goes last: as long as it is there, a removal that broke off is seen and done again.
    for part in incoming.glob(f"*/{sha256}.part"):
        part.unlink(missing_ok=True)
        sync_directory(part.parent)
    if not final.parent.is_dir():
        return False
    for leftover in final.parent.glob(f"{final.name}.*"):
        leftover.unlink(missing_ok=True)
    is_there = final.exists()
    final.unlink(missing_ok=True)
    sync_directory(final.parent)
    return is_there


def _sm3_of(path: Path) -> str:
    digest = hashlib.new("sm3")
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
