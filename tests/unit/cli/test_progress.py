"""What is shown while something takes long: on a terminal one line that goes away, in a pipe nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from gateway.cli import progress
from gateway.telemetry import ScheduleTelemetry


def shown_on(terminal: Console, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a scheduler shows that reads 1,000 and 2,000 cases."""
    monkeypatch.setattr(progress, "console", lambda **_: terminal)
    with progress.count_progress("reading: {} cases") as advance:
        telemetry = ScheduleTelemetry(progress=advance)
        for cases in (1_000, 2_000):
            telemetry.looked(cases, 0)
            terminal.file.flush()
    assert telemetry.totals["cases"] == 2_000
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def test_reading_of_a_large_ledger_is_counted_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits sees how many cases were read so far."""
    text = shown_on(Console(file=io.StringIO(), force_terminal=True, width=80), monkeypatch)
    assert "reading: 2,000 cases" in text


def test_reading_of_a_large_ledger_shows_nothing_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log is not filled with what was meant for eyes."""
    assert shown_on(Console(file=io.StringIO(), force_terminal=False), monkeypatch) == ""
