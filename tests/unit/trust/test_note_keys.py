"""Note keys of a development set-up: what is written fits together, and is never overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from certs.__main__ import main
from certs.layout import PkiLayout
from certs.note import make_note_keys, witness_name
from gateway.core.log.note import COSIGNATURE_V1
from gateway.core.log.witness_policy import parse_policy
from gateway.trust.note_key import load_note_key, load_verifier_key

ORIGIN = "test.invalid/log"
WITNESSES = ("ps:110108", "ov:110000")


def command(out: Path, *more: str) -> int:
    """Run the command for two agencies."""
    return main(["--out", str(out), *(word for agency in WITNESSES for word in ("--agency", agency)), *more])


@pytest.fixture
def pki(tmp_path: Path) -> PkiLayout:
    """A PKI with a log and two witnesses."""
    witnesses = [word for agency in WITNESSES for word in ("--witness", agency)]
    assert command(tmp_path, "--origin", ORIGIN, *witnesses, "--quorum", "2") == 0
    return PkiLayout(tmp_path)


def test_note_keys_policy_and_public_keys_belong_together(pki: PkiLayout) -> None:
    """The policy names the keys that signer and witnesses have."""
    policy = parse_policy(pki.witness_policy.read_text())
    assert policy.quorum == 2
    assert policy.log == load_verifier_key(pki.log_verifier) == load_note_key(pki.log_key, ORIGIN).verifier
    for agency, verifier in zip(WITNESSES, policy.witnesses, strict=True):
        files = pki.agency(agency)
        key = load_note_key(files.witness_key, witness_name(ORIGIN, agency), COSIGNATURE_V1)
        assert verifier == key.verifier == load_verifier_key(files.witness_verifier)
        assert stat.S_IMODE(files.witness_key.stat().st_mode) == 0o600


def test_note_keys_are_never_overwritten(pki: PkiLayout) -> None:
    """A key that is gone takes its log with it."""
    before = pki.log_key.read_bytes()
    with pytest.raises(FileExistsError):
        make_note_keys(pki, origin=ORIGIN, witnesses=WITNESSES, quorum=2)
    assert pki.log_key.read_bytes() == before


@pytest.mark.parametrize(
    "more",
    [
        ("--origin", ORIGIN),
        ("--witness", "ps:110108"),
        ("--origin", "two words", "--witness", "ps:110108"),
        ("--origin", ORIGIN, "--witness", "ps:999999"),
        ("--origin", ORIGIN, "--witness", "ct:110108"),
        ("--origin", ORIGIN, "--witness", "ps:110108", "--quorum", "2"),
        ("--origin", ORIGIN, "--witness", "ps:110108", "--quorum", "0"),
        ("--origin", ORIGIN, "--witness", "ps:110108", "--witness", "ps:110108"),
    ],
)
def test_note_keys_that_would_not_work_are_refused_before_anything_is_written(
    tmp_path: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """No half PKI is left behind."""
    assert command(tmp_path / "pki", *more) == 1
    assert "--witness" in capsys.readouterr().err
    assert not (tmp_path / "pki").exists()


def test_note_key_of_another_kind_is_refused(pki: PkiLayout) -> None:
    """A TLS key signs no checkpoint, and a name with a space names no key."""
    with pytest.raises(ValueError, match="Ed25519"):
        load_note_key(pki.gateway_tls_key, ORIGIN)
    with pytest.raises(ValueError, match="name"):
        load_note_key(pki.log_key, "two words")
