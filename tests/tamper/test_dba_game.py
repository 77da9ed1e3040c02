"""The DBA game: a superuser who may switch everything off changes one thing, and fsck names it.

What the game cannot show is written down here, too: ``BEYOND`` lists what no record can contradict.
"""

from __future__ import annotations

import asyncpg
import pytest

from gateway.core.entry import EntryKind
from tests.tamper.move import CHANGES, TABLES, columns, look, look_at_rows, open_table
from tests.tamper.story import Story

BEYOND = {
    # A gap is a note about a token that did not come. It proves nothing; a missing token is seen without it.
    # Cosignatures and tokens are what others said; who said it keeps it, and a witness that is asked shows it again.
    "delete": {"timestamp_gap", "timestamp_token", "cosignature"},
    # An upload leaves no entry, so a grant that looks like one cannot be told from one; and a gap as above.
    "copy": {"material_grant", "timestamp_gap"},
}

FIRST_MIGRATION = ("schema_migration", "applied_at", "ctid")
"""Nothing says how long ago the first migration was, except that it was before the others."""
SWAP_IS_NOTHING = {
    # The two parties of a bundle have the same grants; exchanged they are the same set.
    ("material_grant", "agency"),
    # Materials of one case are a set too.
    ("case_material", "sha256"),
    # Two notes of the same second, see above.
    ("timestamp_gap", "size"), ("timestamp_gap", "noticed_at"),
}  # fmt: skip
"""Columns of neighbouring rows whose exchange changes nothing that was promised."""


async def test_ledger_untouched_has_no_finding(story: Story, dba: asyncpg.Connection) -> None:
    """Nothing is reported where nobody did anything, and the ledger of the game holds every kind of entry."""
    assert [finding.to_text() for finding in await look(dba, story)] == []
    kinds = {row[0] for row in await dba.fetch("SELECT DISTINCT kind FROM ledger.entry")}
    assert kinds == {str(kind) for kind in EntryKind}


async def test_tables_all_are_in_the_game_with_rows(dba: asyncpg.Connection) -> None:
    """A new table must be added to the game."""
    found = {column.table for column in await columns(dba)}
    assert found == set(TABLES)
    for table in TABLES:
        assert await dba.fetchval(f"SELECT count(*) FROM ledger.{table}") > 0
    assert {column.kind for column in await columns(dba)} == set(CHANGES)


async def test_content_of_a_destroyed_case_is_missed_and_not_read(story: Story, dba: asyncpg.Connection) -> None:
    """Nobody can read it, so nobody can tell whether it was changed; that it is there, and whose it is, is checked."""
    (seq,) = await dba.fetchrow(
        "SELECT min(seq) FROM ledger.entry WHERE kind = 'submitted' AND case_id IN"
        " (SELECT case_id FROM ledger.entry WHERE kind = 'case_destroyed')"
    )  # type: ignore[misc]
    await open_table(dba, "bundle")
    await dba.execute("UPDATE ledger.bundle SET record = sha256(record) WHERE seq = $1", seq)
    assert await look_at_rows(dba, story) == []
    await dba.execute("UPDATE ledger.bundle SET sender = 'ct:999001' WHERE seq = $1", seq)
    assert [finding.check for finding in await look_at_rows(dba, story)] == ["bundle-column"]
    await dba.execute("DELETE FROM ledger.bundle WHERE seq = $1", seq)
    assert [finding.check for finding in await look_at_rows(dba, story)] == ["bundle-missing"]


async def test_destruction_without_its_entry_or_its_act_is_named(story: Story, dba: asyncpg.Connection) -> None:
    """A key that is gone though no entry says so, or still there though one does, is no destruction."""
    cases = await dba.fetch("SELECT case_id FROM ledger.entry WHERE kind = 'submitted' ORDER BY seq")
    whole = next(row[0] for row in cases if row[0] not in story.vault.keys)
    gone, key = next(iter(story.vault.keys.items()))
    story.vault.keys[whole] = None
    try:
        assert {finding.check for finding in await look(dba, story)} == {"case-key"}
        del story.vault.keys[whole]
        del story.vault.keys[gone]
        assert [finding.check for finding in await look(dba, story)] == ["case-key-remains"]
    finally:
        story.vault.keys.pop(whole, None)
        story.vault.keys[gone] = key


@pytest.mark.parametrize("order", ["ctid", "ctid DESC"])
@pytest.mark.parametrize("table", TABLES)
async def test_column_changed_in_any_row_is_named(
    story: Story, dba: asyncpg.Connection, table: str, order: str
) -> None:
    """Every column of every table, in the first and in the last row that can change, slightly and crudely."""
    await open_table(dba, table)
    for column in await columns(dba):
        if column.table != table:
            continue
        changes = [change.format(c=f't."{column.name}"') for change in CHANGES[column.kind]]
        for change in changes + (["NULL"] if column.is_nullable else []):
            await _change(story, dba, table, column.name, change, order)


async def _change(story: Story, dba: asyncpg.Connection, table: str, column: str, change: str, order: str) -> None:
    move = dba.transaction()
    await move.start()
    changed = await dba.fetch(
        f'UPDATE ledger.{table} AS t SET "{column}" = {change} WHERE ctid = (SELECT ctid FROM ledger.{table} AS t'
        f' WHERE t."{column}" IS DISTINCT FROM ({change}) AND t."{column}" IS NOT NULL ORDER BY {order} LIMIT 1)'
        " RETURNING 1"
    )
    findings = await look_at_rows(dba, story)
    await move.rollback()
    assert changed, f"{table}.{column} = {change}: no row to try it on"
    if (table, column, order) != FIRST_MIGRATION or "-" not in change:
        assert findings, f"{table}.{column} = {change} ({order}) was not seen"


@pytest.mark.parametrize("table", sorted(set(TABLES) - BEYOND["delete"]))
async def test_row_deleted_is_named(story: Story, dba: asyncpg.Connection, table: str) -> None:
    """A row is gone: the first, one in the middle, the last."""
    await open_table(dba, table)
    places = await dba.fetch(f"SELECT ctid FROM ledger.{table} ORDER BY ctid")
    for at in {0, len(places) // 2, len(places) - 1}:
        move = dba.transaction()
        await move.start()
        await dba.execute(f"DELETE FROM ledger.{table} WHERE ctid = $1", places[at][0])
        findings = await look_at_rows(dba, story)
        await move.rollback()
        assert findings, f"{table} row {at} was not missed"


@pytest.mark.parametrize("table", sorted(set(TABLES) - BEYOND["copy"]))
async def test_row_copied_is_named(story: Story, dba: asyncpg.Connection, table: str) -> None:
    """A row stands twice, once its keys are dropped."""
    await open_table(dba, table)
    await dba.execute(f"INSERT INTO ledger.{table} SELECT * FROM ledger.{table} ORDER BY ctid DESC LIMIT 1")
    assert await look_at_rows(dba, story)


@pytest.mark.parametrize("table", TABLES)
async def test_table_emptied_is_named(story: Story, dba: asyncpg.Connection, table: str) -> None:
    """A whole table is cleared; what is beyond fsck row by row may not be beyond it as a whole."""
    await open_table(dba, table)
    await dba.execute(f"TRUNCATE ledger.{table}")
    assert await look_at_rows(dba, story) or table in BEYOND["delete"]


@pytest.mark.parametrize("table", TABLES)
async def test_column_swapped_between_two_rows_is_named(story: Story, dba: asyncpg.Connection, table: str) -> None:
    """Two rows exchange the value of one column."""
    await open_table(dba, table)
    for column in await columns(dba):
        if column.table != table:
            continue
        move = dba.transaction()
        await move.start()
        pair = await dba.fetch(
            f'SELECT min(ctid) AS a, "{column.name}" AS v FROM ledger.{table} WHERE "{column.name}" IS NOT NULL'
            " GROUP BY 2 ORDER BY 1 LIMIT 2"
        )
        if len(pair) == 2:
            first, second = pair
            for at, value in ((first["a"], second["v"]), (second["a"], first["v"])):
                await dba.execute(f'UPDATE ledger.{table} SET "{column.name}" = $1 WHERE ctid = $2', value, at)
        findings = await look_at_rows(dba, story)
        await move.rollback()
        assert findings or len(pair) < 2 or (table, column.name) in SWAP_IS_NOTHING, f"{table}.{column.name}"


async def test_entries_swapped_whole_are_named(story: Story, dba: asyncpg.Connection) -> None:
    """Two entries exchange their places with everything that belongs to them."""
    for table in ("entry", "receipt", "detail", "fact"):
        await open_table(dba, table)
        await dba.execute(f"UPDATE ledger.{table} SET seq = CASE seq WHEN 20 THEN 21 ELSE 20 END WHERE seq IN (20, 21)")
    checks = {finding.check for finding in await look(dba, story)}
    assert {"leaf-index", "state-root"} <= checks


async def test_entries_renumbered_are_named(story: Story, dba: asyncpg.Connection) -> None:
    """An entry is taken out and those after it move up."""
    for table in ("entry", "receipt", "bundle", "detail", "fact"):
        await open_table(dba, table)
        await dba.execute(f"DELETE FROM ledger.{table} WHERE seq = 5")
        await dba.execute(f"UPDATE ledger.{table} SET seq = seq - 1 WHERE seq > 5")
    findings = await look(dba, story)
    assert any(finding.check == "leaf-index" and finding.index == 5 for finding in findings)


async def test_material_let_be_read_in_secret_is_named(story: Story, dba: asyncpg.Connection) -> None:
    """Somebody turns what was withheld into a grant."""
    await open_table(dba, "material_withheld")
    await open_table(dba, "material_grant")
    rows = await dba.fetch("DELETE FROM ledger.material_withheld RETURNING agency, sha256, seq")
    await dba.executemany(
        "INSERT INTO ledger.material_grant SELECT $1::text, $2::bytea WHERE NOT EXISTS"
        " (SELECT FROM ledger.material_grant WHERE agency = $1::text AND sha256 = $2::bytea)",
        [tuple(row)[:2] for row in rows],
    )
    findings = await look_at_rows(dba, story)
    assert {(finding.check, finding.index) for finding in findings} == {("withheld-digest", row["seq"]) for row in rows}


async def test_grant_of_a_request_taken_away_is_named(story: Story, dba: asyncpg.Connection) -> None:
    """What a statement asked for and was given, no bundle gives, and it is missed all the same."""
    await open_table(dba, "material_grant")
    await dba.execute(
        "DELETE FROM ledger.material_grant AS g USING ledger.material_withheld AS w"
        " WHERE g.agency = w.agency AND g.sha256 = w.sha256"
    )
    findings = await look_at_rows(dba, story)
    asked = await dba.fetchval("SELECT max(seq) FROM ledger.entry WHERE leaf LIKE '%\"material-request\"%'::bytea")
    assert [(finding.check, finding.index) for finding in findings] == [("grant-missing", asked)]
