"""`fasttrack key` against a ledger: every act is an entry, asked for twice it is one, and fsck finds it in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.layout import PkiLayout, load_authority, write_certificate
from certs.pki import make_pki
from gateway.cli.exit_code import ExitCode
from gateway.core.errors import ErrorCode
from gateway.trust.chain import thumbprint
from tests.support.command import Finished, fasttrack, fasttrack_here
from tests.support.pki import Issued, issue

ORIGIN = "test.invalid/fasttrack"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PkiLayout:
    """A development PKI."""
    return make_pki(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC))


@pytest.fixture
def operator(database_url: str) -> dict[str, str]:
    """Environment of an operator on an empty ledger."""
    url = database_url.replace("postgres@", "fasttrack_gateway@", 1)
    return {"FASTTRACK_DATABASE_URL": url, "FASTTRACK_ORIGIN": ORIGIN}


def signer_of(pki: PkiLayout, agency: str = "ps:110108") -> Issued:
    """A new signing certificate."""
    authority = load_authority(pki.signing_ca, pki.signing_ca.with_suffix(".key"))
    return issue(authority, agency, not_before=datetime.now(UTC), validity=timedelta(days=1))


def test_key_life_from_registration_to_revocation(
    pki: PkiLayout, operator: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    """Registered once, listed, revoked once, never registered again; fsck finds nothing wrong with any of it."""
    signer = signer_of(pki)
    path, key_id = tmp_path / "sign.crt", thumbprint(signer.certificate)
    write_certificate(path, signer.certificate)

    def key(*arguments: object) -> Finished:
        return fasttrack_here("key", *arguments, "--json", environ=operator)

    assert key("register", path).object == {"entries": [{"entry_index": 0, "is_new": True}]}
    assert key("register", path).object == {"entries": [{"entry_index": 0, "is_new": False}]}
    revoke = ("revoke", key_id, "--reason", "key_compromise")
    assert key(*revoke).object == {"entries": [{"entry_index": 1, "is_new": True}]}
    assert key("revoke", path, "--reason", "superseded").object == {"entries": [{"entry_index": 1, "is_new": False}]}
    (listed,) = key("list").object["keys"]
    assert (listed["key_id"], listed["agency"], listed["algorithm"]) == (key_id, "ps:110108", "EdDSA")
    assert (listed["registered_index"], listed["revoked_index"], listed["reason"]) == (0, 1, "key_compromise")
    refused = key("register", path)
    assert refused.code == ExitCode.REFUSED
    assert [finding["name"] for finding in refused.object["findings"]] == [ErrorCode.KEY_REVOKED.name]
    checked = fasttrack_here("fsck", "--json", "--no-vault", environ={"FASTTRACK_DATABASE_URL": database_url})
    assert (checked.code, checked.object["findings"], checked.object["entries"]) == (0, [], 2)


def test_key_import_brings_a_folder_once(pki: PkiLayout, operator: dict[str, str], tmp_path: Path) -> None:
    """The folder of an older gateway becomes entries; a certificate in both folders is revoked, never registered."""
    withdrawn = signer_of(pki)
    for folder in ("registered", "revoked"):
        (tmp_path / folder).mkdir()
        write_certificate(tmp_path / folder / "gone.crt", withdrawn.certificate)
    known = sorted((pki.signers / "registered").glob("*.crt"))
    for path in known:
        (tmp_path / "registered" / path.name).write_bytes(path.read_bytes())
    first = fasttrack_here("key", "import", tmp_path, "--json", environ=operator)
    assert len(first.object["entries"]) == len(known) + 1
    assert fasttrack_here("key", "import", tmp_path, environ=operator).output == "nothing new\n"
    lines = fasttrack_here("key", "list", environ=operator).output.splitlines()
    revoked = [line for line in lines if "revoked by entry 0 (unspecified)" in line and "never registered" in line]
    assert len(revoked) == 1 and revoked[0].startswith(thumbprint(withdrawn.certificate))
    assert sum(line.endswith("counts") for line in lines) == len(known)


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "text"),
    [
        (("revoke", "f" * 64, "--reason", "superseded"), {}, ExitCode.REFUSED, "KEY_NOT_REGISTERED"),
        (("revoke", "no-such-file", "--reason", "superseded"), {}, ExitCode.USAGE, "not a key id"),
        (("list",), {"FASTTRACK_ORIGIN": ""}, ExitCode.USAGE, "the ledger is empty"),
        (("list",), {"FASTTRACK_DATABASE_URL": ""}, ExitCode.USAGE, "FASTTRACK_DATABASE_URL"),
        (
            ("list",),
            {"FASTTRACK_DATABASE_URL": "postgresql://x@127.0.0.1:9/x"},
            ExitCode.UNREACHABLE,
            "the database cannot be used",
        ),
    ],
)
def test_key_that_cannot_work_says_why(
    arguments: tuple[str, ...], changes: dict[str, str], code: ExitCode, text: str, operator: dict[str, str]
) -> None:
    """Each mistake has its exit status and a sentence."""
    done = fasttrack_here("key", *arguments, environ={**operator, **changes})
    assert done.code == code and text in done.errors


def test_key_of_another_log_is_refused(pki: PkiLayout, operator: dict[str, str], tmp_path: Path) -> None:
    """An operator who mixes up two gateways is stopped before anything is written."""
    write_certificate(tmp_path / "a.crt", signer_of(pki).certificate)
    assert fasttrack("key", "register", tmp_path / "a.crt", environ=operator).code == 0
    other = {**operator, "FASTTRACK_ORIGIN": "other.invalid/log"}
    done = fasttrack_here("key", "list", environ=other)
    assert done.code == ExitCode.USAGE and "not the name of this ledger" in done.errors
    without = {**operator, "FASTTRACK_ORIGIN": ""}
    assert fasttrack_here("key", "list", environ=without).code == 0
