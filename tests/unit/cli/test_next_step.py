"""Every error says what to do next, in text and in JSON, also that of a command which never got to work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import fasttrack_here

NOWHERE = "postgresql://127.0.0.1:1/none"
WITHOUT_SETTINGS = (
    "serve", "migrate", "health", "signer", "stamper --tsa-url http://127.0.0.1:1", "scheduler --origin example/log",
    "tiles", "fsck", "vault status", "case finish", "rules replay A9990010000002026010001 --pseudonym-key {file}",
    "evidence export A9990010000002026010001 --signing-ca {file} --out {file}.zip", "verify-fork {file}",
    "verify {file} --signing-ca {file}", "monitor ftp://127.0.0.1 --policy {file} --state {file}.d",
    "monitor http://127.0.0.1:1 --policy {file} --state {file}.d", "witness", "mirror", "enquiry 0",
)  # fmt: skip


@pytest.mark.parametrize("line", WITHOUT_SETTINGS)
def test_command_without_what_it_needs_says_what_to_do_next(line: str, tmp_path: Path) -> None:
    """Exit status 2, the reason, and a next step that is no repetition of the reason."""
    file = tmp_path / "file"
    file.write_text("nothing of use\n")
    done = fasttrack_here(*line.format(file=file).split())
    assert done.code == 2, done
    if "Usage:" in done.errors:
        assert "--help" in done.errors
        return
    reason, _, following = done.errors.partition("\n  next: ")
    assert reason.startswith("fasttrack: ") and len(following.strip()) > 10, done.errors


@pytest.mark.parametrize("line", ("scheduler --origin example/log", "migrate", "fsck --no-vault"))
def test_command_with_a_database_that_is_not_there_says_so_to_programs(line: str) -> None:
    """The object has error, hint and exit status, and the status is the process's."""
    done = fasttrack_here(*line.split(), "--json", environ={"FASTTRACK_DATABASE_URL": NOWHERE})
    told = json.loads(next(line for line in (done.output + done.errors).splitlines() if line.startswith("{")))
    assert told["exit_code"] == done.code and done.code in {2, 3}
    assert told["error"] and told["hint"]
