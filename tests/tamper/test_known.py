"""What the auditor brings along counts: keys of signers, gateway and witnesses; the number of processes does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from gateway import app_audit
from gateway.audit.bundle_check import BundleCheck
from gateway.audit.finding import AuditFinding, Findings
from gateway.audit.key_check import load_keys
from gateway.audit.receipt_check import ReceiptCheck
from gateway.audit.seal_check import SealKeys
from gateway.audit.tree_check import TreeCheck
from gateway.audit.tree_scan import TreeScan
from gateway.core.entry import EntryKind
from gateway.core.log.key_history import KeyHistory
from gateway.ledger.fsck_source import DatabaseSource
from tests.support.notes import make_key, make_witness
from tests.tamper.move import look
from tests.tamper.story import ORIGIN, Story


async def test_bundle_of_a_revoked_or_unknown_key_is_named(story: Story, dba: asyncpg.Connection) -> None:
    """A bundle that entered the ledger after its key was revoked, or before it was registered, is named."""
    source = DatabaseSource(dba, keys=story.vault)
    history = await load_keys(source)
    registered = list(history.keys.values())
    revoked = KeyHistory.of([*registered, replace(registered[0], kind=EntryKind.KEY_REVOKED)])
    unknown = KeyHistory.of(registered[1:])
    for keys, standing in ((revoked, "revoked"), (unknown, "not_registered")):
        findings = Findings()
        destroyed = await source.destroyed_cases()
        await BundleCheck(source, findings, keys=keys, destroyed=destroyed).run(0, None)
        assert findings.kept and {finding.check for finding in findings.kept} == {"bundle-key"}
        assert standing in findings.kept[0].reason


async def test_tree_untouched_is_found_sound_from_any_state_to_any_other(story: Story, dba: asyncpg.Connection) -> None:
    """The quick way is taken wherever a range is cut, with the roots of the slow way, and ends at a difference."""
    source = DatabaseSource(dba)
    sizes = [row[0] async for page in source.states(0, None) for row in page]
    inside = next(size for size in range(sizes[0], sizes[-1]) if size not in sizes)
    certificates = story.known.receipt_certificates
    for start, stop in ((0, None), (0, sizes[3]), (sizes[3], sizes[-2]), (sizes[-2], None), (sizes[-1], None)):
        scan = TreeScan(source, ORIGIN, certificates, frozenset(sizes))
        assert await scan.is_sound(start, stop)
        findings = Findings()
        check = TreeCheck(source, ReceiptCheck(findings, ORIGIN, certificates), findings, frozenset(sizes))
        await check.run(start, stop)
        assert (findings.total, check.roots) == (0, scan.roots)
    assert not await TreeScan(source, ORIGIN, frozenset({b"other"})).is_sound(0, None)
    assert not await TreeScan(source, "another log", certificates).is_sound(0, None)
    assert not await TreeScan(source, ORIGIN, certificates, frozenset({inside})).is_sound(0, None)


async def test_keys_of_others_name_every_signature(story: Story, dba: asyncpg.Connection) -> None:
    """Under other keys nothing is signed."""
    keys = SealKeys(make_key(ORIGIN, seed="x").verifier, (make_witness("witness-1.invalid", seed="x").verifier,))
    strange = replace(story.known, receipt_certificates=frozenset({b"other"}), pseudonym_key=b"x" * 32, seals=keys)
    checks = {finding.check for finding in await look(dba, story, strange)}
    assert {"receipt-header", "bundle-pseudonym", "checkpoint-signature", "cosignature-signature"} <= checks


@pytest.mark.parametrize("workers", [1, 3])
async def test_fsck_in_several_processes_finds_the_same(
    story: Story, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """However the work is cut, all entries are seen and nothing is found."""
    monkeypatch.setattr(app_audit, "_SMALL", 0)
    known = replace(story.known, now=datetime.now(UTC))
    told: list[int] = []
    outcome = await app_audit.run_fsck(story.dsn, known, workers, lambda done, whole: told.append(done))
    assert outcome.findings == []
    connection = await asyncpg.connect(story.dsn)
    entries = await connection.fetchval("SELECT count(*) FROM ledger.entry")
    await connection.close()
    assert (outcome.entries, outcome.bundles) == (entries, 20)


def test_findings_beyond_the_limit_are_counted() -> None:
    """A ledger that is wrong everywhere fills no memory."""
    findings = Findings(limit=2)
    for number in range(5):
        findings(AuditFinding("check", "entry", f"seq={number}", "wrong", number))
    assert (len(findings.kept), findings.total) == (2, 5)
    assert findings.kept[0].to_text() == "entry seq=0: wrong [check]"
