"""SM2 certificates: mixed chains, two places for one algorithm, the registry, and the development PKI."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.__main__ import main
from certs.authority import Authority
from certs.layout import load_key
from certs.pki import make_pki
from gateway.core.der import BIT_STRING, SEQUENCE, parse_elements, parse_one, to_der
from gateway.core.errors import ErrorCode, GatewayError
from gateway.trust.chain import examine_chain, public_key_of, thumbprint
from gateway.trust.jws import verify_bundle
from gateway.trust.signer_registry import SignerKey, SignerRegistry, load_registry
from gateway.trust.sm2 import Sm2PrivateKey, Sm2PublicKey, is_issued_by, is_sm2, to_der_signature
from tests.support.pki import NOW, Issued, MemoryPki, issue
from tests.unit.trust.test_bundle_signature import PAYLOAD


@pytest.fixture
def pki() -> MemoryPki:
    """An SM2 CA."""
    return MemoryPki(algorithm="SM2SM3")


def der_of(certificate: x509.Certificate) -> bytes:
    """DER of a certificate."""
    return certificate.public_bytes(Encoding.DER)


def findings(certificate: bytes, ca: Authority) -> list[ErrorCode]:
    """What is wrong with a chain of one certificate."""
    return [finding.code for finding in examine_chain([certificate], [ca.certificate]).findings]


@pytest.mark.parametrize(("leaf", "above"), [("SM2SM3", "ES256"), ("EdDSA", "SM2SM3"), ("ES256", "SM2SM3")])
def test_chain_of_two_kinds_of_keys_is_accepted(leaf: str, above: str) -> None:
    """What counts at each step is the key of the issuer, whatever kind the subject's is."""
    pki = MemoryPki(algorithm=above)
    signer = pki.signer(algorithm=leaf)
    verified = verify_bundle(signer.sign(PAYLOAD), registry=pki.registry, now=NOW)
    assert verified.algorithm == leaf


def test_chain_with_one_changed_bit_in_the_signature_of_the_ca_is_refused(pki: MemoryPki) -> None:
    """A certificate that the SM2 CA did not sign is refused."""
    certificate = pki.signer().certificate
    assert is_sm2(certificate)
    assert findings(der_of(certificate), pki.authority) == []
    changed = bytearray(der_of(certificate))
    changed[-1] ^= 1
    assert findings(bytes(changed), pki.authority) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_chain_with_another_algorithm_inside_than_outside_is_refused(pki: MemoryPki) -> None:
    """The algorithm stands twice in a certificate; only the inner one is signed, so they must be the same."""
    assert isinstance(pki.authority.key, Sm2PrivateKey)
    key = pki.authority.key.public_key()
    signed, outside, _ = parse_elements(parse_one(der_of(pki.signer().certificate), SEQUENCE))
    ecdsa = to_der(SEQUENCE, bytes.fromhex("06082a8648ce3d040302"))
    fields = [to_der(*element) for element in parse_elements(signed[1])]
    for algorithm, expected in ((fields[2], True), (ecdsa, False)):
        body = to_der(SEQUENCE, *fields[:2], algorithm, *fields[3:])
        signature = b"\0" + to_der_signature(pki.authority.key.sign(body))
        certificate = to_der(SEQUENCE, body, to_der(*outside), to_der(BIT_STRING, signature))
        loaded = x509.load_der_x509_certificate(certificate)
        assert is_issued_by(loaded, pki.authority.certificate, key) is expected


def test_chain_signature_of_the_ca_that_is_no_der_is_refused(pki: MemoryPki) -> None:
    """The raw form of a bundle signature is not accepted in a certificate."""
    assert isinstance(pki.authority.key, Sm2PrivateKey)
    signed, outside, _ = parse_elements(parse_one(der_of(pki.signer().certificate), SEQUENCE))
    raw = pki.authority.key.sign(to_der(*signed))
    certificate = to_der(SEQUENCE, to_der(*signed), to_der(*outside), to_der(BIT_STRING, b"\0", raw))
    assert findings(certificate, pki.authority) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_chain_with_a_point_of_another_form_is_unreadable(pki: MemoryPki) -> None:
    """A key whose point is compressed or hybrid is refused before C sees it."""
    der = der_of(pki.signer().certificate)
    hybrid = der.replace(b"\x03\x42\x00\x04", b"\x03\x42\x00\x06")
    assert hybrid != der
    with pytest.raises(GatewayError) as caught:
        findings(hybrid, pki.authority)
    assert caught.value.code is ErrorCode.CERTIFICATE_CHAIN_INVALID


def write_registry(root: Path, pki: MemoryPki, registered: list[Issued], revoked: list[Issued]) -> tuple[Path, Path]:
    """Write a registry folder; gives the CA file and the folder."""
    for name, items in (("registered", registered), ("revoked", revoked)):
        (root / name).mkdir(parents=True)
        for number, item in enumerate(items):
            (root / name / f"{number}.crt").write_bytes(item.certificate_pem)
    (root / "ca.crt").write_bytes(pki.authority.certificate.public_bytes(Encoding.PEM))
    return root / "ca.crt", root


def test_load_registry_sm2_key_decides_the_algorithm(tmp_path: Path, pki: MemoryPki) -> None:
    """A registered SM2 certificate is for SM2SM3; a new certificate for a revoked SM2 key is revoked."""
    good, leaked = issue(pki.authority, algorithm="SM2SM3"), issue(pki.authority, algorithm="SM2SM3")
    renewed = issue(pki.authority, key=leaked.key)
    registry = load_registry(*write_registry(tmp_path / "r", pki, [good, renewed], [leaked]))
    key = registry.registered[thumbprint(good.certificate)]
    assert key.algorithm == "SM2SM3"
    assert key.public_key == good.key.public_key()
    assert registry.revoked == {thumbprint(leaked.certificate), thumbprint(renewed.certificate)}


def test_signer_key_with_a_point_beside_the_curve_is_refused(pki: MemoryPki) -> None:
    """A certificate that cannot verify anything is not registered."""
    certificate = pki.signer().certificate
    key = public_key_of(certificate)
    assert isinstance(key, Sm2PublicKey)
    beside = der_of(certificate).replace(key.point, key.point[:-1] + bytes([key.point[-1] ^ 1]))
    with pytest.raises(ValueError, match="curve"):
        SignerKey.from_certificate(x509.load_der_x509_certificate(beside))


def test_load_registry_sm2_key_without_a_library_stops_the_start_with_its_code(
    tmp_path: Path, pki: MemoryPki, request: pytest.FixtureRequest
) -> None:
    """A key record that asks for SM2 on a machine without it is named at the start, and never skipped."""
    elsewhere = MemoryPki()
    folder = write_registry(tmp_path / "r", elsewhere, [elsewhere.signer(algorithm="SM2SM3")], [])
    pem = pki.authority.certificate.public_bytes(Encoding.PEM)
    request.getfixturevalue("no_sm2")
    with pytest.raises(GatewayError) as caught:
        load_registry(*folder)
    assert caught.value.code is ErrorCode.ALGORITHM_UNAVAILABLE
    assert caught.value.findings[0].path == "registered/0.crt"
    with pytest.raises(GatewayError) as caught:
        SignerRegistry(pem, {}, frozenset())
    assert caught.value.code is ErrorCode.ALGORITHM_UNAVAILABLE


def test_verify_bundle_sm2_without_a_library_is_refused_with_its_code(
    pki: MemoryPki, request: pytest.FixtureRequest
) -> None:
    """If SM2 is lost while the gateway runs, a bundle is refused with a code that says so, and never accepted."""
    jws, registry = pki.signer().sign(PAYLOAD), pki.registry
    request.getfixturevalue("no_sm2")
    with pytest.raises(GatewayError) as caught:
        verify_bundle(jws, registry=registry, now=NOW)
    assert caught.value.code is ErrorCode.ALGORITHM_UNAVAILABLE


def test_make_pki_sm2_agency_signs_below_an_sm2_ca_beside_the_others(tmp_path: Path) -> None:
    """With --sm2 one agency signs with SM2 and the others as before, and the gateway trusts both CAs."""
    layout = make_pki(tmp_path / "pki", now=NOW, agencies=["ps:110108", "pr:110108"], sm2=["ps:110108"])
    registry = load_registry(layout.signing_ca, layout.signers)
    assert {str(key.agency): key.algorithm for key in registry.registered.values()} == {
        "ps:110108": "SM2SM3",
        "pr:110108": "EdDSA",
    }
    for agency in ("ps:110108", "pr:110108"):
        files = layout.agency(agency)
        certificate = x509.load_pem_x509_certificate(files.sign_certificate.read_bytes())
        jws = Issued(certificate, load_key(files.sign_key)).sign(PAYLOAD)
        assert str(verify_bundle(jws, registry=registry, now=NOW).signer) == agency
    assert [is_sm2(ca) for ca in registry.signing_cas] == [False, True]


def test_make_pki_second_sm2_agency_comes_from_the_same_sm2_ca(tmp_path: Path) -> None:
    """An agency added later is issued by the SM2 CA that is there."""
    make_pki(tmp_path, now=NOW, agencies=["ps:110108"], sm2=["ps:110108"])
    layout = make_pki(tmp_path, now=NOW + timedelta(1), agencies=["pr:110108"], sm2=["pr:110108"])
    registry = load_registry(layout.signing_ca, layout.signers)
    assert len(registry.signing_cas) == 2
    assert {key.algorithm for key in registry.registered.values()} == {"SM2SM3"}


def test_make_pki_sm2_agency_that_is_not_made_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """A typing mistake after --sm2 is an error."""
    with pytest.raises(ValueError, match="ps:1"):
        make_pki(tmp_path / "pki", now=NOW, agencies=["ps:110108"], sm2=["ps:1"])
    assert not (tmp_path / "pki").exists()


@pytest.mark.usefixtures("no_sm2")
def test_certs_command_sm2_without_a_library_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says what is missing."""
    assert main(["--out", str(tmp_path / "pki"), "--sm2", "ps:110108"]) == 1
    assert "ALGORITHM_UNAVAILABLE" in capsys.readouterr().err
    assert not (tmp_path / "pki").exists()


def test_sm2_certificate_is_accepted_by_openssl_itself(tmp_path: Path, pki: MemoryPki) -> None:
    """Where the openssl program is installed, it accepts the chain with the identifier of the standard."""
    program = shutil.which("openssl")
    (tmp_path / "ca.crt").write_bytes(pki.authority.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "leaf.crt").write_bytes(pki.signer().certificate_pem)
    command = ["verify", "-vfyopt", "distid:1234567812345678", "-attime", str(int(NOW.timestamp())), "-CAfile"]
    if program is None:
        return  # the same chain is judged by GmSSL in test_sm2.py, on every machine
    done = subprocess.run(
        [program, *command, tmp_path / "ca.crt", tmp_path / "leaf.crt"], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().endswith("OK"), done.stderr


def test_chain_certificate_that_names_another_issuer_is_refused(pki: MemoryPki) -> None:
    """The right key under another name is another CA."""
    assert isinstance(pki.authority.key, Sm2PrivateKey)
    key, leaf = pki.authority.key.public_key(), pki.signer().certificate
    renamed = Authority.create("another name", now=NOW, algorithm="SM2SM3").certificate
    assert is_issued_by(leaf, pki.authority.certificate, key)
    assert not is_issued_by(leaf, renamed, key)
