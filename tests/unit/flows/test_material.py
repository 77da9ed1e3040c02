"""Materials: who sees what, and within which limits."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.core.digest import sha256_hex
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.manifest import MAX_MATERIAL_BYTES
from gateway.flows.material import MAX_CHUNK_BYTES, MAX_DIGESTS, find_missing, open_download, upload_material
from tests.support.bundle import PDF
from tests.support.fake_parts import POLICE, PROCURATORATE, World

E = ErrorCode


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_upload_makes_a_material_visible_to_its_uploader_only() -> None:
    """Who has uploaded may read; that others hold the same digest is not told to anybody."""
    world = World()
    digest = sha256_hex(PDF)
    stored = await upload_material(
        world.parts, POLICE, sha256=digest, size=len(PDF), offset=0, chunks=_chunks(PDF[:5], PDF[5:])
    )
    assert (stored.sha256, stored.size) == (digest, len(PDF))
    assert await find_missing(world.parts, POLICE, [digest]) == []
    assert await find_missing(world.parts, PROCURATORATE, [digest]) == [(digest, 0)]
    with pytest.raises(GatewayError) as caught:
        await open_download(world.parts, PROCURATORATE, digest, 0, 0)
    assert caught.value.code is E.MATERIAL_UNKNOWN


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (3, 0), (3, 4), (0, len(PDF)), (len(PDF), 0)])
async def test_download_gives_exactly_the_range(offset: int, length: int) -> None:
    """A range is what it says, and length 0 is all up to the end."""
    world = World()
    digest = await world.give(POLICE, PDF)
    info, chunks = await open_download(world.parts, POLICE, digest, offset, length)
    assert info.size == len(PDF)
    assert b"".join([chunk async for chunk in chunks]) == PDF[offset : offset + length if length else None]


@pytest.mark.parametrize(("offset", "length"), [(-1, 0), (0, -1), (0, len(PDF) + 1), (len(PDF) + 1, 0)])
async def test_download_beyond_the_material_is_out_of_range(offset: int, length: int) -> None:
    """A range outside the material is refused, never cut in silence."""
    world = World()
    digest = await world.give(POLICE, PDF)
    with pytest.raises(GatewayError) as caught:
        await open_download(world.parts, POLICE, digest, offset, length)
    assert caught.value.code is E.ARGUMENT_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("sha256", "size", "offset", "code"),
    [
        ("A" * 64, 1, 0, E.ARGUMENT_INVALID),
        ("a" * 64, MAX_MATERIAL_BYTES + 1, 0, E.MATERIAL_TOO_LARGE),
        ("a" * 64, -1, 0, E.ARGUMENT_OUT_OF_RANGE),
        ("a" * 64, 1, 2, E.ARGUMENT_OUT_OF_RANGE),
        ("a" * 64, 1, -1, E.ARGUMENT_OUT_OF_RANGE),
        ("a" * 64, 1, 0, E.MATERIAL_DIGEST_MISMATCH),
    ],
)
async def test_upload_with_a_wrong_header_or_other_bytes_is_refused(
    sha256: str, size: int, offset: int, code: ErrorCode
) -> None:
    """Nothing becomes visible unless its digest was announced and right."""
    world = World()
    with pytest.raises(GatewayError) as caught:
        await upload_material(world.parts, POLICE, sha256=sha256, size=size, offset=offset, chunks=_chunks(b"x"))
    assert caught.value.code is code
    assert world.grants.rights == set()


async def test_upload_of_an_oversized_chunk_is_refused() -> None:
    """One message never takes more memory than a chunk."""
    with pytest.raises(GatewayError) as caught:
        await upload_material(
            World().parts, POLICE, sha256="a" * 64, size=9, offset=0, chunks=_chunks(bytes(MAX_CHUNK_BYTES + 1))
        )
    assert caught.value.code is E.ARGUMENT_OUT_OF_RANGE


async def test_find_missing_tells_progress_and_all_malformed_digests_at_once() -> None:
    """A broken upload goes on where it stopped; of a bad list every bad item is named."""
    world = World()
    world.store.received["ps:110108", "b" * 64] = 17
    assert await find_missing(world.parts, POLICE, ["b" * 64, "b" * 64]) == [("b" * 64, 17)]
    with pytest.raises(GatewayError) as caught:
        await find_missing(world.parts, POLICE, ["x", "b" * 64, "B" * 64])
    assert [finding.path for finding in caught.value.findings] == ["sha256[0]", "sha256[2]"]
    with pytest.raises(GatewayError) as caught:
        await find_missing(world.parts, POLICE, ["b" * 64] * (MAX_DIGESTS + 1))
    assert caught.value.code is E.ARGUMENT_OUT_OF_RANGE
