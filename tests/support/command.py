"""Running ``fasttrack``: as a process, as its users do, or faster within the test's own process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended.

    Args:
        code: exit status.
        output: standard output.
        errors: standard error.
    """

    code: int
    output: str
    errors: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        lines = self.output.splitlines()
        assert len(lines) == 1, f"one line of JSON is expected, not:\n{self.output}\n{self.errors}"
        value: dict[str, Any] = json.loads(lines[0])
        return value


def command_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: nothing of the developer's own settings, no colours."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FASTTRACK_", "OTEL_"))}
    return {**inherited, "NO_COLOR": "1", "TERMINAL_WIDTH": "120", **environ}


def fasttrack(*arguments: object, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Finished:
    """Run a command to its end.

    Args:
        arguments: of the command line.
        environ: settings.
        cwd: folder to run in.

    Returns:
        how it ended.
    """
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", *map(str, arguments)],
        env=command_environ(environ or {}),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=90,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def fasttrack_here(*arguments: object, environ: Mapping[str, str] | None = None) -> Finished:
    """Run a command within this process: the same code from the command line on, without a second of start-up.

    Args:
        arguments: of the command line.
        environ: settings.

    Returns:
        how it ended.
    """
    from gateway.cli.main import main

    output, errors = io.StringIO(), io.StringIO()
    wanted = command_environ(environ or {})
    before = dict(os.environ)
    code = 0
    try:
        os.environ.clear()
        os.environ.update(wanted)
        with redirect_stdout(output), redirect_stderr(errors):
            main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Finished(code, output.getvalue(), errors.getvalue())
