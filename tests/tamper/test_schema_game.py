"""The DBA game with the schema: each way to switch a guard off or put something in a table's place is named."""

from __future__ import annotations

import asyncpg
import pytest

from tests.tamper.move import TABLES, look
from tests.tamper.story import Story

WAYS = {
    "triggers of a table off": "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
    "trigger off": "ALTER TABLE ledger.state DISABLE TRIGGER insert_only",
    "trigger only for ordinary sessions": "ALTER TABLE ledger.entry ENABLE TRIGGER insert_only",
    "trigger off in the catalogue": "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgname = 'insert_only'",
    "triggers forgotten in the catalogue": (
        "UPDATE pg_class SET relhastriggers = false WHERE oid = 'ledger.entry'::regclass"
    ),
    "trigger dropped": "DROP TRIGGER insert_only ON ledger.tile",
    "function emptied": (
        "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    ),
    "function emptied in the catalogue": (
        "UPDATE pg_proc SET prosrc = 'BEGIN RETURN NULL; END' WHERE proname = 'refuse_change'"
    ),
    "own trigger": (
        "CREATE TRIGGER own BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change()"
    ),
    "guard dropped": "DROP EVENT TRIGGER fasttrack_refuse_ddl",
    "guard off": "ALTER EVENT TRIGGER fasttrack_refuse_ddl DISABLE",
    "guard off in the catalogue": "UPDATE pg_event_trigger SET evtenabled = 'O'",
    "right given": "GRANT UPDATE ON ledger.entry TO fasttrack_gateway",
    "right given to all": "GRANT SELECT ON ledger.bundle TO PUBLIC",
    "right to a column": "GRANT UPDATE (leaf) ON ledger.entry TO fasttrack_gateway",
    "right taken": "REVOKE SELECT ON ledger.oversight_entry FROM fasttrack_oversight",
    "role raised": "ALTER ROLE fasttrack_gateway SUPERUSER",
    "role in another": "GRANT pg_write_all_data TO fasttrack_oversight",
    "other owner": "ALTER TABLE ledger.receipt OWNER TO fasttrack_gateway",
    "column more": "ALTER TABLE ledger.entry ADD COLUMN own text",
    "column dropped and made again": (
        "ALTER TABLE ledger.detail DROP COLUMN body CASCADE; ALTER TABLE ledger.detail ADD COLUMN body bytea"
    ),
    "column gone": "ALTER TABLE ledger.entry DROP COLUMN case_before CASCADE",
    "column of another type": "ALTER TABLE ledger.receipt ALTER COLUMN jws TYPE varchar",
    "table more": "CREATE TABLE ledger.own (id int)",
    "table gone": "DROP TABLE ledger.tile CASCADE",
    "table not logged": "ALTER TABLE ledger.detail SET UNLOGGED",
    "rows hidden": (
        "ALTER TABLE ledger.entry ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON ledger.entry USING (seq < 5)"
    ),
    "rule": "CREATE RULE own AS ON INSERT TO ledger.receipt DO INSTEAD NOTHING",
    "view turned": (
        "CREATE OR REPLACE VIEW ledger.oversight_state AS SELECT size, recorded_at, root"
        " FROM ledger.state WHERE size < 9"
    ),
    "index gone": "DROP INDEX ledger.entry_case",
    "index not valid": "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ledger.entry_act'::regclass",
    "check gone": "ALTER TABLE ledger.entry DROP CONSTRAINT entry_seq_check",
    "swapped by name": (
        "CREATE TABLE ledger.copy (LIKE ledger.entry INCLUDING ALL); INSERT INTO ledger.copy"
        " SELECT * FROM ledger.entry; ALTER TABLE ledger.entry RENAME TO old; ALTER TABLE ledger.copy RENAME TO entry"
    ),
    "inherited": "CREATE TABLE ledger.child () INHERITS (ledger.entry)",
    "schema changed": "ALTER SCHEMA ledger RENAME TO old; CREATE SCHEMA ledger",
}


@pytest.mark.parametrize("way", WAYS)
async def test_schema_changed_is_named(story: Story, dba: asyncpg.Connection, way: str) -> None:
    """fsck finds the change in the schema, whether it still could read the rows or not."""
    await dba.execute(WAYS[way])
    assert [finding for finding in await look(dba, story) if finding.where == "schema"]


@pytest.mark.parametrize("table", TABLES)
async def test_table_swapped_for_a_perfect_copy_with_a_change_is_named(
    story: Story, dba: asyncpg.Connection, table: str
) -> None:
    """Somebody makes a table of the same form, with the same triggers and grants, but one row less in it."""
    await dba.execute(f"CREATE TABLE ledger.copy (LIKE ledger.{table} INCLUDING ALL)")
    await dba.execute(f"INSERT INTO ledger.copy SELECT * FROM ledger.{table} ORDER BY ctid OFFSET 1")
    await dba.execute(f"ALTER TABLE ledger.{table} RENAME TO old; ALTER TABLE ledger.copy RENAME TO {table}")
    assert await look(dba, story)


async def test_session_as_replica_leaves_no_track_but_the_row(story: Story, dba: asyncpg.Connection) -> None:
    """Triggers that are ALWAYS on hold for a replica too; made ordinary for a moment and put back, the row tells."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with dba.transaction():
            await dba.execute("SET LOCAL session_replication_role = replica")
            await dba.execute("UPDATE ledger.entry SET actor = 'ct:999001' WHERE seq = 3")
    await dba.execute("ALTER TABLE ledger.entry ENABLE TRIGGER insert_only")
    await dba.execute("SET LOCAL session_replication_role = replica")
    await dba.execute("UPDATE ledger.entry SET actor = 'ct:999001' WHERE seq = 3")
    await dba.execute("ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER insert_only")
    findings = await look(dba, story)
    assert [(finding.check, finding.index) for finding in findings] == [("entry-column", 3)]
    assert "actor" in findings[0].place
