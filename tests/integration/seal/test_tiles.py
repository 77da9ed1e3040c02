"""The log over HTTP as a public tool follows it: every tile fetched, every hash recomputed from the entries."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.core.entry import leaf_hash
from gateway.core.errors import ErrorCode, refuse
from gateway.core.log.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from gateway.core.log.cosignature import cosign
from gateway.core.log.merkle import Frontier, fold, to_hashes
from gateway.core.log.tile_path import TilePath, tile_paths
from gateway.core.port.seal import StoredCheckpoint
from gateway.ledger.checkpoint import CheckpointStore, SignerLedger
from gateway.ledger.pool import open_pool
from gateway.ledger.tile_source import TileSource
from gateway.tlog.server import serving
from gateway.tlog.tiles import IMMUTABLE, tile_app
from tests.integration.ledger.act import ORIGIN, as_role, batcher_on, make_submit
from tests.support.http import ask
from tests.support.notes import TIME, make_key, make_witness

KEY = make_key(ORIGIN)
SIZE, SIGNED = 600, 530


async def _grow(dsn: str) -> None:
    async with batcher_on(dsn) as batcher:
        for start in range(0, SIZE, 10):
            for _ in range(start, start + 10):
                await batcher.append(make_submit())


def _split(bundle: bytes) -> list[bytes]:
    entries = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return entries


async def test_public_tool_rebuilds_the_signed_tree_from_tiles_and_entries(database_url: str) -> None:
    """Checkpoint, tiles and entries agree; nothing beyond the checkpoint is shown; all but it is for ever."""
    await _grow(database_url)
    signer = await open_pool(as_role(database_url, "fasttrack_signer"), max_connections=1)
    gateway = await open_pool(as_role(database_url, "fasttrack_gateway"), max_connections=1)
    pool = await open_pool(as_role(database_url, "fasttrack_oversight"), max_connections=4)
    ledger = SignerLedger(signer)
    frontier = Frontier()
    async for entry in ledger.leaves(0, SIGNED):
        frontier.append(entry.leaf_hash)
    app = tile_app(TileSource(pool), CheckpointStore(pool), has_entries=True)
    async with serving(app, "127.0.0.1:0") as address:
        assert (await ask(address, "GET", "/checkpoint")).status == 404
        assert (await ask(address, "GET", "/tile/0/000")).status == 404
        note = sign_checkpoint(Checkpoint(ORIGIN, SIGNED, frontier.root()), KEY)
        await ledger.add_checkpoint(StoredCheckpoint(SIGNED, note.to_bytes(), datetime.now(UTC)))
        cosignature = cosign(note.text, make_witness("w"), TIME)
        await CheckpointStore(gateway).add_cosignature(SIGNED, "w", TIME, cosignature.to_line())

        answer = await ask(address, "GET", "/checkpoint")
        assert answer.content_type == "text/plain; charset=utf-8"
        assert "immutable" not in answer.headers["Cache-Control"]
        head, served = verify_checkpoint(answer.body, KEY.verifier)
        assert head.size == SIGNED
        assert served.signatures[1] == cosignature

        tiles = {}
        for path in tile_paths(SIGNED):
            answer = await ask(address, "GET", f"/{path.to_text()}")
            assert (answer.status, answer.content_type) == (200, "application/octet-stream")
            assert answer.headers["Cache-Control"] == IMMUTABLE
            tiles[path] = to_hashes(answer.body)
            assert len(tiles[path]) == path.width
        rebuilt = Frontier()
        for path in (path for path in tiles if path.level == 0):
            name = TilePath(None, path.place, path.width).to_text()
            answer = await ask(address, "GET", f"/{name}", headers={"Accept-Encoding": "gzip"})
            assert answer.headers["Content-Encoding"] == "gzip"
            hashes = [leaf_hash(leaf) for leaf in _split(gzip.decompress(answer.body))]
            assert hashes == tiles[path]
            for item in hashes:
                rebuilt.append(item)
        assert rebuilt.root() == head.root
        assert tiles[TilePath(1, 0, 2)] == [fold(tiles[TilePath(0, place)]) for place in (0, 1)]
        # A partial tile of an earlier checkpoint stays where it was.
        assert to_hashes((await ask(address, "GET", "/tile/0/001.p/44")).body) == tiles[TilePath(0, 1)][:44]

        for other in ("/tile/0/002.p/19", "/tile/0/002", "/tile/1/000", "/tile/2/000.p/1", "/tile/entries/002.p/19",
                     "/tile/0/2", "/tile/0/000.p/256", "/tile/0/%30%30%30", "/tile/8/000.p/1", "/tile/0/x999/999",
                     "/tile/63/000.p/1", "/tile/0/x999/x999/x999/x999/x999/x999/999", "/other"):  # fmt: skip
            answer = await ask(address, "GET", other)
            assert answer.status == 404, other
            assert "immutable" not in answer.headers.get("Cache-Control", "")
        assert (await ask(address, "POST", "/checkpoint", b"")).status == 405

    hashes_only = tile_app(TileSource(pool), CheckpointStore(pool), has_entries=False)
    async with serving(hashes_only, "127.0.0.1:0") as address:
        assert (await ask(address, "GET", "/tile/0/000")).status == 200
        assert (await ask(address, "GET", "/tile/entries/000")).status == 404
    for each in (signer, gateway, pool):
        await each.close()


class Away:
    """A ledger that cannot be reached."""

    async def latest(self) -> StoredCheckpoint | None:
        """Fail."""
        raise refuse(ErrorCode.LEDGER_UNAVAILABLE)

    async def cosignatures(self, size: int, witnesses: Sequence[str]) -> list[str]:
        """Never asked."""
        raise AssertionError

    async def tile(self, path: TilePath) -> bytes | None:
        """Never asked."""
        raise AssertionError

    entries = tile


async def test_tiles_without_a_database_answer_503() -> None:
    """A mirror tries again; it never takes silence for an empty log."""
    async with serving(tile_app(Away(), Away(), has_entries=True), "127.0.0.1:0") as address:
        for path in ("/checkpoint", "/tile/0/000"):
            answer = await ask(address, "GET", path)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
