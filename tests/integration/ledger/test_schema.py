"""The schema: made by migrations alone, INSERT only for everybody, with exactly the grants intended."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from gateway.core.entry import EntryKind
from gateway.core.log.registration import KeyFacts, register_key
from gateway.ledger.migrate import MigrationError, load_migrations, migrate
from tests.integration.ledger.act import PS, as_role, batcher_on, make_act, make_statement, make_submit

GOLDEN = Path(__file__).with_name("schema.txt")
GATEWAY, OVERSIGHT, SIGNER = "fasttrack_gateway", "fasttrack_oversight", "fasttrack_signer"
LEDGER = {
    "entry", "receipt", "bundle", "detail", "material_grant", "tile", "state", "checkpoint", "cosignature",
    "timestamp_token", "timestamp_gap", "signer_key", "fact", "statement", "material_withheld", "progress", "track",
    "case_material", "notice",
}  # fmt: skip
VIEWS = {
    "oversight_entry", "oversight_tile", "oversight_state", "oversight_checkpoint", "oversight_cosignature",
    "oversight_timestamp_token", "oversight_timestamp_gap", "oversight_signer_key", "oversight_fact",
}  # fmt: skip
GRANTS = (
    {(GATEWAY, table, right) for table in LEDGER - {"checkpoint"} for right in ("INSERT", "SELECT")}
    | {(GATEWAY, table, "SELECT") for table in ("schema_migration", "checkpoint")}
    | {(role, view, "SELECT") for role in (GATEWAY, OVERSIGHT) for view in VIEWS}
    | {(SIGNER, name, "SELECT") for name in ("oversight_entry", "oversight_state", "checkpoint")}
    | {(SIGNER, "checkpoint", "INSERT")}
)
KEY = KeyFacts(
    key_id="a" * 64, public_key_sha256="b" * 64, agency=str(PS), algorithm="EdDSA", certificate=b"certificate"
)
CATALOGUE = """
SELECT format('%s %s.%s %s%s', c.relkind, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN ' not null' ELSE '' END)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'v')
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'ledger'
UNION ALL SELECT format('check %s: %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'ledger'::regnamespace AND contype = 'c'
UNION ALL SELECT format('trigger %s %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'ledger.%'
UNION ALL SELECT format('event trigger %s %s', evtname, evtenabled) FROM pg_event_trigger
ORDER BY 1
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser who owns the schema."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def tables(connection: asyncpg.Connection) -> set[str]:
    """Names of all tables of the ledger."""
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind = 'r'"
    )
    return {row["relname"] for row in rows}


async def test_schema_from_nothing_is_the_one_written_down(empty_database_url: str) -> None:
    """The migrations make exactly the schema of schema.txt (delete that file and run the test to write it anew)."""
    await migrate(empty_database_url)
    connection = await asyncpg.connect(empty_database_url)
    found = "".join(f"{row[0]}\n" for row in await connection.fetch(CATALOGUE))
    await connection.close()
    if not GOLDEN.exists():
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text()


async def test_migrations_all_are_recorded_once(empty_database_url: str) -> None:
    """Each file is applied once, in order, and remembered with its digest."""
    migrations = load_migrations()
    assert await migrate(empty_database_url) == [migration.name for migration in migrations]
    assert await migrate(empty_database_url) == []
    connection = await asyncpg.connect(empty_database_url)
    rows = await connection.fetch("SELECT name, sha256 FROM ledger.schema_migration ORDER BY name")
    await connection.close()
    assert [(row["name"], row["sha256"]) for row in rows] == [(m.name, m.digest) for m in migrations]


async def test_migrations_by_phase_keep_their_order(empty_database_url: str) -> None:
    """Post files wait for all pre files."""
    with pytest.raises(MigrationError, match="phase pre first"):
        await migrate(empty_database_url, phase="post")
    before = await migrate(empty_database_url, phase="pre")
    after = await migrate(empty_database_url, phase="post")
    assert all("_pre_" in name for name in before) and all("_post_" in name for name in after)
    assert sorted(before + after) == [migration.name for migration in load_migrations()]


async def test_migration_changed_or_unknown_is_refused(empty_database_url: str, tmp_path: Path) -> None:
    """A file that changed after it was applied, or that this version does not have, stops everything."""
    (tmp_path / "0001_pre_one.sql").write_text("SELECT 1")
    assert await migrate(empty_database_url, folder=tmp_path) == ["0001_pre_one.sql"]
    (tmp_path / "0001_pre_one.sql").write_text("SELECT 2")
    with pytest.raises(MigrationError, match="was changed"):
        await migrate(empty_database_url, folder=tmp_path)
    (tmp_path / "0001_pre_one.sql").rename(tmp_path / "0002_pre_two.sql")
    with pytest.raises(MigrationError, match="newer than this version"):
        await migrate(empty_database_url, folder=tmp_path)
    (tmp_path / "0002_post_other.sql").write_text("SELECT 2")
    with pytest.raises(MigrationError, match="same number"):
        load_migrations(tmp_path)
    (tmp_path / "03_pre_bad.sql").write_text("SELECT 2")
    (tmp_path / "0002_post_other.sql").unlink()
    with pytest.raises(MigrationError, match="not named"):
        load_migrations(tmp_path)


async def test_migration_that_fails_leaves_nothing(empty_database_url: str, tmp_path: Path) -> None:
    """A file is applied as a whole or not at all."""
    (tmp_path / "0001_pre_one.sql").write_text("CREATE TABLE ledger.half (); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_database_url, folder=tmp_path)
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("SELECT to_regnamespace('ledger')") is None
    await connection.close()


async def test_migrate_without_superuser_warns_and_works(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A managed PostgreSQL gives no superuser: everything but the schema guard is set up, and a warning says so."""
    await migrate(empty_database_url)  # makes the roles of the server
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("SET fasttrack.migration = 'on'")
    await connection.execute("DROP EVENT TRIGGER fasttrack_refuse_ddl; DROP SCHEMA ledger CASCADE")
    await connection.execute(
        "DO $$ BEGIN CREATE ROLE test_owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    await connection.execute(
        "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO test_owner', current_database()); END $$"
    )
    with caplog.at_level(logging.WARNING):
        await migrate(as_role(empty_database_url, "test_owner"))
    assert "only a superuser may" in caplog.text
    assert await tables(connection) == {*LEDGER, "schema_migration"}
    await connection.close()


async def test_every_table_refuses_change_by_every_role(database_url: str, owner: asyncpg.Connection) -> None:
    """UPDATE, DELETE and TRUNCATE are refused on every table, with rows in it, for owner, gateway and oversight."""
    async with batcher_on(database_url) as batcher:
        submit = make_submit(
            materials=["1" * 64, "2" * 64], withheld={"2" * 64: "none"}, facts=b"[]", facts_sha256="0" * 64
        )
        await batcher.append(submit)
        await batcher.append(make_act(EntryKind.WITHDRAWN, submit.act_id, PS, detail=b"{}", detail_sha256="0" * 64))
        await batcher.append(register_key(KEY))
        await batcher.append(make_statement())
        await batcher.append(make_submit(cause={"persons": {"a" * 32: {}}}))
        for _ in range(256):
            await batcher.append(make_submit())
    await owner.execute("INSERT INTO ledger.checkpoint VALUES (1, now(), 'note')")
    await owner.execute("INSERT INTO ledger.cosignature VALUES (1, 'witness', now(), 'line')")
    await owner.execute("INSERT INTO ledger.timestamp_token VALUES (1, now(), decode(repeat('00', 32), 'hex'), '')")
    await owner.execute("INSERT INTO ledger.notice VALUES ('ps:999001', 0)")
    await owner.execute("INSERT INTO ledger.timestamp_gap VALUES (1, now(), 1701)")
    await owner.execute(
        "INSERT INTO ledger.progress VALUES (1, decode(repeat('00', 32), 'hex'), NULL, 'FILED', '2026-01-28', '', '')"
    )
    found = await tables(owner)
    assert found == {*LEDGER, "schema_migration"}
    for table in sorted(found):
        assert await owner.fetchval(f"SELECT count(*) FROM ledger.{table}") > 0
        column = await owner.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1", f"ledger.{table}"
        )
        for role in ("postgres", GATEWAY, OVERSIGHT, SIGNER):
            for session in ("origin", "replica"):
                for statement in (
                    f"UPDATE ledger.{table} SET {column} = {column}",
                    f"DELETE FROM ledger.{table}",
                    f"TRUNCATE ledger.{table}",
                ):
                    transaction = owner.transaction()
                    await transaction.start()
                    # A session that replicates skips ordinary triggers; these are ALWAYS on.
                    await owner.execute(f"SET LOCAL session_replication_role = {session}")
                    await owner.execute(f"SET LOCAL ROLE {role}")
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await owner.execute(statement)
                    await transaction.rollback()


async def test_grants_are_exactly_those_intended(owner: asyncpg.Connection) -> None:
    """Every table and view has the grants of this file and no other; nobody else has any."""
    rows = await owner.fetch(
        "SELECT coalesce(grantee.rolname, 'PUBLIC') AS role, relname, acl.privilege_type AS right FROM pg_class c"
        " CROSS JOIN LATERAL aclexplode(relacl) AS acl LEFT JOIN pg_roles grantee ON grantee.oid = acl.grantee"
        " WHERE relnamespace = 'ledger'::regnamespace AND acl.grantee <> c.relowner"
    )
    assert {(row["role"], row["relname"], row["right"]) for row in rows} == GRANTS
    rows = await owner.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'fasttrack%'"
        " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)"
    )
    assert rows == []


async def test_oversight_sees_views_and_no_bundle(database_url: str) -> None:
    """The oversight role reads the views and nothing that belongs to the parties."""
    connection = await asyncpg.connect(as_role(database_url, OVERSIGHT))
    for view in VIEWS:
        await connection.fetch(f"SELECT * FROM ledger.{view}")
    for table in (*LEDGER, "schema_migration"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT * FROM ledger.{table}")
    await connection.close()


async def test_signer_sees_leaves_and_heads_and_writes_checkpoints_only(database_url: str) -> None:
    """Who holds the signing key reads no bundle, and cannot write what it signs for."""
    connection = await asyncpg.connect(as_role(database_url, SIGNER))
    for name in ("oversight_entry", "oversight_state", "checkpoint"):
        await connection.fetch(f"SELECT * FROM ledger.{name}")
    await connection.execute("INSERT INTO ledger.checkpoint VALUES (1, now(), 'note')")
    for table in LEDGER - {"checkpoint"}:
        for statement in (f"SELECT * FROM ledger.{table}", f"INSERT INTO ledger.{table} DEFAULT VALUES"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("role", ["postgres", GATEWAY])
@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE ledger.entry DISABLE TRIGGER ALL", "DROP TABLE ledger.entry", "CREATE TABLE public.own (id int)"],
)
async def test_schema_change_outside_migrations_is_refused(database_url: str, role: str, statement: str) -> None:
    """Nobody changes the schema by accident; the gateway's role not even when it says it migrates."""
    connection = await asyncpg.connect(as_role(database_url, role))
    if role == GATEWAY:
        await connection.execute("SET fasttrack.migration = 'on'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
