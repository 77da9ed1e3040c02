"""The development PKI: what it writes, with which rights, and what it refuses to overwrite."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certs.__main__ import main
from certs.authority import generate_key
from certs.layout import PkiLayout, load_authority, load_key
from certs.pki import load_identities, make_pki
from gateway.core.identity import parse_uris
from gateway.trust.chain import thumbprint
from gateway.trust.signing_key import algorithm_of
from tests.support.pki import NOW


def certificate(path: Path) -> x509.Certificate:
    """Read a certificate."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def uris(path: Path) -> tuple[str, ...]:
    """The URIs of a certificate."""
    names = certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> PkiLayout:
    """Make the whole PKI once."""
    return make_pki(tmp_path_factory.mktemp("pki") / "pki", now=NOW)


def test_make_pki_each_identity_has_both_certificates_with_its_uri(layout: PkiLayout) -> None:
    """Every agency of identities.toml gets two certificates that name it, with the algorithm it asks for."""
    identities = load_identities()
    assert len(identities) == 10
    for identity in identities:
        files = layout.agency(identity.agency)
        assert parse_uris(uris(files.tls_certificate)) == identity.agency
        assert parse_uris(uris(files.sign_certificate)) == identity.agency
        assert algorithm_of(load_key(files.sign_key)) == identity.signing_algorithm
        registered = certificate(layout.registered_certificate(identity.agency))
        assert thumbprint(registered) == thumbprint(certificate(files.sign_certificate))
    assert {identity.signing_algorithm for identity in identities} == {"EdDSA", "ES256"}


def test_make_pki_every_key_belongs_to_its_certificate(layout: PkiLayout) -> None:
    """Beside each certificate with a key lies the right key."""
    keys = [path for path in layout.root.rglob("*.key") if path.name not in ("pseudonym.key", "master.key")]
    assert len(keys) == 2 + 2 + 2 * 10
    for path in keys:
        assert load_key(path).public_key() == certificate(path.with_suffix(".crt")).public_key()
    assert len(layout.pseudonym_key.read_bytes()) == 32


def test_make_pki_keys_and_folders_are_for_the_owner_only(layout: PkiLayout) -> None:
    """Nobody else on the machine reads a key or looks into a folder."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [layout.root, *layout.root.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.suffix == ".key"} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_make_pki_nothing_is_valid_for_long(layout: PkiLayout) -> None:
    """A development certificate that is forgotten somewhere stops working after 90 days."""
    for path in layout.root.rglob("*.crt"):
        assert certificate(path).not_valid_after_utc == NOW + timedelta(days=90)


def test_make_pki_second_run_refuses_and_changes_nothing(layout: PkiLayout) -> None:
    """An existing key is never overwritten."""
    before = {path: path.read_bytes() for path in layout.root.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match="not overwritten"):
        make_pki(layout.root, now=NOW)
    assert {path: path.read_bytes() for path in layout.root.rglob("*") if path.is_file()} == before


def test_make_pki_further_agency_comes_from_the_same_cas(tmp_path: Path) -> None:
    """An agency can be added later; the CAs and the gateway stay as they are."""
    layout = make_pki(tmp_path, now=NOW, agencies=["ps:110108"])
    assert not layout.agency("pr:110108").directory.exists()
    before = layout.gateway_tls_key.read_bytes()
    make_pki(tmp_path, now=NOW, agencies=["pr:110108"])
    assert layout.gateway_tls_key.read_bytes() == before
    authority = load_authority(layout.signing_ca, tmp_path / "signing-ca.key")
    certificate(layout.agency("pr:110108").sign_certificate).verify_directly_issued_by(authority.certificate)


def test_make_pki_unknown_agency_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A typing mistake leaves no half PKI behind."""
    with pytest.raises(ValueError, match="ps:999999"):
        make_pki(tmp_path / "pki", now=NOW, agencies=["ps:110108", "ps:999999"])
    assert not (tmp_path / "pki").exists()


def test_generate_key_other_algorithm_is_refused() -> None:
    """A wrong word in identities.toml is an error that names it."""
    with pytest.raises(ValueError, match="RS256"):
        generate_key("RS256")


def test_certs_command_makes_once_and_refuses_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says what it did, and exits with 1 when a key exists."""
    arguments = ["--out", str(tmp_path / "pki"), "--agency", "ps:110108"]
    assert main(arguments) == 0
    assert "not for production" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "not overwritten" in capsys.readouterr().err
