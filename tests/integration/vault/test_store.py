"""The vault: one key a case whoever asks, none for what was destroyed, and nothing without the master key."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest

from gateway.core.errors import ErrorCode, GatewayError
from gateway.ledger.embedded import EmbeddedPostgres
from gateway.vault.master_key import MasterKeyError, MasterKeys
from gateway.vault.store import VaultError, init_vault, open_vault
from tests.support.command import Finished, fasttrack_here
from tests.support.postgres import create_database, database_dropped

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)


@pytest.fixture
def url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """An empty vault."""
    with database_dropped(postgres_server) as name:
        create_database(postgres_server, name)
        asyncio.run(init_vault(postgres_server.dsn(name)))
        yield postgres_server.dsn(name)


async def test_two_processes_that_ask_at_once_get_one_key(url: str) -> None:
    """Whoever wins, both use the same key for each case, in whatever order they name them."""
    cases = [secrets.token_hex(16) for _ in range(200)]
    async with open_vault(url, MasterKeys(OLD)) as one, open_vault(url, MasterKeys(OLD)) as other:
        asked = [vault.make(names) for vault in (one, other) for names in (cases, cases[::-1], cases[50:])]
        found = await asyncio.gather(*asked)
        keys = await one.find(cases)
    assert len(set(keys.values())) == len(cases)
    for made in found:
        assert made == {case: keys[case] for case in made}


_MAKE = """
import asyncio, hashlib, sys
from gateway.vault.master_key import MasterKeys
from gateway.vault.store import open_vault

async def main(url, master, cases):
    async with open_vault(url, MasterKeys(bytes.fromhex(master))) as vault:
        print("ready", flush=True)
        sys.stdin.readline()
        keys = await vault.make(cases)
    print(hashlib.sha256(b"".join(keys[case] for case in sorted(cases))).hexdigest())

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
"""


async def test_two_processes_of_the_system_make_one_key(url: str) -> None:
    """Two processes that begin at one word have the same keys afterwards, and they are those of the vault."""
    cases = [secrets.token_hex(16) for _ in range(200)]
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _MAKE, url, OLD.hex(), *names, stdin=pipe, stdout=pipe
        )
        for names in (cases, cases[::-1])
    ]
    for process in processes:
        assert process.stdout is not None and await process.stdout.readline() == b"ready\n"
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    async with open_vault(url, MasterKeys(OLD)) as vault:
        keys = await vault.find(cases)
    there = sha256(b"".join(keys[case] or b"" for case in sorted(cases))).hexdigest()
    assert {said[0].decode().strip() for said in told} == {there}


async def test_key_destroyed_is_never_made_again_and_not_on_the_disk(url: str) -> None:
    """The row stays without its key, the old row is gone from the file, and nobody can bring it back by hand."""
    async with open_vault(url, MasterKeys(OLD)) as vault:
        await vault.make(["gone", "stays"])
        connection = await asyncpg.connect(url)
        wrapped = await connection.fetchval("SELECT wrapped FROM vault.case_key WHERE case_id = 'gone'")
        assert await vault.destroy("gone") and not await vault.destroy("gone")
        assert await vault.make(["gone", "never"]) | {"never": b""} == {"gone": None, "never": b""}
        assert not await vault.destroy("unknown")
        assert await vault.find(["gone", "unknown"]) == {"gone": None, "unknown": None}
        await connection.execute("CHECKPOINT")
        file = await connection.fetchval("SELECT pg_read_binary_file(pg_relation_filepath('vault.case_key'))")
        assert wrapped not in file
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="stays destroyed"):
            await connection.execute("DELETE FROM vault.case_key WHERE case_id = 'gone'")
        await connection.close()
        assert await vault.count() == (2, 2, (MasterKeys(OLD).first,))


async def test_key_destroyed_by_who_was_killed_before_the_rewrite_is_cleared_by_the_next_one(url: str) -> None:
    """The wrapped key stands in a dead row of the file until somebody clears it, and is not there afterwards."""
    async with open_vault(url, MasterKeys(OLD)) as vault:
        await vault.make(["gone", "stays"])
        connection = await asyncpg.connect(url)
        wrapped = await connection.fetchval("SELECT wrapped FROM vault.case_key WHERE case_id = 'gone'")
        reader = await asyncpg.connect(url)
        async with reader.transaction():
            # Whoever reads the table makes its rewriting wait.
            await reader.execute("SELECT FROM vault.case_key")
            killed = asyncio.create_task(vault.destroy("gone"))
            while not await reader.fetchval(
                "SELECT destroyed_at IS NOT NULL FROM vault.case_key WHERE case_id = 'gone'"
            ):
                await asyncio.sleep(0.01)
            killed.cancel()
            await asyncio.gather(killed, return_exceptions=True)
        await reader.close()
        found = []
        for _ in range(2):
            await connection.execute("CHECKPOINT")
            file = await connection.fetchval("SELECT pg_read_binary_file(pg_relation_filepath('vault.case_key'))")
            found.append(wrapped in file)
            await vault.clear()
        assert found == [True, False]
        assert await connection.fetchval("SELECT count(*) FROM vault.remains") == 0
        await connection.close()
        assert await vault.find(["gone"]) == {"gone": None}


async def test_vault_with_another_master_key_is_refused(url: str) -> None:
    """A wrong key file stops the start, and names the master key that is missing."""
    async with open_vault(url, MasterKeys(OLD)) as vault:
        await vault.make(["one"])
    with pytest.raises(MasterKeyError, match=MasterKeys(OLD).first):
        async with open_vault(url, MasterKeys(NEW)):
            pass


async def test_keys_swapped_between_cases_are_refused(url: str) -> None:
    """A wrapped key belongs to its case: in another row it does not open."""
    async with open_vault(url, MasterKeys(OLD)) as vault:
        await vault.make(["one", "other"])
        connection = await asyncpg.connect(url)
        await connection.execute(
            "UPDATE vault.case_key AS k SET wrapped = o.wrapped FROM vault.case_key AS o WHERE o.case_id <> k.case_id"
        )
        await connection.close()
        with pytest.raises(GatewayError) as refused:
            await vault.find(["one"])
    assert refused.value.code is ErrorCode.CASE_KEY_MISSING


async def test_master_key_changed_leaves_old_copies_worthless(url: str) -> None:
    """After a rotation everything opens with the new key alone, and a process with the old one makes nothing."""
    cases = [f"case-{number}" for number in range(1500)]
    async with open_vault(url, MasterKeys(OLD)) as late:
        before = await late.make(cases)
        async with open_vault(url, MasterKeys(NEW + OLD)) as vault:
            assert await vault.rotate() == len(cases)
            assert await vault.rotate() == 0
        with pytest.raises(GatewayError) as refused:
            await late.make(["late"])
        assert refused.value.code is ErrorCode.VAULT_UNAVAILABLE
    async with open_vault(url, MasterKeys(NEW)) as vault:
        assert await vault.find(cases) == before
        assert (await vault.count()).master_keys == (MasterKeys(NEW).first,)
    with pytest.raises(MasterKeyError):
        async with open_vault(url, MasterKeys(OLD)):
            pass


async def test_database_of_the_ledger_is_no_vault(database_url: str, empty_database_url: str) -> None:
    """One backup must never hold both; and a database without tables is none yet."""
    with pytest.raises(VaultError, match="ledger's database"):
        await init_vault(database_url)
    for dsn, why in ((database_url, "ledger's database"), (empty_database_url, "vault init")):
        with pytest.raises(VaultError, match=why):
            async with open_vault(dsn, MasterKeys(OLD)):
                pass


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"x" * 33])
def test_key_file_of_another_length_is_refused(data: bytes) -> None:
    """A cut key file stops the start."""
    with pytest.raises(MasterKeyError):
        MasterKeys(data)


def test_commands_prepare_count_and_rotate(url: str, tmp_path: Path) -> None:
    """What the page of the vault tells an operator to do works, and mistakes are told with what to do next."""

    def run(*arguments: object, key: str = "old.key") -> Finished:
        environ = {"FASTTRACK_VAULT_URL": url, "FASTTRACK_MASTER_KEY_FILE": str(tmp_path / key)}
        return fasttrack_here("vault", *arguments, "--json", environ=environ)

    assert run("init").object == {"is_ready": True}
    old, new = (run("new-key", tmp_path / name).object["id"] for name in ("old.key", "new.key"))
    assert run("new-key", tmp_path / "old.key").code == 2
    assert (tmp_path / "old.key").stat().st_mode & 0o777 == 0o600
    assert run("status").object == {"keys": 0, "destroyed": 0, "master_keys": [old]}
    assert run("status", key="new.key").code == 2
    assert run("status", key="none.key").code == 2
    (tmp_path / "both.key").write_bytes((tmp_path / "new.key").read_bytes() + (tmp_path / "old.key").read_bytes())
    assert run("rotate", key="both.key").object == {"wrapped": 0, "master_keys": [new]}
    assert run("status", key="new.key").code == 0
    assert fasttrack_here("vault", "status", environ={}).code == 2
    down = {"FASTTRACK_VAULT_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert fasttrack_here("vault", "init", environ=down).code == 3
