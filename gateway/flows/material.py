"""Materials: what is missing, upload, download; a caller sees only what it uploaded or got by a handoff."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from gateway.core.access.visibility import View
from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.identity import Agency
from gateway.core.manifest import MAX_MATERIAL_BYTES
from gateway.core.port.material import StoredMaterial
from gateway.flows.parts import Parts

MAX_DIGESTS: Final = 1000
MAX_CHUNK_BYTES: Final = 1024 * 1024
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def _require_digest(text: str, path: str) -> str:
    if _HEX.fullmatch(text) is None:
        raise refuse(ErrorCode.ARGUMENT_INVALID, path, "64 lower-case hexadecimal digits")
    return text


async def find_missing(parts: Parts, caller: Agency, digests: Sequence[str]) -> list[tuple[str, int]]:
    """Tell what the caller still has to upload.

    A digest that only others have uploaded is missing too: otherwise anybody could ask who has what.

    Args:
        parts: the filled ports.
        caller: the agency that will send them.
        digests: up to 1,000 SHA-256, hexadecimal.

    Returns:
        digest and bytes already received, in the order asked.

    Raises:
        GatewayError: ARGUMENT_OUT_OF_RANGE for too many, ARGUMENT_INVALID for all malformed ones at once.
    """
    if len(digests) > MAX_DIGESTS:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "sha256", f"at most {MAX_DIGESTS} digests")
    bad = [index for index, digest in enumerate(digests) if _HEX.fullmatch(digest) is None]
    if bad:
        message = "64 lower-case hexadecimal digits"
        raise GatewayError(Finding(ErrorCode.ARGUMENT_INVALID, f"sha256[{index}]", message) for index in bad)
    granted = await brought(parts, caller, digests)
    return [
        (digest, await parts.store.received_bytes(str(caller), digest))
        for digest in dict.fromkeys(digests)
        if digest not in granted or await parts.store.info(digest) is None
    ]


async def upload_material(
    parts: Parts, caller: Agency, *, sha256: str, size: int, offset: int, chunks: AsyncIterator[bytes]
) -> StoredMaterial:
    """Take a material; it is visible once it is on disk and its digest was right.

    Args:
        parts: the filled ports.
        caller: the agency that uploads.
        sha256: of the whole, hexadecimal.
        size: of the whole, bytes.
        offset: of the first chunk.
        chunks: pieces of at most 1 MiB.

    Returns:
        the stored material.

    Raises:
        GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE, MATERIAL_TOO_LARGE, UPLOAD_OFFSET_WRONG,
            MATERIAL_SIZE_MISMATCH, MATERIAL_DIGEST_MISMATCH.
    """
    _require_digest(sha256, "header.sha256")
    if size > MAX_MATERIAL_BYTES:
        raise refuse(ErrorCode.MATERIAL_TOO_LARGE, "header.size", f"at most {MAX_MATERIAL_BYTES} bytes")
    if size < 0 or offset < 0 or offset > size:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "header.offset", "0 <= offset <= size")
    async with parts.store.open_upload(str(caller), sha256, size, offset) as upload:
        async for chunk in chunks:
            if len(chunk) > MAX_CHUNK_BYTES:
                raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "chunk", "at most 1 MiB")
            await upload.write(chunk)
        stored = await upload.finish()
    await parts.grants.grant(caller, sha256)
    return stored


async def open_download(
    parts: Parts, caller: Agency, sha256: str, offset: int, length: int
) -> tuple[StoredMaterial, AsyncIterator[bytes]]:
    """Open a material, or a range of it, for a caller that may see it.

    Args:
        parts: the filled ports.
        caller: the agency that reads.
        sha256: hexadecimal.
        offset: first byte, from 0.
        length: bytes, 0 for all up to the end.

    Returns:
        the material and its chunks.

    Raises:
        GatewayError: ARGUMENT_INVALID, ARGUMENT_OUT_OF_RANGE; MATERIAL_WITHHELD or MATERIAL_ON_REQUEST for one that a
            bundle brought the caller without letting it be read; MATERIAL_UNKNOWN, also for one that is another's.
    """
    _require_digest(sha256, "sha256")
    granted = await parts.grants.granted(caller, [sha256])
    if not granted:
        await _require_unwithheld(parts, caller, sha256)
    info = await parts.store.info(sha256) if granted else None
    if info is None:
        raise refuse(ErrorCode.MATERIAL_UNKNOWN, "sha256", "no material of yours has this digest")
    if offset < 0 or length < 0 or offset + length > info.size:
        raise refuse(ErrorCode.ARGUMENT_OUT_OF_RANGE, "offset", "a range within the material")
    return info, parts.store.read(sha256, offset, length or info.size - offset)


async def brought(parts: Parts, agency: Agency, digests: Sequence[str]) -> set[str]:
    """Find what an agency may pass on: what it uploaded or a bundle brought, whether or not it may read it itself.

    Args:
        parts: the filled ports.
        agency: who would pass it on.
        digests: SHA-256, hexadecimal.

    Returns:
        those of the digests.

    Raises:
        GatewayError: LEDGER_UNAVAILABLE.
    """
    granted = await parts.grants.granted(agency, digests)
    rest = [digest for digest in digests if digest not in granted]
    return granted | (await parts.grants.withheld(agency, rest)).keys() if rest else granted


async def _require_unwithheld(parts: Parts, caller: Agency, sha256: str) -> None:
    withheld = (await parts.grants.withheld(caller, [sha256])).get(sha256)
    if withheld is None:
        return
    if withheld.view == View.REQUEST:
        what = "ask for it first, by a statement of the type material-request"
        error = GatewayError(Finding(ErrorCode.MATERIAL_ON_REQUEST, "sha256", what, basis="SPP 75"))
    else:
        what = "an agency of this role does not see this material"
        error = GatewayError(Finding(ErrorCode.MATERIAL_WITHHELD, "sha256", what, basis="domain model 3"))
    error.case = withheld.case
    raise error
