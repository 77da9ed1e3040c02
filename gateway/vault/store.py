"""The vault in a PostgreSQL database of its own; implements ``CaseKeys``.

A key is committed before anything is sealed with it. Of two processes that make a key for one case at the same time the
database lets one win, and both use the winner's.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final, NamedTuple

import asyncpg

from gateway.core.errors import ErrorCode, Finding, GatewayError, refuse
from gateway.core.port.vault import CASE_KEY_BYTES
from gateway.vault.master_key import MasterKeyError, MasterKeys

_CALL_SECONDS: Final = 5.0
_REWRITE_SECONDS: Final = 600.0
_RETRY_AFTER_SECONDS: Final = 1.0
_PAGE: Final = 1_000
_LOCK: Final = 0x66617374_7661756C
"""Key of the advisory lock of whoever changes the schema or the master key."""


class VaultError(RuntimeError):
    """A database that is no vault, or must not be one."""


class VaultCount(NamedTuple):
    """How much is in a vault.

    Args:
        keys: cases with a key.
        destroyed: cases whose key was destroyed.
        master_keys: ids of the master keys in use.
    """

    keys: int
    destroyed: int
    master_keys: tuple[str, ...]


def _statements() -> Mapping[str, str]:
    parts = (files("gateway.vault") / "statements.sql").read_text(encoding="utf-8").split("-- name: ")[1:]
    return {title: body.strip() for title, _, body in (part.partition("\n") for part in parts)}


_SQL: Final = _statements()


class Vault:
    """Keeps one key for each case.

    Args:
        pool: asyncpg pool of the role that owns the vault.
        master: wraps and opens.
        random: gives so many random bytes.
    """

    def __init__(
        self, pool: asyncpg.Pool[Any], master: MasterKeys, *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._pool = pool
        self._master = master
        self._random = random

    async def find(self, cases: Sequence[str]) -> dict[str, bytes | None]:
        """See ``CaseKeys``."""
        rows = await self._fetch("find", list(cases))
        return {
            row["case_id"]: None
            if row["wrapped"] is None
            else self._master.unwrap(row["case_id"], row["kek_id"], row["wrapped"])
            for row in rows
        }

    async def make(self, cases: Sequence[str]) -> dict[str, bytes | None]:
        """See ``CaseKeys``."""
        # In one order everywhere: two processes that make the same keys must not wait for each other in a circle.
        fresh = {case: self._random(CASE_KEY_BYTES) for case in sorted(cases)}
        wrapped = [self._master.wrap(case, key) for case, key in fresh.items()]
        made = {row["case_id"] for row in await self._fetch("make", self._master.first, list(fresh), wrapped)}
        keys: dict[str, bytes | None] = {case: fresh[case] for case in made}
        others = [case for case in fresh if case not in made]
        if others:
            keys |= await self.find(others)
        if len(keys) < len(fresh):
            raise refuse(ErrorCode.VAULT_UNAVAILABLE, message="the vault wraps with another master key by now")
        return keys

    async def destroy(self, case: str) -> bool:
        """See ``CaseKeys``; then the table is written anew, because the old row would keep the key for a while."""
        there = await self._fetch("find", [case])
        try:
            async with self._pool.acquire() as connection:
                await connection.execute(_SQL["destroy"], case)
                await _rewrite(connection)
        except Exception as error:
            raise _unavailable(error) from error
        return bool(there) and there[0]["wrapped"] is not None

    async def clear(self) -> None:
        """See ``CaseKeys``."""
        if not (await self._fetch("remains"))[0]["is_any"]:
            return
        try:
            async with self._pool.acquire() as connection:
                await _rewrite(connection)
        except Exception as error:
            raise _unavailable(error) from error

    async def count(self) -> VaultCount:
        """Count keys and destroyed cases.

        Raises:
            GatewayError: VAULT_UNAVAILABLE.
        """
        keys, destroyed = (await self._fetch("count"))[0]
        return VaultCount(keys, destroyed, tuple(row["kek_id"] for row in await self._fetch("master_keys")))

    async def rotate(self, progress: Callable[[int], None] | None = None) -> int:
        """Wrap every key with the first master key and take the others out of use.

        A process that has not got the new master key makes no key from then on; it refuses.

        Args:
            progress: told how many keys were wrapped so far.

        Returns:
            keys that were wrapped anew.

        Raises:
            GatewayError: CASE_KEY_MISSING when a master key is not at hand; VAULT_UNAVAILABLE.
        """
        done = 0
        try:
            async with self._pool.acquire() as connection:
                while count := await self._rewrap(connection):
                    done += count
                    if progress is not None:
                        progress(done)
                async with connection.transaction():
                    # Waits for whoever is making keys with an old one; after it nobody can.
                    await connection.execute(_SQL["retire"], self._master.first)
                    while count := await self._rewrap(connection):
                        done += count
                await _rewrite(connection)
        except GatewayError:
            raise
        except Exception as error:
            raise _unavailable(error) from error
        return done

    async def _rewrap(self, connection: Any) -> int:
        async with connection.transaction():
            rows = await connection.fetch(_SQL["old"], self._master.first, _PAGE)
            wrapped = [
                self._master.wrap(row["case_id"], self._master.unwrap(row["case_id"], row["kek_id"], row["wrapped"]))
                for row in rows
            ]
            await connection.execute(_SQL["rewrap"], self._master.first, [row["case_id"] for row in rows], wrapped)
        return len(rows)

    async def _fetch(self, name: str, *arguments: object) -> list[Any]:
        try:
            return await self._pool.fetch(_SQL[name], *arguments)
        except Exception as error:
            raise _unavailable(error) from error


async def _rewrite(connection: Any) -> None:
    began = (await connection.fetchrow(_SQL["remains"]))["now"]
    await connection.execute(_SQL["rewrite"], timeout=_REWRITE_SECONDS)
    await connection.execute(_SQL["removed"], began)


def _unavailable(error: Exception) -> GatewayError:
    # Whatever is wrong with the vault: what needs a key waits for it, nothing else does.
    finding = Finding(ErrorCode.VAULT_UNAVAILABLE, message=f"the vault cannot be used: {type(error).__name__}")
    return GatewayError(finding, retry_after_seconds=_RETRY_AFTER_SECONDS)


async def init_vault(url: str) -> None:
    """Make the tables of the vault; without effect where they are.

    Args:
        url: of a database of its own, as the role that is to own it.

    Raises:
        VaultError: the ledger is in this database.
        OSError, asyncpg.PostgresError: the database cannot be used.
    """
    connection = await asyncpg.connect(url, server_settings={"application_name": "fasttrack vault"}, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if (await connection.fetchrow(_SQL["is_ready"]))["has_ledger"]:  # type: ignore[index]
                raise VaultError("this is the ledger's database; the vault needs one of its own, with its own backups")
            await connection.execute((files("gateway.vault") / "schema.sql").read_text(encoding="utf-8"))
    finally:
        await connection.close()


@asynccontextmanager
async def open_vault(url: str, master: MasterKeys, *, application_name: str = "fasttrack") -> AsyncIterator[Vault]:
    """Open the vault.

    Args:
        url: of its database, as the role that owns it.
        master: all master keys that the vault has in use, the one to wrap with first.
        application_name: shown in ``pg_stat_activity``.

    Yields:
        the vault.

    Raises:
        VaultError: it is no vault, or the ledger is in the same database.
        MasterKeyError: a master key is missing.
        GatewayError: VAULT_UNAVAILABLE.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=4,
            timeout=_CALL_SECONDS,
            command_timeout=_CALL_SECONDS,
            server_settings={"application_name": application_name, "jit": "off"},
        )
    except Exception as error:
        raise _unavailable(error) from error
    try:
        await _check(pool, master)
        yield Vault(pool, master)
    finally:
        await pool.close()


async def _check(pool: asyncpg.Pool[Any], master: MasterKeys) -> None:
    async def ask(name: str, *arguments: object) -> list[Any]:
        try:
            return await pool.fetch(_SQL[name], *arguments)
        except Exception as error:
            raise _unavailable(error) from error

    ready = (await ask("is_ready"))[0]
    if ready["has_ledger"]:
        raise VaultError("FASTTRACK_VAULT_URL names the ledger's database; the vault needs one of its own")
    if not ready["has_vault"]:
        raise VaultError("the database of FASTTRACK_VAULT_URL is no vault; run `fasttrack vault init`")
    known = {row["kek_id"] for row in await ask("master_keys")}
    if missing := ", ".join(sorted(known - set(master.ids))):
        raise MasterKeyError(f"the vault is wrapped with {missing}, which FASTTRACK_MASTER_KEY_FILE does not have")
    await ask("add_master_key", master.first)
