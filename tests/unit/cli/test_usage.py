"""Wrong input is status 2 with a hint, before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from certs.pki import make_pki
from tests.support.command import fasttrack_here

HANDOFF = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of a police agency whose gateway is not there: a command that calls it would end with status 3."""
    pki = make_pki(tmp_path_factory.mktemp("pki") / "pki", now=datetime.now(UTC), agencies=["ps:110108", "ov:110000"])
    return {"FASTTRACK_TARGET": "127.0.0.1:1", "FASTTRACK_PROFILE": str(pki.agency("ps:110108").directory)}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Some file."""
    path = tmp_path / "record.xml"
    path.write_bytes(b"<YSQS/>")
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["decide", HANDOFF, "accept", "--reason", "X: y"], "accept takes neither option"),
        (["decide", HANDOFF, "supplement"], "supplement needs --deficiency"),
        (["decide", HANDOFF, "refuse", "--reason", "no code here"], "write it as --reason"),
        (["decide", HANDOFF, "perhaps"], "perhaps"),
        (["claim", "not-an-id"], "UUID"),
        (["claim", HANDOFF, "--lease-seconds", "90000"], "86400"),
        (["inbox", "list", "--state", "lost"], "lost"),
        (["inbox", "watch", "--after", "-1"], "after"),
        (["ledger", "proof"], "give one of --index N"),
        (["ledger", "proof", "--index", "1", "--first-size", "1"], "give one of --index N"),
        (["ledger", "query", "--sender", "police"], "ps:110108"),
        (["ledger", "query", "--since", "yesterday"], "since"),
        (["material", "download", "abc", "--out", "x"], "64 lower-case"),
        (["material", "upload", "no-such-file"], "no-such-file"),
        (["reconcile", "police", "sent"], "ps:110108"),
        (["reconcile", "pr:110108", "sideways"], "sideways"),
        (["submit", "no-such-record.xml"], "no-such-record.xml"),
        (["withdraw", HANDOFF], "--reason"),
        (["adapters", "map", "--from", "police"], "Missing"),
    ],
)
def test_wrong_argument_is_status_2_with_a_hint(arguments: list[str], words: str, environ: dict[str, str]) -> None:
    """The message names what is wrong or what is right; there is no traceback."""
    done = fasttrack_here(*arguments, environ={**environ, "COLUMNS": "300"})
    assert done.code == 2, done.errors
    assert words in done.errors
    assert "Traceback" not in done.errors


def test_missing_settings_are_all_named_at_once() -> None:
    """Without any setting the command names every option and variable that it needs, and where files come from."""
    done = fasttrack_here("inbox", "list", "--json")
    assert done.code == done.object["exit_code"] == 2
    for name in ("TARGET", "CA", "CERT", "KEY", "SIGNING_CA"):
        assert f"FASTTRACK_{name})" in done.object["error"]
    assert "python -m certs" in done.object["hint"]


def test_settings_that_name_no_file_are_named(environ: dict[str, str], tmp_path: Path) -> None:
    """A path that leads nowhere is shown as it was given."""
    done = fasttrack_here("inbox", "list", environ={**environ, "FASTTRACK_CERT": str(tmp_path / "lost.crt")})
    assert done.code == 2
    assert str(tmp_path / "lost.crt") in done.errors


def test_submit_without_signing_key_asks_for_it(environ: dict[str, str], record: Path) -> None:
    """Submit needs the signing key as well, and says so before it calls anybody."""
    profile = Path(environ["FASTTRACK_PROFILE"])
    single = {
        "FASTTRACK_TARGET": environ["FASTTRACK_TARGET"],
        "FASTTRACK_CA": str(profile.parent.parent / "tls-ca.crt"),
        "FASTTRACK_SIGNING_CA": str(profile.parent.parent / "signing-ca.crt"),
        "FASTTRACK_CERT": str(profile / "tls.crt"),
        "FASTTRACK_KEY": str(profile / "tls.key"),
    }
    done = fasttrack_here("submit", record, environ=single)
    assert done.code == 2
    assert "--sign-cert (FASTTRACK_SIGN_CERT), --sign-key (FASTTRACK_SIGN_KEY)" in done.errors


def test_submit_by_oversight_says_who_submits(environ: dict[str, str], record: Path) -> None:
    """Oversight exchanges no records; it hears so without a call."""
    profile = Path(environ["FASTTRACK_PROFILE"]).with_name("ov-110000")
    done = fasttrack_here("submit", record, environ={**environ, "FASTTRACK_PROFILE": str(profile)})
    assert done.code == 2
    assert "ov:110000 exchanges no records" in done.errors


def test_certificate_that_is_none_is_named(environ: dict[str, str], record: Path) -> None:
    """A file that is no certificate is a usage error, not a crash."""
    done = fasttrack_here("submit", record, environ={**environ, "FASTTRACK_CERT": str(record)})
    assert done.code == 2
    assert "certificate" in done.errors
