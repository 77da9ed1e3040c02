"""A ledger that lost its tail, put back from mirrors bit for bit, or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.app_mirror import Rebuilt, rebuild_ledger
from gateway.audit.mirror_file import FILE
from gateway.audit.rebuild import ContradictionError, Rows
from gateway.core.identity import Agency
from gateway.core.log.mirror import BESIDE
from gateway.core.log.note import VerifierKey
from gateway.core.port.seal import MemoryLostError
from gateway.core.pseudonym import Pseudonyms
from gateway.ledger.rebuild import LEFT_ALONE, TABLES, RowDiffersError, UnknownTableError
from tests.integration.mirror.conftest import OV, PARTIES, MirroredLog, dump, lose_tail, superuser
from tests.support.notes import make_key
from tests.tamper.story import CT, JA, ORIGIN, PR, PS, PSEUDONYM_KEY


async def rebuild(
    log: MirroredLog, agencies: Sequence[Agency] = PARTIES, *, is_kept: bool = True, key: VerifierKey | None = None
) -> Rebuilt:
    """Rebuild from the mirrors of agencies."""
    policy = replace(log.policy, log=key) if key is not None else log.policy
    folders = [log.folder(agency) for agency in agencies]
    return await rebuild_ledger(
        log.dsn, folders, policy, log.story.known, lambda text: None,
        keys=log.story.vault, pseudonyms=Pseudonyms(PSEUDONYM_KEY), is_kept=is_kept,
    )  # fmt: skip


async def execute(dsn: str, *statements: str) -> None:
    """Change what must not be changed."""
    async with superuser(dsn) as connection:
        for statement in statements:
            await connection.execute(statement)


async def sizes(dsn: str) -> list[int]:
    """Sizes of the states."""
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch("SELECT size FROM ledger.state ORDER BY size")
    await connection.close()
    return [row["size"] for row in rows]


async def test_story_fills_every_table_that_is_put_back(log: MirroredLog) -> None:
    """Of a table without rows, or one whose rows are not lost, the tests below would say nothing."""
    rows = await dump(log.dsn)
    assert [name for name in TABLES if not rows[name]] == []
    await lose_tail(log.dsn, 0)
    rows = await dump(log.dsn)
    assert [name for name in TABLES if rows[name]] == []


@pytest.mark.parametrize("part", [0.0, 0.1, 0.4, 0.9, 1.0])
async def test_tail_when_lost_is_put_back_bit_for_bit(mirrored: MirroredLog, part: float) -> None:
    """Whatever an older backup lacks, every row of every table is afterwards what it was, and fsck is clean."""
    before, ends = await dump(mirrored.dsn), await sizes(mirrored.dsn)
    start = 0 if part == 0 else ends[int(part * (len(ends) - 1))]
    await lose_tail(mirrored.dsn, start)
    assert (await dump(mirrored.dsn) == before) is (part == 1.0)
    rebuilt = await rebuild(mirrored)
    assert (rebuilt.missing, rebuilt.findings) == ((), ())
    assert (rebuilt.start, rebuilt.size) == (start, ends[-1])
    assert rebuilt.inserted.get("entry", 0) == ends[-1] - start
    assert await dump(mirrored.dsn) == before


async def test_tail_when_rebuilt_needs_oversight_and_the_senders_only(mirrored: MirroredLog) -> None:
    """Oversight has every leaf, a sender its bundles, and of receipts and texts either party has a copy."""
    before = await dump(mirrored.dsn)
    await lose_tail(mirrored.dsn, 0)
    rebuilt = await rebuild(mirrored, (OV, PS, PR))
    assert (rebuilt.missing, rebuilt.findings) == ((), ())
    assert await dump(mirrored.dsn) == before


async def test_tail_when_a_mirror_is_missing_names_each_hole_and_writes_nothing(mirrored: MirroredLog) -> None:
    """Half a ledger is worse than none: all that no mirror holds is named, with whose mirror would help."""
    await lose_tail(mirrored.dsn, 0)
    lost = await dump(mirrored.dsn)
    rebuilt = await rebuild(mirrored, (CT, JA))
    named = {(item.index, item.where) for item in rebuilt.missing}
    kept = {row[0] for agency in (CT, JA) for row in mirrored.content(agency)["entry"]}
    assert {index for index, table in named if table == "entry"} == set(range(rebuilt.size)) - kept
    assert any(table == "bundle" for _, table in named)
    assert rebuilt.inserted == {}
    assert await dump(mirrored.dsn) == lost
    one = await rebuild(mirrored, (OV, PR))
    bundles = [item for item in one.missing if item.where == "bundle"]
    assert bundles and all("ps:999001" in item.reason for item in bundles)


async def test_tail_when_only_tried_is_taken_back(mirrored: MirroredLog) -> None:
    """A dry run says what would be done, and leaves the database as it was."""
    await lose_tail(mirrored.dsn, 3)
    lost = await dump(mirrored.dsn)
    rebuilt = await rebuild(mirrored, is_kept=False)
    assert rebuilt.inserted["entry"] > 0 and rebuilt.findings == ()
    assert await dump(mirrored.dsn) == lost


async def test_rows_when_some_are_still_there_are_left_and_completed(mirrored: MirroredLog) -> None:
    """Not only a clean cut: whatever rows of the tail survived must be the very rows, and stay."""
    before = await dump(mirrored.dsn)
    await execute(
        mirrored.dsn,
        "DELETE FROM ledger.entry WHERE seq IN (20, 25) OR seq > 200",
        "DELETE FROM ledger.receipt WHERE seq % 2 = 0 AND seq >= 20",
        "DELETE FROM ledger.state WHERE size > 100",
        "DELETE FROM ledger.tile",
    )
    assert (await rebuild(mirrored)).findings == ()
    assert await dump(mirrored.dsn) == before


async def test_rows_when_one_that_is_there_differs_are_refused(mirrored: MirroredLog) -> None:
    """What stands in the place of a lost row is not overwritten, and not overlooked."""
    await execute(
        mirrored.dsn,
        "DELETE FROM ledger.entry WHERE seq >= 30",
        "UPDATE ledger.receipt SET jws = jws || 'x' WHERE seq = (SELECT max(seq) FROM ledger.receipt)",
    )
    changed = await dump(mirrored.dsn)
    with pytest.raises(RowDiffersError, match="receipt"):
        await rebuild(mirrored)
    assert await dump(mirrored.dsn) == changed


async def test_ledger_when_damaged_before_its_tail_is_not_completed(mirrored: MirroredLog) -> None:
    """The tail is put back only onto a ledger that fsck finds clean; what it finds is named."""
    await lose_tail(mirrored.dsn, 40)
    await execute(mirrored.dsn, "UPDATE ledger.entry SET actor = 'ct:999001' WHERE seq = 2")
    changed = await dump(mirrored.dsn)
    rebuilt = await rebuild(mirrored)
    assert {finding.check for finding in rebuilt.findings} == {"entry-column"}
    assert rebuilt.inserted == {}
    assert await dump(mirrored.dsn) == changed


async def test_ledger_when_it_went_on_by_itself_is_refused(mirrored: MirroredLog) -> None:
    """A restored backup that took new entries is another history; nothing is written over it."""
    await lose_tail(mirrored.dsn, (await sizes(mirrored.dsn))[10])
    await mirrored.story.write_more(mirrored.dsn)
    grown = await dump(mirrored.dsn)
    with pytest.raises(ContradictionError, match="another history"):
        await rebuild(mirrored)
    assert await dump(mirrored.dsn) == grown


async def test_ledger_when_longer_than_the_mirrors_is_left_alone(mirrored: MirroredLog) -> None:
    """Mirrors say nothing of what came after their last checkpoint."""
    await mirrored.story.write_more(mirrored.dsn)
    with pytest.raises(ContradictionError, match="longest mirror"):
        await rebuild(mirrored)


async def test_ledger_when_it_has_an_unknown_table_is_refused(mirrored: MirroredLog) -> None:
    """A version that does not know a table would lose its rows without a word."""
    await execute(mirrored.dsn, "CREATE TABLE ledger.later (seq bigint)")
    with pytest.raises(UnknownTableError, match="later"):
        await rebuild(mirrored)


def spoil(folder: Path, *statements: str) -> None:
    """Change a mirror by hand."""
    connection = sqlite3.connect(folder / FILE)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE entry SET leaf = leaf || x'20'", "changed"),
        ("UPDATE entry SET leaf = CAST(replace(leaf, 'registered', 'revoked') AS BLOB) WHERE seq = 0", "damaged"),
        ("UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE seq = 0) WHERE seq = 1", "damaged"),
        ("UPDATE entry SET leaf = 'text'", "changed"),
        ("UPDATE beside SET body = x'00' WHERE name = 'certificate' AND seq = 0", "damaged"),
        ("UPDATE bundle SET record = x'00'", "damaged"),
        ("UPDATE bundle SET manifest_jws = 'a.b.c'", "damaged"),
        ("UPDATE tile SET data = zeroblob(8192) WHERE level = 0", "damaged|differ"),
        ("UPDATE head SET root = zeroblob(32)", "contradicts"),
        ("DELETE FROM seal WHERE what = 'checkpoint'", "no checkpoint"),
        ("DELETE FROM batch", "last batch"),
        ("UPDATE about SET origin = 'other.invalid/log'", "another log"),
    ],
)
async def test_mirror_when_tampered_with_is_refused(mirrored: MirroredLog, statement: str, reason: str) -> None:
    """A mirror comes from somebody else's machine: only what the signed tree proves is believed."""
    await lose_tail(mirrored.dsn, 0)
    lost = await dump(mirrored.dsn)
    spoil(mirrored.folder(PS), statement)
    with pytest.raises((ContradictionError, MemoryLostError), match=reason):
        await rebuild(mirrored)
    assert await dump(mirrored.dsn) == lost


async def test_mirror_of_another_key_is_refused(mirrored: MirroredLog) -> None:
    """Who signed counts, not what the folder says."""
    with pytest.raises(ContradictionError, match="no checkpoint of the log"):
        await rebuild(mirrored, key=replace(make_key("other.invalid/log").verifier, name=ORIGIN))


async def test_receipt_when_forged_in_a_mirror_is_found_by_fsck(mirrored: MirroredLog) -> None:
    """A receipt has no digest in the leaf: its signature is what is checked before the commit."""
    await lose_tail(mirrored.dsn, 0)
    lost = await dump(mirrored.dsn)
    forge = (
        "UPDATE batch SET receipt = substr(receipt, 1, length(receipt) - 20) || 'AAAAAAAAAAAAAAAAAAAA'"
        " WHERE size = (SELECT min(size) FROM batch WHERE receipt <> '')"
    )
    for agency in PARTIES:
        spoil(mirrored.folder(agency), forge)
    rebuilt = await rebuild(mirrored)
    assert {finding.check for finding in rebuilt.findings} == {"receipt-signature"}
    assert await dump(mirrored.dsn) == lost


async def test_mirrors_of_different_lengths_are_read_together(log: MirroredLog) -> None:
    """The longest says how long the log was; a shorter one gives what it has."""
    from gateway.flows.cosign import Offer

    connection = await asyncpg.connect(log.dsn)
    first = await connection.fetchrow("SELECT * FROM ledger.checkpoint ORDER BY size LIMIT 1")
    await connection.close()
    assert first is not None
    early = log.gateway(CT)
    early.offer = Offer(first["size"], first["note"].encode())
    await log.follow(CT, early)
    for agency in (PS, PR, JA):
        await log.follow(agency)
    before = await dump(log.dsn)
    await lose_tail(log.dsn, 10)
    assert (await rebuild(log, (CT, JA, PR, PS))).findings == ()
    assert await dump(log.dsn) == before


async def test_every_table_and_column_of_the_ledger_is_put_back(log: MirroredLog) -> None:
    """A table or column that comes with a later migration is missed here, not after a disaster."""
    connection = await asyncpg.connect(log.dsn)
    rows: list[Any] = await connection.fetch(
        "SELECT c.table_name, string_agg(c.column_name, ' ' ORDER BY c.column_name) AS columns"
        " FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'ledger' AND t.table_type = 'BASE TABLE' GROUP BY 1"
    )
    await connection.close()
    found = {row["table_name"]: sorted(row["columns"].split()) for row in rows if row["table_name"] not in LEFT_ALONE}
    assert found == {name: sorted(table.columns.split()) for name, table in TABLES.items()}
    seals = {"checkpoint", "cosignature", "timestamp_token", "timestamp_gap"}
    assert set(Rows.__slots__) == set(TABLES) - seals
    assert {beside.table for beside in BESIDE.values()} <= set(TABLES)


async def test_mirror_while_followed_can_be_read(mirrored: MirroredLog, tmp_path: Path) -> None:
    """A mirror that came as a copy of its folder is as good as the folder itself."""
    await lose_tail(mirrored.dsn, 5)
    for agency in PARTIES:
        shutil.copytree(mirrored.folder(agency), tmp_path / "copies" / mirrored.folder(agency).name)
    moved = replace(mirrored, home=tmp_path / "copies")
    assert (await rebuild(moved)).findings == ()
