"""Every command that exists is documented, has help and speaks JSON; nobody has to remember to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.exit_code import ExitCode
from gateway.cli.main import COMMANDS, load_command
from tests.support.command import command_environ, fasttrack_here

README = Path(__file__).parents[3] / "gateway" / "cli" / "README.md"


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """All commands below one, by their full name."""
    below = getattr(command, "commands", None)
    if not below:
        yield name, command
        return
    for key, child in below.items():
        yield from leaves(f"{name} {key}", child)


ALL = [leaf for name in COMMANDS for leaf in leaves(name, load_command(name))]
NAMES = [name for name, _ in ALL]


@pytest.mark.parametrize(("name", "command"), ALL, ids=NAMES)
def test_command_has_help_and_json(name: str, command: Any) -> None:
    """A command says what it does, what each option does, and answers programs."""
    assert command.help and len(command.help) > 10
    options = [option for parameter in command.params for option in parameter.opts]
    assert "--json" in options
    for parameter in command.params:
        assert getattr(parameter, "help", None) or parameter.name == "help", f"{name}: {parameter.name} has no help"


@pytest.mark.parametrize(("name", "command"), ALL, ids=NAMES)
def test_command_help_fills_the_terminal(name: str, command: Any) -> None:
    """A paragraph of a help text is one line for the terminal to break; a list or a table keeps its own."""
    for paragraph in command.help.split("\n\n"):
        lines = paragraph.splitlines()
        assert len(lines) == 1 or any(line.startswith(("\b", "  ", "-", "*", "|")) for line in lines), name


@pytest.mark.parametrize("name", NAMES)
def test_command_has_its_line_in_the_readme(name: str) -> None:
    """The page has a row for the command."""
    assert f"| `fasttrack {name}` |" in README.read_text(encoding="utf-8")


def test_readme_names_no_command_that_is_not_there() -> None:
    """A row of the page stands for a command that exists."""
    rows = [
        line.split("`")[1]
        for line in README.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `fasttrack")
    ]
    assert sorted(row.removeprefix("fasttrack ") for row in rows) == sorted(NAMES)


@pytest.mark.parametrize("code", list(ExitCode))
def test_exit_status_has_its_line_in_the_readme(code: ExitCode) -> None:
    """The page says what the status means."""
    assert f"| {int(code)} | " in README.read_text(encoding="utf-8")


def test_connection_options_have_their_line_in_the_readme() -> None:
    """The page names every connection option and its variable."""
    text = README.read_text(encoding="utf-8")
    command = next(command for name, command in ALL if name == "submit")
    connection = [item for item in command.params if item.envvar]
    assert len(connection) == 9
    for parameter in connection:
        assert f"`{parameter.opts[0]}`" in text
        assert f"`{parameter.envvar}`" in text


def test_root_help_lists_every_command() -> None:
    """The help of the root names every command and the exit statuses."""
    done = fasttrack_here("--help")
    assert done.code == 0
    for name, mount in COMMANDS.items():
        assert f" {name} " in done.output
        assert mount.summary in done.output
    assert "Exit status" in done.output


def test_root_help_loads_no_command() -> None:
    """The help of the root is fast because it loads neither gRPC nor a command."""
    program = (
        "import sys\n"
        "from gateway.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "loaded = [name for name in ('grpc', 'asyncpg', 'cryptography', 'gateway.cli.submit') if name in sys.modules]\n"
        "sys.exit(','.join(loaded) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=command_environ({}), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_unknown_command_suggests_the_one_meant() -> None:
    """A typing error is status 2 and names the command that was meant."""
    done = fasttrack_here("sumbit")
    assert done.code == 2
    assert "Did you mean 'submit'?" in done.errors
