"""Ten rounds of what ``make crash`` plays by the hundred."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUNDS = 10


@pytest.mark.timeout(400)  # half a minute where the machine is not busy with other tests
def test_log_with_processes_killed_under_load_keeps_every_promise() -> None:
    """Whoever is killed, what was acknowledged is there once, and every receipt and every seal says so."""
    # A process of its own, as ``make crash`` is one: it starts others while its calls are under way.
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", "--rounds", str(ROUNDS), "--seed", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stderr
    assert done.returncode == 0, told[-3000:]
    (line,) = done.stdout.splitlines()
    counts = re.fullmatch(rf"rounds={ROUNDS} acknowledged=(\d+) lost=0 doubled=0 lying_receipts=0", line)
    assert counts is not None and int(counts[1]) > ROUNDS, line
    summary = re.search(r"^(\d+) acts in doubt, (\d+) seals verified, killed: (.*)$", told, re.MULTILINE)
    assert summary is not None
    assert int(summary[1]) > 0, "no kill met a call on its way; the rounds proved nothing"
    assert int(summary[2]) >= ROUNDS
    assert [part.split()[0] for part in summary[3].split(", ")] == ["gateway", "postgres", "signer", "witness"]
