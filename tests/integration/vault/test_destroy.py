"""A case that is destroyed: nothing of it can be read in any table, file or backup, and every proof verifies."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from gateway.core.digest import sha256_hex, sm3_hex
from gateway.core.entry import EntryKind, from_leaf
from gateway.core.form.definition import FormKind
from gateway.core.log.merkle import verify_inclusion
from gateway.core.manifest import Material
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.ledger.embedded_install import find_programs
from gateway.rpc.client_enquiry import EnquiryCalls
from gateway.rpc.client_error import CallRefused
from gateway.trust.tls import channel_credentials
from gateway.v1 import common_pb2, exchange_pb2, ledger_pb2
from tests.support.bundle import (
    load_issued,
    make_statement,
    new_case_number,
    sign,
    sign_stated,
    to_material,
    transfer_manifest,
    transfer_record,
)
from tests.support.command import Finished, fasttrack_here
from tests.support.form_scene import changed_example
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.pki import Issued
from tests.support.wire import OVERSIGHT, Desk, refusal_of

NAME, FACTS, TITLE, REASON = "测试人甲", "独一无二的案情甲乙丙", "受案登记表", "缺少讯问笔录签名页"
NOTE, MISTAKE = "法制审核意见附注丁", "更正的理由戊己庚"
PROPERTY_LISTED = {"act": "property_listed"}


@dataclass(slots=True)
class Planted:
    """A case that was handed over, supplemented and handed over again, beside one that stays.

    Args:
        gateway: running.
        number: police case number of the one.
        handoff: of its first transfer.
        stays: police case number of the other.
        other: its handoff.
        words: everything personal that was handed over, as text.
        only_here: a document that only the one names.
        shared: a document that both name.
        large: a record of more than 1 MiB, which travelled as a material.
        annex: a structured material of the one case.
    """

    gateway: RunningGateway
    number: str
    handoff: UUID
    stays: str
    other: UUID
    words: tuple[str, ...]
    only_here: bytes
    shared: bytes
    large: bytes
    annex: bytes

    @property
    def environ(self) -> dict[str, str]:
        """Settings of an operator."""
        environ = {name: value for name, value in self.gateway.environ.items() if name.startswith("FASTTRACK_")}
        return environ | {"FASTTRACK_DATABASE_URL": self.gateway.database_url}

    def run(self, *arguments: object, **changes: str) -> Finished:
        """Run a command of the operator."""
        return fasttrack_here(*arguments, environ=self.environ | changes)

    def fsck(self, *arguments: object, **changes: str) -> Finished:
        """Run fsck as the owner of the schema."""
        return self.run(
            "fsck", "--json", "--workers", "1", "--pseudonym-key", self.gateway.pki.pseudonym_key, *arguments,
            **{"FASTTRACK_DATABASE_URL": self.gateway.dsn, **changes},
        )  # fmt: skip

    @property
    def materials(self) -> set[bytes]:
        """Contents of all files in the store."""
        return {path.read_bytes() for path in (self.gateway.home / "materials").rglob("*") if path.is_file()}


def _annex(number: str) -> tuple[bytes, Material]:
    body = changed_example(FormKind.ANNEX, "legal-review", {"/checklist/0/note": f"{NOTE} {number}"})
    data = json.dumps(body, ensure_ascii=False).encode()
    media_type = "application/vnd.fasttrack.legal-review.v1+json"
    return data, Material("review", "", "法制审核", media_type, len(data), sha256_hex(data), sm3_hex(data))


def code_of(number: str) -> str:
    """The code by which a party may ask after a case."""
    return "Q7K2M9" + number[-6:]


async def _plant_more(desk: Desk, signer: Issued, number: str, document: bytes) -> tuple[bytes, bytes]:
    """What a case holds beside its first transfer: an annex, a record that is too large for the call, statements."""
    annex, described = _annex(number)
    large = transfer_record(number, material=document, facts=FACTS * 60_000)
    assert len(large) > 1024 * 1024
    for data in (annex, large):
        await desk.upload(data)
    manifest = transfer_manifest(large, number, materials=(to_material(document), described))
    await desk.submit(sign(manifest, signer), b"")
    correction = changed_example(FormKind.STATEMENT, "correction", {"/reason": MISTAKE})
    told = {"subject_token": sha256_hex(code_of(number).encode()), "stage": "FILED", "on": "2026-01-29"}
    for name, body in (("correction", correction), ("case-progress", told), ("procedural-act", PROPERTY_LISTED)):
        await desk.state(sign_stated(make_statement(body, number, type=name), signer))
    return large, annex


async def _plant(gateway: RunningGateway) -> Planted:
    files = gateway.pki.agency("ps:110108")
    signer = load_issued(files.sign_certificate, files.sign_key)
    number, stays = new_case_number(), new_case_number()
    mark = sha256_hex(number.encode())
    only_here, shared = f"%PDF-1.4 only here {mark}\n".encode(), f"%PDF-1.4 named by two cases {mark}\n".encode()
    handoffs = []
    async with Desk(gateway) as police, Desk(gateway, "pr:110108") as procuratorate:
        for data in (only_here, shared):
            await police.upload(data)
        for case, materials in ((number, (only_here, shared)), (stays, (shared,))):
            record = transfer_record(case, material=materials[0], facts=FACTS * 1_000)
            manifest = transfer_manifest(
                record, case, materials=tuple(to_material(data, number=at) for at, data in enumerate(materials, 1)),
                idempotency_key=f"{case}-1",
            )  # fmt: skip
            await police.submit(sign(manifest, signer), record)
            handoffs.append(manifest.bundle_id)
            await procuratorate.claim(manifest.bundle_id)
            await procuratorate.fetch(manifest.bundle_id)
            await procuratorate.decide(
                manifest.bundle_id,
                decision=exchange_pb2.DECISION_ASK_SUPPLEMENT,
                deficiencies=[exchange_pb2.Deficiency(document_code="D01", text=REASON)],
            )
        large, annex = await _plant_more(police, signer, number, only_here)
    words = (
        number, NAME, FACTS, TITLE, REASON, "R1101080000002024060121", f"{number}-1",
        NOTE, "法制审核", MISTAKE, code_of(number), sha256_hex(code_of(number).encode()),
    )  # fmt: skip
    return Planted(gateway, number, handoffs[0], stays, handoffs[1], words, only_here, shared, large, annex)


@pytest.fixture(scope="module")
def gateway(
    postgres_server: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """A real gateway for all cases of this file; each test plants its own."""
    with running_gateway(postgres_server, migrated_template, tmp_path_factory.mktemp("destroy")) as gateway:
        yield gateway


@pytest.fixture
def planted(gateway: RunningGateway) -> Planted:
    """Two cases that no other test has."""
    return asyncio.run(_plant(gateway))


def _spellings(words: tuple[str, ...]) -> set[bytes]:
    """Every way in which a word may lie in a file: two encodings, escaped, hexadecimal, and base64 at any offset."""
    found: set[bytes] = set()
    for word in words:
        for data in (word.encode(), word.encode("gb18030"), json.dumps(word)[1:-1].encode()):
            found |= {data, data.hex().encode()}
            for shift in range(3):
                # The first and last digits depend on what stands beside the word.
                text = base64.urlsafe_b64encode(b"\0" * shift + data).rstrip(b"=")
                found.add(text[4 if shift else 0 : -2])
    return {spelling for spelling in found if len(spelling) >= 6}


def _dump(server: EmbeddedPostgres, dsn: str, folder: Path) -> bytes:
    programs = find_programs(folder, None)
    done = subprocess.run(
        [programs / "pg_dump", "--dbname", dsn], capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"}
    )
    return done.stdout


async def _files_of(dsn: str) -> bytes:
    """The files of the ledger's tables and indexes as they lie on the disk."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CHECKPOINT")
        rows = await connection.fetch(
            "SELECT pg_read_binary_file(pg_relation_filepath(c.oid)) FROM pg_class AS c"
            " WHERE pg_relation_filepath(c.oid) IS NOT NULL AND (c.relnamespace = 'ledger'::regnamespace OR c.oid IN"
            " (SELECT reltoastrelid FROM pg_class WHERE relnamespace = 'ledger'::regnamespace))"
        )
    finally:
        await connection.close()
    return b"\0".join(row[0] for row in rows)


def _assert_unreadable(planted: Planted, server: EmbeddedPostgres, folder: Path) -> None:
    log = planted.gateway.log.read_bytes()
    for where, data in (
        ("dump", _dump(server, planted.gateway.dsn, folder)),
        ("files", asyncio.run(_files_of(planted.gateway.dsn))),
        ("log", log),
    ):
        assert where == "log" or b"case_destroyed" in data or b"submitted" in data
        found = [spelling for spelling in _spellings(planted.words) if spelling in data]
        assert found == [], where


def test_case_before_and_after_is_readable_nowhere(
    planted: Planted, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Names, numbers, titles and texts are in no table, file or log of the ledger, destroyed or not.

    Handed over by records in the call and beside it, by an annex, by decisions and by statements.
    """
    _assert_unreadable(planted, postgres_server, tmp_path)
    assert {planted.only_here, planted.shared, planted.large, planted.annex} <= planted.materials
    asyncio.run(_assert_planted(planted.gateway.dsn))
    part = planted.gateway.home / "materials" / "incoming" / "ps-110108"
    part.mkdir(exist_ok=True)
    digest = next(
        path.parent.name + path.name
        for path in (planted.gateway.home / "materials" / "sha256").rglob("*")
        if path.is_file() and path.read_bytes() == planted.only_here
    )
    (part / f"{digest}.part").write_bytes(planted.only_here[:9])
    done = planted.run("case", "destroy", planted.number, "--reason", "ordered", "--yes", "--json")
    assert done.code == 0, done
    assert (done.object["materials_removed"], done.object["materials_shared"]) == (3, 1)
    assert done.object["is_new"] and done.object["key_destroyed"]
    _assert_unreadable(planted, postgres_server, tmp_path)
    assert planted.materials & {planted.only_here, planted.only_here[:9], planted.large, planted.annex} == set()
    assert planted.shared in planted.materials
    left = b"\0".join(planted.materials)
    assert [spelling for spelling in _spellings((planted.number,)) if spelling in left] == []


async def _assert_planted(dsn: str) -> None:
    """Every table that holds something of a case has something of this one, and some of it lies out of line."""
    connection = await asyncpg.connect(dsn)
    try:
        for table in ("bundle", "detail", "statement", "progress", "fact", "track", "case_material"):
            assert await connection.fetchval(f"SELECT count(*) FROM ledger.{table}"), table
        assert await connection.fetchval("SELECT max(length(record)) FROM ledger.bundle") > 10_000
        # What stays in the clear has pseudonyms, words of the rules and moments: nothing longer, and nothing but ASCII.
        for (body,) in await connection.fetch("SELECT body FROM ledger.fact UNION ALL SELECT body FROM ledger.track"):
            words = re.findall(rb'"([^"]*)"', body)
            assert body.isascii() and all(CLEAR.fullmatch(word) for word in words), body
    finally:
        await connection.close()


CLEAR = re.compile(rb"[0-9a-f]{32}|[a-z_]{1,40}|[A-Z_]{1,40}|K\d{2}|\d[0-9A-Z+.]*|\d{4}-\d{2}-\d{2}(T[0-9:.]+Z)?|")


def test_case_destroyed_is_refused_by_its_own_code_and_its_proofs_hold(planted: Planted) -> None:
    """Fetch, claim and submit say CASE_DESTROYED; receipts, inclusion, fsck and the other case are as before."""
    before = planted.fsck()
    assert (before.code, before.object["findings"]) == (0, []), before
    assert asyncio.run(_ask_after(planted)) == "FILED"
    first = planted.run("case", "destroy", planted.number, "--reason", "retention_expired", "--yes", "--json")
    again = planted.run("case", "destroy", planted.number, "--reason", "ordered", "--yes", "--json")
    assert first.code == again.code == 0
    assert again.object["entry_index"] == first.object["entry_index"] and not again.object["is_new"]
    asyncio.run(_look_at_both(planted, first.object["entry_index"]))
    assert asyncio.run(_ask_after(planted)) == "ENQUIRY_UNKNOWN"
    after = planted.fsck()
    assert (after.code, after.object["findings"]) == (0, []), after
    assert after.object["destroyed_bundles"] == before.object["destroyed_bundles"] + 2
    blind = planted.fsck("--no-vault")
    assert (blind.code, blind.object["findings"]) == (0, [])
    assert "content of bundles and decisions (--no-vault)" in blind.object["not_checked"]


async def _ask_after(planted: Planted) -> str:
    """What a party hears who asks by the code on its receipt: the stage, or the code of the refusal."""
    gateway = planted.gateway
    files = gateway.pki.agency("xx:110000")
    credentials = channel_credentials(gateway.pki.tls_ca, files.tls_certificate, files.tls_key)
    async with EnquiryCalls(gateway.target, credentials) as client:
        try:
            return (await client.get_progress(code_of(planted.number))).stage
        except CallRefused as refused:
            return refused.findings[0].code.name


async def _look_at_both(planted: Planted, destroyed: int) -> None:
    gateway = planted.gateway
    files = gateway.pki.agency("ps:110108")
    signer = load_issued(files.sign_certificate, files.sign_key)
    async with (
        Desk(gateway) as police,
        Desk(gateway, "pr:110108") as procuratorate,
        Desk(gateway, OVERSIGHT) as oversight,
    ):
        for call in (
            procuratorate.fetch(planted.handoff),
            procuratorate.claim(planted.handoff),
            police.withdraw(planted.handoff),
        ):
            assert (await refusal_of(call)).reason == "CASE_DESTROYED"
        for materials in ((planted.only_here,), (planted.shared,)):
            record = transfer_record(planted.number, material=materials[0])
            manifest = transfer_manifest(record, planted.number, materials=(to_material(materials[0]),))
            assert (await refusal_of(police.submit(sign(manifest, signer), record))).reason == "CASE_DESTROYED"
        status = await procuratorate.receipts(planted.handoff)
        assert status.case_destroyed and not status.deficiencies and len(status.receipts) == 4
        other = await procuratorate.receipts(planted.other)
        assert not other.case_destroyed and [item.text for item in other.deficiencies] == [REASON]
        assert (await procuratorate.fetch(planted.other)).record
        states = [common_pb2.HANDOFF_STATE_SUPPLEMENT_ASKED]
        inbox = await procuratorate.call(procuratorate.exchange.ListInbox, exchange_pb2.ListInboxRequest(states=states))
        both = {str(planted.handoff), str(planted.other)}
        numbers = {item.handoff_id: item.case_number for item in inbox.items if item.handoff_id in both}
        assert numbers == {str(planted.handoff): "", str(planted.other): planted.stays}
        entries = await oversight.entries()
        proof = await oversight.call(
            oversight.ledger.GetProof,
            ledger_pb2.GetProofRequest(
                inclusion=ledger_pb2.InclusionQuery(entry_index=destroyed, tree_size=len(entries))
            ),
        )
        entry = from_leaf(entries[destroyed].leaf)
        assert (entry.kind, entry.actor, entry.reason) == (EntryKind.CASE_DESTROYED, "gateway", "retention_expired")
        verify_inclusion(entries[destroyed].leaf_hash, destroyed, len(entries), list(proof.hashes), proof.root_hash)


def test_evidence_of_a_destroyed_case_verifies_without_its_content(planted: Planted, tmp_path: Path) -> None:
    """A pack made before verifies as ever; one made after says what was destroyed, and nothing in it is wrong."""
    owner = {"FASTTRACK_DATABASE_URL": planted.gateway.dsn}
    for when in ("before", "after"):
        if when == "after":
            assert planted.run("case", "destroy", planted.number, "--reason", "ordered", "--yes").code == 0
        done = planted.run("evidence", "export", planted.number, "--out", tmp_path / f"{when}.zip", **owner)
        assert done.code == 0, done
    for when in ("before", "after"):
        done = fasttrack_here(
            "verify", tmp_path / f"{when}.zip", "--signing-ca", planted.gateway.pki.signing_ca, "--json"
        )
        assert done.code == 1, done
        checks = {finding["check"]: finding["severity"] for finding in done.object["findings"]}
        assert "error" not in checks.values()
        assert ("case-destroyed" in checks) == (when == "after")


def test_destruction_killed_before_the_key_is_finished_by_the_next_start(planted: Planted) -> None:
    """The entry stands, the key is still there: fsck says so, and a gateway that starts ends it."""
    gateway = planted.gateway
    asyncio.run(_only_the_entry(planted))
    found = planted.fsck()
    assert [finding["check"] for finding in found.object["findings"]] == ["case-key-remains"]
    gateway.kill()
    gateway.start()
    assert planted.fsck().object["findings"] == []
    assert planted.only_here not in planted.materials
    assert planted.run("case", "finish", "--json").object == {"entries": []}


def test_destroy_command_killed_between_entry_and_key_is_finished_by_the_next_one(planted: Planted) -> None:
    """kill -9 of the real command while it waits for the key: the same command again goes on to the end."""
    asyncio.run(_kill_at_the_key(planted))
    assert [finding["check"] for finding in planted.fsck().object["findings"]] == ["case-key-remains"]
    done = planted.run("case", "destroy", planted.number, "--reason", "ordered", "--yes", "--json")
    assert done.code == 0 and not done.object["is_new"] and done.object["key_destroyed"]
    assert planted.fsck().object["findings"] == []
    assert planted.only_here not in planted.materials


_DESTROYED = "SELECT count(*) FROM ledger.entry WHERE kind = 'case_destroyed'"


async def _kill_at_the_key(planted: Planted) -> None:
    """The row of the key is held, so that the command comes as far as that and no further."""
    ledger, vault = await asyncpg.connect(planted.gateway.dsn), await asyncpg.connect(planted.gateway.vault_url)
    before = await ledger.fetchval(_DESTROYED)
    transaction = vault.transaction()
    await transaction.start()
    await vault.execute("SELECT FROM vault.case_key FOR UPDATE")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli.main", "case", "destroy", planted.number, "--reason", "ordered", "--yes",
        env={**os.environ, **planted.environ}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while await ledger.fetchval(_DESTROYED) == before:
            assert process.returncode is None
            await asyncio.sleep(0.02)
        process.kill()
        assert await process.wait() < 0
        # What the dead command may have asked of the vault must not be done for it after all.
        await vault.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'fasttrack case'"
        )
    finally:
        await transaction.rollback()
        await vault.close()
        await ledger.close()


async def _only_the_entry(planted: Planted) -> None:
    """What a process leaves that was killed right after the entry."""
    from gateway.app_vault import VaultAccess, open_case_office
    from gateway.core.log.destruction import DestructionReason, destroy_case
    from gateway.core.pseudonym import Pseudonyms

    gateway = planted.gateway
    access = VaultAccess(gateway.vault_url, gateway.pki.master_key)
    case = Pseudonyms(gateway.pki.pseudonym_key.read_bytes()).case(planted.number)
    async with open_case_office(gateway.database_url, access, gateway.home / "materials") as office:
        await office._writer.append(destroy_case(case, DestructionReason.ORDERED))


def test_backup_from_before_cannot_be_read_with_the_master_key(
    planted: Planted, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """The ledger as it was before, beside the vault as it is now: the case that went stays unreadable."""
    gateway = planted.gateway
    asyncio.run(_clone(postgres_server, gateway.dsn))
    backup = gateway.dsn.replace("?", "_backup?")
    try:
        assert planted.run("case", "destroy", planted.number, "--reason", "ordered", "--yes").code == 0
        out = tmp_path / "backup.zip"
        done = planted.run("evidence", "export", planted.number, "--out", out, FASTTRACK_DATABASE_URL=backup)
        assert done.code == 0 and "0 bundles" in done.output, done
        whole = planted.run("evidence", "export", planted.stays, "--out", out, FASTTRACK_DATABASE_URL=backup)
        assert whole.code == 0 and "1 bundles" in whole.output
        checks = {item["check"] for item in planted.fsck(FASTTRACK_DATABASE_URL=backup).object["findings"]}
        assert checks == {"case-key"}
    finally:
        asyncio.run(_execute(postgres_server, f'DROP DATABASE "{_name(gateway.dsn)}_backup" WITH (FORCE)'))


def _name(dsn: str) -> str:
    return dsn.rpartition("/test_")[2].join(("test_", "")).partition("?")[0]


async def _clone(server: EmbeddedPostgres, dsn: str) -> None:
    # A living gateway connects again at once; a template with a session cannot be copied.
    name = _name(dsn)
    await _execute(
        server,
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'",
        f'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"',
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true',
        f'ALTER DATABASE "{name}_backup" ALLOW_CONNECTIONS true',
    )


async def _execute(server: EmbeddedPostgres, *statements: str) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_destroy_without_consent_or_case_does_nothing(planted: Planted) -> None:
    """Nobody to be asked, a number that is none, and a case that is not there: each is refused, and nothing changes."""
    before = planted.fsck().object["destroyed_bundles"]
    for arguments, code in (
        ((planted.number, "--reason", "ordered"), 2),
        ((planted.number, "--reason", "because", "--yes"), 2),
        (("A1", "--reason", "ordered", "--yes"), 2),
        ((new_case_number(), "--reason", "ordered", "--yes"), 1),
    ):
        assert planted.run("case", "destroy", *arguments).code == code
    assert planted.fsck().object["destroyed_bundles"] == before
    assert planted.only_here in planted.materials
