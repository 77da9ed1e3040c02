"""Evidence packs: made from a real case, verified offline, by us and by tools of others."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import bagit
import pytest
from bdbag import bdbag_api

from gateway.audit.pack import Trust
from gateway.audit.verify import INCOMPLETE, VERIFIED, WRONG, verify_pack
from tests.integration.audit.conftest import Handled, export
from tests.support.command import fasttrack_here


def unpack(pack: Path, folder: Path) -> Path:
    """Unpack a pack that we made ourselves."""
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(folder)
    return next(folder.iterdir())


def repack(pack: Path, target: Path, name: str, data: bytes | None) -> None:
    """Copy a pack with one file of its payload changed, or left out, and every BagIt digest put right again."""
    import hashlib

    with zipfile.ZipFile(pack) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        root = source.namelist()[0].split("/")[0]
        files = {item.removeprefix(f"{root}/"): source.read(item) for item in source.namelist()}
        files.pop(f"data/{name}", None)
        if data is not None:
            files[f"data/{name}"] = data
        payload = {path: hashlib.sha256(body).hexdigest() for path, body in files.items() if path.startswith("data/")}
        files["manifest-sha256.txt"] = "".join(f"{digest}  {path}\n" for path, digest in payload.items()).encode()
        tags = {
            path: hashlib.sha256(body).hexdigest()
            for path, body in files.items()
            if not path.startswith("data/") and path != "tagmanifest-sha256.txt"
        }
        files["tagmanifest-sha256.txt"] = "".join(f"{digest}  {path}\n" for path, digest in tags.items()).encode()
        for path, body in files.items():
            copy.writestr(f"{root}/{path}", body)


def payload(pack: Path) -> dict[str, bytes]:
    """All files of the payload."""
    with zipfile.ZipFile(pack) as archive:
        return {name.split("/data/", 1)[1]: archive.read(name) for name in archive.namelist() if "/data/" in name}


def test_pack_untouched_verifies(handled: Handled) -> None:
    """Everything in the pack verifies against keys that the auditor brings along; none is left out."""
    verified = verify_pack(handled.pack, handled.trust)
    assert verified.findings == []
    assert (verified.code, verified.entries, verified.bundles) == (VERIFIED, 9, 2)
    names = set(payload(handled.pack))
    assert {"README.md", "case.json", "head/checkpoint", "head/token.der", "keys/policy.toml"} <= names
    assert sum(name.startswith("renditions/") for name in names) == 4
    assert sum(name.startswith("materials/") for name in names) == 1
    assert sum(name.startswith("details/") for name in names) == 1


def test_pack_without_trusted_keys_says_so(handled: Handled) -> None:
    """A pack that is believed because of the keys in it is not called verified."""
    verified = verify_pack(handled.pack, Trust())
    assert verified.code == INCOMPLETE
    assert {finding.check for finding in verified.findings} == {"trust-signing-ca", "trust-policy", "trust-tsa-ca"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pack_is_a_bag_for_public_validators(handled: Handled, tmp_path: Path) -> None:
    """bagit and bdbag accept it, and refuse it once a byte of it is changed."""
    folder = unpack(handled.pack, tmp_path / "bag")
    assert bagit.Bag(str(folder)).validate()
    bdbag_api.validate_bag(str(folder), fast=False)
    leaf = next((folder / "data" / "leaves").iterdir())
    leaf.write_bytes(leaf.read_bytes() + b" ")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(folder)).validate()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_pack_readme_commands_verify_everything(handled: Handled, tmp_path: Path) -> None:
    """The commands of the README verify each signature, chain and time stamp as they stand; a wrong one stops them."""
    data = unpack(handled.pack, tmp_path / "bag") / "data"
    script = re.findall(r"```sh\n(.*?)```", (data / "README.md").read_text(), re.DOTALL)
    assert len(script) == 1 and script[0].count("openssl verify") == 12
    done = subprocess.run(["sh", "-c", script[0]], cwd=data, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.count("Signature Verified Successfully") == 12 and "Verification: OK" in done.stdout + done.stderr
    )
    signed = next(data.glob("bundles/*/signed.bin"))
    signed.write_bytes(signed.read_bytes()[:-1] + b"A")
    done = subprocess.run(["sh", "-c", script[0]], cwd=data, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0


def test_pack_with_any_file_changed_is_named(handled: Handled, tmp_path: Path) -> None:
    """Each file in turn is changed, with the digests put right: the finding names the file or what depends on it."""
    target = tmp_path / "changed.zip"
    for name, data in payload(handled.pack).items():
        middle = len(data) // 2
        # The certificates and policy that an auditor brings along do not come from the pack, so these may be anything.
        if name == "README.md" or name.startswith("keys/"):
            continue
        changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        repack(handled.pack, target, name, changed)
        verified = verify_pack(target, handled.trust)
        assert verified.code == WRONG, name
        # A leaf that is still a leaf is named by its proof and its receipt.
        stem = name.partition("/")[2].split(".")[0].split("/")[0]
        wheres = {finding.where for finding in verified.findings}
        assert any(stem in where or where == "case.json" for where in wheres), (name, wheres)


def test_pack_with_any_file_missing_or_added_is_named(handled: Handled, tmp_path: Path) -> None:
    """Each file in turn is left out, with all BagIt digests put right; and a stray one is not overlooked."""
    target = tmp_path / "short.zip"
    for name in payload(handled.pack):
        if name == "README.md" or name.startswith("keys/"):
            continue
        repack(handled.pack, target, name, None)
        verified = verify_pack(target, handled.trust)
        # A pack may be made without these: then it says less, and says so. The time stamp is an extra.
        is_optional = name == "head/checkpoint" or name.endswith("/record.bin") or name.startswith("renditions/")
        wanted = {VERIFIED} if name == "head/token.der" else {INCOMPLETE, WRONG} if is_optional else {WRONG}
        assert verified.code in wanted, name
    repack(handled.pack, target, "leaves/readme.txt", b"x")
    assert "leaf-name" in {finding.check for finding in verify_pack(target, handled.trust).findings}
    repack(handled.pack, target, "more/readme.txt", b"x")
    assert "file-stray" in {finding.check for finding in verify_pack(target, handled.trust).findings}


def test_pack_of_another_authority_is_wrong(handled: Handled) -> None:
    """Nothing verifies below a CA that the auditor trusts and the signers do not come from."""
    from cryptography import x509

    other = tuple(x509.load_pem_x509_certificates(handled.gateway.pki.tls_ca.read_bytes()))
    verified = verify_pack(handled.pack, replace(handled.trust, signing_cas=other))
    assert verified.code == WRONG
    assert {finding.check for finding in verified.findings} == {"chain"}


def test_commands_export_and_verify(handled: Handled, tmp_path: Path) -> None:
    """The command leaves materials out unless asked; verify has its exit codes; an unknown case is refused."""
    pack = tmp_path / "small.zip"
    assert export(handled.gateway, handled.case_number, pack, handled.policy, "--json").object["included"] == 0
    assert not [name for name in payload(pack) if name.startswith("materials/")]
    options = handled.options
    assert fasttrack_here("verify", handled.pack, *options, "--json").object["exit_code"] == VERIFIED
    assert fasttrack_here("verify", pack).code == INCOMPLETE
    repack(pack, tmp_path / "wrong.zip", "case.json", b"{}")
    assert fasttrack_here("verify", tmp_path / "wrong.zip", *options).code == WRONG
    (tmp_path / "no.zip").write_bytes(b"PK")
    assert fasttrack_here("verify", tmp_path / "no.zip", *options).code == 5
    unknown = export(handled.gateway, "A999001000000209912" + "0001", pack, handled.policy)
    assert unknown.code == 1


def test_fsck_command_finds_the_gateways_own_ledger_clean(handled: Handled, tmp_path: Path) -> None:
    """fsck with every key finds nothing on a ledger that a real gateway wrote; a bad address is `cannot tell`."""
    pki = handled.gateway.pki
    environ = {
        "FASTTRACK_DATABASE_URL": handled.gateway.dsn,
        "FASTTRACK_VAULT_URL": handled.gateway.vault_url,
        "FASTTRACK_MASTER_KEY_FILE": str(pki.master_key),
    }
    options = (
        "--receipt-cert",
        pki.receipt_certificate,
        "--pseudonym-key",
        pki.pseudonym_key,
        "--policy",
        handled.policy,
    )
    done = fasttrack_here("fsck", *options, "--json", environ=environ)
    assert (done.code, done.object["findings"]) == (0, [])
    # The gateway's own entries, which bring keys and adapters into force, are there too.
    assert done.object["entries"] > 8
    assert fasttrack_here("fsck", environ={"FASTTRACK_DATABASE_URL": "postgresql://localhost:1/no"}).code == 2
    assert fasttrack_here("fsck", environ={}).code == 2
    assert fasttrack_here("fsck", "--policy", pki.receipt_certificate, environ=environ).code == 2
