"""What the flows need of the store of materials, and who may see which material."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.core.identity import Agency


@dataclass(frozen=True, slots=True)
class Withheld:
    """A material that a bundle brought and that its receiver may not read as it is.

    Args:
        case: pseudonym of the case.
        view: how it may be seen, a value of ``visibility.View``.
    """

    case: str
    view: str


class MaterialGrants(Protocol):
    """Who may see which material."""

    async def granted(self, agency: Agency, digests: Sequence[str]) -> set[str]:
        """Those of the digests that the agency uploaded or got by a handoff."""

    async def withheld(self, agency: Agency, digests: Sequence[str]) -> dict[str, Withheld]:
        """Those of the digests that a bundle brought the agency and that it may not read as they are."""

    async def grant(self, agency: Agency, sha256: str) -> None:
        """Record that the agency uploaded a material."""


@dataclass(frozen=True, slots=True)
class StoredMaterial:
    """A complete material.

    Args:
        sha256: 64 hexadecimal digits.
        sm3: 64 hexadecimal digits.
        size: bytes.
    """

    sha256: str
    sm3: str
    size: int


class MaterialUpload(Protocol):
    """One running upload."""

    async def write(self, chunk: bytes) -> None:
        """Append bytes."""

    async def finish(self) -> StoredMaterial:
        """Sync, check the digest and make the material visible."""


class MaterialStore(Protocol):
    """Content-addressed store."""

    async def info(self, sha256: str) -> StoredMaterial | None:
        """A complete material, or None."""

    async def received_bytes(self, owner: str, sha256: str) -> int:
        """Bytes of a broken upload of this owner."""

    def open_upload(
        self, owner: str, sha256: str, size: int, offset: int
    ) -> AbstractAsyncContextManager[MaterialUpload]:
        """Start or resume an upload."""

    def read(self, sha256: str, offset: int, length: int) -> AsyncIterator[bytes]:
        """Bytes of a complete material."""
