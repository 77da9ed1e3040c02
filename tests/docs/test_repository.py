"""The repository keeps the promises that no single module can keep: locks, layout, no secrets, no machine of ours."""

from __future__ import annotations

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")

# Written in pieces, so that this file does not contain what it looks for.
PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE" + rb" KEY-----\s+[A-Za-z0-9+/=]{16}")
HOME_PATH = re.compile(rb"(?<![\w.$}/-])/(?:home|Users)" + rb"/[A-Za-z][\w.-]*/|(?<![\w.$}/-])/root" + rb"/[\w.]")


@cache
def tracked_files() -> tuple[Path, ...]:
    """List what git knows and what it would take up; what it ignores is nobody's business."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, check=True, capture_output=True).stdout
    return tuple(path for name in listing.decode().split("\0") if name and (path := ROOT / name).is_file())


def requirements(lock: str) -> list[str]:
    """Split a lock file into requirements, each with the lines that continue it."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / lock).read_text())
    return [item for item in re.split(r"\n(?=\S)", text.replace("\\\n", " ")) if item.strip()]


def locked(lock: str) -> set[str]:
    """Name the packages of a lock file as the index does."""
    return {re.sub(r"[-_.]+", "-", item.split("==")[0].strip()).lower() for item in requirements(lock)}


def wanted(names: list[str]) -> set[str]:
    """Name the packages of a list of requirements as the index does."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name)[0]).lower() for name in names}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_when_read_pins_every_package_by_hash(lock: str) -> None:
    """Nothing is installed that was not seen when the lock was made."""
    items = requirements(lock)
    assert len(items) > 20
    for item in items:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[^\s;]+(\s*;[^\\]+)?\s+--hash=sha256:[0-9a-f]{64}", item), item[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_when_read_names_no_address(lock: str) -> None:
    """A lock works with any index, and tells nothing about the network it was made in."""
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"(?m)^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", text)


def test_locks_when_compared_with_the_project_hold_every_package_it_names() -> None:
    """A dependency added to the project and not locked fails here, not on somebody else's machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run_time, development = wanted(project["project"]["dependencies"]), wanted(project["dependency-groups"]["dev"])
    assert run_time <= locked("requirements.lock")
    assert run_time | development <= locked("requirements-dev.lock")


def test_locks_when_compared_agree_on_versions() -> None:
    """What is tested is what is shipped."""
    development = {item.split()[0] for item in requirements("requirements-dev.lock")}
    assert {item.split()[0] for item in requirements("requirements.lock")} <= development


def test_files_when_tracked_hold_no_private_key() -> None:
    """Keys are made on each machine; one in the history would be everybody's for ever."""
    assert [str(path) for path in tracked_files() if path.suffix in {".key", ".pem", ".p12", ".pfx"}] == []
    assert [str(path) for path in tracked_files() if PRIVATE_KEY.search(path.read_bytes())] == []


def test_files_when_tracked_name_no_home_of_a_developer() -> None:
    """A path of one machine works on that machine only."""
    assert [str(path) for path in tracked_files() if HOME_PATH.search(path.read_bytes())] == []


def test_private_key_when_present_would_be_found(tmp_path: Path) -> None:
    """The search itself works, so its empty result means something."""
    sample = b"-----BEGIN EC PRIVATE" + b" KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49"
    assert PRIVATE_KEY.search(sample)
    assert HOME_PATH.search(b"cd /home" + b"/somebody/project")
    assert not HOME_PATH.search(b"GET /api/root/x and $HOME/root/x")


def make_targets() -> dict[str, str]:
    """Read the targets of the Makefile that are commands, with their line of help."""
    found = re.findall(r"(?m)^([a-z][a-z-]*):([^=\n].*|)$", (ROOT / "Makefile").read_text())
    return {name: rest.partition("## ")[2].strip() for name, rest in found}


def test_targets_when_listed_have_a_line_of_help() -> None:
    """``make help`` shows every command there is."""
    targets = make_targets()
    assert {name for name, line in targets.items() if not line} == set()
    assert targets.keys() >= {"setup", "demo", "test", "lint", "format", "gen", "bench", "lock", "clean", "help"}
    phony = re.findall(r"(?m)^\.PHONY: (.+)$", (ROOT / "Makefile").read_text())
    assert {name for line in phony for name in line.split()} == targets.keys()


def test_help_when_asked_for_prints_every_target() -> None:
    """Calling make without a target explains the rest, and installs nothing."""
    shown = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT)], check=True, capture_output=True, text=True
    )
    assert set(re.findall(r"(?m)^  make ([a-z-]+) ", shown.stdout)) == make_targets().keys()


def test_layout_when_listed_is_the_fixed_top_level() -> None:
    """A newcomer finds the same few names at the top, and each of them is there."""
    top = {path.relative_to(ROOT).parts[0] for path in tracked_files()}
    folders = {"protos", "gateway", "adapters", "certs", "tests", "helm", ".ci"}
    texts = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}
    tools = {"pyproject.toml", "Makefile", "Dockerfile", ".dockerignore", ".gitignore", *LOCKS}
    assert folders | texts | tools == top


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_text_when_opened_says_something(name: str) -> None:
    """The four texts that people look for first are written."""
    assert len((ROOT / name).read_text().splitlines()) >= 5


def test_ci_when_run_calls_what_a_contributor_calls() -> None:
    """There is no second way to build: CI runs the documented targets and stops at the first failure."""
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert lines[-1] == "make lint test"
    assert script.stat().st_mode & 0o111


def test_image_when_built_runs_without_root_and_from_the_lock() -> None:
    """The image installs by hash only, runs under a number that is not root, and starts the gateway without a shell."""
    lines = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
    installs = [line for line in lines if re.search(r"pip (install|download|wheel)", line)]
    assert installs
    for line in installs:
        for command in line.split("&&"):
            if re.search(r"pip (install|download)", command):
                assert "--require-hashes" in command or "--no-index" in command, command
    last_stage = lines[max(index for index, line in enumerate(lines) if line.startswith("FROM")) :]
    assert [line for line in last_stage if line.startswith("USER")] == ["USER 10001:10001"]
    assert 'ENTRYPOINT ["fasttrack"]' in last_stage
    assert not [line for line in last_stage if line.startswith("RUN")]


def test_links_when_followed_in_the_top_texts_lead_somewhere() -> None:
    """A link to a file of the repository is a promise that the file is there."""
    broken = []
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "helm/fasttrack-gateway/README.md"):
        text = ROOT / name
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text.read_text()):
            if not (text.parent / target).exists():
                broken.append(f"{name}: {target}")
    assert broken == []
