"""A tail that is cut off cleanly, or a restored copy, contradicts nothing inside; what was seen before does."""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from gateway.audit.finding import AuditFinding
from gateway.audit.seal_check import SealKeys
from gateway.core.log.checkpoint import Checkpoint
from tests.tamper.move import columns, look, look_at_rows, open_table
from tests.tamper.story import ORIGIN, Story


async def cut_tail(dba: asyncpg.Connection, size: int) -> None:
    """Take away everything after a tree size, as an older backup would."""
    for column in await columns(dba):
        # A table that is new is cut as well: its rows belong to an entry, or to a size of the tree.
        condition = {"seq": "seq >= $1", "size": "size > $1"}.get(column.name)
        condition = "(place + 1) * 256 > $1" if (column.table, column.name) == ("tile", "place") else condition
        if condition is not None:
            await open_table(dba, column.table)
            await dba.execute(f"DELETE FROM ledger.{column.table} WHERE {condition}", size)
    await open_table(dba, "case_material")
    await dba.execute(
        "DELETE FROM ledger.case_material AS m"
        " WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.case_id = m.case_id)"
    )


async def look_with(dba: asyncpg.Connection, story: Story, *remembered: Checkpoint) -> list[AuditFinding]:
    """fsck with checkpoints that somebody kept."""
    seals = replace(story.known.seals, remembered=remembered)
    return await look_at_rows(dba, story, replace(story.known, seals=seals))


async def head(dba: asyncpg.Connection) -> Checkpoint:
    """The last checkpoint of the ledger."""
    row = await dba.fetchrow("SELECT size, root FROM ledger.state ORDER BY size DESC LIMIT 1")
    assert row is not None
    return Checkpoint(ORIGIN, *row)


async def test_tail_cut_with_its_checkpoint_is_named_by_a_remembered_one(story: Story, dba: asyncpg.Connection) -> None:
    """Inside the database nothing is wrong any more; a kept checkpoint says that the ledger was longer."""
    seen = await head(dba)
    await cut_tail(dba, seen.size - 1)
    assert await look_with(dba, story) == []
    assert [finding.check for finding in await look_with(dba, story, seen)] == ["remembered-tree"]


async def test_tail_cut_without_its_checkpoint_is_named_by_it(story: Story, dba: asyncpg.Connection) -> None:
    """Who forgets the checkpoint table is told on by it."""
    seen = await head(dba)
    kept = await dba.fetch("SELECT * FROM ledger.checkpoint WHERE size = $1", seen.size)
    await cut_tail(dba, seen.size - 1)
    await dba.executemany("INSERT INTO ledger.checkpoint VALUES ($1, $2, $3)", [tuple(row) for row in kept])
    assert "checkpoint-ahead" in {finding.check for finding in await look_with(dba, story)}


async def test_tail_cut_to_nothing_is_named(story: Story, dba: asyncpg.Connection) -> None:
    """An empty ledger is in order by itself, and not beside a checkpoint."""
    seen = await head(dba)
    await cut_tail(dba, 0)
    await open_table(dba, "material_grant")
    await dba.execute("TRUNCATE ledger.material_grant")
    assert await look_with(dba, story) == []
    assert await look_with(dba, story, seen)


async def test_other_continuation_of_a_restored_copy_is_named(story: Story, dba: asyncpg.Connection) -> None:
    """A copy that went on differently has another root at the size that was seen."""
    seen = await head(dba)
    assert await look_with(dba, story, seen) == []
    other = replace(seen, root=bytes(32))
    assert [finding.check for finding in await look_with(dba, story, other)] == ["remembered-tree"]
    foreign = replace(seen, origin="other.invalid/log")
    assert [finding.check for finding in await look_with(dba, story, foreign)] == ["remembered-origin"]


async def test_keys_missing_leave_only_their_checks_out(story: Story, dba: asyncpg.Connection) -> None:
    """Without any key the untouched ledger is as clean, and a changed entry is named all the same."""
    bare = replace(story.known, receipt_certificates=None, pseudonym_key=None, seals=SealKeys())
    reading = dba.transaction()
    await reading.start()
    assert await look(dba, story, bare) == []
    await reading.rollback()
    await open_table(dba, "entry")
    await dba.execute(
        "UPDATE ledger.entry SET leaf = convert_to("
        "replace(convert_from(leaf, 'UTF8'), 'NOT_EVALUATED', 'NOT_EVALUATEX'), 'UTF8')"
        " WHERE seq = (SELECT min(seq) FROM ledger.entry WHERE kind = 'submitted')"
    )
    assert {finding.check for finding in await look_at_rows(dba, story, bare)} == {"leaf-hash"}
