"""The demo, as somebody runs it who has just installed the project."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import command_environ, fasttrack


def processes_below(folder: Path) -> list[str]:
    """Command lines of the processes that were started for files of a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in text and entry.name != str(os.getpid()):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The temporary folder of the demo, so that what is left behind can be seen; any account may pass through it."""
    with tempfile.TemporaryDirectory(prefix="demo-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_demo_json_drives_the_whole_chain(temporary: Path) -> None:
    """Nine handoffs, every receipt verified and sealed, the proof verified, and nothing is left."""
    done = fasttrack("demo", "--json", environ={"TMPDIR": str(temporary)})
    assert done.code == 0, done.errors
    result = done.object
    assert set(result) == {"handoffs", "receipts_verified", "receipts_sealed", "proof_verified", "tree_size", "seconds"}
    assert result["handoffs"] == 9
    assert result["receipts_verified"] == 36
    # The keys, the rule set and the adapters were registered before the first handoff.
    assert result["tree_size"] > 36
    assert result["receipts_sealed"] == 36
    assert result["proof_verified"] is True
    assert result["seconds"] > 0
    assert list(temporary.iterdir()) == []


@contextmanager
def kept_demo(temporary: Path, picture: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A demo that goes on running, with what it printed up to its commands."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli.main", "demo", "--keep", "--svg", str(picture)],
        env=command_environ({"TMPDIR": str(temporary)}),
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                break
        yield process, lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def assert_story(output: str) -> None:
    """Without a terminal the story has no escape codes; it names every handoff, the timeline and the proof."""
    assert "\x1b" not in output
    assert output.count("equal to the published sample") == 9
    assert output.count("verified") >= 9
    proof = re.search(r"inclusion proof: entry (\d+) is in the tree of (\d+) entries", output)
    assert proof is not None
    assert int(proof[2]) - int(proof[1]) == 36
    assert f"36 receipts sealed: in a checkpoint of {proof[2]} entries" in output
    assert "9 handoffs, 36 receipts verified" in output
    # Personal data of the case stays out of what is printed for everybody.
    assert "陈立安" not in output


def test_demo_kept_tells_the_story_prints_commands_that_work_and_ends_with_ctrl_c(
    temporary: Path, tmp_path: Path
) -> None:
    """In a pipe it tells people the story; the printed commands answer against the gateway; Ctrl-C removes all."""
    picture = tmp_path / "demo.svg"
    with kept_demo(temporary, picture) as (process, lines):
        assert_story("\n".join(lines))
        assert picture.read_text(encoding="utf-8").startswith("<svg")
        ours = next(line for line in lines if line.startswith("fasttrack ledger case"))
        answer = fasttrack(*shlex.split(ours)[1:], "--json")
        assert answer.code == 0, answer.errors
        assert len(answer.object["entries"]) == 36
        curl = shlex.split(next(line for line in lines if line.startswith("buf curl")))
        buf = Path(sys.executable).parent / "buf"
        done = subprocess.run([str(buf), *curl[1:]], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count('"ENTRY_KIND_SUBMITTED"') == 3
        assert any(line.startswith("grpcurl ") for line in lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert list(temporary.iterdir()) == []
    assert processes_below(temporary) == []


async def test_demo_interrupted_in_the_middle_leaves_nothing(temporary: Path) -> None:
    """Ctrl-C while the case is on its way: status 130, one line instead of a traceback, no process and no file left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli.main", "demo"),
        env=command_environ({"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    while b"up at" not in (line := await process.stdout.readline()):
        assert line, (await process.communicate())[1].decode()
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert b"interrupted" in errors
    assert list(temporary.iterdir()) == []
    assert processes_below(temporary) == []
