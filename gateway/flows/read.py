"""Reading a native record, on the event loop or beside it, from the call or from the materials."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway.core.manifest import Manifest
from gateway.flows.parts import Parts

if TYPE_CHECKING:
    from gateway.core.case.case import Reading

INLINE_READ_BYTES: Final = 32 * 1024
"""A record up to this size is read on the event loop; a thread would cost more than it saves."""


async def read_record(parts: Parts, data: bytes, manifest: Manifest) -> Reading:
    """Read a native record by the schema and version that its manifest names.

    Args:
        parts: the filled ports.
        data: bytes of the record.
        manifest: names schema and version, which exist, and the receiver.

    Returns:
        the reading with its findings.
    """
    record, receiver = manifest.native_record, parts.adapters.schema_of(str(manifest.receiver)).name
    if len(data) <= INLINE_READ_BYTES:
        return parts.adapters.read(data, sender=record.schema, receiver=receiver, version=record.version)
    return await asyncio.to_thread(
        parts.adapters.read, data, sender=record.schema, receiver=receiver, version=record.version
    )


async def load_material(parts: Parts, sha256_hex: str, size: int) -> bytes:
    """Read a whole material into memory; only for native records, whose size is bounded.

    Args:
        parts: the filled ports.
        sha256_hex: digest of a complete material.
        size: its size in bytes.

    Returns:
        the bytes.
    """
    chunks = [chunk async for chunk in parts.store.read(sha256_hex, 0, size)]
    return b"".join(chunks)
