"""`fasttrack monitor` over HTTP: exit codes, kept evidence, bounds on what a server may send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.core.log.merkle import Node
from gateway.core.log.tile_path import parse_tile_path
from tests.support.command import fasttrack_here
from tests.support.notes import MemoryLog


class TileServer:
    """Serves a log in memory; ``log`` and ``extra`` may be exchanged while it runs."""

    def __init__(self) -> None:
        self.log = MemoryLog.of(300)
        self.extra = b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = outer.answer(self.path.lstrip("/"))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str) -> bytes:
        """A checkpoint or a tile."""
        if path == "checkpoint":
            return self.log.checkpoint().to_bytes() + self.extra
        tile = parse_tile_path(path)
        level = 8 * (tile.level or 0)
        return b"".join(self.log.read(Node(level, tile.place * 256 + at)) for at in range(tile.width))


@pytest.fixture
def server() -> Iterator[TileServer]:
    """A server of tiles on this machine."""
    tiles = TileServer()
    thread = threading.Thread(target=tiles.server.serve_forever)
    thread.start()
    yield tiles
    tiles.server.shutdown()
    thread.join()
    tiles.server.server_close()


def test_monitor_command_follows_and_shouts(server: TileServer, tmp_path: Path) -> None:
    """0 while the log grows, 4 with the two files when it forks, 3 when it is gone, 2 for a wrong address."""
    policy, state = tmp_path / "policy.toml", tmp_path / "state"
    policy.write_text(server.log.policy.to_toml())
    options = ("--policy", policy, "--state", state, "--once", "--json")
    done = fasttrack_here("monitor", server.url, *options)
    assert (done.code, done.object["verdict"], done.object["size"]) == (0, "grew", 300)
    server.log = MemoryLog.of(700)
    assert fasttrack_here("monitor", server.url, *options).object["verdict"] == "grew"
    server.log = MemoryLog.of(700, "other")
    done = fasttrack_here("monitor", server.url, *options)
    assert (done.code, done.object["verdict"]) == (4, "fork")
    *notes, proof = map(Path, done.object["evidence"])
    assert all(path.is_file() for path in notes) and len(notes) == 2
    done = fasttrack_here("verify-fork", proof, "--policy", policy)
    assert done.code == 0 and "another head of this size" in done.output
    assert fasttrack_here("monitor", server.url, *options, "--seen", policy).code == 2
    server.extra = b"x" * 1_000_000
    assert fasttrack_here("monitor", server.url, *options).code == 3
    assert fasttrack_here("monitor", "http://127.0.0.1:1", *options).code == 3
    assert fasttrack_here("monitor", "file:///etc/passwd", *options).code == 2
