"""The key registry: what is loaded, and what stops the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from certs.authority import Authority
from certs.pki import make_pki
from gateway.core.identity import parse_agency
from gateway.trust.chain import thumbprint
from gateway.trust.signer_registry import SignerKey, SignerRegistry, load_registry
from tests.support.pki import NOW, Issued, MemoryPki, issue

PKI = MemoryPki()


def write_folder(root: Path, *, registered: list[Issued], revoked: list[Issued] | None = None) -> tuple[Path, Path]:
    """Write a registry folder; gives the CA file and the folder."""
    for name, issued in (("registered", registered), ("revoked", revoked or [])):
        (root / name).mkdir(parents=True)
        for number, item in enumerate(issued):
            (root / name / f"{number}.crt").write_bytes(item.certificate_pem)
    ca = root / "ca.crt"
    ca.write_bytes(PKI.authority.certificate.public_bytes(Encoding.PEM))
    return ca, root


def load(root: Path, **content: list[Issued]) -> SignerRegistry:
    """Write a registry folder and load it."""
    return load_registry(*write_folder(root, **content))


def test_load_registry_development_pki_has_a_key_for_each_agency(tmp_path: Path) -> None:
    """The folder that the development PKI writes is a registry with both algorithms in use."""
    layout = make_pki(tmp_path / "pki", now=NOW)
    registry = load_registry(layout.signing_ca, layout.signers)
    assert {str(key.agency) for key in registry.registered.values()} >= {"ps:110108", "ja:110105", "ov:110000"}
    assert len(registry.registered) == 10
    assert {key.algorithm for key in registry.registered.values()} == {"EdDSA", "ES256"}
    assert registry.revoked == frozenset()
    assert all(thumbprint(key.certificate) == key_id for key_id, key in registry.registered.items())


def test_load_registry_two_keys_of_one_agency_both_count(tmp_path: Path) -> None:
    """While a key is being replaced the agency has two."""
    registry = load(tmp_path / "r", registered=[issue(PKI.authority), issue(PKI.authority, algorithm="ES256")])
    assert [key.agency for key in registry.registered.values()] == [parse_agency("ps:110108")] * 2


def test_load_registry_revoked_certificate_is_revoked_whether_registered_or_not(tmp_path: Path) -> None:
    """A certificate in revoked/ counts as revoked, moved there or copied there."""
    moved, copied = issue(PKI.authority), issue(PKI.authority)
    registry = load(tmp_path / "r", registered=[copied], revoked=[moved, copied])
    assert registry.revoked == {thumbprint(moved.certificate), thumbprint(copied.certificate)}


def test_load_registry_new_certificate_for_a_revoked_key_is_revoked(tmp_path: Path) -> None:
    """A leaked key stays revoked when somebody certifies it again."""
    leaked = issue(PKI.authority)
    renewed = issue(PKI.authority, key=leaked.key)
    registry = load(tmp_path / "r", registered=[renewed], revoked=[leaked])
    assert thumbprint(renewed.certificate) in registry.revoked


@pytest.mark.parametrize("folder", ["registered", "revoked"])
def test_load_registry_unreadable_file_stops_the_start(tmp_path: Path, folder: str) -> None:
    """A file that cannot be read is named and never skipped, or a revocation could be lost."""
    ca, root = write_folder(tmp_path / "r", registered=[issue(PKI.authority)])
    (root / folder / "odd.crt").write_text("not a certificate")
    with pytest.raises(ValueError, match=f"{folder}/odd.crt"):
        load_registry(ca, root)


@pytest.mark.parametrize("folder", ["registered", "revoked"])
def test_load_registry_missing_folder_stops_the_start(tmp_path: Path, folder: str) -> None:
    """A folder that is missing is an error, not an empty list."""
    ca, root = write_folder(tmp_path / "r", registered=[])
    (root / folder).rmdir()
    with pytest.raises(FileNotFoundError, match=folder):
        load_registry(ca, root)


@pytest.mark.parametrize(
    "make",
    [
        lambda: issue(PKI.authority, None),
        lambda: issue(PKI.authority, uris=["urn:fasttrack:agency:ps:110108", "urn:fasttrack:agency:pr:110108"]),
        lambda: issue(PKI.authority, key=rsa.generate_private_key(65537, 2048)),  # type: ignore[arg-type]
        lambda: issue(PKI.authority, key=ec.generate_private_key(ec.SECP384R1())),
    ],
)
def test_load_registry_certificate_without_agency_or_right_key_stops_the_start(
    tmp_path: Path, make: Callable[[], Issued]
) -> None:
    """A registered certificate names exactly one agency and has an Ed25519 or P-256 key."""
    with pytest.raises(ValueError, match=r"registered/0\.crt"):
        load(tmp_path / "r", registered=[make()])


def test_signer_registry_without_a_ca_is_refused() -> None:
    """A registry needs a CA."""
    with pytest.raises(ValueError, match="PEM"):
        SignerRegistry(b"", {}, frozenset())


def test_signer_registry_two_cas_both_count() -> None:
    """While the CA is being replaced there are two."""
    other = Authority.create("next CA", now=NOW)
    pem = b"".join(ca.certificate.public_bytes(Encoding.PEM) for ca in (PKI.authority, other))
    key = SignerKey.from_certificate(issue(other).certificate)
    assert SignerRegistry(pem, {key.key_id: key}, frozenset()).signing_cas[1] == other.certificate
