"""The registry as entries make it: a certificate counts only if it is the one that its entry names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.core.command import Command
from gateway.core.entry import Entry
from gateway.core.handoff import CaseHead, Place, decide_act
from gateway.core.log.key_history import RevocationReason
from gateway.core.log.registration import register_key, revoke_key
from gateway.trust.chain import thumbprint
from gateway.trust.signer_registry import LedgerKeys, SignerKey, facts_of
from tests.support.pki import Issued, MemoryPki

NAMED = ("signer_key", "public_key_sha256", "agency", "algorithm")


def entry_of(command: Command, index: int) -> Entry:
    """The entry of an act."""
    place = Place(index=index, origin="log", at=datetime(2026, 1, 1, tzinfo=UTC), salt=bytes(32))
    return decide_act(command, place, case=CaseHead(), handoff=None, last_pair_number=0).entry


def facts(signer: Issued) -> tuple[Command, bytes]:
    """The registration of a signer, and its certificate."""
    made = SignerKey.from_certificate(signer.certificate).facts
    return register_key(made), made.certificate


@pytest.fixture
def pki() -> MemoryPki:
    """A signing CA."""
    return MemoryPki()


@pytest.fixture
def keys(pki: MemoryPki) -> LedgerKeys:
    """An empty registry."""
    return LedgerKeys(pki.authority.certificate.public_bytes(Encoding.PEM))


def test_ledger_keys_registered_then_revoked(pki: MemoryPki, keys: LedgerKeys) -> None:
    """A key counts after its registration and no longer after its revocation; each picture is whole and stays."""
    signer = pki.signer()
    key_id = thumbprint(signer.certificate)
    registration, certificate = facts(signer)
    empty = keys.registry
    keys.take(entry_of(registration, 0), certificate)
    registered = keys.registry
    assert registered.registered.keys() == {key_id} and not registered.revoked
    keys.take(entry_of(revoke_key(facts_of(signer.certificate), RevocationReason.SUPERSEDED), 1), certificate)
    assert keys.registry.revoked == {key_id}
    assert not empty.registered and not registered.revoked


@pytest.mark.parametrize("field", NAMED)
def test_ledger_keys_certificate_that_was_exchanged_does_not_count(
    pki: MemoryPki, keys: LedgerKeys, field: str
) -> None:
    """Whoever changes the row beside the entry, or lies in one field of it, brings no key in."""
    registration, certificate = facts(pki.signer())
    entry = entry_of(registration, 0)
    other: dict[str, Any] = {field: "0" * 64}
    with pytest.raises(ValueError, match="not the one that was registered"):
        keys.take(replace(entry, **other), certificate)
    assert not keys.registry.registered


@pytest.mark.parametrize("certificate", [b"", b"no certificate"])
def test_ledger_keys_certificate_that_is_missing_does_not_count(
    pki: MemoryPki, keys: LedgerKeys, certificate: bytes
) -> None:
    """An entry without its certificate brings no key in."""
    registration, _ = facts(pki.signer())
    with pytest.raises(ValueError, match=r".+"):
        keys.take(entry_of(registration, 0), certificate)
    assert not keys.registry.registered


def test_ledger_keys_revocation_counts_without_a_certificate(pki: MemoryPki, keys: LedgerKeys) -> None:
    """A revocation is never skipped because something beside it was lost."""
    signer = pki.signer()
    registration, certificate = facts(signer)
    keys.take(entry_of(registration, 0), certificate)
    keys.take(entry_of(revoke_key(facts_of(signer.certificate), RevocationReason.SUPERSEDED), 1), b"")
    assert keys.registry.revoked == {thumbprint(signer.certificate)}
