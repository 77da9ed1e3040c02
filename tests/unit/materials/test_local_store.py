"""The local store: what it promises about digests, resume, ranges and crashes."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.port.material import MaterialStore, StoredMaterial
from gateway.materials import part as part_module
from gateway.materials.local import BLOCK_BYTES, LocalStore, stored_path
from gateway.materials.part import Part

OWNER = "ps:110108"
DATA = os.urandom(3 * BLOCK_BYTES + 12_345)
SHA256 = hashlib.sha256(DATA).hexdigest()
SM3 = hashlib.new("sm3", DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Give an empty store."""
    return LocalStore(tmp_path / "store")


async def upload(
    store: LocalStore,
    data: bytes = DATA,
    *,
    offset: int = 0,
    upto: int | None = None,
    sha256: str = "",
    size: int | None = None,
    owner: str = OWNER,
    finish: bool = True,
) -> StoredMaterial | None:
    """Send bytes from offset to upto in chunks of 100,000, and finish."""
    digest = sha256 or hashlib.sha256(data).hexdigest()
    async with store.open_upload(owner, digest, len(data) if size is None else size, offset) as running:
        piece = data[offset:upto]
        for start in range(0, len(piece), 100_000):
            await running.write(piece[start : start + 100_000])
        return await running.finish() if finish else None


async def read(store: LocalStore, offset: int, length: int, sha256: str = SHA256) -> bytes:
    """Read a range whole."""
    return b"".join([chunk async for chunk in store.read(sha256, offset, length)])


async def refusal(awaitable: object) -> GatewayError:
    """Await something that must be refused."""
    with pytest.raises(GatewayError) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value


def files(store: LocalStore) -> list[Path]:
    """All files of the store."""
    return sorted(path for path in store._root.rglob("*") if path.is_file())


async def test_local_store_complete_upload_is_readable_with_both_digests(store: LocalStore) -> None:
    """What was uploaded comes back byte for byte, and both digests are known, also to a new process."""
    as_port: MaterialStore = store
    assert await upload(store) == StoredMaterial(SHA256, SM3, len(DATA))
    assert await as_port.info(SHA256) == StoredMaterial(SHA256, SM3, len(DATA))
    assert await LocalStore(store._root).info(SHA256) == StoredMaterial(SHA256, SM3, len(DATA))
    assert await store.size(SHA256) == len(DATA)
    assert await read(store, 0, len(DATA)) == DATA
    assert await store.received_bytes(OWNER, SHA256) == 0


async def test_local_store_empty_material_is_a_material(store: LocalStore) -> None:
    """A material of no bytes is stored like any other."""
    stored = await upload(store, b"")
    assert stored is not None
    assert stored.size == 0
    assert await read(store, 0, 0, stored.sha256) == b""


async def test_local_store_unknown_material_is_none_and_stays_uncached(store: LocalStore) -> None:
    """A material that is not there is None, and is seen as soon as it is."""
    assert await store.info(SHA256) is None
    assert await store.size(SHA256) is None
    await upload(store)
    assert await store.size(SHA256) == len(DATA)


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 1), (1, 0), (BLOCK_BYTES - 1, 2), (len(DATA) - 1, 1), (7, 2_000_000)]
)
async def test_local_store_range_gives_exactly_these_bytes(store: LocalStore, offset: int, length: int) -> None:
    """A range begins and ends where it was asked for."""
    await upload(store)
    assert await read(store, offset, length) == DATA[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(-1, 2), (0, -1), (0, len(DATA) + 1), (len(DATA) + 1, 0)])
async def test_local_store_range_outside_is_refused(store: LocalStore, offset: int, length: int) -> None:
    """A range that is not within the material is refused."""
    await upload(store)
    assert (await refusal(read(store, offset, length))).code is ErrorCode.ARGUMENT_OUT_OF_RANGE


async def test_local_store_read_of_unknown_material_is_refused(store: LocalStore) -> None:
    """Reading what is not there is refused, also when a part of it is."""
    await upload(store, upto=BLOCK_BYTES, finish=False)
    assert (await refusal(read(store, 0, 1))).code is ErrorCode.MATERIAL_UNKNOWN


async def test_local_store_broken_upload_resumes_where_it_broke(store: LocalStore) -> None:
    """A broken upload is resumed at the received size, also by another process, and is then complete."""
    await upload(store, upto=1_234_567, finish=False)
    other = LocalStore(store._root)
    assert await other.received_bytes(OWNER, SHA256) == 1_234_567
    assert await upload(other, offset=1_234_567) == StoredMaterial(SHA256, SM3, len(DATA))
    assert await read(store, 0, len(DATA)) == DATA


@pytest.mark.parametrize("offset", [1, 999_999, 1_000_001, len(DATA)])
async def test_local_store_resume_at_another_offset_is_refused_and_keeps_the_part(
    store: LocalStore, offset: int
) -> None:
    """Only the received size is a place to resume at; a wrong one does no harm."""
    await upload(store, upto=1_000_000, finish=False)
    assert (await refusal(upload(store, offset=offset))).code is ErrorCode.UPLOAD_OFFSET_WRONG
    assert await store.received_bytes(OWNER, SHA256) == 1_000_000
    assert await upload(store, offset=1_000_000) is not None


async def test_local_store_offset_zero_starts_over(store: LocalStore) -> None:
    """Offset 0 forgets the part, so nobody is stuck with a part that went wrong."""
    await upload(store, os.urandom(500_000), sha256=SHA256, size=len(DATA), finish=False)
    assert await upload(store) == StoredMaterial(SHA256, SM3, len(DATA))


async def test_local_store_part_of_one_owner_is_not_resumed_by_another(store: LocalStore) -> None:
    """An agency neither sees nor continues the part of another one."""
    await upload(store, upto=1_000_000, finish=False)
    assert await store.received_bytes("pr:110108", SHA256) == 0
    assert (await refusal(upload(store, offset=1_000_000, owner="pr:110108"))).code is ErrorCode.UPLOAD_OFFSET_WRONG


async def test_local_store_second_upload_at_the_same_time_is_refused(store: LocalStore) -> None:
    """Of two uploads of the same material by one agency the second waits, in this process and in others."""
    async with store.open_upload(OWNER, SHA256, len(DATA), 0) as running:
        await running.write(DATA[:10])
        for other in (store, LocalStore(store._root)):
            error = await refusal(upload(other))
            assert error.code is ErrorCode.UPLOAD_OFFSET_WRONG
            assert "another upload" in error.findings[0].message
        assert await upload(store, owner="pr:110108") is not None
    assert await store.received_bytes(OWNER, SHA256) == 10


async def test_local_store_second_upload_of_complete_material_gives_the_same_answer(store: LocalStore) -> None:
    """A lost reply is harmless: the same upload again is answered the same."""
    assert await upload(store) == await upload(store)
    assert len(files(store)) == 2


async def test_local_store_wrong_digest_is_refused_and_the_part_removed(store: LocalStore) -> None:
    """Bytes with another digest never become a material, and the useless part goes."""
    damaged = DATA[:-1] + bytes([DATA[-1] ^ 1])
    assert (await refusal(upload(store, damaged, sha256=SHA256))).code is ErrorCode.MATERIAL_DIGEST_MISMATCH
    assert await store.info(SHA256) is None
    assert files(store) == []


async def test_local_store_part_damaged_on_disk_is_found_out(store: LocalStore) -> None:
    """The digests of a resumed part are of what is on disk, not of what was once received."""
    await upload(store, upto=1_000_000, finish=False)
    (path,) = files(store)
    with path.open("r+b") as file:
        file.write(b"\x00\x00\x00\x00\x00\x00\x00\x00")
    assert (await refusal(upload(store, offset=1_000_000))).code is ErrorCode.MATERIAL_DIGEST_MISMATCH


async def test_local_store_more_bytes_than_declared_are_refused(store: LocalStore) -> None:
    """Nobody writes more than was declared."""
    error = await refusal(upload(store, size=len(DATA) - 1))
    assert error.code is ErrorCode.MATERIAL_SIZE_MISMATCH
    assert await store.received_bytes(OWNER, SHA256) < len(DATA)


async def test_local_store_fewer_bytes_than_declared_are_refused_and_resumable(store: LocalStore) -> None:
    """An upload that ends early is not a material; it can be resumed."""
    assert (await refusal(upload(store, upto=1_000_000))).code is ErrorCode.MATERIAL_SIZE_MISMATCH
    assert await upload(store, offset=1_000_000) is not None


async def test_local_store_over_the_limit_is_refused_before_any_byte(tmp_path: Path) -> None:
    """The limit is judged on the declared size, before anything is written."""
    store = LocalStore(tmp_path / "store", max_bytes=1000)
    assert (await refusal(upload(store))).code is ErrorCode.MATERIAL_TOO_LARGE
    assert files(store) == []
    assert await upload(store, b"x" * 1000) is not None


@pytest.mark.parametrize("offset", [-1, len(DATA) + 1])
async def test_local_store_offset_outside_the_size_is_refused(store: LocalStore, offset: int) -> None:
    """An offset lies within the declared size."""
    assert (await refusal(upload(store, offset=offset))).code is ErrorCode.ARGUMENT_OUT_OF_RANGE


@pytest.mark.parametrize(
    "digest", ["", "a" * 63, "A" * 64, "../" + "a" * 61, "a" * 64 + "\n", "a" * 32 + "/" + "a" * 31]
)
async def test_local_store_malformed_digest_never_reaches_a_path(store: LocalStore, digest: str) -> None:
    """A digest that is no digest is refused by every method before it is part of a path."""
    calls: list[Callable[[], object]] = [
        lambda: store.info(digest),
        lambda: store.size(digest),
        lambda: store.received_bytes(OWNER, digest),
        lambda: upload(store, b"x", sha256=digest or " "),
        lambda: read(store, 0, 1, digest),
    ]
    for call in calls:
        assert (await refusal(call())).code is ErrorCode.ARGUMENT_INVALID
    assert files(store) == []


@pytest.mark.parametrize("owner", ["", "..", "ps:110108/..", "ps-110108"])
async def test_local_store_malformed_owner_never_reaches_a_path(store: LocalStore, owner: str) -> None:
    """An owner that is no agency is refused before it is part of a path."""
    assert (await refusal(upload(store, owner=owner))).code is ErrorCode.ARGUMENT_INVALID


async def test_local_store_lost_sidecar_is_made_again(store: LocalStore) -> None:
    """The SM3 of a material whose sidecar was lost is computed again and kept."""
    await upload(store)
    (sidecar,) = [path for path in files(store) if path.suffix == ".sm3"]
    sidecar.unlink()
    assert await LocalStore(store._root).info(SHA256) == StoredMaterial(SHA256, SM3, len(DATA))
    assert sidecar.read_text() == SM3


async def test_local_store_files_are_for_the_owner_only(store: LocalStore) -> None:
    """No other user of the machine reads materials."""
    await upload(store)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(store)} == {0o600}
    folders = [path for path in store._root.rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


async def test_local_store_cancelled_upload_keeps_what_arrived_and_frees_the_lock(store: LocalStore) -> None:
    """A caller that goes away in the middle leaves a part without gaps, which resumes to the right digest."""
    started = asyncio.Event()

    async def broken_off() -> None:
        async with store.open_upload(OWNER, SHA256, len(DATA), 0) as running:
            for start in range(0, 2 * BLOCK_BYTES, 50_000):
                await running.write(DATA[start : start + 50_000])
                started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(broken_off())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    offset = await store.received_bytes(OWNER, SHA256)
    assert offset > 0
    assert await upload(store, offset=offset) == StoredMaterial(SHA256, SM3, len(DATA))


async def test_local_store_cancelled_while_opening_frees_the_lock(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that goes away while its part is hashed again does not block the next one."""
    await upload(store, upto=2_000_000, finish=False)
    monkeypatch.setattr(part_module, "READ_BYTES", 64)
    task = asyncio.create_task(upload(store, offset=2_000_000))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    for _ in range(200):
        try:
            assert await upload(store, offset=2_000_000) is not None
            break
        except GatewayError as error:
            assert error.code is ErrorCode.UPLOAD_OFFSET_WRONG
            await asyncio.sleep(0.02)
    assert await store.info(SHA256) is not None


@pytest.mark.parametrize("step", ["fsync", "write_sidecar", "sync_directory"])
async def test_local_store_failing_step_of_completion_leaves_part_or_material(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whichever step of the completion fails, there is a resumable part or the complete material."""

    def fail(*_: object) -> None:
        raise OSError("no space left")

    target: object = os if step == "fsync" else part_module
    async with store.open_upload(OWNER, SHA256, len(DATA), 0) as running:
        await running.write(DATA)
        monkeypatch.setattr(target, step, fail)
        with pytest.raises(OSError, match="no space left"):
            await running.finish()
        monkeypatch.undo()
    received = await store.received_bytes(OWNER, SHA256)
    if received:
        assert await store.info(SHA256) is None
        assert await upload(store, offset=received) is not None
    assert await store.info(SHA256) == StoredMaterial(SHA256, SM3, len(DATA))
    assert await read(store, 0, len(DATA)) == DATA


async def test_local_store_part_completed_between_open_and_lock_is_not_written_to(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that opened the part just before another one completed it never writes into the complete material."""
    real_flock, path = fcntl.flock, store._part(OWNER, SHA256)
    whole = Part(path, 0)
    whole.append([DATA])
    whole.close()

    def rename_first(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        store._final(SHA256).parent.mkdir()
        path.replace(store._final(SHA256))
        real_flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", rename_first)
    await upload(store, upto=10, finish=False)
    assert store._final(SHA256).read_bytes() == DATA
    assert await store.received_bytes(OWNER, SHA256) == 10


async def test_local_store_full_disk_leaves_a_part_without_gaps(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After half a chunk was written the part takes no more, so that what is there is always a beginning."""
    real_write = os.write

    def write_half_then_fail(descriptor: int, view: memoryview) -> int:
        if len(view) > 10_000:
            return real_write(descriptor, view[:10_000])
        raise OSError("no space left")

    async def upload_two_blocks() -> None:
        async with store.open_upload(OWNER, SHA256, len(DATA), 0) as running:
            monkeypatch.setattr(os, "write", write_half_then_fail)
            for start in range(0, 2 * BLOCK_BYTES, 50_000):
                await running.write(DATA[start : start + 50_000])

    with pytest.raises(OSError, match="no space left"):
        await upload_two_blocks()
    monkeypatch.undo()
    received = await store.received_bytes(OWNER, SHA256)
    (path,) = files(store)
    assert path.read_bytes() == DATA[:received]
    assert await upload(store, offset=received) == StoredMaterial(SHA256, SM3, len(DATA))


_CHILD = """
import asyncio, hashlib, sys
from pathlib import Path
from gateway.materials.local import LocalStore

async def main(root, source):
    data = Path(source).read_bytes()
    store = LocalStore(Path(root))
    async with store.open_upload("ps:110108", hashlib.sha256(data).hexdigest(), len(data), 0) as running:
        for start in range(0, len(data), 65536):
            await running.write(data[start:start + 65536])
            print(start, flush=True)
            if start > 2 * 1024 * 1024:
                await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_local_store_killed_process_leaves_a_part_that_resumes(store: LocalStore, tmp_path: Path) -> None:
    """After kill -9 in the middle of an upload the part is free and resumes to the complete material."""
    source = tmp_path / "source"
    source.write_bytes(DATA)
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(store._root), str(source)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout:
        while int(child.stdout.readline()) <= 2 * BLOCK_BYTES:
            pass
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    received = await store.received_bytes(OWNER, SHA256)
    assert 0 < received < len(DATA)
    assert await store.info(SHA256) is None
    assert await upload(store, offset=received) == StoredMaterial(SHA256, SM3, len(DATA))
    assert await read(store, 0, len(DATA)) == DATA


async def test_local_store_large_upload_keeps_memory_flat(store: LocalStore) -> None:
    """At most two blocks of an upload are held in memory, however large it is."""
    chunk, count = bytes(BLOCK_BYTES), 64
    digest = hashlib.sha256(chunk * count).hexdigest()
    async with store.open_upload(OWNER, digest, count * BLOCK_BYTES, 0) as running:
        for _ in range(count):
            await running.write(chunk)
            assert running._waiting_bytes <= BLOCK_BYTES
            assert running._taken - running._part.received <= 2 * BLOCK_BYTES
        assert (await running.finish()).size == count * BLOCK_BYTES


async def test_stored_path_is_that_of_a_complete_material_and_of_nothing_else(
    store: LocalStore, tmp_path: Path
) -> None:
    """Auditors find what the store keeps by its digest, and no digest leads out of the store."""
    await upload(store)
    found = stored_path(tmp_path / "store", SHA256)
    assert found is not None and found.read_bytes() == DATA
    (tmp_path / "store" / "sha256" / "secret").write_bytes(b"x")
    for digest in ("0" * 64, "", "../secret", SHA256.upper(), f"{SHA256}\n", "ab/../../../secret"):
        assert stored_path(tmp_path / "store", digest) is None
