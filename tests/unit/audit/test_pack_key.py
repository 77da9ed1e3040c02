"""A signature is judged at its place in the log: by the key entries in the pack, and by nothing of today."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.audit.finding import Findings, Severity
from gateway.audit.pack import Pack, Trust
from gateway.audit.pack_key import KeyCheck
from gateway.audit.sm2_check import public_key_info
from gateway.core.entry import Entry, EntryKind, leaf_hash, to_leaf
from gateway.core.log.batch_receipt import BatchTree
from tests.support.pki import Issued, MemoryPki

PKI = MemoryPki()
SIGNER, OTHER = PKI.signer("ps:999001"), PKI.signer("pr:999001")
RENEWED = PKI.signer("ps:999001", algorithm="SM2SM3")
BASE = Entry(
    index=0, origin="log", kind=EntryKind.SUBMITTED, recorded_at=datetime(2026, 3, 2, tzinfo=UTC), actor="ps:999001",
    act_id="0195-1", content_sha256="c" * 64, salt=bytes(32), sender="ps:999001",
)  # fmt: skip


def der_of(signer: Issued) -> bytes:
    """Its certificate."""
    return signer.certificate.public_bytes(Encoding.DER)


def key(kind: EntryKind, signer: Issued, **fields: Any) -> Entry:
    """An entry about a key."""
    public = sha256(public_key_info(signer.certificate)).hexdigest()
    named = {"signer_key": sha256(der_of(signer)).hexdigest(), "public_key_sha256": public, "agency": "ps:999001"}
    return replace(BASE, kind=kind, actor="gateway", sender="", **{**named, **fields})


def registered(signer: Issued = SIGNER, **fields: Any) -> Entry:
    """A registration."""
    return key(EntryKind.KEY_REGISTERED, signer, **fields)


def revoked(signer: Issued = SIGNER, **fields: Any) -> Entry:
    """A revocation."""
    return key(EntryKind.KEY_REVOKED, signer, reason="key_compromise", **fields)


def submitted(signer: Issued = SIGNER) -> Entry:
    """A bundle that the key signed."""
    return replace(BASE, signer_key=sha256(der_of(signer)).hexdigest())


class FakeBag:
    """Files in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


def judged(
    log: Sequence[Entry], *, leave_out: Sequence[str] = (), change: dict[str, bytes] | None = None
) -> list[tuple[str, int | None]]:
    """What is said of a pack made of a whole log, without some files or with others."""
    entries = [replace(entry, index=index) for index, entry in enumerate(log)]
    leaves = [to_leaf(entry) for entry in entries]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    tree = BatchTree(hashes)
    files: dict[str, bytes] = {}
    of_keys = [entry for entry in entries if entry.kind is not EntryKind.SUBMITTED]
    ders = {sha256(der_of(signer)).hexdigest(): der_of(signer) for signer in (SIGNER, OTHER, RENEWED)}
    for entry in of_keys:
        at = entry.index
        proof = {
            "index": at, "tree_size": len(leaves), "leaf_hash": hashes[at].hex(), "root_hash": tree.root.hex(),
            "hashes": [item.hex() for item in tree.path(at)],
        }  # fmt: skip
        files[f"signers/{at}/leaf.json"] = leaves[at]
        files[f"signers/{at}/proof.json"] = json.dumps(proof).encode()
        files[f"signers/{at}/certificate.der"] = ders[entry.signer_key]
    files |= change or {}
    for name in leave_out:
        del files[name]
    findings = Findings()
    pack = Pack(FakeBag(files), Trust(), findings, size=len(leaves), root=tree.root)  # type: ignore[arg-type]
    pack.entries = {entry.index: entry for entry in entries if entry.kind is EntryKind.SUBMITTED}
    pack.leaves = {at: leaves[at] for at in pack.entries}
    KeyCheck(pack).run({"signers": [entry.index for entry in of_keys]})
    assert all((found.severity is Severity.UNKNOWN) == (found.check == "key-unproven") for found in findings.kept)
    return [(finding.check, finding.index) for finding in findings.kept]


def test_key_registered_before_and_revoked_after_counts() -> None:
    """A signature made before a revocation verifies for ever; one made after it does not."""
    assert judged([registered(), submitted(), revoked()]) == []
    assert judged([registered(), submitted(), revoked(), submitted()]) == [("key-revoked", 3)]


def test_key_registered_later_does_not_count() -> None:
    """A signature from before the registration counts for nothing."""
    assert judged([submitted(), registered(), submitted()]) == [("key-unregistered", 0)]


def test_second_certificate_of_a_revoked_key_is_revoked_too() -> None:
    """What counts is the public key, whichever certificate the revocation names."""
    public = sha256(public_key_info(SIGNER.certificate)).hexdigest()
    other = revoked(OTHER, public_key_sha256=public)
    assert ("key-revoked", 2) in judged([registered(), other, submitted()])


def test_key_of_another_agency_is_named() -> None:
    """A key that is registered for another agency signed nothing for this one."""
    assert judged([registered(agency="pr:999001"), submitted()]) == [("key-agency", 1)]


def test_sm2_key_is_judged_like_any_other() -> None:
    """The public key of an SM2 certificate is read here too."""
    assert judged([registered(RENEWED), submitted(RENEWED), revoked(RENEWED)]) == []


def test_key_that_nothing_registers_cannot_be_told() -> None:
    """A pack without the entries of a key makes neither a yes nor a no."""
    assert judged([submitted()]) == [("key-unproven", 0)]
    assert judged([registered(OTHER, agency="pr:999001"), submitted()]) == [("key-stray", 0), ("key-unproven", 1)]


def test_key_entries_that_contradict_each_other_are_named() -> None:
    """A key is registered once and revoked once."""
    assert judged([registered(), registered(), submitted()]) == [("key-contradiction", 1)]
    assert judged([registered(), submitted(), revoked(), revoked()]) == [("key-contradiction", 3)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leaf.json", [("key-missing", 0), ("key-unproven", 1)]),
        ("certificate.der", [("key-missing", 0)]),
        ("proof.json", [("proof-form", None)]),
    ],
)
def test_file_of_a_key_missing_is_named(name: str, expected: list[tuple[str, int | None]]) -> None:
    """What the index names must be there."""
    assert judged([registered(), submitted()], leave_out=[f"signers/0/{name}"]) == expected


def test_file_of_a_key_changed_is_named() -> None:
    """Another certificate, and an entry that is not in the tree or is about something else."""
    log = [registered(), submitted()]
    assert judged(log, change={"signers/0/certificate.der": der_of(OTHER)}) == [("key-certificate", 0)]
    assert judged(log, change={"signers/0/certificate.der": b"x"}) == [("key-certificate", 0)]
    forged = judged(
        [submitted(), registered()], change={"signers/1/leaf.json": to_leaf(replace(registered(), index=0))}
    )
    assert ("proof", 1) in forged and ("key-form", 1) in forged
    assert ("key-form", 0) in judged(log, change={"signers/0/leaf.json": to_leaf(submitted())})
    foreign = to_leaf(replace(registered(), origin="another log"))
    assert ("key-form", 0) in judged(log, change={"signers/0/leaf.json": foreign})


def test_index_that_names_no_numbers_is_read_as_empty() -> None:
    """Whatever an enemy writes into the index, nothing but findings comes of it."""
    for odd in (None, "x", [True, -1, "0", 1.5, None]):
        findings = Findings()
        KeyCheck(Pack(FakeBag({}), Trust(), findings)).run({"signers": odd})  # type: ignore[arg-type]
        assert findings.total == 0
