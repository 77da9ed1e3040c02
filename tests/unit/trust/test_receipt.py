"""Receipts: what a holder can check years later, and what no receipt may pass as."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certs.authority import Authority
from gateway.core.entry import leaf_hash
from gateway.core.errors import ErrorCode, GatewayError
from gateway.core.identity import GATEWAY_URI
from gateway.core.log.batch_receipt import BatchTree, join_receipt
from gateway.trust.jose import sign_compact
from gateway.trust.receipt import (
    RECEIPT_TYPE,
    RECONCILE_TYPE,
    ReceiptClaims,
    ReceiptSigner,
    load_receipt_signer,
    verify_receipt,
    verify_statement,
)
from tests.support.pki import NOW, Issued, MemoryPki, issue

PKI = MemoryPki()
CA = PKI.authority.certificate
GATEWAY = issue(PKI.authority, uris=[GATEWAY_URI])
LEAF = b'{"index":6,"kind":"submitted"}'
BATCH = BatchTree([leaf_hash(leaf) for leaf in (b"first", b"second", LEAF, b"last")])
PATH = BATCH.path(2)
CLAIMS: dict[str, Any] = {
    "origin": "gateway.example/log",
    "first_index": 4,
    "tree_size": 8,
    "batch_root": BATCH.root.hex(),
    "root_hash": "0f" * 32,
    "recorded_at": "2026-03-02T01:00:00.000Z",
}
LATER = timedelta(days=3650)


def signer_of(issued: Issued) -> ReceiptSigner:
    """Sign as the gateway."""
    return ReceiptSigner(issued.key, issued.chain)  # type: ignore[arg-type]


SIGNER = signer_of(GATEWAY)


def receipt_of(claims: dict[str, Any], typ: str = RECEIPT_TYPE) -> str:
    """A receipt for the third of a batch of four."""
    return join_receipt(SIGNER.sign(claims, typ), PATH)


def signed_by(issued: Issued, claims: dict[str, Any] | None = None, typ: str = RECEIPT_TYPE) -> str:
    """Sign claims with any certificate, without the checks of the signer."""
    jws = sign_compact(claims or CLAIMS, typ=typ, private_key=issued.key, certificate_chain=issued.chain)
    return join_receipt(jws, PATH)


def codes(jws: str, *, leaf: bytes = LEAF, ca: x509.Certificate = CA, **when: Any) -> list[ErrorCode]:
    """The codes with which a receipt is refused."""
    with pytest.raises(GatewayError) as caught:
        verify_receipt(jws, leaf=leaf, signing_ca=ca, **{"now": NOW, **when})
    return [finding.code for finding in caught.value.findings]


def test_receipt_right_one_verifies_and_says_what_was_signed() -> None:
    """A receipt of the gateway for this entry verifies, repeatedly, and gives its claims."""
    for _ in range(2):
        receipt = verify_receipt(receipt_of(CLAIMS), leaf=LEAF, signing_ca=CA, now=NOW)
        assert receipt == ReceiptClaims(entry_index=6, leaf_hash=leaf_hash(LEAF).hex(), **CLAIMS)


def test_receipt_years_later_counts_by_the_time_of_the_entry() -> None:
    """Without a time the certificate must have been valid when the entry was recorded."""
    assert verify_receipt(receipt_of(CLAIMS), leaf=LEAF, signing_ca=CA, now=None)
    claims = {**CLAIMS, "recorded_at": "2036-03-02T01:00:00Z"}
    assert codes(receipt_of(claims), now=None) == [ErrorCode.CERTIFICATE_NOT_VALID_NOW]


def test_receipt_for_another_entry_is_refused() -> None:
    """A receipt is for one entry only."""
    jws = receipt_of(CLAIMS)
    assert codes(jws, leaf=LEAF + b" ") == [ErrorCode.RECORD_DIGEST_MISMATCH]
    assert codes(jws, leaf=LEAF + b" ", now=NOW + LATER) == [
        ErrorCode.CERTIFICATE_NOT_VALID_NOW,
        ErrorCode.RECORD_DIGEST_MISMATCH,
    ]


@pytest.mark.parametrize(
    ("leaf", "path"),
    [
        (LEAF, PATH[:1]),
        (LEAF, [*PATH, bytes(32)]),
        (LEAF, PATH[::-1]),
        (LEAF, BATCH.path(3)),
        (LEAF.replace(b"6", b"7"), PATH),
        (LEAF.replace(b"6", b"3"), PATH),
        (LEAF.replace(b"6", b"8"), PATH),
        (LEAF.replace(b"6", b"true"), PATH),
        (b"no leaf", PATH),
    ],
)
def test_receipt_whose_path_leads_elsewhere_is_refused(leaf: bytes, path: list[bytes]) -> None:
    """The path must lead from this leaf, at the index that it names, to what was signed, no shorter and no longer."""
    receipt = join_receipt(SIGNER.sign(CLAIMS, RECEIPT_TYPE), path)
    assert codes(receipt, leaf=leaf) == [ErrorCode.RECORD_DIGEST_MISMATCH]


def test_receipt_of_the_whole_batch_is_for_each_of_its_entries_and_for_no_other() -> None:
    """Of a batch of any size, each entry's receipt proves it at its own index alone."""
    for size in (1, 2, 3, 5, 7, 8, 13):
        leaves = [b'{"index":%d}' % (40 + place) for place in range(size)]
        tree = BatchTree([leaf_hash(leaf) for leaf in leaves])
        claims = {**CLAIMS, "first_index": 40, "tree_size": 40 + size, "batch_root": tree.root.hex()}
        jws = SIGNER.sign(claims, RECEIPT_TYPE)
        receipts = [join_receipt(jws, tree.path(place)) for place in range(size)]
        for place, receipt in enumerate(receipts):
            claimed = verify_receipt(receipt, leaf=leaves[place], signing_ca=CA, now=NOW)
            assert claimed.entry_index == 40 + place
            others = [leaf for leaf in leaves if leaf != leaves[place]]
            assert all(codes(receipt, leaf=leaf) == [ErrorCode.RECORD_DIGEST_MISMATCH] for leaf in others)


def test_receipt_without_its_path_or_with_another_spelling_is_refused() -> None:
    """A receipt is one line in one spelling."""
    receipt = receipt_of(CLAIMS)
    for odd in (receipt.partition("~")[0], receipt + "=", receipt + "A", receipt + "~", receipt.replace("~", "~~")):
        assert codes(odd) == [ErrorCode.JWS_MALFORMED]


def test_receipt_of_another_type_is_refused() -> None:
    """A statement of reconciliation with the claims of a receipt is not a receipt, and the other way round."""
    assert codes(receipt_of(CLAIMS, RECONCILE_TYPE)) == [ErrorCode.JWS_TYPE_WRONG]
    with pytest.raises(GatewayError):
        verify_statement(SIGNER.sign(CLAIMS, RECEIPT_TYPE), typ=RECONCILE_TYPE, signing_ca=CA, now=NOW)


def test_receipt_of_an_agency_is_refused() -> None:
    """An agency cannot issue receipts, although its certificate is of the same CA."""
    assert codes(signed_by(issue(PKI.authority))) == [ErrorCode.KEY_NOT_REGISTERED]
    both = issue(PKI.authority, uris=[GATEWAY_URI, "urn:fasttrack:agency:ps:110108"])
    assert codes(signed_by(both)) == [ErrorCode.KEY_NOT_REGISTERED]


def test_receipt_of_another_ca_is_refused() -> None:
    """A gateway that anybody sets up issues no receipts of this one."""
    other = issue(Authority.create("other", now=NOW), uris=[GATEWAY_URI])
    assert codes(signed_by(other)) == [ErrorCode.CERTIFICATE_CHAIN_INVALID]


def test_receipt_with_another_algorithm_is_refused() -> None:
    """The gateway signs with Ed25519 only."""
    assert codes(signed_by(issue(PKI.authority, uris=[GATEWAY_URI], algorithm="ES256"))) == [
        ErrorCode.ALGORITHM_NOT_ALLOWED
    ]


def test_receipt_tampered_is_refused() -> None:
    """Claims that were changed after signing are refused."""
    header, _, signature = receipt_of(CLAIMS).split(".")
    payload = SIGNER.sign({**CLAIMS, "first_index": 5}, RECEIPT_TYPE).split(".")[1]
    assert codes(f"{header}.{payload}.{signature}") == [ErrorCode.SIGNATURE_INVALID]


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"origin": 5},
        {"first_index": "4"},
        {"first_index": True},
        {"first_index": -1},
        {"first_index": 8},
        {"tree_size": 2**63},
        {"batch_root": "0F" * 32},
        {"root_hash": ""},
        {"recorded_at": "yesterday"},
        {"recorded_at": "2026-03-02T01:00:00"},
    ],
)
def test_receipt_with_odd_claims_is_refused(change: dict[str, Any]) -> None:
    """Even the gateway's signature does not make odd claims a receipt."""
    assert codes(receipt_of({**CLAIMS, **change})) == [ErrorCode.JWS_MALFORMED]


def test_receipt_with_a_missing_claim_is_refused() -> None:
    """All six claims are there."""
    for name in CLAIMS:
        claims = {key: value for key, value in CLAIMS.items() if key != name}
        assert codes(receipt_of(claims)) == [ErrorCode.JWS_MALFORMED]


def test_statement_of_reconciliation_verifies() -> None:
    """A statement gives back its claims while the certificate is valid."""
    claims = {"sender": "ps:110108", "receiver": "pr:110108", "last_number": 3}
    jws = SIGNER.sign(claims, RECONCILE_TYPE)
    assert verify_statement(jws, typ=RECONCILE_TYPE, signing_ca=CA, now=NOW) == claims
    assert verify_statement(jws, typ=RECONCILE_TYPE, signing_ca=CA, now=None) == claims
    with pytest.raises(GatewayError) as caught:
        verify_statement(jws, typ=RECONCILE_TYPE, signing_ca=CA, now=NOW + LATER)
    assert caught.value.code is ErrorCode.CERTIFICATE_NOT_VALID_NOW


def test_receipt_signer_with_the_wrong_certificate_does_not_start() -> None:
    """A gateway with the certificate of an agency, or with another key, finds out before it signs."""
    with pytest.raises(ValueError, match=GATEWAY_URI):
        signer_of(issue(PKI.authority))
    with pytest.raises(ValueError, match="not that of"):
        ReceiptSigner(issue(PKI.authority).key, GATEWAY.chain)  # type: ignore[arg-type]


def test_load_receipt_signer_reads_key_and_certificate(tmp_path: Path) -> None:
    """The files of the gateway are loaded; a key of another kind stops the start."""
    certificate, key = tmp_path / "receipt.crt", tmp_path / "receipt.key"
    certificate.write_bytes(GATEWAY.certificate_pem)
    key.write_bytes(GATEWAY.key_pem)
    jws = join_receipt(load_receipt_signer(certificate, key).sign(CLAIMS, RECEIPT_TYPE), PATH)
    assert verify_receipt(jws, leaf=LEAF, signing_ca=CA, now=NOW)
    key.write_bytes(issue(PKI.authority, algorithm="ES256").key_pem)
    with pytest.raises(ValueError, match="Ed25519"):
        load_receipt_signer(certificate, key)
